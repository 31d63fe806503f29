/* batch_write.c -- the second round trip: one final state a row, then COMMIT. */
#include "engine/batch.h"
#include "engine/batch_before.h"
#include "engine/batch_review.h"
#include "engine/batch_spend.h"

#include "domain/packed.h"

/* Row structs of one statement, in the batch's arena. */
#define ROWS(batch, type, count) ((type *)arena_alloc(&(batch)->arena, (count) * sizeof(type)))

static bool out_of_memory(struct error *err)
{
    return error_set(err, REASON_INTERNAL, "out of memory");
}

/* Packed lists, in the batch's arena; false when there is no memory. */
static bool pack_lots(struct batch *batch, const struct lots *lots, struct bytes *out)
{
    uint8_t *at = arena_alloc(&batch->arena, lots->count * PACKED_LOT);

    *out = (struct bytes){ at, lots->count * PACKED_LOT };
    return at && (packed_lots(lots->at, lots->count, at), true);
}

static bool pack_lines(struct batch *batch, const struct order_lines *lines, struct bytes *out)
{
    uint8_t *at = arena_alloc(&batch->arena, lines->count * PACKED_LINE);

    *out = (struct bytes){ at, lines->count * PACKED_LINE };
    return at && (packed_lines(lines, at), true);
}

static bool pack_account(struct batch *batch, const struct account *account, struct account_row *row)
{
    size_t lots = account->lots.count * PACKED_LOT, pending = account->pending_lots.count * PACKED_PENDING,
           holds = account->hold_count * PACKED_HOLD, recent = account->recent.count * PACKED_RECENT,
           credit = PACKED_CREDIT_MAX;
    uint8_t *at = arena_alloc(&batch->arena, lots + pending + holds + recent + credit);

    if (!at)
        return false;
    packed_lots(account->lots.at, account->lots.count, at);
    packed_pending(&account->pending_lots, at + lots);
    packed_holds(account->holds, account->hold_count, at + lots + pending);
    packed_recent(&account->recent, at + lots + pending + holds);
    credit = packed_credit(&account->plan, &account->drawn, at + lots + pending + holds + recent);
    row->lots = (struct bytes){ at, lots };
    row->pending_lots = (struct bytes){ at + lots, pending };
    row->holds = (struct bytes){ at + lots + pending, holds };
    row->recent = (struct bytes){ at + lots + pending + holds, recent };
    row->credit = (struct bytes){ at + lots + pending + holds + recent, credit };
    return true;
}

static bool account_to_row(struct batch *batch, const struct account *account, struct account_row *row)
{
    *row = (struct account_row){
        .member_id = account->member_id,
        .programme_no = account->programme_no,
        .bank_no = account->bank_no,
        .member_ref = account->member_ref,
        .status = account->status,
        .tier = account->tier,
        .available = account->available,
        .held = account->held,
        .pending = account->pending,
        .expired = account->expired,
        .credit_limit = account->credit_limit,
        .credit_used = account->credit_used,
        .counted_on = account->counted_on,
        .day_points = account->day_points,
        .month_points = account->month_points,
        .next_due = account_next_due(account),
        .tier_due = account->tier_due,
        .journal_seq = account->journal_seq,
        .chain = { account->chain, sizeof account->chain },
        .profile_hash = { account->profile_hash, sizeof account->profile_hash },
    };
    return pack_account(batch, account, row);
}

static bool send(struct batch *batch, struct db *db, const struct statement *statement, const void *rows, size_t count,
                 struct error *err)
{
    struct write_params params = { batch->bucket, { rows, count } };

    return count == 0 || db_queue(db, statement, &params, err);
}

static bool send_accounts(struct batch *batch, struct db *db, bool is_new, struct error *err)
{
    struct account_row *rows = ROWS(batch, struct account_row, batch->account_count);
    size_t count = 0;

    if (!rows)
        return out_of_memory(err);
    for (size_t i = 0; i < batch->account_count; i++) {
        const struct batch_account *loaded = &batch->accounts[i];
        if (!loaded->dirty || loaded->is_new != is_new)
            continue;
        if (!account_to_row(batch, &loaded->account, &rows[count]))
            return out_of_memory(err);
        rows[count++].place = loaded->place;
    }
    return send(batch, db, is_new ? &lane_insert_accounts : &lane_update_accounts, rows, count, err);
}

static struct bytes mac_of(bool there, const uint8_t mac[32])
{
    return (struct bytes){ mac, there ? 32 : 0 };
}

static bool profile_to_row(struct batch *batch, const struct member_profile *profile, struct profile_row *row)
{
    *row = (struct profile_row){
        .card_tokens = { profile->tokens, profile->card_count },
        .facts = batch_profile_text(&batch->arena, profile),
        .sealed = { profile->sealed, profile->sealed_size },
        .phone_mac = mac_of(profile->has_phone, profile->phone_mac),
        .email_mac = mac_of(profile->has_email, profile->email_mac),
    };
    return row->facts != NULL;
}

