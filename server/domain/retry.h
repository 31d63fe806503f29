/*
 * retry.h -- when may something that failed be tried again? Pure: time and chance are arguments.
 *
 * Attempts are counted from 1. Random numbers spread retries of many rows, so that a partner that comes back is not met
 * by all of them at once.
 */
#ifndef DOMAIN_RETRY_H
#define DOMAIN_RETRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Full jitter: evenly from 0 to min(cap, base * 2^(attempt-1)) milliseconds. */
int64_t retry_full_jitter_ms(int64_t base_ms, int64_t cap_ms, int32_t attempt, uint32_t random);

/*
 * The wait after the attempt-th failure by a schedule: between half of waits_ms[attempt-1] and all of it, the last
 * entry for all attempts beyond. The whole schedule is stretched or shrunk so that its first entry becomes base_ms.
 */
int64_t retry_scheduled_ms(const int64_t *waits_ms, size_t count, int32_t attempt, int64_t base_ms, uint32_t random);

/*
 * A partner that keeps failing is left alone for a while. Closed: everything may be sent. After BREAKER_FAILURES
 * failures in a row: open, nothing may be sent for a time. Then one attempt may; if it fails too, the time doubles.
 * Zeroed is closed.
 */
struct breaker {
    int32_t failures;      /* in a row */
    int64_t open_us;       /* how long it was last opened for */
    int64_t open_until_us; /* on the clock of the caller's now_us */
};

enum { BREAKER_FAILURES = 5 };
#define BREAKER_OPEN_US     INT64_C(10000000)
#define BREAKER_OPEN_MAX_US INT64_C(300000000)

bool breaker_allows(const struct breaker *breaker, int64_t now_us);
/* What became of an attempt; true when this one opened the breaker. */
bool breaker_record(struct breaker *breaker, bool worked, int64_t now_us);

#endif
