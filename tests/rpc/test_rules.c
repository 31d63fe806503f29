/* What a bank's rules and a merchant's terms may say, that Get returns what was published, and who pays for points. */
#include "house.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define BANK "bank/bank-a"
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

#define RATES                                                                                                          \
    "'rates': [{'currencyCode': 'USD', 'conversionRate': {'num': '3', 'den': '1'}, 'settlementRate': {'num': '1', "    \
    "'den': '2'}}, {'currencyCode': 'CNY', 'conversionRate': {'num': '2', 'den': '1'}, 'settlementRate': {'num': "     \
    "'1', "                                                                                                            \
    "'den': '3'}}]"
#define ALL_FIELDS                                                                                                     \
    "'minimumPoints': '5', 'expiryMonths': 24, 'reinstateGraceDays': 3, 'accrualRate': {'num': '1', 'den': '7'}, "     \
    "'expiryKind': 'EXPIRY_KIND_FIXED_DAY', 'expiryDay': '02-29', 'pendingDays': 14, 'caps': [{'tier': 0, "            \
    "'perRedemption': '100', 'perDay': '200', 'perMonth': '0'}, {'tier': 100, 'perRedemption': '0', 'perDay': '0', "   \
    "'perMonth': '1000000000000'}], 'memberVelocity': {'window': '60s', 'maxHolds': 32, 'maxPoints': '0'}, "           \
    "'cardVelocity': {'window': '86400s', 'maxHolds': 0, 'maxPoints': '500'}"

static void what_was_published_is_returned(void **state)
{
    struct house *house = *state;
    const char *id = house_id();
    const char *request =
        "{'requestId': '%s', 'rules': {'bankId': 'bank-a', 'effectiveFrom': '2026-02-01T00:00:00Z', " RATES
        ", " ALL_FIELDS "}}";

    json_t *published = house_ask(house, BANK, "PublishExchangeRules", request, id);
    house_expect(published,
                 "{'version': 2, 'effectiveFrom': '2026-02-01T00:00:00Z', 'rates': [{'currencyCode': 'CNY'}, "
                 "{'currencyCode': 'USD'}], " ALL_FIELDS "}");
    json_t *got = house_ask(house, OLGA, "GetExchangeRules", "{'bankId': 'bank-a', 'version': 2}");
    assert_true(json_equal(published, got));
    assert_true(json_equal(published, house_ask(house, BANK, "PublishExchangeRules", request, id)));
    /* Another server reads it from the database. */
    assert_int_equal(house_count(house, "SELECT count(*) FROM exchange_cap"), 2);
}

static void what_is_left_out_has_its_default(void **state)
{
    struct house *house = *state;
    json_t *published =
        house_ask(house, BANK, "PublishExchangeRules",
                  "{'requestId': '%s', 'rules': {'bankId': 'bank-a', 'effectiveFrom': '2026-02-01T00:00:00Z', " RATES
                  ", 'expiryMonths': 1, 'accrualRate': {'num': 1, 'den': 1}}}",
                  house_id());

    house_expect(published, "{'minimumPoints': '1', 'expiryKind': 'EXPIRY_KIND_END_OF_MONTH', 'expiryDay': '', "
                            "'pendingDays': 0, 'caps': []}");
    assert_null(json_object_get(published, "memberVelocity"));
    assert_true(
        json_equal(published, house_ask(house, BANK, "GetExchangeRules", "{'bankId': 'bank-a', 'version': 2}")));
}

