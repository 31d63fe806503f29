#include "webhook_worker.h"

#include "webhook.h"
#include "webhook_store.h"

#include "domain/redemption_id.h"
#include "io/clock.h"
#include "io/log.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WEBHOOK_ID = UUID_TEXT + 5, RETRY_AFTER_MAX_S = 86400 };

/* The waits that Standard Webhooks recommends; options.retry_base_ms scales them. */
static const int64_t waits_ms[] = {
    5000, 300000, 1800000, 7200000, 18000000, 36000000, 50400000, 72000000, 86400000,
};

/* operation.kind, a number for ever, and what it is called outside. */
static const struct {
    int16_t kind;
    const char *type;
} event_types[] = {
    { 4, "redemption.confirmed" },
    { 8, "redemption.reversed" },
};

enum delivery { DELIVERY_DONE, DELIVERY_AGAIN, DELIVERY_GONE, DELIVERY_IMPOSSIBLE };
static const char *const delivery_words[] = { "done", "again", "gone", "impossible" };
static const struct metric_label delivery_label = { "outcome", delivery_words, COUNT(delivery_words) };
static const int64_t exchange_bounds_ms[] = { 5, 20, 100, 500, 2000, 10000 };

void merchants_register(struct merchants_metrics *out, struct metrics *metrics)
{
    out->deliveries =
        metrics_counter(metrics, "webhook_deliveries_total", "Webhooks sent, by outcome.", &delivery_label, 1);
    out->exchange_ms = metrics_histogram(metrics, "webhook_exchange_ms", "Time of one exchange with a merchant.",
                                         exchange_bounds_ms, COUNT(exchange_bounds_ms), NULL, 0);
    out->breakers_opened = metrics_counter(metrics, "webhook_breakers_opened_total",
                                           "Times a merchant was left alone for a while.", NULL, 0);
}

bool merchants_init(struct merchants *merchants, struct db *db, const struct crypto_key *key,
                    const struct merchants_options *options, const struct merchants_metrics *metrics, struct error *err)
{
    const struct http_options http = { options->http_timeout_ms, options->allow_loopback };

    *merchants = (struct merchants){ .db = db, .key = key, .options = *options };
    if (metrics)
        merchants->metrics = *metrics;
    merchants->http = http_new(&http);
    if (!merchants->http)
        return error_set(err, REASON_INTERNAL, "no memory for an HTTP client");
    return outbox_buckets(db, &merchants->buckets, err);
}

void merchants_release(struct merchants *merchants)
{
    http_free(merchants->http);
    merchants->http = NULL;
}

static struct breaker *breaker_of(struct merchants *merchants, int32_t merchant_no)
{
    size_t i = 0;

    while (i < merchants->breaker_count && merchants->breakers[i].merchant_no != merchant_no)
        i++;
    if (i == merchants->breaker_count && i < MERCHANTS_MAX)
        merchants->breakers[merchants->breaker_count++].merchant_no = merchant_no;
    return &merchants->breakers[i < MERCHANTS_MAX ? i : MERCHANTS_MAX - 1].breaker;
}

static void json_release(json_t **json)
{
    json_decref(*json);
}

static const char *event_type(int16_t kind)
{
    for (size_t i = 0; i < COUNT(event_types); i++) {
        if (event_types[i].kind == kind)
            return event_types[i].type;
    }
    return NULL;
}

/* The event as text to be freed, or NULL. Its bytes are the same for every attempt. */
static char *event_json(const struct webhook_order *order)
{
    char redemption_id[REDEMPTION_ID_TEXT], at[INSTANT_TEXT], business_date[DATE_TEXT];
    const char *type = event_type(order->kind);

    if (!type)
        return NULL;
    redemption_id_format(&order->redemption_id, member_hash16(&order->member_id), redemption_id);
    instant_format(order->at, at);
    date_format(order->business_date, business_date);
    CLEANUP(json_release)
    json_t *event =
        json_pack("{s:s, s:s, s:{s:s, s:s, s:s, s:I, s:I, s:s, s:s}}", "type", type, "timestamp", at, "data",
                  "redemption_id", redemption_id, "merchant_id", order->merchant_id, "store_id", order->store_id,
                  "points", (json_int_t)order->points, "gross_minor", (json_int_t)order->gross_minor, "currency",
                  order->currency, "business_date", business_date);
    return event ? json_dumps(event, JSON_COMPACT) : NULL;
}

