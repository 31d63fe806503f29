/* Transfers: points are with the giver, on their way or with the receiver, and nowhere twice, wherever a chain stops.
 */
#include "members.h"

#include "engine/transfer.h"
#include "io/clock.h"
#include "io/crypto.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int setup(void **state)
{
    struct alliance *alliance = calloc(1, sizeof *alliance);

    alliance_open(alliance);
    *state = alliance;
    return 0;
}

static int teardown(void **state)
{
    alliance_close(*state);
    free(*state);
    return 0;
}

/* The n-th name whose member lives in that bucket. */
static const char *name_in(int bucket, int n)
{
    static char names[8][16];
    static int used;
    char *name = names[used++ % 8];

    for (int i = 0;; i++) {
        snprintf(name, sizeof names[0], "m-%d", i);
        struct uuid id = command_member_id("bank-a", name);
        if (member_hash16(&id) % TEST_BUCKETS == bucket && n-- == 0)
            return name;
    }
}

static void make_member(struct alliance *alliance, const char *name, int64_t points)
{
    struct command commands[] = { command_set_member(alliance, name, 0),
                                  command_accrue(alliance, name, "start", points * 100) };

    alliance_run_all(alliance, commands, points ? 2 : 1);
    for (size_t i = 0; i < (points ? 2 : 1); i++)
        assert_int_equal(commands[i].answer.reason, REASON_OK);
}

/* All there is: with members, and on the way, which the ledger knows as clearing.transfer. */
static int64_t everywhere(struct alliance *alliance)
{
    alliance_check(alliance);
    return alliance_count(
        alliance,
        "SELECT (SELECT coalesce(sum(available + held + pending - credit_used), 0) FROM account) + (SELECT "
        "coalesce(sum(CASE WHEN kind IN (17, 23, 26) THEN points WHEN kind IN (18, 19, 24, 25) THEN -points END), 0) "
        "FROM journal)");
}

/* What is on the way by the rows that are open. */
static int64_t in_open_rows(struct alliance *alliance)
{
    return alliance_count(alliance, "SELECT coalesce(sum(packed_points(lots)), 0) FROM transfer WHERE state = 1");
}

static int64_t available(struct alliance *alliance, const char *name)
{
    struct uuid id = command_member_id("bank-a", name);
    char sql[200], text[UUID_TEXT];

    uuid_format(&id, text);
    snprintf(sql, sizeof sql, "SELECT available FROM account WHERE member_id = '%s'", text);
    return alliance_count(alliance, sql);
}

static struct command send_of(const struct alliance *alliance, const char *from, const char *to, int64_t points)
{
    struct command send = command_set_member(alliance, from, 0);

    send.kind = COMMAND_SEND;
    send.send = (struct send_order){
        .points = points, .merge = points == 0, .to_member_id = command_member_id("bank-a", to), .to_member_ref = to
    };
    crypto_sha256(&points, sizeof points, send.content_hash);
    return send;
}

/* A walk that the test waits for. */
struct walk {
    struct transfer transfer;
    pthread_mutex_t lock;
    pthread_cond_t ended;
    bool over;
};

static void on_done(struct transfer *transfer)
{
    struct walk *walk = transfer->owner;

    pthread_mutex_lock(&walk->lock);
    walk->over = true;
    pthread_cond_signal(&walk->ended);
    pthread_mutex_unlock(&walk->lock);
}

static struct answer walk_to_the_end(struct alliance *alliance, const struct command *send)
{
    struct walk walk = { .lock = PTHREAD_MUTEX_INITIALIZER, .ended = PTHREAD_COND_INITIALIZER };
    struct error err;

    walk.transfer.lanes = alliance->lanes;
    walk.transfer.done = on_done;
    walk.transfer.owner = &walk;
    assert_true(transfer_begin(&walk.transfer, send, &err));
    pthread_mutex_lock(&walk.lock);
    while (!walk.over)
        pthread_cond_wait(&walk.ended, &walk.lock);
    pthread_mutex_unlock(&walk.lock);
    return walk.transfer.answer;
}

static int64_t recover(struct alliance *alliance, int64_t older_than_us)
{
    int64_t finished;
    struct error err = { 0 };

    if (!transfer_recover(alliance->db, alliance->lanes, TEST_BUCKETS, older_than_us, &finished, &err))
        fail_msg("%s: %s", reason_name(err.reason), error_text(&err));
    return finished;
}

static void same_answer(const struct answer *one, const struct answer *other)
{
    assert_int_equal(one->reason, other->reason);
    assert_int_equal(one->points, other->points);
    assert_int_equal(one->spendable, other->spendable);
    assert_int_equal(one->state, other->state);
    assert_int_equal(one->time.us, other->time.us);
}

