/* Call objects: taken for a slot, counted while a call is in them, reported and reused when the last reference goes. */
#include "rpc/internal.h"

#include "io/clock.h"

#include <grpc/slice.h>
#include <grpc/support/alloc.h>
#include <stdlib.h>
#include <string.h>

enum { IDLE_MAX = 1024 }; /* with a block of arena each, 16 MB at most */

static struct rpc_call *new_call(struct rpc_server *server)
{
    struct rpc_call *call = calloc(1, sizeof *call);

    if (!call)
        return NULL;
    call->server = server;
    call->call.ops = &rpc_call_ops;
    call->call.office = server->office;
    call->call.arena.limit = 2 * DECODE_MAX; /* half for the request, half for what the handler makes of it */
    pthread_mutex_init(&call->lock, NULL);
    grpc_metadata_array_init(&call->metadata);
    grpc_call_details_init(&call->details);
    return call;
}

static void free_call(struct rpc_call *call)
{
    arena_release(&call->call.arena);
    grpc_metadata_array_destroy(&call->metadata);
    pthread_mutex_destroy(&call->lock);
    free(call);
}

struct rpc_call *rpc_call_take(struct rpc_server *server, struct rpc_method *method)
{
    pthread_mutex_lock(&server->lock);
    struct rpc_call *call = server->idle;
    if (call) {
        server->idle = call->next;
        server->idle_count--;
    }
    pthread_mutex_unlock(&server->lock);
    if (!call)
        call = new_call(server);
    if (!call)
        return NULL;
    call->run = (struct rpc_run){ .method = method };
    call->metadata.count = 0;
    call->call.method = method->row;
    call->call.state = NULL;
    call->call.principal.uri[0] = '\0';
    atomic_store_explicit(&call->cancelled, false, memory_order_relaxed);
    return call;
}

/* `ended` is 1 for an object that a call was in. Nothing touches the server after the lock is given back. */
static void put(struct rpc_call *call, int ended)
{
    struct rpc_server *server = call->server;

    pthread_mutex_lock(&server->lock);
    bool keep = server->idle_count < IDLE_MAX;
    if (keep) {
        call->next = server->idle;
        server->idle = call;
        server->idle_count++;
    }
    server->live -= ended;
    if (server->live == 0 && atomic_load_explicit(&server->draining, memory_order_relaxed))
        pthread_cond_broadcast(&server->changed);
    pthread_mutex_unlock(&server->lock);
    if (!keep)
        free_call(call);
}

void rpc_call_put(struct rpc_call *call)
{
    put(call, 0);
}

bool rpc_call_begin(struct rpc_call *call)
{
    struct rpc_server *server = call->server;

    call->run.arrived_us = clock_monotonic_us();
    atomic_store(&call->refs, 1);
    pthread_mutex_lock(&server->lock);
    server->live++;
    server->calls++;
    bool room = server->live <= server->options.in_flight_max;
    pthread_mutex_unlock(&server->lock);
    return room;
}

void rpc_call_ref(struct rpc_call *call)
{
    atomic_fetch_add_explicit(&call->refs, 1, memory_order_relaxed);
}

/*
 * A caller gives up at its own deadline, and the word of that may come before ours, which was rounded up on the wire
 * (to a hundredth at most) and counted from the arrival.
 */
static bool deadline_reached(const struct rpc_call *call, int64_t now_us)
{
    int64_t early_us = (call->call.deadline_us - call->run.arrived_us) / 50 + 20000;

    return call->call.deadline_us != INT64_MAX && now_us >= call->call.deadline_us - early_us;
}

static enum reason outcome(const struct rpc_call *call, int64_t now_us)
{
    if (!atomic_load(&call->cancelled))
        return call->run.outcome;
    return deadline_reached(call, now_us) ? REASON_DEADLINE_PASSED : REASON_CANCELLED;
}

static void report(struct rpc_call *call)
{
    const struct rpc_options *options = &call->server->options;

    if (!options->on_done)
        return;
    int64_t now_us = clock_monotonic_us();
    enum reason reason = outcome(call, now_us);
    char *peer = grpc_call_get_peer(call->run.core);
    options->on_done(options->owner, &(struct rpc_done){
                                         .method = call->run.method->path + 1,
                                         .principal = call->call.principal.uri,
                                         .peer = peer,
                                         .reason = reason,
                                         .status = reason_status(reason),
                                         .duration_us = now_us - call->run.arrived_us,
                                     });
    gpr_free(peer);
}

static void drop_buffer(grpc_byte_buffer *buffer)
{
    if (buffer)
        grpc_byte_buffer_destroy(buffer);
}

void rpc_call_unref(struct rpc_call *call)
{
    if (atomic_fetch_sub_explicit(&call->refs, 1, memory_order_acq_rel) != 1)
        return;
    report(call);
    if (call->run.entered && call->call.method->close)
        call->call.method->close(&call->call);
    drop_buffer(call->run.in);
    drop_buffer(call->run.out);
    if (!call->run.method->handle) {
        grpc_slice_unref(call->details.method);
        grpc_slice_unref(call->details.host);
        grpc_call_details_init(&call->details);
    }
    grpc_call_unref(call->run.core); /* the metadata's elements die with it */
    arena_reset(&call->call.arena);
    put(call, 1);
}

void rpc_pool_release(struct rpc_server *server)
{
    while (server->idle) {
        struct rpc_call *call = server->idle;
        server->idle = call->next;
        free_call(call);
    }
}
