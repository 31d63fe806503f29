/* Operations on one member: freeze, limits, tiers, accruals taken back or matured, points reinstated. */
#include "house.h"

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

#define MEMBER      "{'requestId': '%s', 'bankId': 'bank-a', 'memberRef': 'ann'}"
#define MEMBER_WITH "{'requestId': '%s', 'bankId': 'bank-a', 'memberRef': 'ann', %s}"
#define HOLD        "{'requestId': '%s', 'bankId': 'bank-a', 'memberRef': 'ann', 'merchantId': 'shop-1', 'points': %d}"

static void a_frozen_member_earns_and_does_not_redeem(void **state)
{
    struct house *house = *state;

    house_member(house, "ann", 100);
    json_t *held = house_ask(house, SHOP, "HoldRedemption", HOLD, house_id(), 30);
    const char *id = house_id();
    json_t *frozen = house_ask(house, BANK, "FreezeMember", MEMBER, id);
    house_expect(frozen, "{'memberRef': 'ann', 'points': '0', 'spendablePoints': '70', 'status': "
                         "'MEMBER_STATUS_FROZEN', 'businessDate': '2026-01-15', 'time': '2026-01-15T12:00:00Z'}");
    house_refused(house, SHOP, "HoldRedemption", REASON_MEMBER_FROZEN, NULL, HOLD, house_id(), 30);
    house_ask(house, SHOP, "CancelRedemption", "{'requestId': '%s', 'redemptionId': '%s'}", house_id(),
              house_text(held, "redemptionId"));
    house_expect(house_push(house, BANK, "PushAccruals",
                            "{'bankId': 'bank-a', 'rows': [{'transactionRef': 't', 'memberRef': 'ann', 'amount': "
                            "{'currencyCode': 'CNY', 'amountMinor': '100'}, 'transactionTime': "
                            "'2026-01-14T08:00:00Z'}]}"),
                 "{'verdicts': [{'outcome': 'ROW_OUTCOME_CREATED', 'points': '10'}]}");
    house_expect(house_ask(house, BANK, "UnfreezeMember", MEMBER, house_id()),
                 "{'spendablePoints': '110', 'status': 'MEMBER_STATUS_ACTIVE'}");
    house_ask(house, SHOP, "HoldRedemption", HOLD, house_id(), 110);
    /* The first answer again, whatever happened since; another method with its id is refused. */
    assert_true(json_equal(frozen, house_ask(house, BANK, "FreezeMember", MEMBER, id)));
    house_refused(house, BANK, "UnfreezeMember", REASON_REQUEST_ID_REUSED, NULL, MEMBER, id);
    house_expect(house_ask(house, BANK, "GetBalance", "{'bankId': 'bank-a', 'memberRef': 'ann'}"),
                 "{'status': 'MEMBER_STATUS_ACTIVE'}");
}

static void a_closed_member_stays_closed(void **state)
{
    struct house *house = *state;

    house_member(house, "ann", 100);
    const char *refused = house_id();
    json_t *held = house_ask(house, SHOP, "HoldRedemption", HOLD, house_id(), 30);
    house_refused(house, BANK, "CloseMember", REASON_HOLDS_OPEN, NULL, MEMBER, refused);
    house_ask(house, SHOP, "CancelRedemption", "{'requestId': '%s', 'redemptionId': '%s'}", house_id(),
              house_text(held, "redemptionId"));
    /* A refusal is for ever: a late repeat does not succeed by surprise. */
    house_refused(house, BANK, "CloseMember", REASON_HOLDS_OPEN, NULL, MEMBER, refused);
    const char *id = house_id();
    json_t *closed = house_ask(house, BANK, "CloseMember", MEMBER, id);
    house_expect(closed, "{'points': '100', 'spendablePoints': '0', 'status': 'MEMBER_STATUS_CLOSED'}");
    assert_true(json_equal(closed, house_ask(house, BANK, "CloseMember", MEMBER, id)));
    static const char *const methods[] = { "FreezeMember", "UnfreezeMember" };
    for (size_t i = 0; i < COUNT(methods); i++)
        house_refused(house, BANK, methods[i], REASON_MEMBER_CLOSED, NULL, MEMBER, house_id());
    house_refused(house, SHOP, "HoldRedemption", REASON_MEMBER_CLOSED, NULL, HOLD, house_id(), 1);
}

