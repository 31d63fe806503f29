/*
 * progress.h -- how far long work is, on standard error: a bar on a terminal, lines now and then when asked for,
 * nothing otherwise. One thread at a time.
 */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct progress {
    FILE *out;        /* NULL: say nothing */
    const char *what; /* "members" */
    bool bar;         /* else lines */
    int64_t total;    /* in whatever unit `done` is; 0: not known */
    int64_t last_us;  /* clock_monotonic_us() of the latest output */
};

/* lines: --progress was given. */
void progress_start(struct progress *progress, const char *what, int64_t total, bool lines);
/* Writes at most ten times a second (bar) or every two seconds (lines). `count` is what is done in things. */
void progress_step(struct progress *progress, int64_t done, int64_t count);
/* Takes the bar away, or writes the last line. */
void progress_end(struct progress *progress, int64_t count);

#endif
