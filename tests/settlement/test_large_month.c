/* A month of many redemptions is closed in the memory that a month of seven takes: nothing holds all its lines. */
#include "settled_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/resource.h>

#include <cmocka.h>

/* As structs in memory the many lines would be some 30 MB; a sanitizer keeps what was freed, so it is not asked there.
 */
enum { MANY = 200000, GROWTH_KB = 10 * 1024 };
#ifdef __SANITIZE_ADDRESS__
enum { COUNTS = 0 };
#else
enum { COUNTS = 1 };
#endif

/* The most that any child had until now. */
static long children_kb(void)
{
    struct rusage usage;

    assert_int_equal(getrusage(RUSAGE_CHILDREN, &usage), 0);
    return usage.ru_maxrss;
}

static int64_t closed_lines(struct world *world)
{
    assert_false(world_killed_after(world, 0, world_day_work));
    assert_false(world_killed_after(world, 0, world_period_work));
    return world_number(world, "SELECT sum(line_count) FROM statement WHERE type = 1");
}

static void many_lines_take_no_more_memory(void **state)
{
    struct world few, many;

    (void)state;
    world_make(&few);
    world_put_usual(&few);
    assert_int_equal(closed_lines(&few), 5);
    long before = children_kb();
    world_drop(&few);

    world_make(&many);
    world_put_random(&many, "2017-01", MANY, 7);
    assert_true(closed_lines(&many) > MANY / 2);
    long after = children_kb();
    world_drop(&many);
    if (COUNTS && after - before > GROWTH_KB)
        fail_msg("%ld KB for a few lines, %ld KB for many", before, after);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(many_lines_take_no_more_memory) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
