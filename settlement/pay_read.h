/*
 * pay_read.h -- what a bank says of payments: a pain.002, or a camt.053, camt.052 or camt.054, read whole or not at
 * all.
 *
 * Matched on EndToEndId, a statement's number or that of a later part of it. A file that was read before, and a booking
 * that came in another file, change nothing. The caller has the programme's lock.
 */
#ifndef SETTLEMENT_PAY_READ_H
#define SETTLEMENT_PAY_READ_H

#include "close.h"

struct pay_tally {
    int64_t records, before; /* before: known already */
    int64_t accepted, paid, rejected, received, other;
};
bool pay_read(struct close_run *run, const char *path, struct pay_tally *tally, struct error *err) MUST_USE;

#endif
