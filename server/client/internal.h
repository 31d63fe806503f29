/*
 * internal.h -- what the files of the client share. Not for users of client.h.
 */
#ifndef CLIENT_INTERNAL_H
#define CLIENT_INTERNAL_H

#include "client/client.h"

#include <grpc/grpc.h>

enum { CLIENT_CHANNELS_MAX = 64, CLIENT_METHODS_MAX = 64, CLIENT_PATH_MAX = 200 };

struct client_method {
    char path[CLIENT_PATH_MAX];
    void *handles[CLIENT_CHANNELS_MAX]; /* one a channel; owned by the channel */
};

struct load_call;

struct client {
    grpc_channel *channels[CLIENT_CHANNELS_MAX];
    size_t channel_count;
    _Atomic size_t turn;          /* the channel of the next call, modulo their number */
    grpc_completion_queue *queue; /* of asynchronous calls; polled by client_poll */
    struct load_call *idle;       /* reused call objects */
    struct load_call *active;     /* started and not yet called back */
    size_t outstanding;
    struct client_method *methods[CLIENT_METHODS_MAX];
    size_t method_count;
};

/* What a call receives at its end; released by ending_release. */
struct ending {
    grpc_metadata_array initial, trailing;
    grpc_status_code code;
    grpc_slice message;
};

void ending_init(struct ending *ending);
/* Back to what it was after ending_init, keeping the arrays. */
void ending_clear(struct ending *ending);
void ending_release(struct ending *ending);
/* The two operations that fill it. */
grpc_op ending_initial_op(struct ending *ending);
grpc_op ending_status_op(struct ending *ending);
/* Decodes the code, the message and grpc-status-details-bin. */
void ending_status(const struct ending *ending, struct client_status *status);

grpc_channel *client_next_channel(struct client *client);
gpr_timespec client_deadline(int64_t timeout_ms);
bool client_path(const ProtobufCServiceDescriptor *service, const char *method, char path[CLIENT_PATH_MAX]);
grpc_byte_buffer *client_pack(const ProtobufCMessage *message);
grpc_byte_buffer *client_buffer(const void *bytes, size_t size);
/* The buffer's bytes, in the arena; NULL when it is out of memory. */
void *client_bytes(grpc_byte_buffer *buffer, struct arena *arena, size_t *size);
ProtobufCMessage *client_unpack(grpc_byte_buffer *buffer, const ProtobufCMessageDescriptor *type, struct arena *arena);
void client_drop_buffer(grpc_byte_buffer **buffer);
/* The status of a call that never got as far as the server. */
void client_status_local(struct client_status *status, int code, const char *message);

/* load.c */
void client_load_close(struct client *client);

#endif
