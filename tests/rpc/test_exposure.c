/* A bank's exposure limit: set, used up by holds in whatever bucket, given back, paid off. */
#include "house.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define BANK "bank/bank-a"
#define SHOP "merchant/shop-1"
#define OLGA "operator/olga"

static int setup(void **state)
{
    *state = house_open();
    house_found(*state);
    return 0;
}

static int teardown(void **state)
{
    house_close(*state);
    return 0;
}

#define CNY(minor)  "{'currencyCode': 'CNY', 'amountMinor': '" minor "'}"
#define LIMIT       "{'bankId': 'bank-a', 'limit': {'currencyCode': 'CNY', 'amountMinor': '%d'}}"
#define GET         "{'bankId': 'bank-a', 'currencyCode': 'CNY'}"
#define HOLD        "{'requestId': '%s', 'bankId': 'bank-a', 'memberRef': '%s', 'merchantId': 'shop-1', 'points': %d}"
#define SETTLED     "{'requestId': '%s', 'bankId': 'bank-a', 'amount': {'currencyCode': 'CNY', 'amountMinor': '%d'}}"
#define ON(id)      "{'requestId': '%s', 'redemptionId': '%s'}", house_id(), id
#define SUM(column) "SELECT sum(" #column "_minor) FROM exposure"

static void expect_used(struct house *house, int limit, int used)
{
    house_expect(house_ask(house, BANK, "GetExposure", GET),
                 "{'bankId': 'bank-a', 'limit': {'currencyCode': 'CNY', 'amountMinor': '%d'}, 'used': {'currencyCode': "
                 "'CNY', 'amountMinor': '%d'}}",
                 limit, used);
    assert_int_equal(house_count(house, SUM(used)), used);
    /* No more room in the buckets together than is left. */
    assert_true(house_count(house, "SELECT sum(greatest(allotted_minor - used_minor, 0)) FROM exposure") <=
                (used <= limit ? limit - used : 0));
}

static void a_limit_is_set_and_shared_out(void **state)
{
    struct house *house = *state;

    json_t *none = house_ask(house, BANK, "GetExposure", GET);
    house_expect(none, "{'bankId': 'bank-a', 'used': " CNY("0") "}");
    assert_null(json_object_get(none, "limit"));
    house_expect(house_ask(house, BANK, "SetExposureLimit", LIMIT, 1003),
                 "{'limit': " CNY("1003") ", 'used': " CNY("0") "}");
    expect_used(house, 1003, 0);
    assert_int_equal(house_count(house, SUM(allotted)), 1003);
    assert_int_equal(house_count(house, "SELECT count(*) FROM exposure WHERE allotted_minor = 250"), TEST_BUCKETS - 1);
    assert_int_equal(house_count(house, "SELECT allotted_minor FROM exposure WHERE bucket = 0"), 253);
    house_ask(house, BANK, "SetExposureLimit", LIMIT, 0);
    expect_used(house, 0, 0);
    /* Another currency has its own, and the operator sees it. */
    house_ask(house, BANK, "SetExposureLimit",
              "{'bankId': 'bank-a', 'limit': {'currencyCode': 'USD', 'amountMinor': '9'}}");
    house_expect(house_ask(house, OLGA, "GetExposure", "{'bankId': 'bank-a', 'currencyCode': 'USD'}"),
                 "{'limit': {'currencyCode': 'USD', 'amountMinor': '9'}}");
    house_refused(house, "bank/bank-b", "GetExposure", REASON_NOT_YOURS, "bank_id", GET);
    house_refused(house, "bank/bank-b", "SetExposureLimit", REASON_NOT_YOURS, "bank_id", LIMIT, 5);
    house_refused(house, OLGA, "SetExposureLimit", REASON_ROLE_NOT_ALLOWED, NULL, LIMIT, 5);
    house_refused(house, BANK, "SetExposureLimit", REASON_FIELD_INVALID, "limit.amount_minor", LIMIT, -1);
    house_refused(house, BANK, "SetExposureLimit", REASON_FIELD_INVALID, "limit", "{'bankId': 'bank-a'}");
    house_refused(house, BANK, "SetExposureLimit", REASON_FIELD_INVALID, "limit.currency_code",
                  "{'bankId': 'bank-a', 'limit': {'currencyCode': 'cny', 'amountMinor': '9'}}");
    house_refused(house, BANK, "GetExposure", REASON_FIELD_INVALID, "currency_code", "{'bankId': 'bank-a'}");
}

