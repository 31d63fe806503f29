#include "domain/member.h"

#include "domain/earn_count.h"

#include <string.h>

struct entry *member_entry(struct entries *entries, struct account *account, const struct moment *moment,
                           enum entry_kind kind, int64_t points)
{
    struct entry *entry = &entries->at[entries->count++];

    credit_note(account, moment->business_date, entry_gives_back((int)kind));
    *entry = (struct entry){
        .member_id = account->member_id,
        .seq = ++account->journal_seq,
        .business_date = moment->business_date,
        .at = moment->now,
        .kind = (int16_t)kind,
        .points = points,
        .available_after = account->available,
        .held_after = account->held,
        .pending_after = account->pending,
        .credit_used_after = account->credit_used,
        .credit_limit_after = account->credit_limit,
        .programme_no = account->programme_no,
        .bank_no = account->bank_no,
    };
    return entry;
}

void entry_add_lots(struct entries *entries, struct entry *entry, const struct lot *lots, size_t count)
{
    entry->first_lot = entries->lot_count;
    for (size_t i = 0; i < count; i++) {
        if (lots[i].points > 0)
            entries->lots[entries->lot_count++] = lots[i];
    }
    entry->lot_count = entries->lot_count - entry->first_lot;
}

static void write_entry(struct entries *entries, struct account *account, const struct moment *moment,
                        enum entry_kind kind, int64_t points, const struct uuid *ref, const struct lots *lots)
{
    struct entry *entry = member_entry(entries, account, moment, kind, points);

    entry->ref = *ref;
    if (lots)
        entry_add_lots(entries, entry, lots->at, lots->count);
}

/* Tier, credit and cards; the status is the caller's. */
static bool become(struct account *account, const struct member_wish *wish, const struct moment *moment)
{
    int16_t tier = wish->has_tier ? wish->tier : account->tier;
    bool changed =
        account->tier != tier || memcmp(account->profile_hash, wish->profile_hash, sizeof wish->profile_hash) != 0;

    account->tier = tier;
    memcpy(account->profile_hash, wish->profile_hash, sizeof wish->profile_hash);
    return credit_set(account, &wish->credit, moment->business_date, credit_tier_limit(account, moment->rules, tier)) ||
           changed;
}

enum reason member_set(struct account *account, const struct member_wish *wish, const struct moment *moment,
                       const struct uuid *ref, bool *changed, int64_t *moved, struct entries *entries)
{
    bool is_new = account->journal_seq == 0 || member_is_withdrawn(account);
    int16_t status = wish->status ? wish->status : is_new ? MEMBER_ACTIVE : account->status;

    *changed = false;
    *moved = 0;
    if (!is_new && account->status == MEMBER_CLOSED)
        return wish->status == MEMBER_CLOSED ? REASON_OK : REASON_MEMBER_CLOSED;
    if (!is_new && status == MEMBER_CLOSED && account->hold_count > 0)
        return REASON_HOLDS_OPEN;
    *changed = become(account, wish, moment) || is_new || account->status != status;
    if (!is_new && status == MEMBER_CLOSED)
        return member_close(account, moment, ref, moved, entries);
    account->status = status;
    if (*changed)
        write_entry(entries, account, moment, ENTRY_MEMBER, 0, ref, NULL);
    return REASON_OK;
}

bool member_is_so(const struct account *account, const struct member_wish *wish)
{
    static const struct credit_plan plain;

    return account->status != MEMBER_CLOSED && (wish->status == 0 || wish->status == account->status) &&
           (!wish->has_tier || wish->tier == account->tier) &&
           memcmp(account->profile_hash, wish->profile_hash, sizeof wish->profile_hash) == 0 && !wish->credit.by_tier &&
           wish->credit.temporary.last.days == 0 && credit_same_plan(&account->plan, &plain) &&
           account->credit_limit == wish->credit.limit;
}

/* Accruals */

/* When points earned now may be spent: a day that is not after today means at once. */
static struct date matures_on(const struct moment *moment, const struct earning *earning)
{
    if (earning->by_event)
        return MATURES_BY_EVENT;
    if (earning->pending_until.days != 0)
        return earning->pending_until;
    return (struct date){ moment->business_date.days + moment->rules->pending_days };
}

