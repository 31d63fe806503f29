/*
 * One call from its acceptance to its status. Handlers answer from any thread, so each change of state and each batch
 * is made under the call's lock; handlers and hooks run without it.
 */
#include "rpc/internal.h"

#include "rpc/status.h"

#include <grpc/slice.h>
#include <string.h>

void rpc_call_batch(struct rpc_call *call, const grpc_op *ops, size_t count, struct rpc_tag *tag)
{
    rpc_call_ref(call);
    if (grpc_call_start_batch(call->run.core, ops, count, tag, NULL) == GRPC_CALL_OK)
        return;
    /* A mistake of ours: nothing was queued and no tag will come. The caller must not wait for ever. */
    atomic_fetch_sub(&call->refs, 1);
    grpc_call_cancel_with_status(call->run.core, GRPC_STATUS_INTERNAL, "the server's call is out of order", NULL);
}

static void note_loss(struct rpc_call *call)
{
    if (call->run.lost)
        atomic_store(&call->cancelled, true);
}

static void on_closed(struct rpc_tag *tag, bool ok)
{
    struct rpc_call *call = RPC_CALL_OF(tag, closed);

    (void)ok; /* always true */
    pthread_mutex_lock(&call->lock);
    note_loss(call);
    pthread_mutex_unlock(&call->lock);
    if (call->run.on_closed)
        call->run.on_closed(call);
    rpc_call_unref(call);
}

static void on_ended(struct rpc_tag *tag, bool ok)
{
    struct rpc_call *call = RPC_CALL_OF(tag, ended);

    pthread_mutex_lock(&call->lock);
    note_loss(call);
    if (!ok)
        atomic_store(&call->cancelled, true);
    pthread_mutex_unlock(&call->lock);
    if (call->run.close_at_end && call->run.on_closed)
        call->run.on_closed(call);
    rpc_call_unref(call);
}

size_t rpc_call_initial_op(struct rpc_call *call, grpc_op *op)
{
    if (call->run.initial_sent)
        return 0;
    call->run.initial_sent = true;
    *op = (grpc_op){ .op = GRPC_OP_SEND_INITIAL_METADATA };
    return 1;
}

static size_t close_op(struct rpc_call *call, grpc_op *op)
{
    if (call->run.close_awaited)
        return 0;
    call->run.close_awaited = true;
    *op = (grpc_op){ .op = GRPC_OP_RECV_CLOSE_ON_SERVER };
    op->data.recv_close_on_server.cancelled = &call->run.lost;
    return 1;
}

void rpc_call_await_close(struct rpc_call *call)
{
    grpc_op op;

    pthread_mutex_lock(&call->lock);
    rpc_tag_set(&call->closed, on_closed);
    if (close_op(call, &op))
        rpc_call_batch(call, &op, 1, &call->closed);
    pthread_mutex_unlock(&call->lock);
}

/* The last batch: what of metadata, message and close is due yet, and the status. The lock is held. */
static void send_status(struct rpc_call *call, const struct error *err)
{
    grpc_op ops[4];
    size_t count = rpc_call_initial_op(call, ops);

    if (call->run.out) {
        ops[count] = (grpc_op){ .op = GRPC_OP_SEND_MESSAGE };
        ops[count++].data.send_message.send_message = call->run.out;
    }
    struct rpc_status status = rpc_status_of(err);
    ops[count] = (grpc_op){ .op = GRPC_OP_SEND_STATUS_FROM_SERVER };
    ops[count].data.send_status_from_server.status = status.code;
    ops[count].data.send_status_from_server.status_details = &status.message;
    ops[count].data.send_status_from_server.trailing_metadata_count = status.detailed ? 1 : 0;
    ops[count++].data.send_status_from_server.trailing_metadata = &status.details;
    call->run.close_at_end = close_op(call, ops + count) == 1;
    count += call->run.close_at_end;
    rpc_tag_set(&call->ended, on_ended);
    rpc_call_batch(call, ops, count, &call->ended);
    rpc_status_release(&status);
}

static void keep_error(struct rpc_call *call, const struct error *err)
{
    if (err)
        call->waiting_error = *err;
    else
        call->waiting_error.reason = REASON_OK;
}

/* Takes the buffer. err NULL means OK. The first answer counts. */
static void answer(struct rpc_call *call, grpc_byte_buffer *message, const struct error *err)
{
    bool elsewhere = call->run.method->kind == RPC_UNARY && !rpc_outbox_is_here(call->server);

    pthread_mutex_lock(&call->lock);
    if (call->run.answered) {
        if (message)
            grpc_byte_buffer_destroy(message);
    } else if (call->run.sending) {
        call->run.answered = call->run.status_waiting = true;
        call->run.outcome = err ? err->reason : REASON_OK;
        keep_error(call, err);
        if (message)
            grpc_byte_buffer_destroy(message); /* no kind of call both writes and replies */
    } else {
        call->run.answered = true;
        call->run.outcome = err ? err->reason : REASON_OK;
        call->run.out = message;
        if (elsewhere) {
            keep_error(call, err);
            rpc_outbox_put(call);
        } else {
            send_status(call, err);
        }
    }
    pthread_mutex_unlock(&call->lock);
}

void rpc_call_send_answer(struct rpc_call *call)
{
    send_status(call, call->waiting_error.reason == REASON_OK ? NULL : &call->waiting_error);
}

void rpc_call_send_waiting(struct rpc_call *call)
{
    call->run.status_waiting = false;
    rpc_call_send_answer(call);
}

void rpc_call_fail(struct rpc_call *call, const struct error *err)
{
    answer(call, NULL, err);
}

ProtobufCMessage *rpc_call_decode(struct rpc_call *call)
{
    struct error err = { 0 };
    ProtobufCMessage *message = NULL;
    bool good = rpc_message_unpack(call->run.in, call->run.method->input, &call->call.arena, &message, &err);

    grpc_byte_buffer_destroy(call->run.in);
    call->run.in = NULL;
    if (!good)
        rpc_call_fail(call, &err);
    return message;
}

void rpc_call_handle(struct rpc_call *call, const ProtobufCMessage *message)
{
    struct error err = { 0 };

    call->run.entered = true;
    if (!call->call.method->handler(&call->call, message, &err))
        call_fail(&call->call, &err);
}

static void reply(struct call *call, const ProtobufCMessage *message)
{
    answer(rpc_call_of(call), rpc_message_pack(message), NULL);
}

static void fail(struct call *call, const struct error *err)
{
    struct error unexplained = { .reason = REASON_INTERNAL };

    rpc_call_fail(rpc_call_of(call), err->reason == REASON_OK ? &unexplained : err);
}

static void finish(struct call *call)
{
    answer(rpc_call_of(call), NULL, NULL);
}

static bool cancelled(const struct call *call)
{
    const struct rpc_call *one = (const struct rpc_call *)(const void *)call;

    return atomic_load_explicit(&one->cancelled, memory_order_relaxed);
}

static void hold(struct call *call)
{
    rpc_call_ref(rpc_call_of(call));
}

static void release(struct call *call)
{
    rpc_call_unref(rpc_call_of(call));
}

const struct call_ops rpc_call_ops = {
    .reply = reply,
    .fail = fail,
    .write = rpc_stream_write,
    .next = rpc_stream_next,
    .finish = finish,
    .cancelled = cancelled,
    .hold = hold,
    .release = release,
};
