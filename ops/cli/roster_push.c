#include "roster_push.h"

#include "advice.h"
#include "backoff.h"
#include "member_source.h"

#include "base/limits.h"

#include <inttypes.h>
#include <time.h>

typedef Alliance__V1__PushRosterRequest Request;
typedef Alliance__V1__PushRosterResponse Response;
typedef Alliance__V1__RosterBatch Batch;

enum { STREAM_TIMEOUT_MS = 3600000, PAUSE_NS = 200000000, MESSAGE_BYTES = 256 * 1024 };

struct work {
    struct cli *cli;
    struct member_source members;
    Alliance__V1__RosterHeader *header;
    struct refusals *refusals;
    struct client_stream *stream; /* NULL between two attempts */
    struct arena rows, *answer;   /* answer: the caller's */
    int64_t next_row;             /* the server's */
    int64_t told_rows;            /* have their verdict, and are in the refusals if they must */
    Batch *batch;                 /* in the answer's arena; NULL while rows are being sent */
    struct client_status status;
};

static void release(struct work *work)
{
    struct client_status ignored;

    if (work->stream) {
        client_stream_cancel(work->stream);
        client_stream_finish(work->stream, &ignored);
    }
    arena_release(&work->rows);
}

static bool say(struct work *work, const struct error *err)
{
    return cli_fail(work->cli, err) == OUTCOME_DONE;
}

/* NULL when the stream is over; status says why. */
static Response *ask(struct work *work, const Request *request)
{
    ProtobufCMessage *message;

    arena_reset(work->answer);
    work->batch = NULL;
    if (client_stream_send(work->stream, &request->base) &&
        client_stream_receive(work->stream, &alliance__v1__push_roster_response__descriptor, work->answer, &message)) {
        Response *response = (Response *)message;
        if (response->answer_case == ALLIANCE__V1__PUSH_ROSTER_RESPONSE__ANSWER_BATCH)
            work->batch = response->batch;
        return response;
    }
    client_stream_half_close(work->stream);
    if (client_stream_finish(work->stream, &work->status)) /* ended without an answer: a drain, most likely */
        work->status = (struct client_status){ .code = STATUS_UNAVAILABLE, .retry_ms = -1 };
    work->stream = NULL;
    return NULL;
}

static bool send_header(struct work *work)
{
    Request request = ALLIANCE__V1__PUSH_ROSTER_REQUEST__INIT;
    struct error err;

    if (!client_stream_open(work->cli->client, &alliance__v1__roster_service__descriptor, "PushRoster",
                            STREAM_TIMEOUT_MS, &work->stream, &err)) {
        work->status = (struct client_status){ .code = STATUS_INTERNAL, .retry_ms = -1 };
        return false;
    }
    request.step_case = ALLIANCE__V1__PUSH_ROSTER_REQUEST__STEP_HEADER;
    request.header = work->header;
    const Response *response = ask(work, &request);
    if (response && response->answer_case == ALLIANCE__V1__PUSH_ROSTER_RESPONSE__ANSWER_POSITION)
        work->next_row = response->position->next_row;
    return response;
}

/* Rows from the server's next row on, up to a message full; *count is 0 at the end. False when the file cannot be read,
 * which was said. */
static bool gather(struct work *work, Alliance__V1__MemberRow **rows, size_t *count)
{
    enum source_next next = SOURCE_END;
    struct error err;

    arena_reset(&work->rows);
    *count = 0;
    while (*count < ROWS_MAX && work->rows.used < MESSAGE_BYTES &&
           ((next = member_source_next(&work->members, &work->rows)) == SOURCE_ROW || next == SOURCE_BAD)) {
        if (next == SOURCE_ROW && work->members.row_number >= work->next_row)
            rows[(*count)++] = work->members.row;
        else if (*count == 0)
            arena_reset(&work->rows); /* passed over */
    }
    return next != SOURCE_BROKEN || row_source_broken(work->members.source, &err) || say(work, &err);
}

static bool rewind_rows(struct work *work)
{
    struct error err;

    work->members.row_number = 0;
    return row_source_rewind(work->members.source, &err) || say(work, &err);
}

/* What became of one attempt. */
enum step { DONE, BROKEN_OFF, GIVEN_UP };

static enum step send_rows(struct work *work)
{
    Alliance__V1__MemberRow *rows[ROWS_MAX];
    Request request = ALLIANCE__V1__PUSH_ROSTER_REQUEST__INIT;
    Alliance__V1__RosterRows message = ALLIANCE__V1__ROSTER_ROWS__INIT;
    Alliance__V1__RosterEnd end = ALLIANCE__V1__ROSTER_END__INIT;

