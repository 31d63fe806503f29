/* tests/unit/test_rules.c -- what points are worth: each sum's rounding, its edges, and the instant rules take effect.
 */
#include "base/limits.h"
#include "domain/rules.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <string.h>

#include <cmocka.h>

enum { UNTOUCHED = -4711 };

static const struct {
    const char *story;
    int64_t price_minor, num, den;
    enum reason expected;
    int64_t points;
} prices[] = {
    { "a point a minor unit", 1999, 1, 1, REASON_OK, 1999 },
    { "the rate comes out whole", 1000, 1, 5, REASON_OK, 200 },
    { "one minor unit more costs a point more", 1001, 1, 5, REASON_OK, 201 },
    { "one less costs as much", 999, 1, 5, REASON_OK, 200 },
    { "the smallest price costs a point", 1, 1, RATIO_MAX, REASON_OK, 1 },
    { "a third", 100, 1, 3, REASON_OK, 34 },
    { "dear points", 7, 5, 2, REASON_OK, 18 },
    { "exactly the most", POINTS_MAX, 1, 1, REASON_OK, POINTS_MAX },
    { "a rounding below the most", 2 * POINTS_MAX - 1, 1, 2, REASON_OK, POINTS_MAX },
    { "a rounding past the most", 2 * POINTS_MAX + 1, 1, 2, REASON_AMOUNT_TOO_LARGE, UNTOUCHED },
    { "one too many", POINTS_MAX + 1, 1, 1, REASON_AMOUNT_TOO_LARGE, UNTOUCHED },
    { "the product needs more than 64 bits", AMOUNT_MINOR_MAX, RATIO_MAX, RATIO_MAX, REASON_AMOUNT_TOO_LARGE,
      UNTOUCHED },
    { "a product past 64 bits whose result fits", 2 * POINTS_MAX, RATIO_MAX / 2, RATIO_MAX, REASON_OK, POINTS_MAX },
    { "the result needs more than 64 bits", INT64_MAX, RATIO_MAX, 1, REASON_AMOUNT_TOO_LARGE, UNTOUCHED },
};

static void prices_are_rounded_up(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(prices); i++) {
        struct currency_rate rate = { "CNY", { prices[i].num, prices[i].den }, { 1, 1 } };
        int64_t points = UNTOUCHED;
        enum reason reason = rules_price_in_points(&rate, prices[i].price_minor, &points);
        if (reason != prices[i].expected || points != prices[i].points)
            fail_msg("%s: %s %lld", prices[i].story, reason_name(reason), (long long)points);
    }
}

static const struct {
    const char *story;
    int64_t amount_minor, num, den;
    enum reason expected;
    int64_t points;
} earnings[] = {
    { "a point a unit of 100", 10000, 1, 100, REASON_OK, 100 },
    { "one minor unit short", 9999, 1, 100, REASON_OK, 99 },
    { "exactly one point", 100, 1, 100, REASON_OK, 1 },
    { "just short of one point", 99, 1, 100, REASON_NOTHING_EARNED, UNTOUCHED },
    { "nothing spent", 0, 1, 1, REASON_NOTHING_EARNED, UNTOUCHED },
    { "less than nothing spent", -100, 1, 1, REASON_NOTHING_EARNED, UNTOUCHED },
    { "a tiny rate", AMOUNT_MINOR_MAX, 1, RATIO_MAX, REASON_OK, 100000 },
    { "exactly the most", POINTS_MAX, 1, 1, REASON_OK, POINTS_MAX },
    { "a rounding below one too many", 2 * POINTS_MAX + 1, 1, 2, REASON_OK, POINTS_MAX },
    { "one too many", POINTS_MAX + 1, 1, 1, REASON_AMOUNT_TOO_LARGE, UNTOUCHED },
    { "more than 64 bits", INT64_MAX, RATIO_MAX, 1, REASON_AMOUNT_TOO_LARGE, UNTOUCHED },
};

static void earnings_are_rounded_down(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(earnings); i++) {
        struct exchange_rules rules = { .accrual = { earnings[i].num, earnings[i].den } };
        int64_t points = UNTOUCHED;
        enum reason reason = rules_points_earned(&rules, earnings[i].amount_minor, &points);
        if (reason != earnings[i].expected || points != earnings[i].points)
            fail_msg("%s: %s %lld", earnings[i].story, reason_name(reason), (long long)points);
    }
}

