/*
 * back_test_store.h -- what the members of a bank earned, redeemed and lost in a month of business dates, one bucket
 * and a range of members at a time. Nothing is locked; a range is one statement, so it is read as of one moment.
 */
#ifndef STORE_BACK_TEST_STORE_H
#define STORE_BACK_TEST_STORE_H

#include "store/db.h"

/* Each programme's open day: what is dated before the earliest of its buckets is closed. */
struct back_test_open_params {
    int32_t programme_no;
};
struct back_test_open_row {
    struct date open_from;
};
extern const struct statement back_test_open;

/* About how many events a bucket has; it says how many ranges its members are read in. */
struct back_test_count_params {
    int32_t bucket, bank_no;
    struct date first, last;
};
struct back_test_count_row {
    int64_t events;
};
extern const struct statement back_test_count;

enum back_test_what { BACK_TEST_SPEND = 1, BACK_TEST_REDEEM = 2, BACK_TEST_EXPIRE = 3 };

/* Members from one to another, both included. */
struct back_test_events_params {
    int32_t bucket, bank_no;
    struct uuid from, to;
    struct date first, last;
};
/* By member, then time. What a kind of event does not have is 0 or empty. */
struct back_test_event {
    struct uuid member_id;
    int16_t tier;      /* the member's, today */
    int16_t tier_then; /* SPEND: at that time, when spent_on is known */
    int16_t what;      /* enum back_test_what */
    int16_t kind;      /* EXPIRE: enum entry_kind */
    struct date business_date;
    int32_t rules_version;
    const char *currency;
    int64_t points, taken_points;      /* SPEND: earned, clawed back; REDEEM: confirmed, reversed; EXPIRE: gone */
    int64_t amount_minor, taken_minor; /* SPEND: spent, taken back; REDEEM: gross, reversed */
    int64_t commission_minor, taken_commission_minor;
    bool fixed_points;
    int32_t category;
    const char *merchant_id, *channel; /* SPEND: as the bank said */
    int64_t paid_with_points_minor;
    struct date spent_on; /* 1970-01-01: not known */
    int32_t merchant_no, terms_version, goods_no;
    int64_t quantity, held_points, spendable_after;
    struct bytes draws;
};
extern const struct statement back_test_events;

#endif
