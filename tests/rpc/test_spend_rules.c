/* Card spend by a rule set: where, how and when it was made decides what it earns, and caps hold across days. */
#include "house.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define BANK "bank/bank-a"
#define OLGA "operator/olga"

/* In the programme's time zone, UTC, it is the 15th of January 2026, at noon. */
#define DOCUMENT                                                                                                       \
    "{'rules': {'rates': [{'currencyCode': 'CNY', 'conversionRate': {'num': '1', 'den': '1'}, 'settlementRate': "      \
    "{'num': '7', 'den': '10'}}], 'minimumPoints': '1', 'expiryMonths': 24, 'accrualRate': {'num': '1', 'den': '10'}"  \
    "}, 'accrualBase': 'ACCRUAL_BASE_WITHOUT_POINTS', 'earnCaps': {'perDay': '5000', 'perMonth': '6000'}, 'tiers': "   \
    "[{'tier': 2, 'name': 'gold', 'multiplier': {'num': '3', 'den': '2'}}], 'accrualRules': ["                         \
    "{'name': 'groceries', 'priority': 5, 'match': {'categories': [{'first': 5411, 'last': 5411}]}, 'rate': "          \
    "{'num': '3', 'den': '10'}, 'caps': {'perTransaction': '900', 'perDay': '1000', 'perMonth': '1500'}}, "            \
    "{'name': 'partner', 'priority': 6, 'match': {'merchantIds': ['shop-1'], 'channels': ['online']}, 'rate': "        \
    "{'num': '1', 'den': '1'}}, "                                                                                      \
    "{'name': 'member-day', 'priority': 7, 'match': {'daysOfMonth': [8]}, 'rate': {'num': '1', 'den': '5'}}, "         \
    "{'name': 'cash', 'priority': 9, 'match': {'categories': [{'first': 6010, 'last': 6012}]}, 'excluded': true}]}"

#define NUMBER "{'bankId': 'bank-a', 'number': 1}"

static void to_the_day(struct house *house, const char *instant)
{
    house_ask(house, OLGA, "AdvanceTestClock", "{'programmeId': 'demo', 'programmeTime': '%s'}", instant);
}

static int setup(void **state)
{
    struct house *house = house_open();

    *state = house;
    house_found(house);
    house_member(house, "ann", 1);
    house_ask(house, "bank/bank-a/person/ann", "DraftRuleSet",
              "{'requestId': '%s', 'bankId': 'bank-a', 'document': %s}", house_id(), DOCUMENT);
    house_expect(house_ask(house, BANK, "ValidateRuleSet", NUMBER), "{'findings': []}");
    house_ask(house, "bank/bank-a/person/ben", "ApproveRuleSet", NUMBER);
    house_ask(house, BANK, "ScheduleRuleSet",
              "{'bankId': 'bank-a', 'number': 1, 'effectiveFrom': '2026-01-15T13:00:00Z'}");
    return 0;
}

static int teardown(void **state)
{
    house_close(*state);
    return 0;
}

/* More fields begin with a comma. Returns the points, or 0 and the reason it names. */
static int64_t spend(struct house *house, const char *ref, int64_t minor, const char *more, const char *reason)
{
    json_t *answer = house_push(house, BANK, "PushAccruals",
                                "{'bankId': 'bank-a', 'rows': [{'rowNumber': '1', 'transactionRef': '%s', 'memberRef': "
                                "'ann', 'amount': {'amountMinor': '%lld', 'currencyCode': 'CNY'}, 'transactionTime': "
                                "'2026-01-15T11:00:00Z'%s}]}",
                                ref, (long long)minor, more);

    house_expect(answer, "{'verdicts': [{'reason': '%s'}]}", reason);
    return strtoll(house_text(answer, "verdicts.0.points"), NULL, 10);
}

