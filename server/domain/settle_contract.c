#include "domain/settle_contract.h"

#include "base/limits.h"

#include <stdio.h>
#include <string.h>

struct settle_contract settle_contract_none(struct party party, const char *currency)
{
    struct settle_contract none = {
        .party = party,
        .period_kind = PERIOD_MONTH,
        .tax_rounding = TAX_HALF_EVEN,
        .tax_bearer = PARTY_MERCHANT,
        .eligibility = ELIGIBLE_AT_CONFIRM,
        .confirm_days = 15,
        .payment_days = 15,
        .dispute_days = 15,
    };

    snprintf(none.currency, sizeof none.currency, "%s", currency);
    return none;
}

const char *party_name(int kind)
{
    static const char *const names[] = { "?", "BANK", "MERCHANT", "CARRIER", "OPERATOR", "TAX" };

    return names[kind >= PARTY_BANK && kind <= PARTY_TAX ? kind : 0];
}

const char *posting_name(int kind)
{
    static const char *const names[] = { "?",       "COMMISSION_TIER", "TAX",        "TAX_ROUNDING", "PARTNER_FEE",
                                         "FREIGHT", "CAMPAIGN_SHARE",  "ADJUSTMENT", "LATE_FEE" };

    return names[kind > 0 && kind < POSTING_KIND_COUNT ? kind : 0];
}

static bool within(const char *field, int64_t value, int64_t least, int64_t most, struct error *err)
{
    return (value >= least && value <= most) ||
           error_field(err, REASON_FIELD_INVALID, field, "must be %lld to %lld", (long long)least, (long long)most);
}

/* Fields of which each must lie within its bounds; read by the offsets of their types. */
static bool check_bounds(const struct settle_contract *c, struct error *err)
{
    const struct {
        const char *field;
        int64_t value, least, most;
    } bounds[] = {
        { "period_kind", c->period_kind, PERIOD_DAY, PERIOD_CUSTOM },
        { "min_payout_minor", c->min_payout_minor, 0, AMOUNT_MINOR_MAX },
        { "hold_back_bp", c->hold_back_bp, 0, 10000 },
        { "hold_back_periods", c->hold_back_periods, 0, HOLD_BACK_PERIODS_MAX },
        { "fee_period_minor", c->fee_period_minor, 0, AMOUNT_MINOR_MAX },
        { "fee_redemption_minor", c->fee_redemption_minor, 0, RATIO_MAX },
        { "tax_bp", c->tax_bp, 0, 10000 },
        { "tax_rounding", c->tax_rounding, TAX_DOWN, TAX_HALF_EVEN },
        { "residue_limit_minor", c->residue_limit_minor, 0, AMOUNT_MINOR_MAX },
        { "eligibility", c->eligibility, ELIGIBLE_AT_CONFIRM, ELIGIBLE_AT_DELIVERY },
        { "confirm_days", c->confirm_days, 0, SETTLE_DAYS_MAX },
        { "payment_days", c->payment_days, 0, SETTLE_DAYS_MAX },
        { "late_fee_bp", c->late_fee_bp, 0, 10000 },
        { "dispute_days", c->dispute_days, 0, SETTLE_DAYS_MAX },
        { "freight_minor", c->freight_minor, 0, AMOUNT_MINOR_MAX },
    };

    for (size_t i = 0; i < COUNT(bounds); i++) {
        if (!within(bounds[i].field, bounds[i].value, bounds[i].least, bounds[i].most, err))
            return false;
    }
    return true;
}

/* Fields that only some parties have. */
static bool check_party(const struct settle_contract *c, struct error *err)
{
    const struct {
        const char *field;
        bool given;
        int party;
    } only[] = {
        { "tiers", c->tier_count > 0, PARTY_MERCHANT },
        { "hold_back_bp", c->hold_back_bp > 0, PARTY_MERCHANT },
        { "tax_bp", c->tax_bp > 0, PARTY_MERCHANT },
        { "eligibility", c->eligibility != ELIGIBLE_AT_CONFIRM, PARTY_MERCHANT },
        { "freight_minor", c->freight_minor > 0, PARTY_CARRIER },
    };

    if (!within("party", c->party.kind, PARTY_BANK, PARTY_TAX, err))
        return false;
    for (size_t i = 0; i < COUNT(only); i++) {
        if (only[i].given && c->party.kind != only[i].party)
            return error_field(err, REASON_FIELD_INVALID, only[i].field, "only a %s's contract has it; leave it out",
                               party_name(only[i].party));
    }
    return (c->tax_bearer == PARTY_MERCHANT || c->tax_bearer == PARTY_OPERATOR) ||
           error_field(err, REASON_FIELD_INVALID, "tax_bearer", "must be MERCHANT or OPERATOR");
}

static bool check_tiers(const struct settle_contract *c, struct error *err)
{
    if (c->tier_count > TIERS_MAX)
        return error_field(err, REASON_FIELD_INVALID, "tiers", "at most %d", TIERS_MAX);
    for (size_t i = 0; i < c->tier_count; i++) {
        if (!within("tiers.commission_bp", c->tiers[i].commission_bp, 0, 10000, err) ||
            !within("tiers.from_minor", c->tiers[i].from_minor, i ? c->tiers[i - 1].from_minor + 1 : 0,
                    AMOUNT_MINOR_MAX, err))
            return false;
    }
    return true;
}

static bool check_ends(const struct settle_contract *c, struct error *err)
{
    if ((c->custom_end_count > 0) != (c->period_kind == PERIOD_CUSTOM) || c->custom_end_count > CUSTOM_ENDS_MAX)
        return error_field(err, REASON_FIELD_INVALID, "custom_ends",
                           "1 to %d last days of periods with CUSTOM, none otherwise", CUSTOM_ENDS_MAX);
    for (size_t i = 1; i < c->custom_end_count; i++) {
        if (c->custom_ends[i].days <= c->custom_ends[i - 1].days)
            return error_field(err, REASON_FIELD_INVALID, "custom_ends", "must ascend");
    }
    return true;
}

/* What is kept back and never given back, or given back and never kept, is a slip of the pen. */
bool settle_contract_check(const struct settle_contract *contract, struct error *err)
{
    if (!check_bounds(contract, err) || !check_party(contract, err) || !check_tiers(contract, err) ||
        !check_ends(contract, err))
        return false;
    return (contract->hold_back_bp > 0) == (contract->hold_back_periods > 0) ||
           error_field(err, REASON_FIELD_INVALID, "hold_back_periods", "goes with hold_back_bp: both or neither");
}

bool settle_contract_follows(const struct settle_contract *contract, struct date before, int16_t kind_before,
                             struct date open, struct error *err)
{
    struct date from = contract->effective_from;
    bool to_or_from_months =
        contract->period_kind != kind_before && (contract->period_kind == PERIOD_MONTH || kind_before == PERIOD_MONTH);
    char text[DATE_TEXT];

    date_format(open, text);
    if (from.days <= before.days || from.days < open.days)
        return error_field(err, REASON_EFFECTIVE_TOO_EARLY, "contract.effective_from",
                           "must be later than the version before, and %s or later", text);
    return !to_or_from_months || date_month_start(from, 0).days == from.days ||
           error_field(err, REASON_FIELD_INVALID, "contract.effective_from",
                       "must be the first of a month when the kind of period changes from or to MONTH");
}