static void limits_and_tiers_are_set(void **state)
{
    struct house *house = *state;

    house_member(house, "ann", 100);
    house_expect(house_ask(house, BANK, "SetCreditLimit", MEMBER_WITH, house_id(), "'creditLimit': '50'"),
                 "{'points': '0', 'spendablePoints': '150', 'status': 'MEMBER_STATUS_ACTIVE'}");
    house_ask(house, SHOP, "HoldRedemption", HOLD, house_id(), 120);
    house_expect(house_ask(house, BANK, "SetCreditLimit", MEMBER_WITH, house_id(), "'creditLimit': '10'"),
                 "{'spendablePoints': '0'}");
    house_expect(house_ask(house, BANK, "SetTier", MEMBER_WITH, house_id(), "'tier': 100"), "{'points': '0'}");
    house_expect(house_ask(house, BANK, "GetBalance", "{'bankId': 'bank-a', 'memberRef': 'ann'}"),
                 "{'creditLimit': '10', 'creditUsed': '20', 'creditLeft': '0', 'tier': 100}");
    house_refused(house, BANK, "SetCreditLimit", REASON_FIELD_INVALID, "credit_limit", MEMBER_WITH, house_id(),
                  "'creditLimit': '-1'");
    house_refused(house, BANK, "SetCreditLimit", REASON_FIELD_INVALID, "credit_limit", MEMBER_WITH, house_id(),
                  "'creditLimit': '1000000000001'");
    house_refused(house, BANK, "SetTier", REASON_FIELD_INVALID, "tier", MEMBER_WITH, house_id(), "'tier': 101");
    house_refused(house, BANK, "SetTier", REASON_FIELD_INVALID, "tier", MEMBER_WITH, house_id(), "'tier': -1");
}

/* The tier decides which cap of the rules is the member's. */
static void a_tier_chooses_the_cap(void **state)
{
    struct house *house = *state;

    house_member(house, "ann", 1000);
    house_ask(house, BANK, "PublishExchangeRules",
              "{'requestId': '%s', 'rules': {'bankId': 'bank-a', 'effectiveFrom': '2026-01-15T12:00:01Z', 'rates': "
              "[{'currencyCode': 'CNY', 'conversionRate': {'num': 1, 'den': 1}, 'settlementRate': {'num': 7, 'den': "
              "10}}], 'expiryMonths': 12, 'accrualRate': {'num': 1, 'den': 10}, 'caps': [{'tier': 0, 'perRedemption': "
              "100}, {'tier': 5, 'perRedemption': 200}]}}",
              house_id());
    house_ask(house, OLGA, "AdvanceTestClock", "{'programmeId': 'demo', 'programmeTime': '2026-01-15T12:00:01Z'}");
    house_refused(house, SHOP, "HoldRedemption", REASON_CAP_REDEMPTION, NULL, HOLD, house_id(), 101);
    house_ask(house, BANK, "SetTier", MEMBER_WITH, house_id(), "'tier': 7");
    house_ask(house, SHOP, "HoldRedemption", HOLD, house_id(), 200);
    house_refused(house, SHOP, "HoldRedemption", REASON_CAP_REDEMPTION, NULL, HOLD, house_id(), 201);
}

#define ACCRUAL(ref) "'transactionRef': '" ref "'"

