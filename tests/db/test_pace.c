/* test_pace.c -- no window ever holds more than the terms allow, on one server exactly, on two once they exchanged. */
#include "members.h"

#include "engine/pace.h"
#include "engine/pace_count.h"
#include "engine/pace_publisher.h"
#include "store/db.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct instant noon = { INT64_C(1768478400000000) }; /* 2026-01-15T12:00:00Z */
#define SECOND INT64_C(1000000)
#define MINUTE (60 * SECOND)
#define DAY    (1440 * MINUTE)

static struct instant after(int64_t us)
{
    return (struct instant){ noon.us + us };
}

static struct terms terms_of(struct velocity terminal, struct velocity merchant)
{
    return (struct terms){ .version = 1, .terminal_velocity = terminal, .merchant_velocity = merchant };
}

/* One server as far as pace goes. */
struct side {
    struct pace *pace;
    struct pace_publisher *publisher;
};

static struct side side_open(void)
{
    struct side side = { .pace = pace_new() };

    assert_non_null(side.pace);
    side.publisher = pace_publisher_new(side.pace);
    assert_non_null(side.publisher);
    return side;
}

static void side_close(struct side *side)
{
    pace_publisher_free(side->publisher);
    pace_free(side->pace);
}

static enum reason take(struct side *side, const char *terminal, const struct terms *terms, int64_t at_us)
{
    return pace_take(side->pace, 1, terminal, terms, 10, after(at_us));
}

static void no_velocity_costs_nothing(void **state)
{
    const struct terms none = terms_of((struct velocity){ 0 }, (struct velocity){ 0 });
    const struct terms windows_only = terms_of((struct velocity){ MINUTE, 0, 0 }, (struct velocity){ MINUTE, 0, 0 });
    struct side side = side_open();

    (void)state;
    assert_int_equal(take(&side, "t1", &none, 0), REASON_OK);
    assert_int_equal(take(&side, "t1", &windows_only, 0), REASON_OK);
    assert_int_equal(take(&side, "t1", NULL, 0), REASON_OK);
    assert_int_equal(pace_take(NULL, 1, "t1", &none, 10, noon), REASON_OK);
    pace_give_back(NULL, 1, "t1", &none, 10, noon);
    pace_give_back(side.pace, 1, "t1", &none, 10, noon);
    assert_int_equal(pace_figures(side.pace).keys, 0);
    side_close(&side);
}

/* A terminal may hold 3 times or 100 points a minute, the merchant 4 times; each row is one hold after the others. */
static void each_bound_refuses_just_past_its_edge(void **state)
{
    static const struct {
        const char *story;
        const char *terminal;
        int64_t points, at_us;
        enum reason expected;
    } cases[] = {
        { "first", "t1", 40, 0, REASON_OK },
        { "points to the edge", "t1", 60, SECOND, REASON_OK },
        { "one point too many", "t1", 1, 2 * SECOND, REASON_VELOCITY_TERMINAL },
        { "another terminal has its own count", "t2", 1, 2 * SECOND, REASON_OK },
        { "the merchant's fourth", "t2", 1, 3 * SECOND, REASON_OK },
        { "the merchant's fifth", "t2", 1, 3 * SECOND, REASON_VELOCITY_MERCHANT },
        { "what the merchant refused was not counted at the terminal", "t2", 1, 4 * SECOND, REASON_VELOCITY_MERCHANT },
        { "the terminal is named before the merchant", "t1", 1, 4 * SECOND, REASON_VELOCITY_TERMINAL },
        { "the first is a minute old, its slot is not over", "t2", 1, MINUTE, REASON_VELOCITY_MERCHANT },
        { "its slot is over: there is room for one", "t2", 1, MINUTE + SECOND, REASON_OK },
        { "and for one only", "t3", 1, MINUTE + SECOND, REASON_VELOCITY_MERCHANT },
        { "a day later all is forgotten", "t1", 100, DAY, REASON_OK },
        { "no name is a terminal too", NULL, 100, DAY, REASON_OK },
        { "and so is the empty one: the same", "", 1, DAY, REASON_VELOCITY_TERMINAL },
    };
    const struct terms terms = terms_of((struct velocity){ MINUTE, 3, 100 }, (struct velocity){ MINUTE, 4, 0 });
    struct side side = side_open();

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        enum reason reason = pace_take(side.pace, 1, cases[i].terminal, &terms, cases[i].points, after(cases[i].at_us));
        if (reason != cases[i].expected)
            fail_msg("%s: %s", cases[i].story, reason_name(reason));
    }
    side_close(&side);
}

