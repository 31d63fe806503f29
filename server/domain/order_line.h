/*
 * order_line.h -- the parts a redemption is split into, and sums allocated over them without residue. Pure.
 */
#ifndef DOMAIN_ORDER_LINE_H
#define DOMAIN_ORDER_LINE_H

#include "base/error.h"
#include "base/limits.h"
#include "domain/rules.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct order_line {
    char id[LINE_ID_MAX + 1];          /* the merchant's; unique within the redemption */
    int64_t points;                    /* asked, and from the confirmation on confirmed */
    struct settlement_amounts amounts; /* of the confirmation */
    int64_t reversed_points;
    struct settlement_amounts reversed; /* positive */
};

struct order_lines {
    size_t count;
    struct order_line at[LINES_MAX];
};

/*
 * Splits total over the weights by largest remainder: each part is total * weight / sum rounded down, and what is left
 * goes one each to the parts with the largest remainders, the first of equals first. The parts add up to total exactly.
 * total >= 0, weights >= 0; when all weights are 0, total must be 0.
 */
void allocate_exactly(int64_t total, const int64_t *weights, size_t count, int64_t *parts);

/* -1 when there is none. */
int order_lines_find(const struct order_lines *lines, const char *id);
/* At the confirmation: points, gross and commission go to the lines in proportion to their points. */
void order_lines_confirm(struct order_lines *lines, int64_t points, const struct settlement_amounts *amounts);
/*
 * Takes points off the lines (off line `only`, or with -1 in proportion to what is left of each) and returns the money
 * that goes with them: each line's amounts in proportion to its reversed points, rounded down, all of them with its
 * last point.
 */
struct settlement_amounts order_lines_reverse(struct order_lines *lines, int only, int64_t points);
/* Points of the line that are not reversed. */
int64_t order_line_left(const struct order_line *line);

#endif
