/*
 * reason.h -- the words the system answers with, from the one list in reason.def.
 *
 * A reason is stable and sent to callers; its gRPC status is a number here because this layer knows nothing of gRPC
 * (the numbers are those of the gRPC specification, doc/statuscodes.md).
 */
#ifndef BASE_REASON_H
#define BASE_REASON_H

#include <stdbool.h>
#include <stdint.h>

enum reason {
#define REASON(name, status, text) REASON_##name,
#include "base/reason.def"
#undef REASON
    REASON_COUNT
};

enum status {
    STATUS_OK = 0,
    STATUS_CANCELLED = 1,
    STATUS_UNKNOWN = 2,
    STATUS_INVALID_ARGUMENT = 3,
    STATUS_DEADLINE_EXCEEDED = 4,
    STATUS_NOT_FOUND = 5,
    STATUS_ALREADY_EXISTS = 6,
    STATUS_PERMISSION_DENIED = 7,
    STATUS_RESOURCE_EXHAUSTED = 8,
    STATUS_FAILED_PRECONDITION = 9,
    STATUS_ABORTED = 10,
    STATUS_OUT_OF_RANGE = 11,
    STATUS_UNIMPLEMENTED = 12,
    STATUS_INTERNAL = 13,
    STATUS_UNAVAILABLE = 14,
    STATUS_DATA_LOSS = 15,
    STATUS_UNAUTHENTICATED = 16,
};

/* "INSUFFICIENT_POINTS"; never NULL. */
const char *reason_name(enum reason reason);
/* The sentence for the caller; never NULL. */
const char *reason_text(enum reason reason);
/* The gRPC status. */
enum status reason_status(enum reason reason);
/* true when the same request with the same request_id may be sent again. */
bool reason_retryable(enum reason reason);
/* The reason of that name, or REASON_COUNT. */
enum reason reason_by_name(const char *name);
/* "INVALID_ARGUMENT" for 3; "UNKNOWN" for a number there is no status for. */
const char *status_name(int status);

#endif
