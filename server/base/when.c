#include "base/when.h"

#include <string.h>

/* 0001-01-01T00:00:00Z and 9999-12-31T23:59:59.999999Z: what RFC 3339 can write. */
static const int64_t first_us = INT64_C(-62135596800000000), last_us = INT64_C(253402300799999999);

/* Days from the civil calendar by eras of 400 years (146,097 days), the year taken to begin in March. */
struct date date_of(int year, int month, int day)
{
    int64_t y = (int64_t)year - (month <= 2);
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t year_of_era = y - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

    return (struct date){ (int32_t)(era * 146097 + day_of_era - 719468) };
}

void date_split(struct date date, int *year, int *month, int *day)
{
    int64_t z = (int64_t)date.days + 719468;
    int64_t era = (z >= 0 ? z : z - 146096) / 146097;
    int64_t doe = z - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int64_t mp = (5 * doy + 2) / 153;

    *day = (int)(doy - (153 * mp + 2) / 5 + 1);
    *month = (int)(mp < 10 ? mp + 3 : mp - 9);
    *year = (int)(yoe + era * 400 + (*month <= 2));
}

static bool digits(const char *text, size_t n, int *out)
{
    int value = 0;

    for (size_t i = 0; i < n; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        value = value * 10 + (text[i] - '0');
    }
    *out = value;
    return true;
}

/* Reads exactly "YYYY-MM-DD" from the start of text. */
static bool parse_day(const char *text, struct date *out)
{
    int year, month, day, y, m, d;

    if (strnlen(text, 10) < 10 || text[4] != '-' || text[7] != '-')
        return false;
    if (!digits(text, 4, &year) || !digits(text + 5, 2, &month) || !digits(text + 8, 2, &day))
        return false;
    if (year < 1 || month < 1 || month > 12 || day < 1 || day > 31)
        return false;
    struct date date = date_of(year, month, day);
    date_split(date, &y, &m, &d);
    if (m != month || d != day)
        return false;
    *out = date;
    return true;
}

bool date_parse(const char *text, struct date *out)
{
    return strlen(text) == 10 && parse_day(text, out);
}

/* Not snprintf: each line of the log has a time, and half of what a line costs would be its printing. */
static void put_digits(char *at, size_t n, int64_t value)
{
    while (n-- > 0) {
        at[n] = (char)('0' + value % 10);
        value /= 10;
    }
}

void date_format(struct date date, char text[DATE_TEXT])
{
    int year, month, day;

    date_split(date, &year, &month, &day);
    memcpy(text, "YYYY-MM-DD", DATE_TEXT);
    put_digits(text, 4, (unsigned)year % 10000);
    put_digits(text + 5, 2, month);
    put_digits(text + 8, 2, day);
}

struct date date_month_start(struct date date, int months)
{
    int year, month, day;

    date_split(date, &year, &month, &day);
    int64_t index = (int64_t)year * 12 + (month - 1) + months;
    int64_t in_year = (index % 12 + 12) % 12; /* before year 0 too */
    return date_of((int)((index - in_year) / 12), (int)in_year + 1, 1);
}

static bool parse_fraction(const char *text, const char **end, int64_t *us)
{
    int64_t scale = 100000;
    size_t n = 0;

    for (; text[n] >= '0' && text[n] <= '9' && n < 9; n++, scale /= 10)
        *us += (text[n] - '0') * scale;
    *end = text + n;
    return n > 0;
}

/* "Z" or "+hh:mm" or "-hh:mm", as microseconds to take away. */
static bool parse_offset(const char *text, int64_t *offset_us)
{
    int hours, minutes;

    if (strcmp(text, "Z") == 0)
        return true;
    if ((text[0] != '+' && text[0] != '-') || strlen(text) != 6 || text[3] != ':')
        return false;
    if (!digits(text + 1, 2, &hours) || !digits(text + 4, 2, &minutes) || hours > 23 || minutes > 59)
        return false;
    *offset_us = (text[0] == '+' ? 1 : -1) * ((int64_t)hours * 3600 + minutes * 60) * US_PER_SECOND;
    return true;
}

bool instant_parse(const char *text, struct instant *out)
{
    struct date day;
    int hour, minute, second;
    int64_t us = 0, offset_us = 0;

    if (!parse_day(text, &day) || strnlen(text, 20) < 20 || text[10] != 'T' || text[13] != ':' || text[16] != ':')
        return false;
    if (!digits(text + 11, 2, &hour) || !digits(text + 14, 2, &minute) || !digits(text + 17, 2, &second))
        return false;
    if (hour > 23 || minute > 59 || second > 59)
        return false;
    const char *rest = text + 19;
    if (*rest == '.' && !parse_fraction(rest + 1, &rest, &us))
        return false;
    if (!parse_offset(rest, &offset_us))
        return false;
    us += ((int64_t)day.days * 86400 + hour * 3600 + minute * 60 + second) * US_PER_SECOND - offset_us;
    if (us < first_us || us > last_us)
        return false;
    out->us = us;
    return true;
}

void instant_format(struct instant instant, char text[INSTANT_TEXT])
{
    int64_t seconds = instant.us / US_PER_SECOND, us = instant.us % US_PER_SECOND;

    if (us < 0) {
        us += US_PER_SECOND;
        seconds--;
    }
    int64_t days = seconds / 86400, rest = seconds % 86400;
    if (rest < 0) {
        rest += 86400;
        days--;
    }
    date_format((struct date){ (int32_t)days }, text);
    strcpy(text + 10, us % 1000 ? "Thh:mm:ss.ffffffZ" : us ? "Thh:mm:ss.fffZ" : "Thh:mm:ssZ");
    put_digits(text + 11, 2, rest / 3600);
    put_digits(text + 14, 2, rest / 60 % 60);
    put_digits(text + 17, 2, rest % 60);
    if (us % 1000)
        put_digits(text + 20, 6, us);
    else if (us)
        put_digits(text + 20, 3, us / 1000);
}
