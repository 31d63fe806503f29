/* test_sweeper.c -- what time does to members nobody asks about, and what they are told before. */
#include "members.h"

#include "engine/sweeper.h"
#include "store/sweep_store.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MEMBERS = 100 };

static int open_alliance(void **state)
{
    struct alliance *alliance = malloc(sizeof *alliance);

    alliance_open(alliance);
    *state = alliance;
    return 0;
}

static int close_alliance(void **state)
{
    alliance_close(*state);
    free(*state);
    return 0;
}

static void must_run(struct alliance *alliance, const char *sql)
{
    struct error err = { 0 };

    if (!db_script(alliance->db, sql, &err))
        fail_msg("%s: %s", sql, error_text(&err));
}

/* That many members with 100 points which are over on 2027-02-01. */
static void members_with_points(struct alliance *alliance, size_t count)
{
    char ref[24];

    for (size_t i = 0; i < count; i++) {
        snprintf(ref, sizeof ref, "m%zu", i);
        struct command set = command_set_member(alliance, ref, 0), accrue = command_accrue(alliance, ref, "t", 10000);
        alliance_run(alliance, &set);
        alliance_run(alliance, &accrue);
        assert_int_equal(accrue.answer.reason, REASON_OK);
    }
}

static struct sweep_done sweep_chunk(struct alliance *alliance, int32_t bucket, int32_t limit)
{
    struct error err = { 0 };
    struct sweep_done done;

    if (!sweeper_run(alliance->db, alliance->lanes, bucket, limit, &done, &err))
        fail_msg("%s: %s", reason_name(err.reason), error_text(&err));
    return done;
}

static void add_done(struct sweep_done *sum, const struct sweep_done *done)
{
    sum->walked += done->walked;
    sum->tidied += done->tidied;
    sum->failed += done->failed;
    sum->noticed += done->noticed;
}

/* Every bucket, until nothing is left to do. */
static struct sweep_done sweep_all(struct alliance *alliance, int32_t limit)
{
    struct sweep_done sum = { 0 }, done;

    for (int32_t bucket = 0; bucket < TEST_BUCKETS; bucket++) {
        do {
            done = sweep_chunk(alliance, bucket, limit);
            add_done(&sum, &done);
        } while (done.worked);
    }
    return sum;
}

static void lots_expire_though_nobody_asks(void **state)
{
    struct alliance *alliance = *state;

    members_with_points(alliance, MEMBERS);
    alliance_business_date(alliance, "2027-01-31");
    assert_int_equal(sweep_all(alliance, 500).tidied, 0);
    assert_int_equal(alliance_count(alliance, "SELECT sum(available) FROM account"), MEMBERS * 100);

    alliance_business_date(alliance, "2027-02-01");
    struct sweep_done done = sweep_all(alliance, 7); /* several chunks a bucket */
    assert_int_equal(done.walked, MEMBERS);
    assert_int_equal(done.tidied, MEMBERS);
    assert_int_equal(alliance_count(alliance, "SELECT sum(available) FROM account"), 0);
    assert_int_equal(alliance_count(alliance, "SELECT sum(points) FROM journal WHERE kind = 9"), MEMBERS * 100);
    assert_int_equal(
        alliance_count(alliance, "SELECT count(*) FROM sweep WHERE finished AND business_date = '2027-02-01'"),
        TEST_BUCKETS);
    assert_false(sweep_chunk(alliance, 0, 500).worked);
    alliance_business_date(alliance, "2027-02-02");
    assert_int_equal(sweep_all(alliance, 500).tidied, 0);
    alliance_check(alliance);
}

