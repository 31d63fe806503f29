/*
 * routine.h -- a thread that does one thing again and again, with a database connection of its own.
 *
 * What fails is tried again later; the log has a line when it begins to fail and one when it is well again.
 */
#ifndef ENGINE_ROUTINE_H
#define ENGINE_ROUTINE_H

#include "base/error.h"

#include <stdint.h>

struct db;
struct routine;

/* Does a piece of work; *wait_us is how long to wait until the next, 0 on entry. */
typedef bool routine_run(void *owner, struct db *db, int64_t *wait_us, struct error *err);

struct routine_options {
    const char *name; /* in the log; a literal */
    const char *conninfo;
    const char *session_sql; /* run on every new connection; a literal */
    routine_run *run;
    void *owner;
    int64_t retry_us; /* the wait after a failure */
};

bool routine_start(const struct routine_options *options, struct routine **routine, struct error *err) MUST_USE;
/* Waits for the piece of work at hand. NULL is fine. */
void routine_stop(struct routine *routine);

#endif
