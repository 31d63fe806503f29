/*
 * shipment.h -- where a parcel stands, and which report of the carrier moves it. Pure: no I/O; time is an argument.
 *
 * Carriers report late, twice and out of order. Every report is kept; the head -- the state people see -- moves only
 * forward in the carrier's own time: by a report that is newer, or as new and further on (rank), and only where
 * the table has a row. DELIVERED, RETURNED and REFUSED are final.
 */
#ifndef LOGISTICS_SHIPMENT_H
#define LOGISTICS_SHIPMENT_H

#include "base/error.h"
#include "base/when.h"

#include <stddef.h>
#include <stdint.h>

/* The numbers of ShipmentState in operator_service.proto; stored. Their order is the rank. */
enum shipment_state {
    SHIPMENT_NONE,
    SHIPMENT_CREATED,
    SHIPMENT_BOOKED,
    SHIPMENT_COLLECTED,
    SHIPMENT_IN_TRANSIT,
    SHIPMENT_OUT_FOR_DELIVERY,
    SHIPMENT_DELIVERED,
    SHIPMENT_EXCEPTION,
    SHIPMENT_RETURNED,
    SHIPMENT_REFUSED,
    SHIPMENT_STATES
};

enum shipment_event {
    SHIPMENT_IS_BOOKED,
    SHIPMENT_IS_REFUSED,
    SHIPMENT_WAS_COLLECTED,
    SHIPMENT_MOVED,
    SHIPMENT_GOES_OUT,
    SHIPMENT_WAS_DELIVERED,
    SHIPMENT_HAS_PROBLEM,
    SHIPMENT_CAME_BACK,
    SHIPMENT_EVENTS
};

enum {
    TRACKING_EVENTS_MAX = 200, /* of one answer */
    TRACKING_CODE_MAX = 64,    /* bytes */
    TRACKING_REMARK_MAX = 300, /* bytes; longer ones are cut at a character */
    WAYBILL_MAX = 64,          /* bytes */
    DEDUPE_BYTES = 32,
};
/* A report from further ahead than this is not believed: it would hold the head for ever. */
#define TRACKING_AHEAD_US (INT64_C(86400) * US_PER_SECOND)

struct shipment_transition {
    enum shipment_state from;
    enum shipment_event event;
    enum shipment_state to;
    const char *sentence; /* for people */
};
/* The row for that pair, or NULL: then the event does not move the shipment. */
const struct shipment_transition *shipment_transition(enum shipment_state from, enum shipment_event event);

/* One report, as the adapter has understood it. Texts are borrowed. */
struct tracking_event {
    struct instant at;
    enum shipment_event event;
    bool known;         /* false: the carrier's word is none of its documented ones; taken as SHIPMENT_MOVED */
    const char *code;   /* the carrier's own word, 1 to TRACKING_CODE_MAX bytes */
    const char *remark; /* at most TRACKING_REMARK_MAX bytes; may be "" */
};

struct shipment_head {
    enum shipment_state state;
    struct instant at; /* of the report that set the state; 1970 while there is none */
};

/* The state an event stands for, wherever the shipment is: what is stored with the report. */
enum shipment_state shipment_event_state(enum shipment_event event);
/* true when the report moves the head (and then it has). */
bool shipment_advance(struct shipment_head *head, const struct tracking_event *report);
/* Puts reports in the order in which they are to be applied: by time, then rank. */
void shipment_sort(struct tracking_event *reports, size_t count);
/* The same report of the same parcel has the same key, however often it arrives. */
void shipment_dedupe_key(const char *waybill, const struct tracking_event *report, uint8_t key[DEDUPE_BYTES]);
/* true for states in which there is nothing more to ask the carrier. */
bool shipment_is_final(enum shipment_state state);
/* "IN_TRANSIT"; "?" for a number that is no state. */
const char *shipment_state_name(int state);

#endif
