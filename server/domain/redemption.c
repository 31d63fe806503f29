#include "domain/redemption.h"

#include "base/exact.h"
#include "domain/member.h"
#include "domain/rule_set.h"

#include <string.h>

/* A row an edge: what is not here is refused. */
static const struct {
    enum redemption_state from;
    enum redemption_event event;
    enum redemption_state to;
} edges[] = {
    { REDEMPTION_HELD, REDEMPTION_CONFIRM, REDEMPTION_CONFIRMED },
    { REDEMPTION_HELD, REDEMPTION_EXTEND, REDEMPTION_HELD },
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
                            const struct moment *moment, enum entry_kind kind, struct give_back back,
                            const struct lots *given, const struct uuid *ref)
{
    struct entry *entry = write_entry(entries, redemption, account, moment, kind, back.returned);

    entry->ref = *ref;
    entry_add_lots(entries, entry, given->at, given->count);
    if (back.forfeited == 0)
        return;
    entry->available_after += back.forfeited;
    write_entry(entries, redemption, account, moment, ENTRY_FORFEIT, back.forfeited)->ref = *ref;
}

static enum reason may_redeem(const struct account *account)
{
    if (account->status == MEMBER_CLOSED)
        return REASON_MEMBER_CLOSED;
    if (account->status == MEMBER_DECEASED)
        return REASON_MEMBER_DECEASED;
    return account->status == MEMBER_FROZEN ? REASON_MEMBER_FROZEN : REASON_OK;
}

static const char *known(const char *text)
{
    return text ? text : "";
}

static struct rule_case where_of(int32_t tier, const struct moment *moment, const char *currency)
{
    return (struct rule_case){
        .currency = currency,
        .merchant_id = known(moment->place.merchant_id),
        .channel = "",
        .category = moment->terms && moment->terms->category ? moment->terms->category : CATEGORY_UNKNOWN,
        .goods_kind = moment->place.goods_kind,
        .tier = tier,
        .date = moment->business_date,
    };
}

/* By the rule set, where the bank has one; false when there are none. There are rules. */
static bool rates_of(const struct account *account, const struct moment *moment, const char *currency,
                     struct currency_rate *rates)
{
    if (moment->rules->set) {
        struct rule_case where = where_of(account->tier, moment, currency);
        return rule_set_rates(moment->rules->set, &where, rates);
    }
    const struct currency_rate *general = rules_rate(moment->rules, currency);
    if (general)
        *rates = *general;
    return general != NULL;
}

static void owe_more(const struct moment *moment, const struct currency_rate *rate, int64_t points, int64_t *most)
{
    struct settlement_amounts amounts;

    if (rules_settle(rate, moment->terms, points, &amounts) == REASON_OK && amounts.gross_minor > *most)
        *most = amounts.gross_minor;
}

int64_t redemption_most_owed(const struct moment *moment, int64_t points)
{
    const struct currency_rate *general =
        moment->rules && moment->terms ? rules_rate(moment->rules, moment->terms->currency) : NULL;
    const struct rule_set *set = general ? moment->rules->set : NULL;
    int64_t most = 0;

    if (general)
        owe_more(moment, general, points, &most);
    for (int32_t i = 0; set && i < set->rate_rule_count; i++) {
        const struct rate_rule *rule = &set->rate_rules[i];
        struct rule_case where = where_of(rule->match.first_tier, moment, moment->terms->currency);
        struct currency_rate rate = { .settlement = rule->settlement };
        if (rule->settlement.den && rule_match_holds(&rule->match, moment->rules, &where))
            owe_more(moment, &rate, points, &most);
    }
    return most;
}

static enum reason terms_allow(const struct account *account, const struct moment *moment, struct currency_rate *rate)
{
    if (!moment->rules)
        return REASON_NO_RULES_IN_FORCE;
    if (!moment->terms)
        return REASON_NO_TERMS_IN_FORCE;
    return rates_of(account, moment, moment->terms->currency, rate) ? REASON_OK : REASON_CURRENCY_NOT_EXCHANGED;
}

enum reason redemption_cost(const struct account *account, const struct moment *moment, const struct price *price,
                            int64_t *points)
{
    const struct rule_set *set = moment->rules->set;
    struct rule_case where = where_of(account->tier, moment, price->currency);

    return set ? rule_set_full_points(set, &where, price->minor, points)
               : rules_price_in_points(rules_rate(moment->rules, price->currency), price->minor, points);
}