static void the_set_decides_once_it_is_in_force(void **state)
{
    struct house *house = *state;

    assert_int_equal(spend(house, "t-1", 1000, ", 'merchantCategoryCode': '5411'", ""), 100);
    to_the_day(house, "2026-01-15T13:00:00Z");
    assert_int_equal(spend(house, "t-2", 1000, ", 'merchantCategoryCode': '5411'", ""), 300);
    assert_int_equal(spend(house, "t-3", 1000, ", 'merchantCategoryCode': '5412'", ""), 100);
    assert_int_equal(spend(house, "t-4", 1000, "", ""), 100);
    assert_int_equal(spend(house, "t-5", 1000, ", 'merchantId': 'shop-1', 'channel': 'online'", ""), 1000);
    assert_int_equal(spend(house, "t-6", 1000, ", 'merchantId': 'shop-1', 'channel': 'till'", ""), 100);
    assert_int_equal(spend(house, "t-7", 1000, ", 'merchantCategoryCode': '6011'", ""), 0);
    assert_int_equal(spend(house, "t-8", 1000, ", 'paidWithPointsMinor': '400'", ""), 60);
    /* What the bank fixes is not by the rules. */
    assert_int_equal(spend(house, "t-9", 1000, ", 'merchantCategoryCode': '6011', 'fixedPoints': '7'", ""), 7);
    assert_int_equal(house_count(house, "SELECT count(*) FROM accrual WHERE earn_rule = 'partner' AND spent_on = "
                                        "'2026-01-15' AND channel = 'online'"),
                     1);
}

/* The card was used on the 8th, wherever the bank's file has been since. */
static void a_member_day_is_the_day_of_the_purchase(void **state)
{
    struct house *house = *state;
    const char *row = "{'bankId': 'bank-a', 'rows': [{'rowNumber': '1', 'transactionRef': '%s', 'memberRef': 'ann', "
                      "'amount': {'amountMinor': '1000', 'currencyCode': 'CNY'}, 'transactionTime': '%s'}]}";

    to_the_day(house, "2026-01-15T13:00:00Z");
    house_expect(house_push(house, BANK, "PushAccruals", row, "d-1", "2026-01-08T23:59:59Z"),
                 "{'verdicts': [{'points': '200'}]}");
    house_expect(house_push(house, BANK, "PushAccruals", row, "d-2", "2026-01-09T00:00:00Z"),
                 "{'verdicts': [{'points': '100'}]}");
}

static void caps_hold_within_a_message_and_across_days(void **state)
{
    struct house *house = *state;
    const char *groceries = ", 'merchantCategoryCode': '5411'";

    to_the_day(house, "2026-01-15T13:00:00Z");
    json_t *answer = house_push(
        house, BANK, "PushAccruals",
        "{'bankId': 'bank-a', 'rows': [{'rowNumber': '1', 'transactionRef': 'c-1', 'memberRef': 'ann', 'amount': "
        "{'amountMinor': '9000', 'currencyCode': 'CNY'}, 'transactionTime': '2026-01-15T11:00:00Z', "
        "'merchantCategoryCode': '5411'}, {'rowNumber': '2', 'transactionRef': 'c-2', 'memberRef': 'ann', 'amount': "
        "{'amountMinor': '9000', 'currencyCode': 'CNY'}, 'transactionTime': '2026-01-15T11:00:00Z', "
        "'merchantCategoryCode': '5411'}]}");
    house_expect(answer, "{'verdicts': [{'points': '900'}, {'points': '100'}]}");
    assert_int_equal(spend(house, "c-3", 9000, groceries, ""), 0);
    /* Sent again, a row is what it was; it counts once. */
    assert_int_equal(spend(house, "c-1", 9000, groceries, ""), 900);
    house_ask(house, OLGA, "AdvanceTestClock", "{'programmeId': 'demo', 'programmeTime': '2026-01-16T01:00:00Z'}");
    house_sql(house, "UPDATE fence SET business_date = '2026-01-16'");
    assert_int_equal(spend(house, "c-4", 9000, groceries, ""), 500);
    /* All that is earned has caps, too: 5,000 a day and 6,000 a month, of which 1,500 are gone. */
    assert_int_equal(spend(house, "c-5", 60000, "", ""), 4500);
    assert_int_equal(spend(house, "c-6", 60000, "", ""), 0);
    house_sql(house, "UPDATE fence SET business_date = '2026-02-01'");
    assert_int_equal(spend(house, "c-7", 9000, groceries, ""), 900);
    assert_int_equal(house_count(house, "SELECT month_points FROM earn_count"), 900);
    /* What a cap left nothing of is settled: the same row of the same file earns nothing in a better month, and of its
     * return there is nothing to take back. */
    assert_int_equal(spend(house, "c-6", 60000, "", ""), 0);
    assert_int_equal(spend(house, "c-8", 60000, ", 'reversalOf': 'c-6'", ""), 0);
    assert_int_equal(spend(house, "c-9", 1, ", 'reversalOf': 'c-6'", "BEYOND_SPEND"), 0);
    assert_int_equal(house_count(house, "SELECT count(*) FROM journal WHERE points = 0 AND kind = 2"), 0);
}

