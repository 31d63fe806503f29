/*
 * load.c -- one kind of call, as many at a time as asked for, over a few mTLS connections; then what it came to.
 *
 * A closed loop: each answer starts the next call, so the server is always just as busy as --outstanding says. One
 * thread, because on a small machine the load must not take what it measures. Members are those of prepare.sql.
 * Prints "name value unit" lines; ops/bench reads them.
 */
#include "alliance/v1/bank_service.pb-c.h"
#include "alliance/v1/diagnostics_service.pb-c.h"
#include "alliance/v1/redemption_service.pb-c.h"
#include "base/uuid.h"
#include "client/client.h"
#include "google/protobuf/duration.pb-c.h"
#include "io/clock.h"
#include "io/crypto.h"
#include "latency.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    OUTSTANDING_MAX = 4096,
    PACKED_MAX = 512,
    REASONS_MAX = 32,
    CALL_TIMEOUT_MS = 30000,
    HOLD_POINTS = 10,
    HOLD_SECONDS = 24 * 60 * 60, /* longer than any run, so that nothing lapses under it */
};

struct run {
    struct {
        const char *method, *server, *ca, *cert, *key;
        int64_t outstanding, channels, seconds, warm, members;
    } options;
    struct client *client;
    const struct client_method *method;
    size_t (*pack)(struct run *run, uint8_t *out);
    uint64_t dice;                          /* state of a splitmix64 generator */
    int64_t measure_from_us, measure_to_us; /* clock_monotonic_us; calls that end between are counted */
    struct latency latency;
    struct {
        char name[64];
        uint64_t count;
    } failures[REASONS_MAX];
    size_t failure_count;
    struct slot {
        struct run *run;
        int64_t started_us;
    } slots[OUTSTANDING_MAX];
};

