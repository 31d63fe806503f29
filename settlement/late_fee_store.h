/*
 * late_fee_store.h -- SQL of late-payment fees: spans of days that have begun, what was unpaid then, and what was
 * proposed of it before.
 */
#ifndef SETTLEMENT_LATE_FEE_STORE_H
#define SETTLEMENT_LATE_FEE_STORE_H

#include "base/arena.h"
#include "late_fee.h"
#include "store/db.h"

struct late_fee_row {
    const char *statement_id, *number;
    int16_t party; /* enum party_kind: who was asked to pay */
    int32_t party_no;
    const char *party_id, *currency;
    struct date due_on;
    int32_t span;       /* 1, 2, ... */
    struct date begins; /* the first day of the span */
    int64_t asked_minor, received_minor, disputed_minor;
    int32_t late_fee_bp;    /* of the contract in force on the period's last day */
    struct uuid request_id; /* always the same for the statement and span */
    int64_t correction_no;  /* 0: not proposed yet */
    int64_t proposed_minor;
    int16_t state; /* enum correction_state; 0 likewise */
};
/*
 * Spans that have begun by that day in which something is unpaid, or for which a fee was proposed, of statements that
 * are issued and ask their party to pay, where its contract has a fee; by due day, number and span. In the arena.
 */
bool late_fee_store_spans(struct db *db, int32_t programme_no, struct date as_of, struct arena *arena,
                          struct late_fee_row **rows, size_t *count, struct error *err) MUST_USE;

#endif
