/*
 * verify_day.c -- the sums of a bucket's business dates over all ledger accounts, and their seals.
 *
 * Entries come in order of (member_id, seq), which is the order a seal is made in.
 */
#include "engine/verify_walk.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static struct uuid day_key(int32_t programme_no, struct date date)
{
    struct uuid key = { { 0 } };

    memcpy(key.bytes, &programme_no, sizeof programme_no);
    memcpy(key.bytes + 8, &date.days, sizeof date.days);
    return key;
}

static struct verify_day *find_day(struct verify *verify, int32_t programme_no, struct date date)
{
    struct uuid key = day_key(programme_no, date);
    int64_t place = verify_map_find(&verify->day_map, &key);

    return place < 0 ? NULL : &verify->days[place];
}

static struct verify_day *day_of(struct verify *verify, int32_t programme_no, struct date date)
{
    struct verify_day *found = find_day(verify, programme_no, date);
    struct uuid key = day_key(programme_no, date);

    if (found)
        return found;
    if (!verify_grow((void **)&verify->days, &verify->day_room, verify->day_count, sizeof *verify->days) ||
        !verify_map_add(&verify->day_map, &key, verify->day_count))
        return NULL;
    found = &verify->days[verify->day_count++];
    *found = (struct verify_day){ .programme_no = programme_no, .date = date };
    return found;
}

static bool is_members(enum ledger_account account)
{
    return account == LEDGER_SPENDABLE || account == LEDGER_HELD || account == LEDGER_PENDING;
}

static void add_to(struct verify_day *day, enum ledger_account account, int64_t points)
{
    day->sums[account] = verify_sum(day->sums[account], points);
}

/* A member's accounts by how the balances changed, the others by what the kind of entry says: two tellings of one. */
static void add_sums(struct verify_day *day, const struct entry *before, const struct entry *entry)
{
    enum ledger_account from, to;

    entry_accounts(entry->kind, &from, &to);
    if (!is_members(from))
        add_to(day, from, verify_less(0, entry->points));
    if (!is_members(to))
        add_to(day, to, entry->points);
    add_to(day, LEDGER_SPENDABLE, verify_less(entry->available_after, before->available_after));
    add_to(day, LEDGER_SPENDABLE, verify_less(before->credit_used_after, entry->credit_used_after));
    add_to(day, LEDGER_HELD, verify_less(entry->held_after, before->held_after));
    add_to(day, LEDGER_PENDING, verify_less(entry->pending_after, before->pending_after));
}

static void add_to_seal(struct verify_day *day, const struct entry *entry)
{
    uint8_t bytes[CRYPTO_HASH + ENTRY_BYTES + CRYPTO_HASH];

    memcpy(bytes, day->hash, CRYPTO_HASH);
    entry_encode(entry, bytes + CRYPTO_HASH);
    memcpy(bytes + CRYPTO_HASH + ENTRY_BYTES, entry->hash, CRYPTO_HASH);
    crypto_sha256(bytes, sizeof bytes, day->hash);
    day->entries++;
    day->points = verify_sum(day->points, entry->points);
}

static void add_transfers(struct verify *verify, const struct entry *entry)
{
    struct verify_programme *programme = verify_programme_of(verify, entry->programme_no);
    enum ledger_account from, to;

    entry_accounts(entry->kind, &from, &to);
    if (!programme || entry->business_date.days >= programme->open_from.days)
        return;
    if (to == LEDGER_TRANSFER)
        programme->walked = verify_sum(programme->walked, entry->points);
    if (from == LEDGER_TRANSFER)
        programme->walked = verify_less(programme->walked, entry->points);
}

bool verify_day_add(struct verify *verify, const struct entry *before, const struct entry *entry)
{
    struct verify_day *day = day_of(verify, entry->programme_no, entry->business_date);

    if (!day)
        return false;
    add_sums(day, before, entry);
    add_to_seal(day, entry);
    add_transfers(verify, entry);
    return true;
}

static void tell_day(struct verify *verify, enum verify_rule rule, struct date date, const char *what, int64_t is,
                     int64_t should)
{
    char text[DATE_TEXT];

    date_format(date, text);
    verify_tell(verify, rule, NULL, NULL, 0, "bucket %d, %s: %s %" PRId64 ", not %" PRId64, verify->bucket, text, what,
                is, should);
}

static void check_sums(struct verify *verify)
{
    for (size_t i = 0; i < verify->day_count; i++) {
        int64_t sum = 0;
        for (int account = LEDGER_NONE; account < LEDGER_COUNT; account++)
            sum = verify_sum(sum, verify->days[i].sums[account]);
        if (sum != 0 && verify_in_scope(verify, verify->days[i].programme_no))
            tell_day(verify, VERIFY_SUM_NOT_ZERO, verify->days[i].date, "the sum over all ledger accounts is", sum, 0);
    }
}

static bool check_seal(void *owner, const void *row, struct error *err)
{
    struct verify *verify = owner;
    const struct verify_seal_row *seal = row;
    const struct verify_programme *programme = verify_programme_of(verify, seal->programme_no);
    const struct verify_day none = { 0 }, *day = find_day(verify, seal->programme_no, seal->business_date);

    (void)err;
    if (!programme || !verify_in_scope(verify, seal->programme_no) ||
        seal->business_date.days >= programme->open_from.days)
        return true;
    if (!day)
        day = &none;
    if (day->entries != seal->entry_count)
        tell_day(verify, VERIFY_SEAL_DIFFERS, seal->business_date, "the number of entries is", day->entries,
                 seal->entry_count);
    else if (day->points != seal->points)
        tell_day(verify, VERIFY_SEAL_DIFFERS, seal->business_date, "the sum of points is", day->points, seal->points);
    else if (seal->hash.size != CRYPTO_HASH || memcmp(seal->hash.at, day->hash, CRYPTO_HASH) != 0)
        tell_day(verify, VERIFY_SEAL_DIFFERS, seal->business_date, "entries as sealed are", 0, day->entries);
    return true;
}

bool verify_seal_step(struct verify *verify, struct db *db, struct error *err)
{
    const struct verify_bucket_params params = { verify->bucket };

    check_sums(verify);
    return db_each(db, &verify_seals, &params, &verify->each, check_seal, verify, err);
}
