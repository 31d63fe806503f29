/*
 * roster_work.h -- what becomes of a batch once all its rows are there: checked, and applied through the lanes.
 *
 * A batch is worked on by the server that has leased it; any other goes on when that one is gone. A window of rows is
 * given to the lanes, waited for, and its verdicts are written together with how far the batch is, while the next
 * window is in the lanes: so online calls never meet more than ROSTER_OUTSTANDING rows of it. A row that is applied
 * again after a crash changes nothing, and what it did the first time is found in the audit log by the batch's number.
 */
#ifndef SERVICE_ROSTER_WORK_H
#define SERVICE_ROSTER_WORK_H

#include "base/error.h"
#include "store/roster_store.h"

struct crypto_key;
struct db;
struct lanes;
struct reference_source;
struct roster_worker;

enum {
    ROSTER_WINDOW = 2,           /* chunks */
    ROSTER_OUTSTANDING = 2000,   /* rows of two windows */
    ROSTER_TURN = 20,            /* windows, then another bank's batch may have its turn */
    ROSTER_CLOSE_SHARE_BP = 100, /* until the settings say otherwise */
};

struct roster_work {
    struct lanes *lanes;                /* borrowed, as all of these */
    struct reference_source *reference; /* for bank ids */
    const struct crypto_key *key;
    struct roster_lease lease;
    _Atomic int64_t held_until_us; /* clock_monotonic_us: later no lane begins with a row, the lease may be another's */
    struct db *reader; /* a session of its own to look at members with, owned by the worker; NULL: the other is used */
    int64_t close_share_bp; /* of batches that do not say */
};

/* The beginnings of a server: a lease id of its own. */
void roster_work_init(struct roster_work *work, struct lanes *lanes, struct reference_source *reference,
                      const struct crypto_key *key);
/*
 * A piece of work on some batch; *worked is false when there is none. After a failure call it again later: OVERLOADED
 * and TRY_AGAIN are to be expected.
 */
bool roster_work_run(struct roster_work *work, struct db *db, bool *worked, struct error *err) MUST_USE;

/* The lease was renewed: by a statement that was begun at since_us, and is committed. */
void roster_work_hold(struct roster_work *work, int64_t since_us);
/* As roster_keep, of a transaction of its own; a failure shows at the next that is needed. */
void roster_work_renew(struct roster_work *work, struct db *db, const struct roster_batch *batch);

/* No more work is done: other servers need not wait for the leases to end. */
bool roster_work_end(struct roster_work *work, struct db *db, struct error *err) MUST_USE;

/* roster_check.c: CHECKING becomes REFUSED, WAITING_RELEASE or APPLYING. */
bool roster_check(struct roster_work *work, struct db *db, struct roster_batch *batch, struct error *err) MUST_USE;
/* roster_apply.c: rows, for a turn; *done when all of them have their verdicts. */
bool roster_apply(struct roster_work *work, struct db *db, struct roster_batch *batch, bool *done,
                  struct error *err) MUST_USE;
/* roster_close.c: members who are not on the list, for a turn; in the end the batch is APPLIED. */
bool roster_close(struct roster_work *work, struct db *db, struct roster_batch *batch, struct error *err) MUST_USE;

/* roster_roll_back.c: members, for a turn; in the end the batch is ROLLED_BACK, or APPLIED as before. */
bool roster_roll_back(struct roster_work *work, struct db *db, struct roster_batch *batch, struct error *err) MUST_USE;

/* A thread that does it all. */
bool roster_worker_open(const struct roster_work *work, const char *conninfo, struct roster_worker **worker,
                        struct error *err) MUST_USE;
/* NULL is fine. */
void roster_worker_close(struct roster_worker *worker);

#endif
