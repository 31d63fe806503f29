/*
 * generic_json.c -- the plainest carrier: JSON over HTTP.
 *
 *   POST {base}/shipments {"order_id", "recipient": {...}, "goods": {...}}  201 or 200 {"waybill"}; 409 {"waybill"}
 * when the order_id is known already GET {base}/shipments?order_id=ID        200 {"waybill"}, 404 GET
 * {base}/shipments/{waybill}          200 {"events": [{"time": RFC 3339, "code", "remark"}]}, 404
 */
#include "adapter.h"

#include "base/text.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { URL_MAX = 1024 };

static const struct {
    const char *code;
    enum shipment_event event;
} codes[] = {
    { "COLLECTED", SHIPMENT_WAS_COLLECTED },   { "IN_TRANSIT", SHIPMENT_MOVED },
    { "OUT_FOR_DELIVERY", SHIPMENT_GOES_OUT }, { "DELIVERED", SHIPMENT_WAS_DELIVERED },
    { "EXCEPTION", SHIPMENT_HAS_PROBLEM },     { "RETURNED", SHIPMENT_CAME_BACK },
};

static void json_release(json_t **json)
{
    json_decref(*json);
}

static void text_release(char **text)
{
    free(*text);
}

/* What a status means when the body does not matter. */
static enum carrier_outcome outcome_of(int status, enum carrier_outcome refused, struct error *err)
{
    bool busy = status == 408 || status == 425 || status == 429 || status >= 500;
    bool unknown = status == 404 && refused != CARRIER_REFUSED;

    if (status >= 200 && status < 300)
        return CARRIER_DONE;
    error_set(err, REASON_PARTNER_UNREACHABLE, "the carrier answered HTTP %d", status);
    if (unknown)
        return CARRIER_NOT_FOUND;
    /* 401 and 403 are about our credentials, 3xx, 404 and 405 about our URL: the parcel is not to blame. */
    bool ours = status < 400 || status == 401 || status == 403 || status == 404 || status == 405;
    return busy || ours ? CARRIER_AGAIN : refused;
}

static enum carrier_outcome garbled(struct error *err)
{
    error_set(err, REASON_PARTNER_UNREACHABLE, "the carrier's answer cannot be understood");
    return CARRIER_AGAIN;
}

static json_t *parse(const struct http_response *response)
{
    json_error_t where;

    return json_loadb(response->body, response->body_size, JSON_REJECT_DUPLICATES, &where);
}

/* A waybill becomes part of a URL and of our tables: only letters, digits, "-" and "_". */
static bool take_waybill(const struct http_response *response, char waybill[WAYBILL_MAX + 1])
{
    CLEANUP(json_release) json_t *answer = parse(response);
    const char *text = json_string_value(json_object_get(answer, "waybill"));

    if (!text_is_ref(text, WAYBILL_MAX, "-_"))
        return false;
    snprintf(waybill, WAYBILL_MAX + 1, "%s", text);
    return true;
}

static char *order_json(const struct parcel *parcel)
{
    CLEANUP(json_release)
    json_t *order = json_pack("{s:s, s:{s:s, s:s, s:s, s:s, s:s, s:s}, s:{s:s, s:s, s:I}}", "order_id",
                              parcel->order_id, "recipient", "name", parcel->recipient, "phone", parcel->phone,
                              "address_line", parcel->address_line, "city", parcel->city, "postal_code",
                              parcel->postal_code, "country_code", parcel->country_code, "goods", "goods_id",
                              parcel->goods_id, "name", parcel->goods_name, "quantity", (json_int_t)parcel->quantity);

    return order ? json_dumps(order, JSON_COMPACT) : NULL;
}

static enum carrier_outcome book(const struct carrier_call *call, const struct parcel *parcel,
                                 char waybill[WAYBILL_MAX + 1], struct error *err)
{
    CLEANUP(text_release) char *order = order_json(parcel);
    struct http_response response;
    char url[URL_MAX];

    if (!order) {
        error_set(err, REASON_INTERNAL, "the order cannot be written as JSON");
        return CARRIER_REFUSED;
    }
    snprintf(url, sizeof url, "%s/shipments", call->base_url);
    const struct http_request request = { .url = url,
                                          .headers = { "Content-Type: application/json", "Accept: application/json" },
                                          .body = order,
                                          .body_size = strlen(order) };
    if (!http_exchange(call->http, &request, &response, err))
        return CARRIER_AGAIN;
    enum carrier_outcome outcome =
        response.status == 409 ? CARRIER_DONE : outcome_of(response.status, CARRIER_REFUSED, err);
    if (outcome == CARRIER_DONE && !take_waybill(&response, waybill))
        return garbled(err);
    return outcome;
}

