/*
 * exposure.c -- SetExposureLimit, GetExposure and RecordSettledExposure: the limit as a whole. Lanes know their
 * bucket's part of it, and move parts to where they are needed.
 */
#include "domain/exposure.h"

#include "engine/reference.h"
#include "io/clock.h"
#include "service/bank_handlers.h"
#include "service/check.h"
#include "service/errand.h"
#include "service/operator_handlers.h"
#include "service/shape.h"
#include "store/db.h"
#include "store/exposure_store.h"

#include <alliance/v1/bank_service.pb-c.h>
#include <string.h>

typedef Alliance__V1__SetExposureLimitRequest Set;
typedef Alliance__V1__GetExposureRequest Get;
typedef Alliance__V1__RecordSettledExposureRequest Settle;

/* All parts of one bank's limit in one currency; none when there is no limit. */
struct parts {
    int32_t bank_no;
    const char *currency;
    int64_t limit;
    size_t count;
    struct exposure_part at[BUCKETS_MAX];
};

static bool load(struct errand *errand, const struct statement *statement, struct parts *parts, struct error *err)
{
    struct exposure_bank_params params = { parts->bank_no, parts->currency };
    void *fetched;

    if (!db_fetch(errand->db, statement, &params, &errand->call->arena, &fetched, &parts->count, err))
        return false;
    if (parts->count > BUCKETS_MAX)
        return error_set(err, REASON_INTERNAL, "more parts of an exposure limit than buckets");
    const struct exposure_bank_row *rows = fetched;
    for (size_t i = 0; i < parts->count; i++) {
        parts->limit = rows[i].limit_minor;
        parts->at[i] = (struct exposure_part){ rows[i].bucket, rows[i].allotted_minor, rows[i].used_minor };
    }
    return true;
}

static bool save(struct errand *errand, const struct parts *parts, struct error *err)
{
    for (size_t i = 0; i < parts->count; i++) {
        const struct exposure_part *part = &parts->at[i];
        struct exposure_put_params params = { part->bucket, parts->bank_no, parts->currency,
                                              parts->limit, part->allotted, part->used };
        if (!db_execute(errand->db, &exposure_put, &params, NULL, err))
            return false;
    }
    return true;
}

static bool reply(struct errand *errand, char *bank_id, const struct parts *parts, struct error *err)
{
    struct arena *arena = &errand->call->arena;
    Alliance__V1__Exposure *shaped = errand_reply(errand, &alliance__v1__exposure__descriptor, err);

    if (!shaped)
        return false;
    shaped->bank_id = bank_id;
    shaped->used = shape_money(arena, parts->currency, exposure_used(parts->at, parts->count));
    if (parts->count)
        shaped->limit = shape_money(arena, parts->currency, parts->limit);
    return (shaped->used && !shaped->limit == !parts->count) || errand_no_room(err);
}

static bool find_bank(struct errand *errand, const char *bank_id, struct parts *parts, struct error *err)
{
    const struct bank *bank = reference_bank(errand->reference, bank_id);

    parts->bank_no = bank ? bank->no : 0;
    return bank || error_field(err, REASON_BANK_NOT_FOUND, "bank_id", "%s", "");
}

/* Set */

static bool set_work(struct errand *errand, struct error *err)
{
    const Set *asked = (const Set *)errand->request;
    struct parts parts = { .currency = asked->limit->currency_code };

    if (!find_bank(errand, asked->bank_id, &parts, err) || !load(errand, &exposure_lock, &parts, err))
        return false;
    /* The first time, lanes must hear of it before another batch begins; and somebody else may just have been first. */
    if (parts.count == 0 && (!errand_changes(errand, err) || !load(errand, &exposure_lock, &parts, err)))
        return false;
    for (; parts.count < (size_t)errand->buckets && parts.count < BUCKETS_MAX; parts.count++)
        parts.at[parts.count] = (struct exposure_part){ .bucket = (int32_t)parts.count };
    parts.limit = asked->limit->amount_minor;
    exposure_spread(parts.at, parts.count, parts.limit, 0, 0);
    return save(errand, &parts, err) && reply(errand, asked->bank_id, &parts, err);
}

