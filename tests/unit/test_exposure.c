/* A limit shared out over buckets: together they never have more room than is left of it. */
#include "domain/exposure.h"

#include "base/error.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const struct {
    const char *story;
    int64_t limit, used[3];
    size_t first;
    int64_t need, allotted[3], left;
} cases[] = {
    { "nothing used: evenly, the remainder to the first", 100, { 0, 0, 0 }, 0, 0, { 34, 33, 33 }, 100 },
    { "each keeps what it uses", 100, { 50, 0, 20 }, 0, 0, { 60, 10, 30 }, 30 },
    { "who needs more gets it first", 100, { 50, 0, 20 }, 1, 24, { 52, 26, 22 }, 30 },
    { "and no more than there is", 100, { 50, 0, 20 }, 2, 31, { 50, 0, 50 }, 30 },
    { "just used up", 70, { 50, 0, 20 }, 0, 0, { 50, 0, 20 }, 0 },
    { "one too many: nobody has room, not by giving back one either", 69, { 50, 0, 20 }, 0, 0, { 49, -1, 19 }, -1 },
    { "a limit of nothing", 0, { 0, 0, 0 }, 1, 5, { 0, 0, 0 }, 0 },
    { "more came back than is counted", 10, { -5, 0, 5 }, 0, 0, { -1, 3, 8 }, 10 },
};

static const struct {
    const char *story;
    int64_t used, limit;
    int32_t before, expected;
} levels[] = {
    { "none", 79, 100, 0, 0 },
    { "80", 80, 100, 0, 80 },
    { "rounded up", 80, 101, 0, 0 },
    { "and reached", 81, 101, 0, 80 },
    { "90", 90, 100, 80, 90 },
    { "all", 100, 100, 0, 100 },
    { "more than all", 200, 100, 100, 100 },
    { "not left yet", 95, 100, 100, 100 },
    { "left", 94, 100, 100, 90 },
    { "left by two", 84, 100, 100, 80 },
    { "left altogether", 74, 100, 100, 0 },
    { "a limit of nothing, unused", 0, 0, 0, 0 },
    { "a limit of nothing, used", 1, 0, 0, 100 },
    { "more came back than is counted", -5, 0, 80, 0 },
    { "the largest limit", INT64_C(100000000000000), INT64_C(100000000000000), 0, 100 },
};

static void a_level_is_reached_and_left_a_little_later(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(levels); i++) {
        int32_t level = exposure_level(levels[i].used, levels[i].limit, levels[i].before);
        if (level != levels[i].expected)
            fail_msg("%s: %d", levels[i].story, (int)level);
    }
}

static void a_limit_is_shared_out(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct exposure_part parts[3];
        int64_t sum = 0;
        for (int k = 0; k < 3; k++)
            parts[k] = (struct exposure_part){ k, 1000, cases[i].used[k] };
        print_message("           %s\n", cases[i].story);
        assert_int_equal(exposure_spread(parts, 3, cases[i].limit, cases[i].first, cases[i].need), cases[i].left);
        for (int k = 0; k < 3; k++) {
            assert_int_equal(parts[k].allotted, cases[i].allotted[k]);
            sum += parts[k].allotted;
        }
        if (cases[i].left >= 0)
            assert_int_equal(sum, cases[i].limit);
    }
}

/* Whatever was held, given back and shared out before: a hold that finds room leaves no more used than the limit. */
static void no_order_of_events_breaks_the_limit(void **state)
{
    struct exposure_part parts[4] = { { 0, 0, 0 }, { 1, 0, 0 }, { 2, 0, 0 }, { 3, 0, 0 } };
    int64_t limit = 1000, held = 0, over = 0;
    uint64_t random = 42;

    (void)state;
    exposure_spread(parts, 4, limit, 0, 0);
    for (int i = 0; i < 200000; i++) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        struct exposure_part *part = &parts[random >> 62];
        int64_t minor = (int64_t)(random >> 40 & 127);
        unsigned event = random >> 50 & 255;
        if (event == 0)
            limit = (int64_t)(random >> 20 & 2047);
        if (event < 4)
            exposure_spread(parts, 4, limit, (size_t)(part - parts), minor);
        over += exposure_used(parts, 4) > limit;
        if (event >= 140 && part->used >= minor)
            part->used -= minor;
        if (event < 4 || event >= 140 || part->allotted - part->used < minor)
            continue;
        part->used += minor;
        held += minor > 0;
        if (minor > 0 && exposure_used(parts, 4) > limit)
            fail_msg("event %d: %lld used of %lld", i, (long long)exposure_used(parts, 4), (long long)limit);
    }
    assert_true(held > 1000);
    assert_true(over > 1000);
}

static void what_is_settled_comes_off_in_order(void **state)
{
    struct exposure_part parts[] = { { 0, 0, 30 }, { 1, 0, -5 }, { 2, 0, 40 } };

    (void)state;
    exposure_settle(parts, 3, 50);
    assert_int_equal(parts[0].used, 0);
    assert_int_equal(parts[1].used, -5);
    assert_int_equal(parts[2].used, 20);
    exposure_settle(parts, 3, 15);
    assert_int_equal(exposure_used(parts, 3), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_level_is_reached_and_left_a_little_later),
        cmocka_unit_test(a_limit_is_shared_out),
        cmocka_unit_test(no_order_of_events_breaks_the_limit),
        cmocka_unit_test(what_is_settled_comes_off_in_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
