/* test_lane_queue.c -- what a batch contains: nobody waits behind one member's crowd, nobody fills a lane alone. */
#include "engine/command.h"
#include "engine/lane_queue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { COMMANDS = 20000, BUCKETS = 4, MERCHANTS = 20 };

/* Commands are named by where they stand in `commands`. */
struct fixture {
    struct lane_queue queue;
    struct command commands[COMMANDS];
    size_t made;
    struct command *batch[BATCH_MAX];
    size_t count;
    int32_t bucket;
};

static int make_fixture(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);

    assert_non_null(fixture);
    lane_queue_init(&fixture->queue, 0, 1, BUCKETS);
    *state = fixture;
    return 0;
}

static int free_fixture(void **state)
{
    free(*state);
    return 0;
}

static enum reason put_as(struct fixture *fixture, enum command_kind kind, uint16_t member, int32_t merchant_no)
{
    struct error err = { 0 };
    struct command *command = &fixture->commands[fixture->made];

    assert_true(fixture->made < COMMANDS);
    *command = (struct command){ .kind = kind, .hash16 = member, .merchant_no = merchant_no, .bank_no = 1 };
    if (!lane_queue_put(&fixture->queue, command, &err))
        return err.reason;
    fixture->made++;
    return REASON_OK;
}

static enum reason put_of(struct fixture *fixture, uint16_t member, int32_t merchant_no)
{
    return put_as(fixture, COMMAND_HOLD, member, merchant_no);
}

/* A bank's, one of each member from that one on. */
static void put_bulk(struct fixture *fixture, uint16_t first, uint16_t count)
{
    for (uint16_t i = 0; i < count; i++)
        assert_int_equal(put_as(fixture, COMMAND_ACCRUE, (uint16_t)((first + i) * BUCKETS), 0), REASON_OK);
}

/* By a merchant of the member's own, so that no caller's part is at stake. */
static void put(struct fixture *fixture, uint16_t member, size_t times)
{
    for (size_t i = 0; i < times; i++)
        assert_int_equal(put_of(fixture, member, 1 + member % MERCHANTS), REASON_OK);
}

static void take(struct fixture *fixture)
{
    fixture->count = lane_queue_take(&fixture->queue, &fixture->bucket, fixture->batch);
}

static size_t taken_of(const struct fixture *fixture, uint16_t member)
{
    size_t count = 0;

    for (size_t i = 0; i < fixture->count; i++)
        count += fixture->batch[i]->hash16 == member;
    return count;
}

static void the_others_are_in_the_next_batch_however_many_one_member_has(void **state)
{
    enum { HOT = 0, BATCHES = 10, OTHERS = 100 };
    struct fixture *fixture = *state;

    put(fixture, HOT, BATCHES * BATCH_MEMBER_MAX);
    for (size_t batch = 0; batch < BATCHES; batch++) {
        for (uint16_t other = 1; other <= OTHERS; other++)
            put(fixture, (uint16_t)(other * BUCKETS), 1);
        take(fixture);
        assert_int_equal(fixture->count, BATCH_MEMBER_MAX + OTHERS);
        for (size_t i = 0; i < BATCH_MEMBER_MAX; i++)
            assert_ptr_equal(fixture->batch[i], &fixture->commands[batch * BATCH_MEMBER_MAX + i]);
    }
    take(fixture);
    assert_int_equal(fixture->count, 0);
}

/* How many batches go before the one in which that member's only command is. */
static size_t batches_before(struct fixture *fixture, uint16_t member)
{
    for (size_t before = 0;; before++) {
        take(fixture);
        assert_true(fixture->count > 0);
        if (taken_of(fixture, member) == 1)
            return before;
        for (size_t i = 0; i < fixture->count; i++) /* who was answered comes again at once */
            put(fixture, fixture->batch[i]->hash16, 1);
    }
}

/* A hot member of 24 open calls, and buckets as full as a batch can be. */
static void a_quiet_bucket_is_not_left_behind(void **state)
{
    static const struct {
        size_t members_of_each, calls_of_each, busy_buckets, at_most;
    } rows[] = {
        { 1, 24, 1, 1 },
        { 40, 1, 1, 1 },
        { 100, 4, 1, 4 },
        { 100, 4, 3, 6 },
    };
    struct fixture *fixture = *state;
    const uint16_t quiet = BUCKETS - 1;

    for (size_t row = 0; row < COUNT(rows); row++) {
        memset(fixture, 0, sizeof *fixture);
        lane_queue_init(&fixture->queue, 0, 1, BUCKETS);
        for (uint16_t member = 0; member < rows[row].members_of_each; member++) {
            for (uint16_t bucket = 0; bucket < rows[row].busy_buckets; bucket++)
                put(fixture, (uint16_t)(member * BUCKETS + bucket), rows[row].calls_of_each);
        }
        for (int time = 0; time < 3; time++) {
            put(fixture, quiet, 1);
            assert_in_range(batches_before(fixture, quiet), 0, rows[row].at_most);
        }
    }
}

