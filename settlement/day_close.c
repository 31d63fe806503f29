#include "day_close.h"

#include "close_store.h"
#include "day_store.h"
#include "points_day.h"
#include "progress.h"
#include "store/db.h"
#include "store/dispute_store.h"
#include "store/statement_answer_store.h"

/* One step: its work and its row in one transaction. */
typedef bool step_work(struct close_run *run, struct date date, int32_t bucket, struct error *err);

static bool do_step(struct close_run *run, const char *step, struct date date, int32_t bucket, step_work *work,
                    struct error *err)
{
    if (!db_begin(run->db, err))
        return false;
    if (!work(run, date, bucket, err) || !close_store_record(run->db, run->programme_no, step, date, bucket, "", err) ||
        !db_commit(run->db, err)) {
        db_rollback(run->db);
        return false;
    }
    close_step(run);
    return true;
}

static bool do_step_once(struct close_run *run, const char *step, struct date date, step_work *work, struct error *err)
{
    bool there;

    if (!close_store_recorded(run->db, run->programme_no, step, date, &there, err))
        return false;
    return there || do_step(run, step, date, NO_BUCKET, work, err);
}

static bool move_fence(struct close_run *run, struct date date, int32_t bucket, struct error *err)
{
    return day_store_advance(run->db, run->programme_no, bucket, date, err);
}

static bool roll_up(struct close_run *run, struct date date, int32_t bucket, struct error *err)
{
    (void)bucket;
    return day_store_roll_up(run->db, run->programme_no, date, err);
}

static bool seal(struct close_run *run, struct date date, int32_t bucket, struct error *err)
{
    CLEANUP(arena_release) struct arena arena = { 0 };
    struct seal *seals = arena_alloc(&arena, BUCKETS_MAX * sizeof *seals);
    struct progress *progress = progress_is_under_way(run->progress) ? NULL : run->progress; /* else days are counted */
    struct fence_row *fences;
    int64_t entries;
    size_t count;

    (void)bucket;
    if (!seals)
        return error_set(err, REASON_INTERNAL, "out of memory");
    if (!day_store_fences(run->db, run->programme_no, &arena, &fences, &count, err) ||
        !day_store_entries(run->db, run->programme_no, date, date, &entries, err))
        return false;
    progress_begin(progress, "sealing entries", entries);
    if (!close_store_seal_rows(run->ahead, seals, progress, err))
        return false;
    progress_end(progress);
    for (size_t i = 0; i < count; i++) {
        int32_t b = fences[i].bucket;
        if (b < 0 || b >= BUCKETS_MAX)
            return error_set(err, REASON_INTERNAL, "there is a fence for bucket %d", (int)b);
        if (!day_store_put_seal(run->db, run->programme_no, date, b, &seals[b], err))
            return false;
    }
    return true;
}

/* Fences that are past the day already were moved by a run that did not come to its end. */
static bool move_fences(struct close_run *run, struct date date, struct error *err)
{
    CLEANUP(arena_release) struct arena arena = { 0 };
    struct fence_row *fences;
    size_t count;

    if (!day_store_fences(run->db, run->programme_no, &arena, &fences, &count, err))
        return false;
    for (size_t i = 0; i < count; i++) {
        if (fences[i].business_date.days == date.days &&
            !do_step(run, STEP_FENCE, date, fences[i].bucket, move_fence, err))
            return false;
    }
    return true;
}

/* Before the fences move, so that the first entry of a month finds its partition; the month after is made in time. */
static void open_months(struct close_run *run, struct date date)
{
    struct date next = { date.days + 1 };

    if (date_month_start(next, 0).days == next.days)
        day_store_open_month(run->db, next);
    day_store_open_month(run->db, date_month_start(next, 1));
}

/* With each day that begins, some party's time to contest a statement, or to go on with a dispute, is over. */
/* The lock: whoever opens a dispute meanwhile must find the statement marked by it, not freed by another's end. */
static bool confirm_silent(struct close_run *run, struct date date, int32_t bucket, struct error *err)
{
    const struct statement_silence_params params = { run->programme_no, { date.days + 1 } };
    const struct dispute_expire_params expire = { run->programme_no, params.today };
    const struct dispute_programme_params programme = { run->programme_no };

    (void)bucket;
    return db_execute(run->db, &dispute_lock, &programme, NULL, err) &&
           db_execute(run->db, &dispute_expire, &expire, NULL, err) &&
           db_execute(run->db, &dispute_release_expired, &expire, NULL, err) &&
           db_execute(run->db, &dispute_end_expired_breaks, &expire, NULL, err) &&
           db_execute(run->db, &dispute_unmark_statements, &programme, NULL, err) &&
           db_execute(run->db, &statement_silence, &params, NULL, err);
}

/* What the seal is made of is sorted while the day's sums are made. Once the fences are moved nothing joins the day. */
static bool read_ahead(struct close_run *run, struct date date, struct error *err)
{
    struct db *beside;
    bool sealed;

    if (!close_store_recorded(run->db, run->programme_no, STEP_SEAL, date, &sealed, err))
        return false;
    return sealed || (close_beside(run, &beside, err) &&
                      close_store_seal_ahead(beside, run->programme_no, date, &run->ahead, err));
}