static void accruals_mature_and_are_taken_back(void **state)
{
    struct house *house = *state;

    house_member(house, "ann", 0);
    house_push(
        house, BANK, "PushAccruals",
        "{'bankId': 'bank-a', 'rows': [{'transactionRef': 'waits', 'memberRef': 'ann', 'amount': {'currencyCode': "
        "'CNY', 'amountMinor': '1000'}, 'transactionTime': '2026-01-14T08:00:00Z', 'pendingEvent': true}, "
        "{'transactionRef': 'now', 'memberRef': 'ann', 'amount': {'currencyCode': 'CNY', 'amountMinor': '500'}, "
        "'transactionTime': '2026-01-14T08:00:00Z'}]}");
    house_expect(house_ask(house, BANK, "MatureAccrual", MEMBER_WITH, house_id(), ACCRUAL("waits") ", 'points': '30'"),
                 "{'points': '30', 'spendablePoints': '80'}");
    house_refused(house, BANK, "MatureAccrual", REASON_BEYOND_ACCRUAL, NULL, MEMBER_WITH, house_id(),
                  ACCRUAL("waits") ", 'points': '71'");
    const char *id = house_id();
    json_t *rest = house_ask(house, BANK, "MatureAccrual", MEMBER_WITH, id, ACCRUAL("waits"));
    house_expect(rest, "{'points': '70', 'spendablePoints': '150'}");
    house_refused(house, BANK, "MatureAccrual", REASON_NOT_PENDING, NULL, MEMBER_WITH, house_id(), ACCRUAL("waits"));
    house_refused(house, BANK, "MatureAccrual", REASON_NOT_PENDING, NULL, MEMBER_WITH, house_id(), ACCRUAL("now"));
    house_refused(house, BANK, "MatureAccrual", REASON_ACCRUAL_NOT_FOUND, NULL, MEMBER_WITH, house_id(),
                  ACCRUAL("never"));
    /* The purchase is returned, in part and then wholly; what was spent meanwhile is owed. */
    house_expect(house_ask(house, BANK, "ClawBackAccrual", MEMBER_WITH, house_id(), ACCRUAL("now") ", 'points': '20'"),
                 "{'points': '20', 'spendablePoints': '130'}");
    house_ask(house, SHOP, "HoldRedemption", HOLD, house_id(), 120);
    house_expect(house_ask(house, BANK, "ClawBackAccrual", MEMBER_WITH, house_id(), ACCRUAL("now")),
                 "{'points': '30', 'spendablePoints': '0'}");
    house_refused(house, BANK, "ClawBackAccrual", REASON_BEYOND_ACCRUAL, NULL, MEMBER_WITH, house_id(),
                  ACCRUAL("now") ", 'points': '1'");
    house_expect(house_ask(house, BANK, "GetBalance", "{'bankId': 'bank-a', 'memberRef': 'ann'}"),
                 "{'availablePoints': '0', 'creditUsed': '20'}");
    assert_true(json_equal(rest, house_ask(house, BANK, "MatureAccrual", MEMBER_WITH, id, ACCRUAL("waits"))));
    house_refused(house, BANK, "ClawBackAccrual", REASON_FIELD_INVALID, "transaction_ref", MEMBER_WITH, house_id(),
                  ACCRUAL("a b"));
    house_refused(house, BANK, "ClawBackAccrual", REASON_POINTS_NOT_POSITIVE, "points", MEMBER_WITH, house_id(),
                  ACCRUAL("now") ", 'points': '-1'");
}

