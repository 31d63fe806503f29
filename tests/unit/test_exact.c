/* tests/unit/test_exact.c -- nothing wraps, and each rounding goes the way its name says. */
#include "base/exact.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { UNTOUCHED = 12345 };
#define NO_RESULT INT64_C(-98765) /* stands for "refused" in the tables */

static const struct {
    const char *story;
    int64_t a, b, sum, difference;
} sums[] = {
    { "small", 2, 3, 5, -1 },
    { "zero", 0, 0, 0, 0 },
    { "up to the top", INT64_MAX - 1, 1, INT64_MAX, INT64_MAX - 2 },
    { "over the top", INT64_MAX, 1, NO_RESULT, INT64_MAX - 1 },
    { "down to the bottom", INT64_MIN + 1, 1, INT64_MIN + 2, INT64_MIN },
    { "below the bottom", INT64_MIN, 1, INT64_MIN + 1, NO_RESULT },
    { "taking away the least", 0, INT64_MIN, INT64_MIN, NO_RESULT },
    { "the extremes cancel", INT64_MAX, INT64_MIN, -1, NO_RESULT },
    { "both least", INT64_MIN, INT64_MIN, NO_RESULT, 0 },
};

static void check(const char *story, const char *what, bool ok, int64_t out, int64_t expected)
{
    if (expected == NO_RESULT ? ok || out != UNTOUCHED : !ok || out != expected)
        fail_msg("%s, %s: %d %lld, not %lld", story, what, ok, (long long)out, (long long)expected);
}

static void sums_that_do_not_fit_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(sums); i++) {
        int64_t sum = UNTOUCHED, difference = UNTOUCHED;
        bool added = exact_add(sums[i].a, sums[i].b, &sum);
        check(sums[i].story, "add", added, sum, sums[i].sum);
        bool taken = exact_sub(sums[i].a, sums[i].b, &difference);
        check(sums[i].story, "sub", taken, difference, sums[i].difference);
    }
}

static const struct {
    const char *story;
    int64_t value, num, den, floor, ceil, half_even;
} ratios[] = {
    { "no rest", 6, 2, 3, 4, 4, 4 },
    { "nothing", 0, 7, 3, 0, 0, 0 },
    { "below half", 1, 1, 3, 0, 1, 0 },
    { "above half", 2, 1, 3, 0, 1, 1 },
    { "a tie goes down to 0", 1, 1, 2, 0, 1, 0 },
    { "a tie goes up to 2", 3, 1, 2, 1, 2, 2 },
    { "a tie goes down to 2", 5, 1, 2, 2, 3, 2 },
    { "a tie goes up to 4", 7, 1, 2, 3, 4, 4 },
    { "a tie with an even denominator", 25, 1, 10, 2, 3, 2 },
    { "just past the tie", 26, 1, 10, 2, 3, 3 },
    { "negative, below half", -1, 1, 3, -1, 0, 0 },
    { "negative, above half", -2, 1, 3, -1, 0, -1 },
    { "negative tie goes up to 0", -1, 1, 2, -1, 0, 0 },
    { "negative tie goes down to -2", -3, 1, 2, -2, -1, -2 },
    { "negative tie goes up to -2", -5, 1, 2, -3, -2, -2 },
    { "negative numerator", 3, -1, 2, -2, -1, -2 },
    { "both negative", -3, -1, 2, 1, 2, 2 },
    { "den 1", -7, 3, 1, -21, -21, -21 },
    { "the product needs 127 bits", INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX },
    { "the least of all squared", INT64_MIN, INT64_MIN, INT64_MAX, NO_RESULT, NO_RESULT, NO_RESULT },
    { "the least stays itself", INT64_MIN, 1, 1, INT64_MIN, INT64_MIN, INT64_MIN },
    { "the least turned round", INT64_MIN, -1, 1, NO_RESULT, NO_RESULT, NO_RESULT },
    { "one too many", INT64_MAX, 2, 1, NO_RESULT, NO_RESULT, NO_RESULT },
    { "only rounding up goes too far", INT64_MAX, INT64_C(3000000001), INT64_C(3000000000), NO_RESULT, NO_RESULT,
      NO_RESULT },
    { "a huge denominator", 1, 1, INT64_MAX, 0, 1, 0 },
    { "nearly half of a huge denominator", INT64_MAX / 2, 1, INT64_MAX, 0, 1, 0 },
    { "just over half of a huge denominator", INT64_MAX / 2 + 1, 1, INT64_MAX, 0, 1, 1 },
    { "den 0", 1, 1, 0, NO_RESULT, NO_RESULT, NO_RESULT },
    { "den negative", 1, 1, -2, NO_RESULT, NO_RESULT, NO_RESULT },
    { "den the least", 1, 1, INT64_MIN, NO_RESULT, NO_RESULT, NO_RESULT },
};

static void ratios_round_as_named(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(ratios); i++) {
        int64_t floor = UNTOUCHED, ceil = UNTOUCHED, half = UNTOUCHED;
        bool ok = exact_ratio_floor(ratios[i].value, ratios[i].num, ratios[i].den, &floor);
        check(ratios[i].story, "floor", ok, floor, ratios[i].floor);
        ok = exact_ratio_ceil(ratios[i].value, ratios[i].num, ratios[i].den, &ceil);
        check(ratios[i].story, "ceil", ok, ceil, ratios[i].ceil);
        ok = exact_ratio_half_even(ratios[i].value, ratios[i].num, ratios[i].den, &half);
        check(ratios[i].story, "half even", ok, half, ratios[i].half_even);
    }
}

/* 2 * INT64_MAX + 1 over 2: floor fits, ceil does not, the tie goes up from an odd number and does not either. */
static void only_the_rounding_may_make_it_too_large(void **state)
{
    const int64_t num = INT64_C(6148914691236517205); /* (2^64 - 1) / 3 */
    int64_t floor = UNTOUCHED, ceil = UNTOUCHED, half = UNTOUCHED;

    (void)state;
    assert_true(exact_ratio_floor(3, num, 2, &floor));
    assert_true(floor == INT64_MAX);
    assert_false(exact_ratio_ceil(3, num, 2, &ceil));
    assert_true(ceil == UNTOUCHED);
    assert_false(exact_ratio_half_even(3, num, 2, &half));
    assert_true(half == UNTOUCHED);
}

/* Against the definition, for every small ratio: no division by the code under test. */
static void small_ratios_agree_with_their_definition(void **state)
{
    (void)state;
    for (int64_t product = -60; product <= 60; product++) {
        for (int64_t den = 1; den <= 12; den++) {
            int64_t floor, ceil, half;
            assert_true(exact_ratio_floor(product, 1, den, &floor));
            assert_true(floor * den <= product && (floor + 1) * den > product);
            assert_true(exact_ratio_ceil(product, 1, den, &ceil));
            assert_true(ceil * den >= product && (ceil - 1) * den < product);
            assert_true(exact_ratio_half_even(product, 1, den, &half));
            int64_t twice_off = 2 * (half * den - product);
            assert_true(twice_off <= den && twice_off >= -den);
            assert_true((twice_off != den && twice_off != -den) || half % 2 == 0);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_that_do_not_fit_are_refused),
        cmocka_unit_test(ratios_round_as_named),
        cmocka_unit_test(only_the_rounding_may_make_it_too_large),
        cmocka_unit_test(small_ratios_agree_with_their_definition),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