static enum reason quote_stands(const struct account *account, const struct moment *moment, const struct price *price,
                                int64_t points, int64_t *cost)
{
    enum reason reason = redemption_cost(account, moment, price, cost);

    if (reason != REASON_OK)
        return reason;
    if (price->cash_minor == 0)
        return *cost == points ? REASON_OK : REASON_QUOTE_CHANGED;
    if (strcmp(price->currency, moment->terms->currency) != 0)
        return REASON_CURRENCY_DIFFERS;
    if (!moment->rules->set || price->cash_minor >= price->minor) /* points too few to pay anything */
        return REASON_CASH_BOUNDS;
    return rule_set_cash(price->minor, *cost, points) == price->cash_minor ? REASON_OK : REASON_QUOTE_CHANGED;
}

/* How much of a price may be paid with points, and how little. */
static enum reason share_allows(const struct moment *moment, int64_t cost, int64_t points)
{
    const struct rule_set *set = moment->rules->set;
    int64_t least, most;

    if (!set)
        return REASON_OK;
    if (!rule_set_bounds(set, cost, &least, &most))
        return REASON_AMOUNT_TOO_LARGE;
    return points >= least && points <= most ? REASON_OK : REASON_CASH_BOUNDS;
}

/* Whom the good is for, and how many points at a time. */
static enum reason rules_allow(const struct account *account, const struct moment *moment, int64_t points)
{
    if (moment->rules->set)
        return rule_set_may_redeem(moment->rules->set, account->tier, known(moment->place.goods_id), points);
    return points < moment->rules->minimum_points ? REASON_BELOW_MINIMUM : REASON_OK;
}

/* Exposure */

static struct exposure *exposure_of(const struct moment *moment, int32_t bank_no, const char *currency)
{
    for (size_t i = 0; moment->exposures && i < moment->exposures->count; i++) {
        struct exposure *exposure = &moment->exposures->at[i];
        if (exposure->bank_no == bank_no && strcmp(exposure->currency, currency) == 0)
            return exposure;
    }
    return NULL;
}

static bool has_room(const struct exposure *exposure, int64_t minor)
{
    return !exposure || exposure->allotted - exposure->used >= minor;
}

static void use_exposure(struct redemption *redemption, const struct moment *moment, const char *currency,
                         int64_t minor)
{
    struct exposure *exposure = exposure_of(moment, redemption->bank_no, currency);

    if (!exposure)
        return;
    exposure->used += minor;
    exposure->dirty = true;
    memcpy(redemption->exposure_currency, exposure->currency, CURRENCY_TEXT);
    redemption->exposure_minor += minor;
}

static void free_exposure(struct redemption *redemption, const struct moment *moment, int64_t minor)
{
    struct exposure *exposure = exposure_of(moment, redemption->bank_no, redemption->exposure_currency);

    if (!exposure || redemption->exposure_minor == 0)
        return;
    exposure->used -= minor;
    exposure->dirty = true;
    redemption->exposure_minor -= minor;
}

/* May it be held? */

static enum reason caps_allow(const struct account *account, const struct moment *moment, int64_t points)
{
    const struct caps *caps = rules_caps(moment->rules, account->tier);

    if (!caps)
        return REASON_OK;
    if (caps->per_redemption && points > caps->per_redemption)
        return REASON_CAP_REDEMPTION;
    if (caps->per_day && points > caps->per_day - account_day_points(account, moment->business_date))
        return REASON_CAP_DAY;
    if (caps->per_month && points > caps->per_month - account_month_points(account, moment->business_date))
        return REASON_CAP_MONTH;
    return REASON_OK;
}

/* Counts what was held within the window before now; card 0 counts every card. */
static bool within(const struct velocity *velocity, const struct recent_holds *recent, struct instant now,
                   uint64_t card, int64_t points)
{
    int64_t holds = 1, sum = points;

    if (velocity->window_us == 0)
        return true;
    for (size_t i = 0; i < recent->count; i++) {
        int64_t ago_us = now.us - recent->at[i].held_at.us; /* less than 0: the clock was ahead then */
        if (ago_us >= velocity->window_us || ago_us < -velocity->window_us || (card && recent->at[i].card != card))
            continue;
        holds++;
        sum += recent->at[i].points;
    }
    return (velocity->max_holds == 0 || holds <= velocity->max_holds) &&
           (velocity->max_points == 0 || sum <= velocity->max_points);
}

static int64_t longest_window(const struct exchange_rules *rules)
{
    int64_t member = rules->member_velocity.window_us, card = rules->card_velocity.window_us;

    return member > card ? member : card;
}

