/*
 * settlement_calendar.c -- PublishCalendar and GetCalendar: which days are business days, by version.
 */
#include "domain/business_days.h"
#include "io/clock.h"
#include "service/check.h"
#include "service/settlement_handlers.h"
#include "service/shape.h"
#include "store/calendar_store.h"
#include "store/contract_store.h"

#include <string.h>

typedef Alliance__V1__Calendar Calendar;
typedef Alliance__V1__CalendarDay Day;
typedef Alliance__V1__PublishCalendarRequest Publish;
typedef Alliance__V1__GetCalendarRequest Get;

/* A message as a version: all in the arena. */
struct version {
    struct date from;
    struct special_day *days;
    struct calendar_day_row *rows; /* as many */
    size_t count;
};

static bool read_day(const Day *asked, struct date from, struct special_day *day, struct error *err)
{
    if (!check_date("date", asked->date, &day->date, err) ||
        !check_text("name", asked->name, 1, CALENDAR_NAME_MAX, err))
        return false;
    day->working = asked->working;
    return day->date.days >= from.days ||
           error_field(err, REASON_FIELD_INVALID, "date",
                       "must not lie before effective_from: earlier days stay as earlier versions have them");
}

static bool read_version(struct arena *arena, const Calendar *asked, struct version *version, struct error *err)
{
    *version = (struct version){ .count = asked->n_days };
    if (asked->n_days > CALENDAR_DAYS_MAX)
        return error_field(err, REASON_FIELD_INVALID, "days", "at most %d", CALENDAR_DAYS_MAX);
    if (!check_date("effective_from", asked->effective_from, &version->from, err))
        return false;
    version->days = arena_alloc(arena, (asked->n_days + 1) * sizeof *version->days);
    version->rows = arena_alloc(arena, (asked->n_days + 1) * sizeof *version->rows);
    if (!version->days || !version->rows)
        return errand_no_room(err);
    for (size_t i = 0; i < asked->n_days; i++) {
        struct special_day *day = &version->days[i];
        if (!read_day(asked->days[i], version->from, day, err))
            return check_within(err, "days[%zu]", i);
        version->rows[i] = (struct calendar_day_row){ day->date, day->working, asked->days[i]->name };
    }
    return business_calendar_check(&(struct business_calendar){ version->days, version->count, version->from }, err);
}

/* Publish */

static bool about(struct errand *errand, int32_t programme_no, struct calendar_about_row *row, struct error *err)
{
    const struct calendar_about_params params = { programme_no };
    bool found;

    return db_fetch_one(errand->db, &calendar_about, &params, &errand->call->arena, row, &found, err) &&
           (found || error_set(err, REASON_INTERNAL, "the programme is not there"));
}

/*
 * With the days before it as they are: days off of both may follow each other for longer than a year. The day that is
 * named must be one of the request's.
 */
static bool check_joined(struct errand *errand, int32_t programme_no, struct date from, const struct version *version,
                         struct error *err)
{
    const struct calendar_about_params params = { programme_no };
    struct business_calendar joined = { .from = from.days < version->from.days ? from : version->from };
    struct error ignored;
    size_t count;
    void *rows;

    if (!db_fetch(errand->db, &calendar_held, &params, &errand->call->arena, &rows, &count, err))
        return false;
    struct special_day *days = arena_alloc(&errand->call->arena, (count + version->count + 1) * sizeof *days);
    if (!days)
        return errand_no_room(err);
    for (size_t i = 0; i < count; i++) {
        const struct calendar_held_row *row = (const struct calendar_held_row *)rows + i;
        if (row->on_date.days < version->from.days)
            days[joined.count++] = (struct special_day){ row->on_date, row->working };
    }
    if (version->count > 0)
        memcpy(days + joined.count, version->days, version->count * sizeof *days);
    joined.count += version->count;
    joined.days = days;
    return business_calendar_check(&joined, &ignored) ||
           error_field(err, REASON_FIELD_INVALID, "calendar.days",
                       "must leave a business day a year, together with the days off before effective_from");
}

static bool put_version(struct errand *errand, const struct version *version, struct calendar_row *row,
                        struct error *err)
{
    struct calendar_about_row now;
    struct calendar_put_days_params days = { .programme_no = row->programme_no,
                                             .days = { version->rows, version->count } };
    char open[DATE_TEXT];

    if (!about(errand, row->programme_no, &now, err))
        return false;
    date_format(now.open_date, open);
    if (version->from.days <= now.open_date.days)
        return error_field(err, REASON_EFFECTIVE_TOO_EARLY, "calendar.effective_from",
                           "must be later than %s, the open business date", open);
    row->version = now.version + 1;
    days.version = row->version;
    return check_joined(errand, row->programme_no, now.from, version, err) &&
           db_execute(errand->db, &calendar_put, row, NULL, err) &&
           db_execute(errand->db, &calendar_put_days, &days, NULL, err);
}

/* The version that request made before, if it did. */
static bool find_before(struct errand *errand, const struct calendar_row *new, struct calendar_row *before, bool *found,
                        struct error *err)
{
    const struct calendar_request_params params = { new->programme_no, new->request_id };

    if (!db_fetch_one(errand->db, &calendar_by_request, &params, &errand->call->arena, before, found, err))
        return false;
    return !*found ||
           (before->content_hash.size ==
            new->content_hash.size &&memcmp(before->content_hash.at, new->content_hash.at, new->content_hash.size) ==
            0) ||
           error_field(err, REASON_REQUEST_ID_REUSED, "request_id", "%s", "");
}

