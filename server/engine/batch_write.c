/* batch_write.c -- the second round trip: one final state a row, then COMMIT. */
#include "engine/batch.h"

/* Row structs of one statement, in the batch's arena. */
#define ROWS(batch, type, count) ((type *)arena_alloc(&(batch)->arena, (count) * sizeof(type)))

static bool out_of_memory(struct error *err)
{
    return error_set(err, REASON_INTERNAL, "out of memory");
}

static bool split_lots(struct batch *batch, const struct lots *lots, struct date_array *expires,
                       struct int64_array *points)
{
    struct date *dates = ROWS(batch, struct date, lots->count);
    int64_t *values = ROWS(batch, int64_t, lots->count);

    if (!dates || !values)
        return false;
    for (size_t i = 0; i < lots->count; i++) {
        dates[i] = lots->at[i].expires_on;
        values[i] = lots->at[i].points;
    }
    *expires = (struct date_array){ dates, lots->count };
    *points = (struct int64_array){ values, lots->count };
    return true;
}

static bool split_holds(struct batch *batch, const struct account *account, struct account_row *row)
{
    struct uuid *ids = ROWS(batch, struct uuid, account->hold_count);
    struct instant *lapses = ROWS(batch, struct instant, account->hold_count);

    if (!ids || !lapses)
        return false;
    for (size_t i = 0; i < account->hold_count; i++) {
        ids[i] = account->holds[i].id;
        lapses[i] = account->holds[i].lapse_at;
    }
    row->hold_ids = (struct uuid_array){ ids, account->hold_count };
    row->hold_lapses = (struct instant_array){ lapses, account->hold_count };
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
        .available = account->available,
        .held = account->held,
        .credit_limit = account->credit_limit,
        .credit_used = account->credit_used,
        .journal_seq = account->journal_seq,
        .chain = { account->chain, sizeof account->chain },
        .profile_hash = { account->profile_hash, sizeof account->profile_hash },
    };
    return split_lots(batch, &account->lots, &row->lot_expires, &row->lot_points) && split_holds(batch, account, row);
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
        if (!account_to_row(batch, &loaded->account, &rows[count++]))
            return out_of_memory(err);
    }
    return send(batch, db, is_new ? &lane_insert_accounts : &lane_update_accounts, rows, count, err);
}

static bool send_profiles(struct batch *batch, struct db *db, struct error *err)
{
    struct profile_row *rows = ROWS(batch, struct profile_row, batch->account_count);
    size_t count = 0;

    if (!rows)
        return out_of_memory(err);
    for (size_t i = 0; i < batch->account_count; i++) {
        const struct batch_account *loaded = &batch->accounts[i];
        if (loaded->profile_dirty)
            rows[count++] =
                (struct profile_row){ loaded->account.member_id, { loaded->card_tokens, loaded->card_token_count } };
    }
    return send(batch, db, &lane_put_profiles, rows, count, err);
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
    };
    return split_lots(batch, &redemption->draws.lots, &row->draw_expires, &row->draw_points);
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

static struct journal_row entry_to_row(const struct entry *entry)
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
    };
}

static bool send_journal(struct batch *batch, struct db *db, struct error *err)
{
    struct journal_row *rows = ROWS(batch, struct journal_row, batch->entries.count);

    if (!rows)
        return out_of_memory(err);
    for (size_t i = 0; i < batch->entries.count; i++)
        rows[i] = entry_to_row(&batch->entries.at[i]);
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
           send_profiles(batch, db, err) && send_redemptions(batch, db, true, err) &&
           send_redemptions(batch, db, false, err) && send_operations(batch, db, err) &&
           send_accruals(batch, db, err) && send_journal(batch, db, err) &&
           send(batch, db, &lane_insert_outbox, batch->outbox, batch->outbox_count, err) &&
           db_queue(db, &lane_commit, NULL, err) && db_flush(db, true, err) && read_answers(db, err);
}
