/*
 * day_store.h -- SQL of the day close. Each function is one statement unless it says otherwise; the caller begins and
 * ends transactions.
 */
#ifndef SETTLEMENT_DAY_STORE_H
#define SETTLEMENT_DAY_STORE_H

#include "base/arena.h"
#include "base/error.h"
#include "base/when.h"
#include "seal.h"

struct db;

/* Where a programme's days stand. */
struct day_state {
    struct date open;       /* the earliest day of its fences */
    struct date begun;      /* the latest day whose close has begun; `none` before the first */
    bool begun_is_finished; /* that day is sealed */
    struct date first;      /* the day the programme began */
};

struct fence_row {
    int32_t bucket;
    struct date business_date;
};

/* Programme time and the end of a day, both by the database: it has the clock and the time zones. */
struct day_end {
    struct instant now;
    struct instant ends_at; /* midnight in the programme's time zone, or its cut-off after that */
};

bool day_store_state(struct db *db, int32_t programme_no, struct day_state *state, struct error *err) MUST_USE;
bool day_store_end(struct db *db, int32_t programme_no, struct date date, struct day_end *end,
                   struct error *err) MUST_USE;
/* By bucket; in the arena. */
bool day_store_fences(struct db *db, int32_t programme_no, struct arena *arena, struct fence_row **fences,
                      size_t *count, struct error *err) MUST_USE;
/* Moves one fence from date to the day after, waiting for the batches that hold it. TRY_AGAIN after a minute. */
bool day_store_advance(struct db *db, int32_t programme_no, int32_t bucket, struct date date,
                       struct error *err) MUST_USE;
bool day_store_roll_up(struct db *db, int32_t programme_no, struct date date, struct error *err) MUST_USE;
/* count seals, bucket by bucket as in buckets. */
bool day_store_put_seal(struct db *db, int32_t programme_no, struct date date, int32_t bucket, const struct seal *seal,
                        struct error *err) MUST_USE;
bool day_store_sealed_count(struct db *db, int32_t programme_no, struct date date, int64_t *entries,
                            struct error *err) MUST_USE;
/* Entries of closed days, by their roll-ups. */
bool day_store_entries(struct db *db, int32_t programme_no, struct date first, struct date last, int64_t *entries,
                       struct error *err) MUST_USE;
/* Best effort: without it entries lie in the rest partition, where they are found as well. */
void day_store_open_month(struct db *db, struct date date);

#endif
