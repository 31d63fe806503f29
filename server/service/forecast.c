/*
 * forecast.c -- ForecastExpiry, what expires when if nobody redeems it; ListExpiryNotices, whom the bank should tell.
 *
 * A whole bank is summed up bucket by bucket in the database; an answer has one entry a day, so it is bounded.
 */
#include "service/bank_handlers.h"

#include "service/check.h"
#include "service/journal.h"
#include "service/page.h"
#include "service/shape.h"

#include "base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef Alliance__V1__ForecastExpiryRequest Forecast;
typedef Alliance__V1__ForecastExpiryResponse ForecastReply;
typedef Alliance__V1__ExpiryForecast Day;
typedef Alliance__V1__ListExpiryNoticesRequest Notices;
typedef Alliance__V1__ListExpiryNoticesResponse NoticesReply;
typedef Alliance__V1__ExpiryNotice Notice;

enum { DAYS_MAX = 1830, DAYS_DEFAULT = 366 };

/* Forecast */

/* A sum a day from `first` on. */
struct forecast {
    struct date first;
    int32_t days;
    struct {
        int64_t points, members;
    } at[DAYS_MAX];
};

static bool add_bucket(struct errand *errand, const struct statement *statement,
                       const struct journal_forecast_params *params, struct forecast *forecast, struct error *err)
{
    size_t count;
    void *fetched;

    if (!db_fetch(errand->db, statement, params, &errand->call->arena, &fetched, &count, err))
        return false;
    const struct journal_forecast_row *rows = fetched;
    for (size_t i = 0; i < count; i++) {
        int32_t day = rows[i].expires_on.days - forecast->first.days;
        forecast->at[day].points += rows[i].points;
        forecast->at[day].members += rows[i].members;
    }
    return true;
}

static bool shape_forecast(struct errand *errand, const struct forecast *forecast, struct error *err)
{
    struct arena *arena = &errand->call->arena;
    ForecastReply *reply = errand_reply(errand, &alliance__v1__forecast_expiry_response__descriptor, err);

    if (!reply)
        return false;
    reply->days = arena_alloc(arena, ((size_t)forecast->days + 1) * sizeof *reply->days);
    for (int32_t i = 0; reply->days && i < forecast->days; i++) {
        if (forecast->at[i].points == 0)
            continue;
        Day *day = shape_new(arena, &alliance__v1__expiry_forecast__descriptor);
        if (!day || !(day->expires_on = shape_date(arena, (struct date){ forecast->first.days + i })))
            return errand_no_room(err);
        day->points = forecast->at[i].points;
        day->members = forecast->at[i].members;
        reply->days[reply->n_days++] = day;
    }
    return reply->days || errand_no_room(err);
}

static struct forecast *new_forecast(struct errand *errand, struct date today, struct error *err)
{
    const Forecast *asked = (const Forecast *)errand->request;
    struct forecast *forecast = arena_alloc(&errand->call->arena, sizeof *forecast);

    if (!forecast) {
        errand_no_room(err);
        return NULL;
    }
    forecast->first.days = today.days + 1;
    forecast->days = asked->days ? asked->days : DAYS_DEFAULT;
    return forecast;
}

static bool forecast_member(struct errand *errand, struct error *err)
{
    const Forecast *asked = (const Forecast *)errand->request;
    struct journal_subject subject;

    if (!journal_find_subject(errand, asked->bank_id, asked->member_ref, &subject, err))
        return false;
    struct forecast *forecast = new_forecast(errand, subject.row.business_date, err);
    if (!forecast)
        return false;
    struct journal_forecast_params params = { subject.bucket,
                                              subject.bank->no,
                                              subject.member_id,
                                              forecast->first,
                                              { forecast->first.days + forecast->days - 1 } };
    return add_bucket(errand, &journal_forecast_member, &params, forecast, err) &&
           shape_forecast(errand, forecast, err);
}

/* While a day is being closed buckets differ; the first one's date is as good as any. */
static bool forecast_bank(struct errand *errand, const struct bank *bank, struct error *err)
{
    struct journal_fence_params at = { 0, bank->programme_no };
    struct journal_fence_row fence = { { 0 } };
    bool found;

    if (!db_fetch_one(errand->db, &journal_fence, &at, &errand->call->arena, &fence, &found, err))
        return false;
    struct forecast *forecast = new_forecast(errand, fence.business_date, err);
    if (!forecast)
        return false;
    for (int32_t bucket = 0; bucket < errand->reference->buckets; bucket++) {
        struct journal_forecast_params params = {
            bucket, bank->no, { { 0 } }, forecast->first, { forecast->first.days + forecast->days - 1 }
        };
        if (call_cancelled(errand->call))
            return error_set(err, REASON_CANCELLED, "%s", "");
        if (!add_bucket(errand, &journal_forecast_bank, &params, forecast, err))
            return false;
    }
    return shape_forecast(errand, forecast, err);
}

static bool forecast_work(struct errand *errand, struct error *err)
{
    const Forecast *asked = (const Forecast *)errand->request;
    const struct bank *bank = reference_bank(errand->reference, asked->bank_id);

    if (!bank)
        return error_field(err, REASON_BANK_NOT_FOUND, "bank_id", "%s", "");
    return text_empty(asked->member_ref) ? forecast_bank(errand, bank, err) : forecast_member(errand, err);
}

