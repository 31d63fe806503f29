#include "domain/period.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { MONTH_LENGTH = 7, WEEK_LENGTH = 8, DAY_LENGTH = 10, CUSTOM_LENGTH = 22, DAYS_OF_WEEK = 7 };

/* 1970-01-01 was a Thursday. */
static struct date monday_of(struct date date)
{
    int32_t past = (date.days + 3) % DAYS_OF_WEEK;

    return (struct date){ date.days - (past < 0 ? past + DAYS_OF_WEEK : past) };
}

/* A week belongs to the year of its Thursday. */
static void name_week(struct period *week)
{
    struct date thursday = { week->first.days + 3 };
    int year, month, day;

    date_split(thursday, &year, &month, &day);
    snprintf(week->text, sizeof week->text, "%04d-W%02d", year % 10000,
             (int)((thursday.days - date_of(year, 1, 1).days) / DAYS_OF_WEEK % 100) + 1);
}

struct period period_of(int kind, struct date date)
{
    struct period period = { .first = date, .last = date, .kind = (int16_t)kind };
    char day[DATE_TEXT];

    if (kind == PERIOD_WEEK) {
        period.first = monday_of(date);
        period.last.days = period.first.days + DAYS_OF_WEEK - 1;
        name_week(&period);
        return period;
    }
    if (kind == PERIOD_MONTH) {
        period.first = date_month_start(date, 0);
        period.last.days = date_month_start(date, 1).days - 1;
    }
    date_format(period.first, day);
    snprintf(period.text, sizeof period.text, "%.*s", kind == PERIOD_MONTH ? MONTH_LENGTH : DAY_LENGTH, day);
    return period;
}

struct period period_custom(struct date first, struct date last)
{
    struct period period = { .first = first, .last = last, .kind = PERIOD_CUSTOM };
    char from[DATE_TEXT], to[DATE_TEXT];

    date_format(first, from);
    date_format(last, to);
    snprintf(period.text, sizeof period.text, "%s--%s", from, to);
    return period;
}

/* Any day of the week; whether there is such a week shows when it is named again. */
static bool parse_week(const char *text, struct period *out)
{
    char first_day[DATE_TEXT];
    struct date date;
    int week;

    if (text[5] != 'W' || text[6] < '0' || text[6] > '5' || text[7] < '0' || text[7] > '9')
        return false;
    week = (text[6] - '0') * 10 + text[7] - '0';
    snprintf(first_day, sizeof first_day, "%.5s01-04", text); /* always in week 1 */
    if (!date_parse(first_day, &date))
        return false;
    date.days += (week - 1) * DAYS_OF_WEEK;
    *out = period_of(PERIOD_WEEK, date);
    return true;
}

static bool parse_custom(const char *text, struct period *out)
{
    char from[DATE_TEXT];
    struct date first, last;

    snprintf(from, sizeof from, "%.10s", text);
    if (!date_parse(from, &first) || !date_parse(text + 12, &last) || last.days < first.days ||
        last.days - first.days >= PERIOD_DAYS_MAX)
        return false;
    *out = period_custom(first, last);
    return true;
}

static bool parse(const char *text, struct period *out)
{
    char first_day[DATE_TEXT];
    struct date date;

    switch (strlen(text)) {
    case WEEK_LENGTH:
        return parse_week(text, out);
    case CUSTOM_LENGTH:
        return parse_custom(text, out);
    case MONTH_LENGTH:
        snprintf(first_day, sizeof first_day, "%.7s-01", text);
        break;
    case DAY_LENGTH:
        snprintf(first_day, sizeof first_day, "%.10s", text);
        break;
    default:
        return false;
    }
    if (!date_parse(first_day, &date))
        return false;
    *out = period_of(strlen(text) == DAY_LENGTH ? PERIOD_DAY : PERIOD_MONTH, date);
    return true;
}

bool period_parse(const char *text, struct period *out)
{
    struct period period;

    if (!text || !parse(text, &period) || strcmp(period.text, text) != 0)
        return false;
    *out = period;
    return true;
}

const char *period_kind_name(int kind)
{
    static const char *const names[] = { "?", "DAY", "WEEK", "MONTH", "CUSTOM" };

    return names[kind >= PERIOD_DAY && kind <= PERIOD_CUSTOM ? kind : 0];
}

struct period period_after(const struct period *period, int n)
{
    if (period->kind == PERIOD_MONTH)
        return period_of(PERIOD_MONTH, date_month_start(period->first, n));
    return period_of(period->kind,
                     (struct date){ period->first.days + n * (period->kind == PERIOD_WEEK ? DAYS_OF_WEEK : 1) });
}

bool period_begins(int kind, struct date date)
{
    return kind == PERIOD_CUSTOM || period_of(kind, date).first.days == date.days;
}
