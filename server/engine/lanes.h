/*
 * lanes.h -- the one write path for everything that moves points.
 *
 * A lane is a thread that owns some buckets and one connection. It takes what waits for one bucket (1 to BATCH_MAX
 * commands, no timer), loads, decides in C, writes and commits in two round trips, and only then answers. Two servers
 * on one database are correct: ownership is an optimisation, row locks are the safety.
 */
#ifndef ENGINE_LANES_H
#define ENGINE_LANES_H

#include "base/error.h"

#include <stdint.h>

struct command;
struct lanes;
struct pace;
struct reference_source;

/* What main counts: called on a lane's thread after each batch. Must not block. */
struct lane_report {
    int32_t lane;        /* 0, 1, ... */
    int32_t commands;    /* in the batch */
    int64_t duration_us; /* from its beginning to COMMIT's answer */
    int32_t waiting;     /* left in this lane's queue */
};
typedef void lane_observer(void *owner, const struct lane_report *report);

struct lanes_options {
    const char *conninfo;
    int32_t buckets, lanes;             /* lanes are at most buckets */
    struct reference_source *reference; /* borrowed */
    struct pace *pace;                  /* borrowed; NULL: velocity of terminals and merchants is not watched */
    int64_t sweep_every_us;             /* how often overdue holds are looked for; 0 for never */
    bool in_order;                      /* tests only: a bucket's commands are taken in the order they came */
    lane_observer *observer;            /* may be NULL */
    void *observer_owner;
};

/* Where the lanes have their reference data from. */
struct reference_source *lanes_reference(const struct lanes *lanes);

/* Starts the threads; a database that is down is not an error: calls are answered DATABASE_UNREACHABLE until it is
 * back. */
bool lanes_open(const struct lanes_options *options, struct lanes **lanes, struct error *err) MUST_USE;
/*
 * Queues the command; its done is called later, exactly once. false (OVERLOADED) when the queue, or the part of it that
 * one caller or one member may have, is full: then nothing was queued and done is not called.
 */
bool lanes_submit(struct lanes *lanes, struct command *command, struct error *err) MUST_USE;
/* Finishes what is queued and ends the threads. Nothing may be submitted any more. */
void lanes_close(struct lanes *lanes);

#endif
