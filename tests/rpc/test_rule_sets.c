/* A rule set's life by rpc: drafted, validated, approved by a second person, scheduled, in force, superseded,
 * cancelled. */
#include "house.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define BANK  "bank/bank-a"
#define ANN   "bank/bank-a/person/ann"
#define BEN   "bank/bank-a/person/ben"
#define OTHER "bank/bank-b/person/ann"
#define OLGA  "operator/olga"

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

#define RULES(accrual)                                                                                                 \
    "'rules': {'rates': [{'currencyCode': 'CNY', 'conversionRate': {'num': '1', 'den': '1'}, 'settlementRate': "       \
    "{'num': '7', 'den': '10'}}], 'minimumPoints': '10', 'expiryMonths': 24, 'accrualRate': " accrual                  \
    ", 'pendingDays': 3}, 'accrualBase': 'ACCRUAL_BASE_WITHOUT_POINTS', 'stepPoints': '10', 'maximumPoints': "         \
    "'50000', 'pointsAndCash': {'leastPointsBp': 2000}"
#define GOLD                                                                                                           \
    ", 'tiers': [{'tier': 2, 'name': 'gold', 'multiplier': {'num': '3', 'den': '2'}, 'conversionFactor': {'num': "     \
    "'9', 'den': '10'}, 'exclusiveGoodsIds': ['cruise']}]"
#define GROCERIES(priority)                                                                                            \
    ", 'accrualRules': [{'name': 'groceries', 'priority': 5, 'match': {'categories': [{'first': 5411, 'last': "        \
    "5411}]}, 'rate': {'num': '3', 'den': '10'}, 'caps': {'perTransaction': '1000'}}, {'name': 'member-day', "         \
    "'priority': " priority ", 'match': {'daysOfMonth': [8]}, 'rate': {'num': '1', 'den': '5'}}]"
#define DOCUMENT "{" RULES("{'num': '1', 'den': '10'}") GOLD GROCERIES("3") "}"

static int64_t draft(struct house *house, const char *person, const char *document)
{
    json_t *drafted = house_ask(house, person, "DraftRuleSet",
                                "{'requestId': '%s', 'bankId': 'bank-a', 'document': %s}", house_id(), document);

    house_expect(drafted, "{'state': 'RULE_SET_STATE_DRAFT', 'version': 0}");
    return json_integer_value(json_object_get(drafted, "number"));
}

#define NUMBER   "{'bankId': 'bank-a', 'number': %d}"
#define SCHEDULE "{'bankId': 'bank-a', 'number': %d, 'effectiveFrom': '%s'}"

static void approve(struct house *house, int64_t number)
{
    house_expect(house_ask(house, BANK, "ValidateRuleSet", NUMBER, (int)number),
                 "{'ruleSet': {'state': 'RULE_SET_STATE_VALIDATED'}, 'findings': [], 'findingsTotal': 0}");
    house_expect(house_ask(house, BEN, "ApproveRuleSet", NUMBER, (int)number),
                 "{'state': 'RULE_SET_STATE_APPROVED', 'approvedBy': 'ben'}");
}