/* A version that was withdrawn before its time says nothing of limits by tier. */
static void a_cancelled_version_makes_nobody_due(void **state)
{
    CLEANUP(arena_release) struct arena arena = { 0 };
    struct alliance *alliance = *state;
    const struct uuid first = { { 0 } };
    struct sweep_member *members;
    struct error err;
    size_t count;

    members_with_points(alliance, 1);
    must_run(alliance, "UPDATE account SET credit = '\\x00000001', credit_limit = 0;"
                       "INSERT INTO exchange_rules SELECT (jsonb_populate_record(r, '{\"version\": 99, \"request_id\": "
                       "\"018f0000-0000-7000-8000-000000000099\", \"cancelled\": "
                       "true}')).* FROM exchange_rules r WHERE r.bank_no = 1 ORDER BY r.version DESC LIMIT 1;"
                       "INSERT INTO exchange_tier_limit (bank_no, version, tier, points) VALUES (1, 99, 0, 500)");
    for (int32_t bucket = 0, seen = 0; bucket < 4; bucket++) {
        assert_true(sweep_store_members(alliance->db, bucket, &first, 10, &arena, &members, &count, &err));
        for (size_t i = 0; i < count; i++)
            assert_true(members[i].next_due.days > 0);
        seen += (int32_t)count;
        assert_true(bucket < 3 || seen == 1);
    }
    must_run(alliance, "DELETE FROM account");
}

static void pending_points_mature_though_nobody_asks(void **state)
{
    struct alliance *alliance = *state;
    struct command set = command_set_member(alliance, "m1", 0), accrue = command_accrue(alliance, "m1", "t", 10000);

    accrue.accrue.pending_until = date_of(2026, 1, 20);
    alliance_run(alliance, &set);
    alliance_run(alliance, &accrue);
    assert_int_equal(alliance_count(alliance, "SELECT pending FROM account"), 100);
    alliance_business_date(alliance, "2026-01-19");
    assert_int_equal(sweep_all(alliance, 500).tidied, 0);
    alliance_business_date(alliance, "2026-01-20");
    assert_int_equal(sweep_all(alliance, 500).tidied, 1);
    assert_int_equal(alliance_count(alliance, "SELECT available FROM account WHERE pending = 0"), 100);
    alliance_check(alliance);
}

/* The walk fails after its commands are committed and before its own transaction is, in every bucket. */
static void a_chunk_that_was_killed_is_done_again(void **state)
{
    struct alliance *alliance = *state;
    struct error err = { 0 };
    struct sweep_done done;

    members_with_points(alliance, MEMBERS);
    must_run(alliance,
             "UPDATE account SET lots = lots || int4send('2027-02-08'::date - '1970-01-01') || int4send(0) || "
             "int8send(5), available = available + 5");
    alliance_business_date(alliance, "2027-02-01");
    must_run(alliance, "ALTER TABLE sweep ADD CONSTRAINT killed CHECK (after_member_id = "
                       "'00000000-0000-0000-0000-000000000000')");
    for (int32_t bucket = 0; bucket < TEST_BUCKETS; bucket++) {
        assert_false(sweeper_run(alliance->db, alliance->lanes, bucket, 500, &done, &err));
        assert_true(done.tidied > 0);
        assert_int_equal(done.noticed, 0);
    }
    assert_int_equal(alliance_count(alliance, "SELECT count(*) FROM journal WHERE kind = 9"), MEMBERS);
    assert_int_equal(alliance_count(alliance, "SELECT count(*) FROM expiry_notice"), 0);

    must_run(alliance, "ALTER TABLE sweep DROP CONSTRAINT killed");
    done = sweep_all(alliance, 500);
    assert_int_equal(done.walked, MEMBERS);
    assert_int_equal(done.tidied, 0);
    assert_int_equal(done.noticed, 2 * MEMBERS); /* 7 and 30 */
    assert_int_equal(alliance_count(alliance, "SELECT count(*) FROM journal WHERE kind = 9"), MEMBERS);
}

static void who_is_at_it_is_not_disturbed(void **state)
{
    struct alliance *alliance = *state;
    struct error err = { 0 };
    struct db *other;

    members_with_points(alliance, 20);
    assert_true(db_open(alliance->conninfo, &other, &err));
    assert_true(sweep_chunk(alliance, 1, 1).worked);
    assert_true(db_script(other, "BEGIN; SELECT FROM sweep WHERE bucket = 1 FOR UPDATE", &err));
    assert_false(sweep_chunk(alliance, 1, 1).worked);
    assert_true(sweep_chunk(alliance, 2, 1).worked);
    db_close(other);
    while (alliance_count(alliance, "SELECT count(*) FROM pg_locks l JOIN pg_class c ON c.oid = l.relation "
                                    "WHERE c.relname = 'sweep' AND l.pid <> pg_backend_pid() AND l.database = "
                                    "(SELECT oid FROM pg_database WHERE datname = current_database())") > 0)
        continue; /* until the other's backend has gone */
    assert_true(sweep_chunk(alliance, 1, 1).worked);
}