/* What waits for an event does not expire yet, though a part of it may have matured into a lot that does. */
static struct pending_lot lot_of(const struct earned *earned)
{
    bool by_event = earned->matures_on.days == MATURES_BY_EVENT.days;
    struct date expires_on = { by_event ? 0 : earned->lot_expires.days };

    return (struct pending_lot){ earned->matures_on, expires_on, earned->funding_no, earned->pending };
}

static enum reason earn_later(struct account *account, const struct moment *moment, struct earned *earned,
                              struct entries *entries, const struct uuid *ref)
{
    earned->pending = earned->points;
    if (earned->matures_on.days != MATURES_BY_EVENT.days)
        earned->lot_expires = rules_expiry(moment->rules, earned->matures_on);
    struct pending_lot lot = lot_of(earned);
    enum reason reason = account_pend(account, &lot);
    if (reason == REASON_OK)
        write_entry(entries, account, moment, ENTRY_PEND, earned->points, ref, NULL);
    return reason;
}

static enum reason earn_now(struct account *account, const struct moment *moment, struct earned *earned,
                            struct entries *entries, const struct uuid *ref)
{
    struct lots made = { .count = 1 };

    earned->matures_on = (struct date){ 0 };
    earned->lot_expires = rules_expiry(moment->rules, moment->business_date);
    enum reason reason = account_earn(account, earned->points, earned->lot_expires, earned->funding_no, made.at);
    if (reason == REASON_OK)
        write_entry(entries, account, moment, ENTRY_ACCRUE, earned->points, ref, &made);
    return reason;
}

static struct spend spend_of(const struct account *account, const struct earning *earning)
{
    return (struct spend){
        .where = { .currency = earning->currency,
                   .merchant_id = earning->merchant_id,
                   .channel = earning->channel,
                   .category = earning->category,
                   .tier = account->tier,
                   .date = earning->spent_on },
        .amount_minor = earning->amount_minor,
        .paid_with_points_minor = earning->paid_with_points_minor,
    };
}

/* They are counted by the caller, once they are the member's. */
static enum reason points_by_set(const struct account *account, const struct moment *moment,
                                 const struct earning *earning, const struct earn_rule **rule, int64_t *points)
{
    const struct rule_set *set = moment->rules->set;
    struct spend spend = spend_of(account, earning);
    struct rule_trace trace;

    *rule = rule_set_earn_rule(set, &spend.where);
    if (earning->counts)
        earn_counts_look(earning->counts, *rule, &spend);
    return rule_set_earn(set, &spend, points, &trace);
}

static enum reason points_of(const struct account *account, const struct moment *moment, const struct earning *earning,
                             const struct earn_rule **rule, int64_t *points)
{
    *points = earning->fixed_points;
    if (*points)
        return points_in_range(*points, 1);
    if (earning->counts)
        earn_counts_begin(earning->counts, moment->business_date);
    return moment->rules->set ? points_by_set(account, moment, earning, rule, points)
                              : rules_points_earned(moment->rules, earning->amount_minor, points);
}

enum reason member_earn(struct account *account, const struct moment *moment, const struct earning *earning,
                        const struct uuid *ref, struct earned *earned, struct entries *entries)
{
    const struct earn_rule *rule = NULL;
    size_t first = entries->count;

    *earned = (struct earned){ .funding_no = earning->funding_no };
    if (!moment->rules)
        return REASON_NO_RULES_IN_FORCE;
    if (!earning->fixed_points && !rules_rate(moment->rules, earning->currency))
        return REASON_CURRENCY_NOT_EXCHANGED;
    if (account->status == MEMBER_CLOSED)
        return REASON_MEMBER_CLOSED;
    if (account->status == MEMBER_DECEASED)
        return REASON_MEMBER_DECEASED;
    enum reason reason = points_of(account, moment, earning, &rule, &earned->points);
    earned->rule = rule ? rule->name : NULL;
    if (reason == REASON_NOTHING_EARNED) {
        earned->points = 0;
        return REASON_OK;
    }
    if (reason != REASON_OK)
        return reason;
    earned->matures_on = matures_on(moment, earning);
    bool later = earned->matures_on.days > moment->business_date.days;
    reason =
        later ? earn_later(account, moment, earned, entries, ref) : earn_now(account, moment, earned, entries, ref);
    if (reason != REASON_OK)
        return reason;
    entries->at[first].rules_version = moment->rules->version;
    if (earning->counts && !earning->fixed_points)
        earn_counts_add(earning->counts, moment->rules->set, rule, earned->points);
    return REASON_OK;
}