static void a_rule_set_lives(void **state)
{
    struct house *house = *state;
    int64_t number = draft(house, ANN, DOCUMENT);

    assert_int_equal(number, 1);
    house_refused(house, BEN, "ApproveRuleSet", REASON_RULE_SET_STATE, "", NUMBER, 1);
    house_refused(house, BANK, "ScheduleRuleSet", REASON_RULE_SET_STATE, "", SCHEDULE, 1, "2026-01-16T00:00:00Z");
    house_refused(house, BANK, "CancelScheduledRuleSet", REASON_RULE_SET_STATE, "", NUMBER, 1);
    house_ask(house, BANK, "ValidateRuleSet", NUMBER, 1);
    house_refused(house, BANK, "ApproveRuleSet", REASON_PERSON_NEEDED, "", NUMBER, 1);
    house_refused(house, ANN, "ApproveRuleSet", REASON_SECOND_PERSON_NEEDED, "", NUMBER, 1);
    approve(house, 1);
    house_refused(house, BANK, "ScheduleRuleSet", REASON_EFFECTIVE_TOO_EARLY, "effective_from", SCHEDULE, 1,
                  "2026-01-15T12:59:59Z");
    house_refused(house, OTHER, "ScheduleRuleSet", REASON_NOT_YOURS, "bank_id", SCHEDULE, 1, "2026-01-16T00:00:00Z");
    json_t *scheduled = house_ask(house, BANK, "ScheduleRuleSet", SCHEDULE, 1, "2026-01-15T13:00:00Z");
    house_expect(scheduled, "{'state': 'RULE_SET_STATE_SCHEDULED', 'version': 2, 'draftedBy': 'ann'}");
    assert_true(json_equal(scheduled, house_ask(house, BANK, "ScheduleRuleSet", SCHEDULE, 1, "2026-01-15T13:00:00Z")));
    house_refused(house, BANK, "ScheduleRuleSet", REASON_RULE_SET_STATE, "", SCHEDULE, 1, "2026-01-15T14:00:00Z");
    /* What was in force still is, until then. */
    house_expect(house_ask(house, OLGA, "GetRuleSet", "{'bankId': 'bank-a'}"),
                 "{'number': 0, 'version': 1, 'state': 'RULE_SET_STATE_ACTIVE'}");
    house_ask(house, OLGA, "AdvanceTestClock", "{'programmeId': 'demo', 'programmeTime': '2026-01-15T13:00:00Z'}");
    house_expect(house_ask(house, BANK, "GetRuleSet", "{'bankId': 'bank-a'}"),
                 "{'number': 1, 'version': 2, 'state': 'RULE_SET_STATE_ACTIVE', 'document': " DOCUMENT "}");
    house_expect(house_ask(house, BANK, "GetRuleSet", "{'bankId': 'bank-a', 'version': 1}"),
                 "{'number': 0, 'state': 'RULE_SET_STATE_SUPERSEDED'}");
    house_expect(house_ask(house, BANK, "GetExchangeRules", "{'bankId': 'bank-a'}"),
                 "{'version': 2, 'minimumPoints': '10', 'pendingDays': 3}");
    house_refused(house, BANK, "CancelScheduledRuleSet", REASON_RULE_SET_STATE, "", NUMBER, 1);
    house_expect(house_ask(house, OLGA, "ListRuleSets", "{'bankId': 'bank-a'}"),
                 "{'ruleSets': [{'number': 0, 'version': 1}, {'number': 1, 'version': 2, 'approvedBy': 'ben'}], "
                 "'nextPageToken': ''}");
    json_t *page = house_ask(house, OLGA, "ListRuleSets", "{'bankId': 'bank-a', 'pageSize': 1}");
    house_expect(page, "{'ruleSets': [{'version': 1}]}");
    house_expect(house_ask(house, OLGA, "ListRuleSets", "{'bankId': 'bank-a', 'pageSize': 1, 'pageToken': '%s'}",
                           house_text(page, "nextPageToken")),
                 "{'ruleSets': [{'version': 2}], 'nextPageToken': ''}");
}

static void a_draft_is_made_once(void **state)
{
    struct house *house = *state;
    const char *request = "{'requestId': '%s', 'bankId': 'bank-a', 'document': {%s}}";
    const char *id = house_id();

    json_t *first = house_ask(house, ANN, "DraftRuleSet", request, id, RULES("{'num': '1', 'den': '10'}"));
    assert_true(
        json_equal(first, house_ask(house, ANN, "DraftRuleSet", request, id, RULES("{'num': '1', 'den': '10'}"))));
    house_refused(house, ANN, "DraftRuleSet", REASON_REQUEST_ID_REUSED, "request_id", request, id,
                  RULES("{'num': '1', 'den': '11'}"));
    assert_int_equal(house_count(house, "SELECT count(*) FROM rule_set"), 1);
}

