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
        .confirm_days = SETTLE_DAYS_USUAL,
        .payment_days = SETTLE_DAYS_USUAL,
        .dispute_days = SETTLE_DAYS_USUAL,
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

static bool is_month_end(struct date date)
{
    return period_begins(PERIOD_MONTH, (struct date){ date.days + 1 });
}

static bool check_end_days(const struct settle_contract *c, struct error *err)
{
    struct date before = { c->effective_from.days - 1 };

    for (size_t i = 0; i < c->custom_end_count; before = c->custom_ends[i], i++) {
        if (i && c->custom_ends[i].days <= before.days)
            return error_field(err, REASON_FIELD_INVALID, "custom_ends", "must ascend");
        if (c->custom_ends[i].days - before.days > PERIOD_DAYS_MAX)
            return error_field(err, REASON_FIELD_INVALID, "custom_ends", "a period can have at most %d days",
                               PERIOD_DAYS_MAX);
    }
    return true;
}

/* What comes after the last end are months, and no month is cut. */
static bool check_ends(const struct settle_contract *c, struct error *err)
{
    if ((c->custom_end_count > 0) != (c->period_kind == PERIOD_CUSTOM) || c->custom_end_count > CUSTOM_ENDS_MAX)
        return error_field(err, REASON_FIELD_INVALID, "custom_ends",
                           "1 to %d last days of periods with CUSTOM, none otherwise", CUSTOM_ENDS_MAX);
    if (c->custom_end_count == 0 || !check_end_days(c, err))
        return c->custom_end_count == 0;
    struct date last = c->custom_ends[c->custom_end_count - 1];
    return (last.days >= c->effective_from.days && is_month_end(last)) ||
           error_field(err, REASON_FIELD_INVALID, "custom_ends",
                       "the last must be a month's last day, and not before effective_from: months follow it");
}

/* The operator's and the tax office's lines are of no contract's periods. */
static bool check_kind(const struct settle_contract *c, struct error *err)
{
    return c->period_kind == PERIOD_MONTH || c->party.kind <= PARTY_CARRIER ||
           error_field(err, REASON_FIELD_INVALID, "period_kind", "must be MONTH for %s", party_name(c->party.kind));
}

/* What is kept back and never given back, or given back and never kept, is a slip of the pen. */
bool settle_contract_check(const struct settle_contract *contract, struct error *err)
{
    if (!check_bounds(contract, err) || !check_party(contract, err) || !check_tiers(contract, err) ||
        !check_ends(contract, err) || !check_kind(contract, err))
        return false;
    return (contract->hold_back_bp > 0) == (contract->hold_back_periods > 0) ||
           error_field(err, REASON_FIELD_INVALID, "hold_back_periods", "goes with hold_back_bp: both or neither");
}

/* Does a period of the contract begin on that date? */
static bool begins(const struct settle_contract *contract, struct date date)
{
    return settle_contract_period(contract, date).first.days == date.days;
}

/* After the last end of a CUSTOM version there are months. */
static int kind_on(const struct settle_contract *contract, struct date date)
{
    return settle_contract_period(contract, date).kind;
}

static bool same_periods(const struct settle_contract *a, const struct settle_contract *b)
{
    return a->period_kind == b->period_kind && a->period_kind != PERIOD_CUSTOM;
}

bool settle_contract_follows(const struct settle_contract *contract, const struct settle_contract *before,
                             struct date open, struct error *err)
{
    struct date from = contract->effective_from;
    bool months_end = kind_on(before, (struct date){ from.days - 1 }) == PERIOD_MONTH;
    bool to_or_from_months = (contract->period_kind == PERIOD_MONTH) != months_end;
    char text[DATE_TEXT];

    date_format(open, text);
    if ((before->version > 0 && from.days <= before->effective_from.days) || from.days < open.days)
        return error_field(err, REASON_EFFECTIVE_TOO_EARLY, "contract.effective_from",
                           "must be later than the version before, and %s or later", text);
    if (to_or_from_months && !period_begins(PERIOD_MONTH, from))
        return error_field(err, REASON_FIELD_INVALID, "contract.effective_from",
                           "must be the first of a month when the kind of period changes from or to MONTH");
    return contract->party.kind != PARTY_BANK || same_periods(contract, before) ||
           (begins(before, from) && begins(contract, from)) ||
           error_field(err, REASON_FIELD_INVALID, "contract.effective_from",
                       "must begin a %s of the version before and a %s of this one: a bank's periods are not cut",
                       period_kind_name(before->period_kind), period_kind_name(contract->period_kind));
}

struct period settle_contract_period(const struct settle_contract *contract, struct date date)
{
    struct date first = contract->effective_from;

    if (contract->period_kind != PERIOD_CUSTOM)
        return period_of(contract->period_kind, date);
    for (size_t i = 0; i < contract->custom_end_count; i++) {
        struct date end = contract->custom_ends[i];
        if (date.days <= end.days)
            return period_custom(first.days <= end.days ? first : end, end);
        first.days = end.days + 1;
    }
    return period_of(PERIOD_MONTH, date);
}

struct date settle_contract_later(const struct settle_contract *contract, struct date last, int n)
{
    struct period period = { .last = last };

    for (int i = 0; i < n; i++)
        period = settle_contract_period(contract, (struct date){ period.last.days + 1 });
    return period.first;
}
