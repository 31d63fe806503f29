/* What a spend earns and a redemption costs under a rule set: rates, tiers, caps, bounds, each just at its edge. */
#include "domain/rule_set.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { GOLD = 2 };

static struct rule_match anywhere(void)
{
    return (
        struct rule_match){ .last_tier = TIER_MAX, .first_date = { RULE_DATE_FIRST }, .last_date = { RULE_DATE_LAST } };
}

static struct earn_rule *earn_rule(struct rule_set *set, const char *name, int32_t priority, struct ratio rate)
{
    struct earn_rule *rule = &set->earn_rules[set->earn_rule_count++];

    *rule = (struct earn_rule){ .priority = priority, .match = anywhere(), .rate = rate };
    strcpy(rule->name, name);
    return rule;
}

/*
 * 1 point for 10 fen; groceries (5411) 3 for 10, at most 1,000 a transaction and 1,500 a day; on the 8th everything 1
 * for 5; gambling (7995) nothing. Gold (tier 2 on): 3/2 as many, 9/10 of the price. 1 fen costs 1 point, electronics
 * (5732) 2; 10 points are worth 7 fen. Redemptions of 100 to 50,000 in steps of 50, at least a fifth in points.
 */
static int setup(void **state)
{
    struct rule_set *set = calloc(1, sizeof *set);

    *set = (struct rule_set){ .largest_minor = 1000000,
                              .maximum_points = 50000,
                              .step_points = 50,
                              .least_points_bp = 2000,
                              .most_points_bp = SHARE_ALL_BP,
                              .base = BASE_WHOLE,
                              .earn_caps = { .per_transaction = 20000, .per_day = 0, .per_month = 30000 } };
    set->rules = (struct exchange_rules){ .minimum_points = 100, .accrual = { 1, 10 }, .rate_count = 1 };
    set->rules.rates[0] = (struct currency_rate){ "CNY", { 1, 1 }, { 7, 10 } };
    struct earn_rule *groceries = earn_rule(set, "groceries", 10, (struct ratio){ 3, 10 });
    groceries->match.categories[0] = (struct category_range){ 5411, 5411 };
    groceries->match.category_count = 1;
    groceries->caps = (struct earn_caps){ 1000, 1500, 0 };
    struct earn_rule *day = earn_rule(set, "member day", 5, (struct ratio){ 1, 5 });
    day->match.month_days = 1U << 8;
    struct earn_rule *gambling = earn_rule(set, "gambling", 20, (struct ratio){ 0 });
    gambling->excluded = true;
    gambling->match.categories[0] = (struct category_range){ 7995, 7995 };
    gambling->match.category_count = 1;
    set->rate_rules[0] = (struct rate_rule){ .name = "electronics", .match = anywhere(), .conversion = { 2, 1 } };
    set->rate_rules[0].match.categories[0] = (struct category_range){ 5700, 5799 };
    set->rate_rules[0].match.category_count = 1;
    set->rate_rule_count = 1;
    set->tiers[0] = (struct tier){ .tier = GOLD,
                                   .name = "gold",
                                   .multiplier = { 3, 2 },
                                   .conversion = { 9, 10 },
                                   .goods = { "cruise" },
                                   .goods_count = 1 };
    set->tier_count = 1;
    *state = set;
    return 0;
}

static int teardown(void **state)
{
    free(*state);
    return 0;
}

