/*
 * pace.h -- how fast a terminal and a merchant hold points: counts in memory, for the velocity of a merchant's terms.
 *
 * One a server; all lanes count in it. A count is kept in slots of window / 60, at least 100 ms, each counted until
 * the whole of it has left the window: a bound is never exceeded, and room may come back one slot late.
 * What other servers let through is counted as soon as the publisher has read it (pace_publisher.h): within one server
 * the bound is exact, across servers it may be exceeded by what they let through within the same second.
 *
 * Not durable and not a verdict by itself: the lane takes before it decides, and gives back what was not held. Time is
 * programme time, an argument. Thread-safe; a take locks two of PACE_STRIPES stripes for some hundred instructions.
 */
#ifndef ENGINE_PACE_H
#define ENGINE_PACE_H

#include "base/error.h"
#include "base/when.h"
#include "domain/rules.h"
#include "store/pace_store.h"

#include <stddef.h>
#include <stdint.h>

enum {
    PACE_STRIPES = 64,
    PACE_KEYS_MAX = 32768, /* terminals and merchants counted at a time; 2 KB each, taken when first used */
};

struct pace;

/* NULL when there is no memory. */
struct pace *pace_new(void);
void pace_free(struct pace *pace);

/*
 * Counts a hold: REASON_OK; or VELOCITY_TERMINAL or VELOCITY_MERCHANT (the terminal is looked at first) and nothing is
 * counted. Terms without a velocity, NULL terms and a NULL pace touch nothing. terminal_id NULL is the terminal "".
 * When PACE_KEYS_MAX are in use, the one that was left alone longest is forgotten.
 */
enum reason pace_take(struct pace *pace, int32_t merchant_no, const char *terminal_id, const struct terms *terms,
                      int64_t points, struct instant now) MUST_USE;
/* Takes back what pace_take with the same arguments counted: the hold was refused after all, or rolled back. */
void pace_give_back(struct pace *pace, int32_t merchant_no, const char *terminal_id, const struct terms *terms,
                    int64_t points, struct instant now);

/* For the metrics. */
struct pace_figures {
    int64_t keys;    /* terminals and merchants counted now */
    int64_t dropped; /* forgotten since the start because there were too many */
};
struct pace_figures pace_figures(struct pace *pace);

/* For the publisher. */

/* Up to max slots that changed since they were last collected, as this server's own totals. */
size_t pace_collect(struct pace *pace, struct pace_row *rows, size_t max);
/* They were not written for sure: they are collected again. */
void pace_collect_again(struct pace *pace, const struct pace_row *rows, size_t count);
/* What all other servers together counted in a slot. Rows of another slot length than the key's are left alone. */
void pace_learn(struct pace *pace, const struct pace_row *row);
/* true once after a key's slots changed their length: all that other servers wrote should be learnt again. */
bool pace_wants_all(struct pace *pace);

#endif