static const struct {
    const char *story;
    int64_t points, num, den;
    int32_t commission_bp;
    enum reason expected;
    struct settlement_amounts amounts;
} settlements[] = {
    { "whole sums", 1000, 1, 1, 250, REASON_OK, { 1000, 25 } },
    { "no commission", 1000, 1, 1, 0, REASON_OK, { 1000, 0 } },
    { "all commission", 1000, 1, 1, 10000, REASON_OK, { 1000, 1000 } },
    { "gross: a tie goes down to an even one", 5, 1, 2, 0, REASON_OK, { 2, 0 } },
    { "gross: a tie goes up to an even one", 7, 1, 2, 0, REASON_OK, { 4, 0 } },
    { "gross: less than half", 1, 1, 3, 0, REASON_OK, { 0, 0 } },
    { "gross: more than half", 2, 1, 3, 0, REASON_OK, { 1, 0 } },
    { "commission: a tie goes down to an even one", 50, 1, 1, 500, REASON_OK, { 50, 2 } },
    { "commission: a tie goes up to an even one", 150, 1, 1, 500, REASON_OK, { 150, 8 } },
    { "commission: a tie goes down to none", 10, 1, 1, 500, REASON_OK, { 10, 0 } },
    { "commission: just past the tie", 11, 1, 1, 500, REASON_OK, { 11, 1 } },
    { "commission is taken of the rounded gross", 7, 1, 2, 5000, REASON_OK, { 4, 2 } },
    { "the largest within the limits",
      POINTS_MAX,
      9000000,
      1,
      10000,
      REASON_OK,
      { INT64_C(9000000000000000000), INT64_C(9000000000000000000) } },
    { "past 64 bits", POINTS_MAX, 10000000, 1, 1, REASON_AMOUNT_TOO_LARGE, { UNTOUCHED, UNTOUCHED } },
    { "gross fits, the product with commission needs 128 bits",
      POINTS_MAX,
      9000000,
      1,
      9999,
      REASON_OK,
      { INT64_C(9000000000000000000), INT64_C(8999100000000000000) } },
};

static void settlements_are_rounded_half_even(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(settlements); i++) {
        struct currency_rate rate = { "CNY", { 1, 1 }, { settlements[i].num, settlements[i].den } };
        struct terms terms = { .commission_bp = settlements[i].commission_bp };
        struct settlement_amounts amounts = { UNTOUCHED, UNTOUCHED };
        enum reason reason = rules_settle(&rate, &terms, settlements[i].points, &amounts);
        if (reason != settlements[i].expected || amounts.gross_minor != settlements[i].amounts.gross_minor ||
            amounts.commission_minor != settlements[i].amounts.commission_minor)
            fail_msg("%s: %s %lld %lld", settlements[i].story, reason_name(reason), (long long)amounts.gross_minor,
                     (long long)amounts.commission_minor);
    }
}

static const struct {
    const char *story;
    size_t count;
    int64_t now_us;
    int32_t expected; /* version; 0 for none */
} moments[] = {
    { "no versions at all", 0, 1000, 0 },          { "before the first", 3, 99, 0 },
    { "at the first's instant", 3, 100, 1 },       { "just before the second", 3, 199, 1 },
    { "at the second's instant", 3, 200, 2 },      { "just before the third", 3, 299, 2 },
    { "at the third's instant", 3, 300, 3 },       { "for ever after", 3, INT64_MAX, 3 },
    { "only the first is published", 1, 1000, 1 }, { "before all time", 3, INT64_MIN, 0 },
};

static void a_version_is_in_force_from_its_very_instant(void **state)
{
    static const struct exchange_rules rules[] = { { .version = 1, .effective_from = { 100 } },
                                                   { .version = 2, .effective_from = { 200 } },
                                                   { .version = 3, .effective_from = { 300 } } };
    static const struct terms terms[] = { { .version = 1, .effective_from = { 100 } },
                                          { .version = 2, .effective_from = { 200 } },
                                          { .version = 3, .effective_from = { 300 } } };

    (void)state;
    for (size_t i = 0; i < COUNT(moments); i++) {
        struct instant now = { moments[i].now_us };
        const struct exchange_rules *found = rules_in_force(rules, moments[i].count, now);
        const struct terms *agreed = terms_in_force(terms, moments[i].count, now);
        if ((found ? found->version : 0) != moments[i].expected ||
            (agreed ? agreed->version : 0) != moments[i].expected)
            fail_msg("%s", moments[i].story);
    }
}

