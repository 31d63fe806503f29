/*
 * line_store.h -- SQL of statement_chunk: which journal entries a period's pair statements consist of.
 */
#ifndef SETTLEMENT_LINE_STORE_H
#define SETTLEMENT_LINE_STORE_H

#include "domain/period.h"
#include "line_keys.h"
#include "sheet.h"

struct db;

/*
 * Makes the stored pointers those of keys, which has them pair by pair as in the list, line_count of each. What is
 * stored already is not written again. *stored counts the period's lines afterwards. In the caller's transaction.
 */
bool line_store_put(struct db *db, int32_t programme_no, const char *programme_id, const struct period *period,
                    const struct sheet_list *list, struct line_keys *keys, int64_t *stored, struct error *err) MUST_USE;

#endif
