/*
 * lane_queue.h -- what waits for one lane, and what it takes next. No threads and no clock: the lane's lock guards it.
 *
 * Nobody can fill a lane alone, and nobody waits behind one member's crowd: a member and a caller may have a part of
 * the queue, a member a part of each batch, and a bucket that is passed over gains with each batch. The commands of one
 * member are taken in the order they came; those of different members need not be.
 *
 * What comes by the thousand (a member list, card spend) yields to what somebody stands at a till for: that is taken
 * first, and while there is such a thing now and then, batches are short, since a command waits for the batch under
 * way.
 */
#ifndef ENGINE_LANE_QUEUE_H
#define ENGINE_LANE_QUEUE_H

#include "base/error.h"
#include "base/limits.h"

#include <stddef.h>
#include <stdint.h>

struct command;

enum {
    LANE_MEMBER_NAMES = 1 << 16, /* a member is known by its hash16: the few who share one share its parts too */
    LANE_CALLER_NAMES = 4096,    /* a caller by its number; those with equal remainders share a part */
};

/* Oldest first. */
struct command_list {
    struct command *first, **last;
    int32_t count;
};

/* Commands of one bucket. All that wait about one member are in one of the two: in bulk when all of them are. */
struct bucket_queue {
    struct command_list prompt, bulk;
    int32_t passed; /* batches of other buckets since this one waits, or was served */
};

struct lane_queue {
    int32_t first_bucket, step, bucket_count; /* the lane's own: first, first + step, ... below the count */
    int32_t waiting;
    struct bucket_queue buckets[BUCKETS_MAX];
    uint16_t of_member[LANE_MEMBER_NAMES], of_caller[LANE_CALLER_NAMES]; /* waiting */
    uint8_t in_batch[LANE_MEMBER_NAMES]; /* of the batch being taken; all 0 between batches */
    bool in_bulk[LANE_MEMBER_NAMES];     /* where those that wait are */
    int32_t haste;                       /* so many batches more are short */
    bool in_order;                       /* bulk does not yield; set after lane_queue_init */
};

/* The queue is zeroed. */
void lane_queue_init(struct lane_queue *queue, int32_t first_bucket, int32_t step, int32_t bucket_count);
/* false: OVERLOADED, the lane, the caller's part or the member's is full, and nothing was queued. */
bool lane_queue_put(struct lane_queue *queue, struct command *command, struct error *err) MUST_USE;
/* Up to BATCH_MAX commands of one bucket; 0 when nothing waits. */
size_t lane_queue_take(struct lane_queue *queue, int32_t *bucket, struct command **commands);

#endif
