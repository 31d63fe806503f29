/*
 * Answers given on other threads (lanes, clerks, readers), sent by the thread that does the socket I/O.
 *
 * Sent where they are made, each would meet that thread at the connection's lock, and each completion would wake it. In
 * a list they cost one wake-up for as many as come while it is busy, and those of one connection go out together.
 */
#include "rpc/internal.h"

#include "io/cork.h"

static _Thread_local const struct rpc_server *here;

bool rpc_outbox_is_here(const struct rpc_server *server)
{
    return here == server;
}

void rpc_outbox_serve(struct rpc_server *server)
{
    here = server;
}

/* Oldest first. */
static struct rpc_call *take_all(struct rpc_server *server)
{
    struct rpc_call *newest = atomic_exchange_explicit(&server->outbox, NULL, memory_order_acq_rel), *oldest = NULL;

    while (newest) {
        struct rpc_call *call = newest;
        newest = call->next;
        call->next = oldest;
        oldest = call;
    }
    return oldest;
}

static void on_due(struct rpc_tag *tag, bool ok)
{
    struct rpc_server *server = (struct rpc_server *)(void *)((char *)tag - offsetof(struct rpc_server, outbox_due));

    (void)ok;
    cork_begin();
    for (struct rpc_call *call = take_all(server), *next; call; call = next) {
        next = call->next;
        pthread_mutex_lock(&call->lock);
        rpc_call_send_answer(call);
        pthread_mutex_unlock(&call->lock);
        rpc_call_unref(call);
    }
    cork_end();
}

void rpc_outbox_init(struct rpc_server *server)
{
    rpc_tag_set(&server->outbox_due, on_due);
}

/* Whoever finds the list empty wakes the thread: an empty batch completes at once, on the call's queue. */
void rpc_outbox_put(struct rpc_call *call)
{
    struct rpc_server *server = call->server;
    struct rpc_call *newest = atomic_load_explicit(&server->outbox, memory_order_relaxed);

    rpc_call_ref(call);
    do
        call->next = newest;
    while (!atomic_compare_exchange_weak_explicit(&server->outbox, &newest, call, memory_order_acq_rel,
                                                  memory_order_relaxed));
    if (!newest)
        grpc_call_start_batch(call->run.core, NULL, 0, &server->outbox_due, NULL);
}
