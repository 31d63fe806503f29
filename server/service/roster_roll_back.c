/*
 * roster_roll_back.c -- a roster batch that two persons want rolled back: all of its members are looked at first, and
 * when anything was built on one of them nothing is done. Then each is undone, window by window.
 *
 * What is built on a member between the two looks stays, and so does that member: it is named in the end.
 */
#include "service/roster_undo.h"

#include "io/clock.h"
#include "store/db.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { NAMED = 20, NAMES_TEXT = NAMED * (MEMBER_REF_MAX + 100), BY_TEXT = 400 };

struct rolling {
    struct roster_work *work;
    struct db *db;
    struct roster_batch *batch;
    struct roll_back roll;
    struct undo_window window;
    char names[NAMES_TEXT], by[BY_TEXT];
};

static void note(struct rolling *rolling, const char *member_ref, const char *why)
{
    size_t used = strlen(rolling->names);

    if (rolling->roll.found++ < NAMED)
        snprintf(rolling->names + used, sizeof rolling->names - used, "%s%s (%s)", used ? ", " : "", member_ref, why);
    rolling->roll.detail = rolling->names;
}

static void note_all(struct rolling *rolling)
{
    for (size_t i = 0; i < rolling->window.count; i++) {
        const struct undo_member *member = &rolling->window.members[i];
        if (member->why)
            note(rolling, member->row ? member->row->member_ref : "?", member->why);
    }
}

static void go_to(struct rolling *rolling, enum roll_back_phase phase)
{
    rolling->roll.phase = (int16_t)phase;
    rolling->roll.next_row = 1;
    rolling->roll.after_member = (struct uuid){ { 0 } };
}

static void refuse(struct rolling *rolling, enum reason reason)
{
    rolling->roll.phase = ROLL_BACK_REFUSED;
    rolling->roll.refused = reason_name(reason);
    rolling->batch->state = ROSTER_APPLIED;
}

/* Checking */

static void end_check(struct rolling *rolling)
{
    if (rolling->roll.found > 0)
        refuse(rolling, REASON_ROSTER_BUILT_ON);
    else
        go_to(rolling, ROLL_BACK_ROWS);
}

static bool check_rows(struct rolling *rolling, struct error *err)
{
    struct undo_window *window = &rolling->window;

    if (!undo_fill_rows(window, rolling->roll.next_row, err) || !undo_inspect(window, err))
        return false;
    note_all(rolling);
    rolling->roll.next_row += window->rows;
    if (rolling->roll.found >= NAMED)
        end_check(rolling);
    else if (window->rows == 0 && rolling->roll.next_row <= rolling->batch->row_count)
        refuse(rolling, REASON_ROSTER_NOTHING_KEPT);
    else if (window->rows == 0)
        go_to(rolling, ROLL_BACK_CHECKING_CLOSINGS);
    return true;
}

static bool check_closings(struct rolling *rolling, struct error *err)
{
    struct undo_window *window = &rolling->window;

    if (!undo_fill_closings(window, &rolling->roll.after_member, err) || !undo_inspect(window, err))
        return false;
    note_all(rolling);
    rolling->roll.after_member = window->last_member;
    if (window->rows == 0 || rolling->roll.found >= NAMED)
        end_check(rolling);
    return true;
}

/* Undoing */

static void count_one(struct roll_back *roll, const struct undo_member *member)
{
    const struct undo_row *row = member->row;
    bool opened = member->part == UNDO_CLOSED || (row->status_now == MEMBER_CLOSED && row->status != MEMBER_CLOSED);

    roll->points_back += member->command.answer.points;
    if (!member->before.was_there)
        roll->withdrawn++;
    else if (opened)
        roll->reopened++;
    else
        roll->restored++;
}

static bool undo_window(struct rolling *rolling, struct error *err)
{
    struct undo_window *window = &rolling->window;

    window->undoing = true;
    if (window->count == 0)
        return true;
    if (!undo_inspect(window, err) || !undo_do(window, err))
        return false;
    for (size_t i = 0; i < window->count; i++) {
        if (!window->members[i].why)
            count_one(&rolling->roll, &window->members[i]);
    }
    note_all(rolling);
    return true;
}

static bool undo_rows(struct rolling *rolling, struct error *err)
{
    if (!undo_fill_rows(&rolling->window, rolling->roll.next_row, err) || !undo_window(rolling, err))
        return false;
    rolling->roll.next_row += rolling->window.rows;
    if (rolling->window.rows == 0)
        go_to(rolling, ROLL_BACK_CLOSINGS);
    return true;
}

static bool undo_closings(struct rolling *rolling, struct error *err)
{
    if (!undo_fill_closings(&rolling->window, &rolling->roll.after_member, err) || !undo_window(rolling, err))
        return false;
    rolling->roll.after_member = rolling->window.last_member;
    if (rolling->window.rows == 0) {
        rolling->roll.phase = ROLL_BACK_DONE;
        rolling->batch->state = ROSTER_ROLLED_BACK;
    }
    return true;
}

static bool (*const steps[])(struct rolling *rolling, struct error *err) = {
    [ROLL_BACK_CHECKING_ROWS] = check_rows,
    [ROLL_BACK_CHECKING_CLOSINGS] = check_closings,
    [ROLL_BACK_ROWS] = undo_rows,
    [ROLL_BACK_CLOSINGS] = undo_closings,
};

static bool is_under_way(const struct rolling *rolling)
{
    return rolling->roll.phase >= ROLL_BACK_CHECKING_ROWS && rolling->roll.phase <= ROLL_BACK_CLOSINGS;
}

static bool keep(struct rolling *rolling, struct error *err)
{
    int64_t since_us = clock_monotonic_us();

    if (!db_begin(rolling->db, err))
        return false;
    if (roll_back_keep(rolling->db, &rolling->roll, err) &&
        roster_keep(rolling->db, rolling->batch, &rolling->work->lease, err) && db_commit(rolling->db, err)) {
        roster_work_hold(rolling->work, since_us);
        return true;
    }
    db_rollback(rolling->db);
    return false;
}

static void release(struct rolling *rolling)
{
    undo_close(&rolling->window);
}

static bool take_turn(struct rolling *rolling, struct error *err)
{
    for (int left = ROSTER_TURN; left > 0 && is_under_way(rolling); left--) {
        if (!steps[rolling->roll.phase](rolling, err) || !keep(rolling, err))
            return false;
    }
    return true;
}

bool roster_roll_back(struct roster_work *work, struct db *db, struct roster_batch *batch, struct error *err)
{
    CLEANUP(arena_release) struct arena arena = { 0 };
    CLEANUP(release) struct rolling rolling = { .work = work, .db = db, .batch = batch };
    const struct roster_key key = { batch->bank_no, batch->batch_number };
    bool found;

    rolling.window.work = work;
    rolling.window.db = db;
    rolling.window.key = key;
    rolling.window.batch = batch;
    rolling.window.changed_by = rolling.by;
    if (!undo_open(&rolling.window, err) || !roll_back_find(db, &key, &arena, &rolling.roll, &found, err))
        return false;
    if (!found || !is_under_way(&rolling))
        return error_set(err, REASON_INTERNAL, "nobody has asked for the roll-back of a batch that is rolled back");
    snprintf(rolling.names, sizeof rolling.names, "%s", rolling.roll.detail);
    rolling.roll.detail = rolling.names;
    snprintf(rolling.by, sizeof rolling.by, "%s for %s", rolling.roll.released_by, rolling.roll.requested_by);
    return take_turn(&rolling, err);
}