static enum reason velocity_allows(struct account *account, const struct moment *moment, uint64_t card, int64_t points)
{
    int64_t window_us = longest_window(moment->rules);

    if (window_us == 0)
        return moment->pace;
    account_forget(account, (struct instant){ moment->now.us - window_us },
                   (struct instant){ moment->now.us + window_us });
    if (!within(&moment->rules->member_velocity, &account->recent, moment->now, 0, points) ||
        account->recent.count == RECENT_MAX)
        return REASON_VELOCITY_MEMBER;
    if (card && !within(&moment->rules->card_velocity, &account->recent, moment->now, card, points))
        return REASON_VELOCITY_CARD;
    return moment->pace;
}

/* In the order of reason.def. *gross is what the bank would owe. */
static enum reason may_hold(const struct redemption *redemption, struct account *account, const struct moment *moment,
                            const struct price *price, int64_t *gross)
{
    struct currency_rate rate;
    struct settlement_amounts amounts;
    int64_t cost = 0;
    enum reason reason = points_in_range(redemption->points, 1);

    if (reason == REASON_OK)
        reason = terms_allow(account, moment, &rate);
    if (reason == REASON_OK && price && !rules_rate(moment->rules, price->currency))
        reason = REASON_CURRENCY_NOT_EXCHANGED;
    if (reason == REASON_OK)
        reason = may_redeem(account);
    if (reason == REASON_OK && price)
        reason = quote_stands(account, moment, price, redemption->points, &cost);
    if (reason == REASON_OK)
        reason = rules_allow(account, moment, redemption->points);
    if (reason == REASON_OK && price)
        reason = share_allows(moment, cost, redemption->points);
    if (reason == REASON_OK && account->hold_count == OPEN_HOLDS_MAX && !redemption->one_step)
        reason = REASON_TOO_MANY_OPEN_HOLDS;
    if (reason == REASON_OK)
        reason = caps_allow(account, moment, redemption->points);
    if (reason == REASON_OK)
        reason = velocity_allows(account, moment, redemption->card, redemption->points);
    if (reason == REASON_OK && redemption->points > account_spendable(account))
        reason = REASON_INSUFFICIENT_POINTS;
    if (reason == REASON_OK)
        reason = rules_settle(&rate, moment->terms, redemption->points, &amounts);
    if (reason != REASON_OK)
        return reason;
    *gross = amounts.gross_minor;
    return has_room(exposure_of(moment, redemption->bank_no, moment->terms->currency), *gross) ? REASON_OK
                                                                                               : REASON_EXPOSURE_LIMIT;
}

/* Nothing has moved yet, whatever the memory held before. */
static void clear_outcome(struct redemption *redemption)
{
    redemption->state = REDEMPTION_NONE;
    redemption->confirmed_points = redemption->reversed_points = 0;
    redemption->confirmed = redemption->reversed = (struct settlement_amounts){ 0 };
    memset(redemption->currency, 0, CURRENCY_TEXT);
    memset(redemption->exposure_currency, 0, CURRENCY_TEXT);
    redemption->exposure_minor = 0;
    memset(redemption->price_currency, 0, CURRENCY_TEXT);
    redemption->price_minor = redemption->cash_minor = 0;
    redemption->terms_version = 0;
    redemption->draws.credit = 0;
    redemption->draws.lots.count = 0;
}

static void hold_points(struct redemption *redemption, struct account *account, const struct moment *moment,
                        int64_t gross, struct entries *entries)
{
    redemption->state = REDEMPTION_HELD;
    account_hold(account, redemption->points, &redemption->draws);
    account_count(account, moment->business_date, redemption->points);
    if (longest_window(moment->rules) > 0) {
        /* velocity_allows has made sure that there is room */
        (void)!account_remember(account, &(struct recent_hold){ moment->now, redemption->points, redemption->card });
    }
    use_exposure(redemption, moment, moment->terms->currency, gross);
    struct entry *entry = write_entry(entries, redemption, account, moment, ENTRY_HOLD, redemption->points);
    entry_add_lots(entries, entry, redemption->draws.lots.at, redemption->draws.lots.count);
}

