#include "period_check.h"

#include "base/arena.h"
#include "close_store.h"
#include "day_store.h"
#include "period_store.h"
#include "progress.h"

bool period_check_days(struct close_run *run, const struct period *period, struct date *first, struct error *err)
{
    struct day_state state;
    struct date missing;
    char text[DATE_TEXT];
    bool found;

    if (!day_store_state(run->db, run->programme_no, &state, err))
        return false;
    *first = state.first.days > period->first.days ? state.first : period->first;
    if (first->days > period->last.days) {
        date_format(state.first, text);
        return error_field(err, REASON_FIELD_INVALID, "period", "the programme began on %s, after %s", text,
                           period->text);
    }
    if (!period_store_unsealed(run->db, run->programme_no, *first, period->last, &missing, &found, err))
        return false;
    if (!found)
        return true;
    date_format(missing, text);
    return error_set(err, REASON_DAY_NOT_SEALED, "%s is the first day of %s that is not closed; run day-close first",
                     text, period->text);
}

static bool changed(int32_t bucket, struct date date, const char *what, struct error *err)
{
    char text[DATE_TEXT];

    date_format(date, text);
    return error_set(err, REASON_PERIOD_CHANGED,
                     "bucket %d of %s: %s differs from what was sealed; find out who "
                     "changed the journal",
                     (int)bucket, text, what);
}

/* Sealed ones against those of now, both by bucket; a bucket without a seal must be empty. */
static bool compare_day(struct date date, const struct sealed_bucket *sealed, size_t count, const struct seal *now,
                        struct error *err)
{
    size_t next = 0;

    if (count == 0)
        return changed(0, date, "the seal", err);
    for (int32_t bucket = 0; bucket < BUCKETS_MAX; bucket++) {
        static const struct seal empty;
        bool has_seal = next < count && sealed[next].bucket == bucket;
        const char *what = seal_difference(has_seal ? &sealed[next].seal : &empty, &now[bucket]);
        if (what)
            return changed(bucket, date, has_seal ? what : "the seal", err);
        next += has_seal;
    }
    return true;
}

bool period_check_seals(struct close_run *run, struct date first, struct date last, struct error *err)
{
    CLEANUP(arena_release) struct arena arena = { 0 };
    struct seal *now = arena_alloc(&arena, BUCKETS_MAX * sizeof *now);
    struct sealed_bucket *sealed = arena_alloc(&arena, BUCKETS_MAX * sizeof *sealed);
    int64_t entries;
    size_t count;

    if (!now || !sealed)
        return error_set(err, REASON_INTERNAL, "out of memory");
    if (!day_store_entries(run->db, run->programme_no, first, last, &entries, err))
        return false;
    progress_begin(run->progress, "checking seals", entries);
    for (struct date date = first; date.days <= last.days; date.days++) {
        if (!period_store_seals(run->db, run->programme_no, date, sealed, &count, err) ||
            !close_store_seal_day(run->db, run->programme_no, date, now, run->progress, err) ||
            !compare_day(date, sealed, count, now, err))
            return false;
    }
    progress_end(run->progress);
    return true;
}
