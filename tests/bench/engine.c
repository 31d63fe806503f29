/*
 * engine.c -- holds through the lanes alone, without gRPC: what of the time is the write path's.
 *
 * engine CONNINFO LANES OUTSTANDING SECONDS MEMBERS on a database of prepare.sql. Prints "name value unit" lines.
 */
#include "base/uuid.h"
#include "engine/command.h"
#include "engine/lanes.h"
#include "engine/reference.h"
#include "io/clock.h"
#include "io/crypto.h"
#include "store/db.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ARGUMENTS = 6, BATCH_CLASSES = 9 };

struct run {
    struct lanes *lanes;
    uint64_t members;
    int64_t measure_from_us, measure_to_us;
    atomic_llong counted, refused, running;
    atomic_llong batches[BATCH_CLASSES], commands[BATCH_CLASSES]; /* by the batch size's power of two */
};

struct slot {
    struct run *run;
    uint32_t dice;
    char member_ref[32];
    struct command command;
};

static void die(const char *what, const struct error *err)
{
    fprintf(stderr, "engine: %s: %s\n", what, err ? error_text(err) : "");
    exit(1);
}

static void ended(struct command *command);

static void start(struct slot *slot)
{
    struct error err = { 0 };

    snprintf(slot->member_ref, sizeof slot->member_ref, "member-%llu",
             (unsigned long long)((uint64_t)rand_r(&slot->dice) % slot->run->members));
    slot->command = (struct command){
        .kind = COMMAND_HOLD,
        .request_id = crypto_uuid_v7(clock_now()),
        .member_id = command_member_id("bench", slot->member_ref),
        .programme_no = 1,
        .bank_no = 1,
        .merchant_no = 1,
        .member_ref = slot->member_ref,
        .deadline_us = INT64_MAX,
        .hold = { .points = 10, .lapse_after_us = INT64_C(86400000000), .terminal_id = "" },
        .done = ended,
        .owner = slot,
    };
    slot->command.hash16 = member_hash16(&slot->command.member_id);
    if (!lanes_submit(slot->run->lanes, &slot->command, &err))
        die("the queue is full", &err);
}

static void ended(struct command *command)
{
    struct slot *slot = command->owner;
    struct run *run = slot->run;
    int64_t now_us = clock_monotonic_us();

    if (command->answer.reason != REASON_OK)
        atomic_fetch_add(&run->refused, 1);
    else if (now_us >= run->measure_from_us && now_us < run->measure_to_us)
        atomic_fetch_add(&run->counted, 1);
    if (now_us < run->measure_to_us)
        start(slot);
    else
        atomic_fetch_sub(&run->running, 1);
}

static void observe(void *owner, const struct lane_report *report)
{
    struct run *run = owner;
    int class = 31 - __builtin_clz((unsigned)report->commands);

    atomic_fetch_add(&run->batches[class], 1);
    atomic_fetch_add(&run->commands[class], report->commands);
}

static void open_lanes(struct run *run, const char *conninfo, int lanes, struct reference_source **reference)
{
    struct error err = { 0 };
    struct db *db;

    if (!db_open(conninfo, &db, &err) || !reference_open(db, NULL, reference, &err))
        die("the database", &err);
    const struct reference *first = reference_acquire(*reference);
    struct lanes_options options = { .conninfo = conninfo,
                                     .buckets = first->buckets,
                                     .lanes = lanes,
                                     .reference = *reference,
                                     .observer = observe,
                                     .observer_owner = run };
    reference_release(first);
    db_close(db);
    if (!lanes_open(&options, &run->lanes, &err))
        die("the lanes", &err);
}

int main(int argc, char **argv)
{
    static struct run run;
    struct reference_source *reference;

    if (argc != ARGUMENTS)
        die("engine CONNINFO LANES OUTSTANDING SECONDS MEMBERS", NULL);
    long outstanding = atol(argv[3]), seconds = atol(argv[4]);
    run.members = strtoull(argv[5], NULL, 10);
    open_lanes(&run, argv[1], atoi(argv[2]), &reference);
    struct slot *slots = calloc((size_t)outstanding, sizeof *slots);
    run.running = outstanding;
    run.measure_from_us = clock_monotonic_us() + US_PER_SECOND;
    run.measure_to_us = run.measure_from_us + seconds * US_PER_SECOND;
    for (long i = 0; i < outstanding; i++) {
        slots[i].run = &run;
        crypto_random(&slots[i].dice, sizeof slots[i].dice);
        start(&slots[i]);
    }
    while (run.running > 0)
        nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
    printf("engine_hold_per_s %lld calls/s\nrefused %lld calls\n", (long long)run.counted / seconds,
           (long long)run.refused);
    for (int i = 0; i < BATCH_CLASSES; i++)
        printf("batches_of_%d_up %lld batches\n", 1 << i, (long long)run.batches[i]);
    lanes_close(run.lanes);
    reference_close(reference);
    free(slots);
    return 0;
}