static void rates_are_found_by_currency(void **state)
{
    static const struct exchange_rules rules = {
        .rates = { { .currency = "CNY", { 1, 1 }, { 1, 1 } }, { .currency = "USD", { 2, 1 }, { 1, 1 } } },
        .rate_count = 2,
    };
    static const struct exchange_rules none = { .rates = { { .currency = "CNY", { 1, 1 }, { 1, 1 } } } };

    (void)state;
    assert_ptr_equal(rules_rate(&rules, "CNY"), &rules.rates[0]);
    assert_ptr_equal(rules_rate(&rules, "USD"), &rules.rates[1]);
    assert_null(rules_rate(&rules, "EUR"));
    assert_null(rules_rate(&rules, "USDX"));
    assert_null(rules_rate(&rules, ""));
    assert_null(rules_rate(&none, "CNY"));
}

static const struct {
    const char *story, *earned_on;
    int32_t months;
    const char *over_on;
} expiries[] = {
    { "the end of the month itself", "2026-11-22", 0, "2026-12-01" },
    { "earned on its last day", "2026-11-30", 0, "2026-12-01" },
    { "a month on", "2026-11-01", 1, "2027-01-01" },
    { "a year on", "2026-01-31", 12, "2027-02-01" },
    { "to a leap February", "2027-02-28", 12, "2028-03-01" },
    { "from a leap day", "2024-02-29", 12, "2025-03-01" },
    { "ten years", "2017-12-31", 120, "2028-01-01" },
};

static void points_last_to_the_end_of_a_month(void **state)
{
    char text[DATE_TEXT];

    (void)state;
    for (size_t i = 0; i < COUNT(expiries); i++) {
        struct exchange_rules rules = { .expiry_months = expiries[i].months };
        struct date earned_on;
        assert_true(date_parse(expiries[i].earned_on, &earned_on));
        date_format(rules_expiry(&rules, earned_on), text);
        if (strcmp(text, expiries[i].over_on) != 0)
            fail_msg("%s: %s", expiries[i].story, text);
    }
}

