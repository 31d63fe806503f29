/*
 * roster_push.c -- PushRoster: stages a batch message by message, then tells how it fares.
 *
 * What a stream keeps between its messages is only where it is; what counts is in the tables, under the staging's id,
 * so that two streams of one batch cannot both stage it.
 */
#include "service/roster_shape.h"

#include "io/clock.h"
#include "service/check.h"
#include "service/office.h"
#include "service/roster_rows.h"
#include "service/shape.h"
#include "store/db.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

typedef Alliance__V1__PushRosterRequest Request;
typedef Alliance__V1__PushRosterResponse Response;
typedef Alliance__V1__RosterHeader Header;

enum phase { STAGING = 1, ENDED };

struct stream {
    char bank_id[ID_MAX + 1];
    struct roster_key key;
    struct uuid staging_id;
    enum phase phase; /* 0 until the header was taken */
    int64_t next_row, row_count;
    int64_t verdict_row; /* verdicts up to it were sent */
};

void roster_push_close(struct call *call)
{
    free(call->state);
}

/* Answers */

/* The call is released last: neither the errand nor the arena is there any more once the message is on its way. */
static void send_answer(struct errand *errand)
{
    struct call *call = errand->call;

    call_write(call, errand->reply);
    call_release(call);
}

static Response *begin_answer(struct errand *errand, struct error *err)
{
    errand->hand_over = send_answer;
    return errand_reply(errand, &alliance__v1__push_roster_response__descriptor, err);
}

static bool answer_position(struct errand *errand, int64_t next_row, struct error *err)
{
    Response *response = begin_answer(errand, err);

    if (!response)
        return false;
    response->answer_case = ALLIANCE__V1__PUSH_ROSTER_RESPONSE__ANSWER_POSITION;
    response->position = shape_new(&errand->call->arena, &alliance__v1__roster_position__descriptor);
    if (!response->position)
        return errand_no_room(err);
    response->position->next_row = next_row;
    return true;
}

static bool answer_batch(struct errand *errand, const struct roster_batch *batch, struct error *err)
{
    const struct stream *stream = errand->call->state;
    Response *response = begin_answer(errand, err);

    if (!response)
        return false;
    response->answer_case = ALLIANCE__V1__PUSH_ROSTER_RESPONSE__ANSWER_BATCH;
    response->batch = roster_shape(&errand->call->arena, batch, stream->bank_id);
    return response->batch || errand_no_room(err);
}

/* Header */

static bool check_kind(const Header *header, struct error *err)
{
    bool full = header->kind == ALLIANCE__V1__ROSTER_KIND__ROSTER_KIND_FULL;

    if (!full && header->kind != ALLIANCE__V1__ROSTER_KIND__ROSTER_KIND_DELTA)
        return error_field(err, REASON_FIELD_INVALID, "kind", "must be FULL or DELTA");
    return check_range("max_close_share_bp", header->max_close_share_bp, 0, full ? 10000 : 0, err);
}

static bool check_fields(const Header *header, struct error *err)
{
    struct date ignored;

    return check_range("batch_number", header->batch_number, 1, INT64_MAX - 1, err) &&
           check_date("business_date", header->business_date, &ignored, err) && check_kind(header, err) &&
           check_range("row_count", header->row_count, 0, ROSTER_ROWS_MAX, err) &&
           check_range("credit_limit_total", header->credit_limit_total, 0, INT64_MAX, err) &&
           (header->rows_sha256.len == CRYPTO_HASH ||
            error_field(err, REASON_FIELD_INVALID, "rows_sha256", "must be %d bytes", CRYPTO_HASH));
}

static bool check_header(const struct call *call, const Header *header, struct error *err)
{
    return (check_own(call, "bank_id", header->bank_id, err) && check_id("bank_id", header->bank_id, err) &&
            check_fields(header, err)) ||
           check_within(err, "header");
}

static struct roster_batch as_batch(const struct call *call, const Header *header, int32_t bank_no)
{
    struct roster_batch batch = {
        .bank_no = bank_no,
        .batch_number = header->batch_number,
        .staging_id = crypto_uuid_v7(clock_now()),
        .kind = (int16_t)header->kind,
        .row_count = header->row_count,
        .credit_limit_total = header->credit_limit_total,
        .rows_sha256 = { header->rows_sha256.data, header->rows_sha256.len },
        .max_close_share_bp = header->max_close_share_bp,
        .state = ROSTER_STAGING,
        .pushed_by = call->principal.uri,
        .pushed_person = call->principal.person,
    };
    struct error ignored;

    if (!check_date("", header->business_date, &batch.business_date, &ignored))
        batch.business_date.days = 0; /* was checked: cannot be */
    return batch;
}

static bool same_content(const struct roster_batch *a, const struct roster_batch *b)
{
    return a->business_date.days == b->business_date.days && a->kind == b->kind && a->row_count == b->row_count &&
           a->credit_limit_total == b->credit_limit_total && a->max_close_share_bp == b->max_close_share_bp &&
           a->rows_sha256.size == b->rows_sha256.size &&
           memcmp(a->rows_sha256.at, b->rows_sha256.at, a->rows_sha256.size) == 0;
}

