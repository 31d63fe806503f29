/*
 * test_migrate_data.c -- a database that was at work under the first schemas, brought to the newest: every fact is as
 * it was, the whole ledger verifies, and the lanes go on with what was begun.
 */
#include "database.h"

#include "engine/command.h"
#include "engine/lanes.h"
#include "engine/reference.h"
#include "engine/verify.h"
#include "io/clock.h"
#include "io/crypto.h"
#include "store/db.h"
#include "store/migrate.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { FIXTURE_ENDS_AT = 2, MEMBERS = 240 };

static void must(bool good, const struct error *err)
{
    if (!good)
        fail_msg("%s: %s", reason_name(err->reason), error_text(err));
}

static void run_file(struct db *db, const char *name)
{
    char path[300], *text = NULL;
    size_t room = 0;
    struct error err = { 0 };

    snprintf(path, sizeof path, "%s/tests/db/fixtures/%s", SOURCE_DIR, name);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_true(getdelim(&text, &room, '\0', file) > 0);
    fclose(file);
    must(db_script(db, text, &err), &err);
    free(text);
}

struct number_row {
    int64_t number;
};

/* On a connection of its own: a statement's name is its identity, and this one differs every time. */
static int64_t count(const char *conninfo, const char *sql)
{
    static const struct column columns[] = { COLUMN(struct number_row, number) };
    CLEANUP(arena_release) struct arena arena = { 0 };
    struct error err = { 0 };
    struct number_row row = { 0 };
    struct db *db = NULL;
    char whole[1024];
    bool found;

    snprintf(whole, sizeof whole, "SELECT (%s)::int8 AS number", sql);
    const struct statement statement = { "test_count", whole, NULL, 0, columns, COUNT(columns), sizeof row };
    must(db_open(conninfo, &db, &err), &err);
    must(db_fetch_one(db, &statement, NULL, &arena, &row, &found, &err), &err);
    db_close(db);
    assert_true(found);
    return row.number;
}

static void tell(void *owner, const struct verify_finding *finding)
{
    (void)owner;
    fail_msg("%s of %s, entry %lld: %s", verify_rule_name(finding->rule), finding->member_ref, (long long)finding->seq,
             finding->detail);
}

static void verify_all(struct db *db, int64_t least_entries)
{
    struct verify *verify = verify_new(&(struct verify_scope){ .buckets = TEST_BUCKETS }, tell, NULL);
    struct error err = { 0 };

    assert_non_null(verify);
    for (bool finished = false; !finished;)
        must(verify_step(verify, db, &finished, &err), &err);
    assert_int_equal(verify_progress(verify).members, MEMBERS);
    assert_true(verify_progress(verify).entries >= least_entries);
    verify_free(verify);
}

/* An old database: the newest schema is taken away, and the first ones are made. */
static struct db *old_database(char conninfo[TEST_CONNINFO])
{
    struct error err = { 0 };
    struct db *db = NULL;

    database_make(conninfo);
    must(db_open(conninfo, &db, &err), &err);
    must(db_script(db, "DROP SCHEMA public CASCADE; CREATE SCHEMA public", &err), &err);
    must(migrate_to(db, FIXTURE_ENDS_AT, &err), &err);
    run_file(db, "alliance_0002.sql");
    return db;
}

static void facts_are_as_before(struct db *db, const char *conninfo)
{
    run_file(db, "facts_now.sql");
    assert_true(count(conninfo, "SELECT count(*) FROM fact_before") > 3000);
    assert_int_equal(count(conninfo, "SELECT count(*) FROM (TABLE fact_before EXCEPT ALL TABLE fact_now) x"), 0);
    assert_int_equal(count(conninfo, "SELECT count(*) FROM (TABLE fact_now EXCEPT ALL TABLE fact_before) x"), 0);
    /* And what is new says the same of it. */
    assert_int_equal(count(conninfo,
                           "SELECT count(*) FROM account a WHERE credit_used <> (SELECT coalesce(sum(points), 0) FROM "
                           "account_drawn d WHERE d.bucket = a.bucket AND d.member_id = a.member_id)"),
                     0);
    assert_true(count(conninfo, "SELECT count(*) FROM account WHERE credit_used > 0") > 10);
    assert_int_equal(count(conninfo,
                           "SELECT count(*) FROM account a WHERE next_due <> coalesce((SELECT min(expires_on) FROM "
                           "account_lot l WHERE l.bucket = a.bucket AND l.member_id = a.member_id), '9999-12-31')"),
                     0);
    assert_int_equal(count(conninfo, "SELECT count(*) FROM account WHERE pending <> 0 OR tier <> 0 OR expired <> 0"),
                     0);
}

