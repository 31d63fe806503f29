/*
 * day_close.h -- ends a programme's business date: moves the fences, sums the day, seals it.
 *
 * Not the lanes' business: they go on writing throughout, from then on for the next day. What a closed day holds can
 * only be corrected by entries of a later day.
 */
#ifndef SETTLEMENT_DAY_CLOSE_H
#define SETTLEMENT_DAY_CLOSE_H

#include "base/when.h"
#include "close.h"

struct day_closed {
    struct date date;
    bool already;        /* it was closed before; entry_count is that of its seals all the same */
    int64_t entry_count; /* of all kinds, in all buckets */
};

/* Called after each day. */
typedef void day_close_told(void *owner, const struct day_closed *day);

/* Which days to close; the zero date stands for "not given". */
struct day_order {
    struct date only;  /* must be the open day, or closed already */
    struct date until; /* one after another, this one included */
    bool due;          /* every day that is over; none is no error */
    day_close_told *tell;
    void *owner;
};

/*
 * Closes what is asked for: by default the open day. The run is one that close_begin has begun.
 * DAY_NOT_OVER before the day's end by programme time (but not with due); FIELD_INVALID for a day that cannot be closed
 * now.
 */
bool day_close(struct close_run *run, const struct day_order *order, struct error *err) MUST_USE;

#endif
