/*
 * test_poison.c -- a batch of 256 commands with one that the database refuses: 255 succeed, one gets its own error.
 *
 * That it is one batch is made sure of: the lane is stopped within a batch before it, by a lock on the fence of its
 * bucket, until all 256 wait in its queue; and what the lane reports is compared.
 */
#include "domain/redemption.h"
#include "members.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { REPORTS_MAX = 16, REF_MAX = 24, POINTS = 100, HELD = 10 };

struct batch_test {
    struct alliance alliance;
    struct lanes *lanes; /* one lane, watched */
    pthread_mutex_t lock;
    int32_t reports[REPORTS_MAX]; /* commands of each batch; guarded by lock */
    size_t report_count;
    char refs[BATCH_MAX][REF_MAX]; /* members of one bucket */
    struct command holds[BATCH_MAX];
};

static void observe(void *owner, const struct lane_report *report)
{
    struct batch_test *test = owner;

    pthread_mutex_lock(&test->lock);
    if (test->report_count < REPORTS_MAX)
        test->reports[test->report_count++] = report->commands;
    pthread_mutex_unlock(&test->lock);
}

/* Refs whose members all live in bucket 0. */
static void choose_refs(struct batch_test *test)
{
    size_t chosen = 0;

    for (int i = 0; chosen < BATCH_MAX; i++) {
        snprintf(test->refs[chosen], REF_MAX, "m%d", i);
        struct uuid id = command_member_id("bank-a", test->refs[chosen]);
        chosen += member_hash16(&id) % TEST_BUCKETS == 0;
    }
}

/* All of them with points, by lanes that nobody watches. */
static void fill_members(struct batch_test *test)
{
    struct command *commands = calloc(BATCH_MAX, sizeof *commands);

    assert_non_null(commands);
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < BATCH_MAX; i++)
            commands[i] = round == 0 ? command_set_member(&test->alliance, test->refs[i], 0)
                                     : command_accrue(&test->alliance, test->refs[i], "first", POINTS * 100);
        alliance_run_all(&test->alliance, commands, BATCH_MAX);
        for (size_t i = 0; i < BATCH_MAX; i++)
            assert_int_equal(commands[i].answer.reason, REASON_OK);
    }
    free(commands);
}

static int open_test(void **state)
{
    struct batch_test *test = calloc(1, sizeof *test);
    struct error err = { 0 };

    alliance_open(&test->alliance);
    pthread_mutex_init(&test->lock, NULL);
    struct lanes_options options = { .conninfo = test->alliance.conninfo,
                                     .buckets = TEST_BUCKETS,
                                     .lanes = 1,
                                     .reference = test->alliance.reference,
                                     .observer = observe,
                                     .observer_owner = test };
    assert_true(lanes_open(&options, &test->lanes, &err));
    assert_true(db_script(test->alliance.db,
                          "ALTER TABLE redemption ADD CONSTRAINT no_poison CHECK (terminal_id <> 'poison')", &err));
    choose_refs(test);
    fill_members(test);
    *state = test;
    return 0;
}

static int close_test(void **state)
{
    struct batch_test *test = *state;

    lanes_close(test->lanes);
    alliance_close(&test->alliance);
    pthread_mutex_destroy(&test->lock);
    free(test);
    return 0;
}

struct countdown {
    pthread_mutex_t lock;
    pthread_cond_t over;
    size_t left;
};

static void answered(struct command *command)
{
    struct countdown *countdown = command->owner;

    pthread_mutex_lock(&countdown->lock);
    if (--countdown->left == 0)
        pthread_cond_signal(&countdown->over);
    pthread_mutex_unlock(&countdown->lock);
}

static void submit(struct batch_test *test, struct countdown *countdown, struct command *command)
{
    struct error err = { 0 };

    command->done = answered;
    command->owner = countdown;
    assert_true(lanes_submit(test->lanes, command, &err));
}

static void await_lane_at_the_fence(struct batch_test *test)
{
    while (alliance_count(&test->alliance, "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND "
                                           "datname = current_database()") == 0)
        ;
}