static bool send_profiles(struct batch *batch, struct db *db, struct error *err)
{
    struct profile_row *rows = ROWS(batch, struct profile_row, batch->account_count);
    size_t count = 0;

    if (!rows)
        return out_of_memory(err);
    for (size_t i = 0; i < batch->account_count; i++) {
        const struct batch_account *loaded = &batch->accounts[i];
        const struct member_profile *profile = loaded->profile;
        if (!profile || (loaded->is_new && batch_profile_is_empty(profile)))
            continue;
        if (!profile_to_row(batch, profile, &rows[count]))
            return out_of_memory(err);
        rows[count++].member_id = loaded->account.member_id;
    }
    /* The log and the images read what the profiles were before they are written. */
    return batch_send_befores(batch, db, err) &&
           send(batch, db, &lane_insert_changes, batch->changes, batch->change_count, err) &&
           send(batch, db, &lane_put_profiles, rows, count, err);
}

/* After the profiles and the log are written. */
static bool send_erasures(struct batch *batch, struct db *db, struct error *err)
{
    struct uuid *ids = ROWS(batch, struct uuid, batch->account_count);
    size_t count = 0;

    if (!ids)
        return out_of_memory(err);
    for (size_t i = 0; i < batch->account_count; i++) {
        if (batch->accounts[i].erased)
            ids[count++] = batch->accounts[i].account.member_id;
    }
    struct ids_params params = { batch->bucket, { ids, count } };
    return count == 0 ||
           (db_queue(db, &lane_erase_log, &params, err) && db_queue(db, &lane_erase_profiles, &params, err) &&
            db_queue(db, &lane_erase_befores, &params, err) && db_queue(db, &lane_erase_addresses, &params, err));
}

static bool redemption_to_row(struct batch *batch, const struct batch_redemption *from, struct redemption_row *row)
{
    const struct redemption *redemption = &from->redemption;

    *row = (struct redemption_row){
        .id = redemption->id,
        .member_id = redemption->member_id,
        .programme_no = redemption->programme_no,
        .bank_no = redemption->bank_no,
        .merchant_no = redemption->merchant_no,
        .store_no = redemption->store_no,
        .terminal_id = from->terminal_id,
        .content_hash = { from->content_hash, sizeof from->content_hash },
        .reason = reason_name(redemption->reason),
        .state = redemption->state,
        .points = redemption->points,
        .confirmed_points = redemption->confirmed_points,
        .reversed_points = redemption->reversed_points,
        .currency = redemption->currency,
        .gross_minor = redemption->confirmed.gross_minor,
        .commission_minor = redemption->confirmed.commission_minor,
        .reversed_gross_minor = redemption->reversed.gross_minor,
        .reversed_commission_minor = redemption->reversed.commission_minor,
        .rules_version = redemption->rules_version,
        .terms_version = redemption->terms_version,
        .goods_no = from->goods_no,
        .quantity = from->quantity,
        .ship_to = { from->ship_to, from->ship_to_size },
        .spendable_after = redemption->spendable_after,
        .business_date = redemption->business_date,
        .held_at = redemption->held_at,
        .lapse_at = redemption->lapse_at,
        .draw_credit = redemption->draws.credit,
        .card = (int64_t)redemption->card,
        .lapse_after_us = redemption->lapse_after_us,
        .one_step = redemption->one_step,
        .exposure_currency = redemption->exposure_currency,
        .exposure_minor = redemption->exposure_minor,
        .price_minor = redemption->price_minor,
        .price_currency = redemption->price_currency,
        .cash_minor = redemption->cash_minor,
    };
    return pack_lots(batch, &redemption->draws.lots, &row->draws) && pack_lines(batch, &redemption->lines, &row->lines);
}

static bool send_redemptions(struct batch *batch, struct db *db, bool is_new, struct error *err)
{
    struct redemption_row *rows = ROWS(batch, struct redemption_row, batch->redemption_count);
    size_t count = 0;

    if (!rows)
        return out_of_memory(err);
    for (size_t i = 0; i < batch->redemption_count; i++) {
        const struct batch_redemption *redemption = &batch->redemptions[i];
        if (redemption->is_new != is_new || (!is_new && !redemption->dirty))
            continue;
        if (!redemption_to_row(batch, redemption, &rows[count++]))
            return out_of_memory(err);
    }
    return send(batch, db, is_new ? &lane_insert_redemptions : &lane_update_redemptions, rows, count, err);
}

static bool send_operations(struct batch *batch, struct db *db, struct error *err)
{
    struct operation_row *rows = ROWS(batch, struct operation_row, batch->operation_count);
    size_t count = 0;

    if (!rows)
        return out_of_memory(err);
    for (size_t i = 0; i < batch->operation_count; i++) {
        if (batch->operations[i].is_new)
            rows[count++] = batch->operations[i].row;
    }
    return send(batch, db, &lane_insert_operations, rows, count, err);
}

