#include "shipment_worker.h"

#include "shipment_store.h"

#include "alliance/v1/redemption_service.pb-c.h"
#include "domain/redemption_id.h"
#include "io/clock.h"
#include "io/log.h"

#include <stdio.h>
#include <string.h>

enum { BASE_URL_MAX = 512, RETRY_CAP_MS = 3600 * 1000, HTTP_CALLS_A_ROW = 2 };

static const char *const outcome_words[] = {
    [CARRIER_DONE] = "done",
    [CARRIER_NOT_FOUND] = "not_found",
    [CARRIER_REFUSED] = "refused",
    [CARRIER_AGAIN] = "again",
};
static const struct metric_label outcome_label = { "outcome", outcome_words, COUNT(outcome_words) };

void logistics_register(struct logistics_metrics *out, struct metrics *metrics)
{
    out->bookings =
        metrics_counter(metrics, "carrier_bookings_total", "Bookings tried, by outcome.", &outcome_label, 1);
    out->trackings =
        metrics_counter(metrics, "carrier_trackings_total", "Questions about parcels, by outcome.", &outcome_label, 1);
    out->unknown_codes = metrics_counter(metrics, "carrier_unknown_codes_total",
                                         "Reports with a word the adapter does not know.", NULL, 0);
    out->dropped_reports = metrics_counter(metrics, "carrier_dropped_reports_total",
                                           "Reports that made no sense and were left out.", NULL, 0);
    out->breakers_opened = metrics_counter(metrics, "carrier_breakers_opened_total",
                                           "Times a carrier was left alone for a while.", NULL, 0);
    out->delivered = metrics_counter(metrics, "shipments_delivered_total", "Shipments that became DELIVERED.", NULL, 0);
}

bool logistics_init(struct logistics *logistics, struct db *db, const struct crypto_key *key,
                    const struct logistics_options *options, const struct logistics_metrics *metrics, struct error *err)
{
    const struct http_options http = { options->http_timeout_ms, options->allow_loopback };

    *logistics = (struct logistics){ .db = db, .key = key, .options = *options };
    if (metrics)
        logistics->metrics = *metrics;
    logistics->http = http_new(&http);
    if (!logistics->http)
        return error_set(err, REASON_INTERNAL, "no memory for an HTTP client");
    return outbox_buckets(db, &logistics->buckets, err);
}

void logistics_release(struct logistics *logistics)
{
    http_free(logistics->http);
    logistics->http = NULL;
}

static struct breaker *breaker_of(struct logistics *logistics, int32_t carrier_no)
{
    size_t i = 0;

    while (i < logistics->carrier_count && logistics->carriers[i].carrier_no != carrier_no)
        i++;
    if (i == logistics->carrier_count && i < LOGISTICS_CARRIERS_MAX)
        logistics->carriers[logistics->carrier_count++].carrier_no = carrier_no;
    return &logistics->carriers[i < LOGISTICS_CARRIERS_MAX ? i : LOGISTICS_CARRIERS_MAX - 1].breaker;
}

/* A carrier that answers, even with a refusal, works. */
static void tell_breaker(struct logistics *logistics, int32_t carrier_no, const char *carrier_id,
                         enum carrier_outcome outcome)
{
    struct breaker *breaker = breaker_of(logistics, carrier_no);

    if (!breaker_record(breaker, outcome != CARRIER_AGAIN, clock_monotonic_us()))
        return;
    metric_add(logistics->metrics.breakers_opened, 0, 0, 1);
    LOG(LOG_WARN, "breaker_opened", log_text("carrier_id", carrier_id), log_int("ms", breaker->open_us / 1000));
}

/* Milliseconds until the breaker lets somebody through. */
static int64_t breaker_wait_ms(struct logistics *logistics, int32_t carrier_no)
{
    int64_t left_us = breaker_of(logistics, carrier_no)->open_until_us - clock_monotonic_us();

    return left_us > 0 ? left_us / 1000 + 1 : 0;
}

static int64_t backoff_ms(const struct logistics *logistics, int32_t attempt)
{
    uint32_t random;

    crypto_random(&random, sizeof random);
    return retry_full_jitter_ms(logistics->options.retry_base_ms, RETRY_CAP_MS, attempt, random);
}

/* Long enough for every exchange of one row, so that two workers do not meet over it. */
static int64_t lease_ms(const struct logistics *logistics)
{
    return logistics->options.http_timeout_ms * HTTP_CALLS_A_ROW + 15000;
}

static const char *without_slash(const char *base_url, char out[BASE_URL_MAX])
{
    size_t n = strnlen(base_url, BASE_URL_MAX - 1);

    while (n > 0 && base_url[n - 1] == '/')
        n--;
    snprintf(out, BASE_URL_MAX, "%.*s", (int)n, base_url);
    return out;
}