static bool open_key(struct merchants *merchants, const struct webhook_order *order, struct arena *arena,
                     struct webhook_key *key, struct error *err)
{
    struct crypto_bytes plain;

    if (!crypto_open(merchants->key, arena, order->webhook_secret.at, order->webhook_secret.size, order->merchant_id,
                     strlen(order->merchant_id), &plain, err))
        return false;
    bool good = webhook_key_parse((const char *)plain.at, key, err);
    memset(plain.at, 0, plain.size);
    return good;
}

static enum delivery judge(const struct http_response *response, int64_t *retry_after_s, struct error *cause)
{
    if (response->status >= 200 && response->status < 300)
        return DELIVERY_DONE;
    error_set(cause, REASON_PARTNER_UNREACHABLE, "the merchant answered HTTP %d", response->status);
    *retry_after_s = response->retry_after_s < RETRY_AFTER_MAX_S ? response->retry_after_s : RETRY_AFTER_MAX_S;
    return response->status == 410 ? DELIVERY_GONE : DELIVERY_AGAIN;
}

static enum delivery post(struct merchants *merchants, const struct webhook_order *order, const char *id,
                          const char *body, const struct webhook_key *key, int64_t *retry_after_s, struct error *cause)
{
    char id_header[96], time_header[64], signature_header[32 + WEBHOOK_SIGNATURE], signature[WEBHOOK_SIGNATURE];
    int64_t now_s = clock_now().us / US_PER_SECOND, before_us = clock_monotonic_us();
    struct http_response response;

    if (!webhook_sign(key, id, now_s, body, strlen(body), signature)) {
        error_set(cause, REASON_INTERNAL, "the event is too large for a webhook");
        return DELIVERY_IMPOSSIBLE;
    }
    snprintf(id_header, sizeof id_header, "webhook-id: %s", id);
    snprintf(time_header, sizeof time_header, "webhook-timestamp: %" PRId64, now_s);
    snprintf(signature_header, sizeof signature_header, "webhook-signature: %s", signature);
    const struct http_request request = {
        .url = order->webhook_url,
        .headers = { "Content-Type: application/json", id_header, time_header, signature_header },
        .body = body,
        .body_size = strlen(body),
    };
    bool answered = http_exchange(merchants->http, &request, &response, cause);
    metric_observe(merchants->metrics.exchange_ms, 0, 0, (clock_monotonic_us() - before_us) / 1000);
    return answered ? judge(&response, retry_after_s, cause) : DELIVERY_AGAIN;
}

static void text_release(char **text)
{
    free(*text);
}

/* A request's uuid is unique for one member only; its hash16 makes it so for all. The standard allows no dot here. */
static void format_webhook_id(const struct outbox_lease *lease, const struct webhook_order *order, char id[WEBHOOK_ID])
{
    uuid_format(&lease->id, id);
    snprintf(id + UUID_TEXT - 1, WEBHOOK_ID - UUID_TEXT + 1, "-%04x", member_hash16(&order->member_id));
}

static enum delivery deliver(struct merchants *merchants, const struct outbox_lease *lease,
                             const struct webhook_order *order, struct arena *arena, int64_t *retry_after_s,
                             struct error *cause)
{
    CLEANUP(text_release) char *body = event_json(order);
    CLEANUP(webhook_key_clear) struct webhook_key key = { 0 };
    char id[WEBHOOK_ID];

    if (!body) {
        error_set(cause, REASON_INTERNAL, "there is no webhook event for this kind of write");
        return DELIVERY_IMPOSSIBLE;
    }
    /* This worker may have the wrong key: nothing is put aside at once because of that. */
    if (!open_key(merchants, order, arena, &key, cause))
        return DELIVERY_AGAIN;
    format_webhook_id(lease, order, id);
    return post(merchants, order, id, body, &key, retry_after_s, cause);
}

static bool bury(struct merchants *merchants, const struct outbox_lease *lease, const char *merchant_id,
                 const char *why, struct error *err)
{
    LOG(LOG_ERROR, "webhook_put_aside", log_uuid("webhook_id", &lease->id), log_text("merchant_id", merchant_id),
        log_int("attempts", lease->attempts), log_text("cause", why));
    return outbox_bury(merchants->db, lease, OUTBOX_WEBHOOK, why, err);
}

