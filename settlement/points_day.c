#include "points_day.h"

#include "close_store.h"
#include "day_store.h"
#include "domain/account.h"
#include "domain/packed.h"
#include "points_store.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What an entry of the kind does with the lots it names; those of other kinds name none. */
static const struct {
    int8_t issued, taken, lapsed;
} flows[ENTRY_KIND_COUNT] = {
    [ENTRY_ACCRUE] = { 1, 0, 0 },         [ENTRY_MATURE] = { 1, 0, 0 },   [ENTRY_ADJUST_ADD] = { 1, 0, 0 },
    [ENTRY_REINSTATE] = { 1, 0, -1 },     [ENTRY_CANCEL] = { 0, -1, 0 },  [ENTRY_LAPSE] = { 0, -1, 0 },
    [ENTRY_RELEASE] = { 0, -1, 0 },       [ENTRY_REVERSE] = { 0, -1, 0 }, [ENTRY_TRANSFER_IN] = { 0, -1, 0 },
    [ENTRY_TRANSFER_BACK] = { 0, -1, 0 }, [ENTRY_HOLD] = { 0, 1, 0 },     [ENTRY_EXPIRE] = { 0, 1, 1 },
    [ENTRY_FORFEIT] = { 0, 1, 0 },        [ENTRY_CLAWBACK] = { 0, 1, 0 }, [ENTRY_ADJUST_TAKE] = { 0, 1, 0 },
    [ENTRY_TRANSFER_OUT] = { 0, 1, 0 },   [ENTRY_CLOSE] = { 0, 1, 1 },    [ENTRY_REOPEN] = { 0, -1, -1 },
};

/* A member whose drawn credit changed, as it lies in the file. */
struct changed {
    int32_t bucket, bank_no;
    struct uuid member_id;
    uint32_t size;
    uint8_t drawn[PACKED_CREDIT_MAX];
};

/* One day: lives in points_day's frame. */
struct work {
    struct close_run *run;
    struct date date;
    struct points_tally lots, drawn;
    FILE *changed;
    bool open; /* a member is at hand */
    int32_t bucket, bank_no;
    struct drawn_days before;
    struct account *account; /* the member's: its id, drawn days and credit used, nothing else */
};

static void work_release(struct work *work)
{
    points_tally_release(&work->lots);
    points_tally_release(&work->drawn);
    free(work->account);
    if (work->changed)
        fclose(work->changed);
}

static bool wrong_shape(const struct points_entry_row *row, const char *what, struct error *err)
{
    return error_set(err, REASON_PERIOD_CHANGED, "bucket %d has an entry with %s of a wrong shape", (int)row->bucket,
                     what);
}

static bool add_lots(struct work *work, const struct points_entry_row *row, struct error *err)
{
    struct lots lots;

    if (row->kind < 0 || row->kind >= ENTRY_KIND_COUNT || !unpack_lots(row->lots.at, row->lots.size, &lots))
        return wrong_shape(row, "lots", err);
    const int8_t signs[POINTS_SUMS] = { [POINTS_SUM_ISSUED] = flows[row->kind].issued,
                                        [POINTS_SUM_TAKEN] = flows[row->kind].taken,
                                        [POINTS_SUM_LAPSED] = flows[row->kind].lapsed };
    for (size_t i = 0; i < lots.count; i++) {
        const struct lot *lot = &lots.at[i];
        for (int sum = 0; sum < POINTS_SUMS; sum++) {
            if (signs[sum] != 0 && !points_tally_add(&work->lots, row->bank_no, lot->funding_no, lot->expires_on,
                                                     (enum points_sum)sum, signs[sum] * lot->points, err))
                return false;
        }
    }
    return true;
}

/* Drawn credit. */

static bool same_days(const struct drawn_days *a, const struct drawn_days *b)
{
    bool same = a->count == b->count;

    for (size_t i = 0; same && i < a->count; i++)
        same = a->at[i].drawn_on.days == b->at[i].drawn_on.days && a->at[i].points == b->at[i].points;
    return same;
}

static bool add_days(struct work *work, const struct drawn_days *days, int sign, struct error *err)
{
    for (size_t i = 0; i < days->count; i++) {
        if (!points_tally_add(&work->drawn, work->bank_no, 0, days->at[i].drawn_on, POINTS_SUM_ISSUED,
                              sign * days->at[i].points, err))
            return false;
    }
    return true;
}

