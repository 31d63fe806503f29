/*
 * roster_apply.c -- rows of a batch become commands for the lanes, two windows of them at a time.
 *
 * Before a window goes to the lanes it is looked at (roster_same.h), by a session of its own: in the meantime the
 * oldest window's verdicts are written and the rows of the one after it are read.
 */
#include "service/roster_work.h"

#include "engine/reference.h"
#include "io/clock.h"
#include "io/crypto.h"
#include "service/cards.h"
#include "service/member_row.h"
#include "service/roster_crew.h"
#include "service/roster_rows.h"
#include "service/roster_same.h"
#include "store/db.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

typedef Alliance__V1__RowVerdict Verdict;

/* WINDOWS are in the lanes at most; when one is looked at, one of them is over before the next is read. */
enum { WINDOW_ROWS = ROSTER_WINDOW * ROWS_MAX, WINDOWS = 2, PLACES = WINDOWS + 1 };

_Static_assert(WINDOWS *WINDOW_ROWS == ROSTER_OUTSTANDING, "as it says");

struct row {
    struct command command;
    Verdict verdict;
    bool sent; /* otherwise the verdict is there already */
};

struct window {
    struct arena arena;
    struct crew crew;
    struct roster_chunk *chunks;
    size_t chunk_count;
    struct row *rows;
    size_t count;
    struct command *commands[WINDOW_ROWS]; /* of the rows that are sent */
    size_t command_count;
    int64_t first_row;
    bool again; /* some of it may have been applied before */
    bool *same;
    struct roster_look *look; /* NULL: not begun */
};

/* One turn's work on one batch. */
struct turn {
    struct roster_work *work;
    struct db *db;
    struct roster_batch *batch;
    struct roster_key key;
    char bank_id[ID_MAX + 1];
    int32_t programme_no, buckets;
    int64_t next_row;   /* to be given to the lanes */
    int64_t doubt_rows; /* up to there, rows were given to lanes before this turn */
    int left;           /* windows of this turn */
    struct window windows[PLACES];
};

static bool no_room(struct error *err)
{
    return error_set(err, REASON_INTERNAL, "no memory for a window of a roster batch");
}

/* Rows to commands */

__attribute__((format(printf, 5, 6))) static bool refuse(struct window *window, struct row *row, enum reason reason,
                                                         const char *field, const char *format, ...)
{
    char text[ERROR_FIELD_MAX + ERROR_DETAIL_MAX + 4];
    va_list args;
    int n = snprintf(text, sizeof text, "%s%s", field, field[0] ? ": " : "");

    va_start(args, format);
    vsnprintf(text + n, sizeof text - (size_t)n, format, args);
    va_end(args);
    row->verdict.outcome = ALLIANCE__V1__ROW_OUTCOME__ROW_OUTCOME_REFUSED;
    row->verdict.reason = (char *)(uintptr_t)reason_name(reason);
    row->verdict.detail = arena_copy(&window->arena, text, strlen(text));
    return row->verdict.detail != NULL;
}

static bool take_row(struct turn *turn, struct window *window, struct row *row, const Alliance__V1__Member *member,
                     struct error *err)
{
    struct error wrong = { 0 };

    if (!member_row_check(member, &wrong))
        return refuse(window, row, wrong.reason, wrong.field, "%s", error_text(&wrong)) || no_room(err);
    if (!member_row_command(&row->command, member, turn->bank_id, turn->work->key, &window->arena))
        return no_room(err);
    row->command.programme_no = turn->programme_no;
    row->command.bank_no = turn->key.bank_no;
    row->command.changed_by = turn->batch->pushed_by;
    row->command.batch_number = turn->key.batch_number;
    row->sent = true;
    return true;
}

static bool take_chunk(struct turn *turn, struct window *window, struct roster_chunk *chunk, struct error *err)
{
    struct crypto_bytes bytes;
    size_t at = 0;

    chunk->bank_no = turn->key.bank_no;
    chunk->batch_number = turn->key.batch_number;
    if (!roster_chunk_open(chunk, turn->work->key, &window->arena, &bytes, err))
        return false;
    for (int32_t i = 0; i < chunk->row_count; i++) {
        struct row *row = &window->rows[window->count++];
        const Alliance__V1__Member *member = roster_member(&bytes, &at, &window->arena);
        alliance__v1__row_verdict__init(&row->verdict);
        row->verdict.row_number = chunk->first_row + i;
        if (!member)
            return error_set(err, REASON_INTERNAL, "a chunk of a roster batch is damaged");
        if (!take_row(turn, window, row, member, err))
            return false;
    }
    return true;
}

