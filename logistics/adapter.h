/*
 * adapter.h -- what a carrier must be able to do, whatever its wire format. To add a carrier: one file with a
 * struct carrier_adapter, one row in adapter.c, and the contract test in tests/adapters/test_carrier.c run over it.
 *
 * The contract:
 * - book is idempotent in the carrier's eyes by order_id. When an earlier answer was lost the worker first calls find;
 *   an adapter whose carrier answers "duplicate order" gives that order's waybill and CARRIER_DONE.
 * - every call returns within the client's timeout; nothing is retried inside an adapter: the worker does that.
 * - an adapter maps words, it decides nothing: no state, no clock, no database. It never puts an address, a name or an
 *   answer's content into *err or a log.
 * - track gives all reports the carrier has, in any order; words it does not know have known == false and never fail.
 */
#ifndef LOGISTICS_ADAPTER_H
#define LOGISTICS_ADAPTER_H

#include "base/arena.h"
#include "io/http.h"
#include "shipment.h"

enum carrier_outcome {
    CARRIER_DONE,
    CARRIER_NOT_FOUND, /* find, track: the carrier knows no such order or waybill */
    CARRIER_REFUSED,   /* book: it will never be taken; a person must look */
    CARRIER_AGAIN,     /* unreachable, too busy, or an answer that cannot be understood: nothing is known; try again */
};

/* What is sent. All texts are UTF-8 and borrowed. */
struct parcel {
    const char *order_id; /* our redemption's uuid: the same for every attempt */
    const char *recipient, *phone, *address_line, *city, *postal_code, *country_code;
    const char *goods_id, *goods_name;
    int64_t quantity;
};

/* What every call works with; lives for one call. */
struct carrier_call {
    struct http_client *http;
    const char *base_url; /* without a slash at its end */
    struct arena *arena;  /* answers live here */
    struct instant now;   /* reports from further ahead than TRACKING_AHEAD_US are dropped */
};

struct tracking {
    struct tracking_event *events; /* in the call's arena */
    size_t count;
    size_t dropped; /* rows of the answer that made no sense */
};

/* *err says what happened for every outcome but CARRIER_DONE. */
struct carrier_adapter {
    const char *name; /* as in RegisterCarrier */
    enum carrier_outcome (*book)(const struct carrier_call *call, const struct parcel *parcel,
                                 char waybill[WAYBILL_MAX + 1], struct error *err);
    enum carrier_outcome (*find)(const struct carrier_call *call, const char *order_id, char waybill[WAYBILL_MAX + 1],
                                 struct error *err);
    enum carrier_outcome (*track)(const struct carrier_call *call, const char *waybill, struct tracking *tracking,
                                  struct error *err);
};

/* The adapter of that name, or NULL. */
const struct carrier_adapter *adapter_find(const char *name);

extern const struct carrier_adapter generic_json_adapter;

#endif
