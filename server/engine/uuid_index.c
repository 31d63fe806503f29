#include "engine/uuid_index.h"

#include <string.h>

void uuid_index_clear(struct uuid_index *index)
{
    if (index->count > 0)
        memset(index->places, 0, sizeof index->places);
    index->count = 0;
}

/* Version 7 ids differ in their last bytes, version 8 in all of them. */
static uint32_t first_slot(const struct uuid *key)
{
    uint64_t low;

    memcpy(&low, key->bytes + 8, sizeof low);
    return (uint32_t)(low * UINT64_C(0x9e3779b97f4a7c15) >> 51);
}

int uuid_index_find(const struct uuid_index *index, const struct uuid *key)
{
    for (uint32_t slot = first_slot(key);; slot = (slot + 1) % UUID_INDEX_SLOTS) {
        if (index->places[slot] == 0)
            return -1;
        if (uuid_compare(&index->keys[slot], key) == 0)
            return index->places[slot] - 1;
    }
}

void uuid_index_add(struct uuid_index *index, const struct uuid *key, int place)
{
    uint32_t slot = first_slot(key);

    while (index->places[slot] != 0)
        slot = (slot + 1) % UUID_INDEX_SLOTS;
    index->keys[slot] = *key;
    index->places[slot] = (uint16_t)(place + 1);
    index->count++;
}
