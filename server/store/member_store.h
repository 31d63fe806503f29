/*
 * member_store.h -- a member's account and a redemption as readers see them, with the fence of their bucket.
 *
 * Nothing is locked: what was read may have changed by the time it is shown. Writes go through lanes only.
 */
#ifndef STORE_MEMBER_STORE_H
#define STORE_MEMBER_STORE_H

#include "store/db.h"

/* A snapshot for several reads; ended by db_commit or db_rollback. */
extern const struct statement member_begin_snapshot;

struct member_key_params {
    int32_t bucket;
    struct uuid member_id;
};
struct member_account_row {
    int32_t programme_no, bank_no;
    int16_t status, tier;
    int64_t available, held, pending, credit_limit, credit_used;
    struct bytes lots, pending_lots, holds, credit; /* domain/packed.h */
    struct date tier_due;                           /* 1970-01-01: no day */
    struct date business_date;                      /* of the member's bucket */
    struct instant now;                             /* programme time */
};
extern const struct statement member_find_account; /* member_key_params */

/* Many members of one bucket at once; rows in any order, none for a member that is not there. */
struct member_keys_params {
    int32_t bucket;
    struct uuid_array member_ids;
};
struct member_found_row {
    struct uuid member_id;
    struct member_account_row account;
};
extern const struct statement member_find_accounts; /* member_keys_params */

/* What open holds have drawn. */
struct member_holds_params {
    int32_t bucket;
    struct uuid_array ids;
};
struct member_hold_row {
    struct uuid id;
    int64_t points;
    struct bytes draws; /* domain/packed.h */
    int64_t draw_credit;
};
extern const struct statement member_find_holds; /* member_holds_params */

struct member_redemption_params {
    int32_t bucket;
    struct uuid id;
};
struct member_redemption_row {
    struct uuid member_id;
    int32_t bank_no;
    const char *member_ref;
    int32_t merchant_no, store_no;
    int16_t state; /* 0: the hold was refused */
    int64_t points, confirmed_points, reversed_points;
    const char *currency;
    int64_t gross_minor, commission_minor, reversed_gross_minor, reversed_commission_minor;
    int32_t rules_version, terms_version, goods_no;
    int64_t quantity;
    struct bytes lines; /* domain/packed.h */
    struct instant held_at, lapse_at;
    int64_t price_minor;
    const char *price_currency;
    int64_t cash_minor;
    struct instant now; /* programme time */
};
extern const struct statement member_find_redemption; /* member_redemption_params */

#endif
