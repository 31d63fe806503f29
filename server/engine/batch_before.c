/* batch_before.c -- what a member was before a roster batch: kept with what the batch makes of it, and given back. */
#include "engine/batch_before.h"

#include "domain/packed.h"

#include <string.h>

/* The marks of a review: the version and the month it was looked at by, then tier, month and the month ahead each. */
enum { MARKS_HEAD = 8, MARK_BYTES = 12, CREDIT_BYTES = PACKED_CREDIT_MAX };

static uint8_t *put32(uint8_t *at, int32_t value)
{
    for (int i = 3; i >= 0; i--)
        *at++ = (uint8_t)((uint32_t)value >> (8 * i));
    return at;
}

static int32_t get32(const uint8_t *at)
{
    return (int32_t)((uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3]);
}

static bool pack_marks(struct batch *batch, const struct tier_review *review, struct bytes *out)
{
    size_t size = MARKS_HEAD + (size_t)review->mark_count * MARK_BYTES;
    uint8_t *at = arena_alloc(&batch->arena, size);

    *out = (struct bytes){ at, size };
    if (!at)
        return false;
    at = put32(put32(at, review->rules_version), review->month);
    for (int32_t i = 0; i < review->mark_count; i++) {
        const struct tier_mark *mark = &review->marks[i];
        at = put32(put32(put32(at, mark->tier), mark->month), mark->ahead);
    }
    return true;
}

static struct bytes take_bytes(struct arena *arena, const uint8_t *from, size_t size)
{
    return (struct bytes){ (const uint8_t *)arena_copy(arena, from, size), size };
}

static bool pack_points(struct batch *batch, const struct account *account, struct before_row *row)
{
    size_t lots = account->lots.count * PACKED_LOT, pending = account->pending_lots.count * PACKED_PENDING;
    uint8_t *at = arena_alloc(&batch->arena, lots + pending);

    if (!at)
        return false;
    packed_lots(account->lots.at, account->lots.count, at);
    packed_pending(&account->pending_lots, at + lots);
    row->lots = (struct bytes){ at, lots };
    row->pending_lots = (struct bytes){ at + lots, pending };
    return true;
}

static bool closes(const struct command *command)
{
    return command->kind == COMMAND_CLOSE ||
           (command->kind == COMMAND_SET_MEMBER && command->member.status == MEMBER_CLOSED);
}

static bool sets_tier(const struct command *command, const struct account *account)
{
    return command->kind == COMMAND_SET_MEMBER && command->member.has_tier && command->member.tier != account->tier;
}

bool batch_look_before(struct batch *batch, const struct command *command, const struct batch_account *loaded)
{
    const struct account *account = &loaded->account;
    struct before_row *row = &batch->befores[batch->before_count];
    uint8_t *credit;

    if (command->batch_number == 0)
        return true;
    *row = (struct before_row){
        .bank_no = account->bank_no,
        .member_id = account->member_id,
        .batch_number = command->batch_number,
        .was_there = !member_is_withdrawn(account),
        .status = account->status,
        .tier = account->tier,
        .credit_limit = account->credit_limit,
        .profile_hash = take_bytes(&batch->arena, account->profile_hash, sizeof account->profile_hash),
        .facts = "",
    };
    credit = arena_alloc(&batch->arena, CREDIT_BYTES);
    if (!credit || !row->profile_hash.at)
        return false;
    row->credit = (struct bytes){ credit, packed_credit(&account->plan, &account->drawn, credit) };
    return (!closes(command) || pack_points(batch, account, row)) &&
           (!sets_tier(command, account) || !loaded->review || pack_marks(batch, loaded->review, &row->marks));
}

static struct bytes mac_of(bool there, const uint8_t mac[32])
{
    return (struct bytes){ mac, there ? 32 : 0 };
}

/* Known: this very transaction has made it, or set it before. */
static bool take_profile(struct batch *batch, const struct batch_account *loaded, struct before_row *row)
{
    const struct member_profile *profile = loaded->profile;

    row->profile_known = loaded->is_new || profile;
    if (!profile)
        return true;
    row->card_tokens = (struct text_array){ profile->tokens, profile->card_count };
    row->facts = batch_profile_text(&batch->arena, profile);
    row->sealed = (struct bytes){ profile->sealed, profile->sealed_size };
    row->phone_mac = mac_of(profile->has_phone, profile->phone_mac);
    row->email_mac = mac_of(profile->has_email, profile->email_mac);
    return row->facts != NULL;
}

bool batch_keep_before(struct batch *batch, const struct command *command, const struct batch_account *loaded,
                       bool profile_changed)
{
    struct before_row *row = &batch->befores[batch->before_count];

    if (command->batch_number == 0)
        return true;
    row->seq = loaded->account.journal_seq;
    row->profile_changed = profile_changed;
    if (profile_changed && !take_profile(batch, loaded, row))
        return false;
    batch->before_count++;
    return true;
}

bool batch_send_befores(struct batch *batch, struct db *db, struct error *err)
{
    struct write_params params = { batch->bucket, { batch->befores, batch->before_count } };

    return batch->before_count == 0 || db_queue(db, &lane_insert_befores, &params, err);
}

/* Giving back */

/* What was spent since stays; what the bank's word did is undone. */
static bool restore_marks(struct batch *batch, struct batch_account *loaded, const struct restore_order *order)
{
    size_t count = order->marks_size < MARKS_HEAD ? 0 : (order->marks_size - MARKS_HEAD) / MARK_BYTES;
    const uint8_t *at = order->marks;

    if (!batch_review_ready(batch, loaded))
        return false;
    if (!order->has_marks || !loaded->review)
        return true;
    loaded->review->mark_count = 0;
    if (order->marks_size >= MARKS_HEAD) {
        loaded->review->rules_version = get32(at);
        loaded->review->month = get32(at + 4);
    }
    for (size_t i = 0; i < count && i < TIERS_MAX; i++) {
        const uint8_t *mark = at + MARKS_HEAD + i * MARK_BYTES;
        loaded->review->marks[loaded->review->mark_count++] =
            (struct tier_mark){ get32(mark), get32(mark + 4), get32(mark + 8) };
    }
    loaded->reviewed = true;
    return true;
}

enum reason batch_restore(struct batch *batch, const struct command *command, struct batch_account *loaded,
                          int64_t *moved)
{
    const struct restore_order *order = &command->restore;

    if (!restore_marks(batch, loaded, order))
        return REASON_INTERNAL;
    member_restore(&loaded->account, &loaded->moment, order->before, &command->request_id, moved, &batch->entries);
    batch_review_restored(loaded);
    return REASON_OK;
}

bool batch_is_as_read(const struct command *command, const struct batch_account *loaded)
{
    return loaded->seq_read == command->restore.seq && loaded->seq_due == loaded->account.journal_seq;
}
