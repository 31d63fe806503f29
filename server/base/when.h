/*
 * when.h -- days and instants as distinct types, and the calendar between them. Pure: no clock, no time zone database.
 */
#ifndef BASE_WHEN_H
#define BASE_WHEN_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

/* A calendar day: days since 1970-01-01. */
struct date {
    int32_t days;
};

/* A point in time: microseconds since 1970-01-01T00:00:00Z. */
struct instant {
    int64_t us;
};

enum { DATE_TEXT = 11, INSTANT_TEXT = 48, US_PER_SECOND = 1000000 };

/* Proleptic Gregorian; month 1..12, day 1..31. */
struct date date_of(int year, int month, int day);
void date_split(struct date date, int *year, int *month, int *day);
/* "YYYY-MM-DD"; false for anything else, a 30th of February included. */
bool date_parse(const char *text, struct date *out) MUST_USE;
void date_format(struct date date, char text[DATE_TEXT]);
/* The first day of the month that is `months` after the date's own month. */
struct date date_month_start(struct date date, int months);
/*
 * RFC 3339 with any offset; false outside the years 1 to 9999 of UTC. Fraction digits beyond the sixth are dropped. It
 * is written in UTC with as many fraction digits as are needed (0, 3 or 6).
 */
bool instant_parse(const char *text, struct instant *out) MUST_USE;
void instant_format(struct instant instant, char text[INSTANT_TEXT]);

#endif
