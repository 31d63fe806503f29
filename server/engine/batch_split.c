/* batch_split.c -- a transfer that makes its receiver: what is kept of it, the second member, and its end. */
#include "engine/batch.h"

#include "io/crypto.h"

#include <string.h>

static struct bytes keep_bytes(struct arena *arena, const uint8_t *at, size_t size)
{
    return (struct bytes){ (const uint8_t *)arena_copy(arena, at, size), size };
}

static struct bytes mac_of(bool there, const uint8_t mac[CRYPTO_HASH])
{
    return (struct bytes){ mac, there ? CRYPTO_HASH : 0 };
}

bool batch_keep_split(struct batch *batch, const struct split_order *split, struct batch_transfer *transfer)
{
    struct split_row *row = arena_alloc(&batch->arena, sizeof *row);
    const struct member_profile *profile = split->into.profile, *left = split->left;
    const struct credit_wish *credit = &split->into.credit;
    uint8_t hash[CRYPTO_HASH], left_hash[CRYPTO_HASH];

    if (!row)
        return false;
    batch_profile_hash(profile, hash);
    batch_profile_hash(left, left_hash);
    *row = (struct split_row){
        .id = transfer->row.id,
        .changed_by = split->changed_by,
        .tier = split->into.tier,
        .by_tier = credit->by_tier,
        .credit_limit = credit->limit,
        .temporary_points = credit->temporary.points,
        .temporary_first = credit->temporary.first,
        .temporary_last = credit->temporary.last,
        .card_tokens = { profile->tokens, profile->card_count },
        .facts = batch_profile_text(&batch->arena, profile),
        .sealed = { profile->sealed, profile->sealed_size },
        .phone_mac = mac_of(profile->has_phone, profile->phone_mac),
        .email_mac = mac_of(profile->has_email, profile->email_mac),
        .profile_hash = keep_bytes(&batch->arena, hash, sizeof hash),
        .hash_before = { split->hash_before, sizeof split->hash_before },
        .left_sealed = { left->sealed, left->sealed_size },
        .left_hash = keep_bytes(&batch->arena, left_hash, sizeof left_hash),
    };
    transfer->split = row;
    return row->facts && row->profile_hash.at && row->left_hash.at;
}

enum reason batch_make_second(struct batch *batch, struct batch_account *added, const struct command *command)
{
    const struct member_order *into = &command->transfer.split->into;
    struct member_wish wish = { .has_tier = true, .tier = into->tier, .credit = into->credit };
    bool changed;
    int64_t moved;

    batch_profile_hash(into->profile, wish.profile_hash);
    return member_set(&added->account, &wish, &added->moment, &command->request_id, &changed, &moved, &batch->entries);
}

/*
 * A profile that the bank has pushed while the split was under way is what the bank says; only the cards go. What tells
 * it from another is not known then, and zero is never that of a profile: the next push of it is a change.
 */
void batch_end_split(struct batch *batch, struct batch_account *giver, struct batch_transfer *transfer,
                     const struct uuid *ref)
{
    const struct transfer_row *row = &transfer->row;
    struct account *account = &giver->account;
    static const uint8_t unknown[CRYPTO_HASH]; /* of two such nothing can be said */
    uint8_t hash[CRYPTO_HASH] = { 0 };

    transfer->split_same =
        row->hash_before.size == CRYPTO_HASH && memcmp(row->hash_before.at, unknown, CRYPTO_HASH) != 0 &&
        row->left_hash.size == CRYPTO_HASH && memcmp(account->profile_hash, row->hash_before.at, CRYPTO_HASH) == 0;
    if (transfer->split_same)
        memcpy(hash, row->left_hash.at, CRYPTO_HASH);
    member_set_profile(account, &giver->moment, hash, ref, &batch->entries);
    giver->lessened = true;
}

bool batch_send_splits(struct batch *batch, struct db *db, struct error *err)
{
    struct split_row *rows = arena_alloc(&batch->arena, batch->transfer_count * sizeof *rows);
    size_t count = 0;

    if (batch->transfer_count == 0)
        return true;
    if (!rows)
        return error_set(err, REASON_INTERNAL, "out of memory");
    for (size_t i = 0; i < batch->transfer_count; i++) {
        if (batch->transfers[i].is_new && batch->transfers[i].split)
            rows[count++] = *batch->transfers[i].split;
    }
    struct write_params params = { batch->bucket, { rows, count } };
    return count == 0 || db_queue(db, &lane_insert_splits, &params, err);
}

bool batch_send_split_ends(struct batch *batch, struct db *db, struct error *err)
{
    struct split_end_row *rows = arena_alloc(&batch->arena, batch->transfer_count * sizeof *rows);
    size_t count = 0;

    if (batch->transfer_count == 0)
        return true;
    if (!rows)
        return error_set(err, REASON_INTERNAL, "out of memory");
    for (size_t i = 0; i < batch->transfer_count; i++) {
        const struct batch_transfer *transfer = &batch->transfers[i];
        if (transfer->split_ended)
            rows[count++] = (struct split_end_row){ .id = transfer->row.id,
                                                    .member_id = transfer->row.from_member_id,
                                                    .received = transfer->row.state == TRANSFER_RECEIVED,
                                                    .same = transfer->split_same };
    }
    struct write_params params = { batch->bucket, { rows, count } };
    return count == 0 ||
           (db_queue(db, &lane_split_profiles, &params, err) && db_queue(db, &lane_split_log, &params, err) &&
            db_queue(db, &lane_delete_splits, &params, err));
}
