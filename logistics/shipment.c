#include "shipment.h"

#include "io/crypto.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* clang-format off */
static const struct shipment_transition transitions[] = {
    { SHIPMENT_CREATED,          SHIPMENT_IS_BOOKED,     SHIPMENT_BOOKED,           "the carrier gave a waybill" },
    { SHIPMENT_CREATED,          SHIPMENT_IS_REFUSED,    SHIPMENT_REFUSED,          "the carrier will not take it" },

    { SHIPMENT_BOOKED,           SHIPMENT_WAS_COLLECTED, SHIPMENT_COLLECTED,        "the carrier has the parcel" },
    { SHIPMENT_BOOKED,           SHIPMENT_MOVED,         SHIPMENT_IN_TRANSIT,       "on its way; nobody scanned the collection" },
    { SHIPMENT_BOOKED,           SHIPMENT_GOES_OUT,      SHIPMENT_OUT_FOR_DELIVERY, "on the last van" },
    { SHIPMENT_BOOKED,           SHIPMENT_WAS_DELIVERED, SHIPMENT_DELIVERED,        "handed over" },
    { SHIPMENT_BOOKED,           SHIPMENT_HAS_PROBLEM,   SHIPMENT_EXCEPTION,        "the carrier reports a problem" },
    { SHIPMENT_BOOKED,           SHIPMENT_CAME_BACK,     SHIPMENT_RETURNED,         "back at the sender" },

    { SHIPMENT_COLLECTED,        SHIPMENT_WAS_COLLECTED, SHIPMENT_COLLECTED,        "scanned again" },
    { SHIPMENT_COLLECTED,        SHIPMENT_MOVED,         SHIPMENT_IN_TRANSIT,       "on its way" },
    { SHIPMENT_COLLECTED,        SHIPMENT_GOES_OUT,      SHIPMENT_OUT_FOR_DELIVERY, "on the last van" },
    { SHIPMENT_COLLECTED,        SHIPMENT_WAS_DELIVERED, SHIPMENT_DELIVERED,        "handed over" },
    { SHIPMENT_COLLECTED,        SHIPMENT_HAS_PROBLEM,   SHIPMENT_EXCEPTION,        "the carrier reports a problem" },
    { SHIPMENT_COLLECTED,        SHIPMENT_CAME_BACK,     SHIPMENT_RETURNED,         "back at the sender" },

    { SHIPMENT_IN_TRANSIT,       SHIPMENT_MOVED,         SHIPMENT_IN_TRANSIT,       "scanned again" },
    { SHIPMENT_IN_TRANSIT,       SHIPMENT_GOES_OUT,      SHIPMENT_OUT_FOR_DELIVERY, "on the last van" },
    { SHIPMENT_IN_TRANSIT,       SHIPMENT_WAS_DELIVERED, SHIPMENT_DELIVERED,        "handed over" },
    { SHIPMENT_IN_TRANSIT,       SHIPMENT_HAS_PROBLEM,   SHIPMENT_EXCEPTION,        "the carrier reports a problem" },
    { SHIPMENT_IN_TRANSIT,       SHIPMENT_CAME_BACK,     SHIPMENT_RETURNED,         "back at the sender" },

    { SHIPMENT_OUT_FOR_DELIVERY, SHIPMENT_MOVED,         SHIPMENT_IN_TRANSIT,       "nobody was there; back at the depot" },
    { SHIPMENT_OUT_FOR_DELIVERY, SHIPMENT_GOES_OUT,      SHIPMENT_OUT_FOR_DELIVERY, "on the van again" },
    { SHIPMENT_OUT_FOR_DELIVERY, SHIPMENT_WAS_DELIVERED, SHIPMENT_DELIVERED,        "handed over" },
    { SHIPMENT_OUT_FOR_DELIVERY, SHIPMENT_HAS_PROBLEM,   SHIPMENT_EXCEPTION,        "the carrier reports a problem" },
    { SHIPMENT_OUT_FOR_DELIVERY, SHIPMENT_CAME_BACK,     SHIPMENT_RETURNED,         "back at the sender" },

    { SHIPMENT_EXCEPTION,        SHIPMENT_WAS_COLLECTED, SHIPMENT_COLLECTED,        "collected after all" },
    { SHIPMENT_EXCEPTION,        SHIPMENT_MOVED,         SHIPMENT_IN_TRANSIT,       "on its way again" },
    { SHIPMENT_EXCEPTION,        SHIPMENT_GOES_OUT,      SHIPMENT_OUT_FOR_DELIVERY, "on the van after a problem" },
    { SHIPMENT_EXCEPTION,        SHIPMENT_WAS_DELIVERED, SHIPMENT_DELIVERED,        "handed over after a problem" },
    { SHIPMENT_EXCEPTION,        SHIPMENT_HAS_PROBLEM,   SHIPMENT_EXCEPTION,        "another problem" },
    { SHIPMENT_EXCEPTION,        SHIPMENT_CAME_BACK,     SHIPMENT_RETURNED,         "back at the sender" },
};
/* clang-format on */