static const struct {
    const char *story;
    int64_t amount;
    int32_t category, tier, day; /* day of January 2026 */
    struct earned {
        int64_t today, month, rule_today;
    } before;
    enum reason reason;
    int64_t points;
} spends[] = {
    { "the general rate, rounded down", 1009, 5999, 0, 1, { 0, 0, 0 }, REASON_OK, 100 },
    { "less than a point", 9, 5999, 0, 1, { 0, 0, 0 }, REASON_NOTHING_EARNED, 0 },
    { "just a point", 10, 5999, 0, 1, { 0, 0, 0 }, REASON_OK, 1 },
    { "one rounding with the tier's multiplier, not two: 19 * 3/20", 19, 5999, GOLD, 1, { 0, 0, 0 }, REASON_OK, 2 },
    { "just below the tier", 19, 5999, GOLD - 1, 1, { 0, 0, 0 }, REASON_OK, 1 },
    { "a higher tier has the entry below it", 19, 5999, 100, 1, { 0, 0, 0 }, REASON_OK, 2 },
    { "a rule of that category", 1009, 5411, 0, 1, { 0, 0, 0 }, REASON_OK, 302 },
    { "just the rule's cap", 3333, 5411, 0, 1, { 0, 0, 0 }, REASON_OK, 999 },
    { "past the rule's cap", 3339, 5411, 0, 1, { 0, 0, 0 }, REASON_OK, 1000 },
    { "what is left of the rule's day", 3339, 5411, 0, 1, { 900, 900, 900 }, REASON_OK, 600 },
    { "nothing is left of the rule's day", 3339, 5411, 0, 1, { 1500, 1500, 1500 }, REASON_NOTHING_EARNED, 0 },
    { "the day of the month", 1009, 5999, 0, 8, { 0, 0, 0 }, REASON_OK, 201 },
    { "the higher priority wins", 1009, 5411, 0, 8, { 0, 0, 0 }, REASON_OK, 302 },
    { "excluded", 100000, 7995, GOLD, 8, { 0, 0, 0 }, REASON_NOTHING_EARNED, 0 },
    { "a category nobody knows", 1009, CATEGORY_UNKNOWN, 0, 1, { 0, 0, 0 }, REASON_OK, 100 },
    { "the cap of one transaction", 1000000, 5999, 0, 8, { 0, 0, 0 }, REASON_OK, 20000 },
    { "what is left of the month", 1000000, 5999, 0, 1, { 29999, 29999, 0 }, REASON_OK, 1 },
    { "more than the set says it can answer", 1000001, 5999, 0, 1, { 0, 0, 0 }, REASON_AMOUNT_TOO_LARGE, 0 },
};

static void a_spend_earns(void **state)
{
    for (size_t i = 0; i < COUNT(spends); i++) {
        struct spend spend = { .where = { .currency = "CNY",
                                          .merchant_id = "shop",
                                          .channel = "",
                                          .category = spends[i].category,
                                          .tier = spends[i].tier,
                                          .date = date_of(2026, 1, spends[i].day) },
                               .amount_minor = spends[i].amount,
                               .earned_today = spends[i].before.today,
                               .earned_this_month = spends[i].before.month,
                               .rule_today = spends[i].before.rule_today };
        struct rule_trace trace;
        int64_t points = 0;
        print_message("           %s\n", spends[i].story);
        assert_int_equal(rule_set_earn(*state, &spend, &points, &trace), spends[i].reason);
        assert_int_equal(points, spends[i].points);
        if (spends[i].reason == REASON_OK)
            assert_int_equal(trace.steps[trace.count - 1].result, points);
    }
}

static void the_part_paid_with_points_counts_as_the_base_says(void **state)
{
    struct rule_set *set = *state;
    struct spend spend = { .where = { .currency = "CNY", .merchant_id = "", .channel = "", .category = 1 },
                           .amount_minor = 1000,
                           .paid_with_points_minor = 400 };
    struct rule_trace trace;
    int64_t points;

    assert_int_equal(rule_set_earn(set, &spend, &points, &trace), REASON_OK);
    assert_int_equal(points, 100);
    set->base = BASE_LESS_POINTS;
    assert_int_equal(rule_set_earn(set, &spend, &points, &trace), REASON_OK);
    assert_int_equal(points, 60);
    assert_int_equal(trace.steps[0].result, 600);
    spend.paid_with_points_minor = 1000;
    assert_int_equal(rule_set_earn(set, &spend, &points, &trace), REASON_NOTHING_EARNED);
    spend.where.currency = "USD";
    assert_int_equal(rule_set_earn(set, &spend, &points, &trace), REASON_CURRENCY_NOT_EXCHANGED);
}