static bool end_member(struct work *work, struct error *err)
{
    const struct account *account = work->account;
    static const struct credit_plan no_plan;
    struct changed changed = { .bucket = work->bucket, .bank_no = work->bank_no, .member_id = account->member_id };

    if (!work->open || same_days(&work->before, &account->drawn))
        return true;
    changed.size = (uint32_t)packed_credit(&no_plan, &account->drawn, changed.drawn);
    if (fwrite(&changed, sizeof changed, 1, work->changed) != 1)
        return error_set(err, REASON_INTERNAL, "cannot write to a temporary file: %s", strerror(errno));
    return add_days(work, &work->before, -1, err) && add_days(work, &account->drawn, 1, err);
}

static bool begin_member(struct work *work, const struct points_entry_row *row, struct error *err)
{
    struct account *account = work->account;
    struct credit_plan plan;

    work->open = true;
    work->bucket = row->bucket;
    work->bank_no = row->bank_no;
    account->member_id = row->member_id;
    if (!unpack_credit(row->drawn.at, row->drawn.size, &plan, &account->drawn))
        return wrong_shape(row, "drawn credit", err);
    account->credit_used = drawn_points(&account->drawn);
    work->before = account->drawn;
    return true;
}

/* As the lane did when it wrote the entry. */
static bool follow_credit(struct work *work, const struct points_entry_row *row, struct error *err)
{
    bool same = work->open && work->bucket == row->bucket &&
                memcmp(&work->account->member_id, &row->member_id, sizeof row->member_id) == 0;

    if (!same && (!end_member(work, err) || !begin_member(work, row, err)))
        return false;
    work->account->credit_used = row->credit_used_after;
    credit_note(work->account, work->date, entry_gives_back(row->kind));
    return true;
}

static bool add_entry(void *owner, const void *of, struct error *err)
{
    const struct points_entry_row *row = of;
    struct work *work = owner;

    if (row->bank_no <= 0)
        return wrong_shape(row, "a bank", err);
    return add_lots(work, row, err) && follow_credit(work, row, err);
}

static bool put_members(struct work *work, struct error *err)
{
    enum { AT_ONCE = 200 };
    struct changed changed[AT_ONCE];
    struct member_drawn_row rows[AT_ONCE];
    size_t count;

    rewind(work->changed);
    while ((count = fread(changed, sizeof changed[0], AT_ONCE, work->changed)) > 0) {
        for (size_t i = 0; i < count; i++)
            rows[i] = (struct member_drawn_row){
                changed[i].bucket, changed[i].member_id, changed[i].bank_no, { changed[i].drawn, changed[i].size }
            };
        if (!points_store_members(work->run->db, work->run->programme_no, rows, count, err))
            return false;
    }
    return !ferror(work->changed) || error_set(err, REASON_INTERNAL, "cannot read a temporary file");
}

static bool points_day(struct close_run *run, struct date date, struct error *err)
{
    CLEANUP(work_release)
    struct work work = { .run = run, .date = date, .account = calloc(1, sizeof *work.account), .changed = tmpfile() };

    if (!work.account || !work.changed)
        return error_set(err, REASON_INTERNAL, "out of memory, or of room for temporary files");
    return points_store_carry(run->db, run->programme_no, date, err) &&
           points_store_each(run->db, run->programme_no, date, add_entry, &work, err) && end_member(&work, err) &&
           points_store_lots(run->db, run->programme_no, date, &work.lots, err) && put_members(&work, err) &&
           points_store_drawn(run->db, run->programme_no, date, &work.drawn, err);
}

static bool do_day(struct close_run *run, struct date date, struct error *err)
{
    if (!db_begin(run->db, err))
        return false;
    if (!points_day(run, date, err) ||
        !close_store_record(run->db, run->programme_no, STEP_POINTS, date, NO_BUCKET, "", err) ||
        !db_commit(run->db, err)) {
        db_rollback(run->db);
        return false;
    }
    close_step(run);
    return true;
}

bool points_days(struct close_run *run, struct date until, struct error *err)
{
    struct day_state state;
    struct date last;
    bool found, rolled_up;

    if (!points_store_last(run->db, run->programme_no, &last, &found, err) ||
        !day_store_state(run->db, run->programme_no, &state, err))
        return false;
    struct date date = { found ? last.days + 1 : state.first.days };
    for (; date.days <= until.days; date.days++) {
        if (!close_store_recorded(run->db, run->programme_no, STEP_ROLL_UP, date, &rolled_up, err))
            return false;
        if (rolled_up && !do_day(run, date, err))
            return false;
    }
    return true;
}