static const enum shipment_state stands_for[SHIPMENT_EVENTS] = {
    [SHIPMENT_IS_BOOKED] = SHIPMENT_BOOKED,          [SHIPMENT_IS_REFUSED] = SHIPMENT_REFUSED,
    [SHIPMENT_WAS_COLLECTED] = SHIPMENT_COLLECTED,   [SHIPMENT_MOVED] = SHIPMENT_IN_TRANSIT,
    [SHIPMENT_GOES_OUT] = SHIPMENT_OUT_FOR_DELIVERY, [SHIPMENT_WAS_DELIVERED] = SHIPMENT_DELIVERED,
    [SHIPMENT_HAS_PROBLEM] = SHIPMENT_EXCEPTION,     [SHIPMENT_CAME_BACK] = SHIPMENT_RETURNED,
};

const struct shipment_transition *shipment_transition(enum shipment_state from, enum shipment_event event)
{
    for (size_t i = 0; i < COUNT(transitions); i++) {
        if (transitions[i].from == from && transitions[i].event == event)
            return &transitions[i];
    }
    return NULL;
}

enum shipment_state shipment_event_state(enum shipment_event event)
{
    return stands_for[event];
}

bool shipment_is_final(enum shipment_state state)
{
    return state == SHIPMENT_DELIVERED || state == SHIPMENT_RETURNED || state == SHIPMENT_REFUSED;
}

bool shipment_advance(struct shipment_head *head, const struct tracking_event *report)
{
    const struct shipment_transition *row = shipment_transition(head->state, report->event);

    if (!row || report->at.us < head->at.us)
        return false;
    if (report->at.us == head->at.us && row->to <= head->state)
        return false;
    *head = (struct shipment_head){ row->to, report->at };
    return true;
}

static int by_time_and_rank(const void *left, const void *right)
{
    const struct tracking_event *a = left, *b = right;

    if (a->at.us != b->at.us)
        return a->at.us < b->at.us ? -1 : 1;
    return (int)stands_for[a->event] - (int)stands_for[b->event];
}

void shipment_sort(struct tracking_event *reports, size_t count)
{
    if (count > 0)
        qsort(reports, count, sizeof *reports, by_time_and_rank);
}

void shipment_dedupe_key(const char *waybill, const struct tracking_event *report, uint8_t key[DEDUPE_BYTES])
{
    char prefix[WAYBILL_MAX + INSTANT_TEXT + TRACKING_CODE_MAX + 3], at[INSTANT_TEXT];

    instant_format(report->at, at);
    int n =
        snprintf(prefix, sizeof prefix, "%.*s\n%s\n%.*s\n", WAYBILL_MAX, waybill, at, TRACKING_CODE_MAX, report->code);
    crypto_sha256_two(prefix, (size_t)n, report->remark, strlen(report->remark), key);
}

const char *shipment_state_name(int state)
{
    static const char *const names[SHIPMENT_STATES] = {
        [SHIPMENT_NONE] = "NONE",
        [SHIPMENT_CREATED] = "CREATED",
        [SHIPMENT_BOOKED] = "BOOKED",
        [SHIPMENT_COLLECTED] = "COLLECTED",
        [SHIPMENT_IN_TRANSIT] = "IN_TRANSIT",
        [SHIPMENT_OUT_FOR_DELIVERY] = "OUT_FOR_DELIVERY",
        [SHIPMENT_DELIVERED] = "DELIVERED",
        [SHIPMENT_EXCEPTION] = "EXCEPTION",
        [SHIPMENT_RETURNED] = "RETURNED",
        [SHIPMENT_REFUSED] = "REFUSED",
    };

    return state >= 0 && state < SHIPMENT_STATES ? names[state] : "?";
}
