/*
 * clerks.h -- a few threads with a connection each for everything that is not the write path: reads, reference data.
 *
 * Jobs that can share a statement are done together: one clerk takes what waits of them, with no timer, so that their
 * number grows with load. Where both kinds wait, a clerk takes them in turns.
 */
#ifndef ENGINE_CLERKS_H
#define ENGINE_CLERKS_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

struct clerks;
struct db;

/* A job is embedded in the maker's own struct, which it owns until run was called. */
struct clerk_job {
    /* On a clerk's thread. db is NULL, with *err saying why, when the database cannot be reached. Must answer the call.
     */
    void (*run)(struct clerk_job *job, struct db *db, struct error *err);
    /* The same for 1 to BATCH_MAX jobs of clerks_submit_together that have the same run_together. */
    void (*run_together)(struct clerk_job *const *jobs, size_t count, struct db *db, struct error *err);
    struct clerk_job *next; /* the clerks' own */
};

bool clerks_open(const char *conninfo, int32_t count, struct clerks **clerks, struct error *err) MUST_USE;
/* false (OVERLOADED) when too many wait; then run is not called. */
bool clerks_submit(struct clerks *clerks, struct clerk_job *job, struct error *err) MUST_USE;
/* The same, to be run with others of its kind by its run_together. */
bool clerks_submit_together(struct clerks *clerks, struct clerk_job *job, struct error *err) MUST_USE;
/* Finishes what is queued. */
void clerks_close(struct clerks *clerks);

#endif
