#include "base/reason.h"

#include <string.h>

static const struct {
    const char *name;
    enum status status;
    const char *text;
} reasons[] = {
#define REASON(name, status, text) { #name, STATUS_##status, text },
#include "base/reason.def"
#undef REASON
};

static const char *const statuses[] = {
    "OK",        "CANCELLED",       "UNKNOWN",           "INVALID_ARGUMENT",   "DEADLINE_EXCEEDED",
    "NOT_FOUND", "ALREADY_EXISTS",  "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION",
    "ABORTED",   "OUT_OF_RANGE",    "UNIMPLEMENTED",     "INTERNAL",           "UNAVAILABLE",
    "DATA_LOSS", "UNAUTHENTICATED",
};

static enum reason bounded(enum reason reason)
{
    return reason < REASON_COUNT ? reason : REASON_INTERNAL;
}

const char *reason_name(enum reason reason)
{
    return reasons[bounded(reason)].name;
}

const char *reason_text(enum reason reason)
{
    return reasons[bounded(reason)].text;
}

enum status reason_status(enum reason reason)
{
    return reasons[bounded(reason)].status;
}

bool reason_retryable(enum reason reason)
{
    return reason == REASON_OVERLOADED || reason_status(reason) == STATUS_UNAVAILABLE;
}

enum reason reason_by_name(const char *name)
{
    enum reason reason = REASON_OK;

    while (reason < REASON_COUNT && strcmp(reasons[reason].name, name) != 0)
        reason++;
    return reason;
}

const char *status_name(int status)
{
    return status >= 0 && status <= STATUS_UNAUTHENTICATED ? statuses[status] : "UNKNOWN";
}