static bool refuse_twice(struct turn *turn, struct window *window, struct error *err)
{
    struct roster_twice *twice;
    size_t count;
    int64_t last = window->first_row + (int64_t)window->count - 1;

    if (!roster_twices(turn->db, &turn->key, window->first_row, last, &window->arena, &twice, &count, err))
        return false;
    for (size_t i = 0; i < count; i++) {
        struct row *row = &window->rows[twice[i].row_number - window->first_row];
        row->sent = false;
        if (!refuse(window, row, REASON_ROSTER_TWICE, "member.member_ref", "row %" PRId64 " names the same member",
                    twice[i].other_row))
            return no_room(err);
    }
    return true;
}

static size_t list_sent(struct window *window)
{
    size_t count = 0;

    for (size_t i = 0; i < window->count; i++) {
        if (window->rows[i].sent)
            window->commands[count++] = &window->rows[i].command;
    }
    return count;
}

static bool look_begin(struct turn *turn, struct window *window, struct db *db, struct error *err)
{
    window->command_count = list_sent(window);
    return roster_look_begin(db, turn->buckets, turn->bank_id, window->commands, window->command_count, window->same,
                             &window->arena, &window->look, err);
}

/* What is so already has its verdict. Not where it may be so because this batch has made it so. */
static bool answer_same(struct turn *turn, struct window *window, struct error *err)
{
    if (window->again)
        return true;
    if (!window->look && !look_begin(turn, window, turn->db, err))
        return false;
    if (!roster_look_end(window->look, err))
        return false;
    for (size_t i = 0; i < window->command_count; i++) {
        struct row *row = (struct row *)(void *)window->commands[i];
        if (window->same[i]) {
            row->sent = false;
            row->verdict.outcome = ALLIANCE__V1__ROW_OUTCOME__ROW_OUTCOME_UNCHANGED;
        }
    }
    return true;
}

/* Takes the next rows; window->count stays 0 when there are none. */
static bool fill(struct turn *turn, struct window *window, struct error *err)
{
    arena_reset(&window->arena);
    window->count = 0;
    window->first_row = turn->next_row;
    if (!roster_chunks(turn->db, &turn->key, turn->next_row, ROSTER_WINDOW, &window->arena, &window->chunks,
                       &window->chunk_count, err))
        return false;
    window->rows = arena_alloc(&window->arena, WINDOW_ROWS * sizeof *window->rows);
    window->same = arena_alloc(&window->arena, WINDOW_ROWS * sizeof *window->same);
    window->look = NULL;
    if (!window->rows || !window->same)
        return no_room(err);
    for (size_t i = 0; i < window->chunk_count; i++) {
        if (!take_chunk(turn, window, &window->chunks[i], err))
            return false;
    }
    window->again = window->first_row <= turn->doubt_rows;
    turn->next_row += (int64_t)window->count;
    return window->count == 0 || refuse_twice(turn, window, err);
}

/* A row that wants another member's card has its answer already. */
static bool send(struct turn *turn, struct window *window, struct error *err)
{
    window->command_count = list_sent(window);
    if (!cards_claim(turn->db, turn->buckets, turn->bank_id, window->commands, window->command_count, err))
        return false;
    for (size_t i = 0; i < window->command_count; i++) {
        if (window->commands[i]->answer.reason == REASON_OK)
            crew_send(&window->crew, turn->work->lanes, window->commands[i]);
    }
    return true;
}

/* Answers to verdicts */

static bool take_answers(struct window *window, struct error *err)
{
    for (size_t i = 0; i < window->count; i++) {
        struct row *row = &window->rows[i];
        const struct answer *answer = &row->command.answer;
        if (!row->sent)
            continue;
        if (crew_is_passing(answer->reason))
            return error_set(err, answer->reason, "%s", "");
        row->verdict.outcome = (Alliance__V1__RowOutcome)answer->outcome;
        if (answer->reason != REASON_OK && !refuse(window, row, answer->reason, "", "%s",
                                                   answer->detail[0] ? answer->detail : reason_text(answer->reason)))
            return no_room(err);
    }
    return true;
}

