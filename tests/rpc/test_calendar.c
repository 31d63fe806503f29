/* PublishCalendar and GetCalendar: versions, who may, what is refused and where; and the same at the command line. */
#include "house.h"

#include "base/limits.h"

#include <alliance/v1/settlement_service.pb-c.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define OLGA "operator/olga"

static int setup(void **state)
{
    *state = house_open();
    house_found(*state);
    return 0;
}

static int teardown(void **state)
{
    house_close(*state);
    return 0;
}

#define CALENDAR "{'requestId': '%s', 'calendar': {'programmeId': 'demo', 'effectiveFrom': '%s', 'days': [%s]}}"
#define MAY_DAY  "{'date': '2026-05-01', 'working': false, 'name': 'Labour Day'}"
#define WORKED   "{'date': '2026-05-09', 'working': true, 'name': 'for 5 May'}"

static void a_calendar_has_versions(void **state)
{
    struct house *house = *state;
    char id[64];

    house_expect(house_ask(house, "bank/bank-a", "GetCalendar", "{'programmeId': 'demo'}"),
                 "{'version': 0, 'effectiveFrom': '', 'days': [], 'timeZone': 'UTC', 'cutOffMinutes': 0, "
                 "'publishedBy': ''}");
    house_sql(house, "UPDATE programme SET cut_off_minutes = 90 WHERE programme_id = 'demo'");
    snprintf(id, sizeof id, "%s", house_id());
    for (int i = 0; i < 2; i++) /* the same again is the same version */
        house_expect(house_ask(house, OLGA, "PublishCalendar", CALENDAR, id, "2026-02-01", MAY_DAY ", " WORKED),
                     "{'version': 1, 'effectiveFrom': '2026-02-01', 'publishedBy': 'olga', 'timeZone': 'UTC', "
                     "'cutOffMinutes': 90, 'days': [" MAY_DAY ", " WORKED "]}");
    assert_int_equal(house_count(house, "SELECT count(*) FROM holiday"), 2);
    house_refused(house, OLGA, "PublishCalendar", REASON_REQUEST_ID_REUSED, "request_id", CALENDAR, id, "2026-02-02",
                  MAY_DAY);
    /* Of a later version one that begins earlier leaves nothing. */
    house_expect(house_ask(house, "operator/otto", "PublishCalendar", CALENDAR, house_id(), "2026-01-16", ""),
                 "{'version': 2, 'days': []}");
    house_expect(house_ask(house, "merchant/shop-1", "GetCalendar", "{'programmeId': 'demo'}"),
                 "{'version': 2, 'effectiveFrom': '2026-01-16', 'publishedBy': 'otto', 'days': []}");
    house_expect(house_ask(house, "carrier/swift", "GetCalendar", "{'programmeId': 'demo', 'version': 1}"),
                 "{'version': 1, 'days': [" MAY_DAY ", " WORKED "]}");
    house_refused(house, OLGA, "GetCalendar", REASON_CALENDAR_NOT_FOUND, "version",
                  "{'programmeId': 'demo', 'version': 3}");
    assert_int_equal(house_count(house, "SELECT (business_day(1, '2026-05-01') = '2026-05-01')::int"), 1);
}

/* What is wrong with a calendar, and the field that is named. The open business date is 2026-01-15. */
static const struct {
    enum reason reason;
    const char *field, *from, *days;
} wrong[] = {
    { REASON_FIELD_INVALID, "calendar.effective_from", "soon", "" },
    { REASON_EFFECTIVE_TOO_EARLY, "calendar.effective_from", "2026-01-15", "" },
    { REASON_FIELD_INVALID, "calendar.days[1].date", "2026-02-01", MAY_DAY ", {'date': '2026-02-30', 'name': 'x'}" },
    { REASON_FIELD_INVALID, "calendar.days[0].date", "2026-05-02", MAY_DAY },
    { REASON_FIELD_INVALID, "calendar.days[1].date", "2026-02-01", MAY_DAY ", " MAY_DAY },
    { REASON_FIELD_INVALID, "calendar.days[1].date", "2026-02-01", WORKED ", " MAY_DAY },
    { REASON_FIELD_INVALID, "calendar.days[0].working", "2026-02-01",
      "{'date': '2026-05-08', 'working': true, 'name': 'a Friday'}" },
    { REASON_FIELD_INVALID, "calendar.days[0].name", "2026-02-01", "{'date': '2026-05-08'}" },
    { REASON_FIELD_INVALID, "calendar.days[0].name", "2026-02-01",
      "{'date': '2026-05-08', 'name': '0123456789012345678901234567890123456789012345678901234567890'}" },
};

