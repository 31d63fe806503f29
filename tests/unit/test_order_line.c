/* tests/unit/test_order_line.c -- sums over order lines to the last unit, and reversals that leave no residue. */
#include "domain/order_line.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const struct {
    const char *story;
    int64_t total;
    size_t count;
    int64_t weights[4], parts[4];
} allocations[] = {
    { "comes out whole", 10, 2, { 1, 1 }, { 5, 5 } },
    { "the first of equals gets the one more", 11, 2, { 1, 1 }, { 6, 5 } },
    { "two of three equals", 5, 3, { 1, 1, 1 }, { 2, 2, 1 } },
    { "the largest remainder, not the largest weight", 10, 3, { 5, 3, 1 }, { 6, 3, 1 } },
    { "remainders decide", 100, 3, { 1, 1, 4 }, { 17, 17, 66 } },
    { "a tie behind a larger remainder", 7, 4, { 2, 1, 1, 2 }, { 3, 1, 1, 2 } },
    { "a weight of zero gets nothing", 5, 3, { 0, 1, 0 }, { 0, 5, 0 } },
    { "nor the one more", 5, 3, { 0, 1, 1 }, { 0, 3, 2 } },
    { "less than there are parts", 1, 3, { 1, 1, 1 }, { 1, 0, 0 } },
    { "less, and the last weighs most", 1, 3, { 1, 1, 2 }, { 0, 0, 1 } },
    { "nothing to split", 0, 3, { 3, 2, 1 }, { 0, 0, 0 } },
    { "nothing over nothing", 0, 2, { 0, 0 }, { 0, 0 } },
    { "one part", 7, 1, { 3 }, { 7 } },
    { "no parts", 0, 0, { 0 }, { 0 } },
    { "as many as the weights", 6, 3, { 1, 2, 3 }, { 1, 2, 3 } },
    { "the largest of all", INT64_MAX, 2, { INT64_MAX, INT64_MAX }, { INT64_MAX / 2 + 1, INT64_MAX / 2 } },
    { "the largest over one and many", INT64_MAX, 2, { 1, INT64_MAX - 1 }, { 1, INT64_MAX - 1 } },
    { "one over the largest weights", 1, 2, { INT64_MAX - 1, INT64_MAX }, { 0, 1 } },
};

static void what_is_left_goes_to_the_largest_remainders(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(allocations); i++) {
        int64_t parts[4] = { -1, -1, -1, -1 };
        allocate_exactly(allocations[i].total, allocations[i].weights, allocations[i].count, parts);
        for (size_t k = 0; k < allocations[i].count; k++) {
            if (parts[k] != allocations[i].parts[k])
                fail_msg("%s: part %zu is %lld", allocations[i].story, k, (long long)parts[k]);
        }
    }
}

static uint32_t next(uint64_t *seed)
{
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(*seed >> 33);
}

/* Each part is its quota rounded down or up, and they add up: for every small total over many weights. */
static void parts_add_up_and_stay_by_their_quota(void **state)
{
    uint64_t seed = 1;

    (void)state;
    for (int round = 0; round < 2000; round++) {
        int64_t weights[LINES_MAX], parts[LINES_MAX], sum = 0, got = 0, total = next(&seed) % 1000;
        size_t count = 1 + next(&seed) % LINES_MAX;
        for (size_t i = 0; i < count; i++)
            sum += weights[i] = next(&seed) % (round % 3 ? 1000 : 3);
        if (sum == 0)
            continue;
        allocate_exactly(total, weights, count, parts);
        for (size_t i = 0; i < count; i++) {
            int64_t low = total * weights[i] / sum;
            got += parts[i];
            assert_true(parts[i] == low || (parts[i] == low + 1 && total * weights[i] % sum != 0));
        }
        assert_int_equal(got, total);
    }
}

static struct order_lines lines_of(const int64_t *points, size_t count)
{
    struct order_lines lines = { .count = count };

    for (size_t i = 0; i < count; i++) {
        snprintf(lines.at[i].id, sizeof lines.at[i].id, "l%zu", i);
        lines.at[i].points = points[i];
    }
    return lines;
}

static void lines_are_found_by_their_whole_name(void **state)
{
    struct order_lines lines = lines_of((const int64_t[]){ 1, 2 }, 2);

    (void)state;
    memset(lines.at[1].id, 'x', LINE_ID_MAX);
    assert_int_equal(order_lines_find(&lines, "l0"), 0);
    assert_int_equal(order_lines_find(&lines, "l"), -1);
    assert_int_equal(order_lines_find(&lines, ""), -1);
    assert_int_equal(order_lines_find(&lines, "l00"), -1);
    assert_int_equal(order_lines_find(&lines, "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"), 1);
    assert_int_equal(order_lines_find(&lines, "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"), -1);
}

static const struct {
    const char *story;
    int64_t asked[3], points;
    struct settlement_amounts amounts;
    int64_t confirmed[3], gross[3], commission[3];
} confirmations[] = {
    { "all of it", { 10, 20, 30 }, 60, { 42, 4 }, { 10, 20, 30 }, { 7, 14, 21 }, { 1, 1, 2 } },
    { "a part", { 10, 20, 30 }, 31, { 22, 1 }, { 5, 10, 16 }, { 4, 7, 11 }, { 0, 0, 1 } },
    { "a point: money goes with it", { 10, 10, 10 }, 1, { 9, 3 }, { 1, 0, 0 }, { 9, 0, 0 }, { 3, 0, 0 } },
    { "points without money", { 1, 1, 1 }, 3, { 0, 0 }, { 1, 1, 1 }, { 0, 0, 0 }, { 0, 0, 0 } },
    { "ties", { 1, 1, 1 }, 2, { 5, 1 }, { 1, 1, 0 }, { 3, 2, 0 }, { 1, 0, 0 } },
};

