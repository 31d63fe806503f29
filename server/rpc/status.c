#include "rpc/status.h"

#include "base/text.h"
#include "google/rpc/error_details.pb-c.h"
#include "google/rpc/status.pb-c.h"

#include <grpc/slice.h>
#include <stdint.h>
#include <string.h>

#define TYPE(name) (char *)(uintptr_t) "type.googleapis.com/google.rpc." name

enum { DETAIL_PACKED_MAX = 1024, RETRY_OVERLOADED_NS = 200 * 1000 * 1000, RETRY_NS = 500 * 1000 * 1000 };

struct packed {
    Google__Protobuf__Any any;
    uint8_t bytes[DETAIL_PACKED_MAX];
};

static void pack(struct packed *packed, char *type, const ProtobufCMessage *message)
{
    google__protobuf__any__init(&packed->any);
    packed->any.type_url = type;
    packed->any.value.data = packed->bytes;
    if (protobuf_c_message_get_packed_size(message) <= sizeof packed->bytes)
        packed->any.value.len = protobuf_c_message_pack(message, packed->bytes);
}

static void pack_error_info(struct packed *packed, const struct error *err)
{
    Google__Rpc__ErrorInfo__MetadataEntry field = GOOGLE__RPC__ERROR_INFO__METADATA_ENTRY__INIT;
    Google__Rpc__ErrorInfo__MetadataEntry *entries[] = { &field };
    Google__Rpc__ErrorInfo info = GOOGLE__RPC__ERROR_INFO__INIT;

    info.reason = (char *)(uintptr_t)reason_name(err->reason);
    info.domain = (char *)(uintptr_t) "alliance.v1";
    field.key = (char *)(uintptr_t) "field";
    field.value = (char *)(uintptr_t)err->field;
    info.n_metadata = err->field[0] ? 1 : 0;
    info.metadata = entries;
    pack(packed, TYPE("ErrorInfo"), &info.base);
}

static void pack_bad_request(struct packed *packed, const struct error *err, const char *text)
{
    Google__Rpc__BadRequest__FieldViolation violation = GOOGLE__RPC__BAD_REQUEST__FIELD_VIOLATION__INIT;
    Google__Rpc__BadRequest__FieldViolation *violations[] = { &violation };
    Google__Rpc__BadRequest bad = GOOGLE__RPC__BAD_REQUEST__INIT;

    violation.field = (char *)(uintptr_t)err->field;
    violation.description = (char *)(uintptr_t)text;
    bad.n_field_violations = 1;
    bad.field_violations = violations;
    pack(packed, TYPE("BadRequest"), &bad.base);
}

static void pack_retry_info(struct packed *packed, const struct error *err)
{
    Google__Protobuf__Duration delay = GOOGLE__PROTOBUF__DURATION__INIT;
    Google__Rpc__RetryInfo retry = GOOGLE__RPC__RETRY_INFO__INIT;

    delay.nanos = err->reason == REASON_OVERLOADED ? RETRY_OVERLOADED_NS : RETRY_NS;
    retry.retry_delay = &delay;
    pack(packed, TYPE("RetryInfo"), &retry.base);
}

static grpc_slice pack_status(const struct error *err, const char *text)
{
    struct packed packed[3];
    Google__Protobuf__Any *details[3];
    Google__Rpc__Status status = GOOGLE__RPC__STATUS__INIT;

    pack_error_info(&packed[status.n_details++], err);
    if (err->field[0])
        pack_bad_request(&packed[status.n_details++], err, text);
    if (reason_retryable(err->reason))
        pack_retry_info(&packed[status.n_details++], err);
    for (size_t i = 0; i < status.n_details; i++)
        details[i] = &packed[i].any;
    status.code = (int32_t)reason_status(err->reason);
    status.message = (char *)(uintptr_t)text;
    status.details = details;
    grpc_slice slice = grpc_slice_malloc(google__rpc__status__get_packed_size(&status));
    google__rpc__status__pack(&status, GRPC_SLICE_START_PTR(slice));
    return slice;
}

struct rpc_status rpc_status_of(const struct error *err)
{
    if (!err)
        return (struct rpc_status){ .code = GRPC_STATUS_OK, .message = grpc_empty_slice() };
    struct error clean = *err;
    const char *text = error_text(err);
    if (!text_utf8(text, strlen(text))) /* a detail cut in the middle of a character */
        text = reason_text(err->reason);
    if (!text_utf8(err->field, strlen(err->field)))
        clean.field[0] = '\0';
    return (struct rpc_status){
        .code = (grpc_status_code)reason_status(err->reason),
        .message = grpc_slice_from_copied_string(text),
        .detailed = true,
        .details = { .key = grpc_slice_from_static_string("grpc-status-details-bin"),
                     .value = pack_status(&clean, text) },
    };
}

void rpc_status_release(struct rpc_status *status)
{
    grpc_slice_unref(status->message);
    if (status->detailed)
        grpc_slice_unref(status->details.value);
}