static uint64_t roll(struct run *run)
{
    uint64_t z = run->dice += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static void random_member(struct run *run, char *text, size_t size)
{
    snprintf(text, size, "member-%llu", (unsigned long long)(roll(run) % (uint64_t)run->options.members));
}

static void fresh_id(struct run *run, char text[UUID_TEXT])
{
    uint64_t random[2] = { roll(run), roll(run) };
    uint8_t bytes[10];

    memcpy(bytes, random, sizeof bytes);
    struct uuid id = uuid_v7(clock_now(), bytes);
    uuid_format(&id, text);
}

static size_t pack_hold(struct run *run, uint8_t *out)
{
    Alliance__V1__HoldRedemptionRequest request = ALLIANCE__V1__HOLD_REDEMPTION_REQUEST__INIT;
    Google__Protobuf__Duration lapse_after = GOOGLE__PROTOBUF__DURATION__INIT;
    char id[UUID_TEXT], member[32], merchant[] = "bench-shop", bank[] = "bench";

    fresh_id(run, id);
    random_member(run, member, sizeof member);
    lapse_after.seconds = HOLD_SECONDS;
    request.request_id = id;
    request.merchant_id = merchant;
    request.bank_id = bank;
    request.member_ref = member;
    request.points = HOLD_POINTS;
    request.lapse_after = &lapse_after;
    return alliance__v1__hold_redemption_request__pack(&request, out);
}

static size_t pack_ping(struct run *run, uint8_t *out)
{
    Alliance__V1__PingRequest request = ALLIANCE__V1__PING_REQUEST__INIT;

    (void)run;
    return alliance__v1__ping_request__pack(&request, out);
}

static size_t pack_balance(struct run *run, uint8_t *out)
{
    Alliance__V1__GetBalanceRequest request = ALLIANCE__V1__GET_BALANCE_REQUEST__INIT;
    char member[32], bank[] = "bench";

    random_member(run, member, sizeof member);
    request.bank_id = bank;
    request.member_ref = member;
    return alliance__v1__get_balance_request__pack(&request, out);
}

static const struct {
    const char *name, *path;
    size_t (*pack)(struct run *run, uint8_t *out); /* at most PACKED_MAX bytes */
} methods[] = {
    { "hold", "/alliance.v1.RedemptionService/HoldRedemption", pack_hold },
    { "ping", "/alliance.v1.DiagnosticsService/Ping", pack_ping },
    { "balance", "/alliance.v1.BankService/GetBalance", pack_balance },
};

static void die(const char *what, const struct error *err)
{
    fprintf(stderr, "load: %s%s%s\n", what, err ? ": " : "", err ? error_text(err) : "");
    exit(1);
}

static void count_failure(struct run *run, const struct client_status *status)
{
    const char *name = status->reason[0] ? status->reason : status_name(status->code);
    size_t i = 0;

    while (i < run->failure_count && strcmp(run->failures[i].name, name) != 0)
        i++;
    if (i == REASONS_MAX)
        return;
    if (i == run->failure_count)
        snprintf(run->failures[run->failure_count++].name, sizeof run->failures[i].name, "%s", name);
    run->failures[i].count++;
}

static void start_call(struct slot *slot);

static void call_ended(void *owner, const struct client_result *result)
{
    struct slot *slot = owner;
    struct run *run = slot->run;
    int64_t now_us = clock_monotonic_us();

    if (result->status->code != STATUS_OK)
        count_failure(run, result->status);
    else if (now_us >= run->measure_from_us && now_us < run->measure_to_us)
        latency_add(&run->latency, now_us - slot->started_us);
    if (now_us < run->measure_to_us)
        start_call(slot);
}

static void start_call(struct slot *slot)
{
    struct run *run = slot->run;
    struct error err = { 0 };
    uint8_t packed[PACKED_MAX];
    size_t size = run->pack(run, packed);

    slot->started_us = clock_monotonic_us();
    if (!client_start(run->client, run->method, packed, size, CALL_TIMEOUT_MS, call_ended, slot, &err))
        die("a call could not be started", &err);
}

static void connect_client(struct run *run)
{
    struct client_options options = {
        .target = run->options.server,
        .ca_file = run->options.ca,
        .cert_file = run->options.cert,
        .key_file = run->options.key,
        .channels = (int)run->options.channels,
    };
    struct error err = { 0 };
    size_t i = 0;

    while (i < COUNT(methods) && strcmp(methods[i].name, run->options.method) != 0)
        i++;
    if (i == COUNT(methods))
        die("--method is hold, ping or balance", NULL);
    run->pack = methods[i].pack;
    if (!client_open(&options, &run->client, &err) || !client_connect(run->client, 10000, &err) ||
        !client_method(run->client, methods[i].path, &run->method, &err))
        die(run->options.server, &err);
}

static void drive(struct run *run)
{
    run->measure_from_us = clock_monotonic_us() + run->options.warm * US_PER_SECOND;
    run->measure_to_us = run->measure_from_us + run->options.seconds * US_PER_SECOND;
    for (int64_t i = 0; i < run->options.outstanding; i++) {
        run->slots[i].run = run;
        start_call(&run->slots[i]);
    }
    while (client_outstanding(run->client) > 0)
        client_poll(run->client, 1000);
}

static void print_result(const struct run *run)
{
    const struct latency *latency = &run->latency;

    printf("calls_per_s %llu calls/s\n", (unsigned long long)(latency->total / (uint64_t)run->options.seconds));
    printf("p50_us %lld us\n", (long long)latency_quantile(latency, 500));
    printf("p99_us %lld us\n", (long long)latency_quantile(latency, 990));
    printf("calls %llu calls\n", (unsigned long long)latency->total);
    for (size_t i = 0; i < run->failure_count; i++)
        printf("failed_%s %llu calls\n", run->failures[i].name, (unsigned long long)run->failures[i].count);
}

/* Options: a row each; text or a number within its range. */
#define TEXT(name)                                                                                                     \
    {                                                                                                                  \
#name, offsetof(struct run, options.name), true, 0, 0                                                          \
    }
#define NUMBER(name, low, high)                                                                                        \
    {                                                                                                                  \
#name, offsetof(struct run, options.name), false, low, high                                                    \
    }
static const struct {
    const char *name;
    size_t offset;
    bool is_text;
    int64_t low, high;
} option_table[] = {
    TEXT(method),
    TEXT(server),
    TEXT(ca),
    TEXT(cert),
    TEXT(key),
    NUMBER(outstanding, 1, OUTSTANDING_MAX),
    NUMBER(channels, 1, 64),
    NUMBER(seconds, 1, 3600),
    NUMBER(warm, 0, 3600),
    NUMBER(members, 1, 100000000),
};

static void usage(void)
{
    fprintf(stderr, "load --method hold|ping|balance --server HOST:PORT --ca FILE --cert FILE --key FILE\n"
                    "     [--outstanding N] [--channels N] [--seconds N] [--warm SECONDS] [--members N]\n");
    exit(2);
}

static void set_option(struct run *run, size_t i, const char *value)
{
    void *field = (uint8_t *)run + option_table[i].offset;
    char *end;

    if (option_table[i].is_text) {
        *(const char **)field = value;
        return;
    }
    long long number = strtoll(value, &end, 10);
    if (*value == '\0' || *end != '\0' || number < option_table[i].low || number > option_table[i].high)
        usage();
    *(int64_t *)field = number;
}

static void read_options(struct run *run, int argc, char **argv)
{
    struct option known[COUNT(option_table) + 1] = { 0 };
    int i;

    for (size_t k = 0; k < COUNT(option_table); k++)
        known[k] = (struct option){ option_table[k].name, required_argument, NULL, (int)k };
    while ((i = getopt_long(argc, argv, "", known, NULL)) >= 0) {
        if (i >= (int)COUNT(option_table))
            usage();
        set_option(run, (size_t)i, optarg);
    }
    if (optind < argc || !run->options.method || !run->options.server || !run->options.ca)
        usage();
}

int main(int argc, char **argv)
{
    static struct run run;

    run.options.outstanding = 256;
    run.options.channels = 4;
    run.options.seconds = 5;
    run.options.members = 200000;
    read_options(&run, argc, argv);
    crypto_random(&run.dice, sizeof run.dice);
    connect_client(&run);
    drive(&run);
    print_result(&run);
    client_close(run.client);
    return run.latency.total > 0 ? 0 : 1;
}
