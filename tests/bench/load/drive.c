/*
 * How it is sent. A closed loop: each answer starts the next call, so the server is always just as busy as
 * --outstanding says. An open loop: calls are due at a steady rate whatever the server does, and their latency counts
 * from when they were due, so that a stall is felt by everything that was due in it.
 */
#include "load.h"

#include "io/clock.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum { POLL_MS = 1000, NAP_US = 100, LATE_MAX_S = 10 };

void load_count_failure(struct worker *worker, const char *name)
{
    size_t i = 0;

    while (i < worker->failure_count && strcmp(worker->failures[i].name, name) != 0)
        i++;
    if (i == REASONS_MAX)
        return;
    if (i == worker->failure_count)
        snprintf(worker->failures[worker->failure_count++].name, sizeof worker->failures[i].name, "%s", name);
    worker->failures[i].count++;
}

static void count(struct worker *worker, int64_t at_us, int64_t took_us, uint64_t items)
{
    if (at_us < worker->from_us || at_us >= worker->to_us)
        return;
    latency_add(&worker->latency, took_us);
    worker->items += items;
}

static const struct load_kind *kind_of(const struct slot *slot)
{
    return slot->worker->method->kinds[slot->turn];
}

static void send_call(struct slot *slot, int64_t started_us);

static void take_answer(struct slot *slot, const struct client_result *result, int64_t now_us)
{
    struct worker *worker = slot->worker;
    const struct load_kind *kind = kind_of(slot);
    bool counted = slot->turn == 0;

    if (result->status->code != STATUS_OK) {
        load_count_failure(worker,
                           result->status->reason[0] ? result->status->reason : status_name(result->status->code));
        slot->turn = 0;
        return;
    }
    uint64_t items =
        kind->reply ? kind->take(worker, slot, load_unpack(worker, kind->reply, result->bytes, result->size)) : 1;
    slot->turn = (slot->turn + 1) % worker->method->kind_count;
    if (counted)
        count(worker, worker->rate ? slot->started_us : now_us, now_us - slot->started_us, items);
}

static void call_ended(void *owner, const struct client_result *result)
{
    struct slot *slot = owner;
    struct worker *worker = slot->worker;
    int64_t now_us = clock_monotonic_us();

    take_answer(slot, result, now_us);
    if (slot->turn != 0 || (!worker->rate && now_us < worker->to_us)) {
        send_call(slot, clock_monotonic_us());
        return;
    }
    slot->next = worker->idle;
    worker->idle = slot;
}

static void send_call(struct slot *slot, int64_t started_us)
{
    struct worker *worker = slot->worker;
    struct error err = { 0 };

    arena_reset(&worker->arena);
    ProtobufCMessage *request = kind_of(slot)->make(worker, slot);
    size_t size = protobuf_c_message_get_packed_size(request);
    uint8_t *packed = arena_alloc(&worker->arena, size);
    if (!packed)
        load_die("out of memory", NULL);
    protobuf_c_message_pack(request, packed);
    slot->started_us = started_us;
    if (!client_start(worker->client, worker->handles[slot->turn], packed, size, CALL_TIMEOUT_MS, call_ended, slot,
                      &err))
        load_die("a call could not be started", &err);
}

static struct slot *take_idle(struct worker *worker)
{
    struct slot *slot = worker->idle;

    if (slot)
        worker->idle = slot->next;
    return slot;
}

static void closed_loop(struct worker *worker)
{
    for (struct slot *slot; (slot = take_idle(worker)) != NULL;)
        send_call(slot, clock_monotonic_us());
}

/* Finer than the poll's millisecond, and without keeping a core busy that the server needs. */
static void nap(int64_t until_us)
{
    int64_t left_us = until_us - clock_monotonic_us();
    struct timespec time = { .tv_nsec = (left_us < NAP_US ? left_us : NAP_US) * 1000 };

    if (left_us > 0)
        nanosleep(&time, NULL);
}

static void open_loop(struct worker *worker)
{
    int64_t first_us = clock_monotonic_us(), due_us = first_us;
    int64_t give_up_us = worker->to_us + LATE_MAX_S * US_PER_SECOND;

    for (int64_t sent = 0; due_us < worker->to_us;) {
        int64_t now_us = clock_monotonic_us();
        struct slot *slot = now_us >= due_us ? take_idle(worker) : NULL;
        if (slot) {
            send_call(slot, due_us);
            due_us = first_us + ++sent * US_PER_SECOND / worker->rate;
        } else if (client_poll(worker->client, 0) == 0)
            nap(now_us >= due_us ? now_us + NAP_US : due_us);
        if (now_us > give_up_us) {
            worker->unsent = (uint64_t)((worker->to_us - due_us) * worker->rate / US_PER_SECOND + 1);
            return;
        }
    }
}

void load_drive(struct worker *worker)
{
    for (size_t i = 0; i < worker->slot_count; i++) {
        worker->slots[i] = (struct slot){ .worker = worker, .next = worker->idle };
        worker->idle = &worker->slots[i];
    }
    if (worker->rate)
        open_loop(worker);
    else
        closed_loop(worker);
    while (client_outstanding(worker->client) > 0)
        client_poll(worker->client, POLL_MS);
    arena_release(&worker->arena);
}

static bool exchange(struct worker *worker, struct client_stream *stream)
{
    struct slot slot = { .worker = worker, .started_us = clock_monotonic_us() };
    const struct load_kind *kind = kind_of(&slot);
    ProtobufCMessage *reply;

    arena_reset(&worker->arena);
    if (!client_stream_send(stream, kind->make(worker, &slot)) ||
        !client_stream_receive(stream, kind->reply, &worker->arena, &reply))
        return false;
    int64_t now_us = clock_monotonic_us();
    count(worker, now_us, now_us - slot.started_us, kind->take(worker, &slot, reply));
    return true;
}

void load_drive_stream(struct worker *worker)
{
    const struct load_kind *kind = worker->method->kinds[0];
    struct client_stream *stream;
    struct client_status status;
    struct error err = { 0 };
    int64_t timeout_ms = (worker->options->warm + worker->options->seconds) * 1000 + CALL_TIMEOUT_MS;

    if (!client_stream_open(worker->client, kind->service, strrchr(kind->path, '/') + 1, timeout_ms, &stream, &err))
        load_die("a stream could not be opened", &err);
    while (clock_monotonic_us() < worker->to_us && exchange(worker, stream))
        ;
    client_stream_half_close(stream);
    if (!client_stream_finish(stream, &status))
        load_count_failure(worker, status.reason[0] ? status.reason : status_name(status.code));
    arena_release(&worker->arena);
}