/* A walk under way meets the next day: it goes on where it was, with that day, and then the next walk begins. */
static void a_walk_that_is_overtaken_is_finished_first(void **state)
{
    struct alliance *alliance = *state;

    members_with_points(alliance, MEMBERS);
    int64_t in_bucket = alliance_count(alliance, "SELECT count(*) FROM account WHERE bucket = 0");
    assert_true(in_bucket > 10);
    alliance_business_date(alliance, "2027-01-31");
    assert_int_equal(sweep_chunk(alliance, 0, 10).tidied, 0);
    alliance_business_date(alliance, "2027-02-01");

    struct sweep_done rest = sweep_chunk(alliance, 0, 500);
    assert_int_equal(rest.walked, in_bucket - 10);
    assert_int_equal(rest.tidied, in_bucket - 10);
    struct sweep_done next = sweep_chunk(alliance, 0, 500);
    assert_int_equal(next.walked, in_bucket);
    assert_int_equal(next.tidied, 10);
    assert_false(sweep_chunk(alliance, 0, 500).worked);
    alliance_check(alliance);
}

static void each_programme_has_its_own_day(void **state)
{
    struct alliance *alliance = *state;

    must_run(alliance, "INSERT INTO programme (programme_id, time_zone, sandbox) VALUES ('q', 'UTC', true);"
                       "INSERT INTO fence (bucket, programme_no, business_date, test_clock, reference_version) "
                       "SELECT b, 2, '2026-01-15', '2026-01-15T12:00:00Z', 2 FROM generate_series(0, 3) b;"
                       "INSERT INTO bank (bank_id, programme_no, name) VALUES ('bank-q', 2, 'Bank Q');"
                       "INSERT INTO exchange_rules (bank_no, version, effective_from, minimum_points, expiry_months, "
                       "reinstate_grace_days, accrual_num, accrual_den, request_id, content_hash) "
                       "VALUES (2, 1, '2025-01-01', 1, 12, 0, 1, 100, gen_random_uuid(), '');"
                       "INSERT INTO exchange_rate VALUES (2, 1, 'CNY', 1, 1, 7, 10);"
                       "UPDATE fence SET reference_version = 2; UPDATE installation SET reference_version = 2");
    members_with_points(alliance, 20);
    struct command set = command_set_member(alliance, "q1", 0), accrue = command_accrue(alliance, "q1", "t", 10000);
    set.programme_no = accrue.programme_no = set.bank_no = accrue.bank_no = 2;
    alliance_run(alliance, &set);
    alliance_run(alliance, &accrue);
    assert_int_equal(accrue.answer.reason, REASON_OK);

    sweep_all(alliance, 500);
    must_run(alliance, "UPDATE fence SET business_date = '2027-02-01' WHERE programme_no = 2");
    assert_int_equal(sweep_all(alliance, 500).tidied, 1);
    assert_int_equal(alliance_count(alliance, "SELECT sum(available) FROM account WHERE programme_no = 1"), 2000);
    assert_int_equal(alliance_count(alliance, "SELECT sum(available) FROM account WHERE programme_no = 2"), 0);
    assert_int_equal(alliance_count(alliance, "SELECT count(*) FROM sweep WHERE business_date = '2027-02-01'"),
                     TEST_BUCKETS);
    alliance_check(alliance);
}

