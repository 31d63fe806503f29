/* A close that dies anywhere, or meets another one, leaves the same numbers and bytes in the end. */
#include "settled_world.h"

#include "store/db.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* What a run without trouble leaves. */
static char *kept, *files;

/* Makes the world as it was before any close; an emptied database is cheaper than a new one. */
static void populate(struct world *world)
{
    char command[128];

    world_do(world, "TRUNCATE " POINTS_TABLES
                    ", settlement_step, day_rollup, day_seal, statement, statement_chunk, statement_position, "
                    "settlement_posting, settlement_hold, settlement_account, journal");
    world_put_usual(world);
    /* 29 days more would be 29 times the same: begin near the end of the month */
    world_do(world, "UPDATE journal SET business_date = '2017-01-30' WHERE business_date = '2017-01-01'; "
                    "UPDATE fence SET business_date = '2017-01-30'");
    snprintf(command, sizeof command, "rm -rf %s/demo", world->dir);
    assert_int_equal(system(command), 0);
}

static int learn_the_right_outcome(void **state)
{
    struct world world;

    (void)state;
    world_make(&world);
    populate(&world);
    world_settle(&world, "2017-01-31", "2017-01");
    kept = world_kept(&world);
    files = world_files(&world);
    world_drop(&world);
    return 0;
}

static int forget(void **state)
{
    (void)state;
    free(kept);
    free(files);
    return 0;
}

static void assert_right_outcome(struct world *world)
{
    char *kept_now = world_kept(world), *files_now = world_files(world);

    assert_string_equal(kept_now, kept);
    assert_string_equal(files_now, files);
    free(kept_now);
    free(files_now);
}

/* Kills after step 1, after step 2, ... until the work comes to its end; returns how many steps it has. */
static int kill_after_each_step(world_work *work, bool days_first)
{
    struct world world;
    struct error err;
    bool killed = true;
    int step;

    world_make(&world);
    for (step = 0; killed; step++) {
        populate(&world);
        if (days_first)
            assert_int_equal(world_close_until(&world, "2017-01-31", &err), REASON_OK);
        killed = world_killed_after(&world, step + 1, work);
        world_settle(&world, "2017-01-31", "2017-01");
        assert_right_outcome(&world);
    }
    world_drop(&world);
    return step - 1;
}

static void a_day_close_killed_at_any_step_goes_on(void **state)
{
    (void)state;
    assert_int_equal(kill_after_each_step(world_day_work, false), 2 * (TEST_BUCKETS + 4));
}

static void a_period_close_killed_at_any_step_goes_on(void **state)
{
    (void)state;
    assert_int_equal(kill_after_each_step(world_period_work, true), 7);
}

/* Readers wait for the manifest: until it is there, a killed close may have left anything but that. */
static void a_killed_period_close_never_leaves_a_manifest_too_early(void **state)
{
    struct world world;
    struct error err;
    char path[128];

    (void)state;
    world_make(&world);
    populate(&world);
    assert_int_equal(world_close_until(&world, "2017-01-31", &err), REASON_OK);
    snprintf(path, sizeof path, "%s/demo/2017-01/manifest.json", world.dir);
    for (int step = 1; world_killed_after(&world, step, world_period_work); step++) {
        assert_int_equal(access(path, F_OK) == 0, step >= 6);
        assert_int_equal(world_number(&world, "SELECT count(*) FROM statement") > 0, step >= 4);
        world_do(&world, "TRUNCATE statement, statement_chunk; DELETE FROM settlement_step WHERE step IN "
                         "('STATEMENTS', 'FILES')");
        if (step >= 6)
            assert_int_equal(unlink(path), 0);
    }
    assert_right_outcome(&world);
    world_drop(&world);
}

/* A day whose fences have moved in part is finished before anything else, whatever day is asked for next. */
static void an_unfinished_day_comes_first(void **state)
{
    struct world world;
    struct error err;

    (void)state;
    world_make(&world);
    populate(&world);
    assert_true(world_killed_after(&world, 2, world_day_work));
    assert_int_equal(world_close_day(&world, "2017-01-31", &err), REASON_FIELD_INVALID);
    assert_non_null(strstr(err.detail, "before 2017-01-30"));
    assert_int_equal(world_close_day(&world, NULL, &err), REASON_OK);
    assert_int_equal(world_number(&world, "SELECT count(*) FROM fence WHERE business_date = '2017-01-31'"),
                     TEST_BUCKETS);
    world_settle(&world, "2017-01-31", "2017-01");
    assert_right_outcome(&world);
    world_drop(&world);
}

static void many_closes_at_once_leave_what_one_leaves(void **state)
{
    pid_t children[4];
    struct world world;
    struct error err;
    int status;

    (void)state;
    world_make(&world);
    populate(&world);
    for (size_t i = 0; i < COUNT(children); i++) {
        children[i] = fork();
        if (children[i] == 0)
            _exit(world_close_until(&world, "2017-01-31", &err) == REASON_OK &&
                          world_close_period(&world, "2017-01", &err) == REASON_OK
                      ? 0
                      : 1);
    }
    for (size_t i = 0; i < COUNT(children); i++) {
        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
    assert_right_outcome(&world);
    world_drop(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_day_close_killed_at_any_step_goes_on),
        cmocka_unit_test(a_period_close_killed_at_any_step_goes_on),
        cmocka_unit_test(a_killed_period_close_never_leaves_a_manifest_too_early),
        cmocka_unit_test(an_unfinished_day_comes_first),
        cmocka_unit_test(many_closes_at_once_leave_what_one_leaves),
    };

    return cmocka_run_group_tests(tests, learn_the_right_outcome, forget);
}
