/* OperatorService: programmes and their clocks, parties, terms, lists. */
#include "house.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define OLGA "operator/olga"

static int setup(void **state)
{
    *state = house_open();
    return 0;
}

static int setup_founded(void **state)
{
    setup(state);
    house_found(*state);
    return 0;
}

static int teardown(void **state)
{
    house_close(*state);
    return 0;
}

/* Refused, and nothing was written. */
#define REFUSED(house, method, reason, field, ...)                                                                     \
    do {                                                                                                               \
        int64_t rows_ = house_rows(house);                                                                             \
        house_refused(house, OLGA, method, reason, field, __VA_ARGS__);                                                \
        assert_int_equal(house_rows(house), rows_);                                                                    \
    } while (0)

static void a_sandbox_begins_where_it_is_told(void **state)
{
    struct house *house = *state;
    static const char create[] = "{'programme': {'programmeId': 'p', 'sandbox': true, 'businessDate': '2017-01-01'}}";

    json_t *made = house_ask(house, OLGA, "CreateProgramme", create);
    house_expect(made,
                 "{'programmeId': 'p', 'timeZone': 'Asia/Shanghai', 'sandbox': true, 'businessDate': '2017-01-01', "
                 "'programmeTime': '2016-12-31T16:00:00Z'}");
    house_expect(house_ask(house, OLGA, "GetProgramme", "{'programmeId': 'p'}"), "{'programmeTime': "
                                                                                 "'2016-12-31T16:00:00Z'}");
    assert_int_equal(house_count(house, "SELECT count(*) FROM fence"), TEST_BUCKETS);
    assert_int_equal(house_count(house, "SELECT count(DISTINCT reference_version) FROM fence"), 1);
    /* Two years of months, from the first day on. */
    assert_int_equal(house_count(house, "SELECT count(*) FROM pg_class WHERE relname BETWEEN 'journal_2017_01' AND "
                                        "'journal_2018_12' AND relkind = 'r'"),
                     24);
    /* The same again changes nothing, wherever its clock stands by now. */
    house_ask(house, OLGA, "AdvanceTestClock", "{'programmeId': 'p', 'programmeTime': '2017-02-01T00:00:00Z'}");
    int64_t before = house_rows(house);
    house_expect(house_ask(house, OLGA, "CreateProgramme", create), "{'programmeTime': '2017-02-01T00:00:00Z'}");
    assert_int_equal(house_rows(house), before);
    REFUSED(house, "CreateProgramme", REASON_ALREADY_REGISTERED, "programme.programme_id",
            "{'programme': {'programmeId': 'p', 'sandbox': false}}");
}

/* A day begins and ends so long after midnight: by the first clock, by the first date, and by the day's end. */
static void a_day_may_end_after_midnight(void **state)
{
    struct house *house = *state;
    static const char create[] = "{'programme': {'programmeId': '%s', 'sandbox': true, 'timeZone': 'Asia/Shanghai', "
                                 "'cutOffMinutes': %d, %s}}";

    for (int i = 0; i < 2; i++)
        house_expect(house_ask(house, OLGA, "CreateProgramme", create, "night", 90, "'businessDate': '2017-02-01'"),
                     "{'cutOffMinutes': 90, 'businessDate': '2017-02-01', 'programmeTime': '2017-01-31T17:30:00Z'}");
    house_expect(house_ask(house, OLGA, "GetProgramme", "{'programmeId': 'night'}"), "{'cutOffMinutes': 90}");
    house_expect(
        house_ask(house, OLGA, "CreateProgramme", create, "before", 90, "'programmeTime': '2017-02-01T17:29:59Z'"),
        "{'businessDate': '2017-02-01'}");
    house_expect(
        house_ask(house, OLGA, "CreateProgramme", create, "after", 90, "'programmeTime': '2017-02-01T17:30:00Z'"),
        "{'businessDate': '2017-02-02'}");
    house_expect(
        house_ask(house, OLGA, "CreateProgramme", create, "midnight", 0, "'programmeTime': '2017-02-01T16:00:00Z'"),
        "{'businessDate': '2017-02-02', 'cutOffMinutes': 0}");
    REFUSED(house, "CreateProgramme", REASON_ALREADY_REGISTERED, "programme.programme_id", create, "night", 91,
            "'businessDate': '2017-02-01'");
    REFUSED(house, "CreateProgramme", REASON_FIELD_INVALID, "programme.cut_off_minutes", create, "x", 721,
            "'businessDate': '2017-02-01'");
    REFUSED(house, "CreateProgramme", REASON_FIELD_INVALID, "programme.cut_off_minutes", create, "x", -1,
            "'businessDate': '2017-02-01'");
    house_expect(house_ask(house, OLGA, "GetCalendar", "{'programmeId': 'night'}"),
                 "{'timeZone': 'Asia/Shanghai', 'cutOffMinutes': 90}");
}

