#include "engine/pace.h"

#include "engine/pace_count.h"
#include "io/crypto.h"

#include <endian.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum {
    STRIPE_KEYS = PACE_KEYS_MAX / PACE_STRIPES,
    STRIPE_HEADS = STRIPE_KEYS / 2,
    UNTOLD_MAX = 16, /* keys looked past because the others do not know of them yet */
};
static const int64_t slot_max_us = INT64_C(86400) * US_PER_SECOND;

_Static_assert(STRIPE_KEYS < UINT16_MAX, "a place in a stripe is 16 bits");

struct key {
    int32_t merchant_no;
    int32_t terms_version; /* the newest seen; 0: learnt from others only */
    int64_t terminal;      /* 0: the whole merchant */
    uint16_t place;        /* in its stripe, from 1; the others are places too, 0 for none */
    uint16_t next;         /* in the hash chain */
    uint16_t newer, older; /* in the order of last use */
    struct pace_count count;
};

struct stripe {
    pthread_mutex_t lock;
    uint16_t heads[STRIPE_HEADS];  /* places */
    uint16_t newest, oldest;       /* places: used last, and left alone longest */
    struct key *keys[STRIPE_KEYS]; /* at place - 1 */
    uint32_t count;
    int64_t dropped;
};

struct pace {
    struct stripe stripes[PACE_STRIPES];
    uint32_t collect_from; /* the publisher's: the stripe to go on at */
    atomic_bool wants_all;
};

/* Keys */

static uint64_t hash_key(int32_t merchant_no, int64_t terminal)
{
    uint64_t mixed = (uint64_t)terminal ^ (uint64_t)(uint32_t)merchant_no * UINT64_C(0x9e3779b97f4a7c15);

    mixed ^= mixed >> 32;
    mixed *= UINT64_C(0xd6e8feb86659fd93);
    return mixed ^ mixed >> 32;
}

static struct stripe *stripe_of(struct pace *pace, uint64_t hash)
{
    return &pace->stripes[hash % PACE_STRIPES];
}

static uint16_t *head_of(struct stripe *stripe, uint64_t hash)
{
    return &stripe->heads[hash / PACE_STRIPES % STRIPE_HEADS];
}

static struct key *find_key(struct stripe *stripe, uint64_t hash, int32_t merchant_no, int64_t terminal)
{
    for (uint16_t place = *head_of(stripe, hash); place != 0;) {
        struct key *key = stripe->keys[place - 1];
        if (key->merchant_no == merchant_no && key->terminal == terminal)
            return key;
        place = key->next;
    }
    return NULL;
}

static void unlink_key(struct stripe *stripe, const struct key *key)
{
    uint16_t *link = head_of(stripe, hash_key(key->merchant_no, key->terminal));

    while (stripe->keys[*link - 1] != key)
        link = &stripe->keys[*link - 1]->next;
    *link = key->next;
}

/* Keys by their last use */

static void leave_order(struct stripe *stripe, const struct key *key)
{
    *(key->newer ? &stripe->keys[key->newer - 1]->older : &stripe->newest) = key->older;
    *(key->older ? &stripe->keys[key->older - 1]->newer : &stripe->oldest) = key->newer;
}

static void enter_order(struct stripe *stripe, struct key *key)
{
    uint16_t place = key->place;

    key->newer = 0;
    key->older = stripe->newest;
    *(key->older ? &stripe->keys[key->older - 1]->newer : &stripe->oldest) = place;
    stripe->newest = place;
}

/* The key that was left alone longest, if possible one that has nothing to tell the others. */
static struct key *left_alone(struct stripe *stripe)
{
    uint16_t place = stripe->oldest;

    for (int tried = 0; tried < UNTOLD_MAX && place && stripe->keys[place - 1]->count.changed != 0; tried++)
        place = stripe->keys[place - 1]->newer;
    return stripe->keys[(place ? place : stripe->oldest) - 1];
}

/* A key that is in no chain and in no order; NULL when there is no memory. */
static struct key *free_key(struct stripe *stripe)
{
    struct key *key = stripe->count < STRIPE_KEYS ? calloc(1, sizeof *key) : NULL;

    if (key) {
        stripe->keys[stripe->count++] = key;
        key->place = (uint16_t)stripe->count;
        return key;
    }
    if (stripe->count == 0)
        return NULL;
    key = left_alone(stripe);
    unlink_key(stripe, key);
    leave_order(stripe, key);
    *key = (struct key){ .place = key->place };
    stripe->dropped++;
    return key;
}

static struct key *make_key(struct stripe *stripe, uint64_t hash, int32_t merchant_no, int64_t terminal)
{
    struct key *key = free_key(stripe);

