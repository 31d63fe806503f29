/*
 * scope_store.h -- SQL of a scope: the contracts it is made of, and what keeps a query to it.
 */
#ifndef SETTLEMENT_SCOPE_STORE_H
#define SETTLEMENT_SCOPE_STORE_H

#include "scope.h"
#include "store/db.h"

/* Loads and makes an empty one; `period` is kept. */
bool scope_load(struct scope *scope, struct db *db, int32_t programme_no, const struct period *period,
                struct error *err) MUST_USE;

/* As parameters of a query: the spans, and whether their days are taken or left out. */
struct scope_params {
    struct record_array spans;
    bool taken;
};
struct scope_params scope_params(const struct scope *scope);
extern const struct record_type scope_span_type;

/* The two together keep the rows that the close takes; they are SQL text, and so are the parameters. */
#define SCOPE_JOIN(spans, party, party_no, currency, date)                                                             \
    "LEFT JOIN unnest(" spans "::period_span[]) x ON x.here AND x.party = " party " AND x.party_no = " party_no        \
    " AND x.currency = " currency " AND " date " BETWEEN x.first_day AND x.last_day "
#define SCOPE_TAKES(taken) "(x.party IS NOT NULL) = " taken " "

#endif