static void a_wrong_calendar_is_refused(void **state)
{
    struct house *house = *state;
    int64_t rows = house_rows(house);

    for (size_t i = 0; i < COUNT(wrong); i++) {
        print_message("           %s\n", wrong[i].days);
        house_refused(house, OLGA, "PublishCalendar", wrong[i].reason, wrong[i].field, CALENDAR, house_id(),
                      wrong[i].from, wrong[i].days);
    }
    house_refused(house, OLGA, "PublishCalendar", REASON_PROGRAMME_NOT_FOUND, "calendar.programme_id",
                  "{'requestId': '%s', 'calendar': {'programmeId': 'none', 'effectiveFrom': '2026-02-01'}}",
                  house_id());
    house_refused(house, OLGA, "PublishCalendar", REASON_FIELD_INVALID, "calendar", "{'requestId': '%s'}", house_id());
    assert_int_equal(house_rows(house), rows);
    assert_int_equal(house_count(house, "SELECT count(*) FROM calendar"), 0);
}

/* Days off that a version brings may join those that are there already: a year of them is too many all the same. */
static char *days_off(const char *first, int count) /* the caller's to free */
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    struct date date;
    char day[DATE_TEXT];

    assert_true(date_parse(first, &date));
    for (int i = 0; i < count; i++) {
        date_format((struct date){ date.days + i }, day);
        fprintf(out, "%s{'date': '%s', 'name': 'x'}", i ? ", " : "", day);
    }
    fclose(out);
    return text;
}

static void a_year_without_a_business_day_is_refused(void **state)
{
    struct house *house = *state;
    char *off = days_off("2026-03-02", 365), *more = days_off("2027-03-02", 30);

    house_refused(house, OLGA, "PublishCalendar", REASON_FIELD_INVALID, "calendar.days[0].date",
                  "{'requestId': '%s', 'calendar': {'programmeId': 'demo', 'effectiveFrom': '2026-03-01', 'days': [%s, "
                  "%s]}}",
                  house_id(), off, more);
    house_ask(house, OLGA, "PublishCalendar", CALENDAR, house_id(), "2026-02-01", off);
    house_refused(house, OLGA, "PublishCalendar", REASON_FIELD_INVALID, "calendar.days[0].date", CALENDAR, house_id(),
                  "2027-03-02", "{'date': '2027-02-28', 'name': 'before'}");
    house_refused(house, OLGA, "PublishCalendar", REASON_FIELD_INVALID, "calendar.days", CALENDAR, house_id(),
                  "2027-03-02", more);
    free(off);
    free(more);
}

static struct client *olgas(struct house *house)
{
    for (size_t i = 0; i < house->client_count; i++) {
        if (strstr(house->clients[i].uri, OLGA))
            return house->clients[i].client;
    }
    fail_msg("olga has not called yet");
    return NULL;
}

/* Every other day; too many for a request in JSON. */
static bool publish_many(struct house *house, size_t count, struct error *err)
{
    Alliance__V1__PublishCalendarRequest request = ALLIANCE__V1__PUBLISH_CALENDAR_REQUEST__INIT;
    Alliance__V1__Calendar calendar = ALLIANCE__V1__CALENDAR__INIT;
    CLEANUP(arena_release) struct arena arena = { 0 };
    char(*dates)[DATE_TEXT] = arena_alloc(&arena, count * sizeof *dates);
    Alliance__V1__CalendarDay *days = arena_alloc(&arena, count * sizeof *days);
    ProtobufCMessage *reply;
    char name[] = "x";

    calendar.days = arena_alloc(&arena, count * sizeof *calendar.days);
    assert_true(dates && days && calendar.days);
    for (size_t i = 0; i < count; i++) {
        alliance__v1__calendar_day__init(&days[i]);
        date_format((struct date){ date_of(2026, 2, 2).days + 2 * (int32_t)i }, dates[i]);
        days[i].date = dates[i];
        days[i].name = name;
        calendar.days[calendar.n_days++] = &days[i];
    }
    calendar.programme_id = (char[]){ "demo" };
    calendar.effective_from = (char[]){ "2026-02-01" };
    request.calendar = &calendar;
    request.request_id = (char *)(uintptr_t)house_id();
    bool done = client_call(olgas(house), &alliance__v1__settlement_service__descriptor, "PublishCalendar",
                            &request.base, HOUSE_TIMEOUT_MS, &arena, &reply, err);
    assert_true(!done || ((Alliance__V1__Calendar *)reply)->n_days == count);
    return done;
}