/* Rules are never withdrawn, so there are some; were there none, a year is not to the member's harm. */
static struct date expiry_from(const struct moment *moment, struct date spendable_on)
{
    return moment->rules ? rules_expiry(moment->rules, spendable_on) : date_month_start(spendable_on, 13);
}

enum reason member_mature(struct account *account, const struct moment *moment, struct earned *earned, int64_t points,
                          const struct uuid *ref, int64_t *moved, struct entries *entries)
{
    struct pending_lot like = lot_of(earned);
    int64_t there = account_pending_of(account, &like);
    struct lots made = { .count = 1 };
    enum reason reason = points_in_range(points, 0);

    *moved = points ? points : earned->pending;
    if (reason != REASON_OK)
        return reason;
    if (account->status == MEMBER_CLOSED)
        return REASON_MEMBER_CLOSED;
    if (earned->pending == 0 || earned->matures_on.days != MATURES_BY_EVENT.days || there == 0)
        return REASON_NOT_PENDING;
    if (*moved > earned->pending)
        return REASON_BEYOND_ACCRUAL;
    if (*moved > there)
        return REASON_NOT_PENDING;
    earned->pending -= *moved;
    made.at[0] = account_mature(account, &like, *moved, expiry_from(moment, moment->business_date));
    earned->lot_expires = made.at[0].expires_on;
    write_entry(entries, account, moment, ENTRY_MATURE, *moved, ref, &made);
    return REASON_OK;
}

/* What is still pending of it: an accrual that matured by its date is pending no more, whatever its row says. */
static int64_t claw_pending(struct account *account, const struct moment *moment, struct earned *earned, int64_t points,
                            const struct uuid *ref, struct entries *entries)
{
    struct pending_lot like = lot_of(earned);
    int64_t there = account_pending_of(account, &like);
    int64_t taken = points < earned->pending ? points : earned->pending;

    if (taken > there)
        taken = there;
    if (taken == 0)
        return 0;
    account_unpend(account, &like, taken);
    earned->pending -= taken;
    write_entry(entries, account, moment, ENTRY_CLAWBACK_PENDING, taken, ref, NULL);
    return taken;
}

enum reason member_claw_back(struct account *account, const struct moment *moment, struct earned *earned, int64_t left,
                             int64_t points, const struct uuid *ref, int64_t *moved, struct entries *entries)
{
    struct lot own = { earned->lot_expires, earned->funding_no, 0 };
    struct draws taken;
    enum reason reason = points_in_range(points, 0);

    *moved = points ? points : left;
    if (reason != REASON_OK)
        return reason;
    if (*moved > left || left == 0)
        return REASON_BEYOND_ACCRUAL;
    int64_t rest = *moved - claw_pending(account, moment, earned, *moved, ref, entries);
    if (rest == 0)
        return REASON_OK;
    account_take(account, rest, &own, &taken);
    write_entry(entries, account, moment, ENTRY_CLAWBACK, rest, ref, &taken.lots);
    return REASON_OK;
}

/* By hand */

enum reason member_adjust(struct account *account, const struct moment *moment, int64_t points, int32_t funding_no,
                          const struct uuid *ref, struct entries *entries)
{
    struct lots made = { .count = 1 };
    struct draws taken;
    enum reason reason = points_in_range(points < 0 && points > INT64_MIN ? -points : points, 1);

    if (reason != REASON_OK)
        return reason;
    if (account->status == MEMBER_CLOSED)
        return REASON_MEMBER_CLOSED;
    if (points < 0) {
        account_take(account, -points, NULL, &taken);
        write_entry(entries, account, moment, ENTRY_ADJUST_TAKE, -points, ref, &taken.lots);
        return REASON_OK;
    }
    if (!moment->rules)
        return REASON_NO_RULES_IN_FORCE;
    reason = account_earn(account, points, rules_expiry(moment->rules, moment->business_date), funding_no, made.at);
    if (reason == REASON_OK)
        write_entry(entries, account, moment, ENTRY_ADJUST_ADD, points, ref, &made);
    return reason;
}

