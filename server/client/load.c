/* Asynchronous unary calls on one thread: as many outstanding as the caller starts, call objects reused. */
#include "client/internal.h"

#include <grpc/byte_buffer.h>
#include <grpc/slice.h>
#include <grpc/support/time.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The caller gets a turn even when calls end as fast as its callbacks start new ones. */
enum { POLL_MAX = 256 };

/* Also the tag of the call's only batch. In the active list while it runs, in the idle list between calls. */
struct load_call {
    struct load_call *next, *previous;
    grpc_call *call;
    struct ending ending;
    grpc_byte_buffer *request, *reply;
    client_done *done;
    void *owner;
};

bool client_method(struct client *client, const char *path, const struct client_method **method, struct error *err)
{
    if (client->method_count == CLIENT_METHODS_MAX || strlen(path) >= CLIENT_PATH_MAX)
        return error_set(err, REASON_INTERNAL, "too many methods");
    struct client_method *made = calloc(1, sizeof *made);
    if (!made)
        return error_set(err, REASON_INTERNAL, "out of memory");
    snprintf(made->path, sizeof made->path, "%s", path);
    for (size_t i = 0; i < client->channel_count; i++)
        made->handles[i] = grpc_channel_register_call(client->channels[i], made->path, NULL, NULL);
    *method = client->methods[client->method_count++] = made;
    return true;
}

static struct load_call *take_call(struct client *client)
{
    struct load_call *call = client->idle;

    if (call) {
        client->idle = call->next;
        return call;
    }
    call = calloc(1, sizeof *call);
    if (call)
        ending_init(&call->ending);
    return call;
}

static void put_call(struct client *client, struct load_call *call)
{
    client_drop_buffer(&call->request);
    client_drop_buffer(&call->reply);
    ending_clear(&call->ending);
    grpc_call_unref(call->call);
    call->call = NULL;
    call->next = client->idle;
    client->idle = call;
}

static bool send_all(struct load_call *call)
{
    grpc_op ops[6] = {
        { .op = GRPC_OP_SEND_INITIAL_METADATA },
        { .op = GRPC_OP_SEND_MESSAGE, .data.send_message.send_message = call->request },
        { .op = GRPC_OP_SEND_CLOSE_FROM_CLIENT },
        ending_initial_op(&call->ending),
        { .op = GRPC_OP_RECV_MESSAGE, .data.recv_message.recv_message = &call->reply },
        ending_status_op(&call->ending),
    };

    return grpc_call_start_batch(call->call, ops, COUNT(ops), call, NULL) == GRPC_CALL_OK;
}

bool client_start(struct client *client, const struct client_method *method, const void *packed, size_t size,
                  int64_t timeout_ms, client_done *done, void *owner, struct error *err)
{
    struct load_call *call = take_call(client);
    size_t channel = client->turn++ % client->channel_count;

    if (!call)
        return error_set(err, REASON_INTERNAL, "out of memory");
    call->done = done;
    call->owner = owner;
    call->request = client_buffer(packed, size);
    call->call =
        grpc_channel_create_registered_call(client->channels[channel], NULL, GRPC_PROPAGATE_DEFAULTS, client->queue,
                                            method->handles[channel], client_deadline(timeout_ms), NULL);
    if (!send_all(call)) {
        put_call(client, call);
        return error_set(err, REASON_INTERNAL, "the call cannot be started");
    }
    call->previous = NULL;
    call->next = client->active;
    if (call->next)
        call->next->previous = call;
    client->active = call;
    client->outstanding++;
    return true;
}

static void leave_active(struct client *client, struct load_call *call)
{
    if (call->next)
        call->next->previous = call->previous;
    if (call->previous)
        call->previous->next = call->next;
    else
        client->active = call->next;
    client->outstanding--;
}

static void call_back(struct client *client, struct load_call *call)
{
    CLEANUP(arena_release) struct arena arena = { 0 };
    struct client_status status = { .retry_ms = -1 };
    struct client_result result = { .status = &status };

    if (call->ending.code != GRPC_STATUS_OK)
        ending_status(&call->ending, &status);
    else if (call->reply && call->reply->data.raw.slice_buffer.count == 1) {
        grpc_slice *slice = call->reply->data.raw.slice_buffer.slices;
        result.bytes = GRPC_SLICE_START_PTR(*slice);
        result.size = GRPC_SLICE_LENGTH(*slice);
    } else
        result.bytes = client_bytes(call->reply, &arena, &result.size);
    leave_active(client, call);
    call->done(call->owner, &result);
    put_call(client, call);
}

size_t client_poll(struct client *client, int64_t wait_ms)
{
    gpr_timespec deadline = client_deadline(wait_ms);
    size_t count = 0;

    while (count < POLL_MAX) {
        grpc_event event = grpc_completion_queue_next(client->queue, deadline, NULL);
        if (event.type != GRPC_OP_COMPLETE)
            break;
        call_back(client, event.tag);
        count++;
        deadline = gpr_inf_past(GPR_CLOCK_MONOTONIC);
    }
    return count;
}

size_t client_outstanding(const struct client *client)
{
    return client->outstanding;
}

/* What is still outstanding is cancelled, and nobody is called back. */
static void abandon(struct client *client)
{
    for (struct load_call *call = client->active; call; call = call->next)
        grpc_call_cancel(call->call, NULL);
    while (client->active) {
        grpc_event event = grpc_completion_queue_next(client->queue, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL);
        leave_active(client, event.tag);
        put_call(client, event.tag);
    }
}

void client_load_close(struct client *client)
{
    abandon(client);
    while (client->idle) {
        struct load_call *call = client->idle;
        client->idle = call->next;
        ending_release(&call->ending);
        free(call);
    }
}