enum reason redemption_hold(struct redemption *redemption, struct account *account, const struct moment *moment,
                            const struct price *price, int64_t lapse_after_us, struct entries *entries)
{
    int64_t gross = 0;
    enum reason reason = may_hold(redemption, account, moment, price, &gross);

    clear_outcome(redemption);
    redemption->reason = reason;
    redemption->held_at = moment->now;
    redemption->lapse_at = (struct instant){ moment->now.us + lapse_after_us };
    redemption->lapse_after_us = lapse_after_us;
    redemption->business_date = moment->business_date;
    redemption->rules_version = moment->rules ? moment->rules->version : 0;
    if (reason == REASON_OK && !redemption->one_step &&
        !account_open_hold(account, &redemption->id, redemption->lapse_at))
        reason = redemption->reason = REASON_TOO_MANY_OPEN_HOLDS;
    if (reason == REASON_OK && price) {
        memcpy(redemption->price_currency, price->currency, CURRENCY_TEXT);
        redemption->price_minor = price->minor;
        redemption->cash_minor = price->cash_minor;
    }
    if (reason == REASON_OK)
        hold_points(redemption, account, moment, gross, entries);
    redemption->spendable_after = account_spendable(account);
    return reason;
}

/* cash <= AMOUNT_MINOR_MAX and part <= whole: it always fits. */
static int64_t part_of(int64_t cash_minor, int64_t part, int64_t whole)
{
    int64_t minor = 0;

    return whole > 0 && exact_ratio_floor(cash_minor, part, whole, &minor) ? minor : 0;
}

int64_t redemption_confirmed_cash(const struct redemption *redemption)
{
    return part_of(redemption->cash_minor, redemption->confirmed_points, redemption->points);
}

int64_t redemption_reversed_cash(const struct redemption *redemption)
{
    return part_of(redemption_confirmed_cash(redemption), redemption->reversed_points, redemption->confirmed_points);
}

bool redemption_overdue(const struct redemption *redemption, struct instant now)
{
    return redemption->state == REDEMPTION_HELD && redemption->lapse_at.us <= now.us;
}

/* Why an ended redemption can be neither confirmed, extended nor cancelled. */
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
    struct lots given;
    struct give_back back = account_release(account, &redemption->draws, redemption->points, terms, &given);

    redemption->state = (int16_t)redemption_next((enum redemption_state)redemption->state, event);
    account_close_hold(account, &redemption->id);
    account_uncount(account, redemption->business_date, redemption->points);
    free_exposure(redemption, moment, redemption->exposure_minor);
    write_give_back(entries, redemption, account, moment, kind, back, &given, ref);
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

enum reason redemption_extend(struct redemption *redemption, struct account *account, const struct moment *moment,
                              int64_t lapse_after_us)
{
    enum reason reason = still_held(redemption, REDEMPTION_EXTEND);
    struct open_hold *open = account_find_hold(account, &redemption->id);

    if (reason == REASON_OK)
        reason = may_redeem(account);
    if (reason != REASON_OK)
        return reason;
    if (moment->now.us + lapse_after_us > redemption->lapse_at.us)
        redemption->lapse_at.us = moment->now.us + lapse_after_us;
    if (open)
        open->lapse_at = redemption->lapse_at;
    return REASON_OK;
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
    order_lines_confirm(&redemption->lines, points, amounts);
    free_exposure(redemption, moment, redemption->exposure_minor);
    use_exposure(redemption, moment, moment->terms->currency, amounts->gross_minor);
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
    entry_add_lots(entries, entry, redemption->draws.lots.at, redemption->draws.lots.count);
}

enum reason redemption_confirm(struct redemption *redemption, struct account *account, const struct moment *moment,
                               const struct uuid *ref, int64_t points, int64_t *moved, struct entries *entries)
{
    struct currency_rate rate;
    struct settlement_amounts amounts;
    int64_t confirmed = points ? points : redemption->points;
    enum reason reason = points_in_range(points, 0);

    if (reason == REASON_OK)
        reason = still_held(redemption, REDEMPTION_CONFIRM);
    if (reason == REASON_OK)
        reason = terms_allow(account, moment, &rate);
    if (reason == REASON_OK && redemption->cash_minor &&
        strcmp(redemption->price_currency, moment->terms->currency) != 0)
        reason = REASON_CURRENCY_DIFFERS;
    if (reason == REASON_OK)
        reason = may_redeem(account);
    if (reason == REASON_OK && confirmed > redemption->points)
        reason = REASON_BEYOND_HOLD;
    if (reason == REASON_OK && redemption->whole && confirmed != redemption->points)
        reason = REASON_GOODS_NOT_DIVISIBLE;
    if (reason == REASON_OK)
        reason = rules_settle(&rate, moment->terms, confirmed, &amounts);
    if (reason != REASON_OK)
        return reason;
    freeze_terms(redemption, moment, &amounts, confirmed);
    account_close_hold(account, &redemption->id);
    if (confirmed < redemption->points) {
        struct give_back_terms terms = give_back_terms(moment);
        struct lots given;
        int64_t rest = redemption->points - confirmed;
        struct give_back back = account_release(account, &redemption->draws, rest, &terms, &given);
        account_uncount(account, redemption->business_date, rest);
        write_give_back(entries, redemption, account, moment, ENTRY_RELEASE, back, &given, ref);
    }
    write_confirm(redemption, account, moment, ref, entries);
    *moved = confirmed;
    return REASON_OK;
}

