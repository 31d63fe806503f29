/*
 * roster_check.c -- do the rows add up to what the header says, and whom would they close?
 */
#include "service/roster_work.h"

#include "base/exact.h"
#include "base/limits.h"
#include "io/digest.h"
#include "service/roster_rows.h"
#include "store/db.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct totals {
    const struct roster_work *work;
    struct roster_key key;
    struct arena arena; /* of one chunk */
    struct digest digest;
    int64_t rows, credit_limits;
    bool adds_up;
};

static void release(struct totals *totals)
{
    arena_release(&totals->arena);
    digest_release(&totals->digest);
}

static bool add_chunk(void *owner, const void *row, struct error *err)
{
    struct totals *totals = owner;
    struct roster_chunk chunk = *(const struct roster_chunk *)row;
    struct crypto_bytes bytes;

    chunk.bank_no = totals->key.bank_no;
    chunk.batch_number = totals->key.batch_number;
    arena_reset(&totals->arena);
    if (!roster_chunk_open(&chunk, totals->work->key, &totals->arena, &bytes, err))
        return false;
    digest_add(&totals->digest, bytes.at, bytes.size);
    totals->rows += chunk.row_count;
    totals->adds_up &= exact_add(totals->credit_limits, chunk.credit_limit_total, &totals->credit_limits);
    return true;
}

/* Leaves in the batch why it is refused; true when it is not. */
static bool compare(struct totals *totals, struct roster_batch *batch, char detail[ERROR_DETAIL_MAX])
{
    uint8_t hash[CRYPTO_HASH];

    digest_end(&totals->digest, hash);
    if (totals->rows != batch->row_count)
        snprintf(detail, ERROR_DETAIL_MAX, "row_count is %" PRId64 ", and %" PRId64 " rows came", batch->row_count,
                 totals->rows);
    else if (!totals->adds_up || totals->credit_limits != batch->credit_limit_total)
        snprintf(detail, ERROR_DETAIL_MAX, "credit_limit_total is %" PRId64 ", and the rows add up to %" PRId64,
                 batch->credit_limit_total, totals->credit_limits);
    else if (!crypto_equal(hash, batch->rows_sha256.at, CRYPTO_HASH))
        snprintf(detail, ERROR_DETAIL_MAX, "rows_sha256 is not that of the rows that came: one was changed");
    else
        return true;
    batch->state = ROSTER_REFUSED;
    batch->reason = reason_name(REASON_ROSTER_TOTALS);
    batch->detail = detail;
    return false;
}

/* More than the share of the members would be closed. */
static bool is_too_many(const struct roster_work *work, const struct roster_batch *batch)
{
    int64_t share = batch->max_close_share_bp ? batch->max_close_share_bp : work->close_share_bp;

    return (__int128)batch->to_close * 10000 > (__int128)batch->members * share;
}

static bool look_up(const struct roster_work *work, struct db *db, const struct roster_key *key,
                    struct roster_batch *batch, struct error *err)
{
    int64_t twice;

    if (!roster_find_twice(db, key, &twice, err))
        return false;
    if (batch->kind == ROSTER_FULL && !roster_find_closings(db, key, &batch->to_close, &batch->members, err))
        return false;
    batch->state = is_too_many(work, batch) ? ROSTER_WAITING_RELEASE : ROSTER_APPLYING;
    return true;
}

static bool decide(struct roster_work *work, struct db *db, struct roster_batch *batch, bool good, struct error *err)
{
    const struct roster_key key = { batch->bank_no, batch->batch_number };

    return (good ? look_up(work, db, &key, batch, err) : roster_clear(db, &key, false, ROSTER_KEPT, err)) &&
           roster_keep(db, batch, &work->lease, err);
}

bool roster_check(struct roster_work *work, struct db *db, struct roster_batch *batch, struct error *err)
{
    CLEANUP(release) struct totals totals = { .work = work, .adds_up = true };
    char detail[ERROR_DETAIL_MAX];

    totals.key = (struct roster_key){ batch->bank_no, batch->batch_number };
    digest_begin(&totals.digest);
    if (!roster_each_chunk(db, &totals.key, add_chunk, &totals, err))
        return false;
    bool good = compare(&totals, batch, detail);
    if (!db_begin(db, err))
        return false;
    if (decide(work, db, batch, good, err) && db_commit(db, err))
        return true;
    db_rollback(db);
    return false;
}
