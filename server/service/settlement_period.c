/*
 * settlement_period.c -- ApprovePeriod and ListPeriods: four eyes over a period's files, bound to the hash of their
 * manifest.
 */
#include "io/crypto.h"
#include "service/check.h"
#include "service/page.h"
#include "service/settlement_handlers.h"
#include "service/shape.h"
#include "store/period_chain_store.h"
#include "store/period_state_store.h"

#include <string.h>

typedef Alliance__V1__SettlementPeriod Period;
typedef Alliance__V1__ApprovePeriodRequest Approve;
typedef Alliance__V1__ListPeriodsRequest List;

enum { PERIOD_NAME_MAX = 32 };

static bool shape_time(struct arena *arena, struct instant at, Google__Protobuf__Timestamp **time)
{
    *time = at.us > 0 ? shape_instant(arena, at) : NULL;
    return at.us <= 0 || *time;
}

static bool shape_period(struct arena *arena, const struct period_state_row *row, const char *programme_id,
                         Period *shown)
{
    char *hex = arena_alloc(arena, 2 * row->manifest_sha256.size + 1);

    if (!hex)
        return false;
    crypto_hex(row->manifest_sha256.at, row->manifest_sha256.size, hex);
    shown->manifest_sha256 = hex;
    shown->programme_id = shape_text(arena, programme_id);
    shown->period = shape_text(arena, row->period);
    shown->first_date = shape_date(arena, row->first_day);
    shown->last_date = shape_date(arena, row->last_day);
    shown->state = (Alliance__V1__SettlementPeriodState)row->state;
    shown->statement_count = row->statement_count;
    shown->calculated_by = shape_text(arena, row->maker);
    shown->approved_by = shape_text(arena, row->approver);
    return shown->programme_id && shown->period && shown->first_date && shown->last_date && shown->calculated_by &&
           shown->approved_by && shape_time(arena, row->calculated_at, &shown->calculated_time) &&
           shape_time(arena, row->approved_at, &shown->approved_time) &&
           shape_time(arena, row->issued_at, &shown->issued_time);
}

static bool find_period(struct errand *errand, int32_t programme_no, const char *period, struct period_state_row *row,
                        struct error *err)
{
    struct period_state_params params = { programme_no, period };
    bool found;

    if (!db_fetch_one(errand->db, &period_state_find, &params, &errand->call->arena, row, &found, err))
        return false;
    return found || error_field(err, REASON_PERIOD_NOT_FOUND, "period", "%s", "");
}

/* What is approved already, or even issued, with the same hash is answered as it is. */
static bool may_approve(const struct call *call, const struct period_state_row *row, const uint8_t hash[CRYPTO_HASH],
                        struct error *err)
{
    if (!check_second_person(call, row->maker, err))
        return false;
    return memcmp(hash, row->manifest_sha256.at, CRYPTO_HASH) == 0 ||
           error_field(err, REASON_APPROVAL_DIFFERS, "manifest_sha256", "is not that of the period's manifest now");
}

static bool approve_work(struct errand *errand, struct error *err)
{
    const Approve *asked = (const Approve *)errand->request;
    struct period_state_approve_params params = { .period = asked->period, .approver = errand->call->principal.id };
    uint8_t hash[CRYPTO_HASH];
    struct period_state_row row;

    if (!crypto_hex_decode(asked->manifest_sha256, CRYPTO_HASH, hash) ||
        !settlement_find_programme(errand, asked->programme_id, &params.programme_no, err) ||
        !find_period(errand, params.programme_no, asked->period, &row, err) ||
        !may_approve(errand->call, &row, hash, err) ||
        !period_chain_check(errand->db, params.programme_no, asked->period, err))
        return false;
    params.manifest_sha256 = (struct bytes){ hash, sizeof hash };
    /* It may have been calculated again since it was read: then nothing is changed, and the hash differs. */
    if (!db_execute(errand->db, &period_state_approve, &params, NULL, err) ||
        !find_period(errand, params.programme_no, asked->period, &row, err) ||
        !may_approve(errand->call, &row, hash, err))
        return false;
    Period *shown = errand_reply(errand, &alliance__v1__settlement_period__descriptor, err);
    return shown && (shape_period(&errand->call->arena, &row, asked->programme_id, shown) || errand_no_room(err));
}

bool settlement_approve_period(struct call *call, const ProtobufCMessage *request, struct error *err)
{
    const Approve *asked = (const Approve *)request;
    uint8_t hash[CRYPTO_HASH];

    if (!check_id("programme_id", asked->programme_id, err) ||
        !check_text("period", asked->period, 1, PERIOD_NAME_MAX, err))
        return false;
    if (strlen(asked->manifest_sha256) != 2 * CRYPTO_HASH ||
        !crypto_hex_decode(asked->manifest_sha256, CRYPTO_HASH, hash))
        return error_field(err, REASON_FIELD_INVALID, "manifest_sha256", "must be %d hexadecimal digits",
                           2 * CRYPTO_HASH);
    return errand_read(call, request, approve_work, err);
}

static bool reply_list(struct errand *errand, const struct page *page, const struct period_state_row *rows,
                       size_t found, struct error *err)
{
    const List *asked = (const List *)errand->request;
    struct arena *arena = &errand->call->arena;
    size_t count = found < (size_t)page->size ? found : (size_t)page->size;
    Alliance__V1__ListPeriodsResponse *reply =
        errand_reply(errand, &alliance__v1__list_periods_response__descriptor, err);

    if (!reply)
        return false;
    reply->periods = arena_alloc(arena, (count + 1) * sizeof *reply->periods);
    for (size_t i = 0; reply->periods && i < count; i++) {
        Period *shown = shape_new(arena, &alliance__v1__settlement_period__descriptor);
        if (!shown || !shape_period(arena, &rows[i], asked->programme_id, shown))
            return errand_no_room(err);
        reply->periods[reply->n_periods++] = shown;
    }
    if (count < found)
        reply->next_page_token = page_token(errand->call, page, rows[count - 1].period);
    return (reply->periods && reply->next_page_token) || errand_no_room(err);
}

static bool list_work(struct errand *errand, struct error *err)
{
    const List *asked = (const List *)errand->request;
    struct period_state_list_params params;
    struct page page;
    size_t found;
    void *rows;

    if (!settlement_find_programme(errand, asked->programme_id, &params.programme_no, err) ||
        !page_read(errand->call, asked->page_size, asked->page_token, asked->programme_id, &page, err))
        return false;
    params.after = page.after;
    params.limit = page.size + 1; /* one more says that there is another page */
    return db_fetch(errand->db, &period_state_list, &params, &errand->call->arena, &rows, &found, err) &&
           reply_list(errand, &page, rows, found, err);
}

bool settlement_list_periods(struct call *call, const ProtobufCMessage *request, struct error *err)
{
    const List *asked = (const List *)request;
    struct page page;

    return check_id("programme_id", asked->programme_id, err) &&
           page_read(call, asked->page_size, asked->page_token, asked->programme_id, &page, err) &&
           errand_read(call, request, list_work, err);
}
