/* Blocking streams. Each operation waits for its own tag, so that one thread may send while another receives. */
#include "client/internal.h"

#include <grpc/byte_buffer.h>
#include <grpc/slice.h>
#include <grpc/support/time.h>
#include <stdlib.h>

struct client_stream {
    grpc_completion_queue *queue;
    grpc_call *call;
    struct ending ending;
    char opened, sent, received, closed, ended; /* the tags are these members' addresses */
};

static bool pluck(struct client_stream *stream, void *tag)
{
    return grpc_completion_queue_pluck(stream->queue, tag, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL).success != 0;
}

static bool batch(struct client_stream *stream, const grpc_op *ops, size_t count, void *tag)
{
    return grpc_call_start_batch(stream->call, ops, count, tag, NULL) == GRPC_CALL_OK;
}

/* The call's end is awaited from the start: its tag completes whatever happens. */
static bool begin(struct client_stream *stream)
{
    grpc_op status = ending_status_op(&stream->ending);
    grpc_op start[2] = { { .op = GRPC_OP_SEND_INITIAL_METADATA }, ending_initial_op(&stream->ending) };

    return batch(stream, &status, 1, &stream->ended) && batch(stream, start, 2, &stream->opened);
}

bool client_stream_open(struct client *client, const ProtobufCServiceDescriptor *service, const char *method,
                        int64_t timeout_ms, struct client_stream **stream, struct error *err)
{
    char path[CLIENT_PATH_MAX];
    struct client_stream *made = calloc(1, sizeof *made);

    *stream = NULL;
    if (!made || !client_path(service, method, path)) {
        free(made);
        return error_set(err, REASON_INTERNAL, "the stream cannot be started");
    }
    grpc_slice name = grpc_slice_from_copied_string(path);
    made->queue = grpc_completion_queue_create_for_pluck(NULL);
    ending_init(&made->ending);
    made->call = grpc_channel_create_call(client_next_channel(client), NULL, GRPC_PROPAGATE_DEFAULTS, made->queue, name,
                                          NULL, client_deadline(timeout_ms), NULL);
    grpc_slice_unref(name);
    if (!begin(made))
        abort(); /* two batches without metadata on a new call: only a mistake here can make the core refuse them */
    *stream = made;
    return true;
}

static bool send(struct client_stream *stream, grpc_byte_buffer *buffer)
{
    grpc_op op = { .op = GRPC_OP_SEND_MESSAGE, .data.send_message.send_message = buffer };
    bool sent = batch(stream, &op, 1, &stream->sent) && pluck(stream, &stream->sent);

    grpc_byte_buffer_destroy(buffer);
    return sent;
}

bool client_stream_send(struct client_stream *stream, const ProtobufCMessage *message)
{
    return send(stream, client_pack(message));
}

bool client_stream_send_raw(struct client_stream *stream, const void *bytes, size_t size)
{
    return send(stream, client_buffer(bytes, size));
}

bool client_stream_half_close(struct client_stream *stream)
{
    grpc_op op = { .op = GRPC_OP_SEND_CLOSE_FROM_CLIENT };

    return batch(stream, &op, 1, &stream->closed) && pluck(stream, &stream->closed);
}

/* NULL when there are no more. */
static grpc_byte_buffer *receive(struct client_stream *stream)
{
    grpc_byte_buffer *buffer = NULL;
    grpc_op op = { .op = GRPC_OP_RECV_MESSAGE, .data.recv_message.recv_message = &buffer };

    if (batch(stream, &op, 1, &stream->received))
        pluck(stream, &stream->received);
    return buffer;
}

bool client_stream_receive(struct client_stream *stream, const ProtobufCMessageDescriptor *type, struct arena *arena,
                           ProtobufCMessage **message)
{
    CLEANUP(client_drop_buffer) grpc_byte_buffer *buffer = receive(stream);

    *message = buffer ? client_unpack(buffer, type, arena) : NULL;
    return *message != NULL;
}

void client_stream_cancel(struct client_stream *stream)
{
    grpc_call_cancel(stream->call, NULL);
}

/* The core holds the status back behind messages that nobody has read. */
static void skip_messages(struct client_stream *stream)
{
    for (grpc_byte_buffer *buffer = receive(stream); buffer; buffer = receive(stream))
        client_drop_buffer(&buffer);
}

bool client_stream_finish(struct client_stream *stream, struct client_status *status)
{
    skip_messages(stream);
    pluck(stream, &stream->ended);
    pluck(stream, &stream->opened);
    ending_status(&stream->ending, status);
    grpc_call_unref(stream->call);
    ending_release(&stream->ending);
    grpc_completion_queue_shutdown(stream->queue);
    grpc_completion_queue_destroy(stream->queue);
    free(stream);
    return status->code == STATUS_OK;
}
