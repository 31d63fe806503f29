/*
 * What a carrier answers over HTTP. Two bytes are the status, one says what was asked; the rest is the body.
 *
 * The exchange itself is answered here, in place of io/http.c: nothing leaves the process.
 */
#include "fuzz.h"

#include "base/text.h"
#include "logistics/adapter.h"

static struct http_response answer;

bool http_exchange(struct http_client *client, const struct http_request *request, struct http_response *response,
                   struct error *err)
{
    (void)client;
    CLAIM(request->url && strlen(request->url) > 0);
    if (answer.status == 0)
        return error_set(err, REASON_PARTNER_UNREACHABLE, "nobody there");
    *response = answer;
    return true;
}

static void check_tracking(const struct carrier_call *call, const struct tracking *tracking)
{
    for (size_t i = 0; i < tracking->count; i++) {
        const struct tracking_event *event = &tracking->events[i];
        CLAIM(text_is_ref(event->code, TRACKING_CODE_MAX, "-_."));
        CLAIM(strlen(event->remark) <= TRACKING_REMARK_MAX && text_utf8(event->remark, strlen(event->remark)));
        CLAIM(event->at.us > 0 && event->at.us <= call->now.us + TRACKING_AHEAD_US);
    }
}

static void ask(const struct carrier_call *call, uint8_t what)
{
    static const struct parcel parcel = { "id", "Ada", "1", "Street", "Town", "1000", "CN", "kettle", "Kettle", 1 };
    char waybill[WAYBILL_MAX + 1] = "";
    struct tracking tracking = { 0 };
    struct error err = { 0 };
    enum carrier_outcome outcome;

    if (what == 2) {
        outcome = generic_json_adapter.track(call, "W1", &tracking, &err);
        check_tracking(call, &tracking);
    } else {
        outcome = what ? generic_json_adapter.find(call, "id", waybill, &err)
                       : generic_json_adapter.book(call, &parcel, waybill, &err);
        CLAIM(outcome != CARRIER_DONE || text_is_ref(waybill, WAYBILL_MAX, "-_"));
    }
    CLAIM(outcome == CARRIER_DONE || err.reason == REASON_PARTNER_UNREACHABLE);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    CLEANUP(arena_release) struct arena arena = { 0 };
    struct feed feed = { bytes, size };
    struct carrier_call call = { .base_url = "http://carrier", .arena = &arena, .now = { INT64_C(1800000000000000) } };
    uint8_t what = feed_byte(&feed) % 3, status = feed_byte(&feed);

    answer = (struct http_response){ .status = status == 0    ? 0
                                               : status < 128 ? 200
                                                              : 100 + (status - 128) * 4,
                                     .body = arena_copy(&arena, feed.at, feed.size),
                                     .body_size = feed.size };
    ask(&call, what);
    return 0;
}
