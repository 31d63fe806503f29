/*
 * progress.h -- one line on a terminal that says how far a long piece of work is and how long it will take.
 *
 * Silent when standard error is not a terminal. NULL is a fine progress everywhere: nothing is shown.
 */
#ifndef SETTLEMENT_PROGRESS_H
#define SETTLEMENT_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
    bool shown;          /* standard error is a terminal */
    const char *what;    /* literal */
    int64_t done, total; /* of whatever unit the work has */
    int64_t started_us, last_us;
};

struct progress progress_on_terminal(void);
void progress_begin(struct progress *progress, const char *what, int64_t total);
void progress_add(struct progress *progress, int64_t n);
/* Wipes the line. */
void progress_end(struct progress *progress);

#endif
