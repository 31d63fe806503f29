/*
 * period.h -- a settlement period: one calendar month of business dates. Pure.
 */
#ifndef SETTLEMENT_PERIOD_H
#define SETTLEMENT_PERIOD_H

#include "base/when.h"

enum { PERIOD_TEXT = 8 };

struct period {
    struct date first, last; /* both belong to it */
    char text[PERIOD_TEXT];  /* "YYYY-MM" */
};

/* "YYYY-MM" and nothing else; NULL is false. */
bool period_parse(const char *text, struct period *out) MUST_USE;
/* The month a day belongs to. */
struct period period_of(struct date date);
/* The period that is n later; 0: itself. */
struct period period_after(const struct period *period, int n);

#endif
