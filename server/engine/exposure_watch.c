#include "engine/exposure_watch.h"

#include "base/limits.h"
#include "domain/exposure.h"
#include "store/exposure_store.h"

static bool warn(struct db *db, const struct exposure_watched_row *row, int32_t level, struct error *err)
{
    const struct exposure_warn_params params = { row->bank_no,     row->currency,      level,   row->used_minor,
                                                 row->limit_minor, row->business_date, row->now };

    return db_execute(db, &exposure_warn, &params, NULL, err);
}

/* A warning for each level on the way up; on the way down the level is only moved. */
static bool move(struct db *db, const struct exposure_watched_row *row, int32_t level, int64_t *told, struct error *err)
{
    const struct exposure_watch_params params = { row->bank_no, row->currency, row->level, level };
    const struct exposure_forget_params forget = { row->bank_no, EXPOSURE_WARNINGS_KEPT };
    int64_t moved = 0;

    if (!db_execute(db, &exposure_watch_begin, &params, NULL, err) ||
        !db_execute(db, &exposure_watch_move, &params, &moved, err))
        return false;
    for (size_t i = 0; moved > 0 && i < EXPOSURE_LEVELS; i++) {
        if (exposure_levels[i] <= row->level || exposure_levels[i] > level)
            continue;
        if (!warn(db, row, exposure_levels[i], err))
            return false;
        ++*told;
    }
    return db_execute(db, &exposure_forget, &forget, NULL, err);
}

static bool move_in_one(struct db *db, const struct exposure_watched_row *row, int32_t level, int64_t *told,
                        struct error *err)
{
    int64_t before = *told;

    if (!db_begin(db, err))
        return false;
    if (move(db, row, level, told, err) && db_commit(db, err))
        return true;
    db_rollback(db);
    *told = before;
    return false;
}

bool exposure_watch_run(struct db *db, int64_t *told, struct error *err)
{
    CLEANUP(arena_release) struct arena arena = { 0 };
    size_t count;
    void *fetched;

    *told = 0;
    if (!db_fetch(db, &exposure_watched, NULL, &arena, &fetched, &count, err))
        return false;
    const struct exposure_watched_row *rows = fetched;
    for (size_t i = 0; i < count; i++) {
        int32_t level = exposure_level(rows[i].used_minor, rows[i].limit_minor, rows[i].level);
        if (level != rows[i].level && !move_in_one(db, &rows[i], level, told, err))
            return false;
    }
    return true;
}
