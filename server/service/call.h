/*
 * call.h -- a call as a handler sees it: who calls, what with, and how to answer. Nothing of gRPC.
 *
 * server/rpc makes calls and implements call_ops; handlers only use the functions below. A handler runs on the thread
 * that does all socket I/O, so it never blocks: it answers at once, or hands the work to a lane or a clerk, whose
 * thread answers later. A call is answered exactly once; answering a call whose peer is gone does nothing.
 */
#ifndef SERVICE_CALL_H
#define SERVICE_CALL_H

#include "base/arena.h"
#include "base/error.h"
#include "base/limits.h"

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stdint.h>

enum role {
    ROLE_BANK = 1,
    ROLE_MERCHANT = 2,
    ROLE_CARRIER = 4,
    ROLE_OPERATOR = 8,
    ROLE_CHANNEL = 16,
    ROLE_ANY = 31,
};

/* The caller, from the URI SAN of its certificate: alliance://ROLE/ID[/store/STORE[/terminal/TERMINAL]] or
 * /bank/ID[/person/NAME]. */
struct principal {
    enum role role;
    char id[ID_MAX + 1];          /* bank_id, merchant_id, carrier_id, channel_id or the operator's name */
    char store_id[ID_MAX + 1];    /* merchant only; empty means any store */
    char terminal_id[ID_MAX + 1]; /* merchant only; empty means any terminal */
    char person[ID_MAX + 1];      /* bank only; empty means a machine of the bank's: it releases nothing */
    char uri[160];
};

struct call;
struct office; /* what handlers work with: lanes, clerks, reference data; service/office.h */

struct call_ops {
    void (*reply)(struct call *call, const ProtobufCMessage *message);
    void (*fail)(struct call *call, const struct error *err);
    void (*write)(struct call *call, const ProtobufCMessage *message);
    void (*next)(struct call *call);
    void (*finish)(struct call *call);
    bool (*cancelled)(const struct call *call);
    void (*hold)(struct call *call);
    void (*release)(struct call *call);
};

struct call {
    const struct call_ops *ops;
    const struct method *method;
    struct office *office;      /* borrowed; outlives every call */
    struct principal principal; /* verified before the handler runs */
    int64_t deadline_us;        /* clock_monotonic_us(); INT64_MAX when the caller set none */
    struct arena arena;         /* the request lives here. Unary: until the call ends. Streams: until write or next */
    void *state;                /* a stream handler's own; freed by the method's close */
};

/*
 * Unary: called once; return true when the call is or will be answered, false to fail it with *err.
 * Streams: called for each message, then once with request == NULL when the client is done. For each message a
 * bidirectional handler calls call_write once and a client-streaming handler calls call_next once (both may do so
 * later, from any thread); the next message is read only after that, so a stream never has more than one in the works.
 */
typedef bool method_handler(struct call *call, const ProtobufCMessage *request, struct error *err);
typedef void method_close(struct call *call);

/* A row for each rpc of a service. */
struct method {
    const char *name; /* as in the proto, such as "HoldRedemption" */
    uint32_t roles;   /* who may call: ROLE_... or-ed */
    method_handler *handler;
    method_close *close; /* NULL, or called once when the call is over, whatever happened */
};

struct service {
    const ProtobufCServiceDescriptor *descriptor;
    const struct method *methods;
    size_t method_count;
};

/* One message and status OK: unary and client-streaming calls. Packs before it returns. Any thread. */
static inline void call_reply(struct call *call, const ProtobufCMessage *message)
{
    call->ops->reply(call, message);
}

/* The error as status, ErrorInfo, and BadRequest or RetryInfo where they apply. Any thread. */
static inline void call_fail(struct call *call, const struct error *err)
{
    call->ops->fail(call, err);
}

/* One message of a bidirectional stream; packs before it returns; the next request message is read once it is sent. */
static inline void call_write(struct call *call, const ProtobufCMessage *message)
{
    call->ops->write(call, message);
}

/* A client stream's handler is ready for the next message. */
static inline void call_next(struct call *call)
{
    call->ops->next(call);
}

/* Status OK without a message: the end of a bidirectional stream. */
static inline void call_finish(struct call *call)
{
    call->ops->finish(call);
}

/* true once the caller has gone or its deadline has passed. Any thread. */
static inline bool call_cancelled(const struct call *call)
{
    return call->ops->cancelled(call);
}

/* Whoever keeps a call beyond the handler's return holds it, and releases it after answering. */
static inline void call_hold(struct call *call)
{
    call->ops->hold(call);
}

static inline void call_release(struct call *call)
{
    call->ops->release(call);
}

#endif
