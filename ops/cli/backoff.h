/*
 * backoff.h -- how long to wait before the same request is sent again: full jitter, so that many clients do not come
 * back together.
 */
#ifndef CLI_BACKOFF_H
#define CLI_BACKOFF_H

#include <stdint.h>

/* Attempts after the first: some ten seconds in all. */
enum { BACKOFF_ATTEMPTS = 8, BACKOFF_BASE_MS = 200, BACKOFF_MOST_MS = 5000 };

/* Milliseconds before attempt 1, 2, ...: anything from retry_ms up to retry_ms + min(most, base * 2^attempt). random is
 * any number; retry_ms is what the server asked for, or negative. Pure. */
int64_t backoff_ms(int attempt, int64_t retry_ms, uint32_t random);
/* Sleeps that long. */
void backoff_wait(int attempt, int64_t retry_ms);

#endif
