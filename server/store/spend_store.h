/*
 * spend_store.h -- what card spend needs beyond the account where the bank has a rule set: days, and counts for caps.
 */
#ifndef STORE_SPEND_STORE_H
#define STORE_SPEND_STORE_H

#include "store/lane_store.h"

/* The day of each instant in its programme's time zone, in their order. Rows are spend_day_row. */
struct spend_days_params {
    struct int64_array programmes, times; /* times: microseconds since 1970-01-01 UTC; as many as programmes */
};
struct spend_day_row {
    struct date spent_on;
};
extern const struct statement lane_load_spend_days;

/* ids_params: members; their accounts are locked. At most one row each. */
struct earn_count_row {
    struct uuid member_id;
    struct date counted_on;
    int64_t day_points, month_points;
    struct bytes rules; /* packed as domain/earn_count.h has it */
};
extern const struct statement lane_load_earn_counts;
/* write_params of earn_count_row. */
extern const struct statement lane_put_earn_counts;

#endif