static bool check_limit(const Alliance__V1__Money *limit, struct error *err)
{
    if (!check_set("limit", limit, err))
        return false;
    return (check_currency("currency_code", limit->currency_code, err) &&
            check_range("amount_minor", limit->amount_minor, 0, AMOUNT_MINOR_MAX, err)) ||
           check_within(err, "limit");
}

bool bank_set_exposure_limit(struct call *call, const ProtobufCMessage *request, struct error *err)
{
    const Set *asked = (const Set *)request;

    return check_own(call, "bank_id", asked->bank_id, err) && check_id("bank_id", asked->bank_id, err) &&
           check_limit(asked->limit, err) && errand_write(call, request, set_work, err);
}

/* Get */

static bool get_work(struct errand *errand, struct error *err)
{
    const Get *asked = (const Get *)errand->request;
    struct parts parts = { .currency = asked->currency_code };

    return find_bank(errand, asked->bank_id, &parts, err) && load(errand, &exposure_read, &parts, err) &&
           reply(errand, asked->bank_id, &parts, err);
}

bool bank_get_exposure(struct call *call, const ProtobufCMessage *request, struct error *err)
{
    const Get *asked = (const Get *)request;

    return check_own(call, "bank_id", asked->bank_id, err) && check_id("bank_id", asked->bank_id, err) &&
           check_currency("currency_code", asked->currency_code, err) && errand_read(call, request, get_work, err);
}

/* Settled */

/* *repeated: it was taken off before. */
static bool find_repeat(struct errand *errand, const struct exposure_settle_params *settle, bool *repeated,
                        struct error *err)
{
    struct exposure_settled_params params = { settle->bank_no, settle->request_id };
    struct exposure_settled_row row;

    if (!db_fetch_one(errand->db, &exposure_find_settled, &params, &errand->call->arena, &row, repeated, err))
        return false;
    return !*repeated ||
           (row.content_hash.size == CRYPTO_HASH &&
            memcmp(row.content_hash.at, settle->content_hash.at, CRYPTO_HASH) == 0) ||
           error_field(err, REASON_REQUEST_ID_REUSED, "request_id", "%s", "");
}

static bool take_off(struct errand *errand, struct parts *parts, int64_t minor, struct error *err)
{
    if (exposure_used(parts->at, parts->count) < minor)
        return error_field(err, REASON_BEYOND_EXPOSURE, "amount", "%s", "");
    exposure_settle(parts->at, parts->count, minor);
    exposure_spread(parts->at, parts->count, parts->limit, 0, 0);
    return save(errand, parts, err);
}

static bool settle_work(struct errand *errand, struct error *err)
{
    const Settle *asked = (const Settle *)errand->request;
    struct parts parts = { .currency = asked->amount->currency_code };
    uint8_t hash[CRYPTO_HASH];
    struct exposure_settle_params settle = { .content_hash = { hash, CRYPTO_HASH } };
    bool repeated;

    if (!find_bank(errand, asked->bank_id, &parts, err))
        return false;
    settle.bank_no = parts.bank_no;
    if (!uuid_parse(asked->request_id, &settle.request_id) ||
        !shape_hash("settled exposure", errand->request, hash, err) || !find_repeat(errand, &settle, &repeated, err) ||
        !load(errand, &exposure_lock, &parts, err))
        return false;
    if (!repeated && (!take_off(errand, &parts, asked->amount->amount_minor, err) ||
                      !db_execute(errand->db, &exposure_add_settled, &settle, NULL, err)))
        return false;
    return reply(errand, asked->bank_id, &parts, err);
}

bool operator_record_settled(struct call *call, const ProtobufCMessage *request, struct error *err)
{
    const Settle *asked = (const Settle *)request;
    struct uuid request_id;

    return check_id("bank_id", asked->bank_id, err) && check_money("amount", asked->amount, AMOUNT_MINOR_MAX, err) &&
           check_request_id(asked->request_id, clock_now(), &request_id, err) &&
           errand_write(call, request, settle_work, err);
}
