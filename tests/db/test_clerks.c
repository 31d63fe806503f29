/* test_clerks.c -- what a clerk's session promises those who wait for its locks. */
#include "database.h"

#include "engine/clerks.h"
#include "store/db.h"
#include "store/lane_store.h"

#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

struct look {
    struct clerk_job job;
    bool good;
};

static void look_at_session(struct clerk_job *job, struct db *db, struct error *err)
{
    struct look *look = (struct look *)(void *)job;

    look->good = db && db_script(db,
                                 "DO $$ BEGIN ASSERT current_setting('idle_in_transaction_session_timeout')::interval "
                                 "BETWEEN '1s' AND current_setting('lock_timeout')::interval; END $$",
                                 err);
}

/* A server that is stopped while a clerk holds locks: those who wait for them get them before they give up. */
static void a_clerk_that_stands_still_gives_its_locks_back(void **state)
{
    char conninfo[TEST_CONNINFO];
    struct look look = { .job.run = look_at_session };
    struct error err = { 0 };
    struct clerks *clerks;

    (void)state;
    database_make(conninfo);
    assert_true(clerks_open(conninfo, 1, &clerks, &err));
    assert_true(clerks_submit(clerks, &look.job, &err));
    clerks_close(clerks);
    assert_true(look.good);
    database_drop(conninfo);
}

/* Whoever goes on then is to connect anew and try again; no statement is to blame. */
static void a_session_that_was_ended_is_a_lost_connection(void **state)
{
    char conninfo[TEST_CONNINFO];
    struct error err = { 0 };
    struct db *db, *other;

    (void)state;
    database_make(conninfo);
    assert_true(db_open(conninfo, &db, &err));
    assert_true(db_open(conninfo, &other, &err));
    assert_true(db_prepare(db, lane_statements, lane_statement_count, &err));
    assert_true(db_script(db,
                          "SET application_name = 'stopped'; SET idle_in_transaction_session_timeout = '1ms'; "
                          "BEGIN; SET LOCAL timezone = 'UTC'",
                          &err));
    while (!db_script(other,
                      "DO $$ BEGIN ASSERT NOT EXISTS (SELECT FROM pg_stat_activity WHERE datname = "
                      "current_database() AND application_name = 'stopped'); END $$",
                      &err))
        sched_yield();
    bool good = db_pipeline_begin(db, &err) && db_queue(db, &lane_commit, NULL, &err) && db_flush(db, true, &err) &&
                db_next(db, NULL, NULL, NULL, &err);
    assert_false(good);
    assert_int_equal(err.reason, REASON_DATABASE_UNREACHABLE);
    assert_false(db_connected(db));
    db_close(db);
    db_close(other);
    database_drop(conninfo);
}

/* A lane between its two round trips: what it waits for then is its own decision. */
static void a_pipeline_that_stands_still_is_ended(void **state)
{
    static const char there[] =
        "SELECT FROM pg_stat_activity WHERE application_name = 'stopped' AND datname = current_database()";
    char conninfo[TEST_CONNINFO], wait[400];
    struct error err = { 0 };
    struct db *db, *other;

    (void)state;
    database_make(conninfo);
    assert_true(db_open(conninfo, &db, &err));
    assert_true(db_open(conninfo, &other, &err));
    assert_true(db_prepare(db, lane_statements, lane_statement_count, &err));
    assert_true(
        db_script(db, "SET application_name = 'stopped'; SET idle_in_transaction_session_timeout = '1ms'", &err));
    assert_true(db_pipeline_begin(db, &err) && db_queue(db, &lane_begin, NULL, &err) && db_flush(db, false, &err));
    snprintf(
        wait, sizeof wait,
        "DO $$ DECLARE began timestamptz := clock_timestamp(); BEGIN WHILE EXISTS (%s) LOOP "
        "ASSERT clock_timestamp() < began + interval '60 seconds'; PERFORM pg_stat_clear_snapshot(); END LOOP; END $$",
        there);
    assert_true(db_script(other, wait, &err));
    bool good = db_next(db, NULL, NULL, NULL, &err) && db_queue(db, &lane_commit, NULL, &err) &&
                db_flush(db, true, &err) && db_next(db, NULL, NULL, NULL, &err);
    assert_false(good);
    assert_int_equal(err.reason, REASON_DATABASE_UNREACHABLE);
    db_close(db);
    db_close(other);
    database_drop(conninfo);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_clerk_that_stands_still_gives_its_locks_back),
        cmocka_unit_test(a_session_that_was_ended_is_a_lost_connection),
        cmocka_unit_test(a_pipeline_that_stands_still_is_ended),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