static bool close_day(struct close_run *run, struct date date, struct error *err)
{
    open_months(run, date);
    bool good = move_fences(run, date, err) && read_ahead(run, date, err) &&
                do_step_once(run, STEP_ROLL_UP, date, roll_up, err) && points_days(run, date, err) &&
                do_step_once(run, STEP_SEAL, date, seal, err) && do_step_once(run, STEP_DAY, date, confirm_silent, err);

    close_stop_ahead(run);
    return good;
}

static bool check_over(struct close_run *run, struct date date, struct error *err)
{
    char day[DATE_TEXT], now[INSTANT_TEXT], ends[INSTANT_TEXT];
    struct day_end end;

    if (!day_store_end(run->db, run->programme_no, date, &end, err))
        return false;
    if (end.now.us >= end.ends_at.us)
        return true;
    date_format(date, day);
    instant_format(end.now, now);
    instant_format(end.ends_at, ends);
    return error_set(err, REASON_DAY_NOT_OVER, "%s ends at %s and programme time is %s; repeat after its end", day,
                     ends, now);
}

static bool tell(struct close_run *run, const struct day_order *order, struct date date, bool already,
                 struct error *err)
{
    struct day_closed day = { .date = date, .already = already };

    if (!day_store_sealed_count(run->db, run->programme_no, date, &day.entry_count, err))
        return false;
    if (order->tell)
        order->tell(order->owner, &day);
    return true;
}

/* The day to be closed next: one whose close has begun comes first, and is not asked whether it is over. */
static bool close_next(struct close_run *run, const struct day_state *state, const struct day_order *order,
                       struct error *err)
{
    bool unfinished = state->begun.days > 0 && !state->begun_is_finished;
    struct date date = unfinished ? state->begun : state->open;

    return (unfinished || check_over(run, date, err)) && close_day(run, date, err) &&
           tell(run, order, date, false, err);
}

static struct date next_day(const struct day_state *state)
{
    return state->begun.days > 0 && !state->begun_is_finished ? state->begun : state->open;
}

static bool close_only(struct close_run *run, const struct day_state *state, const struct day_order *order,
                       struct error *err)
{
    char asked[DATE_TEXT], open[DATE_TEXT];
    struct date next = next_day(state);

    if (order->only.days == next.days)
        return close_next(run, state, order, err);
    date_format(order->only, asked);
    date_format(next, open);
    if (order->only.days > next.days)
        return error_field(err, REASON_FIELD_INVALID, "date",
                           "%s cannot be closed before %s, which is open; "
                           "close that first, or give --until %s",
                           asked, open, asked);
    date_format(state->first, open);
    if (order->only.days < state->first.days)
        return error_field(err, REASON_FIELD_INVALID, "date", "the programme began on %s, after %s", open, asked);
    return tell(run, order, order->only, true, err);
}

/* One day alone says how far it is itself. */
static void begin_days(struct close_run *run, int64_t total)
{
    if (total > 1)
        progress_begin(run->progress, "closing days", total);
}

static void count_day(struct close_run *run)
{
    if (progress_is_under_way(run->progress))
        progress_add(run->progress, 1);
}

static bool close_until(struct close_run *run, struct day_state state, const struct day_order *order, struct error *err)
{
    int64_t total = order->until.days - next_day(&state).days + 1;

    if (total <= 0)
        return tell(run, order, order->until, true, err);
    begin_days(run, total);
    while (next_day(&state).days <= order->until.days) {
        if (!close_next(run, &state, order, err) || !day_store_state(run->db, run->programme_no, &state, err))
            return false;
        count_day(run);
    }
    progress_end(run->progress);
    return true;
}

/* How many days are over: as many as are 24 hours, give or take the one on which clocks change. */
static bool count_due(struct close_run *run, const struct day_state *state, int64_t *total, struct error *err)
{
    const int64_t day_us = INT64_C(24) * 3600 * 1000 * 1000;
    struct day_end end;

    if (!day_store_end(run->db, run->programme_no, next_day(state), &end, err))
        return false;
    *total = end.now.us >= end.ends_at.us ? (end.now.us - end.ends_at.us) / day_us + 1 : 0;
    return true;
}

static bool close_due(struct close_run *run, struct day_state state, const struct day_order *order, struct error *err)
{
    int64_t total;

    if (!count_due(run, &state, &total, err))
        return false;
    begin_days(run, total);
    while (close_next(run, &state, order, err)) {
        if (!day_store_state(run->db, run->programme_no, &state, err))
            return false;
        count_day(run);
    }
    progress_end(run->progress);
    return err->reason == REASON_DAY_NOT_OVER;
}

bool day_close(struct close_run *run, const struct day_order *order, struct error *err)
{
    struct day_state state;

    if (!day_store_state(run->db, run->programme_no, &state, err))
        return false;
    if (order->due)
        return close_due(run, state, order, err);
    if (order->until.days != 0)
        return close_until(run, state, order, err);
    return order->only.days != 0 ? close_only(run, &state, order, err) : close_next(run, &state, order, err);
}
