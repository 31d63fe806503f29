/* What the server says at the end of a call: its status, and google.rpc.Status in grpc-status-details-bin. */
#include "client/internal.h"

#include "google/rpc/error_details.pb-c.h"
#include "google/rpc/status.pb-c.h"

#include <grpc/slice.h>
#include <grpc/support/alloc.h>
#include <stdio.h>
#include <string.h>

void ending_init(struct ending *ending)
{
    grpc_metadata_array_init(&ending->initial);
    grpc_metadata_array_init(&ending->trailing);
    ending->code = GRPC_STATUS_UNKNOWN;
    ending->message = grpc_empty_slice();
}

void ending_clear(struct ending *ending)
{
    ending->initial.count = ending->trailing.count = 0;
    grpc_slice_unref(ending->message);
    ending->message = grpc_empty_slice();
}

void ending_release(struct ending *ending)
{
    grpc_metadata_array_destroy(&ending->initial);
    grpc_metadata_array_destroy(&ending->trailing);
    grpc_slice_unref(ending->message);
}

grpc_op ending_initial_op(struct ending *ending)
{
    grpc_op op = { .op = GRPC_OP_RECV_INITIAL_METADATA };

    op.data.recv_initial_metadata.recv_initial_metadata = &ending->initial;
    return op;
}

grpc_op ending_status_op(struct ending *ending)
{
    grpc_op op = { .op = GRPC_OP_RECV_STATUS_ON_CLIENT };

    op.data.recv_status_on_client.trailing_metadata = &ending->trailing;
    op.data.recv_status_on_client.status = &ending->code;
    op.data.recv_status_on_client.status_details = &ending->message;
    return op;
}

static void take_error_info(const Google__Protobuf__Any *any, struct client_status *status)
{
    Google__Rpc__ErrorInfo *info = google__rpc__error_info__unpack(NULL, any->value.len, any->value.data);

    if (!info)
        return;
    snprintf(status->reason, sizeof status->reason, "%s", info->reason);
    snprintf(status->domain, sizeof status->domain, "%s", info->domain);
    google__rpc__error_info__free_unpacked(info, NULL);
}

static void take_bad_request(const Google__Protobuf__Any *any, struct client_status *status)
{
    Google__Rpc__BadRequest *bad = google__rpc__bad_request__unpack(NULL, any->value.len, any->value.data);

    if (!bad)
        return;
    if (bad->n_field_violations)
        snprintf(status->field, sizeof status->field, "%s", bad->field_violations[0]->field);
    google__rpc__bad_request__free_unpacked(bad, NULL);
}

static void take_retry_info(const Google__Protobuf__Any *any, struct client_status *status)
{
    Google__Rpc__RetryInfo *retry = google__rpc__retry_info__unpack(NULL, any->value.len, any->value.data);

    if (!retry)
        return;
    if (retry->retry_delay)
        status->retry_ms = retry->retry_delay->seconds * 1000 + retry->retry_delay->nanos / 1000000;
    google__rpc__retry_info__free_unpacked(retry, NULL);
}

static const struct {
    const char *type;
    void (*take)(const Google__Protobuf__Any *any, struct client_status *status);
} details[] = {
    { "type.googleapis.com/google.rpc.ErrorInfo", take_error_info },
    { "type.googleapis.com/google.rpc.BadRequest", take_bad_request },
    { "type.googleapis.com/google.rpc.RetryInfo", take_retry_info },
};

static void take_details(grpc_slice packed, struct client_status *status)
{
    Google__Rpc__Status *said =
        google__rpc__status__unpack(NULL, GRPC_SLICE_LENGTH(packed), GRPC_SLICE_START_PTR(packed));

    for (size_t i = 0; said && i < said->n_details; i++) {
        for (size_t k = 0; k < COUNT(details); k++) {
            if (strcmp(said->details[i]->type_url, details[k].type) == 0)
                details[k].take(said->details[i], status);
        }
    }
    if (said)
        google__rpc__status__free_unpacked(said, NULL);
}

void client_status_local(struct client_status *status, int code, const char *message)
{
    *status = (struct client_status){ .code = code, .retry_ms = -1 };
    snprintf(status->message, sizeof status->message, "%s", message);
}

void ending_status(const struct ending *ending, struct client_status *status)
{
    client_status_local(status, (int)ending->code, "");
    size_t size = GRPC_SLICE_LENGTH(ending->message);
    if (size >= sizeof status->message)
        size = sizeof status->message - 1;
    memcpy(status->message, GRPC_SLICE_START_PTR(ending->message), size);
    status->message[size] = '\0';
    for (size_t i = 0; i < ending->trailing.count; i++) {
        if (grpc_slice_str_cmp(ending->trailing.metadata[i].key, "grpc-status-details-bin") == 0)
            take_details(ending->trailing.metadata[i].value, status);
    }
}

/* For answers that carry no reason: from the core itself, from a proxy, or when the server cannot be reached. */
static const struct {
    int code;
    enum reason reason;
} nearest[] = {
    { STATUS_OK, REASON_OK },
    { STATUS_CANCELLED, REASON_CANCELLED },
    { STATUS_INVALID_ARGUMENT, REASON_MESSAGE_MALFORMED },
    { STATUS_DEADLINE_EXCEEDED, REASON_DEADLINE_PASSED },
    { STATUS_PERMISSION_DENIED, REASON_ROLE_NOT_ALLOWED },
    { STATUS_RESOURCE_EXHAUSTED, REASON_OVERLOADED },
    { STATUS_UNIMPLEMENTED, REASON_METHOD_UNKNOWN },
    { STATUS_UNAVAILABLE, REASON_TRY_AGAIN },
    { STATUS_UNAUTHENTICATED, REASON_UNAUTHENTICATED },
};

void client_status_error(const struct client_status *status, struct error *err)
{
    enum reason reason = status->reason[0] ? reason_by_name(status->reason) : REASON_COUNT;

    for (size_t i = 0; reason == REASON_COUNT && i < COUNT(nearest); i++) {
        if (nearest[i].code == status->code)
            reason = nearest[i].reason;
    }
    *err = (struct error){ .reason = reason == REASON_COUNT ? REASON_INTERNAL : reason };
    memcpy(err->field, status->field, sizeof err->field);
    snprintf(err->detail, sizeof err->detail, "%.*s", ERROR_DETAIL_MAX - 1, status->message);
}
