/*
 * pace_count.h -- what one terminal or merchant held lately, in slots of a window. Pure: no lock, no clock, no heap.
 *
 * A slot is counted until the whole of it has left the window. A zeroed count with slot_us set is empty.
 */
#ifndef ENGINE_PACE_COUNT_H
#define ENGINE_PACE_COUNT_H

#include "base/error.h"
#include "base/when.h"
#include "domain/rules.h"

#include <stddef.h>
#include <stdint.h>

enum { PACE_SLOTS = 64, PACE_SLOT_MIN_US = 100000 };

struct pace_slot {
    int64_t number; /* it begins at number * slot_us */
    int64_t own_points, other_points;
    int32_t own_holds, other_holds; /* of this server, and of all others */
};

struct pace_count {
    int64_t slot_us;
    int64_t newest;                     /* the highest number of its slots */
    uint64_t changed;                   /* a bit a slot: what is our own was not told since */
    struct pace_slot slots[PACE_SLOTS]; /* at number % PACE_SLOTS */
};

/* The length of slots for a window: a sixtieth of it, at least PACE_SLOT_MIN_US. */
int64_t pace_slot_length(int64_t window_us);

/* true when one more hold of so many points keeps within the bounds. */
bool pace_count_fits(const struct pace_count *count, const struct velocity *velocity, int64_t points,
                     struct instant now) MUST_USE;
void pace_count_add(struct pace_count *count, int64_t points, struct instant now);
/* Takes back what was added with the same arguments; never below nothing. */
void pace_count_take_back(struct pace_count *count, int64_t points, struct instant now);

/* A clock that was set back begins anew: what was counted lies in a future that will come again. */
void pace_count_follow(struct pace_count *count, struct instant now);
/*
 * The slots get another length. What was counted stays counted, each slot by its end; it is no longer ours to tell the
 * others, who know it from what they were told before.
 */
void pace_count_change_slots(struct pace_count *count, int64_t slot_us, struct instant now);

/* The slot that begins there, emptied when an older one had its place; NULL when it is too old. */
struct pace_slot *pace_count_slot(struct pace_count *count, struct instant begins);
/* What all others together counted in the slot that begins there. */
void pace_count_learn(struct pace_count *count, struct instant begins, int64_t holds, int64_t points);
/* Marks what is our own in a slot as told, or as not told. */
void pace_count_mark(struct pace_count *count, const struct pace_slot *slot, bool changed);

#endif
