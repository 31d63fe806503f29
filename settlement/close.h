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
struct rows_ahead;

struct close_run {
    struct db *db;             /* the caller's; all that a close writes is written on this one connection */
    struct db *beside;         /* reads what is long while db does something else; NULL until close_beside */
    struct rows_ahead *ahead;  /* what is being read on it; NULL: nothing */
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
/* The run's second connection, made when it is first asked for. */
bool close_beside(struct close_run *run, struct db **beside, struct error *err) MUST_USE;
/* Ends what is being read on it, if anything is. */
void close_stop_ahead(struct close_run *run);
/* Gives the lock back; the connection may be used for the next close. The second one is closed. */
void close_end(struct close_run *run);
/* To be called after each commit, and between the parts of what is not one transaction. */
void close_step(struct close_run *run);

#endif