/* Points the general rates give while the set is to come, and those of versions without caps, count for the caps of
 * the version that comes within the month. */
static void caps_of_a_new_version_count_what_was_before(void **state)
{
    struct house *house = *state;
    const char *groceries = ", 'merchantCategoryCode': '5411'";
    static const struct {
        const char *from, *caps, *rule_caps;
    } versions[] = {
        { "2026-01-16T00:00:00Z", "", "" },
        { "2026-01-17T00:00:00Z", ", 'earnCaps': {'perMonth': '2500'}", ", 'caps': {'perMonth': '1000'}" },
    };

    assert_int_equal(spend(house, "n-1", 1000, "", ""), 100); /* no set is in force yet */
    for (int i = 0; i < 2; i++) {
        house_ask(house, "bank/bank-a/person/ann", "DraftRuleSet",
                  "{'requestId': '%s', 'bankId': 'bank-a', 'document': {'rules': {'rates': [{'currencyCode': 'CNY', "
                  "'conversionRate': {'num': '1', 'den': '1'}, 'settlementRate': {'num': '7', 'den': '10'}}], "
                  "'minimumPoints': '1', 'expiryMonths': 24, 'accrualRate': {'num': '1', 'den': '10'}}, 'accrualBase': "
                  "'ACCRUAL_BASE_WHOLE_AMOUNT'%s, "
                  "'accrualRules': [{'name': 'groceries', 'priority': 5, 'match': {'categories': [{'first': 5411, "
                  "'last': 5411}]}, 'rate': {'num': '3', 'den': '10'}%s}]}}",
                  house_id(), versions[i].caps, versions[i].rule_caps);
        house_ask(house, BANK, "ValidateRuleSet", "{'bankId': 'bank-a', 'number': %d}", i + 2);
        house_ask(house, "bank/bank-a/person/ben", "ApproveRuleSet", "{'bankId': 'bank-a', 'number': %d}", i + 2);
    }
    house_ask(house, BANK, "ScheduleRuleSet", "{'bankId': 'bank-a', 'number': 2, 'effectiveFrom': '%s'}",
              versions[0].from);
    to_the_day(house, "2026-01-16T01:00:00Z");
    house_sql(house, "UPDATE fence SET business_date = '2026-01-16'");
    assert_int_equal(spend(house, "n-2", 2000, groceries, ""), 600); /* nothing has caps, nothing to come has */
    assert_int_equal(spend(house, "n-3", 3000, ", 'fixedPoints': '4000'", ""), 4000);
    house_ask(house, BANK, "ScheduleRuleSet", "{'bankId': 'bank-a', 'number': 3, 'effectiveFrom': '%s'}",
              versions[1].from);
    to_the_day(house, "2026-01-17T01:00:00Z");
    house_sql(house, "UPDATE fence SET business_date = '2026-01-17'");
    assert_int_equal(spend(house, "n-4", 9000, groceries, ""), 400);
    assert_int_equal(spend(house, "n-5", 90000, "", ""), 1400);
    assert_int_equal(spend(house, "n-6", 90000, "", ""), 0);
    assert_int_equal(house_count(house, "SELECT month_points FROM earn_count"), 2500);
}

