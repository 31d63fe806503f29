/*
 * operator_list.c -- ListMerchants and ListShipments: a page at a time, in the order of a key that never changes.
 */
#include "service/operator_handlers.h"

#include "engine/command.h"
#include "engine/reference.h"
#include "service/check.h"
#include "service/errand.h"
#include "service/page.h"
#include "service/shape.h"
#include "service/velocity.h"
#include "store/db.h"
#include "store/registry_store.h"
#include "store/shipment_read.h"

#include <alliance/v1/operator_service.pb-c.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef Alliance__V1__ListMerchantsRequest ListMerchants;
typedef Alliance__V1__ListMerchantsResponse Merchants;
typedef Alliance__V1__Merchant Merchant;
typedef Alliance__V1__Store Store;
typedef Alliance__V1__Terms Terms;
typedef Alliance__V1__ListShipmentsRequest ListShipments;
typedef Alliance__V1__ListShipmentsResponse Shipments;
typedef Alliance__V1__Shipment Shipment;
typedef Alliance__V1__TrackingEvent Event;

/* A page of merchants ends early when they have this many stores together. */
enum { PAGE_STORES_MAX = 20000 };

/* Merchants */

/* A page while it is put together: rows and the messages made of them have the same index. */
struct merchant_page {
    struct arena *arena;
    const struct registry_merchant_page_row *rows;
    int64_t *numbers;
    Merchant **merchants;
    size_t count;
};

static Alliance__V1__Webhook *shape_webhook(struct arena *arena, const char *url)
{
    Alliance__V1__Webhook *webhook = shape_new(arena, &alliance__v1__webhook__descriptor);

    if (webhook)
        webhook->url = shape_text(arena, url);
    return webhook && webhook->url ? webhook : NULL;
}

static Merchant *shape_merchant(struct arena *arena, const struct registry_merchant_page_row *row,
                                const char *programme_id)
{
    Merchant *merchant = shape_new(arena, &alliance__v1__merchant__descriptor);

    if (!merchant)
        return NULL;
    merchant->merchant_id = shape_text(arena, row->merchant_id);
    merchant->programme_id = (char *)(uintptr_t)programme_id; /* the request's */
    merchant->name = shape_text(arena, row->name);
    merchant->stores = arena_alloc(arena, ((size_t)row->store_count + 1) * sizeof(Store *));
    if (row->webhook_url[0])
        merchant->webhook = shape_webhook(arena, row->webhook_url);
    bool whole = merchant->merchant_id && merchant->name && merchant->stores;
    return whole && (!row->webhook_url[0] || merchant->webhook) ? merchant : NULL;
}

static bool begin_page(struct merchant_page *page, const char *programme_id)
{
    page->numbers = arena_alloc(page->arena, (page->count + 1) * sizeof *page->numbers);
    page->merchants = arena_alloc(page->arena, (page->count + 1) * sizeof(Merchant *));
    if (!page->numbers || !page->merchants)
        return false;
    for (size_t i = 0; i < page->count; i++) {
        page->numbers[i] = page->rows[i].merchant_no;
        page->merchants[i] = shape_merchant(page->arena, &page->rows[i], programme_id);
        if (!page->merchants[i])
            return false;
    }
    return true;
}

/* Pages are short, and rows of one merchant come together: the search begins where the last one ended. */
static size_t index_of(const struct merchant_page *page, int32_t merchant_no, size_t from)
{
    for (size_t i = 0; i < page->count; i++) {
        size_t at = (from + i) % page->count;
        if (page->numbers[at] == merchant_no)
            return at;
    }
    return page->count;
}

static bool add_stores(struct merchant_page *page, const struct registry_store_row *rows, size_t count)
{
    size_t at = 0;

    for (size_t i = 0; i < count; i++) {
        Store *store = shape_new(page->arena, &alliance__v1__store__descriptor);
        at = index_of(page, rows[i].merchant_no, at);
        if (!store || at == page->count)
            return false;
        store->store_id = shape_text(page->arena, rows[i].store_id);
        store->name = shape_text(page->arena, rows[i].name);
        Merchant *merchant = page->merchants[at];
        if (!store->store_id || !store->name)
            return false;
        if ((int64_t)merchant->n_stores < page->rows[at].store_count)
            merchant->stores[merchant->n_stores++] = store;
    }
    return true;
}

static bool shape_velocities(struct arena *arena, const struct registry_terms_row *row, Terms *terms)
{
    const struct velocity terminal = { row->terminal_window_us, row->terminal_max_holds, row->terminal_max_points },
                          merchant = { row->merchant_window_us, row->merchant_max_holds, row->merchant_max_points };

    return velocity_shape(arena, &terminal, &terms->terminal_velocity) &&
           velocity_shape(arena, &merchant, &terms->merchant_velocity);
}