enum reason member_reinstate(struct account *account, const struct moment *moment, int64_t points,
                             struct date expires_on, const struct uuid *ref, struct entries *entries)
{
    struct lots made = { .count = 1 };
    enum reason reason = points_in_range(points, 1);

    if (reason != REASON_OK)
        return reason;
    if (account->status == MEMBER_CLOSED)
        return REASON_MEMBER_CLOSED;
    if (points > account->expired)
        return REASON_BEYOND_EXPIRED;
    reason = account_earn(account, points, expires_on, 0, made.at);
    if (reason != REASON_OK)
        return reason;
    account->expired -= points;
    write_entry(entries, account, moment, ENTRY_REINSTATE, points, ref, &made);
    return REASON_OK;
}

/* The member's own state */

enum reason member_set_status(struct account *account, const struct moment *moment, int16_t status,
                              const struct uuid *ref, struct entries *entries)
{
    if (account->status == MEMBER_CLOSED)
        return REASON_MEMBER_CLOSED;
    if (account->status == MEMBER_DECEASED)
        return REASON_MEMBER_DECEASED;
    if (account->status != status) {
        account->status = status;
        write_entry(entries, account, moment, ENTRY_MEMBER, 0, ref, NULL);
    }
    return REASON_OK;
}

enum reason member_set_credit_limit(struct account *account, const struct moment *moment, int64_t credit_limit,
                                    const struct uuid *ref, struct entries *entries)
{
    if (account->status == MEMBER_CLOSED)
        return REASON_MEMBER_CLOSED;
    if (credit_set_own(account, credit_limit))
        write_entry(entries, account, moment, ENTRY_MEMBER, 0, ref, NULL);
    return REASON_OK;
}

enum reason member_set_temporary_limit(struct account *account, const struct moment *moment,
                                       const struct temporary_limit *temporary, const struct uuid *ref,
                                       struct entries *entries)
{
    if (account->status == MEMBER_CLOSED)
        return REASON_MEMBER_CLOSED;
    if (credit_set_temporary(account, temporary, moment->business_date,
                             credit_tier_limit(account, moment->rules, account->tier)))
        write_entry(entries, account, moment, ENTRY_MEMBER, 0, ref, NULL);
    return REASON_OK;
}

enum reason member_set_tier(struct account *account, const struct moment *moment, int16_t tier, const struct uuid *ref,
                            struct entries *entries)
{
    if (account->status == MEMBER_CLOSED)
        return REASON_MEMBER_CLOSED;
    if (account->tier != tier) {
        account->tier = tier;
        (void)credit_follow(account, moment->business_date, credit_tier_limit(account, moment->rules, tier));
        write_entry(entries, account, moment, ENTRY_MEMBER, 0, ref, NULL);
    }
    return REASON_OK;
}

/* Everything pending leaves, under an entry of that kind. */
static int64_t empty_pending(struct account *account, const struct moment *moment, enum entry_kind kind,
                             const struct uuid *ref, struct entries *entries)
{
    int64_t points = account->pending;

    account->pending = 0;
    account->pending_lots.count = 0;
    if (points > 0)
        write_entry(entries, account, moment, kind, points, ref, NULL);
    return points;
}

static int64_t empty_lots(struct account *account, const struct moment *moment, enum entry_kind kind, int64_t points,
                          const struct uuid *ref, struct lots *gone, struct entries *entries)
{
    struct draws taken;

    account_take(account, points, NULL, &taken);
    gone->count = taken.lots.count;
    memcpy(gone->at, taken.lots.at, taken.lots.count * sizeof gone->at[0]);
    if (points > 0)
        write_entry(entries, account, moment, kind, points, ref, gone);
    return points;
}

enum reason member_close(struct account *account, const struct moment *moment, const struct uuid *ref, int64_t *moved,
                         struct entries *entries)
{
    struct lots gone;