static void what_is_given_back_was_never_there(void **state)
{
    const struct terms terms = terms_of((struct velocity){ MINUTE, 2, 0 }, (struct velocity){ MINUTE, 0, 20 });
    struct side side = side_open();

    (void)state;
    assert_int_equal(take(&side, "t1", &terms, 0), REASON_OK);
    assert_int_equal(take(&side, "t1", &terms, SECOND), REASON_OK);
    assert_int_equal(take(&side, "t2", &terms, SECOND), REASON_VELOCITY_MERCHANT);
    pace_give_back(side.pace, 1, "t1", &terms, 10, after(SECOND));
    assert_int_equal(take(&side, "t1", &terms, SECOND), REASON_OK);
    assert_int_equal(take(&side, "t1", &terms, SECOND), REASON_VELOCITY_TERMINAL);
    for (int i = 0; i < 5; i++) /* more often than it was taken: never below nothing */
        pace_give_back(side.pace, 1, "t1", &terms, 10, after(SECOND));
    assert_int_equal(take(&side, "t1", &terms, SECOND), REASON_OK);
    assert_int_equal(take(&side, "t1", &terms, SECOND), REASON_VELOCITY_TERMINAL);
    side_close(&side);
}

/* Against a list of all that was let through: never too many in a window, and never a refusal without cause. */
static void any_window_is_kept_and_no_more(void **state)
{
    static const int64_t windows[] = { SECOND, 7 * SECOND, 10 * MINUTE, DAY };
    enum { STEPS = 4000, MOST = 25 };
    static int64_t times[STEPS];

    (void)state;
    for (size_t w = 0; w < COUNT(windows); w++) {
        const struct terms terms = terms_of((struct velocity){ windows[w], MOST, 0 }, (struct velocity){ 0 });
        int64_t slot_us = windows[w] / 60 > PACE_SLOT_MIN_US ? windows[w] / 60 + 1 : PACE_SLOT_MIN_US, now = 0;
        struct side side = side_open();
        size_t count = 0, refused = 0;
        srand(11);
        for (size_t step = 0; step < STEPS; step++) {
            int64_t in_window = 0, in_more = 0;
            now += rand() % 50 == 0 ? windows[w] * 2 : rand() % (windows[w] / 20);
            for (size_t i = 0; i < count; i++) {
                in_window += times[i] > now - windows[w];
                in_more += times[i] > now - windows[w] - slot_us;
            }
            if (take(&side, "t1", &terms, now) == REASON_OK) {
                assert_true(in_window < MOST);
                times[count++] = now;
            } else {
                assert_true(in_more >= MOST);
                refused++;
            }
        }
        assert_true(refused > 0 && count > 10 * MOST);
        side_close(&side);
    }
}

enum { THREADS = 8, TRIES = 5000, ROOM = 12345 };

struct contender {
    struct side *side;
    const struct terms *terms;
    int64_t taken;
};

/* All at one merchant, within its window; some give back what they took. */
static void *contend(void *argument)
{
    struct contender *contender = argument;

    for (int i = 0; i < TRIES; i++) {
        bool held = take(contender->side, i % 2 ? "t1" : "t2", contender->terms, i) == REASON_OK;
        if (held && i % 7 == 0)
            pace_give_back(contender->side->pace, 1, i % 2 ? "t1" : "t2", contender->terms, 10, after(i));
        else if (held)
            contender->taken++;
    }
    return NULL;
}

static void eight_threads_share_the_room_exactly(void **state)
{
    const struct terms terms = terms_of((struct velocity){ MINUTE, 1000000, 0 }, (struct velocity){ MINUTE, ROOM, 0 });
    struct side side = side_open();
    struct contender contenders[THREADS];
    pthread_t threads[THREADS];
    int64_t taken = 0;

    (void)state;
    for (size_t i = 0; i < THREADS; i++) {
        contenders[i] = (struct contender){ &side, &terms, 0 };
        assert_int_equal(pthread_create(&threads[i], NULL, contend, &contenders[i]), 0);
    }
    for (size_t i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        taken += contenders[i].taken;
    }
    while (take(&side, "t1", &terms, SECOND) == REASON_OK) /* what was given back at the very end */
        taken++;
    assert_int_equal(taken, ROOM);
    side_close(&side);
}

