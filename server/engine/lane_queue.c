#include "engine/lane_queue.h"

#include "engine/command.h"

/* What a batch of another bucket is worth, in commands: a full queue passes a lone command at most four times. */
enum { PASSED_WORTH = BATCH_MAX / 4 };

void lane_queue_init(struct lane_queue *queue, int32_t first_bucket, int32_t step, int32_t bucket_count)
{
    queue->first_bucket = first_bucket;
    queue->step = step;
    queue->bucket_count = bucket_count;
    for (int32_t bucket = 0; bucket < BUCKETS_MAX; bucket++)
        queue->buckets[bucket].last = &queue->buckets[bucket].first;
}

/* A merchant's commands name it; all others are a bank's, or about its members. */
static uint16_t *waiting_of_caller(struct lane_queue *queue, const struct command *command)
{
    uint32_t name = command->merchant_no ? 2 * (uint32_t)command->merchant_no + 1 : 2 * (uint32_t)command->bank_no;

    return &queue->of_caller[name % LANE_CALLER_NAMES];
}

bool lane_queue_put(struct lane_queue *queue, struct command *command, struct error *err)
{
    struct bucket_queue *bucket = &queue->buckets[command->hash16 % queue->bucket_count];
    uint16_t *of_member = &queue->of_member[command->hash16], *of_caller = waiting_of_caller(queue, command);

    if (queue->waiting >= QUEUE_MAX || *of_caller >= QUEUE_CALLER_MAX)
        return error_set(err, REASON_OVERLOADED, "%s", "");
    if (*of_member >= QUEUE_MEMBER_MAX)
        return error_set(err, REASON_OVERLOADED, "%s", "too many requests about one member; repeat later");
    command->next = NULL;
    *bucket->last = command;
    bucket->last = &command->next;
    bucket->waiting++;
    queue->waiting++;
    (*of_member)++;
    (*of_caller)++;
    return true;
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
        if (bucket->waiting == 0)
            continue;
        int32_t due = (bucket->waiting < BATCH_MAX ? bucket->waiting : BATCH_MAX) + PASSED_WORTH * bucket->passed++;
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
size_t lane_queue_take(struct lane_queue *queue, int32_t *chosen, struct command **commands)
{
    size_t count = 0;

    *chosen = choose(queue);
    if (*chosen < 0)
        return 0;
    struct bucket_queue *bucket = &queue->buckets[*chosen];
    for (struct command **place = &bucket->first; *place && count < BATCH_MAX;) {
        struct command *command = *place;
        if (queue->in_batch[command->hash16] == BATCH_MEMBER_MAX) {
            place = &command->next;
            continue;
        }
        queue->in_batch[command->hash16]++;
        commands[count++] = command;
        *place = command->next;
        if (!*place)
            bucket->last = place;
    }
    forget(queue, commands, count);
    bucket->waiting -= (int32_t)count;
    bucket->passed = 0;
    return count;
}