static void a_tier_multiplies(void **state)
{
    struct house *house = *state;

    to_the_day(house, "2026-01-15T13:00:00Z");
    house_push(
        house, BANK, "PushMembers",
        "{'bankId': 'bank-a', 'rows': [{'rowNumber': '1', 'member': {'memberRef': 'ann', 'tier': {'number': 2}}}]}");
    assert_int_equal(spend(house, "g-1", 1001, "", ""), 150);
    assert_int_equal(house_count(house, "SELECT tier FROM accrual WHERE transaction_ref = 'g-1'"), 2);
    /* A return takes back what it earned, whatever a spend would earn by now. */
    assert_int_equal(spend(house, "g-2", 500, ", 'reversalOf': 'g-1'", ""), 74);
}

/* What never came into force does not take the place of what is, in no snapshot that is loaded later. */
static void a_cancelled_version_leaves_the_set_in_force(void **state)
{
    struct house *house = *state;
    const char *draft = "{'requestId': '%s', 'bankId': 'bank-a', 'document': %s}";

    to_the_day(house, "2026-01-15T13:00:00Z");
    for (int number = 2; number <= 3; number++) {
        house_ask(house, "bank/bank-a/person/ann", "DraftRuleSet", draft, house_id(), DOCUMENT);
        house_ask(house, BANK, "ValidateRuleSet", "{'bankId': 'bank-a', 'number': %d}", number);
        house_ask(house, "bank/bank-a/person/ben", "ApproveRuleSet", "{'bankId': 'bank-a', 'number': %d}", number);
    }
    house_ask(house, BANK, "ScheduleRuleSet",
              "{'bankId': 'bank-a', 'number': 2, 'effectiveFrom': '2026-01-16T00:00:00Z'}");
    house_ask(house, BANK, "CancelScheduledRuleSet", "{'bankId': 'bank-a', 'number': 2}");
    to_the_day(house, "2026-01-18T00:00:00Z");
    house_ask(house, BANK, "ScheduleRuleSet", /* so that the snapshot is loaded anew */
              "{'bankId': 'bank-a', 'number': 3, 'effectiveFrom': '2026-02-01T00:00:00Z'}");
    assert_int_equal(spend(house, "x-1", 1000, ", 'merchantCategoryCode': '5411'", ""), 300);
}

/* It decides nothing, and the general rates do not decide in its place; who has other rules goes on. */
static void a_set_that_cannot_be_read_stops_its_bank_alone(void **state)
{
    struct house *house = *state;
    const char *terms = "{'requestId': '%s', 'rules': {'bankId': 'bank-b', 'effectiveFrom': '2026-0%d-01T00:00:00Z', "
                        "'rates': [{'currencyCode': 'CNY', 'conversionRate': {'num': '1', 'den': '1'}, "
                        "'settlementRate': {'num': '1', 'den': '2'}}], 'expiryMonths': 12, 'accrualRate': {'num': '1', "
                        "'den': '10'}}}";

    to_the_day(house, "2026-01-15T13:00:00Z");
    assert_int_equal(spend(house, "u-1", 1000, "", ""), 100);
    house_sql(house,
              "ALTER TABLE rule_set DISABLE TRIGGER USER; UPDATE rule_set SET document = '\\x0aff' WHERE version > 0");
    house_ask(house, "bank/bank-b", "PublishExchangeRules", terms, house_id(),
              3); /* so that the snapshot is loaded anew */
    assert_int_equal(spend(house, "u-2", 1000, "", "NO_RULES_IN_FORCE"), 0);
    assert_int_equal(spend(house, "u-1", 1000, "", ""), 100);
}

