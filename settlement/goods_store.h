/*
 * goods_store.h -- what a period's redemptions were for: sums by good, of every pair of bank and merchant.
 *
 * Entries do not name goods, redemptions do; so the period's entries of merchants that have goods are joined to their
 * redemptions, once, and a programme without goods pays nothing. Beyond GOODS_ROWS_MAX the summary is left out of the
 * documents: it must not stop a close.
 */
#ifndef SETTLEMENT_GOODS_STORE_H
#define SETTLEMENT_GOODS_STORE_H

#include "base/arena.h"
#include "doc.h"
#include "scope.h"

struct db;

enum { GOODS_ROWS_MAX = 100000 }; /* about 20 MB */

struct goods_row;

/* Zeroed is empty. */
struct goods_sums {
    struct arena arena;
    struct goods_row *at; /* by merchant, currency, good and bank; the arena's */
    size_t count;
    struct doc_sum *room; /* of the statement at hand */
    bool left_out;        /* there were more */
};

bool goods_store_load(struct goods_sums *goods, struct db *db, int32_t programme_no, const struct scope *scope,
                      struct error *err) MUST_USE;
void goods_sums_release(struct goods_sums *goods);
/* The statement's goods, by merchant and good; borrowed until the next call. Redemptions for no good are none of them.
 */
bool goods_sums_of(struct goods_sums *goods, const struct sheet *sheet, struct doc_sums *sums,
                   struct error *err) MUST_USE;

#endif
