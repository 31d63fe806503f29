#include "seal.h"

#include "base/exact.h"

#include <string.h>

bool seal_add(struct seal *seal, const struct entry *entry)
{
    uint8_t bytes[ENTRY_BYTES + CRYPTO_HASH];

    entry_encode(entry, bytes);
    memcpy(bytes + ENTRY_BYTES, entry->hash, CRYPTO_HASH);
    crypto_sha256_two(seal->hash, CRYPTO_HASH, bytes, sizeof bytes, seal->hash);
    seal->entry_count++;
    return exact_add(seal->points, entry->points, &seal->points);
}

const char *seal_difference(const struct seal *a, const struct seal *b)
{
    if (a->entry_count != b->entry_count)
        return "the number of entries";
    if (a->points != b->points)
        return "the sum of points";
    return memcmp(a->hash, b->hash, CRYPTO_HASH) == 0 ? NULL : "the content of an entry";
}
