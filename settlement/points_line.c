#include "points_line.h"

#include "base/exact.h"

static const uint8_t lines[ENTRY_KIND_COUNT] = {
    [ENTRY_MEMBER] = POINTS_WITHIN,
    [ENTRY_ACCRUE] = POINTS_ISSUED,
    [ENTRY_HOLD] = POINTS_WITHIN,
    [ENTRY_CONFIRM] = POINTS_REDEEMED,
    [ENTRY_CANCEL] = POINTS_WITHIN,
    [ENTRY_LAPSE] = POINTS_WITHIN,
    [ENTRY_RELEASE] = POINTS_WITHIN,
    [ENTRY_REVERSE] = POINTS_REVERSED,
    [ENTRY_EXPIRE] = POINTS_EXPIRED,
    [ENTRY_FORFEIT] = POINTS_FORFEITED,
    [ENTRY_PEND] = POINTS_ISSUED,
    [ENTRY_MATURE] = POINTS_WITHIN,
    [ENTRY_CLAWBACK] = POINTS_CLAWED_BACK,
    [ENTRY_CLAWBACK_PENDING] = POINTS_CLAWED_BACK,
    [ENTRY_ADJUST_ADD] = POINTS_ADJUSTED,
    [ENTRY_ADJUST_TAKE] = POINTS_ADJUSTED,
    [ENTRY_TRANSFER_OUT] = POINTS_TRANSFERRED_OUT,
    [ENTRY_TRANSFER_IN] = POINTS_TRANSFERRED_IN,
    [ENTRY_TRANSFER_BACK] = POINTS_TRANSFERRED_IN,
    [ENTRY_REINSTATE] = POINTS_REINSTATED,
    [ENTRY_CLOSE] = POINTS_CLOSED,
    [ENTRY_CLOSE_PENDING] = POINTS_CLOSED,
    [ENTRY_PENDING_OUT] = POINTS_TRANSFERRED_OUT,
    [ENTRY_PENDING_IN] = POINTS_TRANSFERRED_IN,
    [ENTRY_CREDIT_OUT] = POINTS_TRANSFERRED_OUT,
    [ENTRY_CREDIT_IN] = POINTS_TRANSFERRED_IN,
    [ENTRY_REOPEN] = POINTS_CLOSED,
    [ENTRY_REOPEN_PENDING] = POINTS_CLOSED,
};

static const char *const names[POINTS_LINES] = {
    [POINTS_NO_LINE] = "?",
    [POINTS_ISSUED] = "ISSUED",
    [POINTS_CLAWED_BACK] = "CLAWED_BACK",
    [POINTS_ADJUSTED] = "ADJUSTED",
    [POINTS_REDEEMED] = "REDEEMED",
    [POINTS_REVERSED] = "REVERSED",
    [POINTS_EXPIRED] = "EXPIRED",
    [POINTS_FORFEITED] = "FORFEITED",
    [POINTS_REINSTATED] = "REINSTATED",
    [POINTS_CLOSED] = "CLOSED",
    [POINTS_TRANSFERRED_OUT] = "TRANSFERRED_OUT",
    [POINTS_TRANSFERRED_IN] = "TRANSFERRED_IN",
    [POINTS_WITHIN] = "WITHIN",
};

enum points_line points_line_of(int kind)
{
    return kind >= 0 && kind < ENTRY_KIND_COUNT ? (enum points_line)lines[kind] : POINTS_NO_LINE;
}

const char *points_line_name(enum points_line line)
{
    return names[line < POINTS_LINES ? line : POINTS_NO_LINE];
}

/* NULL when that account is not a member's. */
static int64_t *part_of(struct points_parts *parts, enum ledger_account account)
{
    return account == LEDGER_SPENDABLE ? &parts->spendable
           : account == LEDGER_HELD    ? &parts->held
           : account == LEDGER_PENDING ? &parts->pending
                                       : NULL;
}

int points_effect(int kind)
{
    enum ledger_account from, to;
    struct points_parts none = { 0 };

    entry_accounts(kind, &from, &to);
    return (part_of(&none, to) != NULL) - (part_of(&none, from) != NULL);
}

static bool move(struct points_parts *parts, int kind, int64_t points)
{
    enum ledger_account from, to;

    entry_accounts(kind, &from, &to);
    int64_t *out = part_of(parts, from), *in = part_of(parts, to);
    return (!out || exact_sub(*out, points, out)) && (!in || exact_add(*in, points, in));
}

static bool add_effect(int64_t *sum, int kind, int64_t points)
{
    int effect = points_effect(kind);

    return effect == 0 || (effect > 0 ? exact_add(*sum, points, sum) : exact_sub(*sum, points, sum));
}

bool points_roll_add(struct points_roll *roll, const struct points_kind *kind)
{
    enum points_line line = points_line_of(kind->kind);
    int64_t points;

    if (line == POINTS_NO_LINE || !exact_sub(kind->points_after, kind->points_before, &points))
        return false;
    roll->entries[line] += kind->count_after - kind->count_before;
    return add_effect(&roll->lines[line], kind->kind, points) &&
           add_effect(&roll->opening, kind->kind, kind->points_before) &&
           add_effect(&roll->closing, kind->kind, kind->points_after) &&
           move(&roll->at_end, kind->kind, kind->points_after);
}