/* The time before it comes, nobody decides by it any more; its number is not used again. */
static void what_is_cancelled_never_is_in_force(void **state)
{
    struct house *house = *state;
    int64_t number = draft(house, ANN, DOCUMENT);

    approve(house, number);
    house_ask(house, BANK, "ScheduleRuleSet", SCHEDULE, (int)number, "2026-01-16T00:00:00Z");
    json_t *cancelled = house_ask(house, BEN, "CancelScheduledRuleSet", NUMBER, (int)number);
    house_expect(cancelled, "{'state': 'RULE_SET_STATE_CANCELLED', 'cancelledBy': 'ben', 'version': 2}");
    assert_true(json_equal(cancelled, house_ask(house, BEN, "CancelScheduledRuleSet", NUMBER, (int)number)));
    house_refused(house, BANK, "GetExchangeRules", REASON_RULES_NOT_FOUND, "version",
                  "{'bankId': 'bank-a', 'version': 2}");
    number = draft(house, ANN, DOCUMENT);
    approve(house, number);
    /* Earlier than the one that was withdrawn. */
    house_expect(house_ask(house, BANK, "ScheduleRuleSet", SCHEDULE, (int)number, "2026-01-15T18:00:00Z"),
                 "{'version': 3}");
    house_ask(house, OLGA, "AdvanceTestClock", "{'programmeId': 'demo', 'programmeTime': '2026-01-15T23:00:00Z'}");
    house_expect(house_ask(house, BANK, "GetRuleSet", "{'bankId': 'bank-a'}"), "{'version': 3}");
    house_expect(house_ask(house, BANK, "GetRuleSet", "{'bankId': 'bank-a', 'number': 1}"),
                 "{'state': 'RULE_SET_STATE_CANCELLED'}");
}

#define SHORT_WAY                                                                                                      \
    "{'requestId': '%s', 'rules': {'bankId': 'bank-a', 'effectiveFrom': '%s', 'rates': [{'currencyCode': 'CNY', "      \
    "'conversionRate': {'num': '1', 'den': '1'}, 'settlementRate': {'num': '7', 'den': '10'}}], 'expiryMonths': 12, "  \
    "'accrualRate': {'num': '1', 'den': '10'}}}"

/* The ids of the two kinds of request have nothing to do with each other, whichever comes first. */
static void an_id_of_published_rules_is_no_obstacle(void **state)
{
    struct house *house = *state;
    const char *one = house_id(), *two = house_id();

    house_ask(house, BANK, "PublishExchangeRules", SHORT_WAY, one, "2026-01-16T00:00:00Z");
    house_ask(house, ANN, "DraftRuleSet", "{'requestId': '%s', 'bankId': 'bank-a', 'document': " DOCUMENT "}", one);
    house_ask(house, ANN, "DraftRuleSet", "{'requestId': '%s', 'bankId': 'bank-a', 'document': " DOCUMENT "}", two);
    approve(house, 1);
    approve(house, 2);
    house_expect(house_ask(house, BANK, "ScheduleRuleSet", SCHEDULE, 1, "2026-01-17T00:00:00Z"), "{'version': 3}");
    house_expect(house_ask(house, BANK, "ScheduleRuleSet", SCHEDULE, 2, "2026-01-18T00:00:00Z"), "{'version': 4}");
    house_expect(house_ask(house, BANK, "PublishExchangeRules", SHORT_WAY, two, "2026-01-19T00:00:00Z"),
                 "{'version': 5}");
}

/* Which rule set or version the bank's list calls active; there must be just one. */
static int64_t active_version(struct house *house)
{
    json_t *list = house_ask(house, BANK, "ListRuleSets", "{'bankId': 'bank-a'}"), *set;
    int64_t version = 0;
    size_t i;

    json_array_foreach(json_object_get(list, "ruleSets"), i, set)
    {
        if (strcmp(house_text(set, "state"), "RULE_SET_STATE_ACTIVE") != 0)
            continue;
        assert_int_equal(version, 0);
        version = json_integer_value(json_object_get(set, "version"));
    }
    assert_true(version > 0);
    return version;
}

/* Documents as they are kept, of the rule sets up to that number. */
static int64_t documents(struct house *house, int64_t up_to)
{
    char sql[200];

    snprintf(sql, sizeof sql,
             "SELECT hashtextextended(string_agg(encode(document, 'hex') || encode(content_hash, 'hex'), ',' ORDER BY "
             "number), 0) FROM rule_set WHERE number <= %d",
             (int)up_to);
    return house_count(house, sql);
}

