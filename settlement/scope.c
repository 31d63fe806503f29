#include "scope.h"

#include <string.h>

void scope_release(struct scope *scope)
{
    arena_release(&scope->arena);
    *scope = (struct scope){ 0 };
}

static bool is_of(const struct settle_contract *contract, struct party party, const char *currency)
{
    return contract->party.kind == party.kind && contract->party.no == party.no &&
           strcmp(contract->currency, currency) == 0;
}

static struct date earlier(struct date a, struct date b)
{
    return a.days < b.days ? a : b;
}

/* The days on which a version settles by the kind of its own; a CUSTOM one settles by months after its last end. */
static struct date last_of_kind(const struct settle_contract *contract)
{
    return contract->period_kind == PERIOD_CUSTOM && contract->custom_end_count > 0
               ? earlier(contract->until, contract->custom_ends[contract->custom_end_count - 1])
               : contract->until;
}

static bool meet(struct date first, struct date last, const struct period *period)
{
    return first.days <= last.days && first.days <= period->last.days && last.days >= period->first.days;
}

/* Has the version this very period, be it cut by the next version? */
static bool has_period(const struct settle_contract *contract, const struct period *period)
{
    struct period own = settle_contract_period(contract, period->last);

    return strcmp(own.text, period->text) == 0 && meet(contract->effective_from, contract->until, period);
}

bool scope_make(struct scope *scope, const struct period *period, struct error *err)
{
    scope->period = period;
    scope->spans = arena_alloc(&scope->arena, (scope->contract_count + 1) * sizeof *scope->spans);
    if (!scope->spans)
        return error_set(err, REASON_INTERNAL, "out of memory");
    for (size_t i = 0; i < scope->contract_count; i++) {
        const struct settle_contract *c = &scope->contracts[i];
        struct scope_span span = { c->party.kind,     c->party.no,     c->currency,
                                   c->effective_from, last_of_kind(c), c->period_kind != PERIOD_CUSTOM };
        bool wanted = period->kind == PERIOD_MONTH ? c->period_kind != PERIOD_MONTH : c->period_kind == period->kind;
        if (!wanted || span.first_day.days > span.last_day.days)
            continue;
        span.here = span.here || period->kind == PERIOD_MONTH || has_period(c, period);
        scope->spans[scope->span_count++] = span;
    }
    return true;
}

bool scope_has(const struct scope *scope, struct party party, const char *currency, struct date date)
{
    bool in = false;

    for (size_t i = 0; i < scope->span_count && !in; i++) {
        const struct scope_span *span = &scope->spans[i];
        in = span->here && span->party == party.kind && span->party_no == party.no &&
             strcmp(span->currency, currency) == 0 && span->first_day.days <= date.days &&
             span->last_day.days >= date.days;
    }
    return in == (scope->period->kind != PERIOD_MONTH);
}

bool scope_goes_on(const struct scope *scope, struct party party, const char *currency)
{
    int kind = PERIOD_MONTH;

    for (size_t i = 0; i < scope->contract_count; i++) {
        const struct settle_contract *contract = &scope->contracts[i];
        if (is_of(contract, party, currency) && contract->effective_from.days <= scope->period->last.days)
            kind = settle_contract_period(contract, scope->period->last).kind;
    }
    return kind == scope->period->kind;
}

bool scope_is_asked_for(const struct scope *scope)
{
    for (size_t i = 0; i < scope->contract_count; i++) {
        if (has_period(&scope->contracts[i], scope->period))
            return true;
    }
    return false;
}

bool scope_skips(const struct scope *scope, struct party party, const char *currency)
{
    bool elsewhere = false;

    if (scope->period->kind != PERIOD_CUSTOM || (party.kind != PARTY_MERCHANT && party.kind != PARTY_CARRIER))
        return false;
    for (size_t i = 0; i < scope->contract_count; i++) {
        const struct settle_contract *contract = &scope->contracts[i];
        if (!is_of(contract, party, currency) || contract->period_kind != PERIOD_CUSTOM)
            continue;
        if (has_period(contract, scope->period))
            return false;
        elsewhere |= last_of_kind(contract).days >= scope->period->last.days;
    }
    return elsewhere;
}

struct settle_contract scope_contract(const struct scope *scope, struct party party, const char *currency)
{
    const struct settle_contract *own = NULL, *other = NULL;

    for (size_t i = 0; i < scope->contract_count; i++) {
        const struct settle_contract *contract = &scope->contracts[i];
        if (!is_of(contract, party, currency))
            continue;
        other = contract;
        if (meet(contract->effective_from, contract->until, scope->period) && has_period(contract, scope->period))
            own = contract;
    }
    struct settle_contract found = own ? *own : other ? *other : settle_contract_none(party, currency);
    if (!own)
        found.fee_period_minor = found.min_payout_minor = found.hold_back_bp = found.hold_back_periods = 0;
    return found;
}
