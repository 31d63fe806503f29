#include "engine/lane_queue.h"

#include "engine/command.h"

enum {
    PASSED_WORTH = BATCH_MAX / 4,      /* of a batch of another bucket, in commands */
    PROMPT_WORTH = 2 * PASSED_WORTH,   /* of prompt commands in a bucket, so many as there may be */
    BULK_WITH_PROMPT = BATCH_MAX / 16, /* in a short batch, and room is left for so many in each */
    HASTE = 64,                        /* batches since there was a prompt command */
};

static const bool is_bulk[COMMAND_KIND_COUNT] = {
    [COMMAND_SET_MEMBER] = true, [COMMAND_ACCRUE] = true, [COMMAND_REVERSE_ACCRUAL] = true,
    [COMMAND_RESTORE] = true,    [COMMAND_TIDY] = true,
};

void lane_queue_init(struct lane_queue *queue, int32_t first_bucket, int32_t step, int32_t bucket_count)
{
    queue->first_bucket = first_bucket;
    queue->step = step;
    queue->bucket_count = bucket_count;
    for (int32_t i = 0; i < BUCKETS_MAX; i++) {
        struct bucket_queue *bucket = &queue->buckets[i];
        bucket->prompt.last = &bucket->prompt.first;
        bucket->bulk.last = &bucket->bulk.first;
    }
}

/* A merchant's commands name it; all others are a bank's, or about its members. */
static uint16_t *waiting_of_caller(struct lane_queue *queue, const struct command *command)
{
    uint32_t name = command->merchant_no ? 2 * (uint32_t)command->merchant_no + 1 : 2 * (uint32_t)command->bank_no;

    return &queue->of_caller[name % LANE_CALLER_NAMES];
}

static void append(struct command_list *list, struct command *command)
{
    command->next = NULL;
    *list->last = command;
    list->last = &command->next;
    list->count++;
}

/*
 * Somebody waits for a command that comes behind these: they go before it, to where it goes. A walk over the bulk, for
 * as many holds as share a hash16 with it: one in a hundred when six hundred wait.
 */
static void hurry(struct lane_queue *queue, struct bucket_queue *bucket, uint16_t hash16)
{
    for (struct command **place = &bucket->bulk.first; *place;) {
        struct command *command = *place;
        if (command->hash16 != hash16) {
            place = &command->next;
            continue;
        }
        *place = command->next;
        if (!*place)
            bucket->bulk.last = place;
        bucket->bulk.count--;
        append(&bucket->prompt, command);
    }
    queue->in_bulk[hash16] = false;
}

bool lane_queue_put(struct lane_queue *queue, struct command *command, struct error *err)
{
    struct bucket_queue *bucket = &queue->buckets[command->hash16 % queue->bucket_count];
    uint16_t *of_member = &queue->of_member[command->hash16], *of_caller = waiting_of_caller(queue, command);

    if (queue->waiting >= QUEUE_MAX || *of_caller >= QUEUE_CALLER_MAX)
        return error_set(err, REASON_OVERLOADED, "%s", "");
    if (*of_member >= QUEUE_MEMBER_MAX)
        return error_set(err, REASON_OVERLOADED, "%s", "too many requests about one member; repeat later");
    if (*of_member == 0)
        queue->in_bulk[command->hash16] = is_bulk[command->kind] && !queue->in_order;
    else if (queue->in_bulk[command->hash16] && !is_bulk[command->kind])
        hurry(queue, bucket, command->hash16);
    append(queue->in_bulk[command->hash16] ? &bucket->bulk : &bucket->prompt, command);
    queue->waiting++;
    (*of_member)++;
    (*of_caller)++;
    return true;
}

static int32_t smaller(int32_t a, int32_t b)
{
    return a < b ? a : b;
}

/*
 * The bucket with most to do, since a batch costs much the same whatever its size, and each time it was passed over
 * counts as if more were waiting: a quiet bucket beside a busy one is not left behind. -1 when nothing waits.
 */
static int32_t choose(struct lane_queue *queue)
{
    int32_t best = -1, most = 0;

    for (int32_t i = queue->first_bucket; i < queue->bucket_count; i += queue->step) {
        struct bucket_queue *bucket = &queue->buckets[i];
        int32_t waiting = bucket->prompt.count + bucket->bulk.count;
        if (waiting == 0)
            continue;
        int32_t due = smaller(waiting, BATCH_MAX) + PASSED_WORTH * bucket->passed++ +
                      (bucket->prompt.count > 0 ? PROMPT_WORTH : 0);
        if (due > most) {
            most = due;
            best = i;
        }
    }
    return best;
}

static void forget(struct lane_queue *queue, struct command *const *commands, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        queue->in_batch[commands[i]->hash16] = 0;
        queue->of_member[commands[i]->hash16]--;
        (*waiting_of_caller(queue, commands[i]))--;
    }
    queue->waiting -= (int32_t)count;
}

/* Who has his part of the batch keeps his place in the queue: with him, all that came after of the same member. */
static size_t take_from(struct lane_queue *queue, struct command_list *list, struct command **commands, size_t most)
{
    size_t count = 0;

    for (struct command **place = &list->first; *place && count < most;) {
        struct command *command = *place;
        if (queue->in_batch[command->hash16] == BATCH_MEMBER_MAX) {
            place = &command->next;
            continue;
        }
        queue->in_batch[command->hash16]++;
        commands[count++] = command;
        *place = command->next;
        if (!*place)
            list->last = place;
    }
    list->count -= (int32_t)count;
    return count;
}

size_t lane_queue_take(struct lane_queue *queue, int32_t *chosen, struct command **commands)
{
    *chosen = choose(queue);
    if (*chosen < 0)
        return 0;
    struct bucket_queue *bucket = &queue->buckets[*chosen];
    int32_t left_for_bulk = smaller(bucket->bulk.count, BULK_WITH_PROMPT);
    size_t prompt = take_from(queue, &bucket->prompt, commands, (size_t)(BATCH_MAX - left_for_bulk));
    if (prompt > 0)
        queue->haste = HASTE;
    else if (queue->haste > 0)
        queue->haste--;
    size_t most = queue->haste > 0 ? BULK_WITH_PROMPT : BATCH_MAX;
    if (most > BATCH_MAX - prompt)
        most = BATCH_MAX - prompt;
    size_t count = prompt + take_from(queue, &bucket->bulk, commands + prompt, most);
    forget(queue, commands, count);
    bucket->passed = 0;
    return count;
}
