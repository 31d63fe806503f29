/* Closing business dates: when it may be done, what it leaves, and that nothing slips into a closed day. */
#include "settled_world.h"

#include "store/db.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static int set_up(void **state)
{
    static struct world world;

    world_make(&world);
    *state = &world;
    return 0;
}

static int tear_down(void **state)
{
    world_drop(*state);
    return 0;
}

static void assert_asked(struct world *world, const char *expected, const char *sql)
{
    char *text = world_ask(world, "%s", sql);

    assert_string_equal(text, expected);
    free(text);
}

static void a_closed_day_is_summed_sealed_and_left(void **state)
{
    struct world *world = *state;
    struct error err;

    world_put_usual(world);
    assert_int_equal(world_close_day(world, NULL, &err), REASON_OK);
    assert_asked(world, "2017-01-02|4\n", "SELECT business_date, count(*) FROM fence GROUP BY 1");
    assert_asked(world, "1|0|0|2|1|5000|0|0\n1|1|1|3|1|1000|0|0\n1|1|1|4|2|1400|1400|35\n2|2|2|4|1|300|333|7\n",
                 "SELECT bank_no, merchant_no, store_no, kind, entry_count, points, gross_minor, commission_minor "
                 "FROM day_rollup ORDER BY 1, 2, 3, 4");
    assert_asked(world, "0|3|7000|32\n1|1|400|32\n2|1|300|32\n3|0|0|32\n",
                 "SELECT bucket, entry_count, points, octet_length(hash) FROM day_seal ORDER BY 1");
    assert_asked(world, "DAY|1\nFENCE|4\nPOINTS|1\nROLL_UP|1\nSEAL|1\n",
                 "SELECT step, count(*) FROM settlement_step GROUP BY 1 ORDER BY 1");
}

static void a_day_of_nothing_is_closed_too(void **state)
{
    struct world *world = *state;
    struct error err;

    assert_int_equal(world_close_day(world, "2017-01-01", &err), REASON_OK);
    assert_int_equal(world_number(world, "SELECT count(*) FROM day_seal WHERE entry_count = 0"), 4);
    assert_int_equal(world_number(world, "SELECT count(*) FROM day_rollup"), 0);
}

/* The end of 2017-03-12 differs by zone; in New York that day has 23 hours. One microsecond earlier is too early. */
static const struct {
    const char *zone, *day, *end;
} ends[] = {
    { "Asia/Shanghai", "2017-03-12", "2017-03-12 16:00:00Z" },
    { "UTC", "2017-03-12", "2017-03-13 00:00:00Z" },
    { "America/New_York", "2017-03-11", "2017-03-12 05:00:00Z" },
    { "America/New_York", "2017-03-12", "2017-03-13 04:00:00Z" },
    { "Europe/London", "2016-02-29", "2016-03-01 00:00:00Z" },
    { "Pacific/Kiritimati", "2016-12-31", "2016-12-31 10:00:00Z" },
};

static void a_day_ends_at_midnight_of_its_zone(void **state)
{
    struct world *world = *state;

    for (size_t i = 0; i < COUNT(ends); i++) {
        struct error err;
        world_do(world, "DELETE FROM settlement_step; DELETE FROM day_seal; UPDATE programme SET time_zone = '%s'",
                 ends[i].zone);
        world_do(world,
                 "UPDATE fence SET business_date = '%s', test_clock = timestamptz '%s' - interval '1 microsecond'",
                 ends[i].day, ends[i].end);
        assert_int_equal(world_close_day(world, NULL, &err), REASON_DAY_NOT_OVER);
        assert_non_null(strstr(err.detail, ends[i].day));
        assert_int_equal(world_number(world, "SELECT count(*) FROM settlement_step"), 0);
        world_do(world, "UPDATE fence SET test_clock = '%s'", ends[i].end);
        assert_int_equal(world_close_day(world, NULL, &err), REASON_OK);
    }
}

