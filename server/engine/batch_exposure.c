/*
 * batch_exposure.c -- this bucket's parts of the banks' exposure limits, and where they come from when one is used up.
 *
 * All batches lock rows of `exposure` in one order: bank, currency, bucket.
 */
#include "base/exact.h"
#include "domain/exposure.h"

#include "engine/batch.h"
#include "store/exposure_store.h"

#include <string.h>

bool batch_queue_exposures(struct batch *batch, struct db *db, const int64_t *banks, size_t count, struct error *err)
{
    int64_t needed[BATCH_EXPOSURES_MAX];

    for (size_t i = 0; i < batch->need_count; i++)
        needed[i] = batch->needs[i].bank_no;
    struct exposures_params params = { batch->bucket, { banks, count }, { needed, batch->need_count } };
    return db_queue(db, &lane_load_exposures, &params, err);
}

static struct exposure *find(struct batch *batch, int32_t bank_no, const char *currency)
{
    for (size_t i = 0; i < batch->exposures.count; i++) {
        struct exposure *exposure = &batch->exposures.at[i];
        if (exposure->bank_no == bank_no && strcmp(exposure->currency, currency) == 0)
            return exposure;
    }
    return NULL;
}

static bool take_own(struct batch *batch, const struct exposure_row *row, struct error *err)
{
    if (batch->exposures.count == BATCH_EXPOSURES_MAX)
        return error_set(err, REASON_INTERNAL, "more exposure limits than a batch takes");
    struct exposure *exposure = &batch->exposures.at[batch->exposures.count++];
    *exposure = (struct exposure){ row->bank_no, "", row->allotted_minor, row->used_minor, false };
    memcpy(exposure->currency, row->currency, strnlen(row->currency, CURRENCY_TEXT - 1));
    return true;
}

/* Written at once: whether or not the holds come to use it, the parts together are what the limit leaves. */
static bool write_part(struct db *db, const struct exposure_need *need, const struct exposure_part *part,
                       struct error *err)
{
    struct exposure_part_params params = { part->bucket, need->bank_no, need->currency, part->allotted };

    return db_queue(db, &exposure_set_part, &params, err) && db_flush(db, false, err) &&
           db_next(db, NULL, NULL, NULL, err);
}

/* This bucket gets what its holds need, and everybody an even share of the rest. */
static bool share_out(struct batch *batch, struct db *db, const struct exposure_need *need,
                      const struct exposure_row *rows, size_t count, struct error *err)
{
    struct exposure *own = find(batch, need->bank_no, need->currency);
    struct exposure_part parts[BUCKETS_MAX];
    int64_t before[BUCKETS_MAX], limit = 0;
    size_t n = 0, first = 0;

    for (size_t i = 0; i < count && n < BUCKETS_MAX; i++) {
        if (rows[i].bank_no != need->bank_no || strcmp(rows[i].currency, need->currency) != 0)
            continue;
        first = rows[i].bucket == batch->bucket ? n : first;
        limit = rows[i].limit_minor;
        before[n] = rows[i].allotted_minor;
        parts[n++] = (struct exposure_part){ rows[i].bucket, rows[i].allotted_minor, rows[i].used_minor };
    }
    if (!own || n == 0)
        return error_set(err, REASON_INTERNAL, "bucket %d has no part of an exposure limit", (int)batch->bucket);
    exposure_spread(parts, n, limit, first, need->minor);
    own->allotted = parts[first].allotted;
    for (size_t i = 0; i < n; i++) {
        if (parts[i].allotted != before[i] && !write_part(db, need, &parts[i], err))
            return false;
    }
    return true;
}

bool batch_read_exposures(struct batch *batch, struct db *db, struct error *err)
{
    void *fetched;
    size_t count;
    bool good = db_next(db, &batch->arena, &fetched, &count, err);
    const struct exposure_row *rows = good ? fetched : NULL;

    for (size_t i = 0; good && i < count; i++)
        good = rows[i].bucket != batch->bucket || take_own(batch, &rows[i], err);
    for (size_t i = 0; good && i < batch->need_count; i++)
        good = share_out(batch, db, &batch->needs[i], rows, count, err);
    return good;
}

/*
 * What one hold would take at most: its member may not be there yet, or have another tier by then. `asking` is of the
 * same bank, and lends its rules.
 */
static int64_t needed_by(struct batch *batch, const struct command *command, const struct batch_account *asking,
                         const char *currency)
{
    bool holds = command->kind == COMMAND_HOLD || command->kind == COMMAND_REDEEM;

    if (!holds || command->bank_no != asking->account.bank_no || points_in_range(command->hold.points, 1) != REASON_OK)
        return 0;
    struct moment moment = batch_moment(batch, asking, command->merchant_no, command->hold.goods_no);
    bool counts = moment.terms && strcmp(moment.terms->currency, currency) == 0;
    return counts ? redemption_most_owed(&moment, command->hold.points) : 0;
}

/*
 * All of them together, so that the batch is run again once; INT64_MAX when that is too much to say. Each is rounded by
 * itself, as it will be when it is decided.
 */
static int64_t needed_by_all(struct batch *batch, const struct command *command, const char *currency)
{
    const struct batch_account *asking = batch_account(batch, &command->member_id);
    int64_t sum = 0;

    for (size_t i = 0; asking && i < batch->command_count; i++) {
        if (!exact_add(sum, needed_by(batch, batch->commands[i], asking, currency), &sum))
            return INT64_MAX;
    }
    return sum;
}

void batch_need_exposure(struct batch *batch, const struct command *command, const struct moment *moment)
{
    const char *currency = moment->terms->currency;

    for (size_t i = 0; i < batch->need_count; i++) {
        if (batch->needs[i].bank_no == command->bank_no && strcmp(batch->needs[i].currency, currency) == 0)
            return;
    }
    if (batch->need_count == BATCH_EXPOSURES_MAX)
        return;
    struct exposure_need *need = &batch->needs[batch->need_count++];
    *need = (struct exposure_need){ .bank_no = command->bank_no, .minor = needed_by_all(batch, command, currency) };
    memcpy(need->currency, currency, CURRENCY_TEXT);
    batch->lacking = true;
}
