/*
 * scope.h -- whose lines a close takes: each contract says by which kind of period its party is settled, and a close
 * settles one period of one kind.
 *
 * Every business date of a party and currency is in exactly one period: that of the contract version in force on it. So
 * each entry stands in exactly one statement, whatever the contracts change to. A party without a contract is settled
 * by the month. What belongs to no contract's party belongs to the months, too.
 */
#ifndef SETTLEMENT_SCOPE_H
#define SETTLEMENT_SCOPE_H

#include "base/arena.h"
#include "domain/settle_contract.h"

/* Days of a party that are settled by another kind of period than the month; a row of the type period_span. */
struct scope_span {
    int16_t party;
    int32_t party_no;
    const char *currency;
    struct date first_day, last_day;
    bool here; /* CUSTOM: it has this very period; otherwise true */
};

/* Of a close of months `spans` are the days that it leaves out, of all others those that it takes. Zeroed is empty. */
struct scope {
    struct arena arena;
    const struct period *period;
    struct settle_contract *contracts; /* versions up to the period's end, by party, number, currency and version */
    size_t contract_count;
    struct scope_span *spans;
    size_t span_count;
};

void scope_release(struct scope *scope);
/* The spans, of contracts that are there; `period` is kept. INTERNAL when memory is short. */
bool scope_make(struct scope *scope, const struct period *period, struct error *err) MUST_USE;
/* Does the close take what is dated that day? */
bool scope_has(const struct scope *scope, struct party party, const char *currency, struct date date);
/*
 * Is the party settled by periods of the close's kind on its last day, so that what it owes may be set off by a later
 * one? Of CUSTOM: by whichever.
 */
bool scope_goes_on(const struct scope *scope, struct party party, const char *currency);
/* Has a contract this very period? */
bool scope_is_asked_for(const struct scope *scope);
/*
 * Does the close leave the party's account alone? So one of CUSTOM periods does with who is settled by other CUSTOM
 * periods, unless something is posted to them: their statement then has all of the account. All other closes of a kind
 * have the same periods, so everybody who has an account there has a statement.
 */
bool scope_skips(const struct scope *scope, struct party party, const char *currency);
/*
 * The version whose period this is. For who is settled by other periods: the version in force on the last day, without
 * what is asked or kept once a period; for who has none what holds without one.
 */
struct settle_contract scope_contract(const struct scope *scope, struct party party, const char *currency);

#endif
