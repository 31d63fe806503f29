/*
 * period_store.h -- SQL of the period close and of show. The caller begins and ends transactions.
 */
#ifndef SETTLEMENT_PERIOD_STORE_H
#define SETTLEMENT_PERIOD_STORE_H

#include "base/arena.h"
#include "domain/period.h"
#include "files.h"
#include "line_keys.h"
#include "scope.h"
#include "seal.h"
#include "sheet.h"

struct db;
struct rows_ahead;

/* Everything that follows in the transaction sees one moment of the database. */
bool period_store_begin(struct db *db, struct error *err) MUST_USE;
/* The first day from `first` to `last` that is not closed; *found false when all are. */
bool period_store_unsealed(struct db *db, int32_t programme_no, struct date first, struct date last,
                           struct date *missing, bool *found, struct error *err) MUST_USE;

struct sealed_bucket {
    int32_t bucket;
    struct seal seal;
};
/* One day's seals as the day close wrote them, by bucket; at most BUCKETS_MAX, *count says how many. */
bool period_store_seals(struct db *db, int32_t programme_no, struct date date, struct sealed_bucket *seals,
                        size_t *count, struct error *err) MUST_USE;
/* Statements without lines from the days' roll-ups, in the list's order. */
bool period_store_sheets(struct db *db, int32_t programme_no, const struct scope *scope, struct sheet_list *list,
                         struct error *err) MUST_USE;

/* One CONFIRM or REVERSE entry; its pair is named for comparing with the sheets. line.number is 0. */
struct period_line {
    const char *bank_id, *merchant_id, *currency;
    struct sheet_line line;
    struct line_key key;
};
typedef bool period_line_handler(void *owner, const struct period_line *line, struct error *err);
/* Begins to read them on db; the scope is kept until rows_ahead_stop. */
bool period_store_lines_ahead(struct db *db, int32_t programme_no, const struct scope *scope, struct rows_ahead **ahead,
                              struct error *err) MUST_USE;
/* In the order of the pairs, and within a pair in the order of its line numbers. */
bool period_store_each_line(struct rows_ahead *ahead, period_line_handler *each, void *owner,
                            struct error *err) MUST_USE;

/* Makes the stored statements of the period what the list says. A statement that stays the same keeps its time. */
bool period_store_put(struct db *db, int32_t programme_no, const char *programme_id, const struct period *period,
                      const struct sheet_list *list, struct error *err) MUST_USE;
/* The stored statements without their content hashes, for show. */
bool period_store_stored(struct db *db, int32_t programme_no, const struct period *period, struct sheet_list *list,
                         struct error *err) MUST_USE;

#endif
