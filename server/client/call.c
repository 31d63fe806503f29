/* Blocking unary calls. Each has a completion queue of its own, so that threads do not meet. */
#include "client/internal.h"

#include <grpc/byte_buffer.h>
#include <grpc/slice.h>
#include <grpc/support/time.h>

enum { CALL_METADATA_MAX = 16 };

struct attempt {
    grpc_completion_queue *queue;
    grpc_call *call;
    struct ending ending;
    grpc_byte_buffer *request, *reply; /* both owned */
    grpc_metadata metadata[CALL_METADATA_MAX];
    size_t metadata_count;
};

static void attempt_release(struct attempt *attempt)
{
    client_drop_buffer(&attempt->request);
    client_drop_buffer(&attempt->reply);
    grpc_call_unref(attempt->call);
    ending_release(&attempt->ending);
    grpc_completion_queue_shutdown(attempt->queue);
    grpc_completion_queue_destroy(attempt->queue);
}

static void attempt_init(struct attempt *attempt, struct client *client, const char *path, int64_t timeout_ms)
{
    *attempt = (struct attempt){ .queue = grpc_completion_queue_create_for_pluck(NULL) };
    grpc_slice name = grpc_slice_from_copied_string(path);

    ending_init(&attempt->ending);
    attempt->call = grpc_channel_create_call(client_next_channel(client), NULL, GRPC_PROPAGATE_DEFAULTS, attempt->queue,
                                             name, NULL, client_deadline(timeout_ms), NULL);
    grpc_slice_unref(name);
}

static void add_metadata(struct attempt *attempt, const char *key, const char *value)
{
    if (attempt->metadata_count == CALL_METADATA_MAX)
        return;
    attempt->metadata[attempt->metadata_count++] = (grpc_metadata){
        .key = grpc_slice_from_static_string(key),
        .value = grpc_slice_from_static_string(value),
    };
}

/* Everything of a unary call in one batch. */
static bool run(struct attempt *attempt, struct client_status *status)
{
    grpc_op ops[6] = {
        { .op = GRPC_OP_SEND_INITIAL_METADATA },
        { .op = GRPC_OP_SEND_MESSAGE, .data.send_message.send_message = attempt->request },
        { .op = GRPC_OP_SEND_CLOSE_FROM_CLIENT },
        ending_initial_op(&attempt->ending),
        { .op = GRPC_OP_RECV_MESSAGE, .data.recv_message.recv_message = &attempt->reply },
        ending_status_op(&attempt->ending),
    };

    ops[0].data.send_initial_metadata.count = attempt->metadata_count;
    ops[0].data.send_initial_metadata.metadata = attempt->metadata;
    if (grpc_call_start_batch(attempt->call, ops, COUNT(ops), attempt, NULL) != GRPC_CALL_OK) {
        client_status_local(status, STATUS_INTERNAL, "the call cannot be started: illegal metadata?");
        return false;
    }
    grpc_completion_queue_pluck(attempt->queue, attempt, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL);
    ending_status(&attempt->ending, status);
    return status->code == STATUS_OK;
}

bool client_call_status(struct client *client, const ProtobufCServiceDescriptor *service, const char *method,
                        const ProtobufCMessage *request, int64_t timeout_ms, struct arena *arena,
                        ProtobufCMessage **reply, struct client_status *status)
{
    const ProtobufCMethodDescriptor *known = protobuf_c_service_descriptor_get_method_by_name(service, method);
    char path[CLIENT_PATH_MAX];

    if (!known || !client_path(service, method, path)) {
        client_status_local(status, STATUS_UNIMPLEMENTED, "there is no such method");
        return false;
    }
    CLEANUP(attempt_release) struct attempt attempt;
    attempt_init(&attempt, client, path, timeout_ms);
    attempt.request = client_pack(request);
    if (!run(&attempt, status))
        return false;
    *reply = client_unpack(attempt.reply, known->output, arena);
    if (!*reply)
        client_status_local(status, STATUS_INTERNAL, "the reply is not a message of its type");
    return *reply != NULL;
}

bool client_call(struct client *client, const ProtobufCServiceDescriptor *service, const char *method,
                 const ProtobufCMessage *request, int64_t timeout_ms, struct arena *arena, ProtobufCMessage **reply,
                 struct error *err)
{
    struct client_status status;

    if (client_call_status(client, service, method, request, timeout_ms, arena, reply, &status))
        return true;
    client_status_error(&status, err);
    return false;
}

static grpc_byte_buffer *gzip_buffer(const void *bytes, size_t size)
{
    grpc_slice slice = grpc_slice_from_copied_buffer(bytes, size);
    grpc_byte_buffer *buffer = grpc_raw_compressed_byte_buffer_create(&slice, 1, GRPC_COMPRESS_GZIP);

    grpc_slice_unref(slice);
    return buffer;
}

bool client_call_raw(struct client *client, const struct client_raw *raw, struct arena *arena, void **reply,
                     size_t *reply_size, struct client_status *status)
{
    CLEANUP(attempt_release) struct attempt attempt;

    attempt_init(&attempt, client, raw->path, raw->timeout_ms);
    if (raw->gzip)
        add_metadata(&attempt, GRPC_COMPRESSION_REQUEST_ALGORITHM_MD_KEY, "gzip");
    for (size_t i = 0; i < raw->metadata_count; i++)
        add_metadata(&attempt, raw->metadata[i].key, raw->metadata[i].value);
    attempt.request = raw->gzip ? gzip_buffer(raw->bytes, raw->size) : client_buffer(raw->bytes, raw->size);
    if (!run(&attempt, status))
        return false;
    if (reply)
        *reply = client_bytes(attempt.reply, arena, reply_size);
    return true;
}
