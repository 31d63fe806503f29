/* Tiers that card spend makes: reached at once, kept for their period and grace, lost by whoever asks first or the
 * walk. */
#include "house.h"

#include "engine/sweeper.h"
#include "service/roster_work.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define BANK "bank/bank-a"
#define OLGA "operator/olga"

/* 100 fen earn 10 points, of gold 20; silver is 5,000 fen in 12 months, gold 10,000, both with 3 months of grace. */
#define DOCUMENT                                                                                                       \
    "{'rules': {'rates': [{'currencyCode': 'CNY', 'conversionRate': {'num': '1', 'den': '1'}, 'settlementRate': "      \
    "{'num': '7', 'den': '10'}}], 'minimumPoints': '1', 'expiryMonths': 60, 'accrualRate': {'num': '1', 'den': "       \
    "'10'}, "                                                                                                          \
    "'tierCreditLimits': [{'tier': 2, 'points': '700'}]}, 'accrualBase': 'ACCRUAL_BASE_WITHOUT_POINTS', "              \
    "'tiers': [{'tier': 1, 'name': 'silver', 'qualifyingSpend': {'amountMinor': '%d', 'currencyCode': 'CNY'}, "        \
    "'periodMonths': 12, 'graceMonths': 3}, {'tier': 2, 'name': 'gold', 'qualifyingSpend': {'amountMinor': '10000', "  \
    "'currencyCode': 'CNY'}, 'periodMonths': 12, 'graceMonths': 3, 'multiplier': {'num': '2', 'den': '1'}, "           \
    "'conversionFactor': {'num': '1', 'den': '2'}}, "                                                                  \
    "{'tier': 7, 'name': 'chosen'}], 'accrualRules': [{'name': 'cash', 'priority': 9, 'match': {'categories': "        \
    "[{'first': 6010, 'last': 6012}]}, 'excluded': true}]}"

static void publish(struct house *house, int number, int silver, const char *from)
{
    house_ask(house, "bank/bank-a/person/ann", "DraftRuleSet",
              "{'requestId': '%s', 'bankId': 'bank-a', 'document': " DOCUMENT "}", house_id(), silver);
    house_expect(house_ask(house, BANK, "ValidateRuleSet", "{'bankId': 'bank-a', 'number': %d}", number),
                 "{'findings': []}");
    house_ask(house, "bank/bank-a/person/ben", "ApproveRuleSet", "{'bankId': 'bank-a', 'number': %d}", number);
    house_ask(house, BANK, "ScheduleRuleSet", "{'bankId': 'bank-a', 'number': %d, 'effectiveFrom': '%s'}", number,
              from);
}

/* The clock at noon, and the business date with it. */
static void to_the_day(struct house *house, const char *date)
{
    char sql[100];

    house_ask(house, OLGA, "AdvanceTestClock", "{'programmeId': 'demo', 'programmeTime': '%sT14:00:00Z'}", date);
    snprintf(sql, sizeof sql, "UPDATE fence SET business_date = '%s'", date);
    house_sql(house, sql);
}

static int setup(void **state)
{
    struct house *house = house_open();

    *state = house;
    house_found(house);
    house_member(house, "ann", 10); /* what was spent before there were tiers does not count */
    publish(house, 1, 5000, "2026-01-15T13:00:00Z");
    to_the_day(house, "2026-01-20");
    return 0;
}

static int teardown(void **state)
{
    house_close(*state);
    return 0;
}

/* More fields begin with a comma. */
static json_t *row(struct house *house, const char *member, const char *ref, int minor, const char *date,
                   const char *more)
{
    json_t *answer = house_push(house, BANK, "PushAccruals",
                                "{'bankId': 'bank-a', 'rows': [{'rowNumber': '1', 'transactionRef': '%s', 'memberRef': "
                                "'%s', 'amount': {'amountMinor': '%d', 'currencyCode': 'CNY'}, 'transactionTime': "
                                "'%sT09:00:00Z'%s}]}",
                                ref, member, minor, date, more);

    house_expect(answer, "{'verdicts': [{'outcome': 'ROW_OUTCOME_CREATED'}]}");
    return answer;
}

