/*
 * Messages of streaming calls. One message is in the works at a time: it is read, handled, answered (bidirectional) or
 * done with (client stream), and only then the next one is read. That is the back-pressure in both directions.
 */
#include "rpc/internal.h"

#include <grpc/byte_buffer.h>
#include <string.h>

static void on_received(struct rpc_tag *tag, bool ok)
{
    struct rpc_call *call = RPC_CALL_OF(tag, received);

    pthread_mutex_lock(&call->lock);
    call->run.reading = false;
    if (!ok)
        atomic_store(&call->cancelled, true); /* never a half-close: that is ok without a message */
    bool over = !ok || call->run.answered;
    if (!over && !call->run.in)
        call->run.half_closed = true;
    pthread_mutex_unlock(&call->lock);
    if (!over && call->run.in) {
        arena_reset(&call->call.arena);
        const ProtobufCMessage *message = rpc_call_decode(call);
        if (message)
            rpc_call_handle(call, message);
    } else if (!over)
        rpc_call_handle(call, NULL);
    rpc_call_unref(call);
}

/* The lock is held. */
static void read_next(struct rpc_call *call)
{
    grpc_op op = { .op = GRPC_OP_RECV_MESSAGE, .data.recv_message.recv_message = &call->run.in };

    if (call->run.answered || call->run.half_closed || call->run.reading || atomic_load(&call->cancelled))
        return;
    call->run.reading = true;
    rpc_tag_set(&call->received, on_received);
    rpc_call_batch(call, &op, 1, &call->received);
}

void rpc_stream_read(struct rpc_call *call)
{
    pthread_mutex_lock(&call->lock);
    read_next(call);
    pthread_mutex_unlock(&call->lock);
}

void rpc_stream_next(struct call *call)
{
    rpc_stream_read(rpc_call_of(call));
}

static void on_sent(struct rpc_tag *tag, bool ok)
{
    struct rpc_call *call = RPC_CALL_OF(tag, sent);

    pthread_mutex_lock(&call->lock);
    grpc_byte_buffer_destroy(call->run.out);
    call->run.out = NULL;
    call->run.sending = false;
    if (!ok)
        atomic_store(&call->cancelled, true);
    else if (call->run.status_waiting)
        rpc_call_send_waiting(call);
    else if (call->run.method->kind == RPC_BIDI)
        read_next(call);
    bool tell = ok && !call->run.answered && call->run.on_sent;
    pthread_mutex_unlock(&call->lock);
    if (tell)
        call->run.on_sent(call);
    rpc_call_unref(call);
}

void rpc_stream_write(struct call *handle, const ProtobufCMessage *message)
{
    struct rpc_call *call = rpc_call_of(handle);
    grpc_op ops[2];

    pthread_mutex_lock(&call->lock);
    if (!call->run.answered && !call->run.sending && !atomic_load(&call->cancelled)) {
        size_t count = rpc_call_initial_op(call, ops);
        call->run.out = rpc_message_pack(message);
        ops[count] = (grpc_op){ .op = GRPC_OP_SEND_MESSAGE };
        ops[count++].data.send_message.send_message = call->run.out;
        call->run.sending = true;
        rpc_tag_set(&call->sent, on_sent);
        rpc_call_batch(call, ops, count, &call->sent);
    }
    pthread_mutex_unlock(&call->lock);
}
