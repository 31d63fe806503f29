/*
 * verify_member.c -- one member's entries in order: numbered without gaps, chained, each moving the balances as its
 * kind says, the last one agreeing with the account.
 */
#include "engine/journal_entry.h"
#include "engine/verify_walk.h"

#include "domain/packed.h"

#include <inttypes.h>
#include <string.h>

#define TELL(rule, seq, ...) verify_tell(verify, VERIFY_##rule, member->account, &member->member_id, seq, __VA_ARGS__)

/* What an entry moves: into the account that is named, out of the other. */
static int64_t moved(const struct entry *entry, enum ledger_account account)
{
    enum ledger_account from, to;

    entry_accounts(entry->kind, &from, &to);
    int64_t in = to == account ? entry->points : 0;
    return from == account ? verify_less(in, entry->points) : in;
}

static void check_balance(struct verify *verify, const struct verify_member *member, const struct entry *entry,
                          const char *what, enum ledger_account account, int64_t before, int64_t after)
{
    int64_t expected = verify_sum(before, moved(entry, account));

    if (after != expected)
        TELL(BALANCE_DIFFERS, entry->seq, "%s after it is %" PRId64 ", not %" PRId64, what, after, expected);
}

static void check_balances(struct verify *verify, const struct verify_member *member, const struct entry *entry)
{
    const struct entry *last = &member->last;

    check_balance(verify, member, entry, "available less credit used", LEDGER_SPENDABLE,
                  verify_less(last->available_after, last->credit_used_after),
                  verify_less(entry->available_after, entry->credit_used_after));
    check_balance(verify, member, entry, "held", LEDGER_HELD, last->held_after, entry->held_after);
    check_balance(verify, member, entry, "pending", LEDGER_PENDING, last->pending_after, entry->pending_after);
    if (entry->kind != ENTRY_MEMBER && entry->credit_limit_after != last->credit_limit_after)
        TELL(BALANCE_DIFFERS, entry->seq, "credit limit after it is %" PRId64 ", not %" PRId64,
             entry->credit_limit_after, last->credit_limit_after);
}

static void check_possible(struct verify *verify, const struct verify_member *member, const struct entry *entry)
{
    const struct entry *last = &member->last;

    if (entry->kind < ENTRY_MEMBER || entry->kind >= ENTRY_KIND_COUNT)
        TELL(ENTRY_IMPOSSIBLE, entry->seq, "%d is no kind of entry", entry->kind);
    else if (entry->points < 0 || entry->available_after < 0 || entry->held_after < 0 || entry->pending_after < 0 ||
             entry->credit_used_after < 0)
        TELL(ENTRY_IMPOSSIBLE, entry->seq, "points or balances below zero");
    if (last->seq > 0 && entry->business_date.days < last->business_date.days)
        TELL(ENTRY_IMPOSSIBLE, entry->seq, "its business date lies before that of entry %" PRId64, last->seq);
}

/* false when nothing can be said of how it follows the one before. */
static bool check_number(struct verify *verify, const struct verify_member *member, const struct entry *entry)
{
    int64_t last = member->last.seq;

    if (entry->seq == last + 1)
        return true;
    if (entry->seq == last)
        TELL(ENTRY_REPEATED, entry->seq, "there are two entries %" PRId64, entry->seq);
    else
        TELL(ENTRY_MISSING, entry->seq, "entry %" PRId64 " follows entry %" PRId64, entry->seq, last);
    return false;
}

bool verify_member_entry(struct verify *verify, struct verify_member *member, const struct journal_row *row,
                         const struct entry *entry)
{
    uint8_t hash[CRYPTO_HASH];

    if (!member->account && !member->orphan_told) {
        member->orphan_told = true;
        TELL(ACCOUNT_MISSING, entry->seq, "its member has no account");
    }
    check_possible(verify, member, entry);
    if (check_number(verify, member, entry)) {
        journal_hash(member->last.hash, entry, row->lots, hash);
        if (memcmp(hash, entry->hash, sizeof hash) != 0)
            TELL(CHAIN_BROKEN, entry->seq, "its hash is not that of entry %" PRId64 " and its content",
                 member->last.seq);
        check_balances(verify, member, entry);
    }
    if (!verify_day_add(verify, &member->last, entry))
        return false;
    member->last = *entry;
    verify->progress.entries++;
    return true;
}

/* The account */

static void check_account(struct verify *verify, const struct verify_member *member)
{
    const struct verify_account_row *account = member->account;
    const struct entry *last = &member->last;
    const struct {
        const char *what;
        int64_t account, entry;
    } pairs[] = {
        { "available", account->available, last->available_after },
        { "held", account->held, last->held_after },
        { "pending", account->pending, last->pending_after },
        { "credit used", account->credit_used, last->credit_used_after },
        { "credit limit", account->credit_limit, last->credit_limit_after },
    };

    if (account->journal_seq > last->seq) {
        TELL(ENTRY_MISSING, account->journal_seq,
             "the account knows %" PRId64 " entries, the last one there is %" PRId64, account->journal_seq, last->seq);
        return;
    }
    if (account->journal_seq < last->seq)
        TELL(ACCOUNT_DIFFERS, last->seq, "the account knows %" PRId64 " entries, there are %" PRId64,
             account->journal_seq, last->seq);
    for (size_t i = 0; i < COUNT(pairs); i++) {
        if (pairs[i].account != pairs[i].entry)
            TELL(ACCOUNT_DIFFERS, last->seq, "%s is %" PRId64 ", after the newest entry %" PRId64, pairs[i].what,
                 pairs[i].account, pairs[i].entry);
    }
    if (account->chain.size != CRYPTO_HASH || memcmp(account->chain.at, last->hash, CRYPTO_HASH) != 0)
        TELL(ACCOUNT_DIFFERS, last->seq, "the account's hash is not that of the newest entry");
}

