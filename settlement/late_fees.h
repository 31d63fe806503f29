/*
 * late_fees.h -- `alliance-settle late-fees`: what paying late costs as of a day, and, when asked to, as corrections
 * that wait for a second person.
 *
 * A span of a statement is proposed once, whatever is known later: run again it proposes what has become late since.
 */
#ifndef SETTLEMENT_LATE_FEES_H
#define SETTLEMENT_LATE_FEES_H

#include "close.h"

#include "base/when.h"

#include <stdio.h>

struct late_order {
    struct date as_of;
    bool propose;
    const char *by; /* who proposes */
};
/* FIELD_INVALID when fees of a day that is not over would be proposed. Prints what was done. */
bool late_fees(struct close_run *run, const struct late_order *order, FILE *out, struct error *err) MUST_USE;

#endif
