/*
 * period_state_store.h -- how far a calculated period has come: CALCULATED, APPROVED by a second person for exactly one
 * manifest, ISSUED for ever.
 */
#ifndef STORE_PERIOD_STATE_STORE_H
#define STORE_PERIOD_STATE_STORE_H

#include "store/db.h"

enum period_state { PERIOD_CALCULATED = 1, PERIOD_APPROVED = 2, PERIOD_ISSUED = 3 };

struct period_state_row {
    const char *period;
    struct date first_day, last_day;
    int16_t state; /* enum period_state */
    const char *maker;
    struct bytes manifest_sha256;
    int64_t statement_count;
    struct instant calculated_at; /* the database's clock, as are the next; epoch: not yet */
    const char *approver;         /* "": nobody */
    struct instant approved_at, issued_at;
};

/* The row as a close leaves it. Another hash than before takes the approval away; the same changes nothing. */
struct period_state_put_params {
    int32_t programme_no;
    const char *period;
    struct date first_day, last_day;
    const char *maker;
    struct bytes manifest_sha256;
    int64_t statement_count;
};
extern const struct statement period_state_put;

struct period_state_params {
    int32_t programme_no;
    const char *period;
};
extern const struct statement period_state_find; /* returns period_state_row */
extern const struct statement period_state_void; /* takes the approval of an APPROVED one away */

/* Does nothing unless it is CALCULATED with that hash by somebody else. */
struct period_state_approve_params {
    int32_t programme_no;
    const char *period;
    struct bytes manifest_sha256;
    const char *approver;
};
extern const struct statement period_state_approve;

/* Does nothing unless it is APPROVED with that hash. */
struct period_state_issue_params {
    int32_t programme_no;
    const char *period;
    struct bytes manifest_sha256, signature_sha256;
};
extern const struct statement period_state_issue;

/* By period, after one; returns period_state_row. */
struct period_state_list_params {
    int32_t programme_no;
    const char *after;
    int32_t limit;
};
extern const struct statement period_state_list;

#endif