static const struct {
    const char *story, *fields, *wrong;
} wrong_rules[] = {
    { "a kind there is not", "'expiryKind': 4", "rules.expiry_kind" },
    { "a fixed day without a day", "'expiryKind': 3", "rules.expiry_day" },
    { "a day of no year", "'expiryKind': 3, 'expiryDay': '02-30'", "rules.expiry_day" },
    { "a day that is written otherwise", "'expiryKind': 3, 'expiryDay': '1-1'", "rules.expiry_day" },
    { "a day for the end of the month", "'expiryKind': 1, 'expiryDay': '01-01'", "rules.expiry_day" },
    { "pending below zero", "'pendingDays': -1", "rules.pending_days" },
    { "pending for too long", "'pendingDays': 367", "rules.pending_days" },
    { "a tier too high", "'caps': [{'tier': 101, 'perDay': 1}]", "rules.caps[0].tier" },
    { "a tier twice", "'caps': [{'tier': 1, 'perDay': 1}, {'tier': 1, 'perDay': 2}]", "rules.caps[1].tier" },
    { "a cap below zero", "'caps': [{'tier': 1, 'perDay': -1}]", "rules.caps[0].per_day" },
    { "a cap too large", "'caps': [{'tier': 1}, {'tier': 2, 'perRedemption': '1000000000001'}]",
      "rules.caps[1].per_redemption" },
    { "a cap a month below zero", "'caps': [{'tier': 1, 'perMonth': '-9223372036854775808'}]",
      "rules.caps[0].per_month" },
    { "no window", "'memberVelocity': {'maxHolds': 1}", "rules.member_velocity.window" },
    { "a window too short", "'memberVelocity': {'window': '0.999999s', 'maxHolds': 1}",
      "rules.member_velocity.window" },
    { "a window too long", "'cardVelocity': {'window': '86400.000001s', 'maxHolds': 1}", "rules.card_velocity.window" },
    { "more holds than are remembered", "'cardVelocity': {'window': '60s', 'maxHolds': 33}",
      "rules.card_velocity.max_holds" },
    { "points below zero", "'memberVelocity': {'window': '60s', 'maxPoints': -1}", "rules.member_velocity.max_points" },
    { "a window without a bound", "'memberVelocity': {'window': '60s'}", "rules.member_velocity.max_holds" },
};

static void wrong_rules_name_their_field(void **state)
{
    struct house *house = *state;
    int64_t before = house_rows(house);

    for (size_t i = 0; i < COUNT(wrong_rules); i++) {
        print_message("           %s\n", wrong_rules[i].story);
        house_refused(house, BANK, "PublishExchangeRules", REASON_FIELD_INVALID, wrong_rules[i].wrong,
                      "{'requestId': '%s', 'rules': {'bankId': 'bank-a', " RATES
                      ", 'expiryMonths': 1, 'accrualRate': {'num': 1, 'den': 1}, %s}}",
                      house_id(), wrong_rules[i].fields);
    }
    assert_int_equal(house_rows(house), before);
}

#define VELOCITIES                                                                                                     \
    "'terminalVelocity': {'window': '1s', 'maxHolds': 1000000, 'maxPoints': '0'}, 'merchantVelocity': {'window': "     \
    "'3600s', 'maxHolds': 0, 'maxPoints': '1000000000000'}"

static void terms_bound_their_places(void **state)
{
    struct house *house = *state;
    const char *publish = "{'requestId': '%s', 'terms': {'merchantId': 'shop-1', 'commissionBp': 50, "
                          "'settlementCurrency': 'CNY', 'effectiveFrom': '2026-01-16T00:00:00Z', %s}}";

    house_expect(house_ask(house, OLGA, "PublishTerms", publish, house_id(), VELOCITIES),
                 "{'version': 2, " VELOCITIES "}");
    house_ask(house, OLGA, "AdvanceTestClock", "{'programmeId': 'demo', 'programmeTime': '2026-01-16T00:00:00Z'}");
    house_expect(house_ask(house, OLGA, "ListMerchants", "{'programmeId': 'demo'}"),
                 "{'merchants': [{'merchantId': 'shop-1', 'terms': {'version': 2, " VELOCITIES
                 "}}, {'merchantId': 'shop-2', 'terms': {'version': 1}}]}");
    house_ask(
        house, OLGA, "RegisterMerchant",
        "{'merchant': {'merchantId': 'shop-3', 'programmeId': 'demo', 'name': 'Shop 3', 'terms': {'commissionBp': "
        "1, 'settlementCurrency': 'CNY', " VELOCITIES "}}}");
    assert_int_equal(house_count(house, "SELECT count(*) FROM terms WHERE (terminal_window_us, terminal_max_holds, "
                                        "merchant_window_us, merchant_max_points) = (1000000, 1000000, 3600000000, "
                                        "1000000000000)"),
                     2);
    house_refused(house, OLGA, "PublishTerms", REASON_FIELD_INVALID, "terms.terminal_velocity.max_holds", publish,
                  house_id(), "'terminalVelocity': {'window': '1s', 'maxHolds': 1000001}");
    house_refused(house, OLGA, "PublishTerms", REASON_FIELD_INVALID, "terms.merchant_velocity.window", publish,
                  house_id(), "'merchantVelocity': {'maxHolds': 1}");
    house_refused(house, OLGA, "RegisterMerchant", REASON_FIELD_INVALID, "merchant.terms.merchant_velocity.max_holds",
                  "{'merchant': {'merchantId': 'shop-4', 'programmeId': 'demo', 'name': 'Shop 4', 'terms': "
                  "{'commissionBp': 1, 'settlementCurrency': 'CNY', 'merchantVelocity': {'window': '5s'}}}}");
}

/* Funding */