static bool is_in_doubt(const struct turn *turn, const struct row *row, int32_t bucket)
{
    return row->sent && row->verdict.outcome == ALLIANCE__V1__ROW_OUTCOME__ROW_OUTCOME_UNCHANGED &&
           member_hash16(&row->command.member_id) % turn->buckets == bucket;
}

/* What found nothing to do may have been done by this batch before somebody fell over. */
static bool remember_bucket(struct turn *turn, struct window *window, int32_t bucket, struct error *err)
{
    struct uuid *ids = arena_alloc(&window->arena, WINDOW_ROWS * sizeof *ids);
    struct roster_trace *traces;
    size_t count = 0, found;

    if (!ids)
        return no_room(err);
    for (size_t i = 0; i < window->count; i++) {
        if (is_in_doubt(turn, &window->rows[i], bucket))
            ids[count++] = window->rows[i].command.member_id;
    }
    if (count == 0)
        return true;
    if (!roster_traces(turn->db, bucket, &turn->key, ids, count, &window->arena, &traces, &found, err))
        return false;
    for (size_t k = 0; k < found; k++) {
        for (size_t i = 0; i < window->count; i++) {
            struct row *row = &window->rows[i];
            if (is_in_doubt(turn, row, bucket) && uuid_compare(&row->command.member_id, &traces[k].member_id) == 0)
                row->verdict.outcome = traces[k].created ? ALLIANCE__V1__ROW_OUTCOME__ROW_OUTCOME_CREATED
                                                         : ALLIANCE__V1__ROW_OUTCOME__ROW_OUTCOME_CHANGED;
        }
    }
    return true;
}

static bool remember(struct turn *turn, struct window *window, struct error *err)
{
    for (int32_t bucket = 0; window->again && bucket < turn->buckets; bucket++) {
        if (!remember_bucket(turn, window, bucket, err))
            return false;
    }
    return true;
}

static void count_verdict(struct roster_batch *batch, struct roster_done *done, const Verdict *verdict)
{
    batch->applied_rows++;
    batch->created += verdict->outcome == ALLIANCE__V1__ROW_OUTCOME__ROW_OUTCOME_CREATED;
    batch->changed += verdict->outcome == ALLIANCE__V1__ROW_OUTCOME__ROW_OUTCOME_CHANGED;
    batch->unchanged += verdict->outcome == ALLIANCE__V1__ROW_OUTCOME__ROW_OUTCOME_UNCHANGED;
    bool refused = verdict->outcome == ALLIANCE__V1__ROW_OUTCOME__ROW_OUTCOME_REFUSED;
    batch->refused += refused;
    done->refused += refused;
}

static bool put_chunk(struct turn *turn, struct window *window, const struct roster_chunk *chunk, struct error *err)
{
    struct roster_done done = { turn->key.bank_no, turn->key.batch_number, chunk->first_row, 0, { NULL, 0 } };
    Alliance__V1__RosterVerdicts message = ALLIANCE__V1__ROSTER_VERDICTS__INIT;
    Verdict *verdicts[ROWS_MAX];

    for (int32_t i = 0; i < chunk->row_count; i++) {
        verdicts[i] = &window->rows[chunk->first_row - window->first_row + i].verdict;
        count_verdict(turn->batch, &done, verdicts[i]);
    }
    message.verdicts = verdicts;
    message.n_verdicts = (size_t)chunk->row_count;
    uint8_t *bytes = arena_alloc(&window->arena, protobuf_c_message_get_packed_size(&message.base));
    if (!bytes)
        return no_room(err);
    done.verdicts = (struct bytes){ bytes, protobuf_c_message_pack(&message.base, bytes) };
    return roster_put_verdicts(turn->db, &done, err);
}

/* Beyond what is applied, so many windows may be in the lanes by the time this is written again. */
static bool keep(struct turn *turn, int64_t windows, struct error *err)
{
    struct roster_batch *batch = turn->batch;
    int64_t begun = batch->applied_rows + windows * WINDOW_ROWS;

    batch->begun_rows = begun > turn->doubt_rows ? begun : turn->doubt_rows;
    return roster_keep(turn->db, batch, &turn->work->lease, err);
}

static bool put(struct turn *turn, struct window *window, int64_t windows, struct error *err)
{
    for (size_t i = 0; i < window->chunk_count; i++) {
        if (!put_chunk(turn, window, &window->chunks[i], err))
            return false;
    }
    return keep(turn, windows, err);
}

