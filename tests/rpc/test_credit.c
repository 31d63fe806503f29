/* tests/rpc/test_credit.c -- credit limits by tier and for a time, what a push does to a status, drawn credit by age.
 */
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

static json_t *push(struct house *house, const char *member)
{
    return house_push(house, BANK, "PushMembers", "{'bankId': 'bank-a', 'rows': [{'member': %s}]}", member);
}

static void go_to(struct house *house, const char *date)
{
    char sql[160];

    snprintf(sql, sizeof sql, "UPDATE fence SET business_date = '%s', test_clock = '%sT12:00:00Z'", date, date);
    house_sql(house, sql);
}

static json_t *hold(struct house *house, const char *member_ref, int points)
{
    return house_ask(house, SHOP, "HoldRedemption",
                     "{'requestId': '%s', 'bankId': 'bank-a', 'memberRef': '%s', 'merchantId': 'shop-1', 'points': %d}",
                     house_id(), member_ref, points);
}

static void earn(struct house *house, const char *member_ref, const char *transaction_ref, int points)
{
    house_expect(house_push(house, BANK, "PushAccruals",
                            "{'bankId': 'bank-a', 'rows': [{'transactionRef': '%s', 'memberRef': '%s', 'amount': "
                            "{'currencyCode': 'CNY', 'amountMinor': '%d'}, 'transactionTime': "
                            "'2026-01-14T08:00:00Z'}]}",
                            transaction_ref, member_ref, points * 10),
                 "{'verdicts': [{'outcome': 'ROW_OUTCOME_CREATED'}]}");
}

#define BALANCE "{'bankId': 'bank-a', 'memberRef': 'ann'}"
#define RULES                                                                                                          \
    "{'requestId': '%s', 'rules': {'bankId': 'bank-a', 'rates': [{'currencyCode': 'CNY', 'conversionRate': {'num': "   \
    "1, 'den': 1}, 'settlementRate': {'num': 7, 'den': 10}}], 'expiryMonths': 12, 'accrualRate': {'num': 1, 'den': "   \
    "10}, 'tierCreditLimits': %s}}"

static void a_limit_follows_tier_rules_and_days(void **state)
{
    struct house *house = *state;

    go_to(house, "2026-01-16");
    house_expect(house_ask(house, BANK, "PublishExchangeRules", RULES, house_id(),
                           "[{'tier': 1, 'points': '100'}, {'tier': 3, 'points': '300'}]"),
                 "{'tierCreditLimits': [{'tier': 1, 'points': '100'}, {'tier': 3, 'points': '300'}]}");
    house_expect(push(house, "{'memberRef': 'ann', 'creditByTier': true, 'tier': {'number': 2}, 'temporaryLimit': "
                             "{'points': '900', 'firstDate': '2026-01-17', 'lastDate': '2026-01-18'}}"),
                 "{'verdicts': [{'outcome': 'ROW_OUTCOME_CREATED'}]}");
    house_expect(house_ask(house, BANK, "GetBalance", BALANCE),
                 "{'creditLimit': '100', 'creditByTier': true, 'tier': 2, 'temporaryLimit': {'points': '900', "
                 "'firstDate': '2026-01-17', 'lastDate': '2026-01-18'}}");
    go_to(house, "2026-01-17");
    house_expect(house_ask(house, BANK, "GetBalance", BALANCE), "{'creditLimit': '900'}");
    json_t *held = hold(house, "ann", 900);
    house_ask(house, SHOP, "ConfirmRedemption", "{'requestId': '%s', 'redemptionId': '%s'}", house_id(),
              house_text(held, "redemptionId"));
    go_to(house, "2026-01-19");
    house_expect(house_ask(house, BANK, "GetBalance", BALANCE), "{'creditLimit': '100', 'creditLeft': '0'}");
    house_ask(house, BANK, "SetTier", "{'requestId': '%s', 'bankId': 'bank-a', 'memberRef': 'ann', 'tier': 3}",
              house_id());
    house_expect(house_ask(house, BANK, "GetBalance", BALANCE), "{'creditLimit': '300', 'tier': 3}");
    house_refused(house, BANK, "PublishExchangeRules", REASON_FIELD_INVALID, "rules.tier_credit_limits[1].tier", RULES,
                  house_id(), "[{'tier': 1, 'points': '100'}, {'tier': 1, 'points': '300'}]");
}

static void a_limit_below_what_is_used_says_so(void **state)
{
    struct house *house = *state;

    push(house, "{'memberRef': 'ann', 'creditLimit': '100'}");
    hold(house, "ann", 80);
    house_expect(push(house, "{'memberRef': 'ann', 'creditLimit': '30'}"),
                 "{'verdicts': [{'outcome': 'ROW_OUTCOME_CHANGED', 'detail': 'credit_limit: 50 points beyond it are "
                 "used; nothing more can be drawn'}]}");
    house_refused(house, SHOP, "HoldRedemption", REASON_INSUFFICIENT_POINTS, NULL,
                  "{'requestId': '%s', 'bankId': 'bank-a', 'memberRef': 'ann', 'merchantId': 'shop-1', 'points': 1}",
                  house_id());
}

