/*
 * roster.c -- a member list as two batches over one mTLS stream: all members new, then the same rows again.
 *
 * From the header to the last verdict; what a bank does once beforehand, the pass that adds the list up, is not timed.
 * --print writes the same rows for COPY instead. Prints "name value unit" lines.
 */
#include "client/client.h"
#include "io/clock.h"
#include "io/digest.h"

#include <alliance/v1/roster_service.pb-c.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef Alliance__V1__PushRosterRequest Request;
typedef Alliance__V1__PushRosterResponse Response;

enum { AT_ONCE = 500, TIMEOUT_MS = 3600000, PAUSE_NS = 20000000, LIMITS = 1000 };

struct bench {
    const char *server, *ca, *cert, *key, *bank, *prefix;
    int64_t rows, batch;
    bool cards, print;
    struct client *client;
    struct client_stream *stream;
    struct arena arena;
    uint8_t hash[CRYPTO_HASH];
    int64_t credit_limit_total;
};

/* A row and what it points to. */
struct row {
    Alliance__V1__MemberRow row;
    Alliance__V1__Member member;
    char ref[40], token[40], *tokens[1];
};

static void die(const char *what, const char *why)
{
    fprintf(stderr, "roster: %s: %s\n", what, why);
    exit(1);
}

static void make_row(const struct bench *bench, int64_t number, struct row *row)
{
    alliance__v1__member_row__init(&row->row);
    alliance__v1__member__init(&row->member);
    snprintf(row->ref, sizeof row->ref, "%s-%08" PRId64, bench->prefix, number);
    snprintf(row->token, sizeof row->token, "tok_%s_%08" PRId64 "x", bench->prefix, number);
    row->tokens[0] = row->token;
    row->row.row_number = number;
    row->row.member = &row->member;
    row->member.member_ref = row->ref;
    row->member.credit_limit = number % LIMITS;
    row->member.card_tokens = row->tokens;
    row->member.n_card_tokens = bench->cards ? 1 : 0;
}

static void add_up(struct bench *bench)
{
    CLEANUP(digest_release) struct digest digest = { 0 };
    uint8_t bytes[256];
    struct row row;

    digest_begin(&digest);
    for (int64_t i = 1; i <= bench->rows; i++) {
        make_row(bench, i, &row);
        size_t size = protobuf_c_message_pack(&row.member.base, bytes + 4);
        bytes[0] = bytes[1] = bytes[2] = 0; /* a row is shorter than 256 bytes */
        bytes[3] = (uint8_t)size;
        digest_add(&digest, bytes, size + 4);
        bench->credit_limit_total += row.member.credit_limit;
    }
    digest_end(&digest, bench->hash);
}

static void print_rows(const struct bench *bench)
{
    struct row row;

    for (int64_t i = 1; i <= bench->rows; i++) {
        make_row(bench, i, &row);
        printf("%s\t%" PRId64 "\t%s\n", row.ref, row.member.credit_limit, bench->cards ? row.token : "");
    }
}

static const Response *ask(struct bench *bench, const Request *request)
{
    struct client_status status;
    ProtobufCMessage *message;

    arena_reset(&bench->arena);
    if (client_stream_send(bench->stream, &request->base) &&
        client_stream_receive(bench->stream, &alliance__v1__push_roster_response__descriptor, &bench->arena, &message))
        return (const Response *)message;
    client_stream_half_close(bench->stream);
    client_stream_finish(bench->stream, &status);
    die(status.reason, status.message);
    return NULL;
}

static void send_header(struct bench *bench)
{
    Request request = ALLIANCE__V1__PUSH_ROSTER_REQUEST__INIT;
    Alliance__V1__RosterHeader header = ALLIANCE__V1__ROSTER_HEADER__INIT;
    char day[] = "2026-01-15";

    header.bank_id = (char *)(uintptr_t)bench->bank;
    header.batch_number = bench->batch;
    header.business_date = day;
    header.kind = ALLIANCE__V1__ROSTER_KIND__ROSTER_KIND_DELTA;
    header.row_count = bench->rows;
    header.credit_limit_total = bench->credit_limit_total;
    header.rows_sha256 = (ProtobufCBinaryData){ CRYPTO_HASH, bench->hash };
    request.step_case = ALLIANCE__V1__PUSH_ROSTER_REQUEST__STEP_HEADER;
    request.header = &header;
    if (ask(bench, &request)->answer_case != ALLIANCE__V1__PUSH_ROSTER_RESPONSE__ANSWER_POSITION)
        die("header", "the batch was pushed before; give another --batch");
}

static void send_rows(struct bench *bench)
{
    static struct row rows[AT_ONCE];
    Alliance__V1__MemberRow *pointers[AT_ONCE];
    Request request = ALLIANCE__V1__PUSH_ROSTER_REQUEST__INIT;
    Alliance__V1__RosterRows message = ALLIANCE__V1__ROSTER_ROWS__INIT;

    message.rows = pointers;
    request.step_case = ALLIANCE__V1__PUSH_ROSTER_REQUEST__STEP_ROWS;
    request.rows = &message;
    for (int64_t sent = 0; sent < bench->rows; sent += (int64_t)message.n_rows) {
        for (message.n_rows = 0; message.n_rows < AT_ONCE && sent + (int64_t)message.n_rows < bench->rows;
             message.n_rows++) {
            make_row(bench, sent + (int64_t)message.n_rows + 1, &rows[message.n_rows]);
            pointers[message.n_rows] = &rows[message.n_rows].row;
        }
        ask(bench, &request);
    }
}