    *moved = 0;
    if (account->status == MEMBER_CLOSED)
        return REASON_MEMBER_CLOSED;
    if (account->hold_count > 0)
        return REASON_HOLDS_OPEN;
    *moved = empty_lots(account, moment, ENTRY_CLOSE, account->available, ref, &gone, entries);
    *moved += empty_pending(account, moment, ENTRY_CLOSE_PENDING, ref, entries);
    account->status = MEMBER_CLOSED;
    write_entry(entries, account, moment, ENTRY_MEMBER, 0, ref, NULL);
    return REASON_OK;
}

void member_set_profile(struct account *account, const struct moment *moment, const uint8_t profile_hash[32],
                        const struct uuid *ref, struct entries *entries)
{
    memcpy(account->profile_hash, profile_hash, sizeof account->profile_hash);
    write_entry(entries, account, moment, ENTRY_MEMBER, 0, ref, NULL);
}

void member_erase(struct account *account, const struct moment *moment, const struct uuid *ref, struct entries *entries)
{
    static const uint8_t unknown[sizeof account->profile_hash];

    member_set_profile(account, moment, unknown, ref, entries);
}

/* Transfers, merges and splits */

static enum reason may_send(const struct account *account, int64_t points, bool merge)
{
    enum reason reason = merge ? REASON_OK : points_in_range(points, 1);

    if (reason != REASON_OK)
        return reason;
    if (account->status == MEMBER_CLOSED)
        return REASON_MEMBER_CLOSED;
    if (account->status == MEMBER_DECEASED && !merge)
        return REASON_MEMBER_DECEASED;
    if (account->status == MEMBER_FROZEN && !merge)
        return REASON_MEMBER_FROZEN;
    if (merge && account->hold_count > 0)
        return REASON_HOLDS_OPEN;
    return !merge && points > account->available ? REASON_INSUFFICIENT_POINTS : REASON_OK;
}

enum reason member_send(struct account *account, const struct moment *moment, int64_t points, bool merge,
                        const struct uuid *ref, struct parcel *parcel, int64_t *moved, struct entries *entries)
{
    enum reason reason = may_send(account, points, merge);

    *moved = 0;
    parcel->merge = merge;
    parcel->status_before = account->status;
    parcel->credit = 0;
    parcel->pending_lots.count = 0;
    if (reason != REASON_OK)
        return reason;
    *moved = empty_lots(account, moment, ENTRY_TRANSFER_OUT, merge ? account->available : points, ref, &parcel->lots,
                        entries);
    if (!merge)
        return REASON_OK;
    parcel->pending_lots = account->pending_lots;
    *moved += empty_pending(account, moment, ENTRY_PENDING_OUT, ref, entries);
    parcel->credit = account->credit_used;
    account->credit_used = 0;
    if (parcel->credit > 0)
        write_entry(entries, account, moment, ENTRY_CREDIT_OUT, parcel->credit, ref, NULL);
    account->status = MEMBER_CLOSED;
    write_entry(entries, account, moment, ENTRY_MEMBER, 0, ref, NULL);
    return REASON_OK;
}

static enum reason may_split(const struct account *account, int64_t points)
{
    enum reason reason = points_in_range(points, 0);

    if (reason != REASON_OK)
        return reason;
    if (account->status == MEMBER_CLOSED)
        return REASON_MEMBER_CLOSED;
    if (account->status == MEMBER_DECEASED)
        return REASON_MEMBER_DECEASED;
    if (account->status == MEMBER_FROZEN)
        return REASON_MEMBER_FROZEN;
    if (points <= account->available)
        return REASON_OK;
    return points <= account->available + account->held ? REASON_HOLDS_OPEN : REASON_INSUFFICIENT_POINTS;
}

enum reason member_split(struct account *account, const struct moment *moment, int64_t points, const struct uuid *ref,
                         struct parcel *parcel, int64_t *moved, struct entries *entries)
{
    enum reason reason = may_split(account, points);

    *moved = 0;
    parcel->merge = false;
    parcel->status_before = account->status;
    parcel->credit = 0;
    parcel->pending_lots.count = 0;
    if (reason == REASON_OK)
        *moved = empty_lots(account, moment, ENTRY_TRANSFER_OUT, points, ref, &parcel->lots, entries);
    return reason;
}