/*
 * Published, scheduled and withdrawn at random, with time going on in between: at every hour just one is in force, the
 * one a plain list of what is planned says; and nothing that was drafted was edited or lost.
 */
static void sets_never_overlap_or_leave_a_gap(void **state)
{
    struct house *house = *state;
    struct {
        int hour; /* after 2026-01-16T00:00:00Z; -1: withdrawn */
        int number;
    } plan[64] = { [1] = { .hour = -100 } };
    uint32_t dice = 7;
    int versions = 1, drafted = 0, last = 0;
    char at[40];

    for (int hour = 0; hour < 60; hour++) {
        snprintf(at, sizeof at, "2026-01-%02dT%02d:00:00Z", 16 + hour / 24, hour % 24);
        house_ask(house, OLGA, "AdvanceTestClock", "{'programmeId': 'demo', 'programmeTime': '%s'}", at);
        int active = 1;
        for (int v = 2; v <= versions; v++)
            active = plan[v].hour >= 0 && plan[v].hour <= hour ? v : active;
        assert_int_equal(active_version(house), active);
        house_expect(house_ask(house, BANK, "GetExchangeRules", "{'bankId': 'bank-a'}"), "{'version': %d}", active);
        dice = dice * 1664525 + 1013904223;
        if (dice >> 30 == 0 && versions > 1 && plan[versions].hour > hour && plan[versions].number) {
            house_ask(house, BEN, "CancelScheduledRuleSet", NUMBER, plan[versions].number);
            plan[versions].hour = -1;
            last = 0;
            for (int v = 2; v < versions; v++)
                last = plan[v].hour > last ? plan[v].hour : last;
            continue;
        }
        int from = (last > hour ? last : hour) + 1 + (int)(dice >> 28 & 3);
        if (from > hour + 8 || versions == 63)
            continue;
        snprintf(at, sizeof at, "2026-01-%02dT%02d:00:00Z", 16 + from / 24, from % 24);
        plan[++versions].hour = last = from;
        if (dice >> 29 & 1) {
            house_expect(house_ask(house, BANK, "PublishExchangeRules", SHORT_WAY, house_id(), at), "{'version': %d}",
                         versions);
            continue;
        }
        int64_t before = documents(house, drafted);
        plan[versions].number = ++drafted;
        assert_int_equal(draft(house, ANN, DOCUMENT), drafted);
        approve(house, drafted);
        house_expect(house_ask(house, BANK, "ScheduleRuleSet", SCHEDULE, drafted, at), "{'version': %d}", versions);
        assert_true(drafted == 1 || documents(house, drafted - 1) == before);
    }
    assert_true(drafted > 5 && versions > drafted + 5);
    assert_true(house_count(house, "SELECT count(*) FROM rule_set WHERE state = 7") > 0);
    assert_int_equal(house_count(house, "SELECT count(*) FROM rule_set"), drafted);
    /* Each of them differs from what is in force as it says, also one that was withdrawn or superseded. */
    for (int number = 1; number <= drafted; number++)
        house_ask(house, BANK, "DiffRuleSets", "{'bankId': 'bank-a', 'beforeNumber': %d}", number);
}

static void validation_names_what_is_wrong(void **state)
{
    struct house *house = *state;
    int64_t number = draft(house, ANN, "{" RULES("{'num': '11', 'den': '1'}") GOLD GROCERIES("5") "}");

    json_t *answer = house_ask(house, BANK, "ValidateRuleSet", NUMBER, (int)number);
    house_expect(answer, "{'ruleSet': {'state': 'RULE_SET_STATE_DRAFT'}, 'findingsTotal': 3, 'findings': ["
                         "{'kind': 'RULE_FINDING_KIND_CONFLICT', 'rule': 'groceries', 'otherRule': 'member-day'}, "
                         "{'kind': 'RULE_FINDING_KIND_OVERFLOW', 'rule': '', 'path': 'rules.accrual_rate'}, {'kind': "
                         "'RULE_FINDING_KIND_OVERFLOW'}]}");
    assert_non_null(strstr(house_text(answer, "findings.2.text"), "gold"));
    house_refused(house, BEN, "ApproveRuleSet", REASON_RULE_SET_STATE, "", NUMBER, (int)number);
}

