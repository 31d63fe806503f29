#include "backoff.h"

#include "io/crypto.h"

#include <time.h>

int64_t backoff_ms(int attempt, int64_t retry_ms, uint32_t random)
{
    int64_t most = BACKOFF_MOST_MS;

    if (attempt >= 0 && attempt < 16 && ((int64_t)BACKOFF_BASE_MS << attempt) < most)
        most = (int64_t)BACKOFF_BASE_MS << attempt;
    retry_ms = retry_ms < 0 ? 0 : retry_ms > BACKOFF_MOST_MS ? BACKOFF_MOST_MS : retry_ms;
    return retry_ms + random % (most + 1);
}

void backoff_wait(int attempt, int64_t retry_ms)
{
    uint32_t random;

    crypto_random(&random, sizeof random);
    int64_t ms = backoff_ms(attempt, retry_ms, random);
    nanosleep(&(struct timespec){ .tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000 }, NULL);
}
