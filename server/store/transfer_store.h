/*
 * transfer_store.h -- transfers that were begun and not ended, for whoever finishes them.
 */
#ifndef STORE_TRANSFER_STORE_H
#define STORE_TRANSFER_STORE_H

#include "store/db.h"
#include "store/lane_store.h"

/* A page of a bucket's, oldest first, from behind (after_at, after_id). */
struct transfer_open_params {
    int32_t bucket;
    int64_t older_than_us; /* by the database's clock */
    struct instant after_at;
    struct uuid after_id;
    int32_t limit;
};
struct transfer_open_row {
    struct uuid id;
    int32_t programme_no, bank_no;
    struct uuid from_member_id, to_member_id;
    bool merge;
    struct bytes lots, pending_lots; /* domain/packed.h */
    int64_t credit;
    int16_t status_before;
    struct instant sent_at;
    const char *to_member_ref, *bank_id;
    bool split;
};
extern const struct statement transfer_find_open;

/* What makes the receiver of a split: all of the row but id, hash_before and what is left of the giver's. */
struct transfer_split_params {
    int32_t bucket;
    struct uuid id;
};
extern const struct statement transfer_find_split; /* struct split_row */

#endif