static bool add_terms(struct merchant_page *page, const struct registry_terms_row *rows, size_t count)
{
    size_t at = 0;

    for (size_t i = 0; i < count; i++) {
        Terms *terms = shape_new(page->arena, &alliance__v1__terms__descriptor);
        at = index_of(page, rows[i].merchant_no, at);
        if (!terms || at == page->count)
            return false;
        terms->merchant_id = page->merchants[at]->merchant_id;
        terms->version = rows[i].version;
        terms->effective_from = shape_instant(page->arena, rows[i].effective_from);
        terms->commission_bp = rows[i].commission_bp;
        terms->settlement_currency = shape_text(page->arena, rows[i].currency);
        terms->merchant_category_code = shape_category(page->arena, rows[i].category);
        if (!terms->effective_from || !terms->settlement_currency || !terms->merchant_category_code ||
            !shape_velocities(page->arena, &rows[i], terms))
            return false;
        page->merchants[at]->terms = terms;
    }
    return true;
}

static bool fill_page(struct errand *errand, struct merchant_page *page, int32_t programme_no, struct error *err)
{
    struct registry_no_params programme = { programme_no };
    struct registry_merchants_params of = { .merchants = { page->numbers, page->count } };
    struct registry_now_row now;
    void *stores, *terms;
    size_t store_count, terms_count;
    bool found;

    if (!db_fetch_one(errand->db, &registry_now, &programme, page->arena, &now, &found, err))
        return false;
    of.now = now.now;
    if (!db_fetch(errand->db, &registry_list_stores, &of, page->arena, &stores, &store_count, err) ||
        !db_fetch(errand->db, &registry_list_terms, &of, page->arena, &terms, &terms_count, err))
        return false;
    return (add_stores(page, stores, store_count) && add_terms(page, terms, terms_count)) || errand_no_room(err);
}

/* How many of the rows make the page: no more than asked, and no more stores than fit into an answer. */
static size_t cut(const struct registry_merchant_page_row *rows, size_t count, size_t size)
{
    int64_t stores = 0;
    size_t taken = 0;

    while (taken < count && taken < size) {
        stores += rows[taken].store_count;
        if (taken > 0 && stores > PAGE_STORES_MAX)
            break;
        taken++;
    }
    return taken;
}

static bool list_merchants(struct errand *errand, const struct page *at, int32_t programme_no, struct error *err)
{
    struct merchant_page page = { .arena = &errand->call->arena };
    struct registry_page_params params = { programme_no, at->after, at->size + 1 };
    Merchants *reply = errand_reply(errand, &alliance__v1__list_merchants_response__descriptor, err);
    size_t found;
    void *rows;

    if (!reply || !db_fetch(errand->db, &registry_list_merchants, &params, page.arena, &rows, &found, err))
        return false;
    page.rows = rows;
    page.count = cut(page.rows, found, (size_t)at->size);
    if (!begin_page(&page, ((const ListMerchants *)errand->request)->programme_id))
        return errand_no_room(err);
    if (page.count && !fill_page(errand, &page, programme_no, err))
        return false;
    reply->merchants = page.merchants;
    reply->n_merchants = page.count;
    if (page.count < found)
        reply->next_page_token = page_token(errand->call, at, page.rows[page.count - 1].merchant_id);
    return reply->next_page_token || errand_no_room(err);
}

static bool merchants_work(struct errand *errand, struct error *err)
{
    const ListMerchants *asked = (const ListMerchants *)errand->request;
    const struct programme *programme = reference_programme(errand->reference, asked->programme_id);
    struct page page;

    if (!programme)
        return error_field(err, REASON_PROGRAMME_NOT_FOUND, "programme_id", "%s", "");
    return page_read(errand->call, asked->page_size, asked->page_token, asked->programme_id, &page, err) &&
           list_merchants(errand, &page, programme->no, err);
}

bool operator_list_merchants(struct call *call, const ProtobufCMessage *request, struct error *err)
{
    const ListMerchants *asked = (const ListMerchants *)request;
    struct page page;

    return check_id("programme_id", asked->programme_id, err) &&
           page_read(call, asked->page_size, asked->page_token, asked->programme_id, &page, err) &&
           errand_read(call, request, merchants_work, err);
}

/* Shipments: the key is "<uuid>/<bucket>". */

static bool read_key(const char *key, struct shipment_page_params *params)
{
    char id[UUID_TEXT];

    if (!key[0])
        return true;
    if (strlen(key) <= UUID_TEXT || key[UUID_TEXT - 1] != '/')
        return false;
    memcpy(id, key, UUID_TEXT - 1);
    id[UUID_TEXT - 1] = '\0';
    params->after_bucket = (int32_t)strtol(key + UUID_TEXT, NULL, 10);
    return uuid_parse(id, &params->after_id);
}

static char *write_key(struct call *call, const struct page *page, const struct shipment_page_row *last)
{
    char key[UUID_TEXT + 16], id[UUID_TEXT];

    uuid_format(&last->id, id);
    snprintf(key, sizeof key, "%s/%d", id, (int)last->bucket);
    return page_token(call, page, key);
}

