/*
 * load.c -- one kind of call, as many at a time as asked for, over a few mTLS connections; then what it came to.
 *
 * One thread unless told otherwise, because on a small machine the load must not take what it measures. A client acts
 * for one merchant, so that several merchants take several clients; streams are a thread each. Members are those of
 * prepare.sql. Prints "name value unit" lines; ops/bench reads them.
 */
#include "load/load.h"

#include "io/clock.h"
#include "io/crypto.h"

#include <getopt.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CLIENTS_MAX = 64, PATH_SIZE = 4096 };

struct load {
    struct load_options options;
    struct client *clients[CLIENTS_MAX];
    size_t client_count;
    struct worker *workers;
    size_t worker_count;
};

void load_die(const char *what, const struct error *err)
{
    fprintf(stderr, "load: %s%s%s\n", what, err ? ": " : "", err ? error_text(err) : "");
    exit(1);
}

static const char *number_in(const char *path, size_t number, char out[PATH_SIZE])
{
    const char *at = path ? strchr(path, '@') : NULL;

    if (!at)
        return path;
    snprintf(out, PATH_SIZE, "%.*s%zu%s", (int)(at - path), path, number, at + 1);
    return out;
}

/* 1 to --merchants. */
static size_t merchant_of(const struct load_options *options, size_t client)
{
    return client % (size_t)options->merchants + 1;
}

static void connect_clients(struct load *load)
{
    const struct load_options *asked = &load->options;
    int64_t each = asked->channels / asked->clients;
    char cert[PATH_SIZE], key[PATH_SIZE];
    struct error err = { 0 };

    for (; load->client_count < (size_t)asked->clients; load->client_count++) {
        struct client_options options = {
            .target = asked->server,
            .ca_file = asked->ca,
            .cert_file = number_in(asked->cert, merchant_of(asked, load->client_count), cert),
            .key_file = number_in(asked->key, merchant_of(asked, load->client_count), key),
            .channels = each > 0 ? (int)each : 1,
        };
        struct client **client = &load->clients[load->client_count];
        if (!client_open(&options, client, &err) || !client_connect(*client, 10000, &err))
            load_die(asked->server, &err);
    }
}

/* What is shared by n workers: the first get one more when it does not divide. */
static int64_t part(int64_t whole, size_t n, size_t i)
{
    return whole / (int64_t)n + ((int64_t)i < whole % (int64_t)n ? 1 : 0);
}

static void make_worker(struct load *load, size_t i)
{
    const struct load_options *options = &load->options;
    struct worker *worker = &load->workers[i];
    size_t client = i % load->client_count;
    struct error err = { 0 };

    worker->options = options;
    worker->method = load_method(options->method);
    worker->client = load->clients[client];
    if (options->merchants == 1)
        snprintf(worker->merchant_id, sizeof worker->merchant_id, "bench-shop");
    else
        snprintf(worker->merchant_id, sizeof worker->merchant_id, "bench-shop-%zu", merchant_of(options, client));
    crypto_random(&worker->dice, sizeof worker->dice);
    worker->rate = part(options->rate, load->worker_count, i);
    if (worker->method->streams)
        return;
    for (size_t k = 0; k < worker->method->kind_count; k++) {
        if (!client_method(worker->client, worker->method->kinds[k]->path, &worker->handles[k], &err))
            load_die(options->method, &err);
    }
    worker->slot_count = (size_t)part(options->outstanding, load->worker_count, i);
    worker->slots = calloc(worker->slot_count, sizeof *worker->slots);
    if (worker->slot_count == 0 || !worker->slots)
        load_die("--outstanding is less than --clients", NULL);
}

static void make_workers(struct load *load)
{
    bool streams = load_method(load->options.method)->streams;

    load->worker_count = streams ? (size_t)load->options.outstanding : load->client_count;
    load->workers = calloc(load->worker_count, sizeof *load->workers);
    if (!load->workers)
        load_die("out of memory", NULL);
    if (load->options.rate > 0 && (streams || load->options.rate < (int64_t)load->worker_count))
        load_die("--rate is for calls, and at least one a second for each client", NULL);
    for (size_t i = 0; i < load->worker_count; i++)
        make_worker(load, i);
}

static void *work(void *with)
{
    struct worker *worker = with;

    if (worker->method->streams)
        load_drive_stream(worker);
    else
        load_drive(worker);
    return NULL;
}

static void drive(struct load *load)
{
    int64_t from_us = clock_monotonic_us() + load->options.warm * US_PER_SECOND;
    pthread_t *threads = calloc(load->worker_count, sizeof *threads);

    if (!threads)
        load_die("out of memory", NULL);
    for (size_t i = 0; i < load->worker_count; i++) {
        load->workers[i].from_us = from_us;
        load->workers[i].to_us = from_us + load->options.seconds * US_PER_SECOND;
        if (pthread_create(&threads[i], NULL, work, &load->workers[i]) != 0)
            load_die("no thread to be had", NULL);
    }
    for (size_t i = 0; i < load->worker_count; i++)
        pthread_join(threads[i], NULL);
    free(threads);
}

