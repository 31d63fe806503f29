/*
 * verifier.h -- verifies the whole ledger in the background, again and again, and so slowly that nobody notices.
 *
 * A round walks all programmes step by step (engine/verify.h) on a connection of its own and rests between steps, so
 * that it is at work a small part of the time only. How far it is, is kept in memory: a server that starts begins anew.
 * Each finding is logged once, without balances; `alliance ledger verify` tells the rest. Any number of servers may do
 * it.
 */
#ifndef ENGINE_VERIFIER_H
#define ENGINE_VERIFIER_H

#include "base/error.h"
#include "base/when.h"

#include <stdint.h>

struct db;
struct verifier;

enum {
    VERIFIER_REST = 19,           /* it rests so many times as long as a step took: at work 5 % of the time */
    VERIFIER_REST_MIN_US = 20000, /* and at least so long */
    VERIFIER_REMEMBERED = 4096,   /* findings that are known not to be new; more are counted, not logged */
};

/* What main counts; called on the verifier's thread after every step. Must not block. */
struct verifier_report {
    int64_t members;               /* verified by this step */
    int64_t findings;              /* of the round before, or of this one when it has found more already */
    struct instant round_finished; /* when a round came to its end last; 0 when none has */
};
typedef void verifier_observer(void *owner, const struct verifier_report *report);

struct verifier_options {
    int32_t buckets;  /* of the installation */
    int64_t every_us; /* a round begins so long after the one before began, or at once when that took longer; > 0 */
    verifier_observer *observer; /* may be NULL */
    void *observer_owner;
};

/* NULL when out of memory. */
struct verifier *verifier_new(const struct verifier_options *options);
bool verifier_start(struct verifier *verifier, const char *conninfo, struct error *err) MUST_USE;
/* Waits for the step at hand. NULL is fine. */
void verifier_free(struct verifier *verifier);
/* One step, as the thread does it (struct routine_options, run); for tests. verifier is the owner. */
bool verifier_run(void *verifier, struct db *db, int64_t *wait_us, struct error *err) MUST_USE;

#endif
