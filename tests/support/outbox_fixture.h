/*
 * outbox_fixture.h -- a database in which something waits to be told to a partner: what the worker tests begin with.
 *
 * One programme, one bank, one merchant with a webhook, one carrier, one good; redemptions as a lane would have written
 * them. Every function fails the running test when something goes wrong.
 */
#ifndef SUPPORT_OUTBOX_FIXTURE_H
#define SUPPORT_OUTBOX_FIXTURE_H

#include "database.h"
#include "io/crypto.h"
#include "store/db.h"
#include "store/lane_store.h"

enum { FIXTURE_BUCKET = 1 };
#define FIXTURE_SECRET "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

struct outbox_fixture {
    char conninfo[TEST_CONNINFO];
    struct db *db;
    struct crypto_key key; /* of 32 bytes 7 */
};

/* Where the partners are; port 0: nowhere. */
void outbox_fixture_make(struct outbox_fixture *fixture, uint16_t carrier_port, uint16_t merchant_port);
void outbox_fixture_release(struct outbox_fixture *fixture);

/* A confirmed redemption of 500 points for CNY 12.34 and the outbox row of its confirmation; the row's id. */
struct uuid outbox_fixture_confirm(struct outbox_fixture *fixture, enum outbox_topic topic);
/* The redemption of that row. */
struct uuid outbox_fixture_redemption(const struct uuid *outbox_id);
/* Whatever waits for a time need not wait any more, leases included. */
void outbox_fixture_hurry(struct outbox_fixture *fixture);

struct outbox_state {
    int16_t state; /* 1 waiting, 2 done, 3 dead letter */
    int32_t attempts;
    const char *last_error; /* in the arena */
};
struct outbox_state outbox_fixture_state(struct outbox_fixture *fixture, const struct uuid *outbox_id,
                                         struct arena *arena);
/* Any statement without parameters. */
void outbox_fixture_run(struct outbox_fixture *fixture, const char *sql);

#endif