static enum carrier_outcome get(const struct carrier_call *call, const char *url, struct http_response *response,
                                struct error *err)
{
    const struct http_request request = { .url = url, .headers = { "Accept: application/json" } };

    if (!http_exchange(call->http, &request, response, err))
        return CARRIER_AGAIN;
    return outcome_of(response->status, CARRIER_AGAIN, err);
}

static enum carrier_outcome find(const struct carrier_call *call, const char *order_id, char waybill[WAYBILL_MAX + 1],
                                 struct error *err)
{
    struct http_response response;
    char url[URL_MAX];

    snprintf(url, sizeof url, "%s/shipments?order_id=%s", call->base_url, order_id);
    enum carrier_outcome outcome = get(call, url, &response, err);
    if (outcome == CARRIER_DONE && !take_waybill(&response, waybill))
        return garbled(err);
    return outcome;
}

static void map_code(const char *code, struct tracking_event *event)
{
    event->event = SHIPMENT_MOVED;
    event->known = false;
    for (size_t i = 0; i < COUNT(codes); i++) {
        if (strcmp(codes[i].code, code) == 0) {
            event->event = codes[i].event;
            event->known = true;
        }
    }
}

/* At most TRACKING_REMARK_MAX bytes of text, whole characters only, in the arena. */
static const char *cut_remark(struct arena *arena, const char *text)
{
    size_t n = strnlen(text, TRACKING_REMARK_MAX);

    while (n > 0 && !text_utf8(text, n))
        n--;
    return arena_copy(arena, text, n);
}

static bool read_event(const struct carrier_call *call, const json_t *row, struct tracking_event *event)
{
    const char *time = json_string_value(json_object_get(row, "time"));
    const char *code = json_string_value(json_object_get(row, "code"));
    const char *remark = json_string_value(json_object_get(row, "remark"));

    if (!time || !code || !instant_parse(time, &event->at) || !text_is_ref(code, TRACKING_CODE_MAX, "-_."))
        return false;
    if (event->at.us <= 0 || event->at.us > call->now.us + TRACKING_AHEAD_US)
        return false;
    map_code(code, event);
    event->code = arena_copy(call->arena, code, strlen(code));
    event->remark = cut_remark(call->arena, remark ? remark : "");
    return event->code && event->remark;
}

static enum carrier_outcome read_tracking(const struct carrier_call *call, const struct http_response *response,
                                          struct tracking *tracking, struct error *err)
{
    CLEANUP(json_release) json_t *answer = parse(response);
    const json_t *rows = json_object_get(answer, "events");
    size_t count = json_array_size(rows), read = count < TRACKING_EVENTS_MAX ? count : TRACKING_EVENTS_MAX;

    *tracking = (struct tracking){ .events = arena_alloc(call->arena, (read + 1) * sizeof(struct tracking_event)) };
    if (!json_is_array(rows) || !tracking->events)
        return garbled(err);
    for (size_t i = count - read; i < count; i++) {
        if (read_event(call, json_array_get(rows, i), &tracking->events[tracking->count]))
            tracking->count++;
    }
    tracking->dropped = count - tracking->count;
    return CARRIER_DONE;
}

static enum carrier_outcome track(const struct carrier_call *call, const char *waybill, struct tracking *tracking,
                                  struct error *err)
{
    struct http_response response;
    char url[URL_MAX];

    snprintf(url, sizeof url, "%s/shipments/%s", call->base_url, waybill);
    enum carrier_outcome outcome = get(call, url, &response, err);
    return outcome == CARRIER_DONE ? read_tracking(call, &response, tracking, err) : outcome;
}

const struct carrier_adapter generic_json_adapter = { "generic-json", book, find, track };
