#include "domain/business_days.h"

#include <stdio.h>

/* 0 is Monday; 1970-01-01 was a Thursday. */
static int weekday(struct date date)
{
    return (int)((((int64_t)date.days + 3) % 7 + 7) % 7);
}

static bool is_weekend(struct date date)
{
    return weekday(date) >= 5;
}

static const struct special_day *find(const struct business_calendar *calendar, struct date date)
{
    size_t low = 0, high = calendar->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (calendar->days[middle].date.days < date.days)
            low = middle + 1;
        else
            high = middle;
    }
    return low < calendar->count && calendar->days[low].date.days == date.days ? &calendar->days[low] : NULL;
}

static bool refuse_day(struct error *err, size_t i, const char *what, const char *why)
{
    char field[ERROR_FIELD_MAX];

    snprintf(field, sizeof field, "days[%zu].%s", i, what);
    return error_field(err, REASON_FIELD_INVALID, field, "%s", why);
}

static bool check_order(const struct business_calendar *calendar, struct error *err)
{
    for (size_t i = 0; i < calendar->count; i++) {
        const struct special_day *day = &calendar->days[i];
        if (i && day->date.days <= calendar->days[i - 1].date.days)
            return refuse_day(err, i, "date", "must be later than the day before it in the list");
        if (day->working && !is_weekend(day->date))
            return refuse_day(err, i, "working", "must be false: the day is no Saturday or Sunday, and worked anyway");
    }
    return true;
}

/* Asked once for days that follow each other: a calendar is years of them. */
static bool check_runs(const struct business_calendar *calendar, struct error *err)
{
    for (size_t i = 0; i < calendar->count; i++) {
        struct date date = calendar->days[i].date, next;
        struct error why;
        bool follows = i > 0 && calendar->days[i - 1].date.days == date.days - 1;
        if (!follows && !business_day_from(calendar, date, &next, &why))
            return refuse_day(err, i, "date", "begins more days off than there are in a year");
    }
    return true;
}

bool business_calendar_check(const struct business_calendar *calendar, struct error *err)
{
    return check_order(calendar, err) && check_runs(calendar, err);
}

bool business_day_is(const struct business_calendar *calendar, struct date date)
{
    const struct special_day *special = find(calendar, date);

    if (date.days < calendar->from.days)
        return true;
    return special ? special->working : !is_weekend(date);
}

bool business_day_from(const struct business_calendar *calendar, struct date date, struct date *out, struct error *err)
{
    char text[DATE_TEXT];

    for (int32_t i = 0; i <= DAYS_OFF_MAX; i++) {
        struct date candidate = { date.days + i };
        if (business_day_is(calendar, candidate)) {
            *out = candidate;
            return true;
        }
    }
    date_format(date, text);
    return error_set(err, REASON_FIELD_INVALID, "days: no business day within %d days of %s", DAYS_OFF_MAX, text);
}

bool business_days_after(const struct business_calendar *calendar, struct date date, int32_t n, struct date *out,
                         struct error *err)
{
    if (n < 0)
        return error_set(err, REASON_FIELD_INVALID, "business days: %d is negative", n);
    if (n == 0)
        return business_day_from(calendar, date, out, err);
    for (struct date at = date; n > 0; n--) {
        if (!business_day_from(calendar, (struct date){ at.days + 1 }, &at, err))
            return false;
        if (n == 1)
            *out = at;
    }
    return true;
}
