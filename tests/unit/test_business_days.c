/* tests/unit/test_business_days.c -- counting business days over weekends, long holidays and Saturdays of work. */
#include "domain/business_days.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <string.h>

#include <cmocka.h>

enum { OFF = 0, WORK = 1, RANGE_MAX = 800 };

/* First and last day of a run of days that are off, or worked. */
static const struct {
    const char *first, *last;
    int working;
} china[] = {
    { "2026-01-01", "2026-01-03", OFF }, { "2026-01-04", "2026-01-04", WORK }, { "2026-02-14", "2026-02-14", WORK },
    { "2026-02-15", "2026-02-23", OFF }, { "2026-02-28", "2026-02-28", WORK }, { "2026-09-20", "2026-09-20", WORK },
    { "2026-10-01", "2026-10-07", OFF }, { "2026-10-10", "2026-10-10", WORK },
};

static struct date day(const char *text)
{
    struct date date;

    if (!date_parse(text, &date))
        fail_msg("%s is no date", text);
    return date;
}

static struct special_day days[RANGE_MAX];
static const struct business_calendar plain = { NULL, 0, { INT32_MIN } };

static struct business_calendar chinese(void)
{
    size_t n = 0;

    for (size_t i = 0; i < COUNT(china); i++)
        for (int32_t at = day(china[i].first).days; at <= day(china[i].last).days; at++)
            days[n++] = (struct special_day){ { at }, china[i].working };
    return (struct business_calendar){ days, n, { INT32_MIN } };
}

static const struct {
    const char *story, *from;
    bool holidays;
    int32_t n;
    const char *to;
} counted[] = {
    { "nothing from a business day", "2026-11-23", false, 0, "2026-11-23" },
    { "nothing from a Saturday", "2026-11-21", false, 0, "2026-11-23" },
    { "nothing from a Sunday", "2026-11-22", false, 0, "2026-11-23" },
    { "one from a Thursday", "2026-11-19", false, 1, "2026-11-20" },
    { "one from a Friday", "2026-11-20", false, 1, "2026-11-23" },
    { "one from a Saturday", "2026-11-21", false, 1, "2026-11-23" },
    { "one from a Sunday", "2026-11-22", false, 1, "2026-11-23" },
    { "a week", "2026-11-18", false, 5, "2026-11-25" },
    { "over the end of a year", "2026-12-31", false, 1, "2027-01-01" },
    { "over it and a weekend", "2026-12-31", false, 2, "2027-01-04" },
    { "onto a leap day that is a Thursday", "2024-02-28", false, 1, "2024-02-29" },
    { "over it", "2024-02-28", false, 2, "2024-03-01" },
    { "no leap day", "2027-02-26", false, 1, "2027-03-01" },
    { "a leap day on a Saturday", "2020-02-28", false, 1, "2020-03-02" },
    { "before 1970", "1969-12-26", false, 4, "1970-01-01" },
    { "the most a contract says", "2026-01-01", false, 400, "2027-07-15" },
    { "new year, then a Sunday of work", "2025-12-31", true, 1, "2026-01-04" },
    { "nothing from new year", "2026-01-01", true, 0, "2026-01-04" },
    { "onto a Saturday of work", "2026-02-13", true, 1, "2026-02-14" },
    { "nothing from a Saturday of work", "2026-02-14", true, 0, "2026-02-14" },
    { "nine days off", "2026-02-14", true, 1, "2026-02-24" },
    { "from amid them", "2026-02-18", true, 1, "2026-02-24" },
    { "up to the Saturday of work after them", "2026-02-14", true, 5, "2026-02-28" },
    { "and beyond it", "2026-02-14", true, 6, "2026-03-02" },
    { "a week in October", "2026-09-30", true, 3, "2026-10-10" },
    { "a Sunday between", "2026-09-18", true, 2, "2026-09-21" },
    { "a year that nobody has said yet", "2027-10-01", true, 1, "2027-10-04" },
};

static void days_are_counted(void **state)
{
    struct business_calendar calendar = chinese();
    char text[DATE_TEXT];

    (void)state;
    for (size_t i = 0; i < COUNT(counted); i++) {
        struct date to;
        struct error err = { 0 };
        if (!business_days_after(counted[i].holidays ? &calendar : &plain, day(counted[i].from), counted[i].n, &to,
                                 &err))
            fail_msg("%s: %s", counted[i].story, err.detail);
        date_format(to, text);
        if (strcmp(text, counted[i].to) != 0)
            fail_msg("%s: %s, not %s", counted[i].story, text, counted[i].to);
    }
}