static const struct {
    const char *field, *document;
} wrong[] = {
    { "document.rules", "{}" },
    { "document.accrual_base", "{'rules': {'rates': [{'currencyCode': 'CNY', 'conversionRate': {'num': '1', 'den': "
                               "'1'}, 'settlementRate': {'num': '1', 'den': '1'}}], 'expiryMonths': 1, 'accrualRate': "
                               "{'num': '1', 'den': '1'}}}" },
    { "document.rules.accrual_rate.den", "{" RULES("{'num': '1', 'den': '0'}") "}" },
    { "document.accrual_rules[0].match.currency_codes[0]",
      "{" RULES("{'num': '1', 'den': '9'}") ", 'accrualRules': [{'name': 'a', 'match': {'currencyCodes': ['USD']}}]}" },
    { "document.accrual_rules[0].match.below_tier",
      "{" RULES("{'num': '1', 'den': '9'}") ", 'accrualRules': [{'name': 'a', 'match': {'lowestTier': 3, 'belowTier': "
                                            "3}}]}" },
    { "document.accrual_rules[0].match.categories[0].last",
      "{" RULES("{'num': '1', 'den': '9'}") ", 'accrualRules': [{'name': 'a', 'match': {'categories': [{'first': 2, "
                                            "'last': 1}]}}]}" },
    { "document.accrual_rules[0].excluded",
      "{" RULES("{'num': '1', 'den': '9'}") ", 'accrualRules': [{'name': 'a', 'excluded': true, 'rate': {'num': '1', "
                                            "'den': '1'}}]}" },
    { "document.rate_rules[0].conversion_rate",
      "{" RULES("{'num': '1', 'den': '9'}") ", 'rateRules': [{'name': 'a'}]}" },
    { "document.rate_rules[1].name",
      "{" RULES(
          "{'num': '1', 'den': '9'}") ", 'rateRules': [{'name': 'a', 'conversionRate': {'num': '1', 'den': '1'}}, "
                                      "{'name': 'a', 'conversionRate': {'num': '1', 'den': '1'}}]}" },
    { "document.tiers[0].period_months",
      "{" RULES("{'num': '1', 'den': '9'}") ", 'tiers': [{'name': 'a', 'qualifyingSpend': {'currencyCode': 'CNY', "
                                            "'amountMinor': '1'}}]}" },
};

static void a_wrong_field_is_named(void **state)
{
    for (size_t i = 0; i < COUNT(wrong); i++)
        house_refused(*state, ANN, "DraftRuleSet", REASON_FIELD_INVALID, wrong[i].field,
                      "{'requestId': '%s', 'bankId': 'bank-a', 'document': %s}", house_id(), wrong[i].document);
    assert_int_equal(house_count(*state, "SELECT count(*) FROM rule_set"), 0);
}

static void a_difference_is_named_by_its_path(void **state)
{
    struct house *house = *state;

    draft(house, ANN, DOCUMENT);
    draft(house, ANN, "{" RULES("{'num': '1', 'den': '20'}") GOLD GROCERIES("4") "}");
    draft(house, ANN, "{" RULES("{'num': '1', 'den': '10'}") GROCERIES("3") "}");
    house_expect(house_ask(house, BANK, "DiffRuleSets", "{'bankId': 'bank-a', 'beforeNumber': 1, 'afterNumber': 1}"),
                 "{'differences': []}");
    json_t *diff = house_ask(house, OLGA, "DiffRuleSets", "{'bankId': 'bank-a', 'beforeNumber': 1, 'afterNumber': 2}");
    house_expect(diff, "{'differences': [{'path': 'accrual_rules[member-day].priority', 'before': '3', 'after': '4'}, "
                       "{'path': 'rules.accrual_rate.den', 'before': '10', 'after': '20'}]}");
    /* What is not there in one of them has no value there. */
    diff = house_ask(house, OLGA, "DiffRuleSets", "{'bankId': 'bank-a', 'beforeNumber': 3, 'afterNumber': 1}");
    assert_string_equal(house_text(diff, "differences.0.path"), "tiers[gold].conversion_factor.den");
    assert_string_equal(house_text(diff, "differences.0.before"), "");
    assert_string_equal(house_text(diff, "differences.0.after"), "10");
    house_ask(house, OLGA, "DiffRuleSets", "{'bankId': 'bank-a', 'afterNumber': 2}");
    house_refused(house, OLGA, "DiffRuleSets", REASON_RULE_SET_NOT_FOUND, "number",
                  "{'bankId': 'bank-a', 'beforeNumber': 4}");
}