static void terms_with_another_window_go_on_counting(void **state)
{
    struct terms terms = terms_of((struct velocity){ 60 * MINUTE, 3, 0 }, (struct velocity){ 0 }), newer = terms;
    struct side side = side_open();

    (void)state;
    newer.version = 2;
    newer.terminal_velocity.window_us = 10 * MINUTE;
    assert_int_equal(take(&side, "t1", &terms, 0), REASON_OK);
    assert_int_equal(take(&side, "t1", &terms, 30 * MINUTE), REASON_OK);
    assert_int_equal(take(&side, "t1", &newer, 35 * MINUTE), REASON_OK);
    assert_int_equal(take(&side, "t1", &newer, 35 * MINUTE), REASON_OK);
    assert_int_equal(take(&side, "t1", &newer, 35 * MINUTE), REASON_VELOCITY_TERMINAL);
    assert_int_equal(take(&side, "t1", &terms, 35 * MINUTE), REASON_VELOCITY_TERMINAL); /* a lane that is behind */
    assert_int_equal(take(&side, "t1", &newer, 42 * MINUTE), REASON_OK);
    newer.version = 3;
    newer.terminal_velocity.window_us = 60 * MINUTE;
    assert_int_equal(take(&side, "t1", &newer, 43 * MINUTE), REASON_VELOCITY_TERMINAL);
    side_close(&side);
}

static void a_straggler_is_counted_and_a_clock_set_back_is_no_prison(void **state)
{
    const struct terms terms = terms_of((struct velocity){ SECOND, 2, 0 }, (struct velocity){ 0 });
    struct side side = side_open();

    (void)state;
    assert_int_equal(take(&side, "t1", &terms, 20 * SECOND), REASON_OK);
    assert_int_equal(take(&side, "t1", &terms, 0), REASON_OK); /* its batch waited for a lock */
    assert_int_equal(take(&side, "t1", &terms, 0), REASON_VELOCITY_TERMINAL);
    assert_int_equal(take(&side, "t1", &terms, 20 * SECOND), REASON_VELOCITY_TERMINAL);
    for (int64_t i = 0; i < 3; i++)
        assert_int_equal(take(&side, "t1", &terms, -60 * MINUTE + 3 * i * SECOND), REASON_OK);
    side_close(&side);
}

static void too_many_keys_forget_the_idle_ones(void **state)
{
    const struct terms terms = terms_of((struct velocity){ MINUTE, 1, 0 }, (struct velocity){ 0 });
    struct side side = side_open();
    struct pace_row rows[256];
    char terminal[16];

    (void)state;
    for (int i = 0; i < 2 * PACE_KEYS_MAX; i++) {
        snprintf(terminal, sizeof terminal, "t%d", i);
        assert_int_equal(take(&side, terminal, &terms, 0), REASON_OK);
        assert_int_equal(take(&side, terminal, &terms, 0), REASON_VELOCITY_TERMINAL);
        /* One that is used again and again is not forgotten. */
        assert_int_equal(take(&side, "t0", &terms, 0), REASON_VELOCITY_TERMINAL);
        if (i % 256 == 255)
            assert_int_equal(pace_collect(side.pace, rows, COUNT(rows)), COUNT(rows));
    }
    struct pace_figures figures = pace_figures(side.pace);
    assert_true(figures.keys <= PACE_KEYS_MAX && figures.keys > PACE_KEYS_MAX / 2);
    assert_int_equal(figures.keys + figures.dropped, 2 * PACE_KEYS_MAX);
    side_close(&side);
}

/* With a database */

struct world {
    char conninfo[TEST_CONNINFO];
    struct db *db;
    struct side here, there;
};

static int open_world(void **state)
{
    struct world *world = calloc(1, sizeof *world);
    struct error err = { 0 };

    database_make(world->conninfo);
    assert_true(db_open(world->conninfo, &world->db, &err));
    world->here = side_open();
    world->there = side_open();
    *state = world;
    return 0;
}

static int close_world(void **state)
{
    struct world *world = *state;

    side_close(&world->here);
    side_close(&world->there);
    db_close(world->db);
    database_drop(world->conninfo);
    free(world);
    return 0;
}

static void exchange(struct world *world, struct side *side)
{
    struct error err = { 0 };

    if (!pace_exchange(side->publisher, world->db, &err))
        fail_msg("%s: %s", reason_name(err.reason), error_text(&err));
}