static void run_in_one_batch(struct batch_test *test)
{
    struct countdown countdown = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, BATCH_MAX + 1 };
    struct command plug = command_set_member(&test->alliance, test->refs[0], 0);
    struct error err = { 0 };

    test->report_count = 0;
    assert_true(db_script(test->alliance.db, "BEGIN; SELECT 1 FROM fence WHERE bucket = 0 FOR UPDATE", &err));
    submit(test, &countdown, &plug);
    await_lane_at_the_fence(test);
    for (size_t i = 0; i < BATCH_MAX; i++)
        submit(test, &countdown, &test->holds[i]);
    assert_true(db_script(test->alliance.db, "ROLLBACK", &err));
    pthread_mutex_lock(&countdown.lock);
    while (countdown.left > 0)
        pthread_cond_wait(&countdown.over, &countdown.lock);
    pthread_mutex_unlock(&countdown.lock);
    assert_int_equal(plug.answer.reason, REASON_OK);
}

/* The report of a batch comes after its answers; the lane makes no other before it is asked again. */
static void it_was_one_batch(struct batch_test *test)
{
    size_t count;

    do {
        pthread_mutex_lock(&test->lock);
        count = test->report_count;
        pthread_mutex_unlock(&test->lock);
    } while (count < 2);
    assert_int_equal(count, 2);
    assert_int_equal(test->reports[0], 1);
    assert_int_equal(test->reports[1], BATCH_MAX);
}

static void make_holds(struct batch_test *test, const size_t *poisoned, size_t count)
{
    for (size_t i = 0; i < BATCH_MAX; i++)
        test->holds[i] = command_hold(&test->alliance, test->refs[i], HELD);
    for (size_t i = 0; i < count; i++)
        test->holds[poisoned[i]].hold.terminal_id = "poison";
}

static bool is_among(size_t i, const size_t *poisoned, size_t count)
{
    for (size_t k = 0; k < count; k++) {
        if (poisoned[k] == i)
            return true;
    }
    return false;
}

static void only_the_poisoned_fail(struct batch_test *test, const size_t *poisoned, size_t count)
{
    make_holds(test, poisoned, count);
    run_in_one_batch(test);
    it_was_one_batch(test);
    for (size_t i = 0; i < BATCH_MAX; i++)
        assert_int_equal(test->holds[i].answer.reason, is_among(i, poisoned, count) ? REASON_INTERNAL : REASON_OK);
    assert_int_equal(alliance_count(&test->alliance, "SELECT count(*) FROM redemption"), BATCH_MAX - count);
    assert_int_equal(alliance_count(&test->alliance, "SELECT sum(held) FROM account"),
                     (int64_t)(BATCH_MAX - count) * HELD);
    assert_int_equal(alliance_count(&test->alliance, "SELECT sum(available) FROM account"),
                     (int64_t)BATCH_MAX * POINTS - (int64_t)(BATCH_MAX - count) * HELD);
    alliance_check(&test->alliance);
}

static void the_first_of_256(void **state)
{
    only_the_poisoned_fail(*state, (const size_t[]){ 0 }, 1);
}

static void one_in_the_middle_of_256(void **state)
{
    only_the_poisoned_fail(*state, (const size_t[]){ 127 }, 1);
}

static void the_last_of_256(void **state)
{
    only_the_poisoned_fail(*state, (const size_t[]){ BATCH_MAX - 1 }, 1);
}

static void several_of_256(void **state)
{
    only_the_poisoned_fail(*state, (const size_t[]){ 3, 4, 127, 128, 255 }, 5);
}

/* The neighbours' answers are kept: the same ids again get the very same, and the poison is refused again. */
static void all_256_may_be_sent_again(void **state)
{
    struct batch_test *test = *state;
    struct answer *first = calloc(BATCH_MAX, sizeof *first);
    const size_t poisoned = 200;

    assert_non_null(first);
    only_the_poisoned_fail(test, &poisoned, 1);
    for (size_t i = 0; i < BATCH_MAX; i++)
        first[i] = test->holds[i].answer;
    run_in_one_batch(test);
    it_was_one_batch(test);
    for (size_t i = 0; i < BATCH_MAX; i++) {
        if (i != poisoned)
            assert_memory_equal(&test->holds[i].answer, &first[i], sizeof first[i]);
    }
    assert_int_equal(test->holds[poisoned].answer.reason, REASON_INTERNAL);
    alliance_check(&test->alliance);
    free(first);
}

#define STORY(name) cmocka_unit_test_setup_teardown(name, open_test, close_test)

int main(void)
{
    const struct CMUnitTest stories[] = {
        STORY(the_first_of_256), STORY(one_in_the_middle_of_256),  STORY(the_last_of_256),
        STORY(several_of_256),   STORY(all_256_may_be_sent_again),
    };

    return cmocka_run_group_tests(stories, NULL, NULL);
}