static void spend(struct house *house, const char *ref, int minor, const char *date)
{
    row(house, "ann", ref, minor, date, "");
}

static json_t *standing(struct house *house, const char *member)
{
    return json_object_get(house_ask(house, BANK, "GetMember", "{'bankId': 'bank-a', 'memberRef': '%s'}", member),
                           "tierStanding");
}

static void tier_is(struct house *house, int tier, const char *lost_on)
{
    house_expect(standing(house, "ann"), "{'tier': %d, 'lostOn': '%s'}", tier, lost_on);
    house_expect(house_ask(house, BANK, "GetMember", "{'bankId': 'bank-a', 'memberRef': 'ann'}"),
                 "{'facts': {'tier': %d}}", tier);
    house_expect(house_ask(house, BANK, "GetBalance", "{'bankId': 'bank-a', 'memberRef': 'ann'}"), "{'tier': %d}",
                 tier);
}

/* Chunks of that many, in all buckets, until there is nothing left to do; how many tiers it changed. */
static int64_t sweep(struct house *house, int32_t limit)
{
    int64_t before = house_count(house, "SELECT count(*) FROM tier_change");
    struct sweep_done done;
    struct error err = { 0 };

    for (int32_t bucket = 0; bucket < TEST_BUCKETS; bucket++) {
        do {
            if (!sweeper_run(house->db, house->office.lanes, bucket, limit, &done, &err))
                fail_msg("%s", error_text(&err));
        } while (done.worked);
    }
    return house_count(house, "SELECT count(*) FROM tier_change") - before;
}

static int64_t entries(struct house *house)
{
    return house_count(house, "SELECT count(*) FROM journal");
}

static void spend_raises_at_once(void **state)
{
    struct house *house = *state;

    house_expect(standing(house, "ann"), "{'tier': 0, 'lostOn': '', 'next': {'tier': 1, 'name': 'silver', "
                                         "'periodFrom': '2025-02-01', 'spent': {'amountMinor': '0'}, 'missing': "
                                         "{'amountMinor': '5000', 'currencyCode': 'CNY'}}}");
    spend(house, "t-1", 4999, "2026-01-20");
    tier_is(house, 0, "");
    spend(house, "t-2", 1, "2026-01-20");
    tier_is(house, 1, "2027-04-01");
    /* One message: the second row already earns as gold. */
    json_t *answer = house_push(
        house, BANK, "PushAccruals",
        "{'bankId': 'bank-a', 'rows': [{'rowNumber': '1', 'transactionRef': 't-3', 'memberRef': 'ann', 'amount': "
        "{'amountMinor': '5000', 'currencyCode': 'CNY'}, 'transactionTime': '2026-01-20T11:00:00Z'}, {'rowNumber': "
        "'2', 'transactionRef': 't-4', 'memberRef': 'ann', 'amount': {'amountMinor': '100', 'currencyCode': 'CNY'}, "
        "'transactionTime': '2026-01-20T11:00:00Z'}]}");
    house_expect(answer, "{'verdicts': [{'points': '500'}, {'points': '20'}]}");
    tier_is(house, 2, "2027-04-01");
    house_expect(standing(house, "ann"), "{'held': {'tier': 2, 'spent': {'amountMinor': '10100'}, 'needed': "
                                         "{'amountMinor': '10000'}, 'missing': {'amountMinor': '0'}}, "
                                         "'rulesVersion': 2}");
    assert_null(json_object_get(standing(house, "ann"), "next"));
    assert_int_equal(house_count(house, "SELECT count(*) FROM member_change WHERE changed_by = 'tier-review'"), 2);
    assert_int_equal(house_count(house, "SELECT count(*) FROM tier_change"), 2);
    /* Sent again it counts once. */
    house_push(house, BANK, "PushAccruals",
               "{'bankId': 'bank-a', 'rows': [{'rowNumber': '1', 'transactionRef': 't-4', 'memberRef': 'ann', "
               "'amount': {'amountMinor': '100', 'currencyCode': 'CNY'}, 'transactionTime': '2026-01-20T11:00:00Z'}]}");
    assert_int_equal(house_count(house, "SELECT sum(a) FROM tier_review, unnest(amounts) a"), 10100);
}

