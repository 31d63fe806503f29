/*
 * numbers.h -- statement numbers: "M12-000001" is the first statement of merchant 12, "P1.12-000001" of the pair of
 * bank 1 and merchant 12, "O1-000001" of the operator in programme 1.
 *
 * A number is drawn when a statement is first calculated, in the transaction that stores it, so that a party's numbers
 * have no gaps; calculated again it keeps it. A statement that a later calculation no longer has leaves its number
 * cancelled; should it come back, it gets a new one. The caller has the programme's lock, and is in the transaction.
 */
#ifndef SETTLEMENT_NUMBERS_H
#define SETTLEMENT_NUMBERS_H

#include "close.h"
#include "domain/period.h"
#include "sheet.h"

/* Sets the number of every statement of the list; new ones are drawn in the list's order. */
bool numbers_give(const struct close_run *run, const struct period *period, struct sheet_list *list,
                  struct error *err) MUST_USE;
/* After the list was stored: numbers of the period's statements that are not there are cancelled. */
bool numbers_cancel(const struct close_run *run, const struct period *period, struct error *err) MUST_USE;

#endif
