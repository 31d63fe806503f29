/*
 * arena.h -- memory that dies together: what one call or one batch needs, given back in one go.
 *
 * A zeroed arena is empty and safe to use and to release. Not thread-safe: one owner at a time.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stddef.h>

struct arena_block;

struct arena {
    struct arena_block *blocks; /* newest first */
    size_t used;                /* bytes handed out since the last reset */
    size_t limit;               /* most bytes it may hand out; 0 means ARENA_LIMIT */
};

enum { ARENA_BLOCK = 16 * 1024, ARENA_LIMIT = 64 * 1024 * 1024 };

/* Zeroed memory aligned for anything, or NULL past the limit or when the system has none. Owned by the arena. */
void *arena_alloc(struct arena *arena, size_t size);
/* A copy of n bytes with a NUL after them, or NULL. */
char *arena_copy(struct arena *arena, const void *bytes, size_t n);
/* Everything is given back; one block is kept for the next use. */
void arena_reset(struct arena *arena);
/* Everything is given back; only the limit stays. */
void arena_release(struct arena *arena);

#endif