static int64_t pending_points(const struct pending_lots *lots)
{
    int64_t points = 0;

    for (size_t i = 0; i < lots->count; i++)
        points += lots->at[i].points;
    return points;
}

static int64_t unpack(struct account *account, const struct moment *moment, const struct parcel *parcel,
                      enum entry_kind kind, const struct uuid *ref, struct entries *entries)
{
    int64_t points = lots_points(&parcel->lots), pending = pending_points(&parcel->pending_lots);

    account_give(account, &parcel->lots);
    if (points > 0)
        write_entry(entries, account, moment, kind, points, ref, &parcel->lots);
    account_give_pending(account, &parcel->pending_lots);
    if (pending > 0)
        write_entry(entries, account, moment, ENTRY_PENDING_IN, pending, ref, NULL);
    account->credit_used += parcel->credit;
    if (parcel->credit > 0)
        write_entry(entries, account, moment, ENTRY_CREDIT_IN, parcel->credit, ref, NULL);
    return points + pending;
}

/* Nobody could name the accruals of a member who is gone: what waits for an event matures with the merge. */
static void end_waiting(const struct moment *moment, struct pending_lots *lots)
{
    for (size_t i = 0; i < lots->count; i++) {
        if (lots->at[i].matures_on.days != MATURES_BY_EVENT.days)
            continue;
        lots->at[i].matures_on = moment->business_date;
        lots->at[i].expires_on = expiry_from(moment, moment->business_date);
    }
}

enum reason member_receive(struct account *account, const struct moment *moment, const struct parcel *parcel,
                           const struct uuid *ref, int64_t *moved, struct entries *entries)
{
    struct parcel received = *parcel;

    *moved = 0;
    if (account->status == MEMBER_CLOSED)
        return REASON_MEMBER_CLOSED;
    if (account->status == MEMBER_DECEASED)
        return REASON_MEMBER_DECEASED;
    end_waiting(moment, &received.pending_lots);
    *moved = unpack(account, moment, &received, ENTRY_TRANSFER_IN, ref, entries);
    member_catch_up(account, moment, entries);
    return REASON_OK;
}

void member_take_back(struct account *account, const struct moment *moment, const struct parcel *parcel,
                      const struct uuid *ref, int64_t *moved, struct entries *entries)
{
    bool reopened = account->status != parcel->status_before && parcel->merge;

    if (reopened)
        account->status = parcel->status_before;
    *moved = unpack(account, moment, parcel, ENTRY_TRANSFER_BACK, ref, entries);
    if (reopened)
        write_entry(entries, account, moment, ENTRY_MEMBER, 0, ref, NULL);
    member_catch_up(account, moment, entries); /* days may have passed on the way */
}

/* Time */

static bool mature_due(struct account *account, const struct moment *moment, struct entries *entries)
{
    const struct pending_lot *first = account->pending_lots.at;
    struct lots made = { .count = 0 };
    int64_t points = 0;

    while (account->pending_lots.count > 0 && first->matures_on.days <= moment->business_date.days) {
        struct pending_lot due = *first;
        points += due.points;
        made.at[made.count++] = account_mature(account, &due, due.points, due.expires_on);
    }
    if (points > 0)
        write_entry(entries, account, moment, ENTRY_MATURE, points, &(struct uuid){ { 0 } }, &made);
    return points > 0;
}

static bool follow_plan(struct account *account, const struct moment *moment, struct entries *entries)
{
    int64_t before = account->credit_limit;

    if (!credit_follow(account, moment->business_date, credit_tier_limit(account, moment->rules, account->tier)))
        return false;
    if (account->credit_limit != before)
        write_entry(entries, account, moment, ENTRY_MEMBER, 0, &(struct uuid){ { 0 } }, NULL);
    return true;
}

bool member_catch_up(struct account *account, const struct moment *moment, struct entries *entries)
{
    struct lots gone;
    bool matured = mature_due(account, moment, entries);
    int64_t expired = account_expire(account, moment->business_date, &gone);

    if (expired > 0)
        write_entry(entries, account, moment, ENTRY_EXPIRE, expired, &(struct uuid){ { 0 } }, &gone);
    return follow_plan(account, moment, entries) || matured || expired > 0;
}