/* Lanes without a database refuse; the walk stays where it was. */
static void what_the_lanes_cannot_do_is_done_later(void **state)
{
    struct alliance *alliance = *state;
    struct lanes_options options = {
        .conninfo = "host=/nonexistent", .buckets = TEST_BUCKETS, .lanes = 1, .reference = alliance->reference
    };
    struct error err = { 0 };
    struct sweep_done done;
    struct lanes *lanes;

    members_with_points(alliance, MEMBERS);
    sweep_all(alliance, 500);
    alliance_business_date(alliance, "2027-02-01");
    assert_true(lanes_open(&options, &lanes, &err));
    assert_false(sweeper_run(alliance->db, lanes, 0, 500, &done, &err));
    assert_int_equal(err.reason, REASON_DATABASE_UNREACHABLE);
    lanes_close(lanes);
    assert_int_equal(alliance_count(alliance, "SELECT count(*) FROM sweep WHERE business_date = '2027-02-01'"), 0);
    assert_int_equal(sweep_all(alliance, 500).tidied, MEMBERS);
    alliance_check(alliance);
}

static void one_broken_account_does_not_stop_the_walk(void **state)
{
    struct alliance *alliance = *state;

    members_with_points(alliance, MEMBERS);
    must_run(alliance, "UPDATE account SET lots = lots || '\\x00' WHERE member_ref = 'm7'");
    alliance_business_date(alliance, "2027-02-01");
    struct sweep_done done = sweep_all(alliance, 500);
    assert_int_equal(done.walked, MEMBERS);
    assert_int_equal(done.tidied, MEMBERS - 1);
    assert_int_equal(done.failed, 2); /* once for its lots, once for its notices */
    assert_int_equal(alliance_count(alliance, "SELECT sum(available) FROM account"), 100);
}

/* Notices */

/* A member whose points are over on those days; funding_no does not matter to whom they belong. */
static void give_lots(struct alliance *alliance, const char *sql_lots)
{
    char sql[1024];

    snprintf(
        sql, sizeof sql,
        "UPDATE account SET (available, lots, next_due) = (SELECT sum(p), string_agg(int4send(e - '1970-01-01') || "
        "int4send(f) || int8send(p), ''::bytea ORDER BY e, f), min(e) FROM (VALUES %s) l(e, f, p))",
        sql_lots);
    must_run(alliance, sql);
}

static int64_t notices_of(struct alliance *alliance, const char *day, int days_ahead)
{
    char sql[256];

    snprintf(sql, sizeof sql, "SELECT count(*) FROM expiry_notice WHERE business_date = '%s' AND days_ahead = %d", day,
             days_ahead);
    return alliance_count(alliance, sql);
}

/* Lots of 30, 7, 1 days' notice: which are made on which of the days that the walk sees. */
static void each_notice_is_given_once_and_in_time(void **state)
{
    static const struct {
        const char *story, *day;
        int in_30, in_7, in_1;
    } days[] = {
        { "31 days are left", "2026-05-01", 0, 0, 0 },
        { "30", "2026-05-02", 1, 0, 0 },
        { "29: it was given", "2026-05-03", 0, 0, 0 },
        { "8", "2026-05-24", 0, 0, 0 },
        { "5: the seventh day was skipped", "2026-05-27", 0, 1, 0 },
        { "2", "2026-05-30", 0, 0, 0 },
        { "1", "2026-05-31", 0, 0, 1 },
        { "over", "2026-06-01", 0, 0, 0 },
    };
    struct alliance *alliance = *state;

    members_with_points(alliance, 1);
    sweep_all(alliance, 500);
    give_lots(alliance, "('2026-06-01'::date, 0, 30::int8), ('2026-06-01', 4, 12), ('2027-06-01', 0, 1)");
    for (size_t i = 0; i < COUNT(days); i++) {
        alliance_business_date(alliance, days[i].day);
        int64_t made = sweep_all(alliance, 500).noticed;
        if (made != days[i].in_30 + days[i].in_7 + days[i].in_1 ||
            notices_of(alliance, days[i].day, 30) != days[i].in_30 ||
            notices_of(alliance, days[i].day, 7) != days[i].in_7 ||
            notices_of(alliance, days[i].day, 1) != days[i].in_1)
            fail_msg("%s: %d notices", days[i].story, (int)made);
    }
    assert_int_equal(alliance_count(alliance, "SELECT count(*) FROM expiry_notice WHERE points = 42 AND "
                                              "expires_on = '2026-06-01' AND member_ref = 'm0' AND bank_no = 1"),
                     3);
    assert_int_equal(alliance_count(alliance, "SELECT available FROM account"), 1);
}