static void a_live_programme_goes_by_the_databases_clock(void **state)
{
    struct house *house = *state;

    json_t *made = house_ask(house, OLGA, "CreateProgramme",
                             "{'programme': {'programmeId': 'live', 'timeZone': "
                             "'Europe/Berlin'}}");
    house_expect(made, "{'sandbox': false}");
    assert_int_equal(house_count(house,
                                 "SELECT count(*) FROM fence WHERE test_clock = 'epoch' AND business_date = (now() "
                                 "AT TIME ZONE 'Europe/Berlin')::date"),
                     TEST_BUCKETS);
    REFUSED(house, "AdvanceTestClock", REASON_NOT_A_SANDBOX, "programme_id",
            "{'programmeId': 'live', 'programmeTime': '2100-01-01T00:00:00Z'}");
    REFUSED(house, "CreateProgramme", REASON_FIELD_INVALID, "programme.programme_time",
            "{'programme': {'programmeId': 'q', 'programmeTime': '2100-01-01T00:00:00Z'}}");
    REFUSED(house, "CreateProgramme", REASON_FIELD_INVALID, "programme.time_zone",
            "{'programme': {'programmeId': 'q', 'timeZone': 'Europe/Atlantis'}}");
    REFUSED(house, "CreateProgramme", REASON_FIELD_INVALID, "programme.business_date",
            "{'programme': {'programmeId': 'q', 'businessDate': '2017-02-30'}}");
    REFUSED(house, "CreateProgramme", REASON_FIELD_INVALID, "programme", "{}");
    REFUSED(house, "GetProgramme", REASON_PROGRAMME_NOT_FOUND, "programme_id", "{'programmeId': 'q'}");
}

static void a_test_clock_only_moves_forward(void **state)
{
    struct house *house = *state;
    static const char advance[] = "{'programmeId': 'demo', 'programmeTime': '%s'}";

    house_expect(house_ask(house, OLGA, "AdvanceTestClock", advance, "2026-01-16T00:00:00.25Z"),
                 "{'programmeTime': '2026-01-16T00:00:00.250Z', 'businessDate': '2026-01-15'}");
    house_expect(house_ask(house, OLGA, "AdvanceTestClock", advance, "2026-01-16T00:00:00.25Z"),
                 "{'programmeTime': '2026-01-16T00:00:00.250Z'}");
    REFUSED(house, "AdvanceTestClock", REASON_CLOCK_BACKWARD, "programme_time", advance, "2026-01-16T00:00:00.249Z");
    REFUSED(house, "AdvanceTestClock", REASON_FIELD_INVALID, "programme_time", "{'programmeId': 'demo'}");
    assert_int_equal(house_count(house, "SELECT count(DISTINCT test_clock) FROM fence WHERE programme_no = 1"), 1);
}

