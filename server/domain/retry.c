#include "domain/retry.h"

/* value * random / 2^32, rounded down: evenly from 0 to just below value. */
static int64_t share_floor(int64_t value, uint32_t random)
{
    return (int64_t)((unsigned __int128)value * random >> 32);
}

int64_t retry_full_jitter_ms(int64_t base_ms, int64_t cap_ms, int32_t attempt, uint32_t random)
{
    int64_t most = base_ms < cap_ms ? base_ms : cap_ms;

    for (int32_t i = 1; i < attempt && most < cap_ms; i++)
        most = most > cap_ms / 2 ? cap_ms : most * 2;
    return share_floor(most + 1, random);
}

int64_t retry_scheduled_ms(const int64_t *waits_ms, size_t count, int32_t attempt, int64_t base_ms, uint32_t random)
{
    size_t row = attempt > 0 ? (size_t)attempt - 1 : 0;
    int64_t whole = waits_ms[row < count ? row : count - 1] * base_ms / waits_ms[0];

    return whole - share_floor(whole / 2 + 1, random);
}

bool breaker_allows(const struct breaker *breaker, int64_t now_us)
{
    return now_us >= breaker->open_until_us;
}

bool breaker_record(struct breaker *breaker, bool worked, int64_t now_us)
{
    if (worked) {
        *breaker = (struct breaker){ 0 };
        return false;
    }
    if (++breaker->failures < BREAKER_FAILURES)
        return false;
    int64_t twice = breaker->open_us * 2;
    breaker->open_us = twice == 0 ? BREAKER_OPEN_US : twice < BREAKER_OPEN_MAX_US ? twice : BREAKER_OPEN_MAX_US;
    breaker->open_until_us = now_us + breaker->open_us;
    return true;
}
