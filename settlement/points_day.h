/*
 * points_day.h -- the step POINTS of a day close: what the day's entries did to a bank's points, the age of its lots
 * and of the credit its members have drawn.
 *
 * All from the entries of a day that is over, so it can be done at any time after its sums and comes out the same: days
 * that were closed before there was a POINTS get theirs with the next close. Memory: the lots of different banks,
 * fundings and days that moved on one day, and one member; what members owe goes through a file without a name. Online
 * work is not disturbed: nothing the lanes use is locked or even read but the closed day's entries.
 */
#ifndef SETTLEMENT_POINTS_DAY_H
#define SETTLEMENT_POINTS_DAY_H

#include "base/when.h"
#include "close.h"

/* Each closed day up to that one that has no POINTS yet gets it, in order, a transaction a day. */
bool points_days(struct close_run *run, struct date until, struct error *err) MUST_USE;

#endif
