/*
 * statement_answer_store.h -- what parties say of statements that were issued. A statement's figures never change; its
 * state, who answered and when do.
 */
#ifndef STORE_STATEMENT_ANSWER_STORE_H
#define STORE_STATEMENT_ANSWER_STORE_H

#include "base/limits.h"
#include "store/db.h"

/*
 * SQL of the last day on which a party may answer for itself what was issued: so many days after the day of issue as
 * the contract says that was in force on the period's last day, or SETTLE_DAYS_USUAL without one; a business day. The
 * period is a row of settlement_period that is issued.
 */
#define ANSWER_TEXT(number) #number
#define ANSWER_DAYS(number) ANSWER_TEXT(number)
#define ANSWER_UNTIL(period, party, no, currency)                                                                      \
    "business_day(" period ".programme_no, " period ".issued_on + COALESCE((SELECT c.confirm_days FROM "               \
    "settlement_contract c WHERE c.programme_no = " period ".programme_no AND c.party = " party                        \
    " AND c.party_no = " no " AND c.currency = " currency " AND c.effective_from <= " period                           \
    ".last_day ORDER BY c.version DESC LIMIT 1), " ANSWER_DAYS(SETTLE_DAYS_USUAL) "))"

/* Confirms one that is issued and has no answer yet, on the programme's open business date; otherwise changes nothing.
 */
struct statement_confirm_params {
    int64_t statement_no;
    const char *by; /* the caller's principal */
};
extern const struct statement statement_confirm;

/* Confirms what nobody answered until the last day for it, which is still the party's. */
struct statement_silence_params {
    int32_t programme_no;
    struct date today; /* business date */
};
extern const struct statement statement_silence;

#endif