/* The last batch as it was answered lives in the arena. */
static const Alliance__V1__RosterBatch *read_verdicts(struct bench *bench)
{
    static const struct timespec pause = { 0, PAUSE_NS };
    Request request = ALLIANCE__V1__PUSH_ROSTER_REQUEST__INIT;
    Alliance__V1__RosterEnd end = ALLIANCE__V1__ROSTER_END__INIT;
    Alliance__V1__RosterNext next = ALLIANCE__V1__ROSTER_NEXT__INIT;
    int64_t verdicts = 0;

    request.step_case = ALLIANCE__V1__PUSH_ROSTER_REQUEST__STEP_END;
    request.end = &end;
    ask(bench, &request);
    request.step_case = ALLIANCE__V1__PUSH_ROSTER_REQUEST__STEP_NEXT;
    request.next = &next;
    for (;;) {
        const Response *response = ask(bench, &request);
        if (response->answer_case == ALLIANCE__V1__PUSH_ROSTER_RESPONSE__ANSWER_VERDICTS) {
            verdicts += (int64_t)response->verdicts->n_verdicts;
            continue;
        }
        const Alliance__V1__RosterBatch *batch = response->batch;
        if (batch->state == ALLIANCE__V1__ROSTER_STATE__ROSTER_STATE_APPLIED && verdicts == bench->rows)
            return batch;
        if (batch->state == ALLIANCE__V1__ROSTER_STATE__ROSTER_STATE_REFUSED)
            die(batch->reason, batch->detail);
        nanosleep(&pause, NULL);
    }
}

static void push(struct bench *bench, const char *figure, bool again)
{
    struct client_status status;
    struct error err;
    int64_t began_us = clock_monotonic_us();

    if (!client_stream_open(bench->client, &alliance__v1__roster_service__descriptor, "PushRoster", TIMEOUT_MS,
                            &bench->stream, &err))
        die("stream", error_text(&err));
    send_header(bench);
    send_rows(bench);
    int64_t staged_us = clock_monotonic_us() - began_us;
    const Alliance__V1__RosterBatch *batch = read_verdicts(bench);
    int64_t took_us = clock_monotonic_us() - began_us;
    if ((again ? batch->unchanged : batch->created) != bench->rows)
        die(figure, "some rows had another verdict than they should");
    printf("%s %" PRId64 " rows/s\n", figure, bench->rows * US_PER_SECOND / took_us);
    printf("%s_staging %" PRId64 " rows/s\n", figure, bench->rows * US_PER_SECOND / staged_us);
    fflush(stdout);
    client_stream_half_close(bench->stream);
    client_stream_finish(bench->stream, &status);
    bench->batch++;
}

static void read_options(int argc, char **argv, struct bench *bench)
{
    static const struct option options[] = {
        { "server", 1, NULL, 's' },
        { "ca", 1, NULL, 'a' },
        { "cert", 1, NULL, 'c' },
        { "key", 1, NULL, 'k' },
        { "bank", 1, NULL, 'b' },
        { "rows", 1, NULL, 'r' },
        { "prefix", 1, NULL, 'p' },
        { "batch", 1, NULL, 'n' },
        { "cards", 0, NULL, 'C' },
        { "print", 0, NULL, 'P' },
        { 0 },
    };
    const char **texts[128] = { ['s'] = &bench->server, ['a'] = &bench->ca,   ['c'] = &bench->cert,
                                ['k'] = &bench->key,    ['b'] = &bench->bank, ['p'] = &bench->prefix };

    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (c == '?')
            exit(2);
        if (texts[c])
            *texts[c] = optarg;
        else if (c == 'r' || c == 'n')
            *(c == 'r' ? &bench->rows : &bench->batch) = strtoll(optarg, NULL, 10);
        else
            *(c == 'C' ? &bench->cards : &bench->print) = true;
    }
    if (bench->rows < 1 || bench->batch < 1 || strlen(bench->prefix) > 16)
        die("options", "--rows and --batch are at least 1, --prefix has at most 16 characters");
}

int main(int argc, char **argv)
{
    struct bench bench = { .server = "localhost:50051", .bank = "bench", .prefix = "r", .rows = 200000, .batch = 1 };
    struct error err;

    read_options(argc, argv, &bench);
    if (bench.print) {
        print_rows(&bench);
        return 0;
    }
    const struct client_options options = {
        .target = bench.server, .ca_file = bench.ca, .cert_file = bench.cert, .key_file = bench.key
    };
    if (!client_open(&options, &bench.client, &err) || !client_connect(bench.client, 10000, &err))
        die(bench.server, error_text(&err));
    add_up(&bench);
    push(&bench, "roster_rows_per_s", false);
    push(&bench, "roster_repeat_rows_per_s", true);
    client_close(bench.client);
    arena_release(&bench.arena);
    return 0;
}
