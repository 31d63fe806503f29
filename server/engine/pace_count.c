#include "engine/pace_count.h"

#include <string.h>

enum { SLOTS_A_WINDOW = 60 /* and one more at either end of the window is counted: fewer than PACE_SLOTS */ };

/* The lanes' clocks differ by what a batch may wait for a lock; more than this, and the clock was set back. */
static const int64_t straggle_us = INT64_C(60) * US_PER_SECOND;

_Static_assert(PACE_SLOTS == 64, "changed has a bit a slot");

static int64_t number_of(int64_t us, int64_t slot_us)
{
    return us >= 0 ? us / slot_us : (us + 1) / slot_us - 1;
}

int64_t pace_slot_length(int64_t window_us)
{
    int64_t part = (window_us + SLOTS_A_WINDOW - 1) / SLOTS_A_WINDOW;

    return part > PACE_SLOT_MIN_US ? part : PACE_SLOT_MIN_US;
}

static int64_t plus(int64_t a, int64_t b)
{
    int64_t sum;

    return __builtin_add_overflow(a, b, &sum) ? INT64_MAX : sum;
}

static int32_t holds_plus(int64_t a, int64_t b)
{
    int64_t sum = plus(a, b);

    return sum < INT32_MAX ? (int32_t)sum : INT32_MAX;
}

void pace_count_mark(struct pace_count *count, const struct pace_slot *slot, bool changed)
{
    uint64_t bit = UINT64_C(1) << (slot - count->slots);

    count->changed = changed ? count->changed | bit : count->changed & ~bit;
}

/* The slot of that number, emptied when it held an older one; NULL when a newer one has its place. */
static struct pace_slot *slot_at(struct pace_count *count, int64_t number)
{
    struct pace_slot *slot = &count->slots[(uint64_t)number % PACE_SLOTS];

    if (number <= count->newest - PACE_SLOTS)
        return NULL;
    if (slot->number != number) {
        *slot = (struct pace_slot){ .number = number };
        pace_count_mark(count, slot, false);
    }
    if (number > count->newest)
        count->newest = number;
    return slot;
}

void pace_count_follow(struct pace_count *count, struct instant now)
{
    int64_t number = number_of(now.us, count->slot_us);

    if (number > count->newest - PACE_SLOTS || (count->newest - number) * count->slot_us <= straggle_us)
        return;
    memset(count->slots, 0, sizeof count->slots);
    count->changed = 0;
    count->newest = number;
}

/* A straggler whose slot is gone is counted in the newest one. */
static struct pace_slot *slot_of(struct pace_count *count, struct instant now)
{
    struct pace_slot *slot = slot_at(count, number_of(now.us, count->slot_us));

    return slot ? slot : slot_at(count, count->newest);
}

void pace_count_change_slots(struct pace_count *count, int64_t slot_us, struct instant now)
{
    struct pace_slot old[PACE_SLOTS];
    int64_t old_us = count->slot_us;

    memcpy(old, count->slots, sizeof old);
    memset(count->slots, 0, sizeof count->slots);
    count->slot_us = slot_us;
    count->changed = 0;
    count->newest = number_of(now.us, slot_us);
    for (size_t i = 0; i < PACE_SLOTS; i++) {
        int64_t end_us = (old[i].number + 1) * old_us - 1;
        struct pace_slot *slot = slot_at(count, number_of(end_us < now.us ? end_us : now.us, slot_us));
        if (!slot)
            continue;
        slot->other_holds = holds_plus(slot->other_holds, (int64_t)old[i].own_holds + old[i].other_holds);
        slot->other_points = plus(slot->other_points, plus(old[i].own_points, old[i].other_points));
    }
}

bool pace_count_fits(const struct pace_count *count, const struct velocity *velocity, int64_t points,
                     struct instant now)
{
    int64_t first = number_of(now.us - velocity->window_us + 1, count->slot_us), holds = 1, sum = points;

    for (size_t i = 0; i < PACE_SLOTS; i++) {
        const struct pace_slot *slot = &count->slots[i];
        if (slot->number < first)
            continue;
        holds += (int64_t)slot->own_holds + slot->other_holds;
        sum = plus(sum, plus(slot->own_points, slot->other_points));
    }
    return (velocity->max_holds == 0 || holds <= velocity->max_holds) &&
           (velocity->max_points == 0 || sum <= velocity->max_points);
}

void pace_count_add(struct pace_count *count, int64_t points, struct instant now)
{
    struct pace_slot *slot = slot_of(count, now);

    slot->own_holds = holds_plus(slot->own_holds, 1);
    slot->own_points = plus(slot->own_points, points);
    pace_count_mark(count, slot, true);
}

void pace_count_take_back(struct pace_count *count, int64_t points, struct instant now)
{
    struct pace_slot *slot = slot_of(count, now);

    slot->own_holds -= slot->own_holds > 0;
    slot->own_points -= slot->own_points > points ? points : slot->own_points;
    pace_count_mark(count, slot, true);
}

struct pace_slot *pace_count_slot(struct pace_count *count, struct instant begins)
{
    return slot_at(count, number_of(begins.us, count->slot_us));
}

void pace_count_learn(struct pace_count *count, struct instant begins, int64_t holds, int64_t points)
{
    struct pace_slot *slot = pace_count_slot(count, begins);

    if (!slot)
        return;
    slot->other_holds = holds_plus(holds, 0);
    slot->other_points = points;
}