/* Ascending, each with points; *sum of them. */
static bool lots_sum(struct bytes packed, int64_t *sum)
{
    struct lots lots;
    bool good = unpack_lots(packed.at, packed.size, &lots);

    *sum = 0;
    for (size_t i = 0; good && i < lots.count; i++) {
        const struct lot *lot = &lots.at[i], *last = i > 0 ? lot - 1 : NULL;
        good =
            lot->points > 0 && (!last || last->expires_on.days < lot->expires_on.days ||
                                (last->expires_on.days == lot->expires_on.days && last->funding_no < lot->funding_no));
        *sum = verify_sum(*sum, lot->points);
    }
    return good;
}

static bool pending_sum(struct bytes packed, int64_t *sum)
{
    struct pending_lots lots;
    bool good = unpack_pending(packed.at, packed.size, &lots);

    *sum = 0;
    for (size_t i = 0; good && i < lots.count; i++) {
        good = lots.at[i].points > 0 && (i == 0 || lots.at[i - 1].matures_on.days <= lots.at[i].matures_on.days);
        *sum = verify_sum(*sum, lots.at[i].points);
    }
    return good;
}

static void check_lots(struct verify *verify, const struct verify_member *member)
{
    const struct verify_account_row *account = member->account;
    int64_t lots, pending;

    if (!lots_sum(account->lots, &lots))
        TELL(LOTS_DIFFER, 0, "the lots are out of order, empty or cut");
    else if (lots != account->available)
        TELL(LOTS_DIFFER, 0, "the lots are %" PRId64 " points, available is %" PRId64, lots, account->available);
    if (!pending_sum(account->pending_lots, &pending))
        TELL(PENDING_DIFFERS, 0, "the pending lots are out of order, empty or cut");
    else if (pending != account->pending)
        TELL(PENDING_DIFFERS, 0, "the pending lots are %" PRId64 " points, pending is %" PRId64, pending,
             account->pending);
}

/* Ascending, each with points; *sum of them. */
static bool drawn_sum(const struct drawn_days *drawn, int64_t *sum)
{
    bool good = true;

    *sum = 0;
    for (size_t i = 0; good && i < drawn->count; i++) {
        const struct drawn_day *day = &drawn->at[i];
        good = day->points > 0 && (i == 0 || day[-1].drawn_on.days < day->drawn_on.days);
        *sum = verify_sum(*sum, day->points);
    }
    return good;
}

static void check_credit(struct verify *verify, const struct verify_member *member)
{
    const struct verify_account_row *account = member->account;
    struct drawn_days drawn;
    struct credit_plan plan;
    int64_t sum;

    if (!unpack_credit(account->credit.at, account->credit.size, &plan, &drawn) || !drawn_sum(&drawn, &sum)) {
        TELL(CREDIT_DIFFERS, 0, "the credit is out of order, empty or cut");
        return;
    }
    if (sum != account->credit_used)
        TELL(CREDIT_DIFFERS, 0, "what was drawn by day is %" PRId64 " points, credit used is %" PRId64, sum,
             account->credit_used);
    bool temporary = plan.temporary.last.days != 0, settled = plan.begun || (temporary && !plan.by_tier);
    int64_t planned = plan.begun ? plan.temporary.points : plan.base;
    if (settled && account->credit_limit != planned)
        TELL(CREDIT_DIFFERS, 0, "the credit limit is %" PRId64 ", its plan says %" PRId64, account->credit_limit,
             planned);
}

static void check_holds(struct verify *verify, const struct verify_member *member)
{
    const struct verify_account_row *account = member->account;
    struct open_hold holds[OPEN_HOLDS_MAX];
    size_t count = 0;

    if (!unpack_holds(account->holds.at, account->holds.size, holds, &count))
        TELL(HOLDS_DIFFER, 0, "the list of open holds is cut");
    else if ((int64_t)count != member->open_holds)
        TELL(HOLDS_DIFFER, 0, "the account has %zu open holds, the journal left %" PRId64 " open", count,
             member->open_holds);
    if (account->held != member->open_points)
        TELL(HOLDS_DIFFER, 0, "held is %" PRId64 ", the holds the journal left open are %" PRId64 " points",
             account->held, member->open_points);
}

void verify_member_end(struct verify *verify, struct verify_member *member)
{
    if (!member->account)
        return;
    check_account(verify, member);
    check_lots(verify, member);
    check_credit(verify, member);
    check_holds(verify, member);
    verify->progress.members++;
}