static void what_counts_is_stated(void **state)
{
    struct house *house = *state;

    row(house, "ann", "c-1", 9000, "2026-01-20", ", 'merchantCategoryCode': '6011'");
    tier_is(house, 0, "");
    row(house, "ann", "c-2", 9000, "2026-01-20", ", 'paidWithPointsMinor': '4001'");
    tier_is(house, 0, "");
    /* The bank fixed the points, not the spend; a late purchase counts in its month. */
    row(house, "ann", "c-3", 1, "2025-03-31", ", 'fixedPoints': '9'");
    tier_is(house, 1, "2026-06-01");
    assert_int_equal(
        house_count(house,
                    "SELECT count(*) FROM tier_review WHERE months @> '{2025-03-01}' AND cardinality(months) = 2"),
        1);
}

static void without_spend_it_falls_after_the_grace(void **state)
{
    struct house *house = *state;

    spend(house, "t-1", 6000, "2026-01-20");
    to_the_day(house, "2026-03-31");
    spend(house, "t-2", 4000, "2026-03-31");
    tier_is(house, 2, "2027-04-01");
    to_the_day(house, "2027-03-31");
    assert_int_equal(sweep(house, 500), 0);
    tier_is(house, 2, "2027-04-01");

    /* Nobody has come by yet, and every answer is as if. */
    to_the_day(house, "2027-04-01");
    int64_t before = entries(house);
    tier_is(house, 0, "");
    assert_int_equal(entries(house), before);
    assert_int_equal(house_count(house, "SELECT tier FROM account"), 2);
    assert_int_equal(sweep(house, 1), 1);
    assert_int_equal(house_count(house, "SELECT tier FROM account"), 0);
    assert_int_equal(entries(house), before + 1);
    assert_int_equal(sweep(house, 1), 0);
    tier_is(house, 0, "");
}

/* Whoever moves the member's points first finds the tier of the day. */
static void a_purchase_finds_the_tier_of_the_day(void **state)
{
    struct house *house = *state;

    spend(house, "t-1", 10000, "2026-01-20");
    to_the_day(house, "2027-03-31");
    house_expect(row(house, "ann", "t-2", 100, "2027-03-31", ""), "{'verdicts': [{'points': '20'}]}");
    to_the_day(house, "2027-04-01");
    house_expect(row(house, "ann", "t-3", 100, "2027-04-01", ""), "{'verdicts': [{'points': '10'}]}");
    tier_is(house, 0, "");
    assert_int_equal(house_count(house, "SELECT count(*) FROM tier_change WHERE (tier_before, tier_after, judged_tier, "
                                        "spent_minor, needed_minor, first_day) = (2, 0, 2, 100, 10000, '2026-05-01')"),
                     1);
    assert_int_equal(house_count(house, "SELECT count(*) FROM journal WHERE kind = 1 AND rules_version = 2"), 2);
}

static void a_hold_finds_the_tier_of_the_day(void **state)
{
    struct house *house = *state;

    spend(house, "t-1", 10000, "2026-01-20");
    to_the_day(house, "2027-04-01");
    house_ask(house, "merchant/shop-1", "HoldRedemption",
              "{'requestId': '%s', 'bankId': 'bank-a', 'memberRef': 'ann', 'points': '10', 'merchantId': 'shop-1', "
              "'storeId': 's-1'}",
              house_id());
    assert_int_equal(house_count(house, "SELECT count(*) FROM account WHERE tier = 0 AND tier_due = '1970-01-01'"), 1);
}

