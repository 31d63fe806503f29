/*
 * close.h -- what day close and period close share: the programme at hand, the one lock, and the steps.
 *
 * A close is a row of steps. Each is one transaction that also writes its row in settlement_step, so a close that is
 * killed anywhere goes on, when run again, after the last step that was committed.
 */
#ifndef SETTLEMENT_CLOSE_H
#define SETTLEMENT_CLOSE_H

#include "base/error.h"
#include "base/limits.h"

#include <stdint.h>

struct db;
struct progress;

struct close_run {
    struct db *db;             /* the caller's; all work of a close is done on this one connection */
    struct progress *progress; /* the caller's; NULL for none */
    const char *maker;         /* who runs it, for the four eyes of a period; NULL: nobody in particular */
    int32_t programme_no;
    char programme_id[ID_MAX + 1];
    int steps;                  /* done by this run */
    void (*stepped)(int steps); /* tests only: told after each step, so that they can kill the program there */
};

/*
 * Finds the programme and takes its lock for the life of the connection. CLOSE_RUNNING names the session that has it.
 * A lock whose owner was killed is free once PostgreSQL notices, within about a second.
 */
bool close_begin(struct close_run *run, struct db *db, const char *programme_id, struct error *err) MUST_USE;
/* Gives the lock back; the connection may be used for the next close. */
void close_end(struct close_run *run);
/* To be called after each commit, and between the parts of what is not one transaction. */
void close_step(struct close_run *run);

#endif