/*
 * The window's rows are answered: their verdicts and how far the batch is are written as one. So many other windows are
 * in the lanes now or soon: none after the last of a turn, and the next turn begins without a doubt. The write need not
 * have reached the disk: what the lanes write later reaches it later still, and what is lost of it is found again.
 */
static bool finish(struct turn *turn, struct window *window, int64_t windows, struct error *err)
{
    if (!take_answers(window, err) || !remember(turn, window, err) ||
        !cards_settle(turn->db, turn->buckets, turn->bank_id, window->commands, window->command_count, err))
        return false;
    int64_t since_us = clock_monotonic_us();
    if (!db_script(turn->db, "BEGIN; SET LOCAL synchronous_commit = off", err))
        return false;
    if (put(turn, window, windows, err) && db_commit(turn->db, err)) {
        roster_work_hold(turn->work, since_us);
        return true;
    }
    db_rollback(turn->db);
    return false;
}

static void renew(void *owner)
{
    struct turn *turn = owner;

    roster_work_renew(turn->work, turn->db, turn->batch);
}

/* The oldest of so many windows in the lanes; more: another goes there before this is called again. */
static bool finish_oldest(struct turn *turn, size_t newest, int *in_lanes, bool more, struct error *err)
{
    struct window *oldest = &turn->windows[(newest + PLACES - (size_t)*in_lanes + 1) % PLACES];

    crew_wait(&oldest->crew, renew, turn);
    --*in_lanes;
    return finish(turn, oldest, *in_lanes + more, err);
}

static bool read_next(struct turn *turn, struct window *window, struct error *err)
{
    window->count = 0;
    return turn->left-- <= 0 || fill(turn, window, err);
}

static bool take_turn(struct turn *turn, bool *done, struct error *err)
{
    struct window *windows = turn->windows;
    size_t at = 0;
    int in_lanes = 0;

    turn->left = ROSTER_TURN;
    if (!read_next(turn, &windows[at], err))
        return false;
    for (; windows[at].count > 0; at = (at + 1) % PLACES) {
        struct db *reader = windows[at].again ? NULL : turn->work->reader;
        if ((reader && !look_begin(turn, &windows[at], reader, err)) ||
            (in_lanes == WINDOWS && !finish_oldest(turn, at + PLACES - 1, &in_lanes, true, err)) ||
            !read_next(turn, &windows[(at + 1) % PLACES], err) || !answer_same(turn, &windows[at], err) ||
            !send(turn, &windows[at], err))
            return false;
        in_lanes++;
    }
    while (in_lanes > 0) {
        if (!finish_oldest(turn, at + PLACES - 1, &in_lanes, false, err))
            return false;
    }
    *done = turn->batch->applied_rows == turn->batch->row_count;
    return true;
}

static bool find_bank(struct turn *turn, struct error *err)
{
    const struct reference *reference = reference_acquire(turn->work->reference);
    const struct bank *bank = reference_bank_no(reference, turn->key.bank_no);

    turn->buckets = reference->buckets;
    if (bank) {
        snprintf(turn->bank_id, sizeof turn->bank_id, "%s", bank->id);
        turn->programme_no = bank->programme_no;
    }
    reference_release(reference);
    return bank || error_set(err, REASON_TRY_AGAIN, "the bank is not known here yet");
}

static void release(struct turn *turn)
{
    for (size_t i = 0; i < PLACES; i++) {
        crew_wait(&turn->windows[i].crew, NULL, NULL);
        crew_release(&turn->windows[i].crew);
        arena_release(&turn->windows[i].arena);
    }
}

bool roster_apply(struct roster_work *work, struct db *db, struct roster_batch *batch, bool *done, struct error *err)
{
    CLEANUP(release)
    struct turn turn = {
        .work = work,
        .db = db,
        .batch = batch,
        .key = { batch->bank_no, batch->batch_number },
        .next_row = batch->applied_rows + 1,
        .doubt_rows = batch->begun_rows,
    };

    for (size_t i = 0; i < PLACES; i++)
        crew_init(&turn.windows[i].crew, &work->held_until_us);
    *done = batch->applied_rows == batch->row_count;
    return *done || (find_bank(&turn, err) && keep(&turn, WINDOWS, err) && take_turn(&turn, done, err));
}
