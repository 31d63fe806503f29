#include "push.h"

#include "advice.h"
#include "backoff.h"
#include "progress.h"
#include "refusals.h"

#include "base/limits.h"
#include "io/clock.h"

#include <alliance/v1/bank_service.pb-c.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

/* A message is kept well under MESSAGE_MAX: a row's message is hardly larger than its line. A stream is renewed before
 * its deadline. */
enum { MESSAGE_BYTES = 400 * 1024, STREAM_TIMEOUT_MS = 300000, STREAM_RENEW_US = 200 * 1000000 };

enum { OUTCOMES = 5 };

struct push {
    struct cli *cli;
    const struct push_kind *kind;
    char *bank_id;
    struct rows rows;
    struct refusals refusals;
    struct progress progress;
    struct client_stream *stream; /* NULL between streams */
    int64_t opened_us;
    struct arena arena; /* of the message being made */
    void *message[ROWS_MAX];
    struct row_copy copies[ROWS_MAX];
    size_t count, bytes;
    int64_t outcomes[OUTCOMES]; /* rows by ROW_OUTCOME_... */
    int64_t done;               /* rows */
};

static void release(struct push *push)
{
    struct client_status status;

    if (push->stream) {
        client_stream_cancel(push->stream);
        (void)!client_stream_finish(push->stream, &status);
    }
    rows_close(&push->rows);
    arena_release(&push->arena);
    refusals_close(&push->refusals);
}

static bool end_stream(struct push *push, struct client_status *status)
{
    client_stream_half_close(push->stream);
    bool ended = client_stream_finish(push->stream, status);
    push->stream = NULL;
    return ended;
}

static bool open_stream(struct push *push, struct client_status *status)
{
    struct error err;

    if (push->stream && clock_monotonic_us() - push->opened_us > STREAM_RENEW_US && !end_stream(push, status))
        return false;
    if (push->stream)
        return true;
    push->opened_us = clock_monotonic_us();
    if (client_stream_open(push->cli->client, &alliance__v1__bank_service__descriptor, push->kind->method,
                           STREAM_TIMEOUT_MS, &push->stream, &err))
        return true;
    *status = (struct client_status){ .code = STATUS_INTERNAL, .retry_ms = -1 };
    return false;
}

/* One attempt; when it fails the stream is over and status says why. */
static bool exchange(struct push *push, const ProtobufCMessage *request, ProtobufCMessage **response,
                     struct client_status *status)
{
    if (!open_stream(push, status))
        return false;
    if (client_stream_send(push->stream, request) &&
        client_stream_receive(push->stream, push->kind->response, &push->arena, response))
        return true;
    if (end_stream(push, status)) /* the server ended it without an answer: a drain, most likely */
        *status = (struct client_status){ .code = STATUS_UNAVAILABLE, .retry_ms = -1 };
    return false;
}

static bool exchange_repeatedly(struct push *push, const ProtobufCMessage *request, ProtobufCMessage **response)
{
    struct client_status status = { 0 };

    for (int attempt = 0; !exchange(push, request, response, &status); attempt++) {
        if (!advice_may_repeat(status.code) || attempt >= push->cli->attempts) {
            cli_fail_status(push->cli, &status);
            fprintf(push->cli->err, "rows up to line %" PRId64 " are done; push the file again to go on\n",
                    push->copies[0].line - 1);
            return false;
        }
        backoff_wait(attempt, status.retry_ms);
    }
    return true;
}

static bool take_verdicts(struct push *push, const ProtobufCMessage *response)
{
    size_t count;
    Alliance__V1__RowVerdict **verdicts = push->kind->verdicts(response, &count);
    struct error err;

    if (count != push->count) {
        error_set(&err, REASON_INTERNAL, "%zu rows were sent and %zu verdicts came back", push->count, count);
        return cli_fail(push->cli, &err) == OUTCOME_DONE;
    }
    for (size_t i = 0; i < count; i++) {
        int outcome = (int)verdicts[i]->outcome;
        push->outcomes[outcome > 0 && outcome < OUTCOMES ? outcome : 0]++;
        if (outcome == ALLIANCE__V1__ROW_OUTCOME__ROW_OUTCOME_REFUSED)
            refusals_add(&push->refusals, &push->copies[i], "", verdicts[i]->reason, verdicts[i]->detail);
    }
    return true;
}

static bool out_of_memory(struct push *push)
{
    struct error err;

    error_set(&err, REASON_INTERNAL, "out of memory");
    return cli_fail(push->cli, &err) == OUTCOME_DONE;
}

/* What has gathered is sent and answered. */
static bool flush(struct push *push)
{
    ProtobufCMessage *request, *response;

    if (push->count == 0) {
        push->bytes = 0;
        arena_reset(&push->arena);
        return true;
    }
    request = push->kind->request(push->bank_id, push->message, push->count, &push->arena);
    if (!request)
        return out_of_memory(push);
    if (!exchange_repeatedly(push, request, &response) || !take_verdicts(push, response))
        return false;
    push->done += (int64_t)push->count;
    push->count = push->bytes = 0;
    arena_reset(&push->arena);
    progress_step(&push->progress, push->rows.lines.offset, push->done);
    return true;
}

