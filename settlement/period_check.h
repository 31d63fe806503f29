/*
 * period_check.h -- may this period be closed: is every day sealed, and is the journal still what was sealed?
 */
#ifndef SETTLEMENT_PERIOD_CHECK_H
#define SETTLEMENT_PERIOD_CHECK_H

#include "close.h"
#include "domain/period.h"

/*
 * Every day of the period, from the day the programme began, is closed. *first is the first of them.
 * DAY_NOT_SEALED names the first that is not; FIELD_INVALID when the programme began later.
 */
bool period_check_days(struct close_run *run, const struct period *period, struct date *first,
                       struct error *err) MUST_USE;
/* Calculates the seals of these days anew. PERIOD_CHANGED names the first bucket and day that differ, and in what. */
bool period_check_seals(struct close_run *run, struct date first, struct date last, struct error *err) MUST_USE;

#endif
