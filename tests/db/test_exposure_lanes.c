/* A bank's exposure limit under two servers at once: used up to the last unit, and not beyond. */
#include "members.h"

#include "domain/redemption_id.h"
#include "io/clock.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MEMBERS = 40, HOLDS = 400, ROOM = 100, POINTS = 100, MINOR = 70 };

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

/* A limit for so many holds of 100 points (70 fen), all of it in bucket 3; the lanes hear of it by the fences. */
static void set_limit(struct alliance *alliance, int holds)
{
    char sql[600];
    struct error err = { 0 };

    snprintf(sql, sizeof sql,
             "INSERT INTO exposure (bucket, bank_no, currency, limit_minor, allotted_minor, used_minor) SELECT b, 1, "
             "'CNY', %d, CASE b WHEN 3 THEN %d ELSE 0 END, 0 FROM generate_series(0, 3) b; UPDATE installation SET "
             "reference_version = reference_version + 1; UPDATE fence SET reference_version = (SELECT "
             "reference_version FROM installation)",
             holds * MINOR, holds * MINOR);
    if (!db_script(alliance->db, sql, &err))
        fail_msg("%s", error_text(&err));
}

static char names[MEMBERS][16];

static void make_members(struct alliance *alliance)
{
    static struct command commands[2 * MEMBERS];

    for (int i = 0; i < MEMBERS; i++) {
        snprintf(names[i], sizeof names[i], "m-%d", i);
        commands[2 * i] = command_set_member(alliance, names[i], 0);
        commands[2 * i + 1] = command_accrue(alliance, names[i], "start", 1000000);
    }
    alliance_run_all(alliance, commands, COUNT(commands));
    for (size_t i = 0; i < COUNT(commands); i++)
        assert_int_equal(commands[i].answer.reason, REASON_OK);
}

struct server {
    struct lanes *lanes;
    struct command *commands;
    size_t count;
};

static void *run_server(void *argument)
{
    struct server *server = argument;

    alliance_run_on(server->lanes, server->commands, server->count);
    return NULL;
}

static void run_on_both(struct alliance *alliance, struct lanes *other, struct command *commands, size_t count)
{
    struct server servers[] = { { alliance->lanes, commands, count / 2 },
                                { other, commands + count / 2, count - count / 2 } };
    pthread_t threads[2];

    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, run_server, &servers[i]), 0);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
}

static size_t count_of(const struct command *commands, size_t count, enum reason reason)
{
    size_t n = 0;

    for (size_t i = 0; i < count; i++)
        n += commands[i].answer.reason == reason;
    return n;
}

static void the_limit_is_exact_on_two_servers(void **state)
{
    struct alliance *alliance = *state;
    static struct command holds[HOLDS], others[HOLDS];
    struct lanes_options options = {
        .conninfo = alliance->conninfo, .buckets = TEST_BUCKETS, .lanes = 2, .reference = alliance->reference
    };
    struct lanes *other;
    struct error err;

    assert_true(lanes_open(&options, &other, &err));
    make_members(alliance);
    set_limit(alliance, ROOM);
    for (int i = 0; i < HOLDS; i++)
        holds[i] = command_hold(alliance, names[i % MEMBERS], POINTS);
    run_on_both(alliance, other, holds, HOLDS);
    assert_int_equal(count_of(holds, HOLDS, REASON_OK), ROOM);
    assert_int_equal(count_of(holds, HOLDS, REASON_EXPOSURE_LIMIT), HOLDS - ROOM);
    assert_int_equal(alliance_count(alliance, "SELECT sum(used_minor) FROM exposure"), ROOM * MINOR);
    assert_int_equal(alliance_count(alliance, "SELECT sum(exposure_minor) FROM redemption"), ROOM * MINOR);
    assert_int_equal(alliance_count(alliance, "SELECT sum(allotted_minor) FROM exposure"), ROOM * MINOR);
    /* Some are cancelled while others try: what came back is used again, and no more. */
    size_t n = 0;
    for (int i = 0; i < HOLDS; i++) {
        if (holds[i].answer.reason == REASON_OK && i % 2)
            others[n++] = command_on(&holds[i], COMMAND_CANCEL, 0);
    }
    size_t cancelled = n;
    while (n < HOLDS) {
        others[n] = command_hold(alliance, names[n % MEMBERS], POINTS);
        n++;
    }
    run_on_both(alliance, other, others, n);
    size_t held = count_of(others + cancelled, HOLDS - cancelled, REASON_OK);
    assert_int_equal(count_of(others, cancelled, REASON_OK), cancelled);
    assert_true(held <= cancelled);
    assert_int_equal(alliance_count(alliance, "SELECT sum(used_minor) FROM exposure"),
                     (int64_t)(ROOM - cancelled + held) * MINOR);
    /* And then the rest of it, to the last. */
    for (size_t i = 0; i < HOLDS; i++)
        holds[i] = command_hold(alliance, names[i % MEMBERS], POINTS);
    run_on_both(alliance, other, holds, HOLDS);
    assert_int_equal(count_of(holds, HOLDS, REASON_OK), cancelled - held);
    assert_int_equal(alliance_count(alliance, "SELECT sum(used_minor) FROM exposure"), ROOM * MINOR);
    alliance_check(alliance);
    lanes_close(other);
}

/* Each hold is rounded by itself: two of 5 points take 4 fen each (3.5 half to even), though ten points would take 7.
 */
static void room_is_asked_for_as_it_will_be_taken(void **state)
{
    struct alliance *alliance = *state;
    struct error err = { 0 };

    make_members(alliance);
    set_limit(alliance, 1);
    if (!db_script(alliance->db,
                   "UPDATE exposure SET limit_minor = 8, allotted_minor = CASE bucket WHEN 3 THEN 8 ELSE 0 END", &err))
        fail_msg("%s", error_text(&err));
    size_t elsewhere = 0;
    while (command_hold(alliance, names[elsewhere], 5).hash16 % 4 == 3)
        elsewhere++;
    struct command holds[] = { command_hold(alliance, names[elsewhere], 5), command_hold(alliance, names[elsewhere], 5),
                               command_hold(alliance, names[elsewhere], 5) };
    alliance_run_all(alliance, holds, COUNT(holds));
    assert_int_equal(holds[0].answer.reason, REASON_OK);
    assert_int_equal(holds[1].answer.reason, REASON_OK);
    assert_int_equal(holds[2].answer.reason, REASON_EXPOSURE_LIMIT);
    assert_int_equal(alliance_count(alliance, "SELECT sum(used_minor) FROM exposure"), 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(room_is_asked_for_as_it_will_be_taken, setup, teardown),
        cmocka_unit_test_setup_teardown(the_limit_is_exact_on_two_servers, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
