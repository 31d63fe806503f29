/*
 * operator_import.c -- ImportMerchants: merchants are collected as they come and registered in one transaction at the
 * end, all or none.
 */
#include "service/operator_handlers.h"

#include "service/check.h"
#include "service/merchant_registration.h"
#include "service/office.h"
#include "service/shape.h"

#include <stdlib.h>

typedef Alliance__V1__RegisterMerchantRequest Row;

enum { IMPORT_MAX = 10000 };

/* A packed Row. */
struct packed {
    uint8_t *at;
    size_t size;
};

/* Of one call; freed by operator_import_close. */
struct import {
    struct arena arena; /* outlives the messages, which do not outlive call_next */
    struct packed rows[IMPORT_MAX];
    size_t count;
};

void operator_import_close(struct call *call)
{
    struct import *import = call->state;

    if (import)
        arena_release(&import->arena);
    free(import);
    call->state = NULL;
}

static bool keep(struct import *import, const ProtobufCMessage *row, struct error *err)
{
    shape_forget_unknown((ProtobufCMessage *)(uintptr_t)row); /* the call's own, and done with after this */
    struct packed packed = { .size = protobuf_c_message_get_packed_size(row) };

    if (import->count == IMPORT_MAX)
        return error_set(err, REASON_MESSAGE_TOO_LARGE, "at most %d merchants can be imported at a time", IMPORT_MAX);
    packed.at = arena_alloc(&import->arena, packed.size);
    if (!packed.at)
        return error_set(err, REASON_MESSAGE_TOO_LARGE, "the merchants are too large to be imported at a time");
    protobuf_c_message_pack(row, packed.at);
    import->rows[import->count++] = packed;
    return true;
}

static bool collect(struct call *call, const Row *row, struct error *err)
{
    struct import *import = call->state;

    if (!import)
        import = call->state = calloc(1, sizeof *import);
    if (!import)
        return error_set(err, REASON_INTERNAL, "out of memory");
    if (!check_set("merchant", row->merchant, err))
        return check_within(err, "[%zu]", import->count);
    if (!merchant_check(call->office, row->merchant, err))
        return check_within(err, "[%zu].merchant", import->count);
    if (!keep(import, &row->base, err))
        return false;
    call_next(call);
    return true;
}

static bool register_one(struct errand *errand, const struct packed *packed, bool *created, struct error *err)
{
    struct merchant_registered registered = { 0 };
    Row *row = alliance__v1__register_merchant_request__unpack(NULL, packed->size, packed->at);
    bool good = row ? merchant_register(errand, row->merchant, &registered, err)
                    : error_set(err, REASON_INTERNAL, "out of memory");

    if (row)
        alliance__v1__register_merchant_request__free_unpacked(row, NULL);
    *created = registered.created;
    return good;
}

static bool import_work(struct errand *errand, struct error *err)
{
    const struct import *import = errand->call->state;
    Alliance__V1__ImportMerchantsResponse *reply =
        errand_reply(errand, &alliance__v1__import_merchants_response__descriptor, err);

    if (!reply)
        return false;
    for (size_t i = 0; import && i < import->count; i++) {
        bool created;
        if (!register_one(errand, &import->rows[i], &created, err))
            return err->field[0] ? check_within(err, "[%zu].merchant", i) : false;
        reply->created += created;
        reply->unchanged += !created;
    }
    return true;
}

bool operator_import_merchants(struct call *call, const ProtobufCMessage *request, struct error *err)
{
    return request ? collect(call, (const Row *)request, err) : errand_write(call, NULL, import_work, err);
}