static const struct {
    const char *story;
    int64_t price, offered;
    int32_t category, tier;
    const char *good;
    enum reason reason;
    struct redemption_price price_is;
} asks[] = {
    { "all in points, up to a step", 1001, 0, 1, 0, "", REASON_OK, { 1050, 1050, 0, 735 } },
    { "a rule's conversion", 1000, 0, 5732, 0, "", REASON_OK, { 2000, 2000, 0, 1400 } },
    { "the tier's better conversion, rounded up once", 1001, 0, 1, GOLD, "", REASON_OK, { 950, 950, 0, 665 } },
    { "just the minimum", 100, 0, 1, 0, "", REASON_OK, { 100, 100, 0, 70 } },
    { "below the minimum", 50, 0, 1, 0, "", REASON_BELOW_MINIMUM, { 0 } },
    { "half in points, the cash rounded up", 999, 500, 1, 0, "", REASON_OK, { 1000, 500, 500, 350 } },
    { "just a fifth", 1000, 200, 1, 0, "", REASON_OK, { 1000, 200, 800, 140 } },
    { "less than a fifth", 1000, 150, 1, 0, "", REASON_CASH_BOUNDS, { 0 } },
    { "more than it costs", 1000, 1050, 1, 0, "", REASON_CASH_BOUNDS, { 0 } },
    { "not a step", 1000, 510, 1, 0, "", REASON_NOT_A_STEP, { 0 } },
    { "as many as may be, the rest in cash", 100000, 0, 1, 0, "", REASON_OK, { 100000, 50000, 50000, 35000 } },
    { "more than may be", 100000, 50050, 1, 0, "", REASON_ABOVE_MAXIMUM, { 0 } },
    { "half to even: 50 * 7/10 is whole, so a step of 50 never rounds",
      150,
      150,
      1,
      0,
      "",
      REASON_OK,
      { 150, 150, 0, 105 } },
    { "a good for gold", 1000, 0, 1, GOLD - 1, "cruise", REASON_TIER_TOO_LOW, { 0 } },
    { "for gold and higher", 1000, 0, 1, GOLD + 1, "cruise", REASON_OK, { 900, 900, 0, 630 } },
    { "another good", 1000, 0, 1, 0, "kettle", REASON_OK, { 1000, 1000, 0, 700 } },
    { "larger than the set can answer", 1000001, 0, 1, 0, "", REASON_AMOUNT_TOO_LARGE, { 0 } },
};

static void a_redemption_costs(void **state)
{
    for (size_t i = 0; i < COUNT(asks); i++) {
        struct redemption_ask ask = { .where = { .currency = "CNY",
                                                 .merchant_id = "",
                                                 .channel = "",
                                                 .category = asks[i].category,
                                                 .tier = asks[i].tier },
                                      .goods_id = asks[i].good,
                                      .price_minor = asks[i].price,
                                      .points = asks[i].offered };
        struct redemption_price price;
        struct rule_trace trace;
        print_message("           %s\n", asks[i].story);
        assert_int_equal(rule_set_price(*state, &ask, &price, &trace), asks[i].reason);
        if (asks[i].reason == REASON_OK)
            assert_memory_equal(&price, &asks[i].price_is, sizeof price);
    }
}

static void without_cash_it_is_all_or_nothing(void **state)
{
    struct rule_set *set = *state;
    struct redemption_ask ask = { .where = { .currency = "CNY", .merchant_id = "", .channel = "" },
                                  .goods_id = "",
                                  .price_minor = 1000,
                                  .points = 950 };
    struct redemption_price price;
    struct rule_trace trace;

    set->least_points_bp = SHARE_ALL_BP;
    assert_int_equal(rule_set_price(set, &ask, &price, &trace), REASON_CASH_BOUNDS);
    ask.points = 1000;
    assert_int_equal(rule_set_price(set, &ask, &price, &trace), REASON_OK);
    assert_int_equal(price.cash_minor, 0);
    ask.points = 0;
    ask.price_minor = 50001;
    assert_int_equal(rule_set_price(set, &ask, &price, &trace), REASON_ABOVE_MAXIMUM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_spend_earns, setup, teardown),
        cmocka_unit_test_setup_teardown(the_part_paid_with_points_counts_as_the_base_says, setup, teardown),
        cmocka_unit_test_setup_teardown(a_redemption_costs, setup, teardown),
        cmocka_unit_test_setup_teardown(without_cash_it_is_all_or_nothing, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
