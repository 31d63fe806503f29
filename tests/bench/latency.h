/*
 * latency.h -- how long calls took, counted in buckets 1.6 % wide: quantiles of millions of calls in 16 KiB.
 *
 * Not thread-safe. A zeroed struct is empty.
 */
#ifndef BENCH_LATENCY_H
#define BENCH_LATENCY_H

#include <stdint.h>

enum { LATENCY_FINE = 64, LATENCY_BUCKETS = 32 * LATENCY_FINE };

struct latency {
    uint64_t total;
    uint64_t counts[LATENCY_BUCKETS];
};

/* Below 64 µs each microsecond has a bucket; above, each power of two has 64. */
static inline uint32_t latency_bucket(uint64_t us)
{
    if (us < LATENCY_FINE)
        return (uint32_t)us;
    uint32_t shift = 57 - (uint32_t)__builtin_clzll(us);
    uint32_t bucket = shift * LATENCY_FINE + (uint32_t)(us >> shift);
    return bucket < LATENCY_BUCKETS ? bucket : LATENCY_BUCKETS - 1;
}

static inline void latency_add(struct latency *latency, int64_t us)
{
    latency->counts[latency_bucket(us > 0 ? (uint64_t)us : 0)]++;
    latency->total++;
}

/* The lower edge in µs of the bucket that holds the call of that rank; 0 when nothing was counted. */
static inline int64_t latency_quantile(const struct latency *latency, uint64_t per_thousand)
{
    uint64_t rank = latency->total * per_thousand / 1000, seen = 0;

    for (uint32_t i = 0; i < LATENCY_BUCKETS; i++) {
        seen += latency->counts[i];
        if (seen > rank)
            return i < 2 * LATENCY_FINE ? i : (int64_t)(i % LATENCY_FINE + LATENCY_FINE) << (i / LATENCY_FINE - 1);
    }
    return 0;
}

#endif
