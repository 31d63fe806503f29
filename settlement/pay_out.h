/*
 * pay_out.h -- asks the bank to pay what the statements of an issued period ask for, each exactly once.
 *
 * What is to be paid is decided and stored in one transaction; the file is written from what is stored, so that a run
 * that was killed is finished by the next, with the same message. Run again it makes nothing, unless a payment was
 * rejected since: that one is asked for once more.
 */
#ifndef SETTLEMENT_PAY_OUT_H
#define SETTLEMENT_PAY_OUT_H

#include "close.h"
#include "domain/period.h"

#include <stdio.h>

struct pay_order {
    const struct period *period;
    struct date execute_on;
    const char *statements_dir, *by; /* the file goes to DIR/PROGRAMME/PERIOD */
};
/*
 * The run is one that close_begin has begun. PERIOD_NOT_ISSUED; FIELD_INVALID when the day is no business day of the
 * programme's calendar. What is due later is left for later. Prints what was done.
 */
bool pay_out(struct close_run *run, const struct pay_order *order, FILE *out, struct error *err) MUST_USE;

#endif
