#include "base/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct arena_block {
    struct arena_block *next;
    size_t size, used;
    alignas(max_align_t) uint8_t bytes[];
};

static struct arena_block *add_block(struct arena *arena, size_t size)
{
    size_t bytes = size > ARENA_BLOCK ? size : ARENA_BLOCK;
    struct arena_block *block = malloc(sizeof *block + bytes);

    if (!block)
        return NULL;
    *block = (struct arena_block){ .next = arena->blocks, .size = bytes };
    return arena->blocks = block;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    size_t limit = arena->limit ? arena->limit : ARENA_LIMIT;

    if (size > limit - (arena->used < limit ? arena->used : limit))
        return NULL;
    size = (size + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
    struct arena_block *block = arena->blocks;
    if (!block || block->size - block->used < size)
        block = add_block(arena, size);
    if (!block)
        return NULL;
    void *memory = block->bytes + block->used;
    block->used += size;
    arena->used += size;
    return memset(memory, 0, size);
}

char *arena_copy(struct arena *arena, const void *bytes, size_t n)
{
    char *copy = n < SIZE_MAX ? arena_alloc(arena, n + 1) : NULL;

    if (copy && n)
        memcpy(copy, bytes, n);
    return copy;
}

void arena_reset(struct arena *arena)
{
    struct arena_block *keep = NULL;

    for (struct arena_block *block = arena->blocks, *next; block; block = next) {
        next = block->next;
        if (!keep && block->size == ARENA_BLOCK)
            keep = block;
        else
            free(block);
    }
    if (keep)
        keep->next = NULL, keep->used = 0;
    arena->blocks = keep;
    arena->used = 0;
}

void arena_release(struct arena *arena)
{
    for (struct arena_block *block = arena->blocks, *next; block; block = next) {
        next = block->next;
        free(block);
    }
    arena->blocks = NULL;
    arena->used = 0;
}