static void a_push_closes_like_closing_and_opens_nobody(void **state)
{
    struct house *house = *state;

    house_member(house, "ann", 100);
    json_t *held = hold(house, "ann", 30);
    house_expect(push(house, "{'memberRef': 'ann', 'status': 4}"),
                 "{'verdicts': [{'outcome': 'ROW_OUTCOME_CHANGED'}]}");
    house_refused(house, SHOP, "HoldRedemption", REASON_MEMBER_DECEASED, NULL,
                  "{'requestId': '%s', 'bankId': 'bank-a', 'memberRef': 'ann', 'merchantId': 'shop-1', 'points': 1}",
                  house_id());
    house_expect(push(house, "{'memberRef': 'ann', 'status': 3}"),
                 "{'verdicts': [{'outcome': 'ROW_OUTCOME_REFUSED', 'reason': 'HOLDS_OPEN'}]}");
    house_ask(house, SHOP, "CancelRedemption", "{'requestId': '%s', 'redemptionId': '%s'}", house_id(),
              house_text(held, "redemptionId"));
    house_expect(push(house, "{'memberRef': 'ann', 'status': 3}"),
                 "{'verdicts': [{'outcome': 'ROW_OUTCOME_CHANGED', 'points': '100'}]}");
    house_expect(push(house, "{'memberRef': 'ann', 'status': 3}"),
                 "{'verdicts': [{'outcome': 'ROW_OUTCOME_UNCHANGED'}]}");
    house_expect(push(house, "{'memberRef': 'ann', 'status': 1}"),
                 "{'verdicts': [{'outcome': 'ROW_OUTCOME_REFUSED', 'reason': 'MEMBER_CLOSED'}]}");
    assert_int_equal(house_count(house, "SELECT available FROM account WHERE status = 3"), 0);
}

/* 50 and 30 drawn 40 days apart; 20 earned repay the older ones. */
static void drawn_credit_is_told_by_age(void **state)
{
    struct house *house = *state;

    push(house, "{'memberRef': 'ann', 'creditLimit': '100'}");
    push(house, "{'memberRef': 'bob', 'creditLimit': '5'}");
    hold(house, "ann", 50);
    go_to(house, "2026-02-24");
    hold(house, "bob", 5);
    house_sql(house, "UPDATE redemption SET lapse_at = '2026-12-01'");
    house_sql(house, "UPDATE account SET holds = substr(holds, 1, 16) || int8send(1800000000000000) WHERE holds <> ''");
    hold(house, "ann", 30);
    earn(house, "ann", "t-1", 20);
    push(house, "{'memberRef': 'bob', 'creditLimit': '1'}");
    house_expect(house_ask(house, BANK, "ReportDrawnCredit", "{'bankId': 'bank-a'}"),
                 "{'businessDate': '2026-02-24', 'usedPoints': '65', 'usedMembers': '2', 'overLimitPoints': '4', "
                 "'overLimitMembers': '1', 'classes': [{'fromDays': 0, 'toDays': 30, 'points': '35', 'members': '2'}, "
                 "{'fromDays': 31, 'toDays': 60, 'points': '30', 'members': '1'}, {'fromDays': 61, 'points': '0'}, "
                 "{'fromDays': 91}, {'fromDays': 181, 'toDays': 365}, {'fromDays': 366, 'toDays': 0}]}");
    house_expect(house_ask(house, OLGA, "ReportDrawnCredit", "{'bankId': 'bank-b'}"), "{'usedPoints': '0'}");
    house_refused(house, BANK, "ReportDrawnCredit", REASON_NOT_YOURS, "bank_id", "{'bankId': 'bank-b'}");
    house_refused(house, OLGA, "ReportDrawnCredit", REASON_BANK_NOT_FOUND, "bank_id", "{'bankId': 'nobody'}");
    /* The same, member by member. */
    json_t *of_ann = house_ask(house, BANK, "ListDrawnCredit", "{'bankId': 'bank-a', 'minAgeDays': 31}");
    house_expect(of_ann, "{'nextPageToken': '', 'members': [{'memberRef': 'ann', 'status': 'MEMBER_STATUS_ACTIVE', "
                         "'usedPoints': '60', 'overLimitPoints': '0', 'oldestDays': 40, 'draws': [{'businessDate': "
                         "'2026-01-15', 'points': '30'}, {'businessDate': '2026-02-24', 'points': '30'}]}]}");
    assert_int_equal(json_array_size(json_object_get(of_ann, "members")), 1);
    house_expect(house_ask(house, BANK, "ListDrawnCredit", "{'bankId': 'bank-a', 'minAgeDays': 41}"),
                 "{'members': [], 'nextPageToken': ''}");
    int64_t points = 0, over = 0, members = 0;
    const char *token = "";
    do {
        json_t *page =
            house_ask(house, OLGA, "ListDrawnCredit", "{'bankId': 'bank-a', 'pageSize': 1, 'pageToken': '%s'}", token);
        points += strtoll(house_text(page, "members.0.usedPoints"), NULL, 10);
        over += strtoll(house_text(page, "members.0.overLimitPoints"), NULL, 10);
        members += (int64_t)json_array_size(json_object_get(page, "members"));
        token = house_text(page, "nextPageToken");
    } while (token[0]);
    assert_int_equal(points, 65);
    assert_int_equal(over, 4);
    assert_int_equal(members, 2);
    house_refused(house, BANK, "ListDrawnCredit", REASON_NOT_YOURS, "bank_id", "{'bankId': 'bank-b'}");
    house_refused(house, BANK, "ListDrawnCredit", REASON_FIELD_INVALID, "min_age_days",
                  "{'bankId': 'bank-a', 'minAgeDays': -1}");
    house_refused(house, BANK, "ListDrawnCredit", REASON_PAGE_TOKEN_INVALID, "page_token",
                  "{'bankId': 'bank-a', 'pageToken': 'x'}");
}

