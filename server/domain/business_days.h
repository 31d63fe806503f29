/*
 * business_days.h -- which days are business days, and counting in them. Pure: the days of a programme's calendar are
 * an argument.
 *
 * Not the business *date* of the journal: that is every day of the week, and its fence says which.
 */
#ifndef DOMAIN_BUSINESS_DAYS_H
#define DOMAIN_BUSINESS_DAYS_H

#include "base/error.h"
#include "base/when.h"

#include <stddef.h>
#include <stdint.h>

/* A day off, or a Saturday or Sunday on which people work to make up for one. */
struct special_day {
    struct date date;
    bool working;
};

/* The other days are business days from Monday to Friday. No special day at all is a calendar too. */
struct business_calendar {
    const struct special_day *days; /* ascending, each date once; borrowed */
    size_t count;
    struct date from; /* days before it are all business days: nobody had said anything about them */
};
/* The calendar of a programme that has none: every day is a business day. */
#define BUSINESS_CALENDAR_NONE ((struct business_calendar){ NULL, 0, { INT32_MAX } })

/* Farther than this from one business day to the next there is none: a calendar full of days off is no loop. */
enum { DAYS_OFF_MAX = 366 };

/*
 * FIELD_INVALID names the first date, as "days[3].date", that is not after the one before, that is a working Monday to
 * Friday, or from which on no business day is left within DAYS_OFF_MAX days.
 */
bool business_calendar_check(const struct business_calendar *calendar, struct error *err) MUST_USE;
/* The calendar has passed the check; so it must for those below. */
bool business_day_is(const struct business_calendar *calendar, struct date date);
/* The date itself, or else the first business day after it. FIELD_INVALID after DAYS_OFF_MAX days off. */
bool business_day_from(const struct business_calendar *calendar, struct date date, struct date *out,
                       struct error *err) MUST_USE;
/*
 * The n-th business day after the date, which need not be one and is never counted: one business day after a Friday, a
 * Saturday and a Sunday is Monday. 0 is business_day_from. FIELD_INVALID for a negative n, and as above.
 */
bool business_days_after(const struct business_calendar *calendar, struct date date, int32_t n, struct date *out,
                         struct error *err) MUST_USE;

#endif