static void the_slowest_fence_decides(void **state)
{
    struct world *world = *state;
    struct error err;

    world_do(world, "UPDATE fence SET test_clock = '2017-01-01 10:00Z' WHERE bucket = 2");
    assert_int_equal(world_close_day(world, NULL, &err), REASON_DAY_NOT_OVER);
}

static void a_live_programme_goes_by_the_databases_clock(void **state)
{
    struct world *world = *state;
    struct error err;

    world_do(world, "UPDATE fence SET test_clock = 'epoch', "
                    "business_date = (now() AT TIME ZONE 'Asia/Shanghai')::date");
    assert_int_equal(world_close_day(world, NULL, &err), REASON_DAY_NOT_OVER);
    world_do(world, "UPDATE fence SET business_date = business_date - 1");
    assert_int_equal(world_close_day(world, NULL, &err), REASON_OK);
}

static void a_given_day_must_be_the_open_one(void **state)
{
    struct world *world = *state;
    struct error err;

    assert_int_equal(world_close_day(world, "2017-01-02", &err), REASON_FIELD_INVALID);
    assert_non_null(strstr(err.detail, "cannot be closed before 2017-01-01"));
    assert_int_equal(world_close_day(world, "2016-12-31", &err), REASON_FIELD_INVALID);
    assert_non_null(strstr(err.detail, "began on 2017-01-01"));
    assert_int_equal(world_close_day(world, "2017-01-01", &err), REASON_OK);
    char *before = world_kept(world);
    assert_int_equal(world_close_day(world, "2017-01-01", &err), REASON_OK);
    char *after = world_kept(world);
    assert_string_equal(before, after);
    free(before);
    free(after);
}

static void days_are_closed_one_after_another(void **state)
{
    struct world *world = *state;
    struct error err;

    world_put_usual(world);
    assert_int_equal(world_close_until(world, "2017-02-01", &err), REASON_OK);
    assert_int_equal(world_number(world, "SELECT count(*) FROM settlement_step WHERE step = 'DAY'"), 32);
    assert_int_equal(world_number(world, "SELECT count(*) FROM day_seal"), 32 * 4);
    assert_int_equal(world_number(world, "SELECT sum(entry_count) FROM day_rollup"), 7);
    assert_int_equal(world_close_until(world, "2017-01-15", &err), REASON_OK);
    assert_int_equal(world_number(world, "SELECT count(*) FROM settlement_step WHERE step = 'DAY'"), 32);
}

static void until_stops_at_the_first_day_that_is_not_over(void **state)
{
    struct world *world = *state;
    struct error err;

    world_do(world, "UPDATE fence SET test_clock = '2017-01-03 16:00Z'");
    assert_int_equal(world_close_until(world, "2017-01-31", &err), REASON_DAY_NOT_OVER);
    assert_non_null(strstr(err.detail, "2017-01-04"));
    assert_int_equal(world_number(world, "SELECT count(*) FROM settlement_step WHERE step = 'DAY'"), 3);
}

static void an_unknown_programme_is_said(void **state)
{
    struct world *world = *state;
    struct close_run close = { 0 };
    struct error err;
    struct db *db;

    assert_true(db_open(world->conninfo, &db, &err));
    assert_false(close_begin(&close, db, "nowhere", &err));
    assert_int_equal(err.reason, REASON_PROGRAMME_NOT_FOUND);
    db_close(db);
}

static void other_programmes_are_not_touched(void **state)
{
    struct world *world = *state;
    struct error err;

    world_do(world, "INSERT INTO programme (programme_id, time_zone, sandbox) VALUES ('other', 'UTC', true); "
                    "INSERT INTO fence SELECT b, 2, '2017-01-01', '2030-01-01', 1 FROM generate_series(0, 3) b");
    world_put_usual(world);
    world_do(world, "UPDATE journal SET programme_no = 2 WHERE bucket = 0");
    assert_int_equal(world_close_day(world, NULL, &err), REASON_OK);
    assert_int_equal(world_number(world, "SELECT sum(entry_count) FROM day_rollup"), 2);
    assert_int_equal(world_number(world, "SELECT sum(entry_count) FROM day_seal"), 2);
    assert_int_equal(world_number(world, "SELECT count(*) FROM fence WHERE programme_no = 2 AND "
                                         "business_date = '2017-01-01'"),
                     4);
}

