#include "push.h"

#include "advice.h"
#include "backoff.h"
#include "progress.h"

#include "base/limits.h"
#include "io/clock.h"
#include "io/refusals.h"

#include <alliance/v1/bank_service.pb-c.h>
#include <inttypes.h>
#include <string.h>

/* A message is kept well under MESSAGE_MAX: a row's message is hardly larger than its line. A stream is renewed before
 * its deadline. */
enum { MESSAGE_BYTES = 400 * 1024, STREAM_TIMEOUT_MS = 300000, STREAM_RENEW_US = 200 * 1000000 };

enum { OUTCOMES = 5 };

struct push {
    struct cli *cli;
    const struct push_kind *kind;
    char *bank_id;
    struct row_source source;
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
    row_source_close(&push->source);
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
    progress_step(&push->progress, push->source.in.taken, push->done);
    return true;
}

/* Everything of the row that is needed until its verdict comes. */
static bool copy_row(const struct push *push, struct row_copy *copy, struct arena *arena)
{
    const struct row_copy *row = &push->source.row->copy;
    size_t count = push->source.rows.header.count * row->lines;

    *copy = (struct row_copy){ row->line, arena_alloc(arena, (count + 1) * sizeof(char *)), row->lines };
    for (size_t i = 0; copy->values && i < count; i++) {
        copy->values[i] = arena_copy(arena, row->values[i], strlen(row->values[i]));
        if (!copy->values[i])
            return false;
    }
    return copy->values;
}

static void refuse(struct push *push, const struct row_copy *copy, const char *text, const struct error *err)
{
    refusals_add_error(&push->refusals, copy, text, err);
    push->done++;
}

static bool add_row(struct push *push)
{
    struct row_copy *copy = &push->copies[push->count];
    struct error err = { 0 };

    if (!copy_row(push, copy, &push->arena))
        return out_of_memory(push);
    push->message[push->count] = push->kind->read(push->source.row->values, copy->line, &push->arena, &err);
    if (!push->message[push->count]) {
        row_source_place(&push->source, &err);
        refuse(push, copy, "", &err);
    } else {
        push->count++;
    }
    push->bytes += push->source.row->arena.used; /* of refused rows too: their copies are in the arena */
    return (push->count < ROWS_MAX && push->bytes < MESSAGE_BYTES) || flush(push);
}

static bool send_rows(struct push *push)
{
    const struct source_row *row;
    struct client_status status;
    enum source_next next;
    struct error err;

    while ((next = row_source_next(&push->source)) == SOURCE_ROW || next == SOURCE_BAD) {
        row = push->source.row;
        if (next == SOURCE_BAD)
            refuse(push, &row->copy, row->text, &row->err);
        else if (!add_row(push))
            return false;
    }
    if (next == SOURCE_BROKEN && !row_source_broken(&push->source, &err)) /* it changed while we read it */
        return cli_fail(push->cli, &err) == OUTCOME_DONE;
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

bool push_options(struct cli *cli, const char *kind, const struct row_column *columns, size_t column_count,
                  struct source_options *options)
{
    *options = (struct source_options){
        .path = cli->arguments.at[0],
        .kind = kind,
        .columns = columns,
        .column_count = column_count,
        .mapping = cli_option(cli, OPTION_MAPPING),
        .encoding = cli_option(cli, OPTION_ENCODING),
        .key_file = cli_option(cli, OPTION_KEY_FILE),
    };
    return cli_whole(cli, OPTION_MAX_MB, 1, FILE_IN_MB_MAX, FILE_IN_MB_DEFAULT, &options->max_mb);
}

bool push_open(struct cli *cli, const struct source_options *options, struct row_source *source,
               struct refusals *refusals)
{
    struct error err;

    if (!row_source_open(source, options, &err))
        return cli_fail(cli, &err) == OUTCOME_DONE;
    if (refusals_init_as(refusals, options->path, cli_option(cli, OPTION_REFUSED), &source->rows.format,
                         &source->rows.header, cli->err))
        return true;
    error_field(&err, REASON_FIELD_INVALID, "--refused", "must be another file than the one that is read");
    return cli_fail(cli, &err) == OUTCOME_DONE;
}

static bool open_push(struct push *push)
{
    struct source_options options;
    struct error err;

    if (!push_options(push->cli, push->kind->what, push->kind->columns, push->kind->column_count, &options) ||
        !push_open(push->cli, &options, &push->source, &push->refusals))
        return false;
    if (!push->kind->check(push->cli, &push->source, &err)) {
        cli_fail(push->cli, &err);
        fputs("nothing was sent\n", push->cli->err);
        return false;
    }
    return cli_open(push->cli) && cli_party(push->cli, OPTION_BANK, "bank", &push->bank_id);
}

enum outcome push_file(struct cli *cli, const struct push_kind *kind)
{
    CLEANUP(release) struct push push = { .cli = cli, .kind = kind };

    if (!open_push(&push))
        return OUTCOME_FAILED;
    progress_start(&push.progress, kind->what, push.source.in.size, cli_option(cli, OPTION_PROGRESS) != NULL);
    bool sent = send_rows(&push);
    progress_end(&push.progress, push.done);
    summarise(&push);
    if (!refusals_close(&push.refusals))
        fputs("error: the file of refused rows could not be written\n", cli->err);
    if (!sent || push.refusals.broken)
        return OUTCOME_FAILED;
    bool forgiven = push.refusals.count == 0 || cli_option(cli, OPTION_ALLOW_REFUSED);
    return forgiven ? OUTCOME_DONE : OUTCOME_REFUSED;
}
