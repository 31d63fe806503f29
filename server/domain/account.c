#include "domain/account.h"

#include "base/exact.h"

#include <string.h>

enum reason points_in_range(int64_t points, int64_t least)
{
    if (points < least)
        return REASON_POINTS_NOT_POSITIVE;
    return points > POINTS_MAX ? REASON_POINTS_TOO_MANY : REASON_OK;
}

int64_t account_spendable(const struct account *account)
{
    int64_t credit_left = account->credit_limit - account->credit_used;

    return account->available + (credit_left > 0 ? credit_left : 0);
}

struct date account_next_due(const struct account *account)
{
    struct date due = credit_next_due(account);

    if (account->lots.count > 0 && account->lots.at[0].expires_on.days < due.days)
        due = account->lots.at[0].expires_on;
    if (account->pending_lots.count > 0 && account->pending_lots.at[0].matures_on.days < due.days)
        due = account->pending_lots.at[0].matures_on;
    if (account->tier_due.days != 0 && account->tier_due.days < due.days)
        due = account->tier_due;
    return due;
}

/* Lots */

static bool lot_before(const struct lot *lot, struct date expires_on, int32_t funding_no)
{
    return lot->expires_on.days != expires_on.days ? lot->expires_on.days < expires_on.days
                                                   : lot->funding_no < funding_no;
}

/* The first lot that does not come before that one. */
static size_t lots_find(const struct lots *lots, struct date expires_on, int32_t funding_no)
{
    size_t i = 0;

    while (i < lots->count && lot_before(&lots->at[i], expires_on, funding_no))
        i++;
    return i;
}

static bool lot_at(const struct lots *lots, size_t i, struct date expires_on, int32_t funding_no)
{
    return i < lots->count && lots->at[i].expires_on.days == expires_on.days && lots->at[i].funding_no == funding_no;
}

static void lots_remove(struct lots *lots, size_t from, size_t n)
{
    memmove(&lots->at[from], &lots->at[from + n], (lots->count - from - n) * sizeof lots->at[0]);
    lots->count -= n;
}

static void lots_insert(struct lots *lots, size_t at, struct lot lot)
{
    memmove(&lots->at[at + 1], &lots->at[at], (lots->count - at) * sizeof lots->at[0]);
    lots->at[at] = lot;
    lots->count++;
}

/* The nearest lot at or behind i, or else before it, that the same parties pay for; or else the nearest of all. */
static size_t lots_neighbour(const struct lots *lots, size_t i, int32_t funding_no)
{
    for (size_t k = i; k < lots->count; k++) {
        if (lots->at[k].funding_no == funding_no)
            return k;
    }
    for (size_t k = i; k > 0; k--) {
        if (lots->at[k - 1].funding_no == funding_no)
            return k - 1;
    }
    return i < lots->count ? i : lots->count - 1;
}

/*
 * Adds to the lot of that day and funding or makes one. When there is no room the points join a neighbour, whose expiry
 * moves to theirs when it was earlier: never to the member's disadvantage.
 */
static struct lot lots_add(struct lots *lots, struct lot lot)
{
    size_t i = lots_find(lots, lot.expires_on, lot.funding_no);

    if (lot_at(lots, i, lot.expires_on, lot.funding_no)) {
        lots->at[i].points += lot.points;
        return lot;
    }
    if (lots->count < LOTS_MAX) {
        lots_insert(lots, i, lot);
        return lot;
    }
    size_t joined = lots_neighbour(lots, i, lot.funding_no);
    struct lot grown = lots->at[joined];
    grown.points += lot.points;
    if (grown.expires_on.days >= lot.expires_on.days) {
        lots->at[joined] = grown;
    } else {
        grown.expires_on = lot.expires_on;
        lots_remove(lots, joined, 1);
        lots_insert(lots, lots_find(lots, grown.expires_on, grown.funding_no), grown);
    }
    return (struct lot){ grown.expires_on, grown.funding_no, lot.points };
}

