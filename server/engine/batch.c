#include "engine/batch.h"

#include <stdlib.h>
#include <string.h>

struct batch *batch_new(void)
{
    return calloc(1, sizeof(struct batch));
}

void batch_free(struct batch *batch)
{
    if (!batch)
        return;
    arena_release(&batch->arena);
    free(batch->entries.at);
    free(batch->entries.lots);
    free(batch);
}

static void begin(struct batch *batch, int32_t bucket, struct command *const *commands, size_t count)
{
    arena_reset(&batch->arena);
    batch->bucket = bucket;
    batch->commands = commands;
    batch->command_count = count;
    batch->reference_needed = 0;
    batch->account_count = batch->redemption_count = batch->operation_count = batch->accrual_count = 0;
    batch->outbox_count = batch->entries.count = batch->entries.lot_count = batch->fence_count = 0;
    batch->transfer_count = batch->paced_count = batch->change_count = batch->tier_change_count = 0;
    batch->before_count = 0;
    batch->lacking = batch->out_of_memory = false;
    batch->exposures = (struct exposures){ batch->exposure_rows, 0 };
    uuid_index_clear(&batch->account_index);
    uuid_index_clear(&batch->redemption_index);
    uuid_index_clear(&batch->operation_index);
    uuid_index_clear(&batch->accrual_index);
    uuid_index_clear(&batch->transfer_index);
}

/* Out of a transaction that will not be committed, whatever state the pipeline is in. */
static void abandon(struct db *db)
{
    struct error ignored = { 0 };

    if (db_pipeline_end(db, &ignored))
        db_rollback(db);
}

bool batch_run(struct batch *batch, struct db *db, struct reference_source *source, int32_t bucket,
               struct command *const *commands, size_t count, struct error *err)
{
    begin(batch, bucket, commands, count);
    batch->reference = reference_acquire(source);
    bool good = db_pipeline_begin(db, err) && batch_load(batch, db, err) && batch_decide(batch, err) &&
                batch_write(batch, db, err) && db_pipeline_end(db, err);
    if (!good) {
        abandon(db);
        batch_give_back_pace(batch, 0);
    }
    reference_release(batch->reference);
    return good;
}

struct batch_account *batch_account(struct batch *batch, const struct uuid *member_id)
{
    int place = uuid_index_find(&batch->account_index, member_id);

    return place < 0 ? NULL : &batch->accounts[place];
}

struct batch_redemption *batch_redemption(struct batch *batch, const struct uuid *id)
{
    int place = uuid_index_find(&batch->redemption_index, id);

    return place < 0 ? NULL : &batch->redemptions[place];
}

const struct fence_row *batch_fence(const struct batch *batch, int32_t programme_no)
{
    for (size_t i = 0; i < batch->fence_count; i++) {
        if (batch->fences[i].programme_no == programme_no)
            return &batch->fences[i];
    }
    return NULL;
}

/* Only the head is cleared: the lists behind it are as long as their counts say. */
struct batch_account *batch_add_account(struct batch *batch, const struct uuid *member_id)
{
    if (batch->account_count == BATCH_MAX)
        return NULL;
    struct batch_account *added = &batch->accounts[batch->account_count];
    memset(&added->account, 0, offsetof(struct account, recent));
    added->account.recent.count = added->account.pending_lots.count = added->account.lots.count = 0;
    added->account.member_id = *member_id;
    memset(&added->moment, 0, sizeof *added - offsetof(struct batch_account, moment));
    uuid_index_add(&batch->account_index, member_id, (int)batch->account_count++);
    return added;
}

struct batch_redemption *batch_add_redemption(struct batch *batch, const struct uuid *id)
{
    if (batch->redemption_count == BATCH_REDEMPTIONS_MAX)
        return NULL;
    struct batch_redemption *added = &batch->redemptions[batch->redemption_count];
    memset(added, 0, offsetof(struct batch_redemption, redemption) + offsetof(struct redemption, lines));
    added->redemption.lines.count = 0;
    added->redemption.draws.credit = 0;
    added->redemption.draws.lots.count = 0;
    added->redemption.id = *id;
    uuid_index_add(&batch->redemption_index, id, (int)batch->redemption_count++);
    return added;
}
