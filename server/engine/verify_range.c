/*
 * verify_range.c -- a range of members: their accounts and all their entries, read side by side in order of member_id.
 *
 * What is remembered of entries (redemptions, requests) is bounded: a member with more entries than that is alone in
 * its range, and its entries are read several times, each time for another part of its redemptions and requests.
 */
#include "engine/journal_entry.h"
#include "engine/verify_walk.h"

#include <stdlib.h>
#include <string.h>

enum { MEMBERS_AT_ONCE = 256, ENTRIES_AT_ONCE = 5000, ENTRIES_REMEMBERED = 50000, PARTS_MAX = 1024 };

/* A reading of the range's entries. */
struct reading {
    struct verify *verify;
    size_t next;                 /* account that has not been passed yet */
    struct verify_member orphan; /* of entries without an account */
    struct verify_member *at;    /* whose entries come by */
    uint32_t part, parts;
};

static const struct uuid last_uuid = { { 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
                                         255 } };

static struct uuid just_before(struct uuid id)
{
    for (int i = 15; i >= 0 && id.bytes[i]-- == 0; i--)
        ;
    return id;
}

static bool is_one_member(const struct verify *verify)
{
    return !uuid_is_zero(&verify->scope.member_id);
}

static void begin_members(struct verify *verify)
{
    for (size_t i = 0; i < verify->account_count; i++)
        verify->members[i] = (struct verify_member){ .account = &verify->accounts[i],
                                                     .place = i,
                                                     .member_id = verify->accounts[i].member_id };
}

/* How many of the accounts make the range: as many as have not too many entries, one at least. */
static size_t cut(const struct verify_account_row *accounts, size_t count)
{
    int64_t entries = 0;
    size_t taken = 0;

    while (taken < count && (taken == 0 || entries < ENTRIES_AT_ONCE)) {
        int64_t more = accounts[taken].journal_seq;
        if (taken > 0 && more > ENTRIES_AT_ONCE)
            break;
        entries = more > 0 ? verify_sum(entries, more) : entries;
        taken++;
    }
    return taken;
}

static bool load_accounts(struct verify *verify, struct db *db, struct verify_range_params *range, bool *more,
                          struct error *err)
{
    bool one = is_one_member(verify);
    struct verify_accounts_params params = { verify->bucket, one ? just_before(verify->scope.member_id) : verify->after,
                                             one ? verify->scope.member_id : last_uuid, MEMBERS_AT_ONCE };
    size_t count;
    void *rows;

    arena_reset(&verify->rows);
    if (!db_fetch(db, &verify_accounts, &params, &verify->rows, &rows, &count, err))
        return false;
    verify->accounts = rows;
    verify->account_count = cut(verify->accounts, count);
    verify->members = arena_alloc(&verify->rows, (verify->account_count + 1) * sizeof *verify->members);
    if (!verify->members)
        return verify_no_memory(err);
    begin_members(verify);
    *more = !one && (count == MEMBERS_AT_ONCE || verify->account_count < count);
    *range = (struct verify_range_params){ verify->bucket, params.after, params.last };
    if (*more)
        range->last = verify->accounts[verify->account_count - 1].member_id;
    return true;
}

/* Whose entry that is. Entries and accounts come in one order. */
static struct verify_member *member_of(struct reading *reading, const struct uuid *member_id)
{
    struct verify *verify = reading->verify;

    if (reading->at && uuid_compare(&reading->at->member_id, member_id) == 0)
        return reading->at;
    while (reading->next < verify->account_count &&
           uuid_compare(&verify->accounts[reading->next].member_id, member_id) < 0)
        reading->next++;
    bool there = reading->next < verify->account_count &&
                 uuid_compare(&verify->accounts[reading->next].member_id, member_id) == 0;
    if (!there)
        reading->orphan = (struct verify_member){ .place = SIZE_MAX, .member_id = *member_id };
    reading->at = there ? &verify->members[reading->next] : &reading->orphan;
    return reading->at;
}

static bool in_part(const struct reading *reading, const struct entry *entry)
{
    const struct uuid *id = uuid_is_zero(&entry->redemption_id) ? &entry->ref : &entry->redemption_id;

    return reading->parts == 1 || ((uint32_t)id->bytes[14] << 8 | id->bytes[15]) % reading->parts == reading->part;
}

static bool read_entry(void *owner, const void *row, struct error *err)
{
    struct reading *reading = owner;
    struct verify *verify = reading->verify;
    struct verify_member *member = member_of(reading, &((const struct journal_row *)row)->member_id);
    struct entry entry;
    bool readable = journal_entry(row, &entry);

    if (!verify_in_scope(verify, member->account ? member->account->programme_no : entry.programme_no))
        return true;
    if (!readable && reading->part == 0)
        verify_tell(verify, VERIFY_ENTRY_IMPOSSIBLE, member->account, &member->member_id, entry.seq,
                    "its currency, hash or lots are of no entry");
    if (reading->part == 0 && !verify_member_entry(verify, member, row, &entry))
        return verify_no_memory(err);
    if (member->account && in_part(reading, &entry) && !verify_cause_add(verify, member, &entry))
        return verify_no_memory(err);
    return true;
}

static void forget_causes(struct verify *verify)
{
    verify->hold_count = verify->cause_count = 0;
    verify_map_clear(&verify->hold_map);
    verify_map_clear(&verify->cause_map);
}

static uint32_t parts_of(const struct verify *verify)
{
    int64_t entries = verify->account_count == 1 ? verify->accounts[0].journal_seq : 0;
    int64_t parts = entries > 0 ? entries / ENTRIES_REMEMBERED + 1 : 1;

    return (uint32_t)(parts < PARTS_MAX ? parts : PARTS_MAX);
}

static bool read_range(struct verify *verify, struct db *db, const struct verify_range_params *range, struct error *err)
{
    uint32_t parts = parts_of(verify);

    for (uint32_t part = 0; part < parts; part++) {
        struct reading reading = { .verify = verify, .part = part, .parts = parts };
        forget_causes(verify);
        if (!db_each(db, &verify_entries, range, &verify->each, read_entry, &reading, err) ||
            !verify_cause_check(verify, db, err))
            return false;
    }
    for (size_t i = 0; i < verify->account_count; i++) {
        if (verify_in_scope(verify, verify->accounts[i].programme_no))
            verify_member_end(verify, &verify->members[i]);
    }
    return true;
}

bool verify_range_step(struct verify *verify, struct db *db, bool *more, struct error *err)
{
    struct verify_range_params range;

    if (!load_accounts(verify, db, &range, more, err) || !read_range(verify, db, &range, err))
        return false;
    verify->after = range.last;
    forget_causes(verify);
    return true;
}
