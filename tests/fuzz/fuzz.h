/*
 * fuzz.h -- what every fuzz_*.c shares: a claim that must hold, and an input taken apart piece by piece.
 *
 * A target gets any bytes at all. Beside not crashing (the sanitizers watch that), it claims something of what it
 * accepted: that it survives a way out and in again, or that an independent reckoning says the same. No state is kept
 * between inputs but what costs too much to make anew.
 */
#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

#include "base/arena.h"
#include "base/error.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* Ends the program with the claim's own words, so that the input is kept as a crash. */
#define CLAIM(condition) fuzz_claim((condition), #condition, __FILE__, __LINE__)

static inline void fuzz_claim(bool holds, const char *claim, const char *file, int line)
{
    if (holds)
        return;
    fprintf(stderr, "%s:%d: this does not hold: %s\n", file, line, claim);
    abort();
}

/* What is left of an input. Takes beyond its end give zeros and empty texts. */
struct feed {
    const uint8_t *at;
    size_t size;
};

static inline void feed_bytes(struct feed *feed, void *out, size_t size)
{
    size_t n = size < feed->size ? size : feed->size;

    memset(out, 0, size);
    if (n)
        memcpy(out, feed->at, n);
    feed->at += n;
    feed->size -= n;
}

static inline uint8_t feed_byte(struct feed *feed)
{
    uint8_t byte;

    feed_bytes(feed, &byte, sizeof byte);
    return byte;
}

static inline int64_t feed_int64(struct feed *feed)
{
    int64_t value;

    feed_bytes(feed, &value, sizeof value);
    return value;
}

/* The bytes up to the next newline, which is passed over; they may hold anything else, NUL included. */
static inline struct feed feed_line(struct feed *feed)
{
    const uint8_t *end = feed->size ? memchr(feed->at, '\n', feed->size) : NULL;
    struct feed line = { feed->at, end ? (size_t)(end - feed->at) : feed->size };
    size_t taken = line.size + (end != NULL);

    feed->at += taken;
    feed->size -= taken;
    return line;
}

/* The same as text: it ends at its first NUL. In the arena. */
static inline char *feed_text(struct feed *feed, struct arena *arena)
{
    struct feed line = feed_line(feed);
    char *text = arena_copy(arena, line.at, line.size);

    CLAIM(text != NULL);
    return text;
}

#endif