static void exchange_both(struct world *world)
{
    exchange(world, &world->here);
    exchange(world, &world->there);
    exchange(world, &world->here);
}

static void must_run(struct world *world, const char *sql)
{
    struct error err = { 0 };

    if (!db_script(world->db, sql, &err))
        fail_msg("%s: %s", sql, error_text(&err));
}

struct number_row {
    int64_t number;
};

static int64_t rows_of_pace(struct world *world)
{
    static const struct column columns[] = { COLUMN(struct number_row, number) };
    static const struct statement statement = {
        "test_pace_rows",         "SELECT count(*) AS number FROM pace", NULL, 0, columns, COUNT(columns),
        sizeof(struct number_row)
    };
    CLEANUP(arena_release) struct arena arena = { 0 };
    struct error err = { 0 };
    struct number_row row;
    bool found;

    assert_true(db_fetch_one(world->db, &statement, NULL, &arena, &row, &found, &err));
    return row.number;
}

static void what_one_lets_through_the_other_knows(void **state)
{
    const struct terms terms = terms_of((struct velocity){ MINUTE, 3, 0 }, (struct velocity){ MINUTE, 0, 50 });
    struct world *world = *state;

    assert_int_equal(take(&world->here, "t1", &terms, 0), REASON_OK);
    assert_int_equal(take(&world->here, "t1", &terms, SECOND), REASON_OK);
    assert_int_equal(take(&world->here, "t1", &terms, SECOND), REASON_OK);
    exchange_both(world);
    assert_int_equal(take(&world->there, "t1", &terms, SECOND), REASON_VELOCITY_TERMINAL);
    assert_int_equal(take(&world->there, "t2", &terms, SECOND), REASON_OK);
    assert_int_equal(take(&world->there, "t2", &terms, SECOND), REASON_OK);
    assert_int_equal(take(&world->there, "t2", &terms, SECOND), REASON_VELOCITY_MERCHANT);
    exchange_both(world);
    assert_int_equal(take(&world->here, "t3", &terms, SECOND), REASON_VELOCITY_MERCHANT);

    pace_give_back(world->there.pace, 1, "t2", &terms, 10, after(SECOND));
    exchange_both(world);
    exchange_both(world); /* reading a row twice counts it once */
    assert_int_equal(take(&world->here, "t3", &terms, SECOND), REASON_OK);
    assert_int_equal(take(&world->here, "t3", &terms, SECOND), REASON_VELOCITY_MERCHANT);
    exchange_both(world);
    assert_int_equal(take(&world->there, "t3", &terms, SECOND), REASON_VELOCITY_MERCHANT);
    assert_int_equal(take(&world->there, "t1", &terms, MINUTE + 3 * SECOND), REASON_OK);
}

static void three_servers_add_up(void **state)
{
    const struct terms terms = terms_of((struct velocity){ 0 }, (struct velocity){ MINUTE, 4, 0 });
    struct world *world = *state;
    struct side third = side_open();

    assert_int_equal(take(&world->here, "t1", &terms, 0), REASON_OK);
    assert_int_equal(take(&world->there, "t1", &terms, 0), REASON_OK);
    assert_int_equal(take(&third, "t1", &terms, 0), REASON_OK);
    exchange(world, &third);
    exchange_both(world);
    assert_int_equal(take(&world->here, "t1", &terms, 0), REASON_OK);
    assert_int_equal(take(&world->here, "t1", &terms, 0), REASON_VELOCITY_MERCHANT);
    side_close(&third);
}

static void a_server_that_comes_back_knows_what_it_did(void **state)
{
    const struct terms terms = terms_of((struct velocity){ MINUTE, 2, 0 }, (struct velocity){ 0 });
    struct world *world = *state;

    assert_int_equal(take(&world->here, "t1", &terms, 0), REASON_OK);
    assert_int_equal(take(&world->here, "t1", &terms, 0), REASON_OK);
    exchange(world, &world->here);
    side_close(&world->here);
    world->here = side_open();
    exchange(world, &world->here);
    assert_int_equal(take(&world->here, "t1", &terms, SECOND), REASON_VELOCITY_TERMINAL);
}