/* What is registered, the same again, and other content under the same id. */
static const struct {
    const char *method, *same, *other, *field;
} registrations[] = {
    { "RegisterBank", "{'bank': {'bankId': 'bank-a', 'programmeId': 'demo', 'name': 'Bank A'}}",
      "{'bank': {'bankId': 'bank-a', 'programmeId': 'other', 'name': 'Bank A'}}", "bank.bank_id" },
    { "RegisterMerchant",
      "{'merchant': {'merchantId': 'shop-2', 'programmeId': 'demo', 'name': 'Shop 2', 'terms': {'commissionBp': 250, "
      "'settlementCurrency': 'CNY', 'merchantId': 'shop-2'}}}",
      "{'merchant': {'merchantId': 'shop-2', 'programmeId': 'demo', 'name': 'Shop 2', 'terms': {'commissionBp': 251, "
      "'settlementCurrency': 'CNY'}}}",
      "merchant.merchant_id" },
    { "RegisterCarrier",
      "{'carrier': {'carrierId': 'swift', 'programmeId': 'demo', 'name': 'Swift', 'adapter': 'generic-json', "
      "'baseUrl': "
      "'http://127.0.0.1:9'}}",
      "{'carrier': {'carrierId': 'swift', 'programmeId': 'demo', 'name': 'Swift', 'adapter': 'generic-json', "
      "'baseUrl': "
      "'http://127.0.0.1:8'}}",
      "carrier.carrier_id" },
    { "RegisterGood",
      "{'good': {'goodsId': 'kettle', 'merchantId': 'shop-1', 'name': 'Kettle', 'kind': 1, 'price': {'currencyCode': "
      "'CNY', 'amountMinor': 500}, 'carrierId': 'swift'}}",
      "{'good': {'goodsId': 'kettle', 'merchantId': 'shop-1', 'name': 'Kettle', 'kind': 1, 'price': {'currencyCode': "
      "'CNY', 'amountMinor': 501}, 'carrierId': 'swift'}}",
      "good.goods_id" },
};

static void registering_twice_is_once(void **state)
{
    struct house *house = *state;

    for (size_t i = 0; i < COUNT(registrations); i++) {
        int64_t before = house_rows(house);
        house_ask(house, OLGA, registrations[i].method, "%s", registrations[i].same);
        assert_int_equal(house_rows(house), before);
        REFUSED(house, registrations[i].method, REASON_ALREADY_REGISTERED, registrations[i].field, "%s",
                registrations[i].other);
    }
}

static void a_webhooks_secret_is_sealed_and_never_shown(void **state)
{
    struct house *house = *state;
    static const char request[] = "{'merchant': {'merchantId': 'hooked', 'programmeId': 'demo', 'name': 'Hooked', "
                                  "'terms': {'settlementCurrency': "
                                  "'CNY'}, 'webhook': {'url': 'http://127.0.0.1:8/hook', 'secret': 'whsec_%s'}}}";
    const char *secret = "MDEyMzQ1Njc4OWFiY2RlZmdoaWprbG1u", *another = "MDEyMzQ1Njc4OWFiY2RlZmdoaWprbG1v";

    house_expect(
        house_ask(house, OLGA, "RegisterMerchant", request, secret),
        "{'webhook': {'url': 'http://127.0.0.1:8/hook', 'secret': ''}, 'terms': {'version': 1, 'effectiveFrom': "
        "'2026-01-15T12:00:00Z'}}");
    assert_int_equal(house_count(house,
                                 "SELECT count(*) FROM merchant WHERE webhook_enabled AND position('whsec'::bytea "
                                 "IN webhook_secret) = 0 AND octet_length(webhook_secret) > 38"),
                     1);
    house_ask(house, OLGA, "RegisterMerchant", request, secret);
    REFUSED(house, "RegisterMerchant", REASON_ALREADY_REGISTERED, "merchant.merchant_id", request, another);
    REFUSED(house, "RegisterMerchant", REASON_FIELD_INVALID, "merchant.webhook.secret", request, "c2hvcnQ=");
    json_t *list = house_ask(house, OLGA, "ListMerchants", "{'programmeId': 'demo', 'pageSize': 1}");
    house_expect(list, "{'merchants': [{'merchantId': 'hooked', 'webhook': {'secret': ''}}]}");
}