/* n business days lie behind the date up to and with the answer, whatever the date is: counted one by one. */
static void as_many_lie_between(void **state)
{
    struct business_calendar calendar = chinese();

    (void)state;
    for (int32_t from = day("2025-12-20").days; from <= day("2027-01-10").days; from++) {
        int32_t seen = 0;
        for (int32_t at = from + 1; at <= from + 60; at++) {
            struct date to;
            struct error err = { 0 };
            if (!business_day_is(&calendar, (struct date){ at }))
                continue;
            assert_true(business_days_after(&calendar, (struct date){ from }, ++seen, &to, &err));
            assert_int_equal(to.days, at);
        }
    }
}

static void a_calendar_without_end_is_refused(void **state)
{
    struct date first = day("2026-01-05"), to = { 7 };
    struct error err = { 0 };

    (void)state;
    for (int32_t i = 0; i < RANGE_MAX; i++)
        days[i] = (struct special_day){ { first.days + i }, false };
    struct business_calendar off = { days, DAYS_OFF_MAX, { INT32_MIN } };
    assert_true(business_day_from(&off, first, &to, &err));
    assert_int_equal(to.days, first.days + DAYS_OFF_MAX);
    off.count = DAYS_OFF_MAX + 1;
    to.days = 7;
    assert_false(business_day_from(&off, first, &to, &err));
    assert_int_equal(err.reason, REASON_FIELD_INVALID);
    off.from = day("2026-01-12"); /* what lies before it is worked, whatever the days say */
    assert_true(business_day_from(&off, first, &to, &err));
    assert_int_equal(to.days, first.days);
    off.from = (struct date){ INT32_MIN };
    to.days = 7;
    off.count = RANGE_MAX;
    assert_false(business_days_after(&off, first, 3, &to, &err));
    assert_false(business_days_after(&plain, first, -1, &to, &err));
    assert_int_equal(to.days, 7);
}

static const struct {
    const char *story, *first, *second;
    bool working, good;
} published[] = {
    { "a holiday and a Saturday of work", "2026-10-01", "2026-10-10", true, true },
    { "a holiday on a Saturday", "2026-10-01", "2026-10-03", false, true },
    { "a Sunday of work", "2026-10-01", "2026-10-11", true, true },
    { "a Monday of work", "2026-10-01", "2026-10-12", true, false },
    { "a Friday of work", "2026-10-01", "2026-10-09", true, false },
    { "twice", "2026-10-01", "2026-10-01", false, false },
    { "backwards", "2026-10-02", "2026-10-01", false, false },
};

static void what_a_calendar_may_say(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(published); i++) {
        struct error err = { 0 };
        days[0] = (struct special_day){ day(published[i].first), false };
        days[1] = (struct special_day){ day(published[i].second), published[i].working };
        if (business_calendar_check(&(struct business_calendar){ days, 2, { INT32_MIN } }, &err) != published[i].good)
            fail_msg("%s: %s", published[i].story, err.detail);
        if (!published[i].good)
            assert_string_equal(err.field, published[i].working ? "days[1].working" : "days[1].date");
    }
}

/* A year of days off is the most; the day that is named is the first of them. */
static void a_calendar_must_come_to_an_end(void **state)
{
    struct error err = { 0 };

    (void)state;
    days[0] = (struct special_day){ day("2025-06-02"), false };
    for (int32_t i = 1; i < RANGE_MAX; i++)
        days[i] = (struct special_day){ { day("2026-01-04").days + i }, false };
    assert_true(business_calendar_check(&(struct business_calendar){ days, DAYS_OFF_MAX - 2, { INT32_MIN } }, &err));
    assert_false(business_calendar_check(&(struct business_calendar){ days, DAYS_OFF_MAX + 2, { INT32_MIN } }, &err));
    assert_string_equal(err.field, "days[1].date");
}

/* Nobody has published anything: every day will do, Sundays too. */
static void without_a_calendar_every_day_is_one(void **state)
{
    const struct business_calendar none = BUSINESS_CALENDAR_NONE;
    struct error err = { 0 };
    struct date to;

    (void)state;
    for (int32_t at = day("2026-10-01").days; at < day("2026-10-15").days; at++) {
        assert_true(business_day_from(&none, (struct date){ at }, &to, &err));
        assert_int_equal(to.days, at);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(days_are_counted),
        cmocka_unit_test(as_many_lie_between),
        cmocka_unit_test(a_calendar_without_end_is_refused),
        cmocka_unit_test(what_a_calendar_may_say),
        cmocka_unit_test(a_calendar_must_come_to_an_end),
        cmocka_unit_test(without_a_calendar_every_day_is_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