static void a_draft_is_simulated_with_an_explanation(void **state)
{
    struct house *house = *state;
    int64_t rows;

    draft(house, ANN, DOCUMENT);
    rows = house_rows(house);
    house_expect(
        house_ask(house, BANK, "SimulateSpend",
                  "{'bankId': 'bank-a', 'number': 1, 'amount': {'currencyCode': 'CNY', 'amountMinor': '1019'}, "
                  "'paidWithPointsMinor': '1000', 'place': {'tier': 3, 'merchantCategoryCode': '5411'}}"),
        "{'number': 1, 'version': 0, 'points': '8', 'reason': '', 'spendableOn': '2026-01-18', 'expiresOn': "
        "'2028-02-01', 'steps': [{'value': '1019', 'result': '19'}, {'rule': 'groceries', 'ratio': {'num': "
        "'3', 'den': '10'}}, {'rule': 'gold', 'ratio': {'num': '3', 'den': '2'}}, {'value': '19', 'ratio': "
        "{'num': '9', 'den': '20'}, 'rounding': 'rounded down', 'result': '8'}]}");
    house_expect(house_ask(house, BANK, "SimulateRedemption",
                           "{'bankId': 'bank-a', 'number': 1, 'price': {'currencyCode': 'CNY', 'amountMinor': '1001'}, "
                           "'points': '500', 'place': {'tier': 2}, 'goodsId': 'cruise'}"),
                 "{'fullPoints': '910', 'points': '500', 'cash': {'amountMinor': '451'}, 'settlement': {'amountMinor': "
                 "'350'}, 'reason': ''}");
    house_expect(house_ask(house, BANK, "SimulateRedemption",
                           "{'bankId': 'bank-a', 'number': 1, 'price': {'currencyCode': 'CNY', 'amountMinor': '1001'}, "
                           "'goodsId': 'cruise'}"),
                 "{'points': '0', 'reason': 'TIER_TOO_LOW'}");
    /* The version in force was published the short way. */
    house_expect(house_ask(house, OLGA, "SimulateSpend",
                           "{'bankId': 'bank-a', 'amount': {'currencyCode': 'CNY', 'amountMinor': '1009'}, 'place': "
                           "{'date': '2026-01-08', 'merchantCategoryCode': '5411', 'tier': 9}}"),
                 "{'number': 0, 'version': 1, 'points': '100'}");
    house_refused(house, BANK, "SimulateSpend", REASON_FIELD_INVALID, "place.merchant_category_code",
                  "{'bankId': 'bank-a', 'amount': {'currencyCode': 'CNY', 'amountMinor': '1'}, 'place': "
                  "{'merchantCategoryCode': '541'}}");
    /* What it earns there would expire past the last year that can be written. */
    house_refused(house, BANK, "SimulateSpend", REASON_FIELD_INVALID, "place.date",
                  "{'bankId': 'bank-a', 'amount': {'currencyCode': 'CNY', 'amountMinor': '1000'}, 'place': {'date': "
                  "'3000-01-01'}}");
    assert_int_equal(house_rows(house), rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_rule_set_lives, setup, teardown),
        cmocka_unit_test_setup_teardown(a_draft_is_made_once, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_cancelled_never_is_in_force, setup, teardown),
        cmocka_unit_test_setup_teardown(an_id_of_published_rules_is_no_obstacle, setup, teardown),
        cmocka_unit_test_setup_teardown(sets_never_overlap_or_leave_a_gap, setup, teardown),
        cmocka_unit_test_setup_teardown(validation_names_what_is_wrong, setup, teardown),
        cmocka_unit_test_setup_teardown(a_wrong_field_is_named, setup, teardown),
        cmocka_unit_test_setup_teardown(a_difference_is_named_by_its_path, setup, teardown),
        cmocka_unit_test_setup_teardown(a_draft_is_simulated_with_an_explanation, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
