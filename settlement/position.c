#include "position.h"

#include "base/exact.h"

static int64_t to_be_asked(const struct settle_contract *contract, bool goes_on, int64_t whole_minor,
                           int64_t free_minor)
{
    if (contract->party.kind == PARTY_BANK || contract->party.kind == PARTY_OPERATOR)
        return free_minor;
    if (goes_on || contract->party.kind == PARTY_TAX || whole_minor >= 0)
        return 0;
    return whole_minor > free_minor ? whole_minor : free_minor;
}

static int64_t to_be_paid(const struct settle_contract *contract, bool goes_on, int64_t whole_minor, int64_t free_minor)
{
    if (free_minor < 0)
        return to_be_asked(contract, goes_on, whole_minor, free_minor);
    return free_minor >= contract->min_payout_minor ? free_minor : 0;
}

bool position_settle(const struct settle_contract *contract, bool goes_on, struct position *p, struct error *err)
{
    int64_t whole, kept;

    if (!exact_add(p->opening_minor, p->movement_minor, &whole) ||
        !exact_add(p->held_back_minor, p->disputed_minor, &kept) || !exact_sub(whole, kept, &p->carried_minor))
        return error_set(err, REASON_DOES_NOT_TIE, "the position of %s %d in %s does not fit",
                         party_name(contract->party.kind), (int)contract->party.no, contract->currency);
    p->payable_minor = to_be_paid(contract, goes_on, whole, p->carried_minor);
    p->carried_minor -= p->payable_minor;
    p->closing_minor = whole - p->payable_minor;
    return true;
}

int64_t position_hold_back(const struct settle_contract *contract, int64_t movement_minor)
{
    int64_t kept;

    if (movement_minor <= 0 || !exact_ratio_floor(movement_minor, contract->hold_back_bp, 10000, &kept))
        return 0;
    return kept;
}
