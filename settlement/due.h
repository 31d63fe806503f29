/*
 * due.h -- which periods are to be closed: those that the contracts ask for or in whose account something is left,
 * whose days are closed, and that were not calculated yet.
 */
#ifndef SETTLEMENT_DUE_H
#define SETTLEMENT_DUE_H

#include "scope.h"

#include <stdio.h>

struct db;

/* Where a programme stands. */
struct due_facts {
    struct date first;                        /* of the programme */
    struct date until;                        /* the last closed day */
    struct date calculated[PERIOD_MONTH + 1]; /* the last day of the latest period of a kind; before `first`: none */
    const char *const *custom;                /* names of the CUSTOM periods that were calculated */
    size_t custom_count;
    const struct due_open *open; /* of merchants and carriers, by days, weeks and CUSTOM periods */
    size_t open_count;
};

/* An account in which something is left: reserves, contested money, too little to be paid. */
struct due_open {
    int16_t kind, party;
    int32_t party_no;
    const char *currency;
    struct date last_day; /* of its latest statement */
};

typedef bool due_handler(void *owner, const struct period *period, struct error *err);
/*
 * Days, then weeks, then months, then CUSTOM periods, each kind in the order of time. A month is due whatever the
 * contracts say. Of who is no longer settled by a kind its next period is due as long as something is left in that
 * account; after the last CUSTOM end that is the rest of the month.
 */
bool due_each(const struct scope *contracts, const struct due_facts *facts, due_handler *each, void *owner,
              struct error *err) MUST_USE;
/* "DAY     2026-11-23", a line each, or one line that nothing is due. */
bool due_show(struct db *db, const char *programme_id, FILE *out, struct error *err) MUST_USE;
/*
 * PERIOD_LEFT_OUT when an earlier period of the kind that a contract asks for, or of two calculated months one between,
 * is not calculated; of months before the first calculated one when they have redemptions. Of CUSTOM periods those of
 * the contracts that have this one. FIELD_INVALID for a CUSTOM period that is of no contract and not due.
 */
bool due_check(struct db *db, int32_t programme_no, const struct scope *scope, struct error *err) MUST_USE;

#endif