    if (!rewind_rows(work))
        return GIVEN_UP;
    message.rows = rows;
    for (;;) {
        if (!gather(work, rows, &message.n_rows))
            return GIVEN_UP;
        if (message.n_rows == 0)
            break;
        request.step_case = ALLIANCE__V1__PUSH_ROSTER_REQUEST__STEP_ROWS;
        request.rows = &message;
        if (!ask(work, &request))
            return BROKEN_OFF;
        work->next_row += (int64_t)message.n_rows;
    }
    request.step_case = ALLIANCE__V1__PUSH_ROSTER_REQUEST__STEP_END;
    request.end = &end;
    return ask(work, &request) ? DONE : BROKEN_OFF;
}

/* Walks the file to the verdict's row, which was refused. */
static bool refuse_row(struct work *work, const Alliance__V1__RowVerdict *verdict)
{
    enum source_next next = SOURCE_ROW;
    struct error err;

    while (work->members.row_number < verdict->row_number) {
        arena_reset(&work->rows);
        next = member_source_next(&work->members, &work->rows);
        if (next == SOURCE_END || next == SOURCE_BROKEN)
            return next == SOURCE_BROKEN && !row_source_broken(work->members.source, &err) && say(work, &err);
    }
    refusals_add(work->refusals, &work->members.source->row->copy, "", verdict->reason, verdict->detail);
    return true;
}

static bool take_verdicts(struct work *work, const Alliance__V1__RosterVerdicts *all)
{
    for (size_t i = 0; i < all->n_verdicts; i++) {
        const Alliance__V1__RowVerdict *verdict = all->verdicts[i];
        if (verdict->row_number <= work->told_rows)
            continue;
        if (verdict->outcome == ALLIANCE__V1__ROW_OUTCOME__ROW_OUTCOME_REFUSED && !refuse_row(work, verdict))
            return false;
        work->told_rows = verdict->row_number;
    }
    return true;
}

static bool is_over(const Batch *batch)
{
    return batch->state != ALLIANCE__V1__ROSTER_STATE__ROSTER_STATE_CHECKING &&
           batch->state != ALLIANCE__V1__ROSTER_STATE__ROSTER_STATE_APPLYING;
}

static enum step follow(struct work *work)
{
    static const struct timespec pause = { 0, PAUSE_NS };
    Request request = ALLIANCE__V1__PUSH_ROSTER_REQUEST__INIT;
    Alliance__V1__RosterNext next = ALLIANCE__V1__ROSTER_NEXT__INIT;

    request.step_case = ALLIANCE__V1__PUSH_ROSTER_REQUEST__STEP_NEXT;
    request.next = &next;
    for (;;) {
        const Response *response = ask(work, &request);
        if (!response)
            return BROKEN_OFF;
        if (response->answer_case == ALLIANCE__V1__PUSH_ROSTER_RESPONSE__ANSWER_VERDICTS) {
            if (!take_verdicts(work, response->verdicts))
                return GIVEN_UP;
        } else if (work->batch && is_over(work->batch)) {
            return DONE;
        } else {
            nanosleep(&pause, NULL);
        }
    }
}

static enum step attempt(struct work *work)
{
    if (!send_header(work))
        return BROKEN_OFF;
    if (!work->batch) {
        enum step sent = send_rows(work);
        if (sent != DONE)
            return sent;
    }
    /* Refused rows are looked up in the file, from its beginning and in order. */
    return rewind_rows(work) ? follow(work) : GIVEN_UP;
}

bool roster_push(struct cli *cli, struct row_source *source, Alliance__V1__RosterHeader *header,
                 struct refusals *refusals, struct arena *arena, Batch **batch)
{
    CLEANUP(release) struct work work = { .cli = cli, .header = header, .refusals = refusals, .answer = arena };
    enum step step;

    work.members.source = source;
    for (int tries = 0; (step = attempt(&work)) == BROKEN_OFF; tries++) {
        if (!advice_may_repeat(work.status.code) || tries >= cli->attempts) {
            cli_fail_status(cli, &work.status);
            if (advice_may_repeat(work.status.code))
                fputs("push the same file under the same batch number to go on\n", cli->err);
            return false;
        }
        backoff_wait(tries, work.status.retry_ms);
    }
    if (step != DONE)
        return false;
    *batch = work.batch;
    return true;
}