#define FUNDING(id, shares)                                                                                            \
    "{'funding': {'bankId': 'bank-a', 'fundingId': '" id "', 'shares': [" shares                                       \
    "], 'costRate': {'num': '7', 'den': '10'}, 'currencyCode': 'CNY'}}"
#define BANK_SHARE     "{'funder': 'FUNDER_BANK', 'shareBp': 2500}"
#define SHOP_SHARE     "{'funder': 'FUNDER_MERCHANT', 'merchantId': 'shop-1', 'shareBp': 7000}"
#define OPERATOR_SHARE "{'funder': 'FUNDER_OPERATOR', 'shareBp': 500}"

static void a_funding_is_registered_once(void **state)
{
    struct house *house = *state;

    json_t *made =
        house_ask(house, BANK, "RegisterFunding", FUNDING("spring", BANK_SHARE ", " SHOP_SHARE ", " OPERATOR_SHARE));
    house_expect(made, "{'bankId': 'bank-a', 'fundingId': 'spring', 'costRate': {'num': '7', 'den': '10'}, "
                       "'currencyCode': 'CNY', 'shares': [" BANK_SHARE ", " OPERATOR_SHARE ", " SHOP_SHARE "]}");
    /* In another order it is the same. */
    int64_t before = house_rows(house);
    assert_true(json_equal(made, house_ask(house, BANK, "RegisterFunding",
                                           FUNDING("spring", OPERATOR_SHARE ", " SHOP_SHARE ", " BANK_SHARE))));
    house_refused(house, BANK, "RegisterFunding", REASON_ALREADY_REGISTERED, "funding.funding_id",
                  FUNDING("spring", "{'funder': 'FUNDER_BANK', 'shareBp': 10000}"));
    assert_int_equal(house_rows(house), before);
    assert_int_equal(house_count(house, "SELECT sum(share_bp) FROM funding_share"), 10000);
    /* The name is the bank's own. */
    house_ask(house, "bank/bank-b", "RegisterFunding",
              "{'funding': {'bankId': 'bank-b', 'fundingId': 'spring', 'shares': [{'funder': 1, 'shareBp': 10000}], "
              "'costRate': {'num': 1, 'den': 1}, 'currencyCode': 'CNY'}}");
    assert_int_equal(house_count(house, "SELECT count(*) FROM funding"), 2);
}

static const struct {
    const char *story, *request, *field;
    enum reason reason;
} wrong_fundings[] = {
    { "none", "{}", "funding", REASON_FIELD_INVALID },
    { "another's", "{'funding': {'bankId': 'bank-b'}}", "funding.bank_id", REASON_NOT_YOURS },
    { "a name with capitals", FUNDING("Spring", BANK_SHARE), "funding.funding_id", REASON_FIELD_INVALID },
    { "no shares", FUNDING("s", ""), "funding.shares", REASON_FIELD_INVALID },
    { "not the whole", FUNDING("s", BANK_SHARE ", " SHOP_SHARE), "funding.shares", REASON_FIELD_INVALID },
    { "a share of nothing", FUNDING("s", "{'funder': 1, 'shareBp': 0}"), "funding.shares[0].share_bp",
      REASON_FIELD_INVALID },
    { "nobody's", FUNDING("s", "{'shareBp': 10000}"), "funding.shares[0].funder", REASON_FIELD_INVALID },
    { "a party there is not", FUNDING("s", "{'funder': 4, 'shareBp': 10000}"), "funding.shares[0].funder",
      REASON_FIELD_INVALID },
    { "twice the same", FUNDING("s", "{'funder': 1, 'shareBp': 5000}, {'funder': 1, 'shareBp': 5000}"),
      "funding.shares[1].funder", REASON_FIELD_INVALID },
    { "a bank with a merchant's name", FUNDING("s", "{'funder': 1, 'merchantId': 'shop-1', 'shareBp': 10000}"),
      "funding.shares[0].merchant_id", REASON_FIELD_INVALID },
    { "a merchant without a name", FUNDING("s", "{'funder': 3, 'shareBp': 10000}"), "funding.shares[0].merchant_id",
      REASON_FIELD_INVALID },
    { "a merchant of another programme",
      FUNDING("s", "{'funder': 1, 'shareBp': 1}, {'funder': 3, 'merchantId': 'shop-x', 'shareBp': 9999}"),
      "funding.shares[1].merchant_id", REASON_MERCHANT_NOT_FOUND },
    { "no cost",
      "{'funding': {'bankId': 'bank-a', 'fundingId': 's', 'shares': [{'funder': 1, 'shareBp': 10000}], "
      "'currencyCode': 'CNY'}}",
      "funding.cost_rate", REASON_FIELD_INVALID },
};