static void a_quote_knows_the_tier_of_the_day(void **state)
{
    struct house *house = *state;
    const char *quote = "{'merchantId': 'shop-1', 'bankId': 'bank-a', 'goodsId': 'kettle', 'quantity': '1', "
                        "'memberRef': 'ann'}";

    spend(house, "t-1", 10000, "2026-01-20");
    to_the_day(house, "2027-03-31");
    house_expect(house_ask(house, "merchant/shop-1", "QuoteRedemption", "%s", quote), "{'points': '250'}");
    to_the_day(house, "2027-04-01");
    house_expect(house_ask(house, "merchant/shop-1", "QuoteRedemption", "%s", quote), "{'points': '500'}");
    assert_int_equal(house_count(house, "SELECT tier FROM account"), 2);
}

/* A list that says what the member was until yesterday is the bank's word of today. */
static void a_list_finds_the_tier_of_the_day(void **state)
{
    struct house *house = *state;
    struct roster_work work;
    struct roster_worker *worker;
    struct error err = { 0 };
    char line[200], printed[4096];

    spend(house, "t-1", 10000, "2026-01-20");
    to_the_day(house, "2027-04-01");
    roster_work_init(&work, house->office.lanes, house->office.reference, &house->key);
    assert_true(roster_worker_open(&work, house->conninfo, &worker, &err));
    snprintf(line, sizeof line, "printf 'member_ref,credit_limit,tier\\nann,0,2\\n' >%s/list.csv", house->dir);
    assert_int_equal(system(line), 0);
    snprintf(line, sizeof line, "alliance roster push %s/list.csv 1 2027-04-01", house->dir);
    if (house_type(house, BANK, line, printed, sizeof printed) != 0)
        fail_msg("%s", printed);
    roster_worker_close(worker);
    tier_is(house, 2, "2028-07-01");
    assert_int_equal(house_count(house, "SELECT count(*) FROM tier_change WHERE tier_after = 0"), 1);
}

static void it_is_earned_back_in_the_grace(void **state)
{
    struct house *house = *state;

    spend(house, "t-1", 10000, "2026-01-20");
    to_the_day(house, "2027-03-31");
    spend(house, "t-2", 10000, "2027-03-31");
    tier_is(house, 2, "2028-06-01");
    to_the_day(house, "2027-04-01");
    assert_int_equal(sweep(house, 500), 0);
    tier_is(house, 2, "2028-06-01");
}

static void a_return_takes_it_off_again(void **state)
{
    struct house *house = *state;

    spend(house, "t-1", 6001, "2026-01-20");
    row(house, "ann", "t-2", 6000, "2026-01-20", ", 'paidWithPointsMinor': '2000'");
    tier_is(house, 2, "2027-04-01");
    to_the_day(house, "2026-02-10");
    /* Half of it, of which a third was points: 8,001 are left, and the grace begins with this month. */
    row(house, "ann", "r-1", 3000, "2026-02-10", ", 'reversalOf': 't-2'");
    house_expect(standing(house, "ann"), "{'lostOn': '2026-06-01', 'held': {'spent': {'amountMinor': '8001'}}}");
    tier_is(house, 2, "2026-06-01");
    to_the_day(house, "2026-05-31");
    assert_int_equal(sweep(house, 500), 0);
    to_the_day(house, "2026-06-01");
    tier_is(house, 1, "2027-04-01");
    assert_int_equal(sweep(house, 500), 1);
    tier_is(house, 1, "2027-04-01");
    /* Everything: the month is gone, and what the purchase earned before there were tiers never counted. */
    row(house, "ann", "r-2", 3000, "2026-06-01", ", 'reversalOf': 't-2'");
    row(house, "ann", "r-3", 6001, "2026-06-01", ", 'reversalOf': 't-1'");
    tier_is(house, 1, "2026-10-01");
    assert_int_equal(house_count(house, "SELECT cardinality(months) FROM tier_review"), 0);
}

static void the_year_ends_and_february_is_long(void **state)
{
    struct house *house = *state;

    to_the_day(house, "2027-12-31");
    spend(house, "t-1", 5000, "2027-12-31");
    tier_is(house, 1, "2029-03-01");
    to_the_day(house, "2028-02-29");
    spend(house, "t-2", 5000, "2028-02-29");
    tier_is(house, 2, "2029-03-01");
    to_the_day(house, "2029-02-28");
    tier_is(house, 2, "2029-03-01");
    to_the_day(house, "2029-03-01");
    tier_is(house, 1, "2029-05-01");
}