static bool send_accruals(struct batch *batch, struct db *db, struct error *err)
{
    struct accrual_row *rows = ROWS(batch, struct accrual_row, batch->accrual_count);
    size_t count = 0;

    if (!rows)
        return out_of_memory(err);
    for (size_t i = 0; i < batch->accrual_count; i++) {
        if (batch->accruals[i].is_new)
            rows[count++] = batch->accruals[i].row;
    }
    return send(batch, db, &lane_insert_accruals, rows, count, err);
}

static bool send_changed_accruals(struct batch *batch, struct db *db, struct error *err)
{
    struct accrual_row *rows = ROWS(batch, struct accrual_row, batch->accrual_count);
    size_t count = 0;

    if (!rows)
        return out_of_memory(err);
    for (size_t i = 0; i < batch->accrual_count; i++) {
        if (batch->accruals[i].dirty && !batch->accruals[i].is_new)
            rows[count++] = batch->accruals[i].row;
    }
    return send(batch, db, &lane_update_accruals, rows, count, err);
}

/* A transfer that was made in this batch is still SENT when it ends: SETTLE comes after its answer. */
static bool send_transfers(struct batch *batch, struct db *db, bool is_new, struct error *err)
{
    struct transfer_row *rows = ROWS(batch, struct transfer_row, batch->transfer_count);
    size_t count = 0;

    if (!rows)
        return out_of_memory(err);
    for (size_t i = 0; i < batch->transfer_count; i++) {
        const struct batch_transfer *transfer = &batch->transfers[i];
        if (transfer->is_new == is_new && (is_new || transfer->dirty))
            rows[count++] = transfer->row;
    }
    return send(batch, db, is_new ? &lane_insert_transfers : &lane_update_transfers, rows, count, err);
}

static bool send_exposures(struct batch *batch, struct db *db, struct error *err)
{
    struct exposure_row *rows = ROWS(batch, struct exposure_row, batch->exposures.count);
    size_t count = 0;

    if (!rows)
        return out_of_memory(err);
    for (size_t i = 0; i < batch->exposures.count; i++) {
        const struct exposure *exposure = &batch->exposures.at[i];
        if (exposure->dirty)
            rows[count++] = (struct exposure_row){ .bank_no = exposure->bank_no,
                                                   .currency = exposure->currency,
                                                   .used_minor = exposure->used };
    }
    return send(batch, db, &lane_update_exposures, rows, count, err);
}

static struct journal_row entry_to_row(const struct entry *entry, struct bytes lots)
{
    return (struct journal_row){
        .member_id = entry->member_id,
        .seq = entry->seq,
        .business_date = entry->business_date,
        .at = entry->at,
        .kind = entry->kind,
        .points = entry->points,
        .available_after = entry->available_after,
        .held_after = entry->held_after,
        .credit_used_after = entry->credit_used_after,
        .credit_limit_after = entry->credit_limit_after,
        .ref = entry->ref,
        .redemption_id = entry->redemption_id,
        .programme_no = entry->programme_no,
        .bank_no = entry->bank_no,
        .merchant_no = entry->merchant_no,
        .store_no = entry->store_no,
        .rules_version = entry->rules_version,
        .terms_version = entry->terms_version,
        .currency = entry->currency,
        .gross_minor = entry->gross_minor,
        .commission_minor = entry->commission_minor,
        .hash = { entry->hash, sizeof entry->hash },
        .pending_after = entry->pending_after,
        .lots = lots,
    };
}

static bool send_journal(struct batch *batch, struct db *db, struct error *err)
{
    struct journal_row *rows = ROWS(batch, struct journal_row, batch->entries.count);

    if (!rows)
        return out_of_memory(err);
    for (size_t i = 0; i < batch->entries.count; i++)
        rows[i] = entry_to_row(&batch->entries.at[i], batch->entry_lots[i]);
    return send(batch, db, &lane_insert_journal, rows, batch->entries.count, err);
}

/* Every queued statement answers; the last is COMMIT. Write statements return no rows. */
static bool read_answers(struct db *db, struct error *err)
{
    while (db_pending(db) > 0) {
        if (!db_next(db, NULL, NULL, NULL, err))
            return false;
    }
    return true;
}

bool batch_write(struct batch *batch, struct db *db, struct error *err)
{
    return send_accounts(batch, db, false, err) && send_accounts(batch, db, true, err) &&
           send_profiles(batch, db, err) && batch_send_split_ends(batch, db, err) &&
           send_redemptions(batch, db, true, err) && send_redemptions(batch, db, false, err) &&
           send_operations(batch, db, err) && send_accruals(batch, db, err) && send_changed_accruals(batch, db, err) &&
           send_transfers(batch, db, true, err) && send_transfers(batch, db, false, err) &&
           batch_send_splits(batch, db, err) && send_exposures(batch, db, err) && batch_send_spend(batch, db, err) &&
           batch_send_reviews(batch, db, err) && send_journal(batch, db, err) && send_erasures(batch, db, err) &&
           send(batch, db, &lane_insert_outbox, batch->outbox, batch->outbox_count, err) &&
           db_queue(db, &lane_commit, NULL, err) && db_flush(db, true, err) && read_answers(db, err);
}
