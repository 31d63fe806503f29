/*
 * exposure_store.h -- a bank's exposure limit as those see it who change it: all its parts at once, locked in bucket
 * order, as a lane does that moves some from one bucket to another.
 */
#ifndef STORE_EXPOSURE_STORE_H
#define STORE_EXPOSURE_STORE_H

#include "store/db.h"

struct exposure_bank_params {
    int32_t bank_no;
    const char *currency;
};
struct exposure_bank_row {
    int32_t bucket;
    int64_t limit_minor, allotted_minor, used_minor;
};
/* In bucket order; none when there is no limit. */
extern const struct statement exposure_lock, exposure_read; /* exposure_bank_params */

struct exposure_put_params {
    int32_t bucket, bank_no;
    const char *currency;
    int64_t limit_minor, allotted_minor, used_minor;
};
extern const struct statement exposure_put;
/* A lane's: only what is allotted changes. */
struct exposure_part_params {
    int32_t bucket, bank_no;
    const char *currency;
    int64_t allotted_minor;
};
extern const struct statement exposure_set_part;

struct exposure_settled_params {
    int32_t bank_no;
    struct uuid request_id;
};
struct exposure_settled_row {
    struct bytes content_hash;
};
extern const struct statement exposure_find_settled; /* exposure_settled_params */
struct exposure_settle_params {
    int32_t bank_no;
    struct uuid request_id;
    struct bytes content_hash;
};
extern const struct statement exposure_add_settled;

#endif