static void set_tier(struct house *house, int tier)
{
    house_ask(house, BANK, "SetTier", "{'requestId': '%s', 'bankId': 'bank-a', 'memberRef': 'ann', 'tier': %d}",
              house_id(), tier);
}

static void the_banks_word_stands_for_a_period(void **state)
{
    struct house *house = *state;

    set_tier(house, 2);
    tier_is(house, 2, "2027-04-01");
    house_push(house, BANK, "PushMembers",
               "{'bankId': 'bank-a', 'rows': [{'rowNumber': '1', 'member': {'memberRef': 'ann', 'tier': {'number': "
               "1}}}, {'rowNumber': '2', 'member': {'memberRef': 'bob', 'tier': {'number': 2}}}, {'rowNumber': '3', "
               "'member': {'memberRef': 'cat', 'tier': {'number': 7}}}, {'rowNumber': '4', 'member': {'memberRef': "
               "'dan', 'tier': {'number': 0}}}]}");
    tier_is(house, 1, "2027-04-01");
    house_expect(standing(house, "bob"), "{'tier': 2, 'lostOn': '2027-04-01'}");
    house_expect(standing(house, "cat"), "{'tier': 7, 'lostOn': ''}");
    assert_null(json_object_get(standing(house, "cat"), "held"));
    assert_int_equal(house_count(house, "SELECT count(*) FROM tier_review"), 3); /* nothing is known of dan */
    to_the_day(house, "2026-02-01");
    /* Said again by the list it is not said anew; by SetTier it is. */
    house_expect(house_push(house, BANK, "PushMembers",
                            "{'bankId': 'bank-a', 'rows': [{'rowNumber': '1', 'member': {'memberRef': 'ann', 'tier': "
                            "{'number': 1}}}]}"),
                 "{'verdicts': [{'outcome': 'ROW_OUTCOME_UNCHANGED'}]}");
    tier_is(house, 1, "2027-04-01");
    set_tier(house, 1);
    tier_is(house, 1, "2027-05-01");
    to_the_day(house, "2027-05-01");
    assert_int_equal(sweep(house, 2), 2);
    tier_is(house, 0, "");
    assert_int_equal(house_count(house, "SELECT tier FROM account WHERE member_ref = 'cat'"), 7);
}

/* Members had tiers before the rules asked for spend: the daily walk finds them, once. */
static void a_tier_from_before_is_found_by_the_walk(void **state)
{
    struct house *house = *state;

    house_sql(house, "UPDATE account SET tier = 2");
    assert_int_equal(sweep(house, 500), 0); /* brought under the review, nothing else */
    assert_int_equal(house_count(house, "SELECT count(*) FROM account WHERE tier = 2 AND tier_due = '2027-04-01'"), 1);
    to_the_day(house, "2026-01-21");
    assert_int_equal(sweep(house, 500), 0);
    to_the_day(house, "2027-04-01");
    assert_int_equal(sweep(house, 500), 1);
    tier_is(house, 0, "");
}