static void terms_follow_one_another(void **state)
{
    struct house *house = *state;
    static const char publish[] = "{'requestId': '%s', 'terms': {'merchantId': 'shop-1', 'commissionBp': %d, "
                                  "'settlementCurrency': 'CNY', 'effectiveFrom': '%s'}}";
    const char *id = house_id(), *next_day = "2026-01-16T00:00:00Z";

    house_expect(house_ask(house, OLGA, "PublishTerms", publish, id, 200, next_day),
                 "{'version': 2, 'effectiveFrom': '2026-01-16T00:00:00Z'}");
    int64_t before = house_rows(house);
    house_expect(house_ask(house, OLGA, "PublishTerms", publish, id, 200, next_day), "{'version': 2}");
    assert_int_equal(house_rows(house), before);
    REFUSED(house, "PublishTerms", REASON_REQUEST_ID_REUSED, "request_id", publish, id, 201, next_day);
    REFUSED(house, "PublishTerms", REASON_EFFECTIVE_TOO_EARLY, "terms.effective_from", publish, house_id(), 300,
            next_day);
    REFUSED(house, "PublishTerms", REASON_EFFECTIVE_TOO_EARLY, "terms.effective_from", publish, house_id(), 300,
            "2026-01-15T11:59:59Z");
    REFUSED(house, "PublishTerms", REASON_FIELD_INVALID, "terms.commission_bp", publish, house_id(), 10001, next_day);
    REFUSED(house, "PublishTerms", REASON_MERCHANT_NOT_FOUND, "terms.merchant_id",
            "{'requestId': '%s', 'terms': {'merchantId': 'nobody', 'settlementCurrency': 'CNY'}}", house_id());
    /* In force only when its time has come. */
    house_expect(house_ask(house, OLGA, "ListMerchants", "{'programmeId': 'demo', 'pageSize': 1}"),
                 "{'merchants': [{'merchantId': 'shop-1', 'terms': {'version': 1, 'commissionBp': 100}, 'stores': "
                 "[{'storeId': 's-1', 'name': 'One'}, {'storeId': 's-2'}]}]}");
    house_ask(house, OLGA, "AdvanceTestClock", "{'programmeId': 'demo', 'programmeTime': '%s'}", next_day);
    house_expect(house_ask(house, OLGA, "ListMerchants", "{'programmeId': 'demo', 'pageSize': 1}"),
                 "{'merchants': [{'terms': {'version': 2, 'commissionBp': 200}}]}");
}

#define NEW_SHOP(id, programme)                                                                                        \
    "{'merchant': {'merchantId': '" id "', 'programmeId': '" programme                                                 \
    "', 'name': 'New', 'stores': [{'storeId': 'a', "                                                                   \
    "'name': 'A'}], 'terms': {'settlementCurrency': 'CNY'}}}"
#define OLD_SHOP                                                                                                       \
    "{'merchant': {'merchantId': 'shop-2', 'programmeId': 'demo', 'name': 'Shop 2', 'terms': {'commissionBp': 250, "   \
    "'settlementCurrency': 'CNY'}}}"

