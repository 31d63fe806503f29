/*
 * transfer_store.h -- transfers that were begun and not ended, for whoever finishes them.
 */
#ifndef STORE_TRANSFER_STORE_H
#define STORE_TRANSFER_STORE_H

#include "store/db.h"

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
};
extern const struct statement transfer_find_open;

#endif
