/*
 * client.h -- calls to an alliance server over mTLS, for the command line, the tests and the load generator.
 *
 * It is NOT a general gRPC client: it sends a call once, never retries, and knows only what our server does. Blocking
 * functions may be called from any number of threads at a time. client_start and client_poll belong to one thread.
 */
#ifndef CLIENT_CLIENT_H
#define CLIENT_CLIENT_H

#include "base/arena.h"
#include "base/error.h"

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct client;

struct client_options {
    const char *target;      /* "alliance.example:50051"; localhost is 127.0.0.1, without asking a name server */
    const char *ca_file;     /* PEM: who may have signed the server's certificate; NULL: no TLS at all (tests only) */
    const char *cert_file;   /* PEM: our certificate, then its chain; NULL: show none */
    const char *key_file;    /* PEM */
    const char *target_name; /* the name the server's certificate must have when it is not the target's; else NULL */
    int message_max;         /* bytes of a reply; 0 means 16 MiB */
    int channels;            /* connections that calls are spread over; 0 means 1 */
};

/* Reads the files at once; connects with the first call. *client belongs to the caller, who closes it. */
bool client_open(const struct client_options *options, struct client **client, struct error *err) MUST_USE;
/* Asynchronous calls are cancelled, not called back; no other may be running. NULL is allowed. */
void client_close(struct client *client);
/* Connects every channel; false with TRY_AGAIN when that takes longer. */
bool client_connect(struct client *client, int64_t timeout_ms, struct error *err) MUST_USE;

/* How a call ended, everything the server said about it included. */
struct client_status {
    int code;                           /* gRPC's number; enum status */
    char message[ERROR_DETAIL_MAX + 1]; /* cut when longer */
    char reason[64];                    /* ErrorInfo; empty when the server sent none */
    char domain[32];                    /* ErrorInfo */
    char field[ERROR_FIELD_MAX];        /* the first BadRequest violation's */
    int64_t retry_ms;                   /* RetryInfo; -1 for none */
};

/* The same as an error: the reason of that name, else the one nearest to the code. */
void client_status_error(const struct client_status *status, struct error *err);

/*
 * One request, one reply. *reply lives in the arena. timeout_ms <= 0 means a deadline that has passed already.
 * service and method are as in the proto.
 */
bool client_call(struct client *client, const ProtobufCServiceDescriptor *service, const char *method,
                 const ProtobufCMessage *request, int64_t timeout_ms, struct arena *arena, ProtobufCMessage **reply,
                 struct error *err) MUST_USE;
/* The same with the whole status; true when it is OK. */
bool client_call_status(struct client *client, const ProtobufCServiceDescriptor *service, const char *method,
                        const ProtobufCMessage *request, int64_t timeout_ms, struct arena *arena,
                        ProtobufCMessage **reply, struct client_status *status) MUST_USE;

struct client_metadata {
    const char *key;   /* lower case */
    const char *value; /* printable ASCII */
};

/* A call made of bytes, right or wrong: for tests. Everything is borrowed until the call ends. */
struct client_raw {
    const char *path; /* "/alliance.v1.DiagnosticsService/Ping" */
    const void *bytes;
    size_t size;
    bool gzip; /* the bytes are sent as a gzip-compressed message, as they are */
    int64_t timeout_ms;
    const struct client_metadata *metadata;
    size_t metadata_count;
};

/* *reply and its size, in the arena, when the status is OK; true then. reply may be NULL. */
bool client_call_raw(struct client *client, const struct client_raw *raw, struct arena *arena, void **reply,
                     size_t *reply_size, struct client_status *status) MUST_USE;

/*
 * A client stream or a bidirectional one. One thread may send while another receives; a stream that ended says false
 * to both, and client_stream_finish says why.
 */
struct client_stream;

/* Owned by the caller until client_stream_finish. */
bool client_stream_open(struct client *client, const ProtobufCServiceDescriptor *service, const char *method,
                        int64_t timeout_ms, struct client_stream **stream, struct error *err) MUST_USE;
bool client_stream_send(struct client_stream *stream, const ProtobufCMessage *message) MUST_USE;
bool client_stream_send_raw(struct client_stream *stream, const void *bytes, size_t size) MUST_USE;
/* "That was all": nothing may be sent afterwards. */
bool client_stream_half_close(struct client_stream *stream);
/* The next message, in the arena; false when there is none. */
bool client_stream_receive(struct client_stream *stream, const ProtobufCMessageDescriptor *type, struct arena *arena,
                           ProtobufCMessage **message) MUST_USE;
void client_stream_cancel(struct client_stream *stream);
/* Waits for the end, skipping messages not yet read, and frees. Half-close or cancel first, or the server may wait too.
 */
bool client_stream_finish(struct client_stream *stream, struct client_status *status);

/* A method made known to every channel, so that starting a call of it costs less. Owned by the client. */
struct client_method;
bool client_method(struct client *client, const char *path, const struct client_method **method,
                   struct error *err) MUST_USE;

/* What an asynchronous call came to. Borrowed: valid during the callback. */
struct client_result {
    const struct client_status *status;
    const void *bytes; /* the packed reply when the status is OK */
    size_t size;
};
typedef void client_done(void *owner, const struct client_result *result);

/* Starts a unary call, on the channels in turn; `done` is called once by client_poll. It may start another. */
bool client_start(struct client *client, const struct client_method *method, const void *packed, size_t size,
                  int64_t timeout_ms, client_done *done, void *owner, struct error *err) MUST_USE;
/* Waits up to wait_ms for a call to end, then calls back for those that have, some hundreds at most; how many. */
size_t client_poll(struct client *client, int64_t wait_ms);
/* Calls started and not yet called back. */
size_t client_outstanding(const struct client *client);

#endif