/* Reply */

static bool shape_days(struct errand *errand, const struct calendar_row *row, Calendar *shown, struct error *err)
{
    const struct calendar_version_params params = { row->programme_no, row->version };
    struct arena *arena = &errand->call->arena;
    size_t count;
    void *rows;

    if (!db_fetch(errand->db, &calendar_list_days, &params, arena, &rows, &count, err))
        return false;
    shown->days = arena_alloc(arena, (count + 1) * sizeof *shown->days);
    for (size_t i = 0; shown->days && i < count; i++) {
        const struct calendar_day_row *from = (const struct calendar_day_row *)rows + i;
        Day *day = shape_new(arena, &alliance__v1__calendar_day__descriptor);
        if (!day || !(day->date = shape_date(arena, from->on_date)) || !(day->name = shape_text(arena, from->name)))
            return errand_no_room(err);
        day->working = from->working;
        shown->days[shown->n_days++] = day;
    }
    return shown->days || errand_no_room(err);
}

/* The version asked for; 0 is the newest, or none. */
static bool reply(struct errand *errand, int32_t programme_no, const char *programme_id, int32_t version,
                  struct error *err)
{
    const struct calendar_version_params params = { programme_no, version };
    struct arena *arena = &errand->call->arena;
    struct calendar_about_row now;
    struct calendar_row row;
    bool found;

    if (!about(errand, programme_no, &now, err) ||
        !db_fetch_one(errand->db, &calendar_find, &params, arena, &row, &found, err))
        return false;
    if (!found && version > 0)
        return error_field(err, REASON_CALENDAR_NOT_FOUND, "version", "%s", "");
    Calendar *shown = errand_reply(errand, &alliance__v1__calendar__descriptor, err);
    if (!shown)
        return false;
    shown->programme_id = shape_text(arena, programme_id);
    shown->time_zone = shape_text(arena, now.time_zone);
    shown->cut_off_minutes = now.cut_off_minutes;
    shown->published_by = shape_text(arena, found ? row.published_by : "");
    shown->effective_from = found ? shape_date(arena, row.effective_from) : shape_text(arena, "");
    shown->published_time = found ? shape_instant(arena, row.published_at) : NULL;
    shown->version = found ? row.version : 0;
    if (!shown->programme_id || !shown->time_zone || !shown->published_by || !shown->effective_from ||
        !shown->published_time == found)
        return errand_no_room(err);
    return !found || shape_days(errand, &row, shown, err);
}

static bool publish_work(struct errand *errand, struct error *err)
{
    const Publish *asked = (const Publish *)errand->request;
    struct calendar_row row = { .published_by = errand->call->principal.id }, before;
    uint8_t hash[CRYPTO_HASH];
    struct version version;
    bool found;

    if (!read_version(&errand->call->arena, asked->calendar, &version, err))
        return check_within(err, "calendar");
    if (!settlement_find_programme(errand, asked->calendar->programme_id, &row.programme_no, err))
        return check_within(err, "calendar");
    if (!shape_hash_call(errand->call, errand->request, hash, err) || !uuid_parse(asked->request_id, &row.request_id))
        return false;
    row.effective_from = version.from;
    row.content_hash = (struct bytes){ hash, sizeof hash };
    if (!find_before(errand, &row, &before, &found, err) || (!found && !put_version(errand, &version, &row, err)))
        return false;
    return reply(errand, row.programme_no, asked->calendar->programme_id, found ? before.version : row.version, err);
}

bool settlement_publish_calendar(struct call *call, const ProtobufCMessage *request, struct error *err)
{
    const Publish *asked = (const Publish *)request;
    struct version version;
    struct uuid id;

    if (!check_request_id(asked->request_id, clock_now(), &id, err) || !check_set("calendar", asked->calendar, err))
        return false;
    if (!check_id("programme_id", asked->calendar->programme_id, err) ||
        !read_version(&call->arena, asked->calendar, &version, err))
        return check_within(err, "calendar");
    return errand_write(call, request, publish_work, err);
}

/* Get */

/* A programme that is not the caller's is not there. */
static bool check_ours(struct errand *errand, int32_t programme_no, struct error *err)
{
    struct settle_party_params params = { .programme_no = programme_no, .id = errand->call->principal.id };
    struct settle_party_row row;
    int32_t no;
    bool found;

    if (!settlement_find_caller(errand, &params.party, &no, err))
        return false;
    if (params.party == 0)
        return true;
    if (!db_fetch_one(errand->db, &settle_party_find, &params, &errand->call->arena, &row, &found, err))
        return false;
    return found || error_field(err, REASON_PROGRAMME_NOT_FOUND, "programme_id", "%s", "");
}

static bool get_work(struct errand *errand, struct error *err)
{
    const Get *asked = (const Get *)errand->request;
    int32_t programme_no;

    return settlement_find_programme(errand, asked->programme_id, &programme_no, err) &&
           check_ours(errand, programme_no, err) &&
           reply(errand, programme_no, asked->programme_id, asked->version, err);
}

bool settlement_get_calendar(struct call *call, const ProtobufCMessage *request, struct error *err)
{
    const Get *asked = (const Get *)request;

    return check_id("programme_id", asked->programme_id, err) &&
           check_range("version", asked->version, 0, INT32_MAX, err) && errand_read(call, request, get_work, err);
}
