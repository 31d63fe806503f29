/*
 * house.h -- the whole server in the test's process: real services over real mTLS, real lanes and a real PostgreSQL.
 *
 * Requests and replies are JSON (proto3 mapping) with ' for ", so that a test reads like a conversation. Every function
 * fails the test when something goes otherwise than it says. One thread.
 */
#ifndef SUPPORT_HOUSE_H
#define SUPPORT_HOUSE_H

#include "client/client.h"
#include "database.h"
#include "io/crypto.h"
#include "pki.h"
#include "rpc/rpc.h"
#include "service/office.h"
#include "store/db.h"

#include <jansson.h>

enum { HOUSE_CLIENTS = 32, HOUSE_TIMEOUT_MS = 20000 };

struct house {
    char dir[64], target[32];
    char conninfo[TEST_CONNINFO];
    struct pki_files files;
    struct crypto_key key;
    struct office office;
    struct rpc_server *server;
    struct db *db; /* the test's own eyes */
    struct arena arena;
    json_t *kept; /* replies; they live as long as the house */
    struct {
        char uri[100];
        struct client *client;
    } clients[HOUSE_CLIENTS];
    size_t client_count;
};

/* With an empty database; the office is open. */
struct house *house_open(void);
/* The same, and the office stays shut. */
struct house *house_open_shut(void);
void house_close(struct house *house);
/*
 * Registers a small alliance: sandbox programme "demo" (UTC, 2026-01-15T12:00:00Z), banks "bank-a" with rules (1 point
 * buys 1 fen; 10 fen spent earn 1 point; the bank owes 7 fen for 10 points) and "bank-b" without, merchants "shop-1"
 * (stores "s-1" and "s-2", 1 % commission, CNY) and "shop-2" (2.5 %), carrier "swift", shop-1's good "kettle" (500
 * fen); a second programme "other" with "bank-x" and "shop-x".
 */
void house_found(struct house *house);
/* Members of bank-a, by PushMembers and PushAccruals: "ann" with that many points, no credit limit. */
void house_member(struct house *house, const char *member_ref, int64_t points);

/* A fresh version 7 uuid as text; each of the last 64 stays valid. */
const char *house_id(void);
/* The reply to a call by the party with that certificate URI, such as "merchant/shop-1" (the scheme is added). */
json_t *house_ask(struct house *house, const char *party, const char *method, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* The call is refused with that reason (and its status) and names that field; "" for none, NULL for any. */
void house_refused(struct house *house, const char *party, const char *method, enum reason reason, const char *field,
                   const char *format, ...) __attribute__((format(printf, 6, 7)));
/* Bidirectional: one message, its answer. */
json_t *house_push(struct house *house, const char *party, const char *method, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* The stream is refused when it brings that message. */
void house_push_refused(struct house *house, const char *party, const char *method, enum reason reason,
                        const char *field, const char *format, ...) __attribute__((format(printf, 6, 7)));
/* Client stream: those messages (an array in JSON); the reply. */
json_t *house_send(struct house *house, const char *party, const char *method, const char *messages);
void house_send_refused(struct house *house, const char *party, const char *method, enum reason reason,
                        const char *field, const char *messages);

/* Every member of the expected object is in the reply with that value; inner objects and arrays likewise. */
void house_expect(const json_t *reply, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The text at a path such as "lots.0.points". */
const char *house_text(const json_t *reply, const char *path);
/* One number from SQL. */
int64_t house_count(struct house *house, const char *sql);
/* Rows of every table that a call could write to, added up. */
int64_t house_rows(struct house *house);
void house_sql(struct house *house, const char *sql);
/*
 * Runs a line of the command line as that party; what it prints on both streams is in `printed`. What it ended with.
 */
int house_type(struct house *house, const char *party, const char *line, char *printed, size_t room);

#endif
