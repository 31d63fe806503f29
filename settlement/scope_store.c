#include "scope_store.h"

#include "store/contract_store.h"

#include <stdio.h>
#include <string.h>

/* Borrows the row's arrays. */
static struct settle_contract contract_of(const struct contract_row *row)
{
    struct settle_contract contract = {
        .party = { row->party, row->party_no },
        .version = row->version,
        .effective_from = row->effective_from,
        .until = date_of(9999, 12, 31),
        .period_kind = row->period_kind,
        .custom_ends = row->custom_ends.at,
        .custom_end_count = row->custom_ends.count,
        .min_payout_minor = row->min_payout_minor,
        .hold_back_bp = row->hold_back_bp,
        .hold_back_periods = row->hold_back_periods,
        .fee_period_minor = row->fee_period_minor,
        .fee_redemption_minor = row->fee_redemption_minor,
        .tax_bp = row->tax_bp,
        .tax_rounding = row->tax_rounding,
        .tax_bearer = row->tax_bearer,
        .residue_limit_minor = row->residue_limit_minor,
        .eligibility = row->eligibility,
        .confirm_days = row->confirm_days,
        .payment_days = row->payment_days,
        .late_fee_bp = row->late_fee_bp,
        .dispute_days = row->dispute_days,
        .freight_minor = row->freight_minor,
    };

    snprintf(contract.currency, sizeof contract.currency, "%s", row->currency);
    for (size_t i = 0; i < row->tier_from.count && i < TIERS_MAX; i++)
        contract.tiers[contract.tier_count++] = (struct volume_tier){ row->tier_from.at[i], row->tier_bp.at[i] };
    return contract;
}

static bool same_account(const struct settle_contract *a, const struct settle_contract *b)
{
    return a->party.kind == b->party.kind && a->party.no == b->party.no && strcmp(a->currency, b->currency) == 0;
}

bool scope_load(struct scope *scope, struct db *db, int32_t programme_no, const struct period *period,
                struct error *err)
{
    struct contract_until_params params = { programme_no, period->last };
    size_t count;
    void *rows;

    if (!db_fetch(db, &contract_until, &params, &scope->arena, &rows, &count, err))
        return false;
    scope->contracts = arena_alloc(&scope->arena, (count + 1) * sizeof *scope->contracts);
    if (!scope->contracts)
        return error_set(err, REASON_INTERNAL, "out of memory");
    for (size_t i = 0; i < count; i++) {
        scope->contracts[i] = contract_of((const struct contract_row *)rows + i);
        if (i > 0 && same_account(&scope->contracts[i - 1], &scope->contracts[i]))
            scope->contracts[i - 1].until.days = scope->contracts[i].effective_from.days - 1;
    }
    scope->contract_count = count;
    return scope_make(scope, period, err);
}

static const struct column span_columns[] = {
    COLUMN(struct scope_span, party),     COLUMN(struct scope_span, party_no), COLUMN(struct scope_span, currency),
    COLUMN(struct scope_span, first_day), COLUMN(struct scope_span, last_day), COLUMN(struct scope_span, here),
};
const struct record_type scope_span_type = { "period_span", span_columns, COUNT(span_columns),
                                             sizeof(struct scope_span) };

struct scope_params scope_params(const struct scope *scope)
{
    return (struct scope_params){ { scope->spans, scope->span_count }, scope->period->kind != PERIOD_MONTH };
}