/* The number is the next one, or that of what came to nothing. */
static bool check_number(const struct roster_batch *newest, int64_t number, struct error *err)
{
    int64_t expected = newest->batch_number;

    if (newest->state == ROSTER_APPLIED || newest->state == ROSTER_ROLLED_BACK || expected == 0)
        expected++;
    else if (newest->state != ROSTER_STAGING && newest->state != ROSTER_REFUSED && number == expected + 1)
        return error_field(err, REASON_ROSTER_BATCH_OPEN, "header.batch_number",
                           "batch %" PRId64 " must be applied, refused or rolled back first", expected);
    return number == expected || error_field(err, REASON_ROSTER_BATCH_NUMBER, "header.batch_number",
                                             "the next batch is number %" PRId64, expected);
}

static bool begin(struct errand *errand, struct roster_batch *batch, struct error *err)
{
    bool begun;

    if (!roster_begin(errand->db, batch, &begun, err))
        return false;
    return begun || error_set(err, REASON_TRY_AGAIN, "somebody else begins a batch at this moment");
}

/* Leaves in *batch what the stream is about from now on. */
static bool find_or_begin(struct errand *errand, struct roster_batch *batch, struct error *err)
{
    const struct roster_key last = { batch->bank_no, 0 }, key = { batch->bank_no, batch->batch_number };
    struct roster_batch newest = { 0 }, same;
    bool found;

    if (!roster_find(errand->db, &last, true, &errand->call->arena, &newest, &found, err))
        return false;
    if (!found || batch->batch_number > newest.batch_number)
        return check_number(&newest, batch->batch_number, err) && begin(errand, batch, err);
    if (!roster_must_find(errand, &key, true, &same, err))
        return false;
    bool equal = same_content(&same, batch);
    bool resumed = same.state == ROSTER_STAGING && equal && strcmp(same.pushed_person, batch->pushed_person) == 0;
    if (!resumed && (same.state == ROSTER_STAGING || same.state == ROSTER_REFUSED))
        return begin(errand, batch, err);
    *batch = same;
    return equal || error_field(err, REASON_ROSTER_BATCH_REUSED, "header.batch_number", "%s", "");
}

static bool in_transaction(struct errand *errand, bool (*work)(struct errand *errand, void *with, struct error *err),
                           void *with, struct error *err)
{
    if (!db_begin(errand->db, err))
        return false;
    if (work(errand, with, err) && db_commit(errand->db, err))
        return true;
    db_rollback(errand->db);
    return false;
}

static bool find_or_begin_it(struct errand *errand, void *batch, struct error *err)
{
    return find_or_begin(errand, batch, err);
}

static bool header_work(struct errand *errand, struct error *err)
{
    const Header *header = ((const Request *)errand->request)->header;
    struct stream *stream = errand->call->state;
    int32_t bank_no;

    if (!roster_bank(errand, header->bank_id, &bank_no, err))
        return false;
    struct roster_batch batch = as_batch(errand->call, header, bank_no);
    if (!in_transaction(errand, find_or_begin_it, &batch, err))
        return false;
    stream->key = (struct roster_key){ bank_no, batch.batch_number };
    stream->staging_id = batch.staging_id;
    stream->phase = batch.state == ROSTER_STAGING ? STAGING : ENDED;
    stream->row_count = batch.row_count;
    stream->next_row = batch.staged_rows + 1;
    return stream->phase == STAGING ? answer_position(errand, stream->next_row, err)
                                    : answer_batch(errand, &batch, err);
}

static bool take_header(struct call *call, const Request *request, struct error *err)
{
    if (call->state)
        return error_field(err, REASON_FIELD_INVALID, "header", "must come only once");
    if (!check_header(call, request->header, err))
        return false;
    struct stream *stream = calloc(1, sizeof *stream);
    if (!stream)
        return error_set(err, REASON_INTERNAL, "out of memory");
    strcpy(stream->bank_id, request->header->bank_id);
    call->state = stream;
    return errand_read(call, &request->base, header_work, err);
}

/* Rows */

static bool check_rows(const struct stream *stream, const Alliance__V1__RosterRows *asked, struct error *err)
{
    if (stream->phase != STAGING)
        return error_field(err, REASON_ROSTER_BATCH_STATE, "rows", "the batch has all its rows");
    if (asked->n_rows < 1 || asked->n_rows > ROWS_MAX)
        return error_field(err, REASON_FIELD_INVALID, "rows.rows", "must be 1 to %d", ROWS_MAX);
    for (size_t i = 0; i < asked->n_rows; i++) {
        int64_t expected = stream->next_row + (int64_t)i;
        if (asked->rows[i]->row_number == expected && expected <= stream->row_count)
            continue;
        error_field(err, REASON_FIELD_INVALID, "row_number",
                    "must be %" PRId64 ", and not more than the header's row_count", expected);
        return check_within(err, "rows.rows[%zu]", i);
    }
    return true;
}

