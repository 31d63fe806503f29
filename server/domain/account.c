#include "domain/account.h"

#include "base/exact.h"

#include <string.h>

int64_t account_spendable(const struct account *account)
{
    int64_t credit_left = account->credit_limit - account->credit_used;

    return account->available + (credit_left > 0 ? credit_left : 0);
}

/* The first lot that does not expire before that day. */
static size_t lots_find(const struct lots *lots, struct date expires_on)
{
    size_t i = 0;

    while (i < lots->count && lots->at[i].expires_on.days < expires_on.days)
        i++;
    return i;
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

static bool lots_has(const struct lots *lots, struct date expires_on)
{
    size_t i = lots_find(lots, expires_on);

    return i < lots->count && lots->at[i].expires_on.days == expires_on.days;
}

/*
 * Adds to the lot of that day or makes one. When there is no room the points join the next lot to expire after them, or
 * the last one, whose expiry then moves to theirs: never to the member's disadvantage.
 */
static void lots_add(struct lots *lots, struct date expires_on, int64_t points)
{
    size_t i = lots_find(lots, expires_on);

    if (i < lots->count && (lots->at[i].expires_on.days == expires_on.days || lots->count == LOTS_MAX)) {
        lots->at[i].points += points;
    } else if (lots->count == LOTS_MAX) {
        lots->at[i - 1].points += points;
        lots->at[i - 1].expires_on = expires_on;
    } else {
        lots_insert(lots, i, (struct lot){ expires_on, points });
    }
}

int64_t account_expire(struct account *account, struct date today)
{
    size_t over = lots_find(&account->lots, (struct date){ today.days + 1 });
    int64_t points = 0;

    for (size_t i = 0; i < over; i++)
        points += account->lots.at[i].points;
    if (over > 0)
        lots_remove(&account->lots, 0, over);
    account->available -= points;
    return points;
}

enum reason account_earn(struct account *account, int64_t points, struct date expires_on)
{
    int64_t repaid = points < account->credit_used ? points : account->credit_used;
    int64_t rest = points - repaid, available;

    if (!exact_add(account->available, rest, &available))
        return REASON_AMOUNT_TOO_LARGE;
    if (rest > 0 && account->lots.count == LOTS_MAX && !lots_has(&account->lots, expires_on))
        return REASON_TOO_MANY_LOTS;
    account->credit_used -= repaid;
    account->available = available;
    if (rest > 0)
        lots_add(&account->lots, expires_on, rest);
    return REASON_OK;
}

void account_hold(struct account *account, int64_t points, struct draws *draws)
{
    int64_t left = points < account->available ? points : account->available;
    size_t emptied = 0;

    draws->lots.count = 0;
    draws->credit = points - left;
    account->credit_used += draws->credit;
    account->available -= left;
    account->held += points;
    for (size_t i = 0; left > 0; i++) {
        struct lot *lot = &account->lots.at[i];
        int64_t taken = left < lot->points ? left : lot->points;
        draws->lots.at[draws->lots.count++] = (struct lot){ lot->expires_on, taken };
        lot->points -= taken;
        left -= taken;
        emptied += lot->points == 0;
    }
    lots_remove(&account->lots, 0, emptied);
}

/* Credit that was repaid by earning meanwhile comes back as points of a new lot. */
static void give_back_credit(struct account *account, int64_t points, const struct give_back_terms *terms)
{
    int64_t undrawn = points < account->credit_used ? points : account->credit_used;

    account->credit_used -= undrawn;
    account->available += points - undrawn;
    if (points > undrawn)
        lots_add(&account->lots, terms->new_expiry, points - undrawn);
}

/* Returns what is forfeited. */
static int64_t give_back_lot(struct account *account, struct lot lot, const struct give_back_terms *terms)
{
    bool expired = lot.expires_on.days <= terms->today.days;

    if (expired && terms->grace_days == 0)
        return lot.points;
    if (expired)
        lot.expires_on.days = terms->today.days + terms->grace_days;
    account->available += lot.points;
    lots_add(&account->lots, lot.expires_on, lot.points);
    return 0;
}

struct give_back account_restore(struct account *account, struct draws *draws, int64_t points,
                                 const struct give_back_terms *terms)
{
    struct give_back result = { .returned = points };
    int64_t credit = points < draws->credit ? points : draws->credit;

    draws->credit -= credit;
    if (credit > 0)
        give_back_credit(account, credit, terms);
    for (int64_t left = points - credit; left > 0 && draws->lots.count > 0;) {
        struct lot *last = &draws->lots.at[draws->lots.count - 1];
        int64_t taken = left < last->points ? left : last->points;
        result.forfeited += give_back_lot(account, (struct lot){ last->expires_on, taken }, terms);
        last->points -= taken;
        left -= taken;
        draws->lots.count -= last->points == 0;
    }
    return result;
}

struct give_back account_release(struct account *account, struct draws *draws, int64_t points,
                                 const struct give_back_terms *terms)
{
    account->held -= points;
    return account_restore(account, draws, points, terms);
}

void account_spend(struct account *account, int64_t points)
{
    account->held -= points;
}

bool account_open_hold(struct account *account, const struct uuid *id, struct instant lapse_at)
{
    if (account->hold_count == OPEN_HOLDS_MAX)
        return false;
    account->holds[account->hold_count++] = (struct open_hold){ *id, lapse_at };
    return true;
}

void account_close_hold(struct account *account, const struct uuid *id)
{
    for (size_t i = 0; i < account->hold_count; i++) {
        if (uuid_compare(&account->holds[i].id, id) == 0) {
            account->holds[i] = account->holds[--account->hold_count];
            return;
        }
    }
}

int64_t draws_points(const struct draws *draws)
{
    int64_t points = draws->credit;

    for (size_t i = 0; i < draws->lots.count; i++)
        points += draws->lots.at[i].points;
    return points;
}
