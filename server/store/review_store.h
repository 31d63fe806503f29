/*
 * review_store.h -- what makes a member's tier, for lanes and for readers, where the bank's rules ask for spend.
 */
#ifndef STORE_REVIEW_STORE_H
#define STORE_REVIEW_STORE_H

#include "store/lane_store.h"

/* domain/tier_review.h in columns; months as their first days. */
struct review_row {
    struct uuid member_id;
    int32_t rules_version;
    struct date month;
    struct date_array months;
    struct text_array currencies; /* as many as months, like amounts */
    struct int64_array amounts;
    struct int64_array mark_tiers;
    struct date_array mark_months; /* as many as mark_tiers, like mark_aheads */
    struct date_array mark_aheads;
};
/* ids_params: members; their accounts are locked. At most one row each. */
extern const struct statement lane_load_reviews;
/* write_params of review_row. */
extern const struct statement lane_put_reviews;

/* A tier given or taken by a review. */
struct tier_change_row {
    struct uuid member_id;
    int64_t seq;
    int32_t rules_version;
    int16_t tier_before, tier_after, judged_tier;
    const char *currency;
    int64_t spent_minor, needed_minor;
    struct date first_day;
};
/* write_params of tier_change_row. */
extern const struct statement lane_insert_tier_changes;

/* Readers: a member's tier and what it is made of, as of one moment; nothing is locked. */
struct review_find_params {
    int32_t bucket;
    struct uuid member_id;
};
struct review_found_row {
    int16_t status, tier;
    struct date tier_due, business_date;
    struct instant now;       /* programme time */
    struct review_row review; /* rules_version 0: there is none */
};
extern const struct statement review_find;

struct tier_change_params {
    int32_t bucket;
    struct uuid member_id;
    int64_t seq;
};
extern const struct statement tier_change_find; /* tier_change_row; none when no review made the entry */

#endif