static bool add_chunk(struct errand *errand, void *with, struct error *err)
{
    const struct roster_chunk *chunk = with;
    const struct roster_key key = { chunk->bank_no, chunk->batch_number };
    struct roster_batch batch;
    bool added;

    if (!roster_add_chunk(errand->db, chunk, &added, err))
        return false;
    if (added)
        return true;
    /* It may have been added before a connection was lost. */
    if (!roster_must_find(errand, &key, false, &batch, err))
        return false;
    return (uuid_compare(&batch.staging_id, &chunk->staging_id) == 0 &&
            batch.staged_rows == chunk->first_row - 1 + chunk->row_count) ||
           error_set(err, REASON_TRY_AGAIN, "another stream sends this batch; send the header again");
}

static bool rows_work(struct errand *errand, struct error *err)
{
    const Alliance__V1__RosterRows *asked = ((const Request *)errand->request)->rows;
    struct stream *stream = errand->call->state;
    struct roster_chunk chunk = { .bank_no = stream->key.bank_no,
                                  .batch_number = stream->key.batch_number,
                                  .staging_id = stream->staging_id,
                                  .first_row = stream->next_row };

    if (!roster_chunk_pack(&chunk, stream->bank_id, asked->rows, asked->n_rows, errand->call->office->data_key,
                           &errand->call->arena, err) ||
        !in_transaction(errand, add_chunk, &chunk, err))
        return false;
    stream->next_row += chunk.row_count;
    return answer_position(errand, stream->next_row, err);
}

/* End */

static bool end_work(struct errand *errand, struct error *err)
{
    struct stream *stream = errand->call->state;
    struct roster_batch batch;
    bool ended = true;

    if (stream->phase == STAGING && !roster_end(errand->db, &stream->key, &stream->staging_id, &ended, err))
        return false;
    if (!roster_must_find(errand, &stream->key, false, &batch, err))
        return false;
    if (!ended && uuid_compare(&batch.staging_id, &stream->staging_id) != 0)
        return error_set(err, REASON_TRY_AGAIN, "another stream sends this batch; send the header again");
    stream->phase = ENDED;
    return answer_batch(errand, &batch, err);
}

/* Next */

static bool answer_verdicts(struct errand *errand, const struct roster_verdicts *row, struct error *err)
{
    struct stream *stream = errand->call->state;
    Response *response = begin_answer(errand, err);

    if (!response)
        return false;
    response->answer_case = ALLIANCE__V1__PUSH_ROSTER_RESPONSE__ANSWER_VERDICTS;
    response->verdicts = (Alliance__V1__RosterVerdicts *)roster_unpack(
        &alliance__v1__roster_verdicts__descriptor, row->verdicts.at, row->verdicts.size, &errand->call->arena);
    if (!response->verdicts)
        return errand_no_room(err);
    stream->verdict_row = row->first_row - 1 + (int64_t)response->verdicts->n_verdicts;
    return true;
}

static bool next_work(struct errand *errand, struct error *err)
{
    const struct stream *stream = errand->call->state;
    struct roster_verdicts row;
    struct roster_batch batch;
    bool found;

    /* The batch first: when it is done, so are all verdicts. */
    if (!roster_must_find(errand, &stream->key, false, &batch, err) ||
        !roster_next_verdicts(errand->db, &stream->key, stream->verdict_row + 1, false, &errand->call->arena, &row,
                              &found, err))
        return false;
    return found ? answer_verdicts(errand, &row, err) : answer_batch(errand, &batch, err);
}

bool roster_push(struct call *call, const ProtobufCMessage *message, struct error *err)
{
    const Request *request = (const Request *)message;
    const struct stream *stream = call->state;

    if (!request) {
        call_finish(call);
        return true;
    }
    if (request->step_case == ALLIANCE__V1__PUSH_ROSTER_REQUEST__STEP_HEADER)
        return take_header(call, request, err);
    if (!stream)
        return error_field(err, REASON_FIELD_INVALID, "step", "the first message must be the header");
    if (request->step_case == ALLIANCE__V1__PUSH_ROSTER_REQUEST__STEP_ROWS)
        return check_rows(stream, request->rows, err) && errand_read(call, message, rows_work, err);
    if (request->step_case == ALLIANCE__V1__PUSH_ROSTER_REQUEST__STEP_END)
        return errand_read(call, message, end_work, err);
    if (request->step_case != ALLIANCE__V1__PUSH_ROSTER_REQUEST__STEP_NEXT)
        return error_field(err, REASON_FIELD_INVALID, "step", "must be header, rows, end or next");
    return (stream->phase == ENDED ||
            error_field(err, REASON_ROSTER_BATCH_STATE, "next", "must not come before end")) &&
           errand_read(call, message, next_work, err);
}
