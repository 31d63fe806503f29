#include "points_tally.h"

#include "base/exact.h"

#include <stdlib.h>

static size_t slot_of(const struct points_tally *tally, int32_t bank_no, int32_t funding_no, struct date day)
{
    uint64_t hash = (uint32_t)bank_no;

    hash = (hash * UINT64_C(0x9E3779B97F4A7C15)) ^ (uint32_t)funding_no;
    hash = (hash * UINT64_C(0x9E3779B97F4A7C15)) ^ (uint32_t)day.days;
    hash *= UINT64_C(0x9E3779B97F4A7C15);
    return (size_t)(hash >> 32) & (tally->room - 1);
}

static struct points_cell *find(const struct points_tally *tally, int32_t bank_no, int32_t funding_no, struct date day)
{
    size_t slot = slot_of(tally, bank_no, funding_no, day);
    struct points_cell *cell = &tally->at[slot];

    while (cell->bank_no &&
           (cell->bank_no != bank_no || cell->funding_no != funding_no || cell->day.days != day.days)) {
        slot = (slot + 1) & (tally->room - 1);
        cell = &tally->at[slot];
    }
    return cell;
}

/* Never more than half full. */
static bool grow(struct points_tally *tally, struct error *err)
{
    struct points_tally grown = { .count = tally->count, .room = tally->room ? 2 * tally->room : 1024 };

    if (tally->room == POINTS_CELLS_MAX)
        return error_set(err, REASON_INTERNAL, "a day's points are in more than %d lots of different kinds",
                         POINTS_CELLS_MAX / 2);
    grown.at = calloc(grown.room, sizeof *grown.at);
    if (!grown.at)
        return error_set(err, REASON_INTERNAL, "out of memory");
    for (size_t i = 0; i < tally->room; i++) {
        const struct points_cell *cell = &tally->at[i];
        if (cell->bank_no)
            *find(&grown, cell->bank_no, cell->funding_no, cell->day) = *cell;
    }
    free(tally->at);
    *tally = grown;
    return true;
}

bool points_tally_add(struct points_tally *tally, int32_t bank_no, int32_t funding_no, struct date day,
                      enum points_sum which, int64_t points, struct error *err)
{
    if (2 * (tally->count + 1) > tally->room && !grow(tally, err))
        return false;
    struct points_cell *cell = find(tally, bank_no, funding_no, day);
    if (!cell->bank_no) {
        *cell = (struct points_cell){ .bank_no = bank_no, .funding_no = funding_no, .day = day };
        tally->count++;
    }
    return exact_add(cell->sums[which], points, &cell->sums[which]) ||
           error_set(err, REASON_INTERNAL, "the points of bank number %d do not fit", (int)bank_no);
}

void points_tally_release(struct points_tally *tally)
{
    free(tally->at);
    *tally = (struct points_tally){ 0 };
}
