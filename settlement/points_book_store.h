/*
 * points_book_store.h -- SQL of a period's points: what the days kept, and whether it is what the accounts say. All
 * within the close's transaction.
 */
#ifndef SETTLEMENT_POINTS_BOOK_STORE_H
#define SETTLEMENT_POINTS_BOOK_STORE_H

#include "base/arena.h"
#include "domain/period.h"
#include "store/db.h"

/* A bank's entries of one kind: up to before the period, up to its end, and up to a year before that. */
struct points_kind_row {
    int32_t bank_no;
    const char *bank_id, *currency; /* of its latest statement before, or of its rules; "XXX" for neither */
    int16_t kind;
    int64_t count_before, points_before, count_after, points_after, points_year_ago;
};
/* Points of a funding by class of age (-1: lapsed in the period). */
struct points_fund_row {
    int32_t bank_no, funding_no;
    const char *funding_id, *currency;
    int64_t cost_num, cost_den;
    int16_t age_class;
    int64_t points;
};
struct points_rate_row {
    int32_t bank_no;
    const char *currency;
    int64_t num, den;
};
struct points_drawn_row {
    int32_t bank_no;
    int16_t age_class;
    int64_t points;
};

/* By bank_id and kind; the others by bank_no and what else they have. In the arena. */
bool points_book_store_kinds(struct db *db, int32_t programme_no, const struct period *period, struct arena *arena,
                             struct points_kind_row **rows, size_t *count, struct error *err) MUST_USE;
bool points_book_store_funds(struct db *db, int32_t programme_no, const struct period *period, struct arena *arena,
                             struct points_fund_row **rows, size_t *count, struct error *err) MUST_USE;
bool points_book_store_rates(struct db *db, int32_t programme_no, const struct period *period, struct arena *arena,
                             struct points_rate_row **rows, size_t *count, struct error *err) MUST_USE;
bool points_book_store_drawn(struct db *db, int32_t programme_no, const struct period *period, struct arena *arena,
                             struct points_drawn_row **rows, size_t *count, struct error *err) MUST_USE;

/* The days' points against their roll-ups: DOES_NOT_TIE names bank and kind. */
bool points_book_store_tie_days(struct db *db, int32_t programme_no, const struct period *period,
                                struct error *err) MUST_USE;
/*
 * What the journal leaves outstanding against the accounts, at this moment: up to the last closed day from what the
 * days kept, since then from the entries. DOES_NOT_TIE names bank and bucket.
 */
bool points_book_store_tie_accounts(struct db *db, int32_t programme_no, struct error *err) MUST_USE;

#endif
