/*
 * points_line.h -- a bank's points roll-forward: each kind of entry stands in exactly one line, and
 *
 *     opening + the sum of all lines = closing.
 *
 * Outstanding are the points in members' accounts: available, held and pending, less credit used. Points on their way
 * between two members are in neither account; they left with TRANSFERRED_OUT and arrive with TRANSFERRED_IN. What only
 * moves within a member's accounts (holds and what gives them back, maturing) changes nothing: WITHIN. Pure.
 */
#ifndef SETTLEMENT_POINTS_LINE_H
#define SETTLEMENT_POINTS_LINE_H

#include "base/error.h"
#include "domain/entry.h"

#include <stdint.h>

/* In the order of the documents; 0 is none, so that a kind without a line shows. */
enum points_line {
    POINTS_NO_LINE,
    POINTS_ISSUED,
    POINTS_CLAWED_BACK,
    POINTS_ADJUSTED,
    POINTS_REDEEMED,
    POINTS_REVERSED,
    POINTS_EXPIRED,
    POINTS_FORFEITED,
    POINTS_REINSTATED,
    POINTS_CLOSED,
    POINTS_TRANSFERRED_OUT,
    POINTS_TRANSFERRED_IN,
    POINTS_WITHIN,
    POINTS_LINES
};

/* POINTS_NO_LINE for a number that is no kind. */
enum points_line points_line_of(int kind);
/* "ISSUED". */
const char *points_line_name(enum points_line line);
/* What a point of such an entry does to what is outstanding: 1, 0 or -1. */
int points_effect(int kind);

/* What is outstanding, by account. */
struct points_parts {
    int64_t spendable; /* available less credit used */
    int64_t held, pending;
};

/* One bank's roll-forward; zeroed is that of a bank without entries. */
struct points_roll {
    int64_t opening, closing;
    int64_t lines[POINTS_LINES];   /* signed: what they add to what is outstanding */
    int64_t entries[POINTS_LINES]; /* how many entries that is */
    struct points_parts at_end;    /* of which closing consists */
};

/* All entries of one kind up to before the period, and up to its end. False when a sum does not fit. */
struct points_kind {
    int16_t kind;
    int64_t count_before, points_before, count_after, points_after;
};
bool points_roll_add(struct points_roll *roll, const struct points_kind *kind) MUST_USE;

#endif
