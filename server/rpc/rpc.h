/*
 * rpc.h -- the gRPC server: mTLS, dispatch by protobuf-c's descriptors, deadlines, cancellation, drain.
 *
 * It knows nothing of points: services come as tables of handlers (service/call.h). It logs nothing: what happened to
 * each call is told to on_done. Two threads of its own: one for all socket I/O and unary handlers, one for streams.
 */
#ifndef RPC_RPC_H
#define RPC_RPC_H

#include "base/error.h"
#include "service/call.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rpc_server;

/* A finished call. Everything is borrowed and valid during on_done only. */
struct rpc_done {
    const char *method;    /* "alliance.v1.DiagnosticsService/Ping"; "unknown" for one there is no row for */
    const char *principal; /* the caller's URI; empty when it was not accepted */
    const char *peer;      /* "ipv4:127.0.0.1:57062" */
    enum reason reason;    /* REASON_CANCELLED or REASON_DEADLINE_PASSED when the caller did not get our answer */
    enum status status;    /* the reason's */
    int64_t duration_us;   /* from the arrival of the request (streams: of the call) to the end */
};

struct rpc_options {
    const char *address;             /* "0.0.0.0:50051"; port 0 takes a free one */
    const char *ca_file;             /* PEM: who may have signed callers' certificates */
    const char *cert_file;           /* PEM: the server's certificate, then its chain */
    const char *key_file;            /* PEM; all three are read again when they change on disk */
    int in_flight_max;               /* calls at a time, streams included; more are OVERLOADED; 0 means 8192 */
    int connections_per_address_max; /* 0 means CONNECTIONS_PER_ADDRESS_MAX */
    void (*on_done)(void *owner, const struct rpc_done *done); /* any thread, several at a time; may be NULL */
    void *owner;                                               /* of on_done; outlives the server */
    void (*on_core_log)(const char *message);                  /* errors of the gRPC core; any thread; may be NULL */
};

struct rpc_stats {
    uint64_t calls; /* accepted since the start */
    int in_flight;
};

/*
 * Loads the certificates, binds the port, and checks that every rpc of every service has exactly one row and every row
 * an rpc: REASON_SETTING_INVALID names what is wrong. Health and reflection are added by itself. Options and services
 * are copied, except that services' tables, the office and the owner must outlive the server.
 * Raise RLIMIT_NOFILE, block signals and ignore SIGPIPE before; never fork afterwards.
 */
bool rpc_server_open(const struct rpc_options *options, const struct service *const *services, size_t count,
                     struct office *office, struct rpc_server **server, struct error *err) MUST_USE;
/* Accepts calls from now on. */
bool rpc_server_start(struct rpc_server *server, struct error *err) MUST_USE;
int rpc_server_port(const struct rpc_server *server);
struct rpc_stats rpc_server_stats(struct rpc_server *server);
/* What grpc.health.v1 answers for "" and for every service; true from the start. Any thread. */
void rpc_server_set_serving(struct rpc_server *server, bool serving);
/*
 * Stops accepting, lets calls in flight finish for up to grace_ms, then cancels them; returns when the last is over.
 * Lanes and clerks must go on answering and releasing calls until it returns. Once.
 */
void rpc_server_drain(struct rpc_server *server, int64_t grace_ms);
/* Drains with no grace if that was not done, and frees. NULL is allowed. */
void rpc_server_close(struct rpc_server *server);

#endif