static void address_release(Alliance__V1__PostalAddress **address)
{
    if (*address)
        alliance__v1__postal_address__free_unpacked(*address, NULL);
}

/* The address in the clear exists only here and in the carrier's request. */
static enum carrier_outcome send_booking(struct logistics *logistics, const struct carrier_adapter *adapter,
                                         const struct carrier_call *call, const struct shipment_order *order,
                                         char waybill[WAYBILL_MAX + 1], struct error *err)
{
    CLEANUP(address_release) Alliance__V1__PostalAddress *to = NULL;
    struct crypto_bytes plain;
    char order_id[REDEMPTION_ID_TEXT];

    if (!crypto_open(logistics->key, call->arena, order->ship_to.at, order->ship_to.size, order->id.bytes,
                     sizeof order->id.bytes, &plain, err))
        return CARRIER_AGAIN; /* this worker may have the wrong key: nothing is refused for good because of that */
    to = alliance__v1__postal_address__unpack(NULL, plain.size, plain.at);
    if (!to) {
        error_set(err, REASON_INTERNAL, "the stored address is not an address");
        return CARRIER_REFUSED;
    }
    redemption_id_format(&order->id, member_hash16(&order->member_id), order_id);
    const struct parcel parcel = {
        order_id,        to->recipient,    to->phone,       to->address_line,  to->city,
        to->postal_code, to->country_code, order->goods_id, order->goods_name, order->quantity,
    };
    return adapter->book(call, &parcel, waybill, err);
}

/* An earlier attempt may have got through although its answer did not: ask before ordering twice. */
static enum carrier_outcome book_or_find(struct logistics *logistics, const struct carrier_adapter *adapter,
                                         const struct outbox_lease *lease, const struct carrier_call *call,
                                         const struct shipment_order *order, char waybill[WAYBILL_MAX + 1],
                                         struct error *err)
{
    char order_id[REDEMPTION_ID_TEXT];
    enum carrier_outcome found = CARRIER_NOT_FOUND;

    redemption_id_format(&order->id, member_hash16(&order->member_id), order_id);
    if (lease->attempts > 1)
        found = adapter->find(call, order_id, waybill, err);
    return found == CARRIER_NOT_FOUND ? send_booking(logistics, adapter, call, order, waybill, err) : found;
}

static bool give_up(struct logistics *logistics, const struct outbox_lease *lease, const char *why, struct error *err)
{
    LOG(LOG_ERROR, "booking_put_aside", log_uuid("redemption_id", &lease->redemption_id),
        log_int("attempts", lease->attempts), log_text("cause", why));
    return shipment_refused(logistics->db, lease, why, err);
}

static bool record_booking(struct logistics *logistics, const struct outbox_lease *lease,
                           const struct shipment_order *order, enum carrier_outcome outcome, const char *waybill,
                           const struct error *cause, struct error *err)
{
    metric_add(logistics->metrics.bookings, outcome, 0, 1);
    if (outcome == CARRIER_DONE) {
        LOG(LOG_INFO, "booked", log_uuid("redemption_id", &lease->redemption_id),
            log_text("carrier_id", order->carrier_id), log_int("attempts", lease->attempts));
        return shipment_booked(logistics->db, lease, waybill, logistics->options.tracking_poll_ms, err);
    }
    if (outcome == CARRIER_REFUSED || lease->attempts >= logistics->options.attempts_max)
        return give_up(logistics, lease, error_text(cause), err);
    int64_t delay_ms = backoff_ms(logistics, lease->attempts);
    LOG(LOG_WARN, "booking_failed", log_uuid("redemption_id", &lease->redemption_id),
        log_text("carrier_id", order->carrier_id), log_int("attempts", lease->attempts), log_int("again_ms", delay_ms),
        log_text("cause", error_text(cause)));
    return outbox_later(logistics->db, lease, OUTBOX_SHIPMENT, delay_ms, error_text(cause), err);
}

