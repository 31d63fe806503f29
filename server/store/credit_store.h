/*
 * credit_store.h -- what the members of a bank have drawn on their credit, bucket by bucket.
 */
#ifndef STORE_CREDIT_STORE_H
#define STORE_CREDIT_STORE_H

#include "store/db.h"

struct credit_params {
    int32_t bucket, bank_no;
    struct int64_array ages; /* the first day of each class of age, ascending, the first one 0 */
};
/* By age class, from 1; classes without points have no row. The age is counted to the bucket's business date. */
struct credit_age_row {
    int32_t class_no;
    int64_t points, members;
};
extern const struct statement credit_by_age;

/* Of all members together; one row. */
struct credit_sum_row {
    struct date business_date;
    int64_t used_points, used_members, over_points, over_members;
};
extern const struct statement credit_sum;

/* Members that have drawn something so many days ago or before, in order of member_id behind after_member_id. */
struct credit_list_params {
    int32_t bucket, bank_no;
    struct uuid after_member_id;
    int32_t min_age_days, limit;
};
struct credit_list_row {
    struct date business_date; /* the bucket's open one */
    struct uuid member_id;
    const char *member_ref;
    int16_t status;
    int64_t credit_used, credit_limit;
    struct bytes credit; /* domain/packed.h */
};
extern const struct statement credit_list;

#endif
