/*
 * internal.h -- what the files of rpc share: the server, a method, a call. Not for users of rpc.h.
 *
 * A call lives as long as something refers to it: each tag given to the core holds a reference until it completes, and
 * so does everyone who called call_hold. At zero its resources go back and the object is reused.
 */
#ifndef RPC_INTERNAL_H
#define RPC_INTERNAL_H

#include "rpc/rpc.h"

#include <grpc/grpc.h>
#include <pthread.h>
#include <stdatomic.h>

struct rpc_call;
struct descriptors;
struct credentials;
struct health;

struct rpc_tag;
/* ok is the batch's success. */
typedef void rpc_completion(struct rpc_tag *tag, bool ok);

/*
 * What the core gives back when a batch completes. Set before each batch: atomic, so that what was written before the
 * batch is seen by the thread that completes it for reasons a sanitizer understands, not only because the core says so.
 */
struct rpc_tag {
    _Atomic(rpc_completion *) complete;
};

static inline void rpc_tag_set(struct rpc_tag *tag, rpc_completion *complete)
{
    atomic_store_explicit(&tag->complete, complete, memory_order_release);
}

enum rpc_kind {
    RPC_UNARY,
    RPC_CLIENT_STREAM,
    RPC_SERVER_STREAM, /* health Watch only; call.h has none */
    RPC_BIDI,
};

enum { RPC_PATH_MAX = 160 };

struct rpc_method {
    char path[RPC_PATH_MAX]; /* with the leading "/" */
    enum rpc_kind kind;
    const ProtobufCMessageDescriptor *input;
    const struct method *row;
    void *handle; /* the core's registration; NULL for the catch-all of unknown methods */
};

/* What is zeroed for each use of a call object. Guarded by the call's lock, once the call has arrived. */
struct rpc_run {
    grpc_call *core;
    gpr_timespec deadline;
    grpc_byte_buffer *in, *out; /* the message that arrived; the message being sent */
    struct rpc_method *method;
    int64_t arrived_us;
    int lost; /* written by the core: the caller is gone or its deadline passed before our status went out */
    enum reason outcome;
    bool entered;                             /* the handler ran: the method's close is due */
    bool initial_sent;                        /* initial metadata went out */
    bool close_awaited;                       /* RECV_CLOSE was started: exactly once a call */
    bool close_at_end;                        /* ... in the batch of the status, so that `closed` never completes */
    bool sending;                             /* a message is on its way; one at a time */
    bool reading;                             /* a RECV_MESSAGE is outstanding */
    bool half_closed;                         /* the caller said that was all */
    bool answered;                            /* the final status was given; later answers do nothing */
    bool status_waiting;                      /* ... and goes out once the message being sent has gone */
    void (*on_sent)(struct rpc_call *call);   /* health's: a message has gone */
    void (*on_closed)(struct rpc_call *call); /* health's: the caller is gone or the status was sent */
    int watched, last_status;                 /* health's */
};

struct rpc_call {
    struct call call; /* first: handlers' pointer is ours */
    struct rpc_server *server;
    struct rpc_call *next; /* in the idle list, in the outbox, or among health's watchers */
    struct rpc_tag arrived, received, sent, ended, closed;
    grpc_metadata_array metadata;
    grpc_call_details details; /* catch-all only */
    pthread_mutex_t lock;
    atomic_int refs;
    atomic_bool cancelled;
    struct error waiting_error; /* what status_waiting, or the outbox, will send */
    struct rpc_run run;
};