/* A fixed day is the first of its name not before the day that many months later. */
static const struct {
    const char *story;
    int16_t kind;
    int32_t months, month, day;
    const char *spendable_on, *over_on;
} kinds[] = {
    { "end of month: said", EXPIRY_END_OF_MONTH, 0, 0, 0, "2026-01-15", "2026-02-01" },
    { "end of month: the last day", EXPIRY_END_OF_MONTH, 0, 0, 0, "2026-01-31", "2026-02-01" },
    { "end of month: over a leap day", EXPIRY_END_OF_MONTH, 1, 0, 0, "2028-01-31", "2028-03-01" },
    { "to the day: no months", EXPIRY_TO_THE_DAY, 0, 0, 0, "2026-01-31", "2026-01-31" },
    { "to the day", EXPIRY_TO_THE_DAY, 12, 0, 0, "2026-01-15", "2027-01-15" },
    { "to the day: into a shorter month", EXPIRY_TO_THE_DAY, 1, 0, 0, "2026-01-31", "2026-02-28" },
    { "to the day: into a leap month", EXPIRY_TO_THE_DAY, 1, 0, 0, "2028-01-31", "2028-02-29" },
    { "to the day: from the leap day", EXPIRY_TO_THE_DAY, 12, 0, 0, "2028-02-29", "2029-02-28" },
    { "to the day: leap day to leap day", EXPIRY_TO_THE_DAY, 48, 0, 0, "2028-02-29", "2032-02-29" },
    { "to the day: 2100 has none", EXPIRY_TO_THE_DAY, 48, 0, 0, "2096-02-29", "2100-02-28" },
    { "to the day: 30 to 31 days", EXPIRY_TO_THE_DAY, 1, 0, 0, "2026-04-30", "2026-05-30" },
    { "to the day: over the year", EXPIRY_TO_THE_DAY, 2, 0, 0, "2026-12-31", "2027-02-28" },
    { "fixed day: later this year", EXPIRY_FIXED_DAY, 0, 12, 31, "2026-01-15", "2026-12-31" },
    { "fixed day: today", EXPIRY_FIXED_DAY, 0, 6, 30, "2026-06-30", "2026-06-30" },
    { "fixed day: missed by a day", EXPIRY_FIXED_DAY, 0, 6, 30, "2026-07-01", "2027-06-30" },
    { "fixed day: months first", EXPIRY_FIXED_DAY, 12, 6, 30, "2026-06-30", "2027-06-30" },
    { "fixed day: months first, then missed", EXPIRY_FIXED_DAY, 12, 6, 30, "2026-07-01", "2028-06-30" },
    { "fixed day: months cut to a short month", EXPIRY_FIXED_DAY, 1, 2, 28, "2026-01-31", "2026-02-28" },
    { "29 February in a leap year", EXPIRY_FIXED_DAY, 0, 2, 29, "2028-01-01", "2028-02-29" },
    { "29 February on the day", EXPIRY_FIXED_DAY, 0, 2, 29, "2028-02-29", "2028-02-29" },
    { "29 February otherwise: the day after the 28th", EXPIRY_FIXED_DAY, 0, 2, 29, "2026-01-01", "2026-03-01" },
    { "29 February otherwise, on that day", EXPIRY_FIXED_DAY, 0, 2, 29, "2026-03-01", "2026-03-01" },
    { "29 February otherwise, missed", EXPIRY_FIXED_DAY, 0, 2, 29, "2026-03-02", "2027-03-01" },
    { "29 February missed, the next year has it", EXPIRY_FIXED_DAY, 0, 2, 29, "2027-03-02", "2028-02-29" },
    { "1 January", EXPIRY_FIXED_DAY, 0, 1, 1, "2026-12-31", "2027-01-01" },
    { "31 December", EXPIRY_FIXED_DAY, 0, 12, 31, "2026-12-31", "2026-12-31" },
};

static void points_last_as_long_as_the_bank_says(void **state)
{
    char text[DATE_TEXT];

    (void)state;
    for (size_t i = 0; i < COUNT(kinds); i++) {
        const struct exchange_rules rules = { .expiry_kind = kinds[i].kind,
                                              .expiry_months = kinds[i].months,
                                              .expiry_month = kinds[i].month,
                                              .expiry_day = kinds[i].day };
        struct date spendable_on;
        assert_true(date_parse(kinds[i].spendable_on, &spendable_on));
        date_format(rules_expiry(&rules, spendable_on), text);
        if (strcmp(text, kinds[i].over_on) != 0)
            fail_msg("%s: %s", kinds[i].story, text);
    }
}

static void caps_are_those_of_the_highest_tier_reached(void **state)
{
    static const struct {
        int32_t tier, cap_count;
        int64_t expected; /* per_day; 0 when there is no cap */
    } rows[] = {
        { 0, 0, 0 },  { 5, 0, 0 },  { 0, 3, 0 },  { 1, 3, 0 },  { 2, 3, 10 },        { 3, 3, 10 },
        { 4, 3, 10 }, { 5, 3, 20 }, { 6, 3, 20 }, { 9, 3, 30 }, { TIER_MAX, 3, 30 }, { 9, 2, 20 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct exchange_rules rules = { .caps = { { 2, 0, 10, 0 }, { 5, 0, 20, 0 }, { 9, 0, 30, 0 } },
                                              .cap_count = rows[i].cap_count };
        const struct caps *caps = rules_caps(&rules, rows[i].tier);
        if ((caps ? caps->per_day : 0) != rows[i].expected)
            fail_msg("tier %d of %d caps", rows[i].tier, rows[i].cap_count);
    }
}

static const struct {
    const char *story;
    struct settlement_amounts confirmed;
    int64_t confirmed_points, reversed_points;
    struct settlement_amounts part;
} parts[] = {
    { "none of it", { 1000, 25 }, 100, 0, { 0, 0 } },
    { "all of it", { 1000, 25 }, 100, 100, { 1000, 25 } },
    { "half, rounded down", { 1001, 25 }, 100, 50, { 500, 12 } },
    { "a point of many", { 99, 9 }, 100, 1, { 0, 0 } },
    { "all but a point", { 100, 10 }, 100, 99, { 99, 9 } },
    { "no money was moved", { 0, 0 }, 7, 3, { 0, 0 } },
    { "the largest", { INT64_MAX, INT64_MAX }, POINTS_MAX, POINTS_MAX, { INT64_MAX, INT64_MAX } },
    { "most of the largest", { INT64_MAX, 1 }, 2, 1, { INT64_MAX / 2, 0 } },
};

static void a_reversed_part_is_rounded_down(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(parts); i++) {
        struct settlement_amounts part =
            rules_reversed_part(parts[i].confirmed, parts[i].confirmed_points, parts[i].reversed_points);
        if (part.gross_minor != parts[i].part.gross_minor || part.commission_minor != parts[i].part.commission_minor)
            fail_msg("%s: %lld %lld", parts[i].story, (long long)part.gross_minor, (long long)part.commission_minor);
    }
}