static Shipment *shape_shipment(struct arena *arena, const struct shipment_page_row *row)
{
    char id[REDEMPTION_ID_TEXT];
    Shipment *shipment = shape_new(arena, &alliance__v1__shipment__descriptor);

    if (!shipment)
        return NULL;
    redemption_id_format(&row->id, member_hash16(&row->member_id), id);
    shipment->redemption_id = shape_text(arena, id);
    shipment->carrier_id = shape_text(arena, row->carrier_id);
    shipment->goods_id = shape_text(arena, row->goods_id);
    shipment->waybill = shape_text(arena, row->waybill);
    shipment->state = (Alliance__V1__ShipmentState)row->state;
    shipment->quantity = row->quantity;
    return shipment->redemption_id && shipment->carrier_id && shipment->goods_id && shipment->waybill ? shipment : NULL;
}

static Event *shape_event(struct arena *arena, const struct shipment_event_row *row)
{
    Event *event = shape_new(arena, &alliance__v1__tracking_event__descriptor);

    if (!event)
        return NULL;
    event->time = shape_instant(arena, row->event_at);
    event->state = (Alliance__V1__ShipmentState)row->state;
    event->carrier_code = shape_text(arena, row->carrier_code);
    event->remark = shape_text(arena, row->remark);
    return event->time && event->carrier_code && event->remark ? event : NULL;
}

static bool is_of(const struct shipment_event_row *event, const struct shipment_page_row *row)
{
    return event->bucket == row->bucket && uuid_compare(&event->shipment_id, &row->id) == 0;
}

/* The events of one shipment lie together. */
static bool add_events(struct arena *arena, Shipment *shipment, const struct shipment_page_row *row,
                       const struct shipment_event_row *events, size_t count)
{
    size_t first = 0, n = 0;

    while (first < count && !is_of(&events[first], row))
        first++;
    while (first + n < count && is_of(&events[first + n], row))
        n++;
    shipment->events = arena_alloc(arena, (n + 1) * sizeof(Event *));
    for (size_t i = 0; shipment->events && i < n; i++) {
        shipment->events[i] = shape_event(arena, &events[first + i]);
        if (!shipment->events[i])
            return false;
        shipment->n_events++;
    }
    return shipment->events != NULL;
}

static bool find_events(struct errand *errand, const struct shipment_page_row *rows, size_t count,
                        struct shipment_event_row **events, size_t *event_count, struct error *err)
{
    struct arena *arena = &errand->call->arena;
    int64_t *buckets = arena_alloc(arena, (count + 1) * sizeof *buckets);
    struct uuid *ids = arena_alloc(arena, (count + 1) * sizeof *ids);
    void *fetched;

    if (!buckets || !ids)
        return errand_no_room(err);
    for (size_t i = 0; i < count; i++) {
        buckets[i] = rows[i].bucket;
        ids[i] = rows[i].id;
    }
    struct shipment_events_params params = { { buckets, count }, { ids, count } };
    if (!db_fetch(errand->db, &shipment_list_events, &params, arena, &fetched, event_count, err))
        return false;
    *events = fetched;
    return true;
}

static bool reply_shipments(struct errand *errand, const struct page *at, const struct shipment_page_row *rows,
                            size_t found, struct error *err)
{
    struct arena *arena = &errand->call->arena;
    size_t count = found < (size_t)at->size ? found : (size_t)at->size, event_count = 0;
    Shipments *reply = errand_reply(errand, &alliance__v1__list_shipments_response__descriptor, err);
    struct shipment_event_row *events = NULL;

    if (!reply || !find_events(errand, rows, count, &events, &event_count, err))
        return false;
    reply->shipments = arena_alloc(arena, (count + 1) * sizeof(Shipment *));
    for (size_t i = 0; reply->shipments && i < count; i++) {
        Shipment *shipment = shape_shipment(arena, &rows[i]);
        if (!shipment || !add_events(arena, shipment, &rows[i], events, event_count))
            return errand_no_room(err);
        reply->shipments[reply->n_shipments++] = shipment;
    }
    if (count < found)
        reply->next_page_token = write_key(errand->call, at, &rows[count - 1]);
    return (reply->shipments && reply->next_page_token) || errand_no_room(err);
}

static bool shipments_work(struct errand *errand, struct error *err)
{
    const ListShipments *asked = (const ListShipments *)errand->request;
    const struct programme *programme = reference_programme(errand->reference, asked->programme_id);
    struct page page;
    size_t found;
    void *rows;

    if (!programme)
        return error_field(err, REASON_PROGRAMME_NOT_FOUND, "programme_id", "%s", "");
    struct shipment_page_params params = { .programme_no = programme->no };
    if (!page_read(errand->call, asked->page_size, asked->page_token, asked->programme_id, &page, err))
        return false;
    if (!read_key(page.after, &params))
        return error_field(err, REASON_PAGE_TOKEN_INVALID, "page_token", "%s", "");
    params.limit = page.size + 1;
    return db_fetch(errand->db, &shipment_list, &params, &errand->call->arena, &rows, &found, err) &&
           reply_shipments(errand, &page, rows, found, err);
}

bool operator_list_shipments(struct call *call, const ProtobufCMessage *request, struct error *err)
{
    const ListShipments *asked = (const ListShipments *)request;
    struct page page;

    return check_id("programme_id", asked->programme_id, err) &&
           page_read(call, asked->page_size, asked->page_token, asked->programme_id, &page, err) &&
           errand_read(call, request, shipments_work, err);
}
