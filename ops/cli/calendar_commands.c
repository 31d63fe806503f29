/*
 * calendar_commands.c -- `alliance calendar`: the days that are not as their day of the week has them, from a CSV file.
 */
#include "calendar_commands.h"

#include "base/limits.h"
#include "io/amount.h"
#include "io/rows.h"

#include <alliance/v1/settlement_service.pb-c.h>
#include <inttypes.h>
#include <string.h>

#define SERVICE &alliance__v1__settlement_service__descriptor

enum { DATE, KIND, NAME, COLUMNS };
static const struct row_column columns[COLUMNS] = {
    [DATE] = { "date", true }, [KIND] = { "kind", true }, [NAME] = { "name", true }
};

/* A file on its way into a message. */
struct reading {
    struct cli *cli;
    const char *path;
    FILE *file;
    struct rows rows;
    Alliance__V1__CalendarDay *days[CALENDAR_DAYS_MAX];
    int64_t lines[CALENDAR_DAYS_MAX]; /* where in the file each stands */
    size_t count;
};

static void reading_release(struct reading *reading)
{
    rows_close(&reading->rows);
    if (reading->file)
        fclose(reading->file);
}

static char *argument(const struct cli *cli, int i)
{
    return (char *)(uintptr_t)cli->arguments.at[i];
}

/* Always false. */
static bool refuse_line(const struct reading *reading, const struct error *why)
{
    struct error err;

    error_field(&err, why->reason, reading->path, "%s, line %" PRId64 ": %s%s%s", reading->path,
                reading->rows.lines.number, why->field, *why->field ? ": " : "", error_text(why));
    cli_fail(reading->cli, &err);
    return false;
}

/* What the days are is the server's to judge; here a row is only taken apart. */
static bool read_row(struct reading *reading, struct error *why)
{
    struct arena *arena = &reading->cli->arena;
    const char *kind = rows_value(&reading->rows, KIND),
               *values[] = { rows_value(&reading->rows, DATE), rows_value(&reading->rows, NAME) };
    Alliance__V1__CalendarDay *day = arena_alloc(arena, sizeof *day);
    bool working = strcmp(kind, "WORKING") == 0;

    if (reading->count == CALENDAR_DAYS_MAX)
        return error_set(why, REASON_FIELD_INVALID, "a calendar has at most %d days", CALENDAR_DAYS_MAX);
    if (!working && strcmp(kind, "OFF") != 0)
        return error_field(why, REASON_FIELD_INVALID, "kind", "must be OFF or WORKING");
    if (!day)
        return error_set(why, REASON_INTERNAL, "out of memory");
    alliance__v1__calendar_day__init(day);
    day->date = arena_copy(arena, values[0], strlen(values[0]));
    day->name = arena_copy(arena, values[1], strlen(values[1]));
    day->working = working;
    reading->lines[reading->count] = reading->rows.lines.number;
    reading->days[reading->count++] = day;
    return (day->date && day->name) || error_set(why, REASON_INTERNAL, "out of memory");
}

static bool read_file(struct reading *reading)
{
    struct error err;
    enum rows_next next;

    reading->file = fopen(reading->path, "re");
    if (!reading->file) {
        error_set(&err, REASON_FIELD_INVALID, "%s cannot be opened", reading->path);
        return cli_fail(reading->cli, &err) == OUTCOME_DONE;
    }
    if (!rows_open(&reading->rows, reading->file, columns, COLUMNS, &err))
        return refuse_line(reading, &err);
    while ((next = rows_read(&reading->rows, &err)) != ROWS_END) {
        if (next == ROWS_BAD || !read_row(reading, &err))
            return refuse_line(reading, &err);
    }
    return true;
}

/* The server names days by their place in the message; people look for a line of their file. */
static void name_line(const struct reading *reading, const struct client_status *status)
{
    size_t i;

    if (sscanf(status->field, "calendar.days[%zu]", &i) == 1 && i < reading->count)
        fprintf(reading->cli->err, "%s, line %" PRId64 ":\n", reading->path, reading->lines[i]);
}

enum outcome calendar_publish(struct cli *cli)
{
    Alliance__V1__PublishCalendarRequest request = ALLIANCE__V1__PUBLISH_CALENDAR_REQUEST__INIT;
    Alliance__V1__Calendar calendar = ALLIANCE__V1__CALENDAR__INIT;
    CLEANUP(reading_release) struct reading reading = { .cli = cli, .path = argument(cli, 2) };
    struct client_status status;
    ProtobufCMessage *reply;

    if (!read_file(&reading))
        return OUTCOME_FAILED;
    calendar.programme_id = argument(cli, 0);
    calendar.effective_from = argument(cli, 1);
    calendar.days = reading.days;
    calendar.n_days = reading.count;
    request.calendar = &calendar;
    if (!cli_request_id(cli, &request.request_id))
        return OUTCOME_USAGE;
    if (!cli_open(cli))
        return OUTCOME_FAILED;
    if (client_call_status(cli->client, SERVICE, "PublishCalendar", &request.base, cli->timeout_ms, &cli->arena, &reply,
                           &status))
        return cli_show(cli, reply);
    name_line(&reading, &status);
    return cli_fail_status(cli, &status);
}

enum outcome calendar_show(struct cli *cli)
{
    Alliance__V1__GetCalendarRequest request = ALLIANCE__V1__GET_CALENDAR_REQUEST__INIT;
    const char *version = cli->arguments.at[1];
    int64_t number = 0;
    struct error err;

    if (version && !whole_parse(version, "VERSION", 1, INT32_MAX, &number, &err))
        return cli_usage(cli, &err);
    request.programme_id = argument(cli, 0);
    request.version = (int32_t)number;
    return cli_unary(cli, SERVICE, "GetCalendar", &request);
}