/*
 * Every way to give back `points` in steps: bit i of `cuts` ends a step after point i+1. The steps' differences are
 * never negative and sum to the whole.
 */
static void split_every_way(struct settlement_amounts confirmed, int points)
{
    for (unsigned cuts = 0; cuts < 1u << (points - 1); cuts++) {
        struct settlement_amounts before = { 0, 0 }, sum = { 0, 0 };
        for (int reversed = 1; reversed <= points; reversed++) {
            if (reversed < points && !(cuts >> (reversed - 1) & 1))
                continue;
            struct settlement_amounts now = rules_reversed_part(confirmed, points, reversed);
            assert_true(now.gross_minor >= before.gross_minor && now.commission_minor >= before.commission_minor);
            assert_true(now.commission_minor <= now.gross_minor);
            sum.gross_minor += now.gross_minor - before.gross_minor;
            sum.commission_minor += now.commission_minor - before.commission_minor;
            before = now;
        }
        assert_int_equal(sum.gross_minor, confirmed.gross_minor);
        assert_int_equal(sum.commission_minor, confirmed.commission_minor);
    }
}

/* Of every purchase, all ways to return it in two steps, and unit by unit, sum to what it earned. */
static void returned_parts_sum_to_what_was_earned(void **state)
{
    (void)state;
    for (int64_t amount = 1; amount <= 40; amount++) {
        for (int64_t points = 0; points <= 50; points += 7) {
            int64_t sum = 0;
            for (int64_t unit = 0; unit < amount; unit++) {
                int64_t part = rules_points_reversed(points, amount, unit, 1);
                assert_true(part >= 0);
                sum += part;
            }
            assert_int_equal(sum, points);
            for (int64_t first = 1; first < amount; first++)
                assert_int_equal(rules_points_reversed(points, amount, 0, first) +
                                     rules_points_reversed(points, amount, first, amount - first),
                                 points);
        }
    }
    assert_int_equal(rules_points_reversed(10, 107, 0, 36), 3);
    assert_int_equal(rules_points_reversed(POINTS_MAX, AMOUNT_MINOR_MAX, 0, AMOUNT_MINOR_MAX), POINTS_MAX);
    assert_int_equal(rules_points_reversed(POINTS_MAX, 3, 1, 1), 333333333333);
}

static void all_splits_sum_to_the_whole(void **state)
{
    (void)state;
    for (int points = 1; points <= 8; points++) {
        for (int64_t gross = 0; gross <= 12; gross++) {
            for (int64_t commission = 0; commission <= gross; commission++)
                split_every_way((struct settlement_amounts){ gross, commission }, points);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(prices_are_rounded_up),
        cmocka_unit_test(earnings_are_rounded_down),
        cmocka_unit_test(settlements_are_rounded_half_even),
        cmocka_unit_test(a_version_is_in_force_from_its_very_instant),
        cmocka_unit_test(rates_are_found_by_currency),
        cmocka_unit_test(points_last_to_the_end_of_a_month),
        cmocka_unit_test(points_last_as_long_as_the_bank_says),
        cmocka_unit_test(caps_are_those_of_the_highest_tier_reached),
        cmocka_unit_test(a_reversed_part_is_rounded_down),
        cmocka_unit_test(all_splits_sum_to_the_whole),
        cmocka_unit_test(returned_parts_sum_to_what_was_earned),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
