/*
 * points_store.h -- SQL of the points book: what a closed day adds to it. The caller begins and ends transactions; one
 * transaction is one day.
 */
#ifndef SETTLEMENT_POINTS_STORE_H
#define SETTLEMENT_POINTS_STORE_H

#include "base/error.h"
#include "base/uuid.h"
#include "base/when.h"
#include "points_tally.h"
#include "store/db.h"

/* The last day whose POINTS is done; *found false before the first. */
bool points_store_last(struct db *db, int32_t programme_no, struct date *last, bool *found, struct error *err) MUST_USE;
/* Entries by kind up to that day: those of the day before, and the day's roll-ups. */
bool points_store_carry(struct db *db, int32_t programme_no, struct date date, struct error *err) MUST_USE;

/* An entry that names lots, or may have drawn, repaid or given back credit. */
struct points_entry_row {
    int32_t bucket, bank_no;
    struct uuid member_id;
    int16_t kind;
    int64_t credit_used_after;
    struct bytes lots;  /* domain/packed.h */
    struct bytes drawn; /* of the member before the day, packed as account.credit */
};
/* By bucket, member and seq. */
bool points_store_each(struct db *db, int32_t programme_no, struct date date, db_row_handler *each, void *owner,
                       struct error *err) MUST_USE;

/* Puts the day's moves into the lots and keeps how old they are at its end. */
bool points_store_lots(struct db *db, int32_t programme_no, struct date date, const struct points_tally *moves,
                       struct error *err) MUST_USE;
/* The same for drawn credit; the tally has what came or went of each day (POINTS_SUM_ISSUED). */
bool points_store_drawn(struct db *db, int32_t programme_no, struct date date, const struct points_tally *moves,
                        struct error *err) MUST_USE;

/* What a member's drawn credit has become; empty: nothing is drawn any more. */
struct member_drawn_row {
    int32_t bucket;
    struct uuid member_id;
    int32_t bank_no;
    struct bytes drawn;
};
bool points_store_members(struct db *db, int32_t programme_no, const struct member_drawn_row *rows, size_t count,
                          struct error *err) MUST_USE;

#endif