static void a_confirmation_is_shared_by_points(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(confirmations); i++) {
        struct order_lines lines = lines_of(confirmations[i].asked, 3);
        order_lines_confirm(&lines, confirmations[i].points, &confirmations[i].amounts);
        for (size_t k = 0; k < 3; k++) {
            const struct order_line *line = &lines.at[k];
            if (line->points != confirmations[i].confirmed[k] ||
                line->amounts.gross_minor != confirmations[i].gross[k] ||
                line->amounts.commission_minor != confirmations[i].commission[k])
                fail_msg("%s: line %zu has %lld %lld %lld", confirmations[i].story, k, (long long)line->points,
                         (long long)line->amounts.gross_minor, (long long)line->amounts.commission_minor);
        }
    }
}

/* 10, 20 and 30 points confirmed for 100 gross, 7 commission: 17 33 50 and 1 2 4 */
static const struct {
    const char *story;
    struct {
        int only;
        int64_t points;
        struct settlement_amounts expected;
    } steps[4];
    int64_t left[3];
} reversals[] = {
    { "all at once", { { -1, 60, { 100, 7 } } }, { 0, 0, 0 } },
    { "a line alone", { { 1, 20, { 33, 2 } } }, { 10, 0, 30 } },
    { "half a line, rounded down", { { 0, 5, { 8, 0 } }, { 0, 5, { 9, 1 } } }, { 0, 20, 30 } },
    { "half of all", { { -1, 30, { 49, 3 } }, { -1, 30, { 51, 4 } } }, { 0, 0, 0 } },
    { "the rest after a line", { { 2, 30, { 50, 4 } }, { -1, 30, { 50, 3 } } }, { 0, 0, 0 } },
    { "one point goes to the largest", { { -1, 1, { 1, 0 } } }, { 10, 20, 29 } },
    { "a line, then one of each by what is left", { { 0, 10, { 17, 1 } }, { -1, 2, { 2, 0 } } }, { 0, 19, 29 } },
};

static void reversals_take_each_lines_share(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(reversals); i++) {
        struct order_lines lines = lines_of((const int64_t[]){ 10, 20, 30 }, 3);
        order_lines_confirm(&lines, 60, &(struct settlement_amounts){ 100, 7 });
        for (size_t k = 0; k < COUNT(reversals[i].steps) && reversals[i].steps[k].points; k++) {
            struct settlement_amounts got =
                order_lines_reverse(&lines, reversals[i].steps[k].only, reversals[i].steps[k].points);
            if (got.gross_minor != reversals[i].steps[k].expected.gross_minor ||
                got.commission_minor != reversals[i].steps[k].expected.commission_minor)
                fail_msg("%s, step %zu: %lld %lld", reversals[i].story, k, (long long)got.gross_minor,
                         (long long)got.commission_minor);
        }
        for (size_t k = 0; k < 3; k++) {
            if (order_line_left(&lines.at[k]) != reversals[i].left[k])
                fail_msg("%s: line %zu has %lld left", reversals[i].story, k, (long long)order_line_left(&lines.at[k]));
        }
    }
}

/* However it is cut into steps, over all lines or one, in the end all points and all money are back: never more. */
static void no_way_of_reversing_leaves_a_residue(void **state)
{
    uint64_t seed = 7;

    (void)state;
    for (int round = 0; round < 3000; round++) {
        int64_t asked[LINES_MAX], total = 0;
        size_t count = 1 + next(&seed) % 5;
        for (size_t i = 0; i < count; i++)
            total += asked[i] = 1 + next(&seed) % 30;
        struct order_lines lines = lines_of(asked, count);
        struct settlement_amounts amounts = { next(&seed) % 200, next(&seed) % 20 }, sum = { 0, 0 };
        int64_t left = 1 + next(&seed) % (uint32_t)total;
        order_lines_confirm(&lines, left, &amounts);
        while (left > 0) {
            int only = (int)(next(&seed) % (count + 1)) - 1;
            int64_t there = only < 0 ? left : order_line_left(&lines.at[only]);
            if (there == 0)
                continue;
            int64_t points = next(&seed) % 2 ? there : 1 + next(&seed) % (uint32_t)there;
            struct settlement_amounts part = order_lines_reverse(&lines, only, points);
            assert_true(part.gross_minor >= 0 && part.commission_minor >= 0);
            sum.gross_minor += part.gross_minor;
            sum.commission_minor += part.commission_minor;
            left -= points;
            for (size_t i = 0; i < count; i++)
                assert_true(order_line_left(&lines.at[i]) >= 0);
        }
        assert_int_equal(sum.gross_minor, amounts.gross_minor);
        assert_int_equal(sum.commission_minor, amounts.commission_minor);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_left_goes_to_the_largest_remainders),
        cmocka_unit_test(parts_add_up_and_stay_by_their_quota),
        cmocka_unit_test(lines_are_found_by_their_whole_name),
        cmocka_unit_test(a_confirmation_is_shared_by_points),
        cmocka_unit_test(reversals_take_each_lines_share),
        cmocka_unit_test(no_way_of_reversing_leaves_a_residue),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