/* Takes the first `steps` of the chain and no more, as a server that dies there does. */
static void take_steps(struct alliance *alliance, const struct command *send, int steps)
{
    struct transfer transfer = { .id = send->request_id,
                                 .from_member_id = send->member_id,
                                 .to_member_id = send->send.to_member_id,
                                 .programme_no = send->programme_no,
                                 .bank_no = send->bank_no };
    struct command command = *send;

    command.send.parcel = &transfer.parcel;
    for (int step = 0; step < steps; step++) {
        if (step > 0)
            transfer_step(&transfer, step == 1 ? COMMAND_RECEIVE : COMMAND_SETTLE, &command);
        alliance_run(alliance, &command);
        if (step == 1)
            transfer.received = command.answer.reason;
        else
            assert_int_equal(command.answer.reason, REASON_OK);
    }
}

static const struct {
    const char *story;
    int from_bucket, to_bucket;
} places[] = {
    { "within a bucket", 0, 0 },
    { "from one bucket to another", 0, 1 },
    { "against the order of buckets", 3, 1 },
};

static void a_chain_that_stops_anywhere_is_finished(void **state)
{
    struct alliance *alliance = *state;

    for (size_t i = 0; i < COUNT(places); i++) {
        const char *ann = name_in(places[i].from_bucket, 2 * (int)i),
                   *bob = name_in(places[i].to_bucket, 2 * (int)i + 1);
        print_message("           %s\n", places[i].story);
        make_member(alliance, ann, 100);
        make_member(alliance, bob, 10);
        int64_t all = everywhere(alliance);
        for (int steps = 0; steps <= 3; steps++) {
            int64_t of_ann = available(alliance, ann), of_bob = available(alliance, bob);
            struct command send = send_of(alliance, ann, bob, 20);
            take_steps(alliance, &send, steps);
            assert_int_equal(everywhere(alliance), all);
            assert_int_equal(in_open_rows(alliance), steps == 1 || steps == 2 ? 20 : 0);
            assert_int_equal(recover(alliance, 0), steps == 1 || steps == 2);
            assert_int_equal(everywhere(alliance), all);
            assert_int_equal(available(alliance, ann), of_ann - (steps ? 20 : 0));
            assert_int_equal(available(alliance, bob), of_bob + (steps ? 20 : 0));
            /* The caller repeats what it never heard of, and again. */
            struct answer first = walk_to_the_end(alliance, &send), second = walk_to_the_end(alliance, &send);
            assert_int_equal(first.reason, REASON_OK);
            assert_int_equal(first.points, 20);
            assert_int_equal(first.spendable, of_ann - 20);
            same_answer(&first, &second);
            assert_int_equal(available(alliance, bob), of_bob + 20);
            assert_int_equal(everywhere(alliance), all);
            assert_int_equal(recover(alliance, 0), 0);
        }
        /* And back again. */
        struct command back = send_of(alliance, bob, ann, 90);
        assert_int_equal(walk_to_the_end(alliance, &back).reason, REASON_OK);
        assert_int_equal(available(alliance, ann), 110);
        assert_int_equal(available(alliance, bob), 0);
        assert_int_equal(everywhere(alliance), all);
    }
}

static void lots_keep_their_expiry(void **state)
{
    struct alliance *alliance = *state;
    const char *ann = name_in(0, 0), *bob = name_in(2, 0);
    char sql[300], text[UUID_TEXT];

    make_member(alliance, ann, 30);
    alliance_clock(alliance, "2026-03-15T12:00:00Z");
    alliance_business_date(alliance, "2026-03-15");
    make_member(alliance, bob, 5);
    struct command more = command_accrue(alliance, ann, "more", 4000), send = send_of(alliance, ann, bob, 50);
    alliance_run(alliance, &more);
    assert_int_equal(walk_to_the_end(alliance, &send).reason, REASON_OK);
    struct uuid id = command_member_id("bank-a", bob);
    uuid_format(&id, text);
    snprintf(sql, sizeof sql, "SELECT points FROM account_lot WHERE member_id = '%s' AND expires_on = '2027-02-01'",
             text);
    assert_int_equal(alliance_count(alliance, sql), 30);
    snprintf(sql, sizeof sql, "SELECT points FROM account_lot WHERE member_id = '%s' AND expires_on = '2027-04-01'",
             text);
    assert_int_equal(alliance_count(alliance, sql), 25);
}

