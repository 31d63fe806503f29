/*
 * PostgreSQL's binary values. The first byte says of what kind; what is read, written and read again is the same.
 */
#include "fuzz.h"

#include "store/wire.h"

union any {
    int64_t number;
    struct bytes bytes;
    struct uuid uuid;
    struct text_array texts;
};

static struct feed write_value(const struct column *column, const union any *value, struct wire *wire)
{
    wire_put(wire, column, value, NULL, NULL);
    CLAIM(!wire->failed);
    return (struct feed){ wire->at, wire->size };
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    CLEANUP(arena_release) struct arena arena = { 0 };
    CLEANUP(wire_release) struct wire first = { 0 }, second = { 0 };
    struct feed feed = { bytes, size };
    struct column column = { .name = "value", .kind = (enum kind)(feed_byte(&feed) % (KIND_RECORD_ARRAY + 1)) };
    union any value = { 0 }, again = { 0 };

    if (!wire_get(&column, feed.at, feed.size, &value, &arena))
        return 0;
    struct feed written = write_value(&column, &value, &first);
    CLAIM(wire_get(&column, written.at ? written.at : feed.at, written.size, &again, &arena));
    struct feed rewritten = write_value(&column, &again, &second);
    CLAIM(written.size == rewritten.size && (!written.size || memcmp(written.at, rewritten.at, written.size) == 0));
    return 0;
}