static void wrong_fundings_name_their_field(void **state)
{
    struct house *house = *state;
    int64_t before = house_rows(house);

    for (size_t i = 0; i < COUNT(wrong_fundings); i++) {
        print_message("           %s\n", wrong_fundings[i].story);
        house_refused(house, BANK, "RegisterFunding", wrong_fundings[i].reason, wrong_fundings[i].field, "%s",
                      wrong_fundings[i].request);
    }
    house_refused(house, OLGA, "RegisterFunding", REASON_ROLE_NOT_ALLOWED, NULL, "{}");
    assert_int_equal(house_rows(house), before);
}

/* Accruals with a funder, and pending ones */

#define ROW(ref, more)                                                                                                 \
    "{'transactionRef': '" ref "', 'memberRef': 'ann', 'amount': {'currencyCode': 'CNY', 'amountMinor': '1000'}, "     \
    "'transactionTime': '2026-01-15T08:00:00Z'" more "}"

static const struct {
    const char *story, *row, *verdict;
} rows[] = {
    { "the shop pays", ROW("t:1", ", 'fundingId': 'spring'"), "{'outcome': 'ROW_OUTCOME_CREATED', 'points': '100'}" },
    { "the same, and who pays left out", ROW("t:1", ""), "{'reason': 'TRANSACTION_REUSED'}" },
    { "who pays is not known", ROW("t:2", ", 'fundingId': 'summer'"),
      "{'outcome': 'ROW_OUTCOME_REFUSED', 'reason': 'FUNDING_NOT_FOUND', 'detail': 'funding_id: the bank has no such "
      "funding'}" },
    { "a funding that cannot be", ROW("t:2", ", 'fundingId': 'S'"), "{'reason': 'FIELD_INVALID'}" },
    { "until a day", ROW("t:3", ", 'pendingUntil': '2026-02-20'"), "{'outcome': 'ROW_OUTCOME_CREATED'}" },
    { "until a day that is past", ROW("t:4", ", 'pendingUntil': '2026-01-15'"), "{'outcome': 'ROW_OUTCOME_CREATED'}" },
    { "until the bank says so", ROW("t:5", ", 'pendingEvent': true, 'fundingId': 'spring'"),
      "{'outcome': 'ROW_OUTCOME_CREATED'}" },
    { "both", ROW("t:6", ", 'pendingEvent': true, 'pendingUntil': '2026-02-20'"),
      "{'reason': 'FIELD_INVALID', 'detail': 'pending_until: must be empty when pending_event is set'}" },
    { "no day", ROW("t:6", ", 'pendingUntil': '2026-02-30'"), "{'reason': 'FIELD_INVALID'}" },
    { "a day too far", ROW("t:6", ", 'pendingUntil': '3000-01-01'"), "{'reason': 'FIELD_INVALID'}" },
};

static void accruals_say_who_pays_and_when(void **state)
{
    struct house *house = *state;

    house_member(house, "ann", 0);
    house_ask(house, BANK, "RegisterFunding", FUNDING("spring", BANK_SHARE ", " SHOP_SHARE ", " OPERATOR_SHARE));
    for (size_t i = 0; i < COUNT(rows); i++) {
        print_message("           %s\n", rows[i].story);
        house_expect(house_push(house, BANK, "PushAccruals", "{'bankId': 'bank-a', 'rows': [%s]}", rows[i].row),
                     "{'verdicts': [%s]}", rows[i].verdict);
    }
    house_expect(house_ask(house, BANK, "GetBalance", "{'bankId': 'bank-a', 'memberRef': 'ann'}"),
                 "{'availablePoints': '200', 'pendingPoints': '200', 'lots': [{'points': '100', 'fundingId': ''}, "
                 "{'points': '100', 'fundingId': 'spring'}], 'pendingLots': [{'points': '100', 'maturesOn': "
                 "'2026-02-20', 'fundingId': ''}, {'points': '100', 'maturesOn': '', 'fundingId': 'spring'}]}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_was_published_is_returned, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_left_out_has_its_default, setup, teardown),
        cmocka_unit_test_setup_teardown(wrong_rules_name_their_field, setup, teardown),
        cmocka_unit_test_setup_teardown(terms_bound_their_places, setup, teardown),
        cmocka_unit_test_setup_teardown(a_funding_is_registered_once, setup, teardown),
        cmocka_unit_test_setup_teardown(wrong_fundings_name_their_field, setup, teardown),
        cmocka_unit_test_setup_teardown(accruals_say_who_pays_and_when, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