/* The receiver refuses or is gone: the giver has everything back, and every repeat hears why. */
static void what_cannot_be_received_comes_back(void **state)
{
    struct alliance *alliance = *state;
    static const struct {
        const char *story, *sql;
        enum reason reason;
        bool merge;
    } cases[] = {
        { "closed", "UPDATE account SET status = 3 WHERE member_ref = '%1$s'", REASON_MEMBER_CLOSED, false },
        { "closed, at a merge", "UPDATE account SET status = 3 WHERE member_ref = '%1$s'", REASON_MEMBER_CLOSED, true },
        { "gone",
          "DELETE FROM journal j USING account a WHERE a.bucket = j.bucket AND a.member_id = j.member_id AND "
          "a.member_ref = '%1$s'; DELETE FROM member_change c USING account a WHERE a.bucket = c.bucket AND "
          "a.member_id = c.member_id AND a.member_ref = '%1$s'; DELETE FROM account WHERE member_ref = '%1$s'",
          REASON_MEMBER_NOT_FOUND, false },
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        const char *ann = name_in(0, (int)i), *bob = name_in(1, (int)i);
        struct error err = { 0 };
        char sql[400];
        make_member(alliance, ann, 40);
        make_member(alliance, bob, 0);
        int64_t all = everywhere(alliance);
        struct command send = send_of(alliance, ann, bob, cases[i].merge ? 0 : 25);
        take_steps(alliance, &send, 1);
        print_message("           %s\n", cases[i].story);
        snprintf(sql, sizeof sql, cases[i].sql, bob);
        assert_true(db_script(alliance->db, sql, &err));
        assert_int_equal(recover(alliance, 0), 1);
        assert_int_equal(available(alliance, ann), 40);
        assert_int_equal(everywhere(alliance), all);
        /* Even when the receiver is there by now. */
        snprintf(sql, sizeof sql, "UPDATE account SET status = 1 WHERE member_ref = '%s'", bob);
        assert_true(db_script(alliance->db, sql, &err));
        make_member(alliance, bob, 0);
        assert_int_equal(walk_to_the_end(alliance, &send).reason, cases[i].reason);
        assert_int_equal(walk_to_the_end(alliance, &send).reason, cases[i].reason);
        assert_int_equal(available(alliance, ann), 40);
        assert_int_equal(available(alliance, bob), 0);
        assert_int_equal(everywhere(alliance), all);
        snprintf(sql, sizeof sql, "SELECT status FROM account WHERE member_ref = '%s'", ann);
        assert_int_equal(alliance_count(alliance, sql), MEMBER_ACTIVE);
    }
}

static void young_transfers_are_left_alone(void **state)
{
    struct alliance *alliance = *state;
    const char *ann = name_in(0, 0), *bob = name_in(1, 0);
    struct error err = { 0 };

    make_member(alliance, ann, 40);
    make_member(alliance, bob, 0);
    struct command send = send_of(alliance, ann, bob, 25);
    take_steps(alliance, &send, 1);
    assert_int_equal(recover(alliance, INT64_C(3600) * US_PER_SECOND), 0);
    assert_true(db_script(alliance->db, "UPDATE transfer SET sent_at = sent_at - interval '2 hours'", &err));
    assert_int_equal(recover(alliance, INT64_C(3600) * US_PER_SECOND), 1);
    assert_int_equal(available(alliance, bob), 25);
}

/* Somebody has spoilt the row by hand: its points wait for whoever mends it, nobody else's do. */
static void a_row_that_cannot_be_read_keeps_nobody_back(void **state)
{
    struct alliance *alliance = *state;
    const char *ann = name_in(0, 0), *bob = name_in(1, 0);
    struct error err = { 0 };

    make_member(alliance, ann, 40);
    make_member(alliance, bob, 40);
    struct command spoilt = send_of(alliance, ann, bob, 7), beside = send_of(alliance, ann, bob, 5),
                   behind = send_of(alliance, bob, ann, 3);
    take_steps(alliance, &spoilt, 1);
    assert_true(db_script(alliance->db, "UPDATE transfer SET lots = '\\x00'", &err));
    take_steps(alliance, &beside, 1);
    take_steps(alliance, &behind, 1);
    assert_int_equal(recover(alliance, 0), 2);
    assert_int_equal(available(alliance, ann), 40 - 7 - 5 + 3);
    assert_int_equal(available(alliance, bob), 40 - 3 + 5);
    assert_int_equal(alliance_count(alliance, "SELECT count(*) FROM transfer WHERE state = 1"), 1);
}

/* More than one page of a bucket; two servers at once. */
struct server {
    struct alliance *alliance;
    struct lanes *lanes;
    struct db *db;
    bool good;
};

static void *recover_as_server(void *argument)
{
    struct server *server = argument;
    struct error err;
    int64_t finished;

    server->good = transfer_recover(server->db, server->lanes, TEST_BUCKETS, 0, &finished, &err);
    return NULL;
}