static void the_fullest_bucket_goes_first(void **state)
{
    struct fixture *fixture = *state;

    put(fixture, 1, 3);
    put(fixture, 2, 5);
    put(fixture, 0, 4);
    for (int32_t i = 0; i < 3; i++) {
        static const int32_t order[] = { 2, 0, 1 };
        take(fixture);
        assert_int_equal(fixture->bucket, order[i]);
        assert_int_equal(fixture->count, 5 - i);
    }
}

static void a_member_has_a_part_of_the_queue(void **state)
{
    struct fixture *fixture = *state;

    put(fixture, 8, QUEUE_MEMBER_MAX);
    assert_int_equal(put_of(fixture, 8, 3), REASON_OVERLOADED);
    assert_int_equal(put_of(fixture, 12, 3), REASON_OK);
    take(fixture);
    put(fixture, 8, BATCH_MEMBER_MAX);
    assert_int_equal(put_of(fixture, 8, 3), REASON_OVERLOADED);
}

static void a_caller_has_a_part_of_the_queue(void **state)
{
    struct fixture *fixture = *state;
    uint16_t member = 0;

    while (member < QUEUE_CALLER_MAX)
        assert_int_equal(put_of(fixture, member++, 1), REASON_OK);
    assert_int_equal(put_of(fixture, member, 1), REASON_OVERLOADED);
    assert_int_equal(put_of(fixture, member++, 2), REASON_OK);
    assert_int_equal(put_of(fixture, member++, 0), REASON_OK);
    take(fixture);
    assert_int_equal(put_of(fixture, member, 1), REASON_OK);
}

static void a_queue_is_full_at_its_limit(void **state)
{
    struct fixture *fixture = *state;

    for (int32_t i = 0; i < QUEUE_MAX; i++)
        assert_int_equal(put_of(fixture, (uint16_t)i, 1 + i % MERCHANTS), REASON_OK);
    assert_int_equal(put_of(fixture, 0, MERCHANTS + 1), REASON_OVERLOADED);
    take(fixture);
    assert_int_equal(put_of(fixture, 0, MERCHANTS + 1), REASON_OK);
}

/* Whatever comes and goes: each command is taken once, those of one member in the order they came. */
static void nothing_is_lost_and_a_members_order_is_kept(void **state)
{
    struct fixture *fixture = *state;
    const struct command *last[LANE_MEMBER_NAMES] = { 0 };
    uint64_t seed = 7;
    size_t taken = 0;

    while (fixture->made < COMMANDS - 1 || taken < fixture->made) {
        seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        uint16_t member = (uint16_t)((seed >> 33) % (seed >> 61 ? 40 : 3));
        if (seed >> 40 & 255 && fixture->made < COMMANDS - 1 &&
            put_as(fixture, (enum command_kind)((seed >> 20) % COMMAND_KIND_COUNT), member,
                   (int32_t)(seed >> 50) % 3) == REASON_OK)
            continue;
        take(fixture);
        for (size_t i = 0; i < fixture->count; i++) {
            const struct command *command = fixture->batch[i];
            assert_int_equal(command->hash16 % BUCKETS, fixture->bucket);
            assert_true(command > last[command->hash16]);
            last[command->hash16] = command;
        }
        taken += fixture->count;
    }
    assert_int_equal(fixture->queue.waiting, 0);
    for (size_t i = 0; i < LANE_MEMBER_NAMES; i++)
        assert_int_equal(fixture->queue.of_member[i] + fixture->queue.in_batch[i], 0);
    for (size_t i = 0; i < LANE_CALLER_NAMES; i++)
        assert_int_equal(fixture->queue.of_caller[i], 0);
}

/* However much of it waits, what comes by the thousand lets the others pass, and makes batches short while they come.
 */
