/*
 * journal_read.h -- the journal and what explains it, as readers see them: entries of a member, what a redemption or an
 * accrual behind an entry says, and what expires when.
 *
 * Nothing is locked. Several reads that must fit together run within member_begin_snapshot of member_store.h.
 */
#ifndef STORE_JOURNAL_READ_H
#define STORE_JOURNAL_READ_H

#include "store/lane_store.h"

/* A member with the fence of its bucket. */
struct journal_member_params {
    int32_t bucket;
    struct uuid member_id;
};
struct journal_member_row {
    int32_t programme_no, bank_no;
    int64_t journal_seq;
    struct bytes lots; /* domain/packed.h */
    struct date business_date;
    struct instant now; /* programme time */
};
extern const struct statement journal_find_member; /* journal_member_params */

/* Up to `limit` entries next to seq, not seq itself: upwards, or downwards. */
struct journal_page_params {
    int32_t bucket;
    struct uuid member_id;
    int64_t seq;
    int32_t limit;
};
extern const struct statement journal_after, journal_before; /* return journal_row */

/* The newest entry whose programme time is not after `at`. */
struct journal_at_params {
    int32_t bucket;
    struct uuid member_id;
    struct instant at;
};
extern const struct statement journal_newest_at; /* returns journal_row */

/* What the redemption says that an entry belongs to. */
struct journal_redemption_params {
    int32_t bucket;
    struct uuid id;
};
struct journal_redemption_row {
    int64_t points, confirmed_points;
    int64_t gross_minor, commission_minor;
    struct date business_date;
    struct instant lapse_at;
    bool one_step;
    int64_t line_count;
    int32_t goods_no; /* 0 for none */
    int16_t tier;     /* the member's now */
};
extern const struct statement journal_find_redemption;

/* Points of a redemption that entries before that one reversed. */
struct journal_reversed_params {
    int32_t bucket;
    struct uuid member_id, redemption_id;
    int64_t seq;
};
struct journal_reversed_row {
    int64_t points;
};
extern const struct statement journal_reversed_before;

/* What the accrual says that an entry came of. */
struct journal_accrual_params {
    int32_t bucket;
    struct uuid id;
};
struct journal_accrual_row {
    const char *transaction_ref;
    int64_t amount_minor;
    const char *currency;
    int64_t points;
    int32_t rules_version;
    struct date matures_on; /* 1970-01-01: it was spendable at once; 9999-12-31: when the bank says so */
    bool fixed_points;
    int32_t category; /* 0: not known */
    const char *merchant_id, *channel;
    int64_t paid_with_points_minor;
    struct date spent_on; /* 1970-01-01: no rule set was asked */
    int16_t tier;
};
extern const struct statement journal_find_accrual;

/* Points that expire from one business date to another, by day, of one member or of all of a bank's in one bucket. */
struct journal_forecast_params {
    int32_t bucket, bank_no;
    struct uuid member_id; /* zero: all of the bank's */
    struct date first, last;
};
struct journal_forecast_row {
    struct date expires_on;
    int64_t points, members;
};
extern const struct statement journal_forecast_member, journal_forecast_bank;
/* The programme's time and business date in a bucket. */
struct journal_fence_params {
    int32_t bucket, programme_no;
};
struct journal_fence_row {
    struct date business_date;
};
extern const struct statement journal_fence;

/* Notices of one bank and day in one bucket, in the order of the primary key, after one of them. */
struct journal_notices_params {
    int32_t bucket, bank_no;
    struct date business_date;
    struct uuid after_member;
    struct date after_expires;
    int32_t after_days, limit;
};
struct journal_notice_row {
    struct uuid member_id;
    const char *member_ref;
    struct date expires_on;
    int32_t days_ahead;
    int64_t points;
};
extern const struct statement journal_notices;

/* The columns of struct journal_row, in the order of JOURNAL_COLUMNS. */
#define JOURNAL_COLUMNS                                                                                                \
    "member_id, seq, business_date, at, kind, points, available_after, held_after, credit_used_after, "                \
    "credit_limit_after, ref, redemption_id, programme_no, bank_no, merchant_no, store_no, rules_version, "            \
    "terms_version, currency, gross_minor, commission_minor, hash, pending_after, lots"
enum { JOURNAL_COLUMN_COUNT = 24 };
extern const struct column journal_row_columns[JOURNAL_COLUMN_COUNT];

#endif
