/*
 * operator_programme.c -- CreateProgramme, GetProgramme, AdvanceTestClock.
 */
#include "service/operator_handlers.h"

#include "base/text.h"
#include "service/check.h"
#include "service/errand.h"
#include "service/shape.h"
#include "store/db.h"
#include "store/registry_store.h"

#include <alliance/v1/operator_service.pb-c.h>
#include <string.h>

typedef Alliance__V1__Programme Programme;

enum { MONTHS_AHEAD = 24, ZONE_MAX = 64 };

static const char DEFAULT_ZONE[] = "Asia/Shanghai";
/* A test clock at or before 'epoch' could not be told from none. */
static const int64_t CLOCK_MIN_US = INT64_C(86400) * US_PER_SECOND;

static bool find_programme(struct errand *errand, const char *id, struct registry_programme_row *row, bool *found,
                           struct error *err)
{
    struct registry_id_params params = { id };

    return db_fetch_one(errand->db, &registry_find_programme, &params, &errand->call->arena, row, found, err);
}

static bool reply_programme(struct errand *errand, const char *id, struct error *err)
{
    struct arena *arena = &errand->call->arena;
    struct registry_programme_row row;
    bool found;

    if (!find_programme(errand, id, &row, &found, err))
        return false;
    if (!found)
        return error_field(err, REASON_PROGRAMME_NOT_FOUND, "programme_id", "%s", "");
    Programme *programme = errand_reply(errand, &alliance__v1__programme__descriptor, err);
    if (!programme)
        return false;
    programme->programme_id = shape_text(arena, id);
    programme->time_zone = shape_text(arena, row.time_zone);
    programme->sandbox = row.sandbox;
    programme->cut_off_minutes = row.cut_off_minutes;
    programme->business_date = shape_date(arena, row.business_date);
    programme->programme_time = shape_instant(arena, row.programme_time);
    return (programme->programme_id && programme->time_zone && programme->business_date && programme->programme_time) ||
           errand_no_room(err);
}

/* Create */

/* What a programme begins with. */
struct beginning {
    const char *id, *time_zone;
    bool sandbox, has_date, has_clock;
    struct date business_date;
    struct instant clock; /* 0: live */
    int32_t cut_off_minutes;
};

static bool check_clock(const char *field, const Google__Protobuf__Timestamp *timestamp, struct instant *clock,
                        struct error *err)
{
    return check_timestamp(field, timestamp, clock, err) &&
           (clock->us >= CLOCK_MIN_US ||
            error_field(err, REASON_FIELD_INVALID, field, "must not lie before 1970-01-02"));
}

static bool check_beginning(const Programme *asked, struct beginning *begin, struct error *err)
{
    *begin = (struct beginning){
        .id = asked->programme_id,
        .time_zone = text_empty(asked->time_zone) ? DEFAULT_ZONE : asked->time_zone,
        .sandbox = asked->sandbox,
        .has_date = !text_empty(asked->business_date),
        .has_clock = asked->programme_time != NULL,
        .cut_off_minutes = asked->cut_off_minutes,
    };
    if (!check_id("programme_id", asked->programme_id, err) ||
        !check_text("time_zone", begin->time_zone, 1, ZONE_MAX, err) ||
        !check_range("cut_off_minutes", asked->cut_off_minutes, 0, CUT_OFF_MINUTES_MAX, err) ||
        (begin->has_date && !check_date("business_date", asked->business_date, &begin->business_date, err)) ||
        (begin->has_clock && !check_clock("programme_time", asked->programme_time, &begin->clock, err)))
        return check_within(err, "programme");
    return !begin->has_clock || begin->sandbox ||
           error_field(err, REASON_FIELD_INVALID, "programme.programme_time",
                       "must be unset unless the programme is a sandbox: a live one goes by the database's clock");
}

static bool check_zone(struct errand *errand, const char *zone, struct error *err)
{
    struct registry_id_params params = { zone };
    struct registry_zone_row row = { false };
    bool found;

    if (!db_fetch_one(errand->db, &registry_find_zone, &params, &errand->call->arena, &row, &found, err))
        return false;
    return row.known || error_field(err, REASON_FIELD_INVALID, "programme.time_zone",
                                    "must be an IANA time zone, such as %s", DEFAULT_ZONE);
}

/* The first day is the clock's when only that is given; the clock begins at the day's midnight when only that is. */
static bool fill_in(struct errand *errand, struct beginning *begin, struct error *err)
{
    struct arena *arena = &errand->call->arena;
    struct registry_day_params at = { begin->time_zone, begin->clock, begin->cut_off_minutes };
    struct registry_day_row day;
    struct registry_midnight_row midnight;
    bool found;

    if (!begin->has_date) {
        if (!db_fetch_one(errand->db, &registry_day_in_zone, &at, arena, &day, &found, err))
            return false;
        begin->business_date = day.day;
    }
    if (!begin->sandbox || begin->has_clock)
        return true;
    struct registry_midnight_params of = { begin->time_zone, begin->business_date, begin->cut_off_minutes };
    if (!db_fetch_one(errand->db, &registry_midnight_in_zone, &of, arena, &midnight, &found, err))
        return false;
    begin->clock = midnight.midnight;
    return begin->clock.us >= CLOCK_MIN_US ||
           error_field(err, REASON_FIELD_INVALID, "programme.business_date", "must lie after 1970-01-02");
}

