#include "domain/redemption.h"

#include "domain/member.h"

#include <string.h>

/* A row an edge: what is not here is refused. */
static const struct {
    enum redemption_state from;
    enum redemption_event event;
    enum redemption_state to;
} edges[] = {
    { REDEMPTION_HELD, REDEMPTION_CONFIRM, REDEMPTION_CONFIRMED },
    { REDEMPTION_HELD, REDEMPTION_CANCEL, REDEMPTION_CANCELLED },
    { REDEMPTION_HELD, REDEMPTION_LAPSE, REDEMPTION_LAPSED },
    { REDEMPTION_CONFIRMED, REDEMPTION_REVERSE_PART, REDEMPTION_CONFIRMED },
    { REDEMPTION_CONFIRMED, REDEMPTION_REVERSE_ALL, REDEMPTION_REVERSED },
};

enum redemption_state redemption_next(enum redemption_state state, enum redemption_event event)
{
    for (size_t i = 0; i < COUNT(edges); i++) {
        if (edges[i].from == state && edges[i].event == event)
            return edges[i].to;
    }
    return REDEMPTION_NONE;
}

static struct entry *write_entry(struct entries *entries, const struct redemption *redemption, struct account *account,
                                 const struct moment *moment, enum entry_kind kind, int64_t points)
{
    struct entry *entry = member_entry(entries, account, moment, kind, points);

    entry->redemption_id = redemption->id;
    entry->ref = redemption->id;
    entry->merchant_no = redemption->merchant_no;
    entry->store_no = redemption->store_no;
    entry->rules_version = redemption->rules_version;
    entry->terms_version = redemption->terms_version;
    return entry;
}

static struct give_back_terms give_back_terms(const struct moment *moment)
{
    return (struct give_back_terms){
        .today = moment->business_date,
        .grace_days = moment->rules ? moment->rules->reinstate_grace_days : 0,
        /* Rules are never withdrawn, so there are some; were there none, a year is not to the member's harm. */
        .new_expiry = moment->rules ? rules_expiry(moment->rules, moment->business_date)
                                    : date_month_start(moment->business_date, 13),
    };
}

/* available_after of the entry still holds what a FORFEIT entry right behind it takes away again. */
static void write_give_back(struct entries *entries, const struct redemption *redemption, struct account *account,
                            const struct moment *moment, enum entry_kind kind, struct give_back given,
                            const struct uuid *ref)
{
    struct entry *entry = write_entry(entries, redemption, account, moment, kind, given.returned);

    entry->ref = *ref;
    if (given.forfeited == 0)
        return;
    entry->available_after += given.forfeited;
    write_entry(entries, redemption, account, moment, ENTRY_FORFEIT, given.forfeited)->ref = *ref;
}

static enum reason may_redeem(const struct account *account)
{
    if (account->status == MEMBER_CLOSED)
        return REASON_MEMBER_CLOSED;
    return account->status == MEMBER_FROZEN ? REASON_MEMBER_FROZEN : REASON_OK;
}

static enum reason terms_allow(const struct moment *moment, const struct currency_rate **rate)
{
    if (!moment->rules)
        return REASON_NO_RULES_IN_FORCE;
    if (!moment->terms)
        return REASON_NO_TERMS_IN_FORCE;
    *rate = rules_rate(moment->rules, moment->terms->currency);
    return *rate ? REASON_OK : REASON_CURRENCY_NOT_EXCHANGED;
}

static enum reason quote_stands(const struct currency_rate *rate, int64_t price_minor, int64_t points)
{
    int64_t cost;
    enum reason reason = rules_price_in_points(rate, price_minor, &cost);

    return reason == REASON_OK && cost != points ? REASON_QUOTE_CHANGED : reason;
}

static enum reason may_hold(const struct account *account, const struct moment *moment, const struct price *price,
                            int64_t points)
{
    const struct currency_rate *rate, *price_rate = NULL;
    struct settlement_amounts amounts;
    enum reason reason = terms_allow(moment, &rate);

    if (reason == REASON_OK && price && !(price_rate = rules_rate(moment->rules, price->currency)))
        reason = REASON_CURRENCY_NOT_EXCHANGED;
    if (reason == REASON_OK)
        reason = may_redeem(account);
    if (reason == REASON_OK && price)
        reason = quote_stands(price_rate, price->minor, points);
    if (reason != REASON_OK)
        return reason;
    if (points < moment->rules->minimum_points)
        return REASON_BELOW_MINIMUM;
    if (account->hold_count == OPEN_HOLDS_MAX)
        return REASON_TOO_MANY_OPEN_HOLDS;
    if (points > account_spendable(account))
        return REASON_INSUFFICIENT_POINTS;
    return rules_settle(rate, moment->terms, points, &amounts);
}