static void two_servers_may_recover_at_once(void **state)
{
    enum { TRANSFERS = 150 };
    struct alliance *alliance = *state;
    struct lanes_options options = {
        .conninfo = alliance->conninfo, .buckets = TEST_BUCKETS, .lanes = 2, .reference = alliance->reference
    };
    const char *ann = name_in(0, 0), *bob = name_in(1, 0), *cid = name_in(0, 1);
    struct server servers[2] = { { .alliance = alliance }, { .alliance = alliance } };
    pthread_t threads[2];
    struct error err = { 0 };

    make_member(alliance, ann, 1000);
    make_member(alliance, bob, 0);
    make_member(alliance, cid, 0);
    int64_t all = everywhere(alliance);
    for (int i = 0; i < TRANSFERS; i++) {
        struct command send = send_of(alliance, ann, i % 3 ? bob : cid, 1 + i % 5);
        take_steps(alliance, &send, 1 + i % 2);
    }
    for (int i = 0; i < 2; i++) {
        assert_true(lanes_open(&options, &servers[i].lanes, &err));
        assert_true(db_open(alliance->conninfo, &servers[i].db, &err));
        assert_int_equal(pthread_create(&threads[i], NULL, recover_as_server, &servers[i]), 0);
    }
    for (int i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
        assert_true(servers[i].good);
        lanes_close(servers[i].lanes);
        db_close(servers[i].db);
    }
    assert_int_equal(recover(alliance, 0), 0);
    assert_int_equal(everywhere(alliance), all);
    assert_int_equal(alliance_count(alliance, "SELECT count(*) FROM transfer WHERE state = 2"), TRANSFERS);
    assert_int_equal(available(alliance, ann), 1000 - TRANSFERS * 3);
}

static void count_down(struct command *command)
{
    atomic_fetch_sub((atomic_size_t *)command->owner, 1);
}

/* The receiver's lane takes nothing any more when the points are already on their way. */
static void a_full_lane_does_not_lose_the_chain(void **state)
{
    enum { COMMANDS = 2 * QUEUE_MAX };
    struct alliance *alliance = *state;
    const char *ann = name_in(0, 0), *bob = name_in(1, 0);
    struct command *filling = calloc(COMMANDS, sizeof *filling);
    struct error err = { 0 };
    char sql[200];

    make_member(alliance, ann, 40);
    make_member(alliance, bob, 0);
    int64_t all = everywhere(alliance);
    struct command send = send_of(alliance, ann, bob, 25);
    snprintf(sql, sizeof sql, "BEGIN; SELECT FROM account WHERE member_ref = '%s' FOR UPDATE", bob);
    assert_true(db_script(alliance->db, sql, &err));
    atomic_size_t left = 0;
    for (size_t i = 0; i < COMMANDS; i++) {
        filling[i] = command_set_member(alliance, bob, 0);
        filling[i].done = count_down;
        filling[i].owner = &left;
        atomic_fetch_add(&left, 1);
        if (!lanes_submit(alliance->lanes, &filling[i], &err))
            break;
        /* Before the queue is filled its lane stands at our lock: later it would make room by taking.  */
        while (i == 0 &&
               alliance_count(alliance, "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
                                        "AND wait_event_type = 'Lock'") == 0)
            sched_yield();
    }
    assert_int_equal(err.reason, REASON_OVERLOADED);
    atomic_fetch_sub(&left, 1); /* the one that was not taken */
    assert_int_equal(walk_to_the_end(alliance, &send).reason, REASON_OVERLOADED);
    assert_int_equal(available(alliance, ann), 15);
    assert_true(db_script(alliance->db, "ROLLBACK", &err));
    while (atomic_load(&left) > 0)
        sched_yield();
    assert_int_equal(everywhere(alliance), all);
    assert_int_equal(recover(alliance, 0), 1);
    assert_int_equal(available(alliance, bob), 25);
    assert_int_equal(walk_to_the_end(alliance, &send).reason, REASON_OK);
    assert_int_equal(everywhere(alliance), all);
    free(filling);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_chain_that_stops_anywhere_is_finished, setup, teardown),
        cmocka_unit_test_setup_teardown(lots_keep_their_expiry, setup, teardown),
        cmocka_unit_test_setup_teardown(what_cannot_be_received_comes_back, setup, teardown),
        cmocka_unit_test_setup_teardown(young_transfers_are_left_alone, setup, teardown),
        cmocka_unit_test_setup_teardown(a_row_that_cannot_be_read_keeps_nobody_back, setup, teardown),
        cmocka_unit_test_setup_teardown(two_servers_may_recover_at_once, setup, teardown),
        cmocka_unit_test_setup_teardown(a_full_lane_does_not_lose_the_chain, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
