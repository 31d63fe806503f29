/* tests/unit/test_when.c -- the calendar at its edges, and text that is nearly a time. */
#include "base/when.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <string.h>

#include <cmocka.h>

static const struct {
    const char *text;
    int32_t days;
} days[] = {
    { "0001-01-01", -719162 }, { "0001-12-31", -718798 }, { "1600-02-29", -135081 }, { "1899-12-31", -25568 },
    { "1900-02-28", -25509 },  { "1900-03-01", -25508 },  { "1969-12-31", -1 },      { "1970-01-01", 0 },
    { "1999-12-31", 10956 },   { "2000-01-01", 10957 },   { "2000-02-29", 11016 },   { "2000-03-01", 11017 },
    { "2024-02-29", 19782 },   { "2026-11-22", 20779 },   { "2100-02-28", 47540 },   { "2100-03-01", 47541 },
    { "9999-12-31", 2932896 },
};

static void known_days_there_and_back(void **state)
{
    char text[DATE_TEXT];

    (void)state;
    for (size_t i = 0; i < COUNT(days); i++) {
        struct date date;
        if (!date_parse(days[i].text, &date) || date.days != days[i].days)
            fail_msg("%s is not day %d", days[i].text, days[i].days);
        date_format(date, text);
        assert_string_equal(text, days[i].text);
    }
}

static const struct {
    const char *story, *text;
} no_days[] = {
    { "empty", "" },
    { "cut", "2026-11-2" },
    { "something behind", "2026-11-22 " },
    { "something before", " 2026-11-22" },
    { "a time behind", "2026-11-22T00:00:00Z" },
    { "no dashes", "2026/11/22" },
    { "one dash off", "202611--22" },
    { "no zeros", "2026-1-022" },
    { "a sign", "-026-11-22" },
    { "a plus", "2026-+1-22" },
    { "letters", "2026-1a-22" },
    { "a colon is the character after nine", "2026-1:-22" },
    { "year 0", "0000-01-01" },
    { "month 0", "2026-00-10" },
    { "month 13", "2026-13-10" },
    { "day 0", "2026-11-00" },
    { "day 32", "2026-12-32" },
    { "31 April", "2026-04-31" },
    { "31 November", "2026-11-31" },
    { "30 February", "2024-02-30" },
    { "29 February of a common year", "2026-02-29" },
    { "29 February 1900", "1900-02-29" },
    { "29 February 2100", "2100-02-29" },
    { "wide digits", "\xef\xbc\x92\xef\xbc\x90-1-1" },
};

static void what_is_no_day_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(no_days); i++) {
        struct date date = { 77 };
        if (date_parse(no_days[i].text, &date))
            fail_msg("%s: %s was taken", no_days[i].story, no_days[i].text);
        assert_int_equal(date.days, 77);
    }
}

