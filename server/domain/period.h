/*
 * period.h -- settlement periods: a day, a week, a month, or any days in a row of business dates. Pure.
 *
 * The name of a period says its kind: "2026-11-23", "2026-W48", "2026-11", "2026-11-01--2026-11-10".
 */
#ifndef DOMAIN_PERIOD_H
#define DOMAIN_PERIOD_H

#include "base/when.h"

/* Stored: numbers are for ever. The function period_kind of the schema has them, too. */
enum period_kind { PERIOD_DAY = 1, PERIOD_WEEK = 2, PERIOD_MONTH = 3, PERIOD_CUSTOM = 4 };
enum { PERIOD_TEXT = 24, PERIOD_DAYS_MAX = 400 };

struct period {
    struct date first, last; /* both belong to it */
    int16_t kind;            /* enum period_kind */
    char text[PERIOD_TEXT];
};

/*
 * One of the four shapes above and nothing else; NULL is false. Weeks are those of ISO 8601, from Monday to Sunday:
 * week 1 is the one with the year's first Thursday. A CUSTOM period has at most PERIOD_DAYS_MAX days.
 */
bool period_parse(const char *text, struct period *out) MUST_USE;
/* For messages about a text that is none. */
#define PERIOD_SHAPES "YYYY-MM, YYYY-Www, YYYY-MM-DD or YYYY-MM-DD--YYYY-MM-DD"
/* "WEEK"; "?" for a number that is no kind. */
const char *period_kind_name(int kind);
/* The day, week or month a date belongs to. Not for CUSTOM, whose periods a contract names. */
struct period period_of(int kind, struct date date);
/* Both belong to it; first is not after last. */
struct period period_custom(struct date first, struct date last);
/* The day, week or month that is n later; 0: itself. Not for CUSTOM. */
struct period period_after(const struct period *period, int n);
/* Does a day, week or month begin on that date? Of CUSTOM: yes. */
bool period_begins(int kind, struct date date);

#endif
