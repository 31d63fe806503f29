/* Inflating with a bound: the core's own would take a gigabyte for a one-megabyte message. */
#include "rpc/decode.h"

#include "base/limits.h"

#include <stdlib.h>
#include <zlib.h>

enum { FIRST_GUESS = 4096, WINDOW = 15, GZIP_WRAPPER = 16 };

struct output {
    uint8_t *bytes;
    size_t size, room;
};

static bool grow(struct output *out)
{
    size_t room = out->room ? out->room * 2 : FIRST_GUESS;

    if (room > MESSAGE_MAX + 1)
        room = MESSAGE_MAX + 1; /* one byte more tells "too large" from "just full" */
    uint8_t *bytes = realloc(out->bytes, room);
    if (!bytes)
        return false;
    out->bytes = bytes;
    out->room = room;
    return true;
}

static bool run(z_stream *stream, struct output *out, struct error *err)
{
    for (int state = Z_OK; state != Z_STREAM_END;) {
        if (out->size > MESSAGE_MAX)
            return error_set(err, REASON_MESSAGE_TOO_LARGE, "the inflated message is larger than %d bytes",
                             MESSAGE_MAX);
        if (out->size == out->room && !grow(out))
            return error_set(err, REASON_OVERLOADED, "%s", "");
        stream->next_out = out->bytes + out->size;
        stream->avail_out = (uInt)(out->room - out->size);
        state = inflate(stream, Z_NO_FLUSH);
        size_t made = out->room - out->size - stream->avail_out;
        out->size += made;
        bool stuck = state != Z_STREAM_END && made == 0; /* no progress though there was room: cut short */
        if ((state != Z_OK && state != Z_STREAM_END) || stuck)
            return error_set(err, REASON_MESSAGE_MALFORMED, "the compressed message is damaged or cut short");
    }
    if (out->size > MESSAGE_MAX)
        return error_set(err, REASON_MESSAGE_TOO_LARGE, "the inflated message is larger than %d bytes", MESSAGE_MAX);
    return true;
}

bool decode_inflate(enum decode_coding coding, const uint8_t *bytes, size_t size, uint8_t **out, size_t *out_size,
                    struct error *err)
{
    z_stream stream = { .next_in = (Bytef *)(uintptr_t)bytes, .avail_in = (uInt)size };
    struct output made = { 0 };

    *out = NULL;
    *out_size = 0;
    if (size > MESSAGE_MAX)
        return error_set(err, REASON_MESSAGE_TOO_LARGE, "the message is larger than %d bytes", MESSAGE_MAX);
    if (inflateInit2(&stream, coding == DECODE_GZIP ? WINDOW + GZIP_WRAPPER : WINDOW) != Z_OK)
        return error_set(err, REASON_OVERLOADED, "%s", "");
    bool good = run(&stream, &made, err);
    if (good && stream.avail_in > 0)
        good = error_set(err, REASON_MESSAGE_MALFORMED, "there are bytes behind the compressed message");
    inflateEnd(&stream);
    if (!good) {
        free(made.bytes);
        return false;
    }
    *out = made.bytes;
    *out_size = made.size;
    return true;
}
