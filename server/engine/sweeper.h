/*
 * sweeper.h -- the daily walk: every account is looked at once a business date, so that lots which are over expire and
 * pending points mature, and tiers end, although nobody asks, and members are told in time what they are about to lose.
 *
 * Per bucket and programme, in order of member ids, a chunk at a time; how far it is stands in table sweep. A chunk
 * that is killed anywhere is done again with the same result: what time does goes through the lanes as COMMAND_TIDY
 * (nothing is left to do the second time), notices are written once by their key, the position moves last. A walk that
 * a day close overtakes goes on to its end with the new day, and then the next one begins. Any number of servers may
 * run it: a chunk belongs to who has locked the walk's row.
 *
 * Notices: 30, 7 and 1 business dates before points expire. Each is written once for a member and day of expiry, on the
 * first day the walk finds the points and no more than so many days are left: when days were skipped, or the points
 * came late, fewer are left than its name says, and several may be written on one day. They are kept for
 * NOTICE_KEPT_DAYS.
 */
#ifndef ENGINE_SWEEPER_H
#define ENGINE_SWEEPER_H

#include "base/error.h"

#include <stdint.h>

struct db;
struct lanes;
struct sweeper;

enum {
    SWEEP_CHUNK = 500,       /* accounts of one transaction */
    SWEEP_OUTSTANDING = 32,  /* commands of the walk in the lanes at a time: online batches hardly notice */
    SWEEP_POLL_US = 1000000, /* how often it looks whether there is something to do */
    NOTICE_KEPT_DAYS = 60,   /* business dates */
};

struct sweep_done {
    bool worked;     /* false: nothing to do in the bucket, or somebody else is at it */
    int64_t walked;  /* accounts looked at */
    int64_t tidied;  /* to whom time had done something */
    int64_t failed;  /* could not be tidied, are in the log, and come again with the next walk */
    int64_t noticed; /* notices written */
};

/*
 * One chunk of at most limit accounts of some programme in the bucket. On failure the position is as before;
 * OVERLOADED: the lanes have no room, come back later.
 */
bool sweeper_run(struct db *db, struct lanes *lanes, int32_t bucket, int32_t limit, struct sweep_done *done,
                 struct error *err) MUST_USE;

/* What main counts; called on the sweeper's thread. Must not block. */
struct sweep_report {
    struct sweep_done done;
    int32_t buckets_behind; /* in which a walk is not finished */
    int64_t warned;         /* warnings of exposure limits written (engine/exposure_watch.h) */
    int32_t days_behind;    /* business dates the last of them has not finished; 1: only the open one */
};
typedef void sweep_observer(void *owner, const struct sweep_report *report);

struct sweeper_options {
    const char *conninfo;
    struct lanes *lanes;        /* borrowed; close the sweeper first */
    int64_t members_per_second; /* > 0: no more are looked at, in all buckets together */
    sweep_observer *observer;   /* may be NULL */
    void *observer_owner;
};

bool sweeper_open(const struct sweeper_options *options, struct sweeper **sweeper, struct error *err) MUST_USE;
/* Ends with the chunk at hand. NULL is fine. */
void sweeper_close(struct sweeper *sweeper);

#endif