static void add_failures(struct worker *sum, const struct worker *worker)
{
    for (size_t i = 0; i < worker->failure_count; i++) {
        for (uint64_t k = 0; k < worker->failures[i].count; k++)
            load_count_failure(sum, worker->failures[i].name);
    }
}

/* Into the first. */
static struct worker *add_up(struct load *load)
{
    struct worker *sum = &load->workers[0];

    for (size_t i = 1; i < load->worker_count; i++) {
        const struct worker *worker = &load->workers[i];
        sum->items += worker->items;
        sum->unsent += worker->unsent;
        sum->latency.total += worker->latency.total;
        for (size_t k = 0; k < LATENCY_BUCKETS; k++)
            sum->latency.counts[k] += worker->latency.counts[k];
        add_failures(sum, worker);
    }
    return sum;
}

/* What was due and could not even be sent is a failure, too. */
static void print_result(const struct load_options *options, const struct worker *sum)
{
    const struct latency *latency = &sum->latency;
    uint64_t seconds = (uint64_t)options->seconds;

    printf("calls_per_s %llu calls/s\n", (unsigned long long)(latency->total / seconds));
    printf("items_per_s %llu items/s\n", (unsigned long long)(sum->items / seconds));
    printf("p50_us %lld us\n", (long long)latency_quantile(latency, 500));
    printf("p99_us %lld us\n", (long long)latency_quantile(latency, 990));
    printf("calls %llu calls\n", (unsigned long long)latency->total);
    for (size_t i = 0; i < sum->failure_count; i++)
        printf("failed_%s %llu calls\n", sum->failures[i].name, (unsigned long long)sum->failures[i].count);
    if (sum->unsent > 0)
        printf("failed_UNSENT %llu calls\n", (unsigned long long)sum->unsent);
}

/* Options: a row each; text or a number within its range. */
#define TEXT(name)                                                                                                     \
    {                                                                                                                  \
#name, offsetof(struct load_options, name), true, 0, 0                                                         \
    }
#define NUMBER(name, low, high)                                                                                        \
    {                                                                                                                  \
#name, offsetof(struct load_options, name), false, low, high                                                   \
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
    NUMBER(channels, 1, CLIENTS_MAX),
    NUMBER(seconds, 1, 3600),
    NUMBER(warm, 0, 3600),
    NUMBER(members, 1, 100000000),
    NUMBER(clients, 1, CLIENTS_MAX),
    NUMBER(merchants, 1, CLIENTS_MAX),
    NUMBER(terminals, 0, 1000000),
    NUMBER(items, 1, WRITES_MAX),
    NUMBER(rate, 0, 1000000),
};

static void usage(void)
{
    fprintf(
        stderr,
        "load --method METHOD --server HOST:PORT --ca FILE --cert FILE --key FILE [--outstanding N] [--channels N]\n"
        "     [--seconds N] [--warm SECONDS] [--members N] [--clients N] [--merchants N] [--terminals N]\n"
        "     [--items N] [--rate N]\n"
        "  hold, redeem, ping, balance   calls\n"
        "  hold-cancel                   each hold is cancelled at once; holds are counted: for --members 1\n"
        "  hold-batch, hold-stream       messages of --items holds; --outstanding messages, or streams, at a time\n"
        "  accruals                      streams of messages of --items purchases, --outstanding streams at a time\n"
        "  --merchants N                 a client each, bench-shop-1 to N; @ in --cert and --key is the number\n"
        "  --terminals N                 till-0 to N-1 at random; 1 is one hot terminal\n"
        "  --rate N                      an open loop: N calls/s, latency counted from when each was due\n");
    exit(2);
}

static void set_option(struct load_options *options, size_t i, const char *value)
{
    void *field = (uint8_t *)options + option_table[i].offset;
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

static void read_options(struct load_options *options, int argc, char **argv)
{
    struct option known[COUNT(option_table) + 1] = { 0 };
    int i;

    for (size_t k = 0; k < COUNT(option_table); k++)
        known[k] = (struct option){ option_table[k].name, required_argument, NULL, (int)k };
    while ((i = getopt_long(argc, argv, "", known, NULL)) >= 0) {
        if (i >= (int)COUNT(option_table))
            usage();
        set_option(options, (size_t)i, optarg);
    }
    if (optind < argc || !options->method || !load_method(options->method) || !options->server || !options->ca)
        usage();
}

int main(int argc, char **argv)
{
    static struct load load;

    load.options = (struct load_options){
        .outstanding = 256, .channels = 4, .seconds = 5, .members = 200000, .clients = 1, .merchants = 1, .items = 1000
    };
    read_options(&load.options, argc, argv);
    connect_clients(&load);
    make_workers(&load);
    drive(&load);
    struct worker *sum = add_up(&load);
    print_result(&load.options, sum);
    for (size_t i = 0; i < load.client_count; i++)
        client_close(load.clients[i]);
    return sum->latency.total > 0 ? 0 : 1;
}