/* What a lane does: the fence FOR SHARE, then an entry dated by it. The close must wait for it and count it. */
static void a_batch_in_flight_belongs_to_the_day(void **state)
{
    static const struct world_entry entry = { 1, 9, 1, "2017-01-01", NULL, 4, 77, 1, 1, 1, NULL, 77, 7 };
    struct world *world = *state;
    struct error err;
    int status;

    world_do(world, "BEGIN; SELECT FROM fence WHERE bucket = 1 FOR SHARE");
    pid_t child = fork();
    if (child == 0)
        _exit(world_close_day(world, "2017-01-01", &err) == REASON_OK ? 0 : 1);
    for (int tries = 0; tries < 500; tries++) {
        if (world_number(world, "SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'transactionid' "
                                "AND transactionid = pg_current_xact_id()::xid") > 0)
            break;
        nanosleep(&(struct timespec){ .tv_nsec = 10 * 1000 * 1000 }, NULL);
        assert_int_not_equal(tries, 499);
    }
    world_put(world, &entry, 1);
    world_do(world, "COMMIT");
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    assert_int_equal(world_number(world, "SELECT points FROM day_seal WHERE bucket = 1"), 77);
    assert_int_equal(world_number(world, "SELECT sum(points) FROM day_rollup"), 77);
}

static void a_second_close_says_who_is_at_work(void **state)
{
    struct world *world = *state;
    struct close_run first = { 0 }, second = { 0 };
    struct db *one, *two;
    struct error err;
    char pid[32];

    assert_true(db_open(world->conninfo, &one, &err));
    assert_true(db_open(world->conninfo, &two, &err));
    assert_true(close_begin(&first, one, "demo", &err));
    assert_false(close_begin(&second, two, "demo", &err));
    assert_int_equal(err.reason, REASON_CLOSE_RUNNING);
    snprintf(pid, sizeof pid, "session %d)",
             (int)world_number(world, "SELECT pid FROM pg_stat_activity WHERE application_name = "
                                      "'alliance-settle demo' AND datname = current_database() AND query LIKE "
                                      "'%%try_advisory%%' AND pid IN (SELECT "
                                      "pid FROM pg_locks WHERE locktype = 'advisory')"));
    assert_non_null(strstr(err.detail, "alliance-settle demo"));
    assert_non_null(strstr(err.detail, pid));
    close_end(&first);
    second = (struct close_run){ 0 };
    assert_true(close_begin(&second, two, "demo", &err));
    db_close(one);
    db_close(two);
}

/* The months ahead get partitions; a month that has entries in the rest partition stays there and is closed as well. */
static void months_get_partitions_ahead(void **state)
{
    struct world *world = *state;
    struct error err;

    world_put_usual(world);
    assert_int_equal(world_close_until(world, "2017-02-01", &err), REASON_OK);
    assert_asked(world, "journal_2017_02\njournal_2017_03\njournal_rest\n",
                 "SELECT relid FROM pg_partition_tree('journal') WHERE isleaf ORDER BY relid::text");
    assert_int_equal(world_number(world, "SELECT sum(entry_count) FROM day_seal"), 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_closed_day_is_summed_sealed_and_left, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_day_of_nothing_is_closed_too, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_day_ends_at_midnight_of_its_zone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_slowest_fence_decides, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_live_programme_goes_by_the_databases_clock, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_given_day_must_be_the_open_one, set_up, tear_down),
        cmocka_unit_test_setup_teardown(days_are_closed_one_after_another, set_up, tear_down),
        cmocka_unit_test_setup_teardown(until_stops_at_the_first_day_that_is_not_over, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_unknown_programme_is_said, set_up, tear_down),
        cmocka_unit_test_setup_teardown(other_programmes_are_not_touched, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_batch_in_flight_belongs_to_the_day, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_second_close_says_who_is_at_work, set_up, tear_down),
        cmocka_unit_test_setup_teardown(months_get_partitions_ahead, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