static void another_version_is_looked_at_by_the_walk(void **state)
{
    struct house *house = *state;

    spend(house, "t-1", 5000, "2026-01-20");
    publish(house, 2, 6000, "2026-02-10T00:00:00Z");
    to_the_day(house, "2026-02-11");
    sweep(house, 500);
    assert_int_equal(house_count(house, "SELECT rules_version FROM tier_review"), 3);
    tier_is(house, 1, "2026-06-01"); /* reached until February, and three months of grace */
    /* And then rules without any such tier. */
    house_ask(house, BANK, "PublishExchangeRules",
              "{'requestId': '%s', 'rules': {'bankId': 'bank-a', 'effectiveFrom': '2026-02-12T00:00:00Z', 'rates': "
              "[{'currencyCode': 'CNY', 'conversionRate': {'num': 1, 'den': 1}, 'settlementRate': {'num': 7, 'den': "
              "10}}], 'expiryMonths': 12, 'accrualRate': {'num': 1, 'den': 10}}}",
              house_id());
    to_the_day(house, "2026-06-01");
    assert_null(json_object_get(standing(house, "ann"), "tier"));
    sweep(house, 500);
    assert_int_equal(house_count(house, "SELECT count(*) FROM account WHERE tier = 1 AND tier_due = '1970-01-01'"), 1);
    /* What was in force once is no longer in memory: whatever is published, all is read again. */
    house_ask(house, BANK, "PublishExchangeRules",
              "{'requestId': '%s', 'rules': {'bankId': 'bank-a', 'effectiveFrom': '2026-07-01T00:00:00Z', 'rates': "
              "[{'currencyCode': 'CNY', 'conversionRate': {'num': 1, 'den': 1}, 'settlementRate': {'num': 7, 'den': "
              "10}}], 'expiryMonths': 12, 'accrualRate': {'num': 1, 'den': 10}}}",
              house_id());
    row(house, "ann", "r-1", 5000, "2026-06-01", ", 'reversalOf': 't-1'");
    assert_int_equal(house_count(house, "SELECT cardinality(months) FROM tier_review"), 0);
}

/* Killed after its commands are committed and before its own transaction is. */
static void a_walk_that_was_killed_is_done_again(void **state)
{
    struct house *house = *state;
    struct sweep_done done;
    struct error err = { 0 };
    char ref[16];

    for (int i = 0; i < 40; i++) {
        snprintf(ref, sizeof ref, "m-%d", i);
        house_member(house, ref, 0);
        row(house, ref, ref, i % 2 ? 10000 : 100, "2026-01-20", "");
    }
    to_the_day(house, "2027-04-01");
    house_sql(house, "ALTER TABLE sweep ADD CONSTRAINT killed CHECK (after_member_id = "
                     "'00000000-0000-0000-0000-000000000000')");
    for (int32_t bucket = 0; bucket < TEST_BUCKETS; bucket++)
        assert_false(sweeper_run(house->db, house->office.lanes, bucket, 7, &done, &err));
    int64_t some = house_count(house, "SELECT count(*) FROM tier_change WHERE tier_after = 0");
    assert_in_range(some, 1, 19);
    house_sql(house, "ALTER TABLE sweep DROP CONSTRAINT killed");
    assert_int_equal(sweep(house, 7), 20 - some);
    assert_int_equal(house_count(house, "SELECT count(*) FROM tier_change WHERE tier_after = 0"), 20);
    assert_int_equal(house_count(house, "SELECT count(*) FROM account WHERE tier <> 0"), 0);
    assert_int_equal(house_count(house, "SELECT count(*) FROM (SELECT FROM journal GROUP BY bucket, member_id HAVING "
                                        "count(*) <> max(seq)) x"),
                     0);
}

/* A limit by tier follows, in the same entry. */
static void the_credit_limit_follows(void **state)
{
    struct house *house = *state;

    house_push(house, BANK, "PushMembers",
               "{'bankId': 'bank-a', 'rows': [{'rowNumber': '1', 'member': {'memberRef': 'ann', 'creditByTier': "
               "true}}]}");
    spend(house, "t-1", 10000, "2026-01-20");
    house_expect(house_ask(house, BANK, "GetBalance", "{'bankId': 'bank-a', 'memberRef': 'ann'}"),
                 "{'tier': 2, 'creditLimit': '700'}");
    to_the_day(house, "2027-04-01");
    house_expect(house_ask(house, BANK, "GetBalance", "{'bankId': 'bank-a', 'memberRef': 'ann'}"),
                 "{'tier': 0, 'creditLimit': '0'}");
    house_expect(house_ask(house, BANK, "GetMember", "{'bankId': 'bank-a', 'memberRef': 'ann'}"),
                 "{'facts': {'tier': 0, 'creditLimit': '0'}}"); /* as of now too, though nobody has written it */
    sweep(house, 500);
    assert_int_equal(house_count(house, "SELECT credit_limit FROM account"), 0);
}

