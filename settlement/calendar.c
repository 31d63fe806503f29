#include "calendar.h"

#include "store/calendar_store.h"

bool calendar_load(struct db *db, int32_t programme_no, struct arena *arena, struct calendar *calendar,
                   struct error *err)
{
    const struct calendar_about_params params = { programme_no };
    struct calendar_about_row about = { 0 };
    void *rows;
    size_t count;
    bool found;

    if (!db_fetch_one(db, &calendar_about, &params, arena, &about, &found, err) ||
        !db_fetch(db, &calendar_held, &params, arena, &rows, &count, err))
        return false;
    struct special_day *days = arena_alloc(arena, (count + 1) * sizeof *days);
    if (!days)
        return error_set(err, REASON_INTERNAL, "out of memory");
    for (size_t i = 0; i < count; i++) {
        const struct calendar_held_row *row = (const struct calendar_held_row *)rows + i;
        days[i] = (struct special_day){ row->on_date, row->working };
    }
    *calendar = (struct calendar){ { days, count, about.from }, about.version };
    return true;
}