static bool leap(int year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int month_length(int year, int month)
{
    static const int lengths[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

    return lengths[month - 1] + (month == 2 && leap(year));
}

/* Counting on from the first day, one by one, as a calendar on a wall does. */
static void every_day_follows_the_one_before(void **state)
{
    int32_t expected = -719162;

    (void)state;
    for (int year = 1; year <= 9999; year++) {
        for (int month = 1; month <= 12; month++) {
            for (int day = 1; day <= month_length(year, month); day++, expected++) {
                int y, m, d;
                date_split((struct date){ expected }, &y, &m, &d);
                if (y != year || m != month || d != day || date_of(year, month, day).days != expected)
                    fail_msg("%d-%d-%d", year, month, day);
            }
        }
    }
}

static const struct {
    const char *story, *date;
    int months;
    const char *start;
} starts[] = {
    { "its own month", "2026-11-22", 0, "2026-11-01" },
    { "the first day stays", "2026-11-01", 0, "2026-11-01" },
    { "the next month", "2026-11-30", 1, "2026-12-01" },
    { "over the year's end", "2026-12-31", 1, "2027-01-01" },
    { "from a 31st to a short month", "2026-01-31", 1, "2026-02-01" },
    { "from a leap day, a year on", "2024-02-29", 12, "2025-02-01" },
    { "from a leap day, to the next one's month", "2024-02-29", 48, "2028-02-01" },
    { "twenty years", "2026-06-15", 240, "2046-06-01" },
    { "to the last month there is", "9998-12-31", 12, "9999-12-01" },
    { "from the first day there is", "0001-01-01", 0, "0001-01-01" },
    { "a month back", "2026-01-31", -1, "2025-12-01" },
    { "two years back", "2026-11-22", -24, "2024-11-01" },
    { "back to the first month there is", "0002-03-31", -14, "0001-01-01" },
};

static void months_are_counted_from_the_dates_own(void **state)
{
    char text[DATE_TEXT];

    (void)state;
    for (size_t i = 0; i < COUNT(starts); i++) {
        struct date date;
        assert_true(date_parse(starts[i].date, &date));
        date_format(date_month_start(date, starts[i].months), text);
        if (strcmp(text, starts[i].start) != 0)
            fail_msg("%s: %s not %s", starts[i].story, text, starts[i].start);
    }
}

/* Before year 1 there is no text for a day, but the count goes on: the month before January 1 is December 0. */
static void months_go_back_beyond_the_first_year(void **state)
{
    struct date first = date_of(1, 1, 1);

    (void)state;
    for (int months = 0; months <= 30; months++) {
        struct date start = date_month_start(first, -months);
        int year, month, day;
        date_split(start, &year, &month, &day);
        assert_int_equal(day, 1);
        assert_int_equal(year * 12 + month - 1, 12 - months);
    }
}

static const struct {
    const char *story, *text;
    int64_t us;
    const char *written; /* NULL: as it was read */
} instants[] = {
    { "the epoch", "1970-01-01T00:00:00Z", 0, NULL },
    { "a microsecond before it", "1969-12-31T23:59:59.999999Z", -1, NULL },
    { "a millisecond before it", "1969-12-31T23:59:59.999Z", -1000, NULL },
    { "a second before it", "1969-12-31T23:59:59Z", -1000000, NULL },
    { "milliseconds", "2026-11-22T04:05:06.789Z", INT64_C(1795320306789000), NULL },
    { "microseconds", "2026-11-22T04:05:06.789001Z", INT64_C(1795320306789001), NULL },
    { "one digit", "2026-11-22T04:05:06.5Z", INT64_C(1795320306500000), "2026-11-22T04:05:06.500Z" },
    { "four digits", "2026-11-22T04:05:06.7891Z", INT64_C(1795320306789100), "2026-11-22T04:05:06.789100Z" },
    { "zero digits are dropped", "2026-11-22T04:05:06.000Z", INT64_C(1795320306000000), "2026-11-22T04:05:06Z" },
    { "nanoseconds are cut", "2026-11-22T04:05:06.789001999Z", INT64_C(1795320306789001),
      "2026-11-22T04:05:06.789001Z" },
    { "nanoseconds before the epoch are cut too", "1969-12-31T23:59:59.999999999Z", -1, "1969-12-31T23:59:59.999999Z" },
    { "east of Greenwich", "2026-11-22T12:05:06+08:00", INT64_C(1795320306000000), "2026-11-22T04:05:06Z" },
    { "west of Greenwich", "2026-11-21T23:35:06-04:30", INT64_C(1795320306000000), "2026-11-22T04:05:06Z" },
    { "no offset", "2026-11-22T04:05:06+00:00", INT64_C(1795320306000000), "2026-11-22T04:05:06Z" },
    { "unknown offset", "2026-11-22T04:05:06-00:00", INT64_C(1795320306000000), "2026-11-22T04:05:06Z" },
    { "a fraction and an offset", "2026-11-22T12:05:06.25+08:00", INT64_C(1795320306250000),
      "2026-11-22T04:05:06.250Z" },
    { "into the year before", "2027-01-01T00:00:00+00:01", INT64_C(1798761540000000), "2026-12-31T23:59:00Z" },
    { "onto a leap day", "2024-02-28T23:59:59-23:59", INT64_C(1709251139000000), "2024-02-29T23:58:59Z" },
    { "the first", "0001-01-01T00:00:00Z", INT64_C(-62135596800000000), NULL },
    { "the last", "9999-12-31T23:59:59.999999Z", INT64_C(253402300799999999), NULL },
};

static void known_instants_there_and_back(void **state)
{
    char text[INSTANT_TEXT];

    (void)state;
    for (size_t i = 0; i < COUNT(instants); i++) {
        struct instant instant;
        if (!instant_parse(instants[i].text, &instant) || instant.us != instants[i].us)
            fail_msg("%s: %s is not %lld", instants[i].story, instants[i].text, (long long)instants[i].us);
        instant_format(instant, text);
        assert_string_equal(text, instants[i].written ? instants[i].written : instants[i].text);
    }
}

static const struct {
    const char *story, *text;
} no_instants[] = {
    { "empty", "" },
    { "a day", "2026-11-22" },
    { "no zone", "2026-11-22T04:05:06" },
    { "no zone after a fraction", "2026-11-22T04:05:06.789" },
    { "a blank for the T", "2026-11-22 04:05:06Z" },
    { "a small t", "2026-11-22t04:05:06Z" },
    { "a small z", "2026-11-22T04:05:06z" },
    { "something behind", "2026-11-22T04:05:06Z " },
    { "two zones", "2026-11-22T04:05:06ZZ" },
    { "a point and no digit", "2026-11-22T04:05:06.Z" },
    { "a comma", "2026-11-22T04:05:06,5Z" },
    { "ten digits", "2026-11-22T04:05:06.7890123456Z" },
    { "a sign in the fraction", "2026-11-22T04:05:06.-5Z" },
    { "hour 24", "2026-11-22T24:00:00Z" },
    { "minute 60", "2026-11-22T04:60:00Z" },
    { "second 60", "2016-12-31T23:59:60Z" },
    { "a day that is none", "2026-02-29T04:05:06Z" },
    { "seconds left out", "2026-11-22T04:05Z0000" },
    { "an offset without colon", "2026-11-22T04:05:06+0800" },
    { "an offset without minutes", "2026-11-22T04:05:06+08" },
    { "an offset of 24 hours", "2026-11-22T04:05:06+24:00" },
    { "an offset of 60 minutes", "2026-11-22T04:05:06+08:60" },
    { "a cut offset", "2026-11-22T04:05:06+08:0" },
    { "an offset and more", "2026-11-22T04:05:06+08:000" },
    { "an offset of letters", "2026-11-22T04:05:06+0a:00" },
    { "the offset leads before year 1", "0001-01-01T00:00:00+00:01" },
    { "the offset leads beyond year 9999", "9999-12-31T23:59:59-00:01" },
    { "spaces for digits", "2026-11-22T 4:05:06Z" },
};

static void what_is_no_instant_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(no_instants); i++) {
        struct instant instant = { 77 };
        if (instant_parse(no_instants[i].text, &instant))
            fail_msg("%s: %s was taken", no_instants[i].story, no_instants[i].text);
        assert_int_equal(instant.us, 77);
    }
}