/* Whoever could draw yesterday can today, until somebody has mended it. */
static void a_limit_by_tier_outlives_a_set_that_cannot_be_read(void **state)
{
    struct house *house = *state;

    house_push(house, BANK, "PushMembers",
               "{'bankId': 'bank-a', 'rows': [{'rowNumber': '1', 'member': {'memberRef': 'ann', 'creditByTier': "
               "true}}]}");
    spend(house, "t-1", 10000, "2026-01-20");
    house_sql(house,
              "ALTER TABLE rule_set DISABLE TRIGGER USER; UPDATE rule_set SET document = '\\x0aff' WHERE version > 0");
    house_ask(house, "bank/bank-b", "PublishExchangeRules", /* so that the snapshot is loaded anew */
              "{'requestId': '%s', 'rules': {'bankId': 'bank-b', 'effectiveFrom': '2026-03-01T00:00:00Z', 'rates': "
              "[{'currencyCode': 'CNY', 'conversionRate': {'num': '1', 'den': '1'}, 'settlementRate': {'num': '1', "
              "'den': '2'}}], 'expiryMonths': 12, 'accrualRate': {'num': '1', 'den': '10'}}}",
              house_id());
    house_expect(house_push(house, BANK, "PushAccruals",
                            "{'bankId': 'bank-a', 'rows': [{'transactionRef': 't-2', 'memberRef': 'ann', 'amount': "
                            "{'amountMinor': '100', 'currencyCode': 'CNY'}, 'transactionTime': "
                            "'2026-01-20T09:00:00Z'}]}"),
                 "{'verdicts': [{'reason': 'NO_RULES_IN_FORCE'}]}");
    house_expect(house_push(house, BANK, "PushMembers",
                            "{'bankId': 'bank-a', 'rows': [{'rowNumber': '1', 'member': {'memberRef': 'ann', "
                            "'creditByTier': true}}]}"),
                 "{'verdicts': [{'outcome': 'ROW_OUTCOME_UNCHANGED'}]}");
    sweep(house, 500);
    assert_int_equal(house_count(house, "SELECT credit_limit FROM account"), 700);
}

static char *why(struct house *house)
{
    json_t *answer = house_ask(house, BANK, "ExplainEntry", "{'bankId': 'bank-a', 'memberRef': 'ann', 'seq': '%lld'}",
                               (long long)house_count(house, "SELECT max(seq) FROM journal WHERE kind = 1"));

    return json_dumps(json_object_get(answer, "steps"), JSON_COMPACT);
}

static void the_entry_says_why(void **state)
{
    struct house *house = *state;

    spend(house, "t-1", 10001, "2026-01-20");
    char *said = why(house);
    assert_non_null(strstr(said, "The tier went from 0 to 2 by the tier review, under rules version 2."));
    assert_non_null(strstr(said, "Tier 2 (gold) asks for 10000 CNY minor units in its period; from 2025-02-01 to "
                                 "2026-01-20 10001 counted: reached."));
    assert_null(strstr(said, "status, tier or cards"));
    free(said);
    to_the_day(house, "2027-04-02");
    sweep(house, 500);
    said = why(house);
    assert_non_null(strstr(said, "The tier went from 2 to 0"));
    assert_non_null(strstr(said, "from 2026-05-01 to 2027-04-02 0 counted: it is no longer reached"));
    free(said);
    house_expect(house_ask(house, BANK, "ListMemberChanges", "{'bankId': 'bank-a', 'memberRef': 'ann'}"),
                 "{'changes': [{}, {'changedBy': 'tier-review', 'before': {'tier': 0}, 'after': {'tier': 2}}, "
                 "{'changedBy': 'tier-review', 'before': {'tier': 2}, 'after': {'tier': 0}}]}");
}

static void the_command_line_shows_it(void **state)
{
    struct house *house = *state;
    char printed[4096];

    spend(house, "t-1", 6000, "2026-01-20");
    assert_int_equal(house_type(house, BANK, "alliance members show ann", printed, sizeof printed), 0);
    assert_non_null(strstr(printed, "tier_standing.held.name         silver\n"));
    assert_non_null(strstr(printed, "tier_standing.lost_on           2027-04-01\n"));
    assert_non_null(strstr(printed, "tier_standing.next.missing      40.00 CNY\n"));
}

