#include "engine/verify_walk.h"

#include <stdlib.h>
#include <string.h>

enum { SLOTS_FIRST = 1024 };

/* Version 7 ids differ in their last bytes, version 8 in all, days in their first: all of them count. */
static size_t first_slot(const struct verify_map *map, const struct uuid *key)
{
    uint64_t high, low;

    memcpy(&high, key->bytes, sizeof high);
    memcpy(&low, key->bytes + 8, sizeof low);
    return (size_t)(((high ^ (low << 1 | low >> 63)) * UINT64_C(0x9e3779b97f4a7c15)) >> 32) & (map->slots - 1);
}

void verify_map_clear(struct verify_map *map)
{
    if (map->count > 0)
        memset(map->places, 0, map->slots * sizeof *map->places);
    map->count = 0;
}

void verify_map_release(struct verify_map *map)
{
    free(map->keys);
    free(map->places);
    *map = (struct verify_map){ 0 };
}

int64_t verify_map_find(const struct verify_map *map, const struct uuid *key)
{
    if (map->slots == 0)
        return -1;
    for (size_t slot = first_slot(map, key);; slot = (slot + 1) & (map->slots - 1)) {
        if (map->places[slot] == 0)
            return -1;
        if (uuid_compare(&map->keys[slot], key) == 0)
            return (int64_t)map->places[slot] - 1;
    }
}

static void put(struct verify_map *map, const struct uuid *key, uint32_t place)
{
    size_t slot = first_slot(map, key);

    while (map->places[slot] != 0)
        slot = (slot + 1) & (map->slots - 1);
    map->keys[slot] = *key;
    map->places[slot] = place;
    map->count++;
}

static bool widen(struct verify_map *map)
{
    struct verify_map wide = { .slots = map->slots ? map->slots * 2 : SLOTS_FIRST };

    wide.keys = calloc(wide.slots, sizeof *wide.keys);
    wide.places = calloc(wide.slots, sizeof *wide.places);
    if (!wide.keys || !wide.places) {
        verify_map_release(&wide);
        return false;
    }
    for (size_t i = 0; i < map->slots; i++) {
        if (map->places[i] != 0)
            put(&wide, &map->keys[i], map->places[i]);
    }
    verify_map_release(map);
    *map = wide;
    return true;
}

bool verify_map_add(struct verify_map *map, const struct uuid *key, size_t place)
{
    if (map->count * 2 >= map->slots && !widen(map))
        return false;
    put(map, key, (uint32_t)(place + 1));
    return true;
}
