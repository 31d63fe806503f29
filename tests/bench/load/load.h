/*
 * load.h -- the load generator's parts: what is sent (requests.c), and how (drive.c).
 *
 * A worker is a thread with its own counts; it shares nothing but its client, and that only among streams.
 */
#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H

#include "../latency.h"
#include "base/arena.h"
#include "base/limits.h"
#include "client/client.h"
#include "domain/redemption_id.h"

#include <protobuf-c/protobuf-c.h>

enum { OUTSTANDING_MAX = 4096, REASONS_MAX = 32, KINDS_MAX = 2, CALL_TIMEOUT_MS = 30000 };

struct load_options {
    const char *method, *server, *ca, *cert, *key;
    int64_t outstanding; /* calls, or messages, at a time; of an open loop: at most */
    int64_t channels;    /* connections, of all clients together */
    int64_t seconds, warm;
    int64_t members;   /* asked at random; 1: one hot member */
    int64_t clients;   /* threads with connections of their own */
    int64_t merchants; /* of prepare.sql, by clients in turn; 1: one hot merchant */
    int64_t terminals; /* at random; 0: none is named; 1: one hot terminal */
    int64_t items;     /* writes of one message */
    int64_t rate;      /* calls a second, sent when they are due; 0: a closed loop */
};

struct worker;
struct slot;

/* One rpc: makes a request in the worker's arena, and counts what an answer brought. */
struct load_kind {
    const char *path;
    ProtobufCMessage *(*make)(struct worker *worker, struct slot *slot);
    /* What is answered; NULL: it is not looked at, and counts as one item. */
    const ProtobufCMessageDescriptor *reply;
    /* How many items were done. The reply is in the worker's arena. */
    uint64_t (*take)(struct worker *worker, struct slot *slot, const ProtobufCMessage *reply);
    const ProtobufCServiceDescriptor *service; /* of a stream */
};

struct load_method {
    const char *name;
    bool streams;
    size_t kind_count; /* a slot takes turns; only the first kind is counted */
    const struct load_kind *kinds[KINDS_MAX];
};
/* NULL when there is none. */
const struct load_method *load_method(const char *name);

/* An answer in the worker's arena, which is emptied before. */
ProtobufCMessage *load_unpack(struct worker *worker, const ProtobufCMessageDescriptor *type, const void *bytes,
                              size_t size);

/* Place for one call under way. */
struct slot {
    struct worker *worker;
    struct slot *next;  /* in the worker's free list */
    int64_t started_us; /* when it was sent, or in an open loop when it was due */
    size_t turn;        /* which kind is next, or under way */
    char redemption_id[REDEMPTION_ID_TEXT];
};

struct worker {
    const struct load_options *options;
    const struct load_method *method;
    struct client *client;
    const struct client_method *handles[KINDS_MAX];
    char merchant_id[ID_MAX + 1];
    uint64_t dice;          /* state of a splitmix64 generator */
    int64_t from_us, to_us; /* clock_monotonic_us; what ends (open loop: is due) between is counted */
    int64_t rate;           /* this worker's part */
    struct arena arena;     /* of one message */
    struct slot *slots, *idle;
    size_t slot_count;
    struct latency latency; /* of calls */
    uint64_t items;         /* done in time */
    uint64_t unsent;        /* open loop: due, and never sent because all slots were taken */
    struct {
        char name[64];
        uint64_t count;
    } failures[REASONS_MAX];
    size_t failure_count;
};

void load_die(const char *what, const struct error *err) __attribute__((noreturn));
void load_count_failure(struct worker *worker, const char *name);

/* Returns when everything is sent and answered. */
void load_drive(struct worker *worker);
/* One stream, a message at a time. */
void load_drive_stream(struct worker *worker);

#endif