static void expired_points_are_reinstated(void **state)
{
    struct house *house = *state;

    house_member(house, "ann", 100);
    house_sql(house, "UPDATE fence SET business_date = '2027-02-01'");
    house_refused(house, OLGA, "ReinstatePoints", REASON_FIELD_INVALID, "expires_on", MEMBER_WITH, house_id(),
                  "'points': '60', 'expiresOn': '2027-02-01'");
    const char *id = house_id();
    json_t *receipt =
        house_ask(house, OLGA, "ReinstatePoints", MEMBER_WITH, id, "'points': '60', 'expiresOn': '2027-02-02'");
    house_expect(receipt, "{'points': '60', 'spendablePoints': '60', 'businessDate': '2027-02-01'}");
    house_refused(house, OLGA, "ReinstatePoints", REASON_BEYOND_EXPIRED, NULL, MEMBER_WITH, house_id(),
                  "'points': '41', 'expiresOn': '2027-03-01'");
    house_expect(house_ask(house, BANK, "GetBalance", "{'bankId': 'bank-a', 'memberRef': 'ann'}"),
                 "{'lots': [{'points': '60', 'expiresOn': '2027-02-02'}]}");
    /* A repeat whose day has come meanwhile. */
    house_sql(house, "UPDATE fence SET business_date = '2027-02-02'");
    assert_true(json_equal(receipt, house_ask(house, OLGA, "ReinstatePoints", MEMBER_WITH, id,
                                              "'points': '60', 'expiresOn': '2027-02-02'")));
    house_refused(house, OLGA, "ReinstatePoints", REASON_POINTS_NOT_POSITIVE, "points", MEMBER_WITH, house_id(),
                  "'expiresOn': '2027-03-01'");
    house_refused(house, OLGA, "ReinstatePoints", REASON_FIELD_INVALID, "expires_on", MEMBER_WITH, house_id(),
                  "'points': '1'");
    house_refused(house, BANK, "ReinstatePoints", REASON_ROLE_NOT_ALLOWED, NULL, "{}");
}

static const char *const bank_methods[] = { "FreezeMember", "UnfreezeMember", "CloseMember",    "SetCreditLimit",
                                            "SetTier",      "MatureAccrual",  "ClawBackAccrual" };

#define OF "{'requestId': '%s', 'bankId': '%s', 'memberRef': '%s'%s}"

/* Everybody's request is checked the same way, and nothing is written by a refusal of this kind. */
static void only_the_bank_itself_may(void **state)
{
    struct house *house = *state;

    house_member(house, "ann", 10);
    int64_t before = house_rows(house);
    for (size_t i = 0; i < COUNT(bank_methods); i++) {
        const char *method = bank_methods[i], *more = i >= 5 ? ", " ACCRUAL("t") : "";
        house_refused(house, "bank/bank-b", method, REASON_NOT_YOURS, "bank_id", OF, house_id(), "bank-a", "ann", more);
        house_refused(house, SHOP, method, REASON_ROLE_NOT_ALLOWED, NULL, OF, house_id(), "bank-a", "ann", more);
        house_refused(house, OLGA, method, REASON_ROLE_NOT_ALLOWED, NULL, OF, house_id(), "bank-a", "ann", more);
        /* The same name at another bank is another member. */
        house_refused(house, "bank/bank-b", method, REASON_MEMBER_NOT_FOUND, NULL, OF, house_id(), "bank-b", "ann",
                      more);
        house_refused(house, BANK, method, REASON_REQUEST_ID_INVALID, "request_id", OF, "", "bank-a", "ann", more);
        house_refused(house, BANK, method, REASON_FIELD_INVALID, "member_ref", OF, house_id(), "bank-a", "a nn", more);
        house_refused(house, BANK, method, REASON_CARD_NUMBER_REFUSED, "member_ref", OF, house_id(), "bank-a",
                      "4111111111111111", more);
        house_refused(house, "bank/nobody", method, REASON_BANK_NOT_FOUND, "bank_id", OF, house_id(), "nobody", "ann",
                      more);
    }
    assert_int_equal(house_rows(house), before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_frozen_member_earns_and_does_not_redeem, setup, teardown),
        cmocka_unit_test_setup_teardown(a_closed_member_stays_closed, setup, teardown),
        cmocka_unit_test_setup_teardown(limits_and_tiers_are_set, setup, teardown),
        cmocka_unit_test_setup_teardown(a_tier_chooses_the_cap, setup, teardown),
        cmocka_unit_test_setup_teardown(accruals_mature_and_are_taken_back, setup, teardown),
        cmocka_unit_test_setup_teardown(expired_points_are_reinstated, setup, teardown),
        cmocka_unit_test_setup_teardown(only_the_bank_itself_may, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
