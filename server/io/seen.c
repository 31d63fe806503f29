#include "io/seen.h"

#include "io/crypto.h"

#include <stdlib.h>
#include <string.h>

static uint64_t *place_of(const struct seen *seen, uint64_t hash)
{
    size_t at = hash & (seen->size - 1);

    while (seen->table[at] && seen->table[at] != hash)
        at = (at + 1) & (seen->size - 1);
    return &seen->table[at];
}

static bool grow(struct seen *seen)
{
    struct seen larger = { .size = seen->size ? 2 * seen->size : 1024, .count = seen->count };

    larger.table = calloc(larger.size, sizeof *larger.table);
    if (!larger.table)
        return false;
    for (size_t i = 0; i < seen->size; i++) {
        if (seen->table[i])
            *place_of(&larger, seen->table[i]) = seen->table[i];
    }
    free(seen->table);
    *seen = larger;
    return true;
}

bool seen_add(struct seen *seen, const char *text, bool *first)
{
    uint8_t hash[CRYPTO_HASH];
    uint64_t short_hash;

    if (2 * seen->count >= seen->size && !grow(seen))
        return false;
    crypto_sha256(text, strlen(text), hash);
    memcpy(&short_hash, hash, sizeof short_hash);
    short_hash += short_hash == 0;
    uint64_t *place = place_of(seen, short_hash);
    *first = *place == 0;
    seen->count += *first;
    *place = short_hash;
    return true;
}

void seen_clear(struct seen *seen)
{
    free(seen->table);
    *seen = (struct seen){ 0 };
}
