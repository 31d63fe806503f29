/*
 * toy.h -- a server without an office, for tests of the transport: tiny handlers over the real services and real mTLS.
 *
 * Ping (anybody) echoes its payload, unless that is "hold" (the call is kept until toy_answer), "fail" (FIELD_INVALID
 * of field "payload"), "busy" (OVERLOADED), "mute" (fails without a reason) or "wait" (blocks the server's only I/O
 * thread until toy_let_go, as no real handler may). PushMembers (banks) answers a message
 * with a verdict a row, unless bank_id is "hold" or "fail". ImportMerchants (the operator) counts messages; a
 * merchant_id "hold" or "fail" does the same there. Every other method fails with INTERNAL.
 */
#ifndef SUPPORT_TOY_H
#define SUPPORT_TOY_H

#include "client/client.h"
#include "pki.h"
#include "rpc/rpc.h"

#include <pthread.h>
#include <stdatomic.h>

enum { TOY_HELD_MAX = 4096, TOY_DONE_MAX = 8192, TOY_WAIT_MS = 10000 };

struct toy_held {
    struct call *call;
    void (*answer)(struct call *call);
};

struct toy {
    char dir[64];    /* of the certificates; removed at the end */
    char target[32]; /* "localhost:PORT" */
    struct pki_files files;
    struct rpc_server *server;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct toy_held held[TOY_HELD_MAX];
    atomic_int held_count;
    atomic_int handled;             /* messages handlers saw, half-closes included */
    atomic_int closed;              /* close callbacks of streams */
    enum reason done[TOY_DONE_MAX]; /* of finished calls, in order */
    atomic_int done_count;
    int may_go;                                               /* "wait" handlers that may return */
    char done_method[64], done_principal[160], done_peer[64]; /* the last one's */
};

/* A server on a free loopback port. changes: NULL, or what shall differ from the defaults; its files are filled in. */
struct toy *toy_start(const struct rpc_options *changes);
/* Answers what is held, drains, frees. */
void toy_stop(struct toy *toy);
/* A connected client whose certificate has that URI. */
struct client *toy_client(struct toy *toy, const char *uri);
/* The same with files of the test's; not yet connected. */
struct client *toy_client_files(struct toy *toy, const struct pki_files *files, int channels);
/* The services, for servers of the test's own. */
size_t toy_services(const struct service *const **services);

/* Each waits until there are so many, and fails the test after TOY_WAIT_MS. */
void toy_wait_held(struct toy *toy, int count);
void toy_wait_handled(struct toy *toy, int count);
void toy_wait_closed(struct toy *toy, int count);
void toy_wait_done(struct toy *toy, int count);
/* Waits until a call has finished with that reason. */
void toy_wait_reason(struct toy *toy, enum reason reason);
/* Answers, on this thread, the calls that are held now, the last one first; not those held meanwhile. */
void toy_answer(struct toy *toy);
/* One more "wait" returns. */
void toy_let_go(struct toy *toy);
/* The first held call; it stays held. */
struct call *toy_first_held(struct toy *toy);

/* Ping with that payload; the status. reply may be NULL. */
struct client_status toy_ping(struct client *client, const char *payload, int64_t timeout_ms);

/* Fails unless the status is that of the reason and carries its word. */
#define toy_assert_reason(status, wanted) toy_check_reason(&(status), (wanted), __FILE__, __LINE__)
void toy_check_reason(const struct client_status *status, enum reason wanted, const char *file, int line);

#endif
