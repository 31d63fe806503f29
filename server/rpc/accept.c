/* From the arrival of a call to its handler: who calls, may it, is there room, is there time. */
#include "rpc/internal.h"

#include "io/clock.h"

#include <grpc/support/time.h>
#include <string.h>

enum { SLOTS = 2 }; /* open requests a method; more tags cost each completion of a queue that scans them all */

static void post_slot(struct rpc_server *server, struct rpc_method *method);

/* The core gives deadlines on its monotonic clock, which is the system's. */
static int64_t deadline_us(gpr_timespec deadline)
{
    deadline = gpr_convert_clock_type(deadline, GPR_CLOCK_MONOTONIC);
    if (gpr_time_cmp(deadline, gpr_inf_future(GPR_CLOCK_MONOTONIC)) == 0)
        return INT64_MAX;
    return deadline.tv_sec * INT64_C(1000000) + deadline.tv_nsec / 1000;
}

static bool admit(struct rpc_call *call, bool room, struct error *err)
{
    const struct rpc_method *method = call->run.method;

    if (atomic_load_explicit(&call->server->draining, memory_order_relaxed))
        return error_set(err, REASON_TRY_AGAIN, "the server is shutting down");
    if (!room)
        return error_set(err, REASON_OVERLOADED, "%s", "");
    if (!rpc_identity(call->run.core, &call->call.principal, err))
        return false;
    if (!method->row)
        return error_set(err, REASON_METHOD_UNKNOWN, "%s", "");
    if (!(method->row->roles & call->call.principal.role))
        return error_set(err, REASON_ROLE_NOT_ALLOWED, "%s", "");
    if (call->call.deadline_us <= call->run.arrived_us)
        return error_set(err, REASON_DEADLINE_PASSED, "%s", "");
    return true;
}

/* The one request of a unary call (or of Watch) came with the call. */
static void serve_request(struct rpc_call *call)
{
    struct error err = { 0 };
    const ProtobufCMessage *message = NULL;

    if (!call->run.in) {
        error_set(&err, REASON_MESSAGE_MALFORMED, "the call carries no request message");
        rpc_call_fail(call, &err);
        return;
    }
    message = rpc_call_decode(call);
    if (message)
        rpc_call_handle(call, message);
    rpc_call_await_close(call); /* an answered call has that behind it already */
}

static void serve_stream(struct rpc_call *call)
{
    rpc_call_await_close(call);
    rpc_stream_read(call);
}

static void (*const serve[])(struct rpc_call *call) = {
    [RPC_UNARY] = serve_request,
    [RPC_CLIENT_STREAM] = serve_stream,
    [RPC_SERVER_STREAM] = serve_request,
    [RPC_BIDI] = serve_stream,
};

static void on_arrived(struct rpc_tag *tag, bool ok)
{
    struct rpc_call *call = RPC_CALL_OF(tag, arrived);
    struct error err = { 0 };

    if (!ok) { /* the server is shutting down */
        rpc_call_put(call);
        return;
    }
    post_slot(call->server, call->run.method);
    bool room = rpc_call_begin(call);
    call->call.deadline_us = deadline_us(call->run.method->handle ? call->run.deadline : call->details.deadline);
    if (admit(call, room, &err))
        serve[call->run.method->kind](call);
    else
        rpc_call_fail(call, &err);
    rpc_call_unref(call);
}

static grpc_call_error request(struct rpc_server *server, struct rpc_call *call)
{
    struct rpc_method *method = call->run.method;
    bool streaming = method->kind != RPC_UNARY;
    bool payload = method->kind == RPC_UNARY || method->kind == RPC_SERVER_STREAM;

    if (!method->handle)
        return grpc_server_request_call(server->core, &call->run.core, &call->details, &call->metadata, server->io,
                                        server->io, &call->arrived);
    return grpc_server_request_registered_call(server->core, method->handle, &call->run.core, &call->run.deadline,
                                               &call->metadata, payload ? &call->run.in : NULL,
                                               streaming ? server->streams : server->io, server->io, &call->arrived);
}

static void post_slot(struct rpc_server *server, struct rpc_method *method)
{
    if (atomic_load_explicit(&server->draining, memory_order_relaxed))
        return;
    struct rpc_call *call = rpc_call_take(server, method);
    if (!call)
        return; /* out of memory: the method has one slot less */
    rpc_tag_set(&call->arrived, on_arrived);
    if (request(server, call) != GRPC_CALL_OK)
        rpc_call_put(call);
}

void rpc_accept_all(struct rpc_server *server)
{
    for (int slot = 0; slot < SLOTS; slot++) {
        post_slot(server, &server->unknown);
        for (size_t i = 0; i < server->method_count; i++)
            post_slot(server, &server->methods[i]);
    }
}
