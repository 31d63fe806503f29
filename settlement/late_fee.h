/*
 * late_fee.h -- what paying late costs, by the contract. Pure.
 *
 * Days late are counted from the day after the due day, in spans of LATE_FEE_DAYS. Each span that has begun costs
 * late_fee_bp of what was unpaid when it began: what came in before that day is paid, what was contested on that day or
 * was granted since bears no fee. Rounded half to even. All fees of a statement together are never more than it asks
 * for.
 */
#ifndef SETTLEMENT_LATE_FEE_H
#define SETTLEMENT_LATE_FEE_H

#include "base/error.h"

#include <stdint.h>

enum { LATE_FEE_DAYS = 30 };

/* A span of a statement's, in minor units of its currency. */
struct late_span {
    int64_t asked_minor;    /* by the statement; more than 0 */
    int64_t received_minor; /* before it began; may be more than was asked, or, when taken back, less than 0 */
    int64_t disputed_minor; /* contested when it began, or granted */
    int64_t charged_minor;  /* by the spans before it */
    int32_t late_fee_bp;    /* hundredths of a percent */
};

/* What bears the fee, and the fee; 0 is none. DOES_NOT_TIE when a sum does not fit. */
bool late_fee_of(const struct late_span *span, int64_t *unpaid_minor, int64_t *fee_minor, struct error *err) MUST_USE;

#endif