static void there_are_at_most_so_many_days(void **state)
{
    struct house *house = *state;
    struct error err;

    house_ask(house, OLGA, "GetCalendar", "{'programmeId': 'demo'}");
    assert_false(publish_many(house, CALENDAR_DAYS_MAX + 1, &err));
    assert_int_equal(err.reason, REASON_FIELD_INVALID);
    assert_string_equal(err.field, "calendar.days");
    if (!publish_many(house, CALENDAR_DAYS_MAX, &err))
        fail_msg("%s: %s", err.field, error_text(&err));
}

static void only_the_operator_publishes(void **state)
{
    struct house *house = *state;

    house_refused(house, "bank/bank-a", "PublishCalendar", REASON_ROLE_NOT_ALLOWED, NULL, CALENDAR, house_id(),
                  "2026-02-01", "");
    house_refused(house, "merchant/shop-1", "PublishCalendar", REASON_ROLE_NOT_ALLOWED, NULL, "{}");
    house_refused(house, "carrier/swift", "PublishCalendar", REASON_ROLE_NOT_ALLOWED, NULL, "{}");
    house_refused(house, "bank/bank-x", "GetCalendar", REASON_PROGRAMME_NOT_FOUND, "programme_id",
                  "{'programmeId': 'demo'}");
    house_refused(house, "merchant/shop-1/store/s-1", "GetCalendar", REASON_NOT_YOURS, NULL, "{'programmeId': 'demo'}");
}

static void write_file(const char *path, const char *text)
{
    FILE *out = fopen(path, "w");

    assert_non_null(out);
    assert_true(fputs(text, out) >= 0);
    assert_int_equal(fclose(out), 0);
}

/* Files that are wrong, and what is said: of a line in them, whoever found it. */
static const struct {
    const char *content, *said;
} files[] = {
    { "date,kind\n", "line 1" },
    { "date,kind,name\n2026-05-01,FREE,x\n", "line 2: kind: must be OFF or WORKING" },
    { "date,kind,name\n2026-05-01,OFF,x\n\n2026-05-08,WORKING,a Friday\n", "line 4:\nerror: FIELD_INVALID: "
                                                                           "calendar.days[1].working" },
    { "date,kind,name\n2026-05-01,OFF,x\n2026-05-01,OFF,x\n", "line 3:\nerror: FIELD_INVALID: calendar.days[1].date" },
    { "date,kind,name\n2026-01-01,OFF,x\n", "line 2:\nerror: FIELD_INVALID: calendar.days[0].date" },
};

static void the_command_line_does_the_same(void **state)
{
    struct house *house = *state;
    char path[128], line[256], printed[8192];

    snprintf(path, sizeof path, "%s/calendar.csv", house->dir);
    snprintf(line, sizeof line, "alliance calendar publish demo 2026-02-01 %s", path);
    for (size_t i = 0; i < COUNT(files); i++) {
        write_file(path, files[i].content);
        assert_int_equal(house_type(house, OLGA, line, printed, sizeof printed), 1);
        if (!strstr(printed, files[i].said))
            fail_msg("not \"%s\" but: %s", files[i].said, printed);
    }
    assert_int_equal(house_count(house, "SELECT count(*) FROM calendar"), 0);
    snprintf(line, sizeof line, "alliance calendar publish demo 2026-01-16 %s/ops/examples/calendar-2026.csv",
             SOURCE_DIR);
    assert_int_equal(house_type(house, OLGA, line, printed, sizeof printed), 1); /* it begins with 1 January */
    write_file(path, "date,kind,name\n2026-05-01,OFF,Labour Day\n2026-05-09,WORKING,for 5 May\n");
    snprintf(line, sizeof line, "alliance calendar publish demo 2026-02-01 %s", path);
    assert_int_equal(house_type(house, OLGA, line, printed, sizeof printed), 0);
    assert_int_equal(house_type(house, "bank/bank-a", "alliance calendar show demo", printed, sizeof printed), 0);
    assert_non_null(strstr(printed, "Labour Day"));
    assert_non_null(strstr(printed, "2026-05-09"));
    assert_int_equal(house_type(house, "bank/bank-a", "alliance calendar show demo 2", printed, sizeof printed), 1);
    assert_non_null(strstr(printed, "CALENDAR_NOT_FOUND"));
    assert_int_equal(house_type(house, "bank/bank-a", "alliance calendar show demo x", printed, sizeof printed), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_calendar_has_versions, setup, teardown),
        cmocka_unit_test_setup_teardown(a_wrong_calendar_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(a_year_without_a_business_day_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(there_are_at_most_so_many_days, setup, teardown),
        cmocka_unit_test_setup_teardown(only_the_operator_publishes, setup, teardown),
        cmocka_unit_test_setup_teardown(the_command_line_does_the_same, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
