#include "late_fee.h"

#include "base/exact.h"

static int64_t at_least_0(int64_t minor)
{
    return minor > 0 ? minor : 0;
}

bool late_fee_of(const struct late_span *span, int64_t *unpaid_minor, int64_t *fee_minor, struct error *err)
{
    int64_t unpaid, fee, room;

    if (!exact_sub(span->asked_minor, span->received_minor, &unpaid) ||
        !exact_sub(unpaid, span->disputed_minor, &unpaid) ||
        !exact_sub(span->asked_minor, span->charged_minor, &room) ||
        !exact_ratio_half_even(at_least_0(unpaid), span->late_fee_bp, 10000, &fee))
        return error_set(err, REASON_DOES_NOT_TIE, "what is unpaid does not fit");
    room = at_least_0(room);
    *unpaid_minor = at_least_0(unpaid);
    *fee_minor = fee < room ? fee : room;
    return true;
}