static bool handle_booking(struct logistics *logistics, const struct outbox_lease *lease, struct error *err)
{
    CLEANUP(arena_release) struct arena arena = { 0 };
    struct shipment_order order;
    char waybill[WAYBILL_MAX + 1] = "", base_url[BASE_URL_MAX];
    struct error cause = { 0 };
    bool found;

    if (lease->attempts > logistics->options.attempts_max)
        return give_up(logistics, lease, "earlier attempts ended without a word: they ended their worker", err);
    if (!shipment_load_order(logistics->db, lease, &arena, &order, &found, err))
        return false;
    if (!found)
        return give_up(logistics, lease, "the redemption has no good with a carrier", err);
    if (!shipment_create(logistics->db, lease->bucket, &order, err))
        return false;
    const struct carrier_adapter *adapter = adapter_find(order.adapter);
    if (!adapter)
        return give_up(logistics, lease, "there is no such carrier adapter", err);
    int64_t wait_ms = breaker_wait_ms(logistics, order.carrier_no);
    if (wait_ms > 0)
        return outbox_postpone(logistics->db, lease, OUTBOX_SHIPMENT, wait_ms, err);
    const struct carrier_call call = { logistics->http, without_slash(order.base_url, base_url), &arena, clock_now() };
    enum carrier_outcome outcome = book_or_find(logistics, adapter, lease, &call, &order, waybill, &cause);
    tell_breaker(logistics, order.carrier_no, order.carrier_id, outcome);
    return record_booking(logistics, lease, &order, outcome, waybill, &cause, err);
}

static void count_oddities(struct logistics *logistics, const struct tracking *tracking)
{
    for (size_t i = 0; i < tracking->count; i++)
        metric_add(logistics->metrics.unknown_codes, 0, 0, !tracking->events[i].known);
    metric_add(logistics->metrics.dropped_reports, 0, 0, (int64_t)tracking->dropped);
}

static bool record_tracking(struct logistics *logistics, const struct shipment_due *due,
                            const struct tracking *tracking, struct error *err)
{
    enum shipment_state state;
    bool moved;

    count_oddities(logistics, tracking);
    if (!shipment_record(logistics->db, due, tracking->events, tracking->count, logistics->options.tracking_poll_ms,
                         &state, &moved, err))
        return false;
    if (!moved)
        return true;
    metric_add(logistics->metrics.delivered, 0, 0, state == SHIPMENT_DELIVERED);
    LOG(LOG_INFO, "shipment", log_uuid("redemption_id", &due->id), log_text("carrier_id", due->carrier_id),
        log_text("state", shipment_state_name((int)state)));
    return true;
}

static bool handle_due(struct logistics *logistics, const struct shipment_due *due, struct arena *arena,
                       struct error *err)
{
    const struct carrier_adapter *adapter = adapter_find(due->adapter);
    int64_t wait_ms = adapter ? breaker_wait_ms(logistics, due->carrier_no) : RETRY_CAP_MS;
    char base_url[BASE_URL_MAX];
    struct tracking tracking = { 0 };
    struct error cause = { 0 };

    if (wait_ms > 0)
        return shipment_ask_later(logistics->db, due, wait_ms, 0, err);
    const struct carrier_call call = { logistics->http, without_slash(due->base_url, base_url), arena, clock_now() };
    enum carrier_outcome outcome = adapter->track(&call, due->waybill, &tracking, &cause);
    tell_breaker(logistics, due->carrier_no, due->carrier_id, outcome);
    metric_add(logistics->metrics.trackings, outcome, 0, 1);
    if (outcome == CARRIER_DONE)
        return record_tracking(logistics, due, &tracking, err);
    LOG(LOG_WARN, "tracking_failed", log_uuid("redemption_id", &due->id), log_text("carrier_id", due->carrier_id),
        log_text("cause", error_text(&cause)));
    return shipment_ask_later(logistics->db, due, backoff_ms(logistics, due->attempts + 1), 1, err);
}

static bool book_one(struct logistics *logistics, int32_t bucket, size_t *handled, struct error *err)
{
    struct outbox_lease lease;
    bool found;

    if (!outbox_take(logistics->db, bucket, OUTBOX_SHIPMENT, lease_ms(logistics), &lease, &found, err))
        return false;
    *handled += found;
    return !found || handle_booking(logistics, &lease, err);
}

static bool ask_one(struct logistics *logistics, int32_t bucket, size_t *handled, struct error *err)
{
    CLEANUP(arena_release) struct arena arena = { 0 };
    struct shipment_due due;
    bool found;

    if (!shipment_take_due(logistics->db, bucket, lease_ms(logistics), &arena, &due, &found, err))
        return false;
    *handled += found;
    return !found || handle_due(logistics, &due, &arena, err);
}

bool logistics_round(struct logistics *logistics, logistics_stop *stop, void *owner, size_t *handled, struct error *err)
{
    *handled = 0;
    for (int32_t bucket = 0; bucket < logistics->buckets; bucket++) {
        if (stop && stop(owner))
            return true;
        if (!book_one(logistics, bucket, handled, err))
            return false;
        if (stop && stop(owner))
            return true;
        if (!ask_one(logistics, bucket, handled, err))
            return false;
    }
    return true;
}
