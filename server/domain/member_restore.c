/* member_restore.c -- a member is what it was before a roster batch that is rolled back. */
#include "domain/member.h"

#include <string.h>

/* In place of what tells a profile from another: no profile has that hash. */
enum { WITHDRAWN = 0xff };

bool member_is_withdrawn(const struct account *account)
{
    bool marked = account->status == MEMBER_CLOSED;

    for (size_t i = 0; marked && i < sizeof account->profile_hash; i++)
        marked = account->profile_hash[i] == WITHDRAWN;
    return marked;
}

/* It owns nothing, owes nothing, and the next list may make it. */
static void withdraw(struct account *account)
{
    account->status = MEMBER_CLOSED;
    account->tier = 0;
    account->credit_limit = 0;
    account->plan = (struct credit_plan){ .by_tier = false };
    memset(account->profile_hash, WITHDRAWN, sizeof account->profile_hash);
}

static void become(struct account *account, const struct member_before *before)
{
    account->status = before->status;
    account->tier = before->tier;
    account->credit_limit = before->credit_limit;
    account->plan = before->plan;
    memcpy(account->profile_hash, before->profile_hash, sizeof account->profile_hash);
}

static int64_t give_lots(struct account *account, const struct moment *moment, const struct lots *lots,
                         const struct uuid *ref, struct entries *entries)
{
    int64_t points = lots ? lots_points(lots) : 0;

    if (points == 0)
        return 0;
    account_give(account, lots);
    struct entry *entry = member_entry(entries, account, moment, ENTRY_REOPEN, points);
    entry->ref = *ref;
    entry_add_lots(entries, entry, lots->at, lots->count);
    return points;
}

static int64_t give_pending(struct account *account, const struct moment *moment, const struct pending_lots *lots,
                            const struct uuid *ref, struct entries *entries)
{
    int64_t before = account->pending;

    if (!lots || lots->count == 0)
        return 0;
    account_give_pending(account, lots);
    struct entry *entry = member_entry(entries, account, moment, ENTRY_REOPEN_PENDING, account->pending - before);
    entry->ref = *ref;
    return account->pending - before;
}

void member_restore(struct account *account, const struct moment *moment, const struct member_before *before,
                    const struct uuid *ref, int64_t *moved, struct entries *entries)
{
    *moved = 0;
    if (before->was_there) {
        *moved = give_lots(account, moment, before->lots, ref, entries);
        *moved += give_pending(account, moment, before->pending_lots, ref, entries);
        become(account, before);
    } else {
        withdraw(account);
    }
    member_entry(entries, account, moment, ENTRY_MEMBER, 0)->ref = *ref;
    (void)member_catch_up(account, moment, entries);
}
