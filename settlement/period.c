#include "period.h"

#include <stdio.h>
#include <string.h>

bool period_parse(const char *text, struct period *out)
{
    char first_day[DATE_TEXT];
    struct date first;

    if (!text || strlen(text) != PERIOD_TEXT - 1)
        return false;
    snprintf(first_day, sizeof first_day, "%.7s-01", text);
    if (!date_parse(first_day, &first))
        return false;
    *out = period_of(first);
    return true;
}

struct period period_of(struct date date)
{
    struct period period = { .first = date_month_start(date, 0) };
    char first_day[DATE_TEXT];

    period.last.days = date_month_start(date, 1).days - 1;
    date_format(period.first, first_day);
    memcpy(period.text, first_day, PERIOD_TEXT - 1);
    return period;
}

struct period period_after(const struct period *period, int n)
{
    return period_of(date_month_start(period->first, n));
}