static void days_that_were_skipped_are_made_up_for(void **state)
{
    struct alliance *alliance = *state;

    members_with_points(alliance, 1);
    sweep_all(alliance, 500);
    give_lots(alliance, "('2026-06-01'::date, 0, 30::int8), ('2026-06-02', 0, 5), ('2026-06-20', 0, 7)");
    alliance_business_date(alliance, "2026-05-31");
    assert_int_equal(sweep_all(alliance, 500).noticed, 3 + 2 + 1);
    assert_int_equal(notices_of(alliance, "2026-05-31", 30), 3);
    assert_int_equal(notices_of(alliance, "2026-05-31", 7), 2);
    assert_int_equal(notices_of(alliance, "2026-05-31", 1), 1);
}

static void what_matures_late_is_told_the_same_day(void **state)
{
    struct alliance *alliance = *state;

    members_with_points(alliance, 1);
    must_run(alliance, "UPDATE account SET pending = 9, next_due = '2026-05-20', pending_lots = "
                       "int4send('2026-05-20'::date - '1970-01-01') || int4send('2026-05-25'::date - '1970-01-01') || "
                       "int4send(0) || int4send(0) || int8send(9)");
    alliance_business_date(alliance, "2026-05-20");
    struct sweep_done done = sweep_all(alliance, 500);
    assert_int_equal(done.tidied, 1);
    assert_int_equal(done.noticed, 2);
    assert_int_equal(notices_of(alliance, "2026-05-20", 7), 1);
}

/* More than one statement takes: 128 lots a member, a day apart, of which 30 are near. */
static void many_lots_are_many_notices(void **state)
{
    struct alliance *alliance = *state;

    members_with_points(alliance, MEMBERS);
    must_run(alliance, "UPDATE account SET (available, lots, next_due) = (SELECT 128, string_agg(int4send("
                       "('2026-06-01'::date + i) - '1970-01-01') || int4send(0) || int8send(1), ''::bytea ORDER BY i), "
                       "'2026-06-01'::date FROM generate_series(0, 127) i)");
    alliance_business_date(alliance, "2026-05-31");
    assert_int_equal(sweep_all(alliance, 500).noticed, MEMBERS * (30 + 7 + 1));
}

static void old_notices_go_in_bounded_steps(void **state)
{
    struct alliance *alliance = *state;

    must_run(alliance, "INSERT INTO expiry_notice SELECT 0, 1, '2026-03-31'::date - (i % 2), gen_random_uuid(), '', "
                       "'2026-04-01', 1, 1 FROM generate_series(1, 3000) i");
    alliance_business_date(alliance, "2026-05-30");
    sweep_all(alliance, 500);
    assert_int_equal(alliance_count(alliance, "SELECT count(*) FROM expiry_notice"), 3000 - 2 * SWEEP_CHUNK);
    must_run(alliance, "UPDATE sweep SET finished = false");
    sweep_all(alliance, 500);
    assert_int_equal(alliance_count(alliance, "SELECT count(*) FROM expiry_notice"), 1500); /* 60 days old: kept */
    assert_int_equal(alliance_count(alliance, "SELECT count(*) FROM expiry_notice WHERE business_date = '2026-03-31'"),
                     1500);
}

/* The thread */

struct seen {
    atomic_int_fast64_t walked, tidied, noticed;
    atomic_int behind, most_days;
};

static void see(void *owner, const struct sweep_report *report)
{
    struct seen *seen = owner;

    seen->walked += report->done.walked;
    seen->tidied += report->done.tidied;
    seen->noticed += report->done.noticed;
    if (report->days_behind > seen->most_days)
        seen->most_days = report->days_behind;
    seen->behind = report->buckets_behind;
}

/* Lanes and a sweeper of its own. */
struct site {
    struct lanes *lanes;
    struct sweeper *sweeper;
    struct seen seen;
};