/* 100 points are 70 fen. One member, so one bucket: it gets the others' parts as it needs them. */
static void one_bucket_may_use_all_of_it(void **state)
{
    struct house *house = *state;
    const char *ids[10];

    house_member(house, "ann", 10000);
    house_ask(house, BANK, "SetExposureLimit", LIMIT, 700);
    for (size_t i = 0; i < COUNT(ids); i++)
        ids[i] = house_text(house_ask(house, SHOP, "HoldRedemption", HOLD, house_id(), "ann", 100), "redemptionId");
    expect_used(house, 700, 700);
    const char *refused = house_id();
    house_refused(house, SHOP, "HoldRedemption", REASON_EXPOSURE_LIMIT, NULL, HOLD, refused, "ann", 2);
    /* What is cancelled makes room; what is confirmed does not. The refusal stays. */
    house_ask(house, SHOP, "CancelRedemption", ON(ids[0]));
    house_ask(house, SHOP, "ConfirmRedemption", ON(ids[1]));
    expect_used(house, 700, 630);
    house_refused(house, SHOP, "HoldRedemption", REASON_EXPOSURE_LIMIT, NULL, HOLD, refused, "ann", 2);
    house_ask(house, SHOP, "HoldRedemption", HOLD, house_id(), "ann", 100);
    house_refused(house, SHOP, "HoldRedemption", REASON_EXPOSURE_LIMIT, NULL, HOLD, house_id(), "ann", 2);
    house_ask(house, SHOP, "ReverseRedemption", ON(ids[1]));
    expect_used(house, 700, 630);
    house_ask(house, BANK, "SetExposureLimit", LIMIT, 701);
    expect_used(house, 701, 630);
    assert_int_equal(house_count(house, SUM(allotted)), 701);
}

static void lowered_below_what_is_used_it_stops_new_holds(void **state)
{
    struct house *house = *state;
    static const char *const refs[] = { "ann", "bob", "cid", "dot", "eve", "fay" };
    const char *ids[COUNT(refs)];

    house_ask(house, BANK, "SetExposureLimit", LIMIT, 10000);
    for (size_t i = 0; i < COUNT(refs); i++) {
        house_member(house, refs[i], 1000);
        ids[i] = house_text(house_ask(house, SHOP, "HoldRedemption", HOLD, house_id(), refs[i], 100), "redemptionId");
    }
    house_ask(house, BANK, "SetExposureLimit", LIMIT, 140);
    expect_used(house, 140, 420);
    /* Nobody may hold until all together use less again, wherever it was given back. */
    for (size_t i = 0; i < 4; i++) {
        for (size_t k = 0; k < COUNT(refs); k++)
            house_refused(house, SHOP, "HoldRedemption", REASON_EXPOSURE_LIMIT, NULL, HOLD, house_id(), refs[k], 10);
        house_ask(house, SHOP, "CancelRedemption", ON(ids[i]));
    }
    expect_used(house, 140, 140);
    house_ask(house, SHOP, "CancelRedemption", ON(ids[4]));
    house_ask(house, SHOP, "HoldRedemption", HOLD, house_id(), "bob", 100);
    expect_used(house, 140, 140);
    house_ask(house, OLGA, "RecordSettledExposure", SETTLED, house_id(), 70);
    expect_used(house, 140, 70);
    house_ask(house, SHOP, "HoldRedemption", HOLD, house_id(), "ann", 100);
    house_refused(house, SHOP, "HoldRedemption", REASON_EXPOSURE_LIMIT, NULL, HOLD, house_id(), "fay", 10);
    expect_used(house, 140, 140);
}