static void a_closed_member_is_left_alone(void **state)
{
    struct house *house = *state;

    spend(house, "t-1", 10000, "2026-01-20");
    house_ask(house, BANK, "CloseMember", "{'requestId': '%s', 'bankId': 'bank-a', 'memberRef': 'ann'}", house_id());
    to_the_day(house, "2027-04-01");
    int64_t before = entries(house);
    sweep(house, 500);
    sweep(house, 500);
    assert_int_equal(entries(house), before);
    assert_int_equal(house_count(house, "SELECT count(*) FROM account WHERE tier = 2 AND tier_due = '1970-01-01'"), 1);
}

static int setup_without_tiers(void **state)
{
    struct house *house = house_open();

    *state = house;
    house_found(house);
    house_member(house, "ann", 10);
    return 0;
}

/* There is no table, and nobody misses it. */
static void where_no_tier_asks_for_spend_nothing_is_read(void **state)
{
    struct house *house = *state;

    house_sql(house, "DROP TABLE tier_review; DROP TABLE tier_change");
    spend(house, "t-1", 10000, "2026-01-15");
    row(house, "ann", "r-1", 5000, "2026-01-15", ", 'reversalOf': 't-1'");
    set_tier(house, 3);
    house_push(house, BANK, "PushMembers",
               "{'bankId': 'bank-a', 'rows': [{'rowNumber': '1', 'member': {'memberRef': 'ann', 'tier': {'number': "
               "1}}}]}");
    house_ask(house, "merchant/shop-1", "HoldRedemption",
              "{'requestId': '%s', 'bankId': 'bank-a', 'memberRef': 'ann', 'points': '10', 'merchantId': 'shop-1', "
              "'storeId': 's-1'}",
              house_id());
    house_expect(house_ask(house, BANK, "GetBalance", "{'bankId': 'bank-a', 'memberRef': 'ann'}"), "{'tier': 1}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(spend_raises_at_once, setup, teardown),
        cmocka_unit_test_setup_teardown(what_counts_is_stated, setup, teardown),
        cmocka_unit_test_setup_teardown(without_spend_it_falls_after_the_grace, setup, teardown),
        cmocka_unit_test_setup_teardown(a_purchase_finds_the_tier_of_the_day, setup, teardown),
        cmocka_unit_test_setup_teardown(a_hold_finds_the_tier_of_the_day, setup, teardown),
        cmocka_unit_test_setup_teardown(a_quote_knows_the_tier_of_the_day, setup, teardown),
        cmocka_unit_test_setup_teardown(a_list_finds_the_tier_of_the_day, setup, teardown),
        cmocka_unit_test_setup_teardown(it_is_earned_back_in_the_grace, setup, teardown),
        cmocka_unit_test_setup_teardown(a_return_takes_it_off_again, setup, teardown),
        cmocka_unit_test_setup_teardown(the_year_ends_and_february_is_long, setup, teardown),
        cmocka_unit_test_setup_teardown(the_banks_word_stands_for_a_period, setup, teardown),
        cmocka_unit_test_setup_teardown(a_tier_from_before_is_found_by_the_walk, setup, teardown),
        cmocka_unit_test_setup_teardown(another_version_is_looked_at_by_the_walk, setup, teardown),
        cmocka_unit_test_setup_teardown(a_walk_that_was_killed_is_done_again, setup, teardown),
        cmocka_unit_test_setup_teardown(the_credit_limit_follows, setup, teardown),
        cmocka_unit_test_setup_teardown(a_limit_by_tier_outlives_a_set_that_cannot_be_read, setup, teardown),
        cmocka_unit_test_setup_teardown(the_entry_says_why, setup, teardown),
        cmocka_unit_test_setup_teardown(the_command_line_shows_it, setup, teardown),
        cmocka_unit_test_setup_teardown(a_closed_member_is_left_alone, setup, teardown),
        cmocka_unit_test_setup_teardown(where_no_tier_asks_for_spend_nothing_is_read, setup_without_tiers, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
