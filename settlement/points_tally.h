/*
 * points_tally.h -- points added up by bank, funding and day: what moved in lots of one expiry, or what was drawn on
 * one day. Pure but for its memory.
 */
#ifndef SETTLEMENT_POINTS_TALLY_H
#define SETTLEMENT_POINTS_TALLY_H

#include "base/error.h"
#include "base/when.h"

#include <stddef.h>
#include <stdint.h>

enum points_sum { POINTS_SUM_ISSUED, POINTS_SUM_TAKEN, POINTS_SUM_LAPSED, POINTS_SUMS };
enum { POINTS_CELLS_MAX = 1 << 20 }; /* of one day: 48 MB */

struct points_cell {
    int32_t bank_no; /* 0: the place is free */
    int32_t funding_no;
    struct date day;
    int64_t sums[POINTS_SUMS]; /* signed */
};

/* Zeroed is empty. */
struct points_tally {
    struct points_cell *at; /* the tally's own; room places, a power of two, those that are used in no order */
    size_t count, room;
};

/* INTERNAL past POINTS_CELLS_MAX, or when a sum does not fit. bank_no > 0. */
bool points_tally_add(struct points_tally *tally, int32_t bank_no, int32_t funding_no, struct date day,
                      enum points_sum which, int64_t points, struct error *err) MUST_USE;
void points_tally_release(struct points_tally *tally);

#endif
