/*
 * receivable_store.h -- what issued statements ask their parties to pay and has not come in. The ageing of
 * alliance-settle and ListReceivables read the same rows.
 */
#ifndef STORE_RECEIVABLE_STORE_H
#define STORE_RECEIVABLE_STORE_H

#include "store/db.h"

/* "M12-000001", as settlement/numbers.c writes it; n is a row of statement_number. */
#define STATEMENT_NUMBER                                                                                               \
    "n.party || '-' || CASE WHEN n.number < 1000000 THEN lpad(n.number::text, 6, '0') ELSE n.number::text END"
#define STATEMENT_NUMBERED                                                                                             \
    "statement s JOIN statement_position p USING (statement_no) JOIN statement_number n ON n.statement_id = "          \
    "s.statement_id AND n.state = 1 "
/* What came in for a statement: credits less what was taken back. */
#define STATEMENT_RECEIPTS                                                                                             \
    "payment_notice w WHERE w.programme_no = s.programme_no AND w.outcome = 'RECEIPT' AND w.currency = s.currency "    \
    "AND "                                                                                                             \
    "w.end_to_end_id = " STATEMENT_NUMBER
#define STATEMENT_RECEIVED "(SELECT COALESCE(sum(w.amount_minor), 0)::int8 FROM " STATEMENT_RECEIPTS ")"

/* What a statement is while nobody contests it: 6 PAID, 4 CONFIRMED, 1 as its period. p and n may be missing. */
#define STATEMENT_STANDS                                                                                               \
    "CASE WHEN (p.payable_minor > 0 AND (SELECT sum(o.amount_minor) FROM payout o WHERE o.statement_id = "             \
    "s.statement_id AND o.state = 3) >= p.payable_minor) OR (p.payable_minor < 0 AND " STATEMENT_RECEIVED              \
    " >= -p.payable_minor) THEN 6 WHEN s.answered_on > '1970-01-01' THEN 4 ELSE 1 END::int2"

struct receivable_row {
    const char *statement_id, *number;
    int16_t party;        /* enum party_kind of domain/settle_contract.h */
    const char *party_id; /* "" of the operator */
    const char *currency;
    struct date due_on;
    int64_t asked_minor, received_minor; /* received is less than asked */
};
/* A page, by due day and number, after the last of the page before. */
struct receivable_list_params {
    int32_t programme_no;
    int16_t party; /* 0: everybody's */
    int32_t party_no;
    struct date after_due; /* 1970-01-01 and "": from the first */
    const char *after_number;
    int32_t limit;
};
extern const struct statement receivable_list; /* returns receivable_row */

/* What is open by currency and age; ages in which nothing is have no row. */
struct receivable_sums_params {
    int32_t programme_no;
    int16_t party;
    int32_t party_no;
    struct date on;               /* the day that ages are counted to */
    struct int64_array ages_from; /* days late from which on each age but the first begins, ascending */
};
struct receivable_sum_row {
    const char *currency;
    int32_t age; /* 0: not due */
    int64_t open_minor;
};
extern const struct statement receivable_sums; /* by currency and age */

#endif
