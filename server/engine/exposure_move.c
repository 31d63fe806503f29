#include "engine/exposure_move.h"

#include "domain/exposure.h"
#include "store/exposure_store.h"

static bool write_part(struct db *db, const struct exposure_need *need, const struct exposure_part *part,
                       struct error *err)
{
    struct exposure_part_params params = { part->bucket, need->bank_no, need->currency, part->allotted };

    return db_execute(db, &exposure_set_part, &params, NULL, err);
}

/* The bucket gets what the hold needs and an even share of the rest, so that it does not come back for the next one. */
static bool share_out(struct db *db, int32_t bucket, struct exposure_need *need, const struct exposure_bank_row *rows,
                      size_t count, struct error *err)
{
    struct exposure_part parts[BUCKETS_MAX];
    size_t own = count;

    for (size_t i = 0; i < count; i++) {
        parts[i] = (struct exposure_part){ rows[i].bucket, rows[i].allotted_minor, rows[i].used_minor };
        if (rows[i].bucket == bucket)
            own = i;
    }
    if (own == count)
        return error_set(err, REASON_INTERNAL, "bucket %d has no part of an exposure limit", (int)bucket);
    need->exhausted = exposure_spread(parts, count, rows[0].limit_minor, own, need->minor) < need->minor;
    for (size_t i = 0; i < count; i++) {
        if (parts[i].allotted != rows[i].allotted_minor && !write_part(db, need, &parts[i], err))
            return false;
    }
    return true;
}

bool exposure_move(struct db *db, int32_t bucket, struct exposure_need *need, struct error *err)
{
    CLEANUP(arena_release) struct arena arena = { 0 };
    struct exposure_bank_params params = { need->bank_no, need->currency };
    void *rows;
    size_t count;
    bool good = db_begin(db, err) && db_fetch(db, &exposure_lock, &params, &arena, &rows, &count, err) &&
                (count <= BUCKETS_MAX || error_set(err, REASON_INTERNAL, "more parts of a limit than buckets")) &&
                share_out(db, bucket, need, rows, count, err) && db_commit(db, err);

    if (!good)
        db_rollback(db);
    return good;
}