static void what_could_not_be_written_is_written_later(void **state)
{
    const struct terms terms = terms_of((struct velocity){ MINUTE, 1, 0 }, (struct velocity){ 0 });
    struct world *world = *state;
    struct error err = { 0 };

    assert_int_equal(take(&world->here, "t1", &terms, 0), REASON_OK);
    must_run(world, "ALTER TABLE pace RENAME TO away");
    assert_false(pace_exchange(world->here.publisher, world->db, &err));
    must_run(world, "ALTER TABLE away RENAME TO pace");
    exchange_both(world);
    assert_int_equal(take(&world->there, "t1", &terms, 0), REASON_VELOCITY_TERMINAL);
}

/* Each goes over to the new window by itself; then both have the same slots again. */
static void another_window_is_learnt_by_both(void **state)
{
    struct terms terms = terms_of((struct velocity){ 0 }, (struct velocity){ 60 * MINUTE, 4, 0 }), newer = terms;
    struct world *world = *state;

    newer.version = 2;
    newer.merchant_velocity.window_us = MINUTE;
    assert_int_equal(take(&world->here, "t1", &terms, 0), REASON_OK);
    exchange_both(world);
    assert_int_equal(take(&world->here, "t1", &newer, 5 * MINUTE), REASON_OK);
    assert_int_equal(take(&world->here, "t1", &newer, 5 * MINUTE), REASON_OK);
    exchange_both(world);
    exchange_both(world);
    assert_int_equal(take(&world->there, "t1", &newer, 5 * MINUTE), REASON_OK); /* it learns that all is to be read */
    exchange_both(world);
    assert_int_equal(take(&world->there, "t1", &newer, 5 * MINUTE), REASON_OK);
    assert_int_equal(take(&world->there, "t1", &newer, 5 * MINUTE), REASON_VELOCITY_MERCHANT);
}

static void the_table_stays_small(void **state)
{
    const struct terms terms = terms_of((struct velocity){ MINUTE, 1000, 0 }, (struct velocity){ 0 });
    struct world *world = *state;

    for (int64_t second = 0; second < 300; second++) {
        assert_int_equal(take(&world->here, "t1", &terms, second * SECOND), REASON_OK);
        exchange(world, &world->here);
    }
    assert_true(rows_of_pace(world) > 60 && rows_of_pace(world) <= PACE_SLOTS + 1);

    /* Nobody is left to delete these but any server, after the longest window and a minute. */
    must_run(world, "INSERT INTO pace SELECT gen_random_uuid(), 2, i, now(), 1000000, 1, 1, now() - interval '24 h' "
                    "FROM generate_series(1, 10) i");
    must_run(world,
             "INSERT INTO pace SELECT gen_random_uuid(), 3, i, now(), 1000000, 1, 1, now() - interval '24 h 61 s' "
             "FROM generate_series(1, 2500) i");
    int64_t before = rows_of_pace(world);
    exchange(world, &world->there);
    assert_int_equal(rows_of_pace(world), before - PACE_PRUNE_MAX); /* in bounded steps */
    exchange(world, &world->there);
    assert_int_equal(rows_of_pace(world), before - 2500);
    exchange(world, &world->there);
    assert_int_equal(rows_of_pace(world), before - 2500);
}

/* More keys than one write takes; the thread does it by itself. */
static void the_publishers_thread_tells_everything(void **state)
{
    enum { TERMINALS = 3 * PACE_WRITE_MAX };
    const struct terms terms = terms_of((struct velocity){ MINUTE, 1, 0 }, (struct velocity){ 0 });
    struct world *world = *state;
    struct error err = { 0 };
    char terminal[16];

    for (int i = 0; i < TERMINALS; i++) {
        snprintf(terminal, sizeof terminal, "t%d", i);
        assert_int_equal(take(&world->here, terminal, &terms, 0), REASON_OK);
    }
    assert_true(pace_publisher_start(world->here.publisher, world->conninfo, &err));
    while (rows_of_pace(world) < TERMINALS)
        continue;
    pace_publisher_free(world->here.publisher);
    world->here.publisher = NULL;
    exchange(world, &world->there);
    for (int i = 0; i < TERMINALS; i++) {
        snprintf(terminal, sizeof terminal, "t%d", i);
        assert_int_equal(take(&world->there, terminal, &terms, 0), REASON_VELOCITY_TERMINAL);
    }
}

/* Through lanes: what was refused for another reason, and what is only repeated, is not counted. */

static enum reason hold_on(struct lanes *lanes, struct command *hold)
{
    alliance_run_on(lanes, hold, 1);
    return hold->answer.reason;
}

