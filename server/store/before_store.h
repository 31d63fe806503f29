/*
 * before_store.h -- what members were before a roster batch: written by lanes, read by whoever rolls the batch back.
 */
#ifndef STORE_BEFORE_STORE_H
#define STORE_BEFORE_STORE_H

#include "store/lane_store.h"

struct before_row {
    int32_t bank_no;
    struct uuid member_id;
    int64_t batch_number;
    int64_t seq; /* of the member's newest entry when the batch was through with it */
    bool was_there;
    int16_t status, tier;
    int64_t credit_limit;
    struct bytes credit, profile_hash;
    struct bytes lots, pending_lots; /* of one that was closed */
    struct bytes marks;              /* "": the batch gave it no other tier */
    bool profile_changed;
    /* When the profile changed and is not known, the rest is what the database has. */
    bool profile_known;
    struct text_array card_tokens;
    const char *facts;
    struct bytes sealed, phone_mac, email_mac;
};
/* write_params of before_row; before the profiles are written. What an earlier write of the batch kept stays. */
extern const struct statement lane_insert_befores;
/* What is personal in them; ids_params. */
extern const struct statement lane_erase_befores;

/* Those older than the batch, up to `limit` of them. */
struct befores_drop_params {
    int32_t bank_no;
    int64_t batch_number, limit;
};
extern const struct statement befores_drop;

#endif
