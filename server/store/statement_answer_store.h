/*
 * statement_answer_store.h -- what parties say of statements that were issued. A statement's figures never change; its
 * state, who answered and when do.
 */
#ifndef STORE_STATEMENT_ANSWER_STORE_H
#define STORE_STATEMENT_ANSWER_STORE_H

#include "store/db.h"

/* Confirms one that is issued and has no answer yet, on the programme's open business date; otherwise changes nothing.
 */
struct statement_confirm_params {
    int64_t statement_no;
    const char *by; /* the caller's principal */
};
extern const struct statement statement_confirm;

/*
 * Confirms what nobody answered: issued so many days before today as the contract says that was in force on the
 * period's last day, or default_days without one; the last of these days is still the party's.
 */
struct statement_silence_params {
    int32_t programme_no;
    struct date today; /* business date */
    int32_t default_days;
};
extern const struct statement statement_silence;

#endif