/* Nothing has moved yet, whatever the memory held before. */
static void clear_outcome(struct redemption *redemption)
{
    redemption->state = REDEMPTION_NONE;
    redemption->confirmed_points = redemption->reversed_points = 0;
    redemption->confirmed = redemption->reversed = (struct settlement_amounts){ 0 };
    memset(redemption->currency, 0, CURRENCY_TEXT);
    redemption->terms_version = 0;
    redemption->draws.credit = 0;
    redemption->draws.lots.count = 0;
}

enum reason redemption_hold(struct redemption *redemption, struct account *account, const struct moment *moment,
                            const struct price *price, int64_t lapse_after_us, struct entries *entries)
{
    enum reason reason = may_hold(account, moment, price, redemption->points);

    clear_outcome(redemption);
    redemption->reason = reason;
    redemption->held_at = moment->now;
    redemption->lapse_at = (struct instant){ moment->now.us + lapse_after_us };
    redemption->business_date = moment->business_date;
    redemption->rules_version = moment->rules ? moment->rules->version : 0;
    if (reason == REASON_OK && !account_open_hold(account, &redemption->id, redemption->lapse_at))
        reason = redemption->reason = REASON_TOO_MANY_OPEN_HOLDS;
    if (reason == REASON_OK) {
        redemption->state = REDEMPTION_HELD;
        account_hold(account, redemption->points, &redemption->draws);
        write_entry(entries, redemption, account, moment, ENTRY_HOLD, redemption->points);
    }
    redemption->spendable_after = account_spendable(account);
    return reason;
}

bool redemption_overdue(const struct redemption *redemption, struct instant now)
{
    return redemption->state == REDEMPTION_HELD && redemption->lapse_at.us <= now.us;
}

/* Why an ended redemption can be neither confirmed nor cancelled. */
static enum reason still_held(const struct redemption *redemption, enum redemption_event event)
{
    if (redemption_next((enum redemption_state)redemption->state, event) != REDEMPTION_NONE)
        return REASON_OK;
    return redemption->state == REDEMPTION_LAPSED ? REASON_HOLD_LAPSED : REASON_REDEMPTION_ENDED;
}

static void release_all(struct redemption *redemption, struct account *account, const struct moment *moment,
                        const struct give_back_terms *terms, enum redemption_event event, enum entry_kind kind,
                        const struct uuid *ref, struct entries *entries)
{
    struct give_back given = account_release(account, &redemption->draws, redemption->points, terms);

    redemption->state = (int16_t)redemption_next((enum redemption_state)redemption->state, event);
    account_close_hold(account, &redemption->id);
    write_give_back(entries, redemption, account, moment, kind, given, ref);
}

/*
 * What goes back is judged by the day the hold lapsed, not by the day somebody looked: whole days after the hold's own
 * date, so that the outcome is the same whenever the sweeper comes.
 */
void redemption_lapse(struct redemption *redemption, struct account *account, const struct moment *moment,
                      struct entries *entries)
{
    int64_t days = (redemption->lapse_at.us - redemption->held_at.us) / (INT64_C(86400) * US_PER_SECOND);
    struct moment then = *moment;

    if (redemption->business_date.days + days < moment->business_date.days)
        then.business_date.days = redemption->business_date.days + (int32_t)days;
    struct give_back_terms terms = give_back_terms(&then);
    release_all(redemption, account, moment, &terms, REDEMPTION_LAPSE, ENTRY_LAPSE, &redemption->id, entries);
}

enum reason redemption_cancel(struct redemption *redemption, struct account *account, const struct moment *moment,
                              const struct uuid *ref, struct entries *entries)
{
    enum reason reason = still_held(redemption, REDEMPTION_CANCEL);
    struct give_back_terms terms = give_back_terms(moment);

    if (reason == REASON_OK)
        release_all(redemption, account, moment, &terms, REDEMPTION_CANCEL, ENTRY_CANCEL, ref, entries);
    return reason;
}