static void lanes_count_what_they_hold(void **state)
{
    struct alliance alliance;
    struct side sides[] = { side_open(), side_open() };
    struct lanes *lanes[COUNT(sides)];
    struct error err = { 0 };

    (void)state;
    alliance_open(&alliance);
    assert_true(
        db_script(alliance.db,
                  "UPDATE terms SET terminal_window_us = 60000000, terminal_max_holds = 3, merchant_window_us = "
                  "60000000, merchant_max_points = 100; UPDATE installation SET reference_version = 2; "
                  "UPDATE fence SET reference_version = 2",
                  &err));
    struct lanes_options options = {
        .conninfo = alliance.conninfo, .buckets = TEST_BUCKETS, .lanes = 2, .reference = alliance.reference
    };
    for (size_t i = 0; i < COUNT(lanes); i++) {
        options.pace = sides[i].pace;
        assert_true(lanes_open(&options, &lanes[i], &err));
    }
    struct command set = command_set_member(&alliance, "m1", 0), set_poor = command_set_member(&alliance, "poor", 0);
    struct command accrue = command_accrue(&alliance, "m1", "t", 100000);
    alliance_run(&alliance, &set);
    alliance_run(&alliance, &set_poor);
    alliance_run(&alliance, &accrue);

    struct command first = command_hold(&alliance, "m1", 10), again = first;
    for (int i = 0; i < 5; i++) { /* within every velocity, and more than this member has */
        struct command poor = command_hold(&alliance, "poor", 30);
        assert_int_equal(hold_on(lanes[0], &poor), REASON_INSUFFICIENT_POINTS);
    }
    assert_int_equal(hold_on(lanes[0], &first), REASON_OK);
    for (int i = 0; i < 5; i++)
        assert_int_equal(hold_on(lanes[0], &again), REASON_OK); /* a repeat */
    struct command second = command_hold(&alliance, "m1", 10), third = command_hold(&alliance, "m1", 10);
    assert_int_equal(hold_on(lanes[0], &second), REASON_OK);
    struct command cancel = command_on(&second, COMMAND_CANCEL, 0); /* it was a hold all the same */
    assert_int_equal(hold_on(lanes[0], &cancel), REASON_OK);
    assert_int_equal(hold_on(lanes[0], &third), REASON_OK);
    struct command fourth = command_hold(&alliance, "m1", 10), there = command_hold(&alliance, "m1", 10);
    assert_int_equal(hold_on(lanes[0], &fourth), REASON_VELOCITY_TERMINAL);

    assert_true(pace_exchange(sides[0].publisher, alliance.db, &err));
    assert_true(pace_exchange(sides[1].publisher, alliance.db, &err));
    assert_int_equal(hold_on(lanes[1], &there), REASON_VELOCITY_TERMINAL);
    struct command late = command_hold(&alliance, "m1", 10);
    alliance_clock(&alliance, "2026-01-15T12:01:02Z");
    assert_int_equal(hold_on(lanes[1], &late), REASON_OK);
    assert_int_equal(hold_on(lanes[0], &fourth), REASON_VELOCITY_TERMINAL); /* the refusal is remembered */
    alliance_check(&alliance);
    for (size_t i = 0; i < COUNT(lanes); i++) {
        lanes_close(lanes[i]);
        side_close(&sides[i]);
    }
    alliance_close(&alliance);
}

int main(void)
{
#define STORY(name) cmocka_unit_test_setup_teardown(name, open_world, close_world)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_velocity_costs_nothing),
        cmocka_unit_test(each_bound_refuses_just_past_its_edge),
        cmocka_unit_test(what_is_given_back_was_never_there),
        cmocka_unit_test(any_window_is_kept_and_no_more),
        cmocka_unit_test(eight_threads_share_the_room_exactly),
        cmocka_unit_test(terms_with_another_window_go_on_counting),
        cmocka_unit_test(a_straggler_is_counted_and_a_clock_set_back_is_no_prison),
        cmocka_unit_test(too_many_keys_forget_the_idle_ones),
        STORY(what_one_lets_through_the_other_knows),
        STORY(three_servers_add_up),
        STORY(a_server_that_comes_back_knows_what_it_did),
        STORY(what_could_not_be_written_is_written_later),
        STORY(another_window_is_learnt_by_both),
        STORY(the_table_stays_small),
        STORY(the_publishers_thread_tells_everything),
        cmocka_unit_test(lanes_count_what_they_hold),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