static void what_was_paid_comes_off_once(void **state)
{
    struct house *house = *state;
    const char *id = house_id();
    static const char *const refs[] = { "ann", "bob", "cid", "dot" };

    house_refused(house, OLGA, "RecordSettledExposure", REASON_BEYOND_EXPOSURE, "amount", SETTLED, house_id(), 1);
    house_ask(house, BANK, "SetExposureLimit", LIMIT, 280);
    for (size_t i = 0; i < COUNT(refs); i++) {
        house_member(house, refs[i], 1000);
        house_ask(
            house, SHOP, "ConfirmRedemption",
            ON(house_text(house_ask(house, SHOP, "HoldRedemption", HOLD, house_id(), refs[i], 100), "redemptionId")));
    }
    expect_used(house, 280, 280);
    house_refused(house, OLGA, "RecordSettledExposure", REASON_BEYOND_EXPOSURE, "amount", SETTLED, id, 281);
    house_expect(house_ask(house, OLGA, "RecordSettledExposure", SETTLED, id, 200), "{'used': " CNY("80") "}");
    house_expect(house_ask(house, OLGA, "RecordSettledExposure", SETTLED, id, 200), "{'used': " CNY("80") "}");
    expect_used(house, 280, 80);
    house_refused(house, OLGA, "RecordSettledExposure", REASON_REQUEST_ID_REUSED, "request_id", SETTLED, id, 20);
    house_refused(house, OLGA, "RecordSettledExposure", REASON_FIELD_INVALID, "amount.amount_minor", SETTLED,
                  house_id(), 0);
    house_refused(house, OLGA, "RecordSettledExposure", REASON_REQUEST_ID_INVALID, "request_id", SETTLED, "", 1);
    house_refused(house, OLGA, "RecordSettledExposure", REASON_BANK_NOT_FOUND, "bank_id",
                  "{'requestId': '%s', 'bankId': 'nobody', 'amount': " CNY("1") "}", house_id());
    house_refused(house, BANK, "RecordSettledExposure", REASON_ROLE_NOT_ALLOWED, NULL, SETTLED, house_id(), 1);
    /* There is room for 200 again, whoever asks. */
    house_ask(house, SHOP, "HoldRedemption", HOLD, house_id(), "dot", 285);
    house_refused(house, SHOP, "HoldRedemption", REASON_EXPOSURE_LIMIT, NULL, HOLD, house_id(), "ann", 2);
}

static void warnings_come_in_pages_the_newest_first(void **state)
{
    struct house *house = *state;

    house_sql(house,
              "INSERT INTO exposure_warning (bank_no, currency, level, used_minor, limit_minor, business_date, at) "
              "SELECT 1, 'CNY', l, l * 10, 1000, '2026-01-15', '2026-01-15T12:00:00Z' "
              "FROM unnest('{80, 90, 100}'::int[]) l");
    json_t *first = house_ask(house, BANK, "ListExposureWarnings", "{'bankId': 'bank-a', 'pageSize': 2}");
    house_expect(first, "{'warnings': [{'level': 100, 'used': " CNY("1000") ", 'limit': " CNY(
                            "1000") ", "
                                    "'businessDate': '2026-01-15', 'time': '2026-01-15T12:00:00Z'}, {'level': 90}]}");
    house_expect(house_ask(house, BANK, "ListExposureWarnings",
                           "{'bankId': 'bank-a', 'pageSize': 2, 'pageToken': '%s'}",
                           house_text(first, "nextPageToken")),
                 "{'warnings': [{'level': 80}], 'nextPageToken': ''}");
    house_expect(house_ask(house, OLGA, "ListExposureWarnings", "{'bankId': 'bank-b'}"), "{'warnings': []}");
    house_refused(house, BANK, "ListExposureWarnings", REASON_NOT_YOURS, "bank_id", "{'bankId': 'bank-b'}");
    house_refused(house, OLGA, "ListExposureWarnings", REASON_PAGE_TOKEN_INVALID, NULL,
                  "{'bankId': 'bank-b', 'pageToken': '%s'}", house_text(first, "nextPageToken"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_limit_is_set_and_shared_out, setup, teardown),
        cmocka_unit_test_setup_teardown(one_bucket_may_use_all_of_it, setup, teardown),
        cmocka_unit_test_setup_teardown(lowered_below_what_is_used_it_stops_new_holds, setup, teardown),
        cmocka_unit_test_setup_teardown(what_was_paid_comes_off_once, setup, teardown),
        cmocka_unit_test_setup_teardown(warnings_come_in_pages_the_newest_first, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
