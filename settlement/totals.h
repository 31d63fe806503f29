/*
 * totals.h -- the sums of a statement, and adding them up without ever wrapping. Pure.
 *
 * A line's figures are signed (a reversal is negative); points of both kinds are kept apart and are never negative.
 */
#ifndef SETTLEMENT_TOTALS_H
#define SETTLEMENT_TOTALS_H

#include "base/error.h"

#include <stdint.h>

struct totals {
    int64_t confirmed_count, confirmed_points;
    int64_t reversed_count, reversed_points;
    int64_t gross_minor, commission_minor, net_minor; /* confirmed minus reversed; net is gross minus commission */
};

/* One confirmation, or one reversal, which comes with points 0 or more and amounts 0 or less. */
bool totals_add_entry(struct totals *totals, bool reversal, int64_t points, int64_t gross_minor,
                      int64_t commission_minor) MUST_USE;
bool totals_add(struct totals *totals, const struct totals *more) MUST_USE;
/* The name of the first figure in which they differ, and both values; NULL when they are equal. */
const char *totals_difference(const struct totals *a, const struct totals *b, int64_t *in_a, int64_t *in_b);

#endif