static bool try_later(struct merchants *merchants, const struct outbox_lease *lease, const char *merchant_id,
                      int64_t retry_after_s, const char *why, struct error *err)
{
    uint32_t random;

    if (lease->attempts >= merchants->options.attempts_max)
        return bury(merchants, lease, merchant_id, why, err);
    crypto_random(&random, sizeof random);
    int64_t delay_ms =
        retry_scheduled_ms(waits_ms, COUNT(waits_ms), lease->attempts, merchants->options.retry_base_ms, random);
    if (delay_ms < retry_after_s * 1000)
        delay_ms = retry_after_s * 1000;
    LOG(LOG_WARN, "webhook_failed", log_uuid("webhook_id", &lease->id), log_text("merchant_id", merchant_id),
        log_int("attempts", lease->attempts), log_int("again_ms", delay_ms), log_text("cause", why));
    return outbox_later(merchants->db, lease, OUTBOX_WEBHOOK, delay_ms, why, err);
}

static bool record(struct merchants *merchants, const struct outbox_lease *lease, const struct webhook_order *order,
                   enum delivery delivery, int64_t retry_after_s, const struct error *cause, struct error *err)
{
    metric_add(merchants->metrics.deliveries, delivery, 0, 1);
    switch (delivery) {
    case DELIVERY_DONE:
        LOG(LOG_INFO, "webhook", log_uuid("webhook_id", &lease->id), log_text("merchant_id", order->merchant_id),
            log_int("attempts", lease->attempts));
        return outbox_done(merchants->db, lease, OUTBOX_WEBHOOK, err);
    case DELIVERY_AGAIN:
        return try_later(merchants, lease, order->merchant_id, retry_after_s, error_text(cause), err);
    case DELIVERY_GONE:
        return webhook_disable(merchants->db, lease->merchant_no, err) &&
               bury(merchants, lease, order->merchant_id, error_text(cause), err);
    case DELIVERY_IMPOSSIBLE:
        return bury(merchants, lease, order->merchant_id, error_text(cause), err);
    }
    return error_set(err, REASON_INTERNAL, "no such delivery");
}

static void tell_breaker(struct merchants *merchants, int32_t merchant_no, const char *merchant_id,
                         enum delivery delivery)
{
    struct breaker *breaker = breaker_of(merchants, merchant_no);

    if (!breaker_record(breaker, delivery != DELIVERY_AGAIN, clock_monotonic_us()))
        return;
    metric_add(merchants->metrics.breakers_opened, 0, 0, 1);
    LOG(LOG_WARN, "breaker_opened", log_text("merchant_id", merchant_id), log_int("ms", breaker->open_us / 1000));
}

static bool handle(struct merchants *merchants, const struct outbox_lease *lease, struct error *err)
{
    CLEANUP(arena_release) struct arena arena = { 0 };
    struct webhook_order order;
    struct error cause = { 0 };
    int64_t retry_after_s = 0;
    bool found;

    if (lease->attempts > merchants->options.attempts_max)
        return bury(merchants, lease, "", "earlier attempts ended without a word: they ended their worker", err);
    if (!webhook_load(merchants->db, lease, &arena, &order, &found, err))
        return false;
    if (!found)
        return bury(merchants, lease, "", "what the webhook is about is not there", err);
    if (!order.webhook_enabled)
        return bury(merchants, lease, order.merchant_id, "the merchant's webhook is disabled", err);
    int64_t closed_us = breaker_of(merchants, lease->merchant_no)->open_until_us - clock_monotonic_us();
    if (closed_us > 0)
        return outbox_postpone(merchants->db, lease, OUTBOX_WEBHOOK, closed_us / 1000 + 1, err);
    enum delivery delivery = deliver(merchants, lease, &order, &arena, &retry_after_s, &cause);
    tell_breaker(merchants, lease->merchant_no, order.merchant_id, delivery);
    return record(merchants, lease, &order, delivery, retry_after_s, &cause, err);
}

static bool send_one(struct merchants *merchants, int32_t bucket, size_t *handled, struct error *err)
{
    int64_t lease_ms = merchants->options.http_timeout_ms + 15000; /* longer than the one exchange of a row */
    struct outbox_lease lease;
    bool found;

    if (!outbox_take(merchants->db, bucket, OUTBOX_WEBHOOK, lease_ms, &lease, &found, err))
        return false;
    *handled += found;
    return !found || handle(merchants, &lease, err);
}

bool merchants_round(struct merchants *merchants, merchants_stop *stop, void *owner, size_t *handled, struct error *err)
{
    *handled = 0;
    for (int32_t bucket = 0; bucket < merchants->buckets; bucket++) {
        if (stop && stop(owner))
            return true;
        if (!send_one(merchants, bucket, handled, err))
            return false;
    }
    return true;
}
