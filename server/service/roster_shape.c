#include "service/roster_shape.h"

#include "engine/reference.h"
#include "service/shape.h"

#include <string.h>

typedef Alliance__V1__RosterBatch Batch;
typedef Alliance__V1__RosterHeader Header;

static Header *shape_header(struct arena *arena, const struct roster_batch *batch, const char *bank_id)
{
    Header *header = shape_new(arena, &alliance__v1__roster_header__descriptor);

    if (!header)
        return NULL;
    header->bank_id = shape_text(arena, bank_id);
    header->batch_number = batch->batch_number;
    header->business_date = shape_date(arena, batch->business_date);
    header->kind = (Alliance__V1__RosterKind)batch->kind;
    header->row_count = batch->row_count;
    header->credit_limit_total = batch->credit_limit_total;
    header->rows_sha256.data = (uint8_t *)arena_copy(arena, batch->rows_sha256.at, batch->rows_sha256.size);
    header->rows_sha256.len = batch->rows_sha256.size;
    header->max_close_share_bp = batch->max_close_share_bp;
    return header->bank_id && header->business_date && header->rows_sha256.data ? header : NULL;
}

static void copy_counts(const struct roster_batch *batch, Batch *shown)
{
    shown->staged_rows = batch->staged_rows;
    shown->applied_rows = batch->applied_rows;
    shown->created = batch->created;
    shown->changed = batch->changed;
    shown->unchanged = batch->unchanged;
    shown->refused = batch->refused;
    shown->to_close = batch->to_close;
    shown->closed = batch->closed;
    shown->close_refused = batch->close_refused;
    shown->members = batch->members;
}

Batch *roster_shape(struct arena *arena, const struct roster_batch *batch, const char *bank_id)
{
    Batch *shown = shape_new(arena, &alliance__v1__roster_batch__descriptor);

    if (!shown)
        return NULL;
    copy_counts(batch, shown);
    shown->header = shape_header(arena, batch, bank_id);
    shown->state = (Alliance__V1__RosterState)batch->state;
    shown->reason = shape_text(arena, batch->reason);
    shown->detail = shape_text(arena, batch->detail);
    shown->pushed_by = shape_text(arena, batch->pushed_by);
    shown->released_by = shape_text(arena, batch->released_by);
    shown->begun_at = shape_instant(arena, batch->begun_at);
    shown->changed_at = shape_instant(arena, batch->changed_at);
    bool whole = shown->header && shown->reason && shown->detail && shown->pushed_by && shown->released_by &&
                 shown->begun_at && shown->changed_at;
    return whole ? shown : NULL;
}

bool roster_reply(struct errand *errand, const struct roster_batch *batch, const char *bank_id, struct error *err)
{
    const struct roster_key key = { batch->bank_no, batch->batch_number };
    struct arena *arena = &errand->call->arena;
    Alliance__V1__RosterBatch *shown = roster_shape(arena, batch, bank_id);
    struct roll_back roll;
    bool found;

    if (!shown)
        return errand_no_room(err);
    if (!roll_back_find(errand->db, &key, arena, &roll, &found, err))
        return false;
    errand->reply = &shown->base;
    return !found || roster_shape_roll_back(arena, &roll, shown) || errand_no_room(err);
}

bool roster_bank(struct errand *errand, const char *bank_id, int32_t *bank_no, struct error *err)
{
    const struct bank *bank = reference_bank(errand->reference, bank_id);

    *bank_no = bank ? bank->no : 0;
    return bank || error_field(err, REASON_BANK_NOT_FOUND, "bank_id", "%s", "");
}

bool roster_must_find(struct errand *errand, const struct roster_key *key, bool lock, struct roster_batch *batch,
                      struct error *err)
{
    bool found;

    if (!roster_find(errand->db, key, lock, &errand->call->arena, batch, &found, err))
        return false;
    return found || error_field(err, REASON_ROSTER_BATCH_NOT_FOUND, "batch_number", "%s", "");
}