static bool write_programme(struct errand *errand, const struct beginning *begin, struct error *err)
{
    struct registry_new_programme_params params = { begin->id, begin->time_zone, begin->sandbox,
                                                    begin->cut_off_minutes };
    struct registry_number_row made;
    bool found;

    if (!errand_changes(errand, err) ||
        !db_fetch_one(errand->db, &registry_add_programme, &params, &errand->call->arena, &made, &found, err))
        return false;
    for (int32_t bucket = 0; bucket < errand->buckets; bucket++) {
        struct registry_new_fence_params fence = { bucket, made.no, begin->business_date, begin->clock,
                                                   errand->reference_version };
        if (!db_execute(errand->db, &registry_add_fence, &fence, NULL, err))
            return false;
    }
    return true;
}

/* A transaction of its own: it locks the journal, which the fences of this one may not wait for. */
static void open_months(struct errand *errand)
{
    const Programme *made = (const Programme *)errand->reply;
    struct registry_months_params params = { .months = MONTHS_AHEAD };
    struct error ignored;

    /* A month without a part of its own lies in the rest; nothing is lost. */
    if (date_parse(made->business_date, &params.first) &&
        !db_execute(errand->db, &registry_open_months, &params, NULL, &ignored))
        return;
}

/* Where a programme stands moves on; what it is must be the same. */
static bool create_work(struct errand *errand, struct error *err)
{
    const Programme *asked = ((const Alliance__V1__CreateProgrammeRequest *)errand->request)->programme;
    struct registry_programme_row row;
    struct beginning begin;
    bool found;

    if (!check_beginning(asked, &begin, err) || !find_programme(errand, begin.id, &row, &found, err))
        return false;
    if (found && (strcmp(row.time_zone, begin.time_zone) != 0 || row.sandbox != begin.sandbox ||
                  row.cut_off_minutes != begin.cut_off_minutes))
        return error_field(err, REASON_ALREADY_REGISTERED, "programme.programme_id", "%s", "");
    if (!found && (!check_zone(errand, begin.time_zone, err) || !fill_in(errand, &begin, err) ||
                   !write_programme(errand, &begin, err)))
        return false;
    if (!found)
        errand->after = open_months;
    return reply_programme(errand, begin.id, err);
}

bool operator_create_programme(struct call *call, const ProtobufCMessage *request, struct error *err)
{
    const Alliance__V1__CreateProgrammeRequest *asked = (const Alliance__V1__CreateProgrammeRequest *)request;
    struct beginning begin;

    return check_set("programme", asked->programme, err) && check_beginning(asked->programme, &begin, err) &&
           errand_write(call, request, create_work, err);
}

/* Get */

static bool get_work(struct errand *errand, struct error *err)
{
    return reply_programme(errand, ((const Alliance__V1__GetProgrammeRequest *)errand->request)->programme_id, err);
}

bool operator_get_programme(struct call *call, const ProtobufCMessage *request, struct error *err)
{
    const Alliance__V1__GetProgrammeRequest *asked = (const Alliance__V1__GetProgrammeRequest *)request;

    return check_id("programme_id", asked->programme_id, err) && errand_read(call, request, get_work, err);
}

/* Advance */

static bool set_clock(struct errand *errand, int32_t programme_no, struct instant clock, struct error *err)
{
    for (int32_t bucket = 0; bucket < errand->buckets; bucket++) {
        struct registry_clock_params params = { bucket, programme_no, clock };
        if (!db_execute(errand->db, &registry_set_clock, &params, NULL, err))
            return false;
    }
    return true;
}

static bool advance_work(struct errand *errand, struct error *err)
{
    const Alliance__V1__AdvanceTestClockRequest *asked = (const Alliance__V1__AdvanceTestClockRequest *)errand->request;
    struct registry_programme_row row;
    struct registry_clock_row present;
    struct instant clock;
    bool found;

    if (!check_clock("programme_time", asked->programme_time, &clock, err) ||
        !find_programme(errand, asked->programme_id, &row, &found, err))
        return false;
    if (!found)
        return error_field(err, REASON_PROGRAMME_NOT_FOUND, "programme_id", "%s", "");
    if (!row.sandbox)
        return error_field(err, REASON_NOT_A_SANDBOX, "programme_id", "%s", "");
    struct registry_no_params programme = { row.programme_no };
    if (!db_fetch_one(errand->db, &registry_lock_clock, &programme, &errand->call->arena, &present, &found, err))
        return false;
    if (clock.us < present.test_clock.us)
        return error_field(err, REASON_CLOCK_BACKWARD, "programme_time", "%s", "");
    if (clock.us > present.test_clock.us && !set_clock(errand, row.programme_no, clock, err))
        return false;
    return reply_programme(errand, asked->programme_id, err);
}

bool operator_advance_clock(struct call *call, const ProtobufCMessage *request, struct error *err)
{
    const Alliance__V1__AdvanceTestClockRequest *asked = (const Alliance__V1__AdvanceTestClockRequest *)request;
    struct instant clock;

    return check_id("programme_id", asked->programme_id, err) &&
           check_set("programme_time", asked->programme_time, err) &&
           check_clock("programme_time", asked->programme_time, &clock, err) &&
           errand_write(call, request, advance_work, err);
}