static void freeze_terms(struct redemption *redemption, const struct moment *moment,
                         const struct settlement_amounts *amounts, int64_t points)
{
    redemption->state = REDEMPTION_CONFIRMED;
    redemption->confirmed_points = points;
    redemption->confirmed = *amounts;
    redemption->rules_version = moment->rules->version;
    redemption->terms_version = moment->terms->version;
    memcpy(redemption->currency, moment->terms->currency, CURRENCY_TEXT);
}

static void write_confirm(struct redemption *redemption, struct account *account, const struct moment *moment,
                          const struct uuid *ref, struct entries *entries)
{
    account_spend(account, redemption->confirmed_points);
    struct entry *entry =
        write_entry(entries, redemption, account, moment, ENTRY_CONFIRM, redemption->confirmed_points);
    entry->ref = *ref;
    memcpy(entry->currency, redemption->currency, CURRENCY_TEXT);
    entry->gross_minor = redemption->confirmed.gross_minor;
    entry->commission_minor = redemption->confirmed.commission_minor;
}

enum reason redemption_confirm(struct redemption *redemption, struct account *account, const struct moment *moment,
                               const struct uuid *ref, int64_t points, int64_t *moved, struct entries *entries)
{
    const struct currency_rate *rate;
    struct settlement_amounts amounts;
    int64_t confirmed = points ? points : redemption->points;
    enum reason reason = still_held(redemption, REDEMPTION_CONFIRM);

    if (reason == REASON_OK)
        reason = terms_allow(moment, &rate);
    if (reason == REASON_OK)
        reason = may_redeem(account);
    if (reason == REASON_OK && confirmed > redemption->points)
        reason = REASON_BEYOND_HOLD;
    if (reason == REASON_OK && redemption->whole && confirmed != redemption->points)
        reason = REASON_GOODS_NOT_DIVISIBLE;
    if (reason == REASON_OK)
        reason = rules_settle(rate, moment->terms, confirmed, &amounts);
    if (reason != REASON_OK)
        return reason;
    freeze_terms(redemption, moment, &amounts, confirmed);
    account_close_hold(account, &redemption->id);
    if (confirmed < redemption->points) {
        struct give_back_terms terms = give_back_terms(moment);
        struct give_back given = account_release(account, &redemption->draws, redemption->points - confirmed, &terms);
        write_give_back(entries, redemption, account, moment, ENTRY_RELEASE, given, ref);
    }
    write_confirm(redemption, account, moment, ref, entries);
    *moved = confirmed;
    return REASON_OK;
}

static struct settlement_amounts take_reversed_part(struct redemption *redemption, int64_t points)
{
    struct settlement_amounts before = redemption->reversed;

    redemption->reversed_points += points;
    redemption->reversed =
        rules_reversed_part(redemption->confirmed, redemption->confirmed_points, redemption->reversed_points);
    return (struct settlement_amounts){
        .gross_minor = redemption->reversed.gross_minor - before.gross_minor,
        .commission_minor = redemption->reversed.commission_minor - before.commission_minor,
    };
}

enum reason redemption_reverse(struct redemption *redemption, struct account *account, const struct moment *moment,
                               const struct uuid *ref, int64_t points, int64_t *moved,
                               struct settlement_amounts *amounts, struct entries *entries)
{
    int64_t left = redemption->confirmed_points - redemption->reversed_points;
    int64_t reversed = points ? points : left;

    if (redemption->state == REDEMPTION_REVERSED)
        return REASON_REDEMPTION_ENDED;
    if (redemption->state != REDEMPTION_CONFIRMED)
        return REASON_REDEMPTION_NOT_CONFIRMED;
    if (reversed > left)
        return REASON_BEYOND_CONFIRMED;
    enum redemption_event event = reversed == left ? REDEMPTION_REVERSE_ALL : REDEMPTION_REVERSE_PART;
    redemption->state = (int16_t)redemption_next(REDEMPTION_CONFIRMED, event);
    *amounts = take_reversed_part(redemption, reversed);
    struct give_back_terms terms = give_back_terms(moment);
    struct give_back given = account_restore(account, &redemption->draws, reversed, &terms);
    size_t first = entries->count;
    write_give_back(entries, redemption, account, moment, ENTRY_REVERSE, given, ref);
    struct entry *entry = &entries->at[first];
    memcpy(entry->currency, redemption->currency, CURRENCY_TEXT);
    entry->gross_minor = -amounts->gross_minor;
    entry->commission_minor = -amounts->commission_minor;
    *moved = reversed;
    return REASON_OK;
}