int64_t lots_points(const struct lots *lots)
{
    int64_t points = 0;

    for (size_t i = 0; i < lots->count; i++)
        points += lots->at[i].points;
    return points;
}

int64_t account_expire(struct account *account, struct date today, struct lots *gone)
{
    size_t over = lots_find(&account->lots, (struct date){ today.days + 1 }, INT32_MIN);

    gone->count = over;
    if (over == 0)
        return 0;
    memcpy(gone->at, account->lots.at, over * sizeof gone->at[0]);
    lots_remove(&account->lots, 0, over);
    int64_t points = lots_points(gone);
    account->available -= points;
    account->expired += points;
    return points;
}

/* Credit used is repaid first; returns what is left. */
static int64_t repay(struct account *account, int64_t points)
{
    int64_t repaid = points < account->credit_used ? points : account->credit_used;

    account->credit_used -= repaid;
    return points - repaid;
}

enum reason account_earn(struct account *account, int64_t points, struct date expires_on, int32_t funding_no,
                         struct lot *made)
{
    int64_t rest = points - (points < account->credit_used ? points : account->credit_used), available;
    size_t place = lots_find(&account->lots, expires_on, funding_no);

    if (rest > 0 && account->lots.count == LOTS_MAX && !lot_at(&account->lots, place, expires_on, funding_no))
        return REASON_TOO_MANY_LOTS;
    if (!exact_add(account->available, rest, &available))
        return REASON_AMOUNT_TOO_LARGE;
    *made = (struct lot){ expires_on, funding_no, repay(account, points) };
    account->available = available;
    if (rest > 0)
        lots_add(&account->lots, *made);
    return REASON_OK;
}

/* Pending */

static int pending_compare(const struct pending_lot *a, const struct pending_lot *b)
{
    if (a->matures_on.days != b->matures_on.days)
        return a->matures_on.days < b->matures_on.days ? -1 : 1;
    if (a->expires_on.days != b->expires_on.days)
        return a->expires_on.days < b->expires_on.days ? -1 : 1;
    return a->funding_no == b->funding_no ? 0 : a->funding_no < b->funding_no ? -1 : 1;
}

/* Its place, or where it belongs; *there says which. */
static size_t pending_find(const struct pending_lots *lots, const struct pending_lot *like, bool *there)
{
    size_t i = 0;

    while (i < lots->count && pending_compare(&lots->at[i], like) < 0)
        i++;
    *there = i < lots->count && pending_compare(&lots->at[i], like) == 0;
    return i;
}

static void pending_insert(struct pending_lots *lots, size_t at, const struct pending_lot *lot)
{
    memmove(&lots->at[at + 1], &lots->at[at], (lots->count - at) * sizeof lots->at[0]);
    lots->at[at] = *lot;
    lots->count++;
}

enum reason account_pend(struct account *account, const struct pending_lot *lot)
{
    bool there;
    size_t i = pending_find(&account->pending_lots, lot, &there);
    int64_t pending;

    if (!there && account->pending_lots.count == PENDING_MAX)
        return REASON_TOO_MANY_PENDING;
    if (!exact_add(account->pending, lot->points, &pending))
        return REASON_AMOUNT_TOO_LARGE;
    account->pending = pending;
    if (there)
        account->pending_lots.at[i].points += lot->points;
    else
        pending_insert(&account->pending_lots, i, lot);
    return REASON_OK;
}

int64_t account_pending_of(const struct account *account, const struct pending_lot *like)
{
    bool there;
    size_t i = pending_find(&account->pending_lots, like, &there);

    return there ? account->pending_lots.at[i].points : 0;
}

void account_unpend(struct account *account, const struct pending_lot *like, int64_t points)
{
    struct pending_lots *lots = &account->pending_lots;
    bool there;
    size_t i = pending_find(lots, like, &there);

    account->pending -= points;
    lots->at[i].points -= points;
    if (lots->at[i].points > 0)
        return;
    memmove(&lots->at[i], &lots->at[i + 1], (lots->count - i - 1) * sizeof lots->at[0]);
    lots->count--;
}