static void bulk_yields_to_what_somebody_waits_for(void **state)
{
    enum { SHORT = BATCH_MAX / 16 };
    struct fixture *fixture = *state;

    put_bulk(fixture, 0, 2000);
    take(fixture);
    assert_int_equal(fixture->count, BATCH_MAX);
    put(fixture, 60000, 1);
    take(fixture);
    assert_int_equal(fixture->count, 1 + SHORT);
    assert_int_equal(fixture->batch[0]->hash16, 60000);
    /* The next may come any time. */
    take(fixture);
    assert_int_equal(fixture->count, SHORT);
    /* A batch of nothing but those leaves room for some of the bulk, which is never left behind. */
    for (uint16_t member = 0; member < 2 * BATCH_MAX; member++)
        put(fixture, (uint16_t)(30000 + member * BUCKETS), 1);
    take(fixture);
    assert_int_equal(fixture->count, BATCH_MAX);
    size_t prompt = 0;
    for (size_t i = 0; i < fixture->count; i++)
        prompt += fixture->batch[i]->kind == COMMAND_HOLD;
    assert_int_equal(prompt, BATCH_MAX - SHORT);
}

static void batches_are_long_again_once_it_is_quiet(void **state)
{
    struct fixture *fixture = *state;
    size_t batches = 0;

    put(fixture, 60000, 1);
    put_bulk(fixture, 0, BATCH_MAX);
    do {
        put_bulk(fixture, (uint16_t)(batches % 50 * 100), BATCH_MAX / 4);
        take(fixture);
        batches++;
    } while (fixture->count < BATCH_MAX && batches < 100);
    assert_in_range(batches, 20, 99);
    assert_int_equal(fixture->count, BATCH_MAX);
}

/*
 * A hold stays behind the spend that came before it of the same member, or of one who shares its hash16; and is not
 * behind all other spend for that: with a thousand of it waiting, every hundredth hold would be.
 */
static void a_member_does_not_pass_itself_nor_waits_for_the_others(void **state)
{
    enum { MEMBER = 2 * BATCH_MAX * BUCKETS };
    struct fixture *fixture = *state;

    put_bulk(fixture, 0, 3 * BATCH_MAX);
    put(fixture, MEMBER, 1);
    put(fixture, 60000, 1);
    put_bulk(fixture, MEMBER / BUCKETS, 1);
    take(fixture);
    assert_int_equal(taken_of(fixture, 60000), 1);
    const struct command *of_member[3] = { 0 };
    size_t count = 0;
    for (size_t i = 0; i < fixture->count; i++) {
        if (fixture->batch[i]->hash16 == MEMBER)
            of_member[count++] = fixture->batch[i];
        assert_true(count <= COUNT(of_member));
    }
    assert_int_equal(count, COUNT(of_member));
    assert_true(of_member[0] < of_member[1] && of_member[1] < of_member[2]);
    assert_int_equal(of_member[0]->kind, COMMAND_ACCRUE);
    assert_int_equal(of_member[1]->kind, COMMAND_HOLD);
    /* None of the rest was lost. */
    for (count = fixture->count; fixture->queue.waiting > 0; count += fixture->count)
        take(fixture);
    assert_int_equal(count, 3 * BATCH_MAX + 3);
}

/* A bucket where somebody waits goes before one that has as much to do, though not for ever. */
static void a_bucket_where_somebody_waits_goes_first(void **state)
{
    struct fixture *fixture = *state;
    size_t of_the_other = 0;

    for (int round = 0; round < 40; round++) {
        put_bulk(fixture, (uint16_t)(round % 5 * 100), 64); /* of bucket 0 */
        put(fixture, 1, 1);
        take(fixture);
        if (round == 0)
            assert_int_equal(fixture->bucket, 1);
        of_the_other += fixture->bucket == 0;
    }
    assert_in_range(of_the_other, 8, 30);
}

#define STORY(name) cmocka_unit_test_setup_teardown(name, make_fixture, free_fixture)

int main(void)
{
    const struct CMUnitTest stories[] = {
        STORY(the_others_are_in_the_next_batch_however_many_one_member_has),
        STORY(a_quiet_bucket_is_not_left_behind),
        STORY(the_fullest_bucket_goes_first),
        STORY(a_member_has_a_part_of_the_queue),
        STORY(a_caller_has_a_part_of_the_queue),
        STORY(a_queue_is_full_at_its_limit),
        STORY(nothing_is_lost_and_a_members_order_is_kept),
        STORY(bulk_yields_to_what_somebody_waits_for),
        STORY(batches_are_long_again_once_it_is_quiet),
        STORY(a_member_does_not_pass_itself_nor_waits_for_the_others),
        STORY(a_bucket_where_somebody_waits_goes_first),
    };

    return cmocka_run_group_tests(stories, NULL, NULL);
}
