/*
 * rows_ahead.h -- rows that are read by a thread of their own, on a connection of their own, while their reader still
 * does something else: PostgreSQL sorts them and they are taken apart on one core, and worked with on another.
 *
 * Only so many rows are ahead at a time, so memory is bounded, and a reader that is slow holds up the database session.
 */
#ifndef SETTLEMENT_ROWS_AHEAD_H
#define SETTLEMENT_ROWS_AHEAD_H

#include "store/db.h"

struct rows_ahead;

/*
 * Sends the statement on db, which is the rows' until rows_ahead_stop. params are copied; what they point at is kept by
 * the caller until then.
 */
bool rows_ahead_start(struct rows_ahead **out, struct db *db, const struct statement *statement, const void *params,
                      size_t params_size, struct error *err) MUST_USE;
/* As db_each, once; from the thread that started it. */
bool rows_ahead_each(struct rows_ahead *rows, db_row_handler *each, void *owner, struct error *err) MUST_USE;
/* Ends the statement if it is still at work, and the thread. NULL is fine. */
void rows_ahead_stop(struct rows_ahead *rows);

#endif