struct rpc_server {
    grpc_server *core;
    grpc_completion_queue *io; /* new calls, unary calls, all socket I/O */
    grpc_completion_queue
        *streams; /* streaming calls; does no polling, so long-lived tags cost the unary ones nothing */
    pthread_t io_thread, streams_thread;
    bool io_running, streams_running, drained;
    int port;
    struct rpc_options options;
    struct office *office;
    struct rpc_method *methods;
    size_t method_count;
    struct rpc_method unknown;
    struct descriptors *descriptors;
    struct credentials *credentials;
    struct health *health;
    ProtobufCServiceDescriptor reflection_alpha; /* v1's under its older name: the messages are the same */
    struct rpc_tag shutdown, outbox_due;
    _Atomic(struct rpc_call *) outbox; /* answered on other threads, newest first; each with a reference */
    atomic_bool draining;
    pthread_mutex_t lock;   /* guards what follows */
    pthread_cond_t changed; /* live or shut_down, while draining */
    int live;               /* calls arrived and not released */
    uint64_t calls;
    bool shut_down;
    struct rpc_call *idle;
    size_t idle_count;
};

#define RPC_CALL_OF(tag, member) ((struct rpc_call *)(void *)((char *)(tag)-offsetof(struct rpc_call, member)))

static inline struct rpc_call *rpc_call_of(struct call *call)
{
    return (struct rpc_call *)(void *)call;
}

/* core.c */
void rpc_core_init(void (*on_log)(const char *message));
void rpc_core_shutdown(void);

/* pool.c: call objects, reused with their arena and lock. */
struct rpc_call *rpc_call_take(struct rpc_server *server, struct rpc_method *method);
/* A slot that no call came to. */
void rpc_call_put(struct rpc_call *call);
/* The call has arrived: it has one reference now, and counts. false when there are too many. */
bool rpc_call_begin(struct rpc_call *call);
void rpc_call_ref(struct rpc_call *call);
void rpc_call_unref(struct rpc_call *call);
void rpc_pool_release(struct rpc_server *server);

/* call.c */
extern const struct call_ops rpc_call_ops;
/* Starts a batch whose tag holds a reference. The lock is held. */
void rpc_call_batch(struct rpc_call *call, const grpc_op *ops, size_t count, struct rpc_tag *tag);
/* From here on the loss of the caller is noticed even while nothing is sent or read. Takes the lock. */
void rpc_call_await_close(struct rpc_call *call);
void rpc_call_fail(struct rpc_call *call, const struct error *err);
/* Runs the handler on a message, or on NULL, and fails the call with what it says. */
void rpc_call_handle(struct rpc_call *call, const ProtobufCMessage *message);
/* Unpacks run.in into the call's arena and gives the buffer back; fails the call when it cannot: NULL. */
ProtobufCMessage *rpc_call_decode(struct rpc_call *call);
/* The first send of a call carries the initial metadata: 0 or 1 operations written. */
size_t rpc_call_initial_op(struct rpc_call *call, grpc_op *op);
/* The status that had to wait for a message. The lock is held. */
void rpc_call_send_waiting(struct rpc_call *call);

/* The status of an answered call, from where the answer waits. The lock is held. */
void rpc_call_send_answer(struct rpc_call *call);

/* outbox.c */
/* true on the thread that does the socket I/O, which sends at once. */
bool rpc_outbox_is_here(const struct rpc_server *server);
/* Marks the calling thread as that one. */
void rpc_outbox_serve(struct rpc_server *server);
/* Leaves an answered unary call to that thread, with a reference of its own. Any other thread. */
void rpc_outbox_put(struct rpc_call *call);
void rpc_outbox_init(struct rpc_server *server);

/* stream.c */
void rpc_stream_read(struct rpc_call *call);
void rpc_stream_write(struct call *call, const ProtobufCMessage *message);
void rpc_stream_next(struct call *call);

/* accept.c */
void rpc_accept_all(struct rpc_server *server);

/* table.c */
bool rpc_table_build(struct rpc_server *server, const struct service *const *services, size_t count,
                     struct error *err) MUST_USE;

/* message.c */
grpc_byte_buffer *rpc_message_pack(const ProtobufCMessage *message);
bool rpc_message_unpack(grpc_byte_buffer *buffer, const ProtobufCMessageDescriptor *type, struct arena *arena,
                        ProtobufCMessage **message, struct error *err) MUST_USE;

/* identity.c: the caller of an arrived call, from its certificate. */
bool rpc_identity(grpc_call *core, struct principal *principal, struct error *err) MUST_USE;

#endif