bool bank_forecast_expiry(struct call *call, const ProtobufCMessage *request, struct error *err)
{
    const Forecast *asked = (const Forecast *)request;

    if (!check_own(call, "bank_id", asked->bank_id, err) || !check_id("bank_id", asked->bank_id, err))
        return false;
    if (!text_empty(asked->member_ref) && !journal_check_member(call, asked->bank_id, asked->member_ref, err))
        return false;
    return check_range("days", asked->days, 0, DAYS_MAX, err) && errand_read(call, request, forecast_work, err);
}

/* Notices */

/* "bucket/member_id/days since 1970/days ahead": where a page ended. A day that PostgreSQL cannot hold is none. */
static bool read_key(const char *key, struct journal_notices_params *params)
{
    char member[UUID_TEXT];
    int end = -1;

    return sscanf(key, "%" SCNd32 "/%36[0-9a-f-]/%" SCNd32 "/%" SCNd32 "%n", &params->bucket, member,
                  &params->after_expires.days, &params->after_days, &end) == 4 &&
           end > 0 && key[end] == '\0' && uuid_parse(member, &params->after_member) && params->bucket >= 0 &&
           params->after_expires.days >= 0 && params->after_expires.days <= date_of(9999, 12, 31).days;
}

static void write_key(const struct journal_notices_params *params, const struct journal_notice_row *row, char *key,
                      size_t size)
{
    char member[UUID_TEXT];

    uuid_format(&row->member_id, member);
    snprintf(key, size, "%" PRId32 "/%s/%" PRId32 "/%" PRId32, params->bucket, member, row->expires_on.days,
             row->days_ahead);
}

static Notice *shape_notice(struct arena *arena, const struct journal_notice_row *row)
{
    Notice *notice = shape_new(arena, &alliance__v1__expiry_notice__descriptor);

    if (!notice)
        return NULL;
    notice->member_ref = (char *)(uintptr_t)row->member_ref; /* in the arena already */
    notice->expires_on = shape_date(arena, row->expires_on);
    notice->days_ahead = row->days_ahead;
    notice->points = row->points;
    return notice->expires_on ? notice : NULL;
}

/* Bucket after bucket until the page is full; one row more than fits says that there is another page. */
static bool fill_page(struct errand *errand, struct journal_notices_params *params, const struct page *page,
                      NoticesReply *reply, struct error *err)
{
    struct arena *arena = &errand->call->arena;
    char key[PAGE_KEY_MAX + 1] = "";

    for (; params->bucket < errand->reference->buckets;
         params->bucket++, params->after_member = (struct uuid){ { 0 } }) {
        size_t count;
        void *fetched;
        params->limit = page->size - (int32_t)reply->n_notices + 1;
        if (!db_fetch(errand->db, &journal_notices, params, arena, &fetched, &count, err))
            return false;
        const struct journal_notice_row *rows = fetched;
        for (size_t i = 0; i < count; i++) {
            if (reply->n_notices == (size_t)page->size) {
                reply->next_page_token = page_token(errand->call, page, key);
                return reply->next_page_token || errand_no_room(err);
            }
            Notice *notice = shape_notice(arena, &rows[i]);
            if (!notice)
                return errand_no_room(err);
            reply->notices[reply->n_notices++] = notice;
            write_key(params, &rows[i], key, sizeof key);
        }
    }
    return true;
}

static bool notices_work(struct errand *errand, struct error *err)
{
    const Notices *asked = (const Notices *)errand->request;
    const struct bank *bank = reference_bank(errand->reference, asked->bank_id);
    struct journal_notices_params params = { 0 };
    char filters[ID_MAX + DATE_TEXT + 2];
    struct page page;

    if (!bank)
        return error_field(err, REASON_BANK_NOT_FOUND, "bank_id", "%s", "");
    snprintf(filters, sizeof filters, "%s/%s", asked->bank_id, asked->business_date);
    if (!check_date("business_date", asked->business_date, &params.business_date, err) ||
        !page_read(errand->call, asked->page_size, asked->page_token, filters, &page, err))
        return false;
    if (page.after[0] != '\0' && !read_key(page.after, &params))
        return page_refuse_token(err);
    params.bank_no = bank->no;
    NoticesReply *reply = errand_reply(errand, &alliance__v1__list_expiry_notices_response__descriptor, err);
    if (!reply)
        return false;
    reply->notices = arena_alloc(&errand->call->arena, ((size_t)page.size + 1) * sizeof *reply->notices);
    return reply->notices ? fill_page(errand, &params, &page, reply, err) : errand_no_room(err);
}

bool bank_list_expiry_notices(struct call *call, const ProtobufCMessage *request, struct error *err)
{
    const Notices *asked = (const Notices *)request;
    struct date date;

    return check_own(call, "bank_id", asked->bank_id, err) && check_id("bank_id", asked->bank_id, err) &&
           check_date("business_date", asked->business_date, &date, err) &&
           errand_read(call, request, notices_work, err);
}