#define LIMIT "{'requestId': '%s', 'bankId': 'bank-a', 'memberRef': 'ann', %s}"

/* By a call of its own: for a time, ended, and what both may not say together. */
static void a_limit_for_a_time_over_the_single_call(void **state)
{
    struct house *house = *state;
    const char *id = house_id();

    push(house, "{'memberRef': 'ann', 'creditLimit': '100'}");
    house_expect(house_ask(house, BANK, "SetCreditLimit", LIMIT, id,
                           "'temporaryLimit': {'points': '500', 'firstDate': '2026-01-16', 'lastDate': '2026-01-17'}"),
                 "{'spendablePoints': '100'}");
    house_expect(house_ask(house, BANK, "GetMember", "{'bankId': 'bank-a', 'memberRef': 'ann'}"),
                 "{'facts': {'creditLimit': '100'}}");
    go_to(house, "2026-01-16");
    house_expect(hold(house, "ann", 400), "{'points': '400'}");
    /* The member's own limit becomes another meanwhile; it is what counts when the time is over. */
    house_expect(house_ask(house, BANK, "SetCreditLimit", LIMIT, house_id(), "'creditLimit': '150'"),
                 "{'spendablePoints': '100'}");
    go_to(house, "2026-01-18");
    house_expect(house_ask(house, BANK, "GetBalance", BALANCE), "{'creditLimit': '150'}");
    /* A repeat is answered as then. */
    house_expect(house_ask(house, BANK, "SetCreditLimit", LIMIT, id,
                           "'temporaryLimit': {'points': '500', 'firstDate': '2026-01-16', 'lastDate': '2026-01-17'}"),
                 "{'spendablePoints': '100'}");
    house_ask(house, BANK, "SetCreditLimit", LIMIT, house_id(),
              "'temporaryLimit': {'points': '700', 'lastDate': '2026-06-30'}");
    house_expect(house_ask(house, BANK, "GetBalance", BALANCE), "{'creditLimit': '700'}");
    house_ask(house, BANK, "SetCreditLimit", LIMIT, house_id(), "'endTemporaryLimit': true");
    house_expect(house_ask(house, BANK, "GetBalance", BALANCE), "{'creditLimit': '150'}");
    house_refused(house, BANK, "SetCreditLimit", REASON_FIELD_INVALID, "credit_limit", LIMIT, house_id(),
                  "'creditLimit': '1', 'endTemporaryLimit': true");
    house_refused(house, BANK, "SetCreditLimit", REASON_FIELD_INVALID, "end_temporary_limit", LIMIT, house_id(),
                  "'endTemporaryLimit': true, 'temporaryLimit': {'points': '7', 'lastDate': '2026-06-30'}");
    house_refused(house, BANK, "SetCreditLimit", REASON_FIELD_INVALID, "temporary_limit.last_date", LIMIT, house_id(),
                  "'temporaryLimit': {'points': '7'}");
    house_expect(house_ask(house, BANK, "ListMemberChanges", "{'bankId': 'bank-a', 'memberRef': 'ann', 'pageSize': 2}"),
                 "{'changes': [{}, {'changedBy': 'alliance://bank/bank-a', 'after': {'temporaryLimit': {'points': "
                 "'500', 'lastDate': '2026-01-17'}, 'ownLimit': '100'}}]}");
    house_expect(house_push(house, OLGA, "VerifyLedger", "{'programmeId': 'demo'}"),
                 "{'finished': true, 'findingsTotal': '0'}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_limit_follows_tier_rules_and_days, setup, teardown),
        cmocka_unit_test_setup_teardown(a_limit_below_what_is_used_says_so, setup, teardown),
        cmocka_unit_test_setup_teardown(a_push_closes_like_closing_and_opens_nobody, setup, teardown),
        cmocka_unit_test_setup_teardown(drawn_credit_is_told_by_age, setup, teardown),
        cmocka_unit_test_setup_teardown(a_limit_for_a_time_over_the_single_call, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
