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

#endif