/* A command that the test waits for. */
struct waiting {
    struct command command;
    pthread_mutex_t lock;
    pthread_cond_t answered;
    bool over;
};

static void on_done(struct command *command)
{
    struct waiting *waiting = command->owner;

    pthread_mutex_lock(&waiting->lock);
    waiting->over = true;
    pthread_cond_signal(&waiting->answered);
    pthread_mutex_unlock(&waiting->lock);
}

static struct answer run(struct lanes *lanes, const struct command *command)
{
    struct waiting waiting = { .command = *command,
                               .lock = PTHREAD_MUTEX_INITIALIZER,
                               .answered = PTHREAD_COND_INITIALIZER };
    struct error err = { 0 };

    waiting.command.done = on_done;
    waiting.command.owner = &waiting;
    must(lanes_submit(lanes, &waiting.command, &err), &err);
    pthread_mutex_lock(&waiting.lock);
    while (!waiting.over)
        pthread_cond_wait(&waiting.answered, &waiting.lock);
    pthread_mutex_unlock(&waiting.lock);
    return waiting.command.answer;
}

struct open_row {
    struct uuid id, member_id;
};

/* Every hold that was open is confirmed or cancelled, and what is held is nothing then. */
static void what_was_held_is_ended(struct db *db, const char *conninfo)
{
    static const struct column columns[] = { COLUMN(struct open_row, id), COLUMN(struct open_row, member_id) };
    static const struct statement open_holds = { "open_holds",
                                                 "SELECT id, member_id FROM redemption WHERE state = 1 ORDER BY id",
                                                 NULL,
                                                 0,
                                                 columns,
                                                 COUNT(columns),
                                                 sizeof(struct open_row) };
    CLEANUP(arena_release) struct arena arena = { 0 };
    struct reference_source *reference;
    struct lanes *lanes;
    struct error err = { 0 };
    size_t rows;
    void *fetched;

    must(db_fetch(db, &open_holds, NULL, &arena, &fetched, &rows, &err), &err);
    must(reference_open(db, NULL, &reference, &err), &err);
    const struct lanes_options options = {
        .conninfo = conninfo, .buckets = TEST_BUCKETS, .lanes = 2, .reference = reference
    };
    must(lanes_open(&options, &lanes, &err), &err);
    assert_true(rows > 30);
    for (size_t i = 0; i < rows; i++) {
        const struct open_row *row = (const struct open_row *)fetched + i;
        const struct command command = { .kind = i % 2 ? COMMAND_CONFIRM : COMMAND_CANCEL,
                                         .request_id = crypto_uuid_v7(clock_now()),
                                         .redemption_id = row->id,
                                         .hash16 = member_hash16(&row->member_id),
                                         .programme_no = 1,
                                         .bank_no = 1,
                                         .merchant_no = 1,
                                         .deadline_us = INT64_MAX };
        struct answer answer = run(lanes, &command);
        if (answer.reason != REASON_OK)
            fail_msg("%s %s", reason_name(answer.reason), answer.detail);
    }
    assert_int_equal(count(conninfo, "SELECT sum(held) FROM account"), 0);
    lanes_close(lanes);
    reference_close(reference);
}

static void an_old_database_keeps_its_facts(void **state)
{
    char conninfo[TEST_CONNINFO];
    struct error err = { 0 };
    struct db *db = old_database(conninfo);

    (void)state;
    int64_t entries = count(conninfo, "SELECT count(*) FROM journal");
    must(migrate(db, TEST_BUCKETS, &err), &err);
    facts_are_as_before(db, conninfo);
    verify_all(db, entries);
    what_was_held_is_ended(db, conninfo);
    verify_all(db, entries + 30);
    db_close(db);
    database_drop(conninfo);
}

/* The fixture is no better than its checks: one point more in a lot, and they say so. */
static void a_fact_that_changed_would_be_seen(void **state)
{
    char conninfo[TEST_CONNINFO];
    struct error err = { 0 };
    struct db *db = old_database(conninfo);

    (void)state;
    must(db_script(db, "UPDATE account SET lot_points[1] = lot_points[1] + 1 WHERE member_ref = 'm-1'", &err), &err);
    must(migrate(db, TEST_BUCKETS, &err), &err);
    run_file(db, "facts_now.sql");
    assert_int_equal(count(conninfo, "SELECT count(*) FROM (TABLE fact_before EXCEPT ALL TABLE fact_now) x"), 1);
    db_close(db);
    database_drop(conninfo);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_old_database_keeps_its_facts),
        cmocka_unit_test(a_fact_that_changed_would_be_seen),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
