/*
 * uuid_index.h -- where in an array is the thing with this uuid? A fixed open-addressing table for one batch.
 */
#ifndef ENGINE_UUID_INDEX_H
#define ENGINE_UUID_INDEX_H

#include "base/uuid.h"

#include <stdint.h>

enum { UUID_INDEX_SLOTS = 8192, UUID_INDEX_MAX = UUID_INDEX_SLOTS / 2 };

struct uuid_index {
    uint32_t count;
    uint16_t places[UUID_INDEX_SLOTS]; /* place + 1; 0 is free */
    struct uuid keys[UUID_INDEX_SLOTS];
};

void uuid_index_clear(struct uuid_index *index);
/* The place, or -1. */
int uuid_index_find(const struct uuid_index *index, const struct uuid *key);
/* The key is new and there are fewer than UUID_INDEX_MAX: the caller's limits see to it. */
void uuid_index_add(struct uuid_index *index, const struct uuid *key, int place);

#endif
