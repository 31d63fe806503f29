/*
 * period_chain_store.h -- does each statement of a period open with what the party's statement before it closed with?
 *
 * A close makes it so; but a period before may have been calculated again since. Asked before a period is approved and
 * before it is issued.
 */
#ifndef STORE_PERIOD_CHAIN_STORE_H
#define STORE_PERIOD_CHAIN_STORE_H

#include "store/db.h"

/*
 * OPENING_DIFFERS names the first statement that does not, both figures, and which period to calculate again: this one,
 * or, when the statement behind it is issued with another opening, the correction there can only be a line of a later
 * period.
 */
bool period_chain_check(struct db *db, int32_t programme_no, const char *period, struct error *err) MUST_USE;

#endif