struct lot account_mature(struct account *account, const struct pending_lot *like, int64_t points,
                          struct date expires_on)
{
    int32_t funding_no = like->funding_no;

    account_unpend(account, like, points); /* like may point into the lots: not to be looked at again */
    struct lot made = { expires_on, funding_no, repay(account, points) };
    account->available += made.points;
    return made.points > 0 ? lots_add(&account->lots, made) : made;
}

/* Taking */

/* First-expire-first-out; the caller has checked that there are as many. */
static void draw_lots(struct account *account, int64_t points, struct lots *drawn)
{
    size_t emptied = 0;

    account->available -= points;
    for (size_t i = 0; points > 0; i++) {
        struct lot *lot = &account->lots.at[i];
        int64_t taken = points < lot->points ? points : lot->points;
        drawn->at[drawn->count++] = (struct lot){ lot->expires_on, lot->funding_no, taken };
        lot->points -= taken;
        points -= taken;
        emptied += lot->points == 0;
    }
    lots_remove(&account->lots, 0, emptied);
}

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

void account_hold(struct account *account, int64_t points, struct draws *draws)
{
    int64_t of_lots = smaller(points, account->available);

    draws->lots.count = 0;
    draws->credit = points - of_lots;
    account->credit_used += draws->credit;
    account->held += points;
    draw_lots(account, of_lots, &draws->lots);
}

static int64_t take_first(struct account *account, int64_t points, const struct lot *first, struct lots *taken)
{
    size_t i = lots_find(&account->lots, first->expires_on, first->funding_no);

    if (!lot_at(&account->lots, i, first->expires_on, first->funding_no))
        return 0;
    struct lot *lot = &account->lots.at[i];
    int64_t of_it = smaller(points, lot->points);
    taken->at[taken->count++] = (struct lot){ lot->expires_on, lot->funding_no, of_it };
    lot->points -= of_it;
    account->available -= of_it;
    if (lot->points == 0)
        lots_remove(&account->lots, i, 1);
    return of_it;
}

/* `first` is used up before others are drawn, so that no lot is there twice, and the list holds LOTS_MAX. */
void account_take(struct account *account, int64_t points, const struct lot *first, struct draws *taken)
{
    taken->lots.count = 0;
    taken->credit = 0;
    if (first && points > 0)
        points -= take_first(account, points, first, &taken->lots);
    int64_t of_lots = smaller(points, account->available);
    draw_lots(account, of_lots, &taken->lots);
    taken->credit = points - of_lots;
    account->credit_used += taken->credit;
}

/* Giving */

void account_give(struct account *account, const struct lots *lots)
{
    for (size_t i = 0; i < lots->count; i++) {
        account->available += lots->at[i].points;
        lots_add(&account->lots, lots->at[i]);
    }
}

void account_give_pending(struct account *account, const struct pending_lots *lots)
{
    for (size_t i = 0; i < lots->count; i++) {
        if (account_pend(account, &lots->at[i]) == REASON_OK)
            continue;
        account->pending += lots->at[i].points;
        account->pending_lots.at[account->pending_lots.count - 1].points += lots->at[i].points;
    }
}

/*
 * Says that a lot grew. All lots of a list and what was lent are one more than a list holds: then the last one says it,
 * so that no point goes unsaid.
 */
static void note_given(struct lots *given, struct lot lot)
{
    size_t i = 0;

    while (i < given->count &&
           (given->at[i].expires_on.days != lot.expires_on.days || given->at[i].funding_no != lot.funding_no))
        i++;
    if (i < given->count)
        given->at[i].points += lot.points;
    else if (given->count < LOTS_MAX)
        given->at[given->count++] = lot;
    else
        given->at[LOTS_MAX - 1].points += lot.points;
}

/* Credit that was repaid by earning meanwhile comes back as points of a new lot. */
static void give_back_credit(struct account *account, int64_t points, const struct give_back_terms *terms,
                             struct lots *given)
{
    int64_t rest = repay(account, points);

    account->available += rest;
    if (rest > 0)
        note_given(given, lots_add(&account->lots, (struct lot){ terms->new_expiry, 0, rest }));
}