static void site_open(struct alliance *alliance, struct site *site)
{
    struct lanes_options lanes = {
        .conninfo = alliance->conninfo, .buckets = TEST_BUCKETS, .lanes = 2, .reference = alliance->reference
    };
    struct error err = { 0 };

    *site = (struct site){ 0 };
    assert_true(lanes_open(&lanes, &site->lanes, &err));
    struct sweeper_options options = { .conninfo = alliance->conninfo,
                                       .lanes = site->lanes,
                                       .members_per_second = 1000000,
                                       .observer = see,
                                       .observer_owner = &site->seen };
    assert_true(sweeper_open(&options, &site->sweeper, &err));
}

static void site_close(struct site *site)
{
    sweeper_close(site->sweeper);
    lanes_close(site->lanes);
}

static void two_servers_do_it_once(void **state)
{
    static const char *const days[] = { "2027-01-30", "2027-01-31", "2027-02-01" };
    struct alliance *alliance = *state;
    struct site sites[2];
    char sql[256];

    members_with_points(alliance, MEMBERS);
    for (size_t i = 0; i < COUNT(sites); i++)
        site_open(alliance, &sites[i]);
    for (size_t i = 0; i < COUNT(days); i++) {
        alliance_business_date(alliance, days[i]);
        snprintf(sql, sizeof sql, "SELECT count(*) FROM sweep WHERE finished AND business_date = '%s'", days[i]);
        while (alliance_count(alliance, sql) < TEST_BUCKETS)
            continue;
    }
    for (size_t i = 0; i < COUNT(sites); i++)
        site_close(&sites[i]);
    assert_int_equal(sites[0].seen.tidied + sites[1].seen.tidied, MEMBERS);
    assert_int_equal(sites[0].seen.noticed + sites[1].seen.noticed, 3 * MEMBERS);
    assert_true(sites[0].seen.walked + sites[1].seen.walked >= 3 * MEMBERS);
    assert_true(sites[0].seen.most_days >= 1 || sites[1].seen.most_days >= 1);
    assert_int_equal(alliance_count(alliance, "SELECT count(*) FROM journal WHERE kind = 9"), MEMBERS);
    assert_int_equal(alliance_count(alliance, "SELECT count(*) FROM expiry_notice"), 3 * MEMBERS);
    alliance_check(alliance);
}

static void lost_connections_only_delay_it(void **state)
{
    struct alliance *alliance = *state;
    struct site site;

    members_with_points(alliance, MEMBERS);
    alliance_business_date(alliance, "2027-02-01");
    site_open(alliance, &site);
    while (site.seen.walked == 0)
        continue;
    must_run(alliance, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND "
                       "pid <> pg_backend_pid()");
    while (alliance_count(alliance, "SELECT count(*) FROM sweep WHERE finished") < TEST_BUCKETS)
        continue;
    site_close(&site);
    assert_int_equal(alliance_count(alliance, "SELECT count(*) FROM journal WHERE kind = 9"), MEMBERS);
    alliance_check(alliance);
}

int main(void)
{
#define STORY(name) cmocka_unit_test_setup_teardown(name, open_alliance, close_alliance)
    const struct CMUnitTest tests[] = {
        STORY(lots_expire_though_nobody_asks),
        STORY(a_cancelled_version_makes_nobody_due),
        STORY(pending_points_mature_though_nobody_asks),
        STORY(a_chunk_that_was_killed_is_done_again),
        STORY(who_is_at_it_is_not_disturbed),
        STORY(a_walk_that_is_overtaken_is_finished_first),
        STORY(each_programme_has_its_own_day),
        STORY(what_the_lanes_cannot_do_is_done_later),
        STORY(one_broken_account_does_not_stop_the_walk),
        STORY(each_notice_is_given_once_and_in_time),
        STORY(days_that_were_skipped_are_made_up_for),
        STORY(what_matures_late_is_told_the_same_day),
        STORY(many_lots_are_many_notices),
        STORY(old_notices_go_in_bounded_steps),
        STORY(two_servers_do_it_once),
        STORY(lost_connections_only_delay_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
