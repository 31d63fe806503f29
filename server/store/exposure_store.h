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

/* Warnings. One row a bank and currency with a limit, all buckets together. */
struct exposure_watched_row {
    int32_t bank_no;
    const char *currency;
    int64_t limit_minor, used_minor;
    int32_t level; /* told up to now */
    struct date business_date;
    struct instant now; /* programme time */
};
extern const struct statement exposure_watched;
/* Makes the row there must be, with level 0. */
struct exposure_watch_params {
    int32_t bank_no;
    const char *currency;
    int32_t before, level;
};
extern const struct statement exposure_watch_begin; /* exposure_watch_params */
/* From one level to another; no row when somebody else was first. */
extern const struct statement exposure_watch_move; /* exposure_watch_params */
struct exposure_warn_params {
    int32_t bank_no;
    const char *currency;
    int32_t level;
    int64_t used_minor, limit_minor;
    struct date business_date;
    struct instant at;
};
extern const struct statement exposure_warn;
/* Forgets all of a bank's but the newest so many. */
struct exposure_forget_params {
    int32_t bank_no;
    int64_t kept;
};
extern const struct statement exposure_forget;
/* A bank's, the newest first, behind one of them. */
struct exposure_warnings_params {
    int32_t bank_no;
    int64_t before_no, limit;
};
struct exposure_warning_row {
    int64_t warning_no;
    const char *currency;
    int32_t level;
    int64_t used_minor, limit_minor;
    struct date business_date;
    struct instant at;
};
extern const struct statement exposure_warnings;

#endif