/* Whatever the number, the text is bounded and ends. */
static void any_number_can_be_written(void **state)
{
    static const int64_t numbers[] = { INT64_MIN, INT64_MIN + 1, -1, 0, INT64_MAX - 1, INT64_MAX };
    char text[INSTANT_TEXT + 1], day[DATE_TEXT + 1];

    (void)state;
    for (size_t i = 0; i < COUNT(numbers); i++) {
        text[INSTANT_TEXT] = '#';
        instant_format((struct instant){ numbers[i] }, text);
        assert_true(strlen(text) < INSTANT_TEXT && text[INSTANT_TEXT] == '#');
        day[DATE_TEXT] = '#';
        date_format((struct date){ (int32_t)(numbers[i] >> 32) }, day);
        assert_true(strlen(day) == DATE_TEXT - 1 && day[DATE_TEXT] == '#');
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_days_there_and_back),
        cmocka_unit_test(what_is_no_day_is_refused),
        cmocka_unit_test(every_day_follows_the_one_before),
        cmocka_unit_test(months_are_counted_from_the_dates_own),
        cmocka_unit_test(months_go_back_beyond_the_first_year),
        cmocka_unit_test(known_instants_there_and_back),
        cmocka_unit_test(what_is_no_instant_is_refused),
        cmocka_unit_test(any_number_can_be_written),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