/* The newest entry of ann, in the words of ExplainEntry. */
static char *why(struct house *house)
{
    json_t *steps = json_object_get(house_ask(house, BANK, "ExplainEntry",
                                              "{'bankId': 'bank-a', 'memberRef': 'ann', 'seq': '%lld'}",
                                              (long long)house_count(house, "SELECT journal_seq FROM account")),
                                    "steps");
    return json_dumps(steps, JSON_COMPACT);
}

static void why_says_which_rule_it_was(void **state)
{
    struct house *house = *state;

    to_the_day(house, "2026-01-15T13:00:00Z");
    spend(house, "w-1", 9000, ", 'merchantCategoryCode': '5411', 'paidWithPointsMinor': '1000'", "");
    char *said = why(house);
    assert_non_null(strstr(said, "rule set of rules version 2"));
    assert_non_null(strstr(said, "(groceries): 3/10"));
    assert_non_null(strstr(said, "8000 x 3/10 = 2400, rounded"));
    assert_non_null(strstr(said, "= 900"));
    free(said);
    spend(house, "w-2", 9000, ", 'merchantCategoryCode': '5411'", "");
    said = why(house);
    assert_non_null(strstr(said, "had 100 points left then"));
    free(said);
    spend(house, "w-3", 9000, ", 'fixedPoints': '5'", "");
    said = why(house);
    assert_non_null(strstr(said, "The bank itself said that they earn 5 points"));
    free(said);
}

static void wrong_fields_are_named(void **state)
{
    struct house *house = *state;
    static const struct {
        const char *more, *field;
    } wrong[] = {
        { ", 'merchantId': 'no shop'", "merchant_id" },
        { ", 'channel': 'On Line'", "channel" },
        { ", 'paidWithPointsMinor': '1001'", "paid_with_points_minor" },
        { ", 'paidWithPointsMinor': '-1'", "paid_with_points_minor" },
        { ", 'reversalOf': 't-0', 'channel': 'On Line'", "channel" },
        { ", 'reversalOf': 't-0', 'merchantId': 'Shop 1'", "merchant_id" },
        { ", 'reversalOf': 't-0', 'paidWithPointsMinor': '1'", "paid_with_points_minor" },
    };

    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        json_t *answer = house_push(house, BANK, "PushAccruals",
                                    "{'bankId': 'bank-a', 'rows': [{'rowNumber': '1', 'transactionRef': 'w', "
                                    "'memberRef': 'ann', 'amount': {'amountMinor': '1000', 'currencyCode': 'CNY'}, "
                                    "'transactionTime': '2026-01-15T11:00:00Z'%s}]}",
                                    wrong[i].more);
        house_expect(answer, "{'verdicts': [{'reason': 'FIELD_INVALID'}]}");
        assert_memory_equal(house_text(answer, "verdicts.0.detail"), wrong[i].field, strlen(wrong[i].field));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_set_decides_once_it_is_in_force, setup, teardown),
        cmocka_unit_test_setup_teardown(a_member_day_is_the_day_of_the_purchase, setup, teardown),
        cmocka_unit_test_setup_teardown(caps_hold_within_a_message_and_across_days, setup, teardown),
        cmocka_unit_test_setup_teardown(caps_of_a_new_version_count_what_was_before, setup, teardown),
        cmocka_unit_test_setup_teardown(a_tier_multiplies, setup, teardown),
        cmocka_unit_test_setup_teardown(a_cancelled_version_leaves_the_set_in_force, setup, teardown),
        cmocka_unit_test_setup_teardown(a_set_that_cannot_be_read_stops_its_bank_alone, setup, teardown),
        cmocka_unit_test_setup_teardown(why_says_which_rule_it_was, setup, teardown),
        cmocka_unit_test_setup_teardown(wrong_fields_are_named, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
