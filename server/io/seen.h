/*
 * seen.h -- which of many texts were there before, in 16 bytes or less for each.
 *
 * Texts are known by 64 bits of their SHA-256: of 5,000,000 texts two have the same once in more than a million files.
 * A zeroed set is empty. Nothing is ever taken out.
 */
#ifndef IO_SEEN_H
#define IO_SEEN_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

struct seen {
    uint64_t *table; /* 0: free; owned */
    size_t size, count;
};

/* *first: it was not there yet. False when memory is out. */
bool seen_add(struct seen *seen, const char *text, bool *first) MUST_USE;
void seen_clear(struct seen *seen);

#endif