    if (!key)
        return NULL;
    key->merchant_no = merchant_no;
    key->terminal = terminal;
    key->next = *head_of(stripe, hash);
    *head_of(stripe, hash) = key->place;
    enter_order(stripe, key);
    return key;
}

/* NULL when there is no memory. The caller holds the lock. */
static struct key *find_or_make(struct stripe *stripe, uint64_t hash, int32_t merchant_no, int64_t terminal,
                                int64_t slot_us)
{
    struct key *key = find_key(stripe, hash, merchant_no, terminal);

    if (!key) {
        key = make_key(stripe, hash, merchant_no, terminal);
        if (key)
            key->count.slot_us = slot_us;
    } else if (stripe->newest != key->place) {
        leave_order(stripe, key);
        enter_order(stripe, key);
    }
    return key;
}

/* What one hold is counted in: its terminal, its merchant, both or none. */

struct watched {
    int64_t terminal;
    const struct velocity *velocity;
    enum reason refusal;
    uint64_t hash;
    struct stripe *stripe;
};
enum { WATCHED_MAX = 2 };

static bool bounds(const struct velocity *velocity)
{
    return velocity->window_us > 0 && (velocity->max_holds > 0 || velocity->max_points > 0);
}

static int64_t terminal_key(const char *terminal_id)
{
    uint8_t hash[CRYPTO_HASH];
    uint64_t big;

    crypto_sha256(terminal_id ? terminal_id : "", terminal_id ? strlen(terminal_id) : 0, hash);
    memcpy(&big, hash, sizeof big);
    return big != 0 ? (int64_t)be64toh(big) : 1;
}

static void watch(struct pace *pace, int32_t merchant_no, struct watched *watched)
{
    watched->hash = hash_key(merchant_no, watched->terminal);
    watched->stripe = stripe_of(pace, watched->hash);
}

static size_t find_watched(struct pace *pace, int32_t merchant_no, const char *terminal_id, const struct terms *terms,
                           struct watched watched[WATCHED_MAX])
{
    size_t count = 0;

    if (!pace || !terms)
        return 0;
    if (bounds(&terms->terminal_velocity))
        watched[count++] = (struct watched){ .terminal = terminal_key(terminal_id),
                                             .velocity = &terms->terminal_velocity,
                                             .refusal = REASON_VELOCITY_TERMINAL };
    if (bounds(&terms->merchant_velocity))
        watched[count++] =
            (struct watched){ .velocity = &terms->merchant_velocity, .refusal = REASON_VELOCITY_MERCHANT };
    for (size_t i = 0; i < count; i++)
        watch(pace, merchant_no, &watched[i]);
    return count;
}

/* In one order, so that nobody waits in a circle; two keys of one stripe share its lock. */
static void lock_watched(const struct watched *watched, size_t count)
{
    struct stripe *first = watched[0].stripe, *second = watched[count - 1].stripe;

    pthread_mutex_lock(first < second ? &first->lock : &second->lock);
    if (first != second)
        pthread_mutex_lock(first < second ? &second->lock : &first->lock);
}

static void unlock_watched(const struct watched *watched, size_t count)
{
    pthread_mutex_unlock(&watched[0].stripe->lock);
    if (watched[count - 1].stripe != watched[0].stripe)
        pthread_mutex_unlock(&watched[count - 1].stripe->lock);
}

/* The key, with slots as the newest terms that were seen want them. */
static struct key *key_for(struct pace *pace, const struct watched *watched, int32_t merchant_no,
                           const struct terms *terms, struct instant now)
{
    int64_t slot_us = pace_slot_length(watched->velocity->window_us);
    struct key *key = find_or_make(watched->stripe, watched->hash, merchant_no, watched->terminal, slot_us);

    if (key && terms->version > key->terms_version) {
        key->terms_version = terms->version;
        if (key->count.slot_us != slot_us) {
            pace_count_change_slots(&key->count, slot_us, now);
            atomic_store(&pace->wants_all, true);
        }
    }
    if (key)
        pace_count_follow(&key->count, now);
    return key;
}

enum reason pace_take(struct pace *pace, int32_t merchant_no, const char *terminal_id, const struct terms *terms,
                      int64_t points, struct instant now)
{
    struct watched watched[WATCHED_MAX];
    size_t count = find_watched(pace, merchant_no, terminal_id, terms, watched);
    enum reason reason = REASON_OK;

    if (count == 0)
        return REASON_OK;
    lock_watched(watched, count);
    for (size_t i = 0; i < count && reason == REASON_OK; i++) {
        struct key *key = key_for(pace, &watched[i], merchant_no, terms, now);
        if (key && !pace_count_fits(&key->count, watched[i].velocity, points, now))
            reason = watched[i].refusal;
    }
    for (size_t i = 0; i < count && reason == REASON_OK; i++) {
        struct key *key = find_key(watched[i].stripe, watched[i].hash, merchant_no, watched[i].terminal);
        if (key)
            pace_count_add(&key->count, points, now);
    }
    unlock_watched(watched, count);
    return reason;
}