static void an_import_is_all_or_nothing(void **state)
{
    struct house *house = *state;
    int64_t before = house_rows(house);

    house_send_refused(house, OLGA, "ImportMerchants", REASON_FIELD_INVALID, "[1].merchant.merchant_id",
                       "[" NEW_SHOP("new-1", "demo") ", " NEW_SHOP("New 2", "demo") "]");
    house_send_refused(house, OLGA, "ImportMerchants", REASON_PROGRAMME_NOT_FOUND, "[1].merchant.programme_id",
                       "[" NEW_SHOP("new-1", "demo") ", " NEW_SHOP("new-2", "nowhere") "]");
    house_send_refused(house, OLGA, "ImportMerchants", REASON_ALREADY_REGISTERED, "[1].merchant.merchant_id",
                       "[" NEW_SHOP("new-1", "demo") ", " NEW_SHOP("shop-2", "demo") "]");
    assert_int_equal(house_rows(house), before);
    house_expect(house_send(house, OLGA, "ImportMerchants", "[" NEW_SHOP("new-1", "demo") ", " OLD_SHOP "]"),
                 "{'created': '1', 'unchanged': '1'}");
    house_expect(house_send(house, OLGA, "ImportMerchants", "[" NEW_SHOP("new-1", "demo") ", " OLD_SHOP "]"),
                 "{'created': '0', 'unchanged': '2'}");
    house_expect(house_send(house, OLGA, "ImportMerchants", "[]"), "{'created': '0', 'unchanged': '0'}");
}

static void a_store_is_named_once(void **state)
{
    struct house *house = *state;

    REFUSED(house, "RegisterMerchant", REASON_FIELD_INVALID, "merchant.stores",
            "{'merchant': {'merchantId': 'm', 'programmeId': 'demo', 'name': 'M', 'stores': [{'storeId': 'b', 'name': "
            "'B'}, {'storeId': 'a', 'name': 'A'}, {'storeId': 'b', 'name': 'B'}], 'terms': {'settlementCurrency': "
            "'CNY'}}}");
}

static void pages_go_on_where_they_ended(void **state)
{
    struct house *house = *state;

    json_t *first = house_ask(house, OLGA, "ListMerchants", "{'programmeId': 'demo', 'pageSize': 1}");
    house_expect(first, "{'merchants': [{'merchantId': 'shop-1'}]}");
    const char *token = house_text(first, "nextPageToken");
    house_expect(
        house_ask(house, OLGA, "ListMerchants", "{'programmeId': 'demo', 'pageSize': 5, 'pageToken': '%s'}", token),
        "{'merchants': [{'merchantId': 'shop-2', 'stores': []}], 'nextPageToken': ''}");
    REFUSED(house, "ListMerchants", REASON_PAGE_TOKEN_INVALID, "page_token",
            "{'programmeId': 'other', 'pageToken': '%s'}", token);
    REFUSED(house, "ListShipments", REASON_PAGE_TOKEN_INVALID, "page_token",
            "{'programmeId': 'demo', 'pageToken': '%s'}", token);
    REFUSED(house, "ListMerchants", REASON_PAGE_TOKEN_INVALID, "page_token",
            "{'programmeId': 'demo', 'pageToken': 'nonsense'}");
    REFUSED(house, "ListMerchants", REASON_FIELD_INVALID, "page_size", "{'programmeId': 'demo', 'pageSize': 1001}");
    REFUSED(house, "ListMerchants", REASON_PROGRAMME_NOT_FOUND, "programme_id", "{'programmeId': 'nowhere'}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_sandbox_begins_where_it_is_told, setup, teardown),
        cmocka_unit_test_setup_teardown(a_day_may_end_after_midnight, setup, teardown),
        cmocka_unit_test_setup_teardown(a_live_programme_goes_by_the_databases_clock, setup, teardown),
        cmocka_unit_test_setup_teardown(a_test_clock_only_moves_forward, setup_founded, teardown),
        cmocka_unit_test_setup_teardown(registering_twice_is_once, setup_founded, teardown),
        cmocka_unit_test_setup_teardown(a_webhooks_secret_is_sealed_and_never_shown, setup_founded, teardown),
        cmocka_unit_test_setup_teardown(terms_follow_one_another, setup_founded, teardown),
        cmocka_unit_test_setup_teardown(an_import_is_all_or_nothing, setup_founded, teardown),
        cmocka_unit_test_setup_teardown(a_store_is_named_once, setup_founded, teardown),
        cmocka_unit_test_setup_teardown(pages_go_on_where_they_ended, setup_founded, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