static bool copy_row(const struct push *push, struct row_copy *copy, struct arena *arena)
{
    const struct row_fields *row = &push->rows.row;

    *copy = (struct row_copy){ push->rows.lines.number, arena_alloc(arena, (row->count + 1) * sizeof(char *)) };
    for (size_t i = 0; copy->values && i < row->count; i++) {
        copy->values[i] = arena_copy(arena, row->at[i], strlen(row->at[i]));
        if (!copy->values[i])
            return false;
    }
    return copy->values;
}

static void refuse(struct push *push, const struct row_copy *copy, const struct error *err)
{
    refusals_add_error(&push->refusals, copy, push->rows.lines.text, err);
    push->done++;
}

static bool add_row(struct push *push)
{
    struct row_copy *copy = &push->copies[push->count];
    struct error err = { 0 };

    if (!copy_row(push, copy, &push->arena))
        return out_of_memory(push);
    push->message[push->count] = push->kind->read(&push->rows, copy->line, &push->arena, &err);
    if (!push->message[push->count])
        refuse(push, copy, &err);
    else
        push->count++;
    push->bytes += push->rows.lines.size; /* of refused rows too: their copies are in the arena */
    return (push->count < ROWS_MAX && push->bytes < MESSAGE_BYTES) || flush(push);
}

static bool send_rows(struct push *push)
{
    struct client_status status;
    struct error err = { 0 };
    enum rows_next next;

    while ((next = rows_read(&push->rows, &err)) != ROWS_END) {
        if (next == ROWS_BAD)
            refuse(push, &(struct row_copy){ .line = push->rows.lines.number }, &err);
        else if (!add_row(push))
            return false;
        err = (struct error){ 0 };
    }
    return flush(push) && (!push->stream || end_stream(push, &status) || cli_fail_status(push->cli, &status) == 0);
}

static void summarise(const struct push *push)
{
    const int64_t *outcomes = push->outcomes;
    bool json = cli_option(push->cli, OPTION_JSON);

    fprintf(push->cli->out,
            json ? "{\"created\":\"%" PRId64 "\",\"changed\":\"%" PRId64 "\",\"unchanged\":\"%" PRId64
                   "\",\"refused\":\"%" PRId64 "\"}\n"
                 : "created %" PRId64 " changed %" PRId64 " unchanged %" PRId64 " refused %" PRId64 "\n",
            outcomes[ALLIANCE__V1__ROW_OUTCOME__ROW_OUTCOME_CREATED],
            outcomes[ALLIANCE__V1__ROW_OUTCOME__ROW_OUTCOME_CHANGED],
            outcomes[ALLIANCE__V1__ROW_OUTCOME__ROW_OUTCOME_UNCHANGED], push->refusals.count);
}

static bool open_rows(struct push *push, FILE *file)
{
    const char *path = push->cli->arguments.at[0];
    struct error why = { 0 }, err;

    if (rows_open(&push->rows, file, push->kind->columns, push->kind->column_count, &why))
        return true;
    error_set(&err, why.reason, "%.80s:1: %.110s", path, error_text(&why));
    return cli_fail(push->cli, &err) == OUTCOME_DONE;
}

static enum outcome run(struct push *push, FILE *file)
{
    struct stat stat;

    if (!open_rows(push, file) || !cli_open(push->cli) || !cli_party(push->cli, OPTION_BANK, "bank", &push->bank_id))
        return OUTCOME_FAILED;
    refusals_init(&push->refusals, push->cli->arguments.at[0], &push->rows.header, push->cli->err);
    progress_start(&push->progress, push->kind->what, fstat(fileno(file), &stat) == 0 ? stat.st_size : 0,
                   cli_option(push->cli, OPTION_PROGRESS) != NULL);
    bool sent = send_rows(push);
    progress_end(&push->progress, push->done);
    summarise(push);
    if (!refusals_close(&push->refusals))
        fprintf(push->cli->err, "error: %s.refused.csv could not be written\n", push->cli->arguments.at[0]);
    if (!sent || push->refusals.broken)
        return OUTCOME_FAILED;
    bool forgiven = push->refusals.count == 0 || cli_option(push->cli, OPTION_ALLOW_REFUSED);
    return forgiven ? OUTCOME_DONE : OUTCOME_REFUSED;
}

static void close_file(FILE **file)
{
    if (*file)
        fclose(*file);
}

enum outcome push_file(struct cli *cli, const struct push_kind *kind)
{
    CLEANUP(close_file) FILE *file = fopen(cli->arguments.at[0], "re");
    CLEANUP(release) struct push push = { .cli = cli, .kind = kind };
    struct error err;

    if (file)
        return run(&push, file);
    error_set(&err, REASON_FIELD_INVALID, "%.150s cannot be read", cli->arguments.at[0]);
    return cli_fail(cli, &err);
}