/* Returns what is forfeited. */
static int64_t give_back_lot(struct account *account, struct lot lot, const struct give_back_terms *terms,
                             struct lots *given)
{
    bool expired = lot.expires_on.days <= terms->today.days;

    if (expired && terms->grace_days == 0)
        return lot.points;
    if (expired)
        lot.expires_on.days = terms->today.days + terms->grace_days;
    account->available += lot.points;
    note_given(given, lots_add(&account->lots, lot));
    return 0;
}

struct give_back account_restore(struct account *account, struct draws *draws, int64_t points,
                                 const struct give_back_terms *terms, struct lots *given)
{
    struct give_back result = { .returned = points };
    int64_t credit = smaller(points, draws->credit);

    given->count = 0;
    draws->credit -= credit;
    if (credit > 0)
        give_back_credit(account, credit, terms, given);
    for (int64_t left = points - credit; left > 0 && draws->lots.count > 0;) {
        struct lot *last = &draws->lots.at[draws->lots.count - 1];
        int64_t taken = smaller(left, last->points);
        result.forfeited +=
            give_back_lot(account, (struct lot){ last->expires_on, last->funding_no, taken }, terms, given);
        last->points -= taken;
        left -= taken;
        draws->lots.count -= last->points == 0;
    }
    return result;
}

struct give_back account_release(struct account *account, struct draws *draws, int64_t points,
                                 const struct give_back_terms *terms, struct lots *given)
{
    account->held -= points;
    return account_restore(account, draws, points, terms, given);
}

void account_spend(struct account *account, int64_t points)
{
    account->held -= points;
}

/* Counters */

static bool same_month(struct date a, struct date b)
{
    return date_month_start(a, 0).days == date_month_start(b, 0).days;
}

int64_t account_day_points(const struct account *account, struct date today)
{
    return account->counted_on.days == today.days ? account->day_points : 0;
}

int64_t account_month_points(const struct account *account, struct date today)
{
    bool counted = account->counted_on.days == today.days || same_month(account->counted_on, today);

    return counted ? account->month_points : 0;
}

void account_count(struct account *account, struct date today, int64_t points)
{
    account->month_points = account_month_points(account, today) + points;
    account->day_points = account_day_points(account, today) + points;
    account->counted_on = today;
}

void account_uncount(struct account *account, struct date held_on, int64_t points)
{
    if (account->counted_on.days == held_on.days)
        account->day_points -= points;
    if (account->counted_on.days == held_on.days || same_month(account->counted_on, held_on))
        account->month_points -= points;
}

void account_forget(struct account *account, struct instant before, struct instant ahead)
{
    struct recent_holds *recent = &account->recent;
    size_t kept = 0;

    for (size_t i = 0; i < recent->count; i++) {
        if (recent->at[i].held_at.us > before.us && recent->at[i].held_at.us <= ahead.us)
            recent->at[kept++] = recent->at[i];
    }
    recent->count = kept;
}

bool account_remember(struct account *account, const struct recent_hold *hold)
{
    if (account->recent.count == RECENT_MAX)
        return false;
    account->recent.at[account->recent.count++] = *hold;
    return true;
}

/* Open holds */

bool account_open_hold(struct account *account, const struct uuid *id, struct instant lapse_at)
{
    if (account->hold_count == OPEN_HOLDS_MAX)
        return false;
    account->holds[account->hold_count++] = (struct open_hold){ *id, lapse_at };
    return true;
}

struct open_hold *account_find_hold(struct account *account, const struct uuid *id)
{
    for (size_t i = 0; i < account->hold_count; i++) {
        if (uuid_compare(&account->holds[i].id, id) == 0)
            return &account->holds[i];
    }
    return NULL;
}

void account_close_hold(struct account *account, const struct uuid *id)
{
    struct open_hold *hold = account_find_hold(account, id);

    if (hold)
        *hold = account->holds[--account->hold_count];
}

int64_t draws_points(const struct draws *draws)
{
    return draws->credit + lots_points(&draws->lots);
}
