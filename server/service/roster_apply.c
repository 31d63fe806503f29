/*
 * roster_apply.c -- rows of a batch become commands for the lanes, two windows of them at a time.
 */
#include "service/roster_work.h"

#include "engine/reference.h"
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

enum { WINDOW_ROWS = ROSTER_WINDOW * ROWS_MAX, WINDOWS = 2 };

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
    struct window windows[WINDOWS];
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

/* What is so already has its verdict. Not where it may be so because this batch has made it so. */
static bool answer_same(struct turn *turn, struct window *window, struct error *err)
{
    bool *same = arena_alloc(&window->arena, WINDOW_ROWS * sizeof *same);
    size_t count = list_sent(window);

    if (!same)
        return no_room(err);
    if (window->again)
        return true;
    if (!roster_find_same(turn->db, turn->buckets, turn->bank_id, window->commands, count, same, &window->arena, err))
        return false;
    for (size_t i = 0; i < count; i++) {
        struct row *row = (struct row *)(void *)window->commands[i];
        if (same[i]) {
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
    if (!window->rows)
        return no_room(err);
    for (size_t i = 0; i < window->chunk_count; i++) {
        if (!take_chunk(turn, window, &window->chunks[i], err))
            return false;
    }
    window->again = window->first_row <= turn->doubt_rows;
    turn->next_row += (int64_t)window->count;
    return window->count == 0 || (refuse_twice(turn, window, err) && answer_same(turn, window, err));
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
           row->command.hash16 % turn->buckets == bucket;
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

/* Beyond what is applied, two more windows may be in the lanes by the time this is written again. */
static bool keep(struct turn *turn, struct error *err)
{
    struct roster_batch *batch = turn->batch;
    int64_t begun = batch->applied_rows + WINDOWS * WINDOW_ROWS;

    if (begun > batch->begun_rows)
        batch->begun_rows = begun;
    return roster_keep(turn->db, batch, &turn->work->lease, err);
}

static bool put(struct turn *turn, struct window *window, struct error *err)
{
    for (size_t i = 0; i < window->chunk_count; i++) {
        if (!put_chunk(turn, window, &window->chunks[i], err))
            return false;
    }
    return keep(turn, err);
}

/* The window's rows are answered: their verdicts and how far the batch is are written as one. */
static bool finish(struct turn *turn, struct window *window, struct error *err)
{
    if (!take_answers(window, err) || !remember(turn, window, err) ||
        !cards_settle(turn->db, turn->buckets, turn->bank_id, window->commands, window->command_count, err) ||
        !db_begin(turn->db, err))
        return false;
    if (put(turn, window, err) && db_commit(turn->db, err))
        return true;
    db_rollback(turn->db);
    return false;
}

static bool take_turn(struct turn *turn, bool *done, struct error *err)
{
    int left = ROSTER_TURN;

    for (size_t i = 0; i < WINDOWS; i++) {
        if (!fill(turn, &turn->windows[i], err) || !send(turn, &turn->windows[i], err))
            return false;
    }
    for (size_t i = 0; turn->windows[i].count > 0; i = (i + 1) % WINDOWS) {
        struct window *window = &turn->windows[i];
        crew_wait(&window->crew);
        if (!finish(turn, window, err))
            return false;
        window->count = 0;
        if (--left > 0 && (!fill(turn, window, err) || !send(turn, window, err)))
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
    for (size_t i = 0; i < WINDOWS; i++) {
        crew_wait(&turn->windows[i].crew);
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

    for (size_t i = 0; i < WINDOWS; i++)
        crew_init(&turn.windows[i].crew);
    *done = batch->applied_rows == batch->row_count;
    return *done || (find_bank(&turn, err) && keep(&turn, err) && take_turn(&turn, done, err));
}