/* What may be held may be confirmed at the same moment: the second step cannot be refused. */
enum reason redemption_redeem(struct redemption *redemption, struct account *account, const struct moment *moment,
                              const struct price *price, struct entries *entries)
{
    int64_t moved;

    redemption->one_step = true;
    enum reason reason = redemption_hold(redemption, account, moment, price, 0, entries);
    if (reason == REASON_OK)
        reason = redemption_confirm(redemption, account, moment, &redemption->id, 0, &moved, entries);
    redemption->spendable_after = account_spendable(account);
    return reason;
}

static struct settlement_amounts take_reversed_part(struct redemption *redemption, int64_t points, int line)
{
    struct settlement_amounts before = redemption->reversed;

    redemption->reversed_points += points;
    if (redemption->lines.count > 0) {
        struct settlement_amounts part = order_lines_reverse(&redemption->lines, line, points);
        redemption->reversed.gross_minor += part.gross_minor;
        redemption->reversed.commission_minor += part.commission_minor;
        return part;
    }
    redemption->reversed =
        rules_reversed_part(redemption->confirmed, redemption->confirmed_points, redemption->reversed_points);
    return (struct settlement_amounts){
        .gross_minor = redemption->reversed.gross_minor - before.gross_minor,
        .commission_minor = redemption->reversed.commission_minor - before.commission_minor,
    };
}

/* BEYOND_CONFIRMED, or how many points to reverse. */
static enum reason points_to_reverse(const struct redemption *redemption, int64_t points, int line, int64_t *reversed)
{
    int64_t left = line < 0 ? redemption->confirmed_points - redemption->reversed_points
                            : order_line_left(&redemption->lines.at[line]);

    *reversed = points ? points : left;
    return *reversed > left || *reversed == 0 ? REASON_BEYOND_CONFIRMED : REASON_OK;
}

enum reason redemption_reverse(struct redemption *redemption, struct account *account, const struct moment *moment,
                               const struct uuid *ref, int64_t points, int line, int64_t *moved,
                               struct settlement_amounts *amounts, struct entries *entries)
{
    int64_t reversed;
    enum reason reason = points_in_range(points, 0);

    if (reason != REASON_OK)
        return reason;
    if (redemption->state == REDEMPTION_REVERSED)
        return REASON_REDEMPTION_ENDED;
    if (redemption->state != REDEMPTION_CONFIRMED)
        return REASON_REDEMPTION_NOT_CONFIRMED;
    reason = points_to_reverse(redemption, points, line, &reversed);
    if (reason != REASON_OK)
        return reason;
    bool all = reversed == redemption->confirmed_points - redemption->reversed_points;
    enum redemption_event event = all ? REDEMPTION_REVERSE_ALL : REDEMPTION_REVERSE_PART;
    redemption->state = (int16_t)redemption_next(REDEMPTION_CONFIRMED, event);
    *amounts = take_reversed_part(redemption, reversed, line);
    struct give_back_terms terms = give_back_terms(moment);
    struct lots given;
    struct give_back back = account_restore(account, &redemption->draws, reversed, &terms, &given);
    account_uncount(account, redemption->business_date, reversed);
    free_exposure(redemption, moment,
                  all || amounts->gross_minor > redemption->exposure_minor ? redemption->exposure_minor
                                                                           : amounts->gross_minor);
    size_t first = entries->count;
    write_give_back(entries, redemption, account, moment, ENTRY_REVERSE, back, &given, ref);
    struct entry *entry = &entries->at[first];
    memcpy(entry->currency, redemption->currency, CURRENCY_TEXT);
    entry->gross_minor = -amounts->gross_minor;
    entry->commission_minor = -amounts->commission_minor;
    *moved = reversed;
    return REASON_OK;
}