void pace_give_back(struct pace *pace, int32_t merchant_no, const char *terminal_id, const struct terms *terms,
                    int64_t points, struct instant now)
{
    struct watched watched[WATCHED_MAX];
    size_t count = find_watched(pace, merchant_no, terminal_id, terms, watched);

    if (count == 0)
        return;
    lock_watched(watched, count);
    for (size_t i = 0; i < count; i++) {
        struct key *key = find_key(watched[i].stripe, watched[i].hash, merchant_no, watched[i].terminal);
        if (key)
            pace_count_take_back(&key->count, points, now);
    }
    unlock_watched(watched, count);
}

/* The publisher's side */

static size_t collect_key(struct key *key, struct pace_row *rows, size_t max)
{
    struct pace_count *count = &key->count;
    size_t found = 0;

    for (size_t i = 0; count->changed != 0 && i < PACE_SLOTS && found < max; i++) {
        const struct pace_slot *slot = &count->slots[i];
        if (!(count->changed >> i & 1))
            continue;
        pace_count_mark(count, slot, false);
        rows[found++] = (struct pace_row){
            .merchant_no = key->merchant_no,
            .terminal = key->terminal,
            .slot_at = { slot->number * count->slot_us },
            .slot_us = count->slot_us,
            .holds = slot->own_holds,
            .points = slot->own_points,
        };
    }
    return found;
}

size_t pace_collect(struct pace *pace, struct pace_row *rows, size_t max)
{
    size_t count = 0;

    for (size_t tried = 0; tried < PACE_STRIPES && count < max; tried++) {
        struct stripe *stripe = &pace->stripes[pace->collect_from];
        pthread_mutex_lock(&stripe->lock);
        for (uint32_t i = 0; i < stripe->count && count < max; i++)
            count += collect_key(stripe->keys[i], rows + count, max - count);
        pthread_mutex_unlock(&stripe->lock);
        if (count < max)
            pace->collect_from = (pace->collect_from + 1) % PACE_STRIPES;
    }
    return count;
}

void pace_collect_again(struct pace *pace, const struct pace_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t hash = hash_key(rows[i].merchant_no, rows[i].terminal);
        struct stripe *stripe = stripe_of(pace, hash);
        pthread_mutex_lock(&stripe->lock);
        struct key *key = find_key(stripe, hash, rows[i].merchant_no, rows[i].terminal);
        bool same = key && key->count.slot_us == rows[i].slot_us;
        const struct pace_slot *slot = same ? pace_count_slot(&key->count, rows[i].slot_at) : NULL;
        if (slot)
            pace_count_mark(&key->count, slot, true);
        pthread_mutex_unlock(&stripe->lock);
    }
}

void pace_learn(struct pace *pace, const struct pace_row *row)
{
    uint64_t hash = hash_key(row->merchant_no, row->terminal);
    struct stripe *stripe = stripe_of(pace, hash);

    if (row->slot_us < PACE_SLOT_MIN_US || row->slot_us > slot_max_us || row->holds < 0 || row->points < 0)
        return;
    pthread_mutex_lock(&stripe->lock);
    struct key *key = find_or_make(stripe, hash, row->merchant_no, row->terminal, row->slot_us);
    if (key && key->count.slot_us == row->slot_us)
        pace_count_learn(&key->count, row->slot_at, row->holds, row->points);
    pthread_mutex_unlock(&stripe->lock);
}

bool pace_wants_all(struct pace *pace)
{
    return atomic_exchange(&pace->wants_all, false);
}

/* Life */

struct pace *pace_new(void)
{
    struct pace *pace = calloc(1, sizeof *pace);

    for (size_t i = 0; pace && i < PACE_STRIPES; i++)
        pthread_mutex_init(&pace->stripes[i].lock, NULL);
    return pace;
}

void pace_free(struct pace *pace)
{
    if (!pace)
        return;
    for (size_t i = 0; i < PACE_STRIPES; i++) {
        for (uint32_t k = 0; k < pace->stripes[i].count; k++)
            free(pace->stripes[i].keys[k]);
        pthread_mutex_destroy(&pace->stripes[i].lock);
    }
    free(pace);
}

struct pace_figures pace_figures(struct pace *pace)
{
    struct pace_figures figures = { 0 };

    for (size_t i = 0; i < PACE_STRIPES; i++) {
        pthread_mutex_lock(&pace->stripes[i].lock);
        figures.keys += pace->stripes[i].count;
        figures.dropped += pace->stripes[i].dropped;
        pthread_mutex_unlock(&pace->stripes[i].lock);
    }
    return figures;
}
