/*
 * What a caller says is compressed. The first byte says how: gzip or zlib's deflate.
 *
 * What is inflated is what zlib itself makes of it; and any bytes at all, once deflated, come back, while one byte less
 * or more of their compressed form is refused.
 */
#include "fuzz.h"

#include "base/limits.h"
#include "rpc/decode.h"

#include <zlib.h>

static void free_bytes(uint8_t **bytes)
{
    free(*bytes);
}

static int window_of(enum decode_coding coding)
{
    return coding == DECODE_GZIP ? 31 : 15;
}

static void zlib_agrees(enum decode_coding coding, struct feed feed, const uint8_t *out, size_t out_size)
{
    CLEANUP(free_bytes) uint8_t *plain = malloc(MESSAGE_MAX + 1);
    z_stream stream = { .next_in = (Bytef *)(uintptr_t)feed.at,
                        .avail_in = (uInt)feed.size,
                        .next_out = plain,
                        .avail_out = MESSAGE_MAX + 1 };

    CLAIM(plain != NULL && inflateInit2(&stream, window_of(coding)) == Z_OK);
    int state = inflate(&stream, Z_FINISH);
    size_t size = stream.total_out;
    bool whole = stream.avail_in == 0;
    inflateEnd(&stream);
    CLAIM(state == Z_STREAM_END && whole && size == out_size && (size == 0 || memcmp(out, plain, size) == 0));
}

static bool inflates(enum decode_coding coding, const uint8_t *bytes, size_t size, struct feed expected)
{
    CLEANUP(free_bytes) uint8_t *out = NULL;
    struct error err = { 0 };
    size_t out_size;

    if (!decode_inflate(coding, bytes, size, &out, &out_size, &err)) {
        CLAIM(out == NULL && out_size == 0);
        return false;
    }
    CLAIM(out_size == expected.size && (out_size == 0 || memcmp(out, expected.at, out_size) == 0));
    return true;
}

static void comes_back(enum decode_coding coding, struct feed feed)
{
    CLEANUP(free_bytes) uint8_t *packed = NULL;
    z_stream stream = { .next_in = (Bytef *)(uintptr_t)feed.at, .avail_in = (uInt)feed.size };

    CLAIM(deflateInit2(&stream, 1, Z_DEFLATED, window_of(coding), 8, Z_DEFAULT_STRATEGY) == Z_OK);
    size_t room = deflateBound(&stream, feed.size) + 1;
    packed = calloc(1, room);
    stream.next_out = packed;
    stream.avail_out = (uInt)room;
    CLAIM(packed != NULL && deflate(&stream, Z_FINISH) == Z_STREAM_END);
    size_t size = stream.total_out;
    deflateEnd(&stream);
    CLAIM(inflates(coding, packed, size, feed));
    CLAIM(!inflates(coding, packed, size - 1, feed));
    CLAIM(!inflates(coding, packed, size + 1, feed)); /* a NUL after the end */
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    CLEANUP(free_bytes) uint8_t *out = NULL;
    struct feed feed = { bytes, size };
    enum decode_coding coding = feed_byte(&feed) % 2 ? DECODE_DEFLATE : DECODE_GZIP;
    struct error err = { 0 };
    size_t out_size;

    if (decode_inflate(coding, feed.at, feed.size, &out, &out_size, &err)) {
        CLAIM(out_size <= MESSAGE_MAX);
        zlib_agrees(coding, feed, out, out_size);
    } else {
        CLAIM(out == NULL && out_size == 0);
        CLAIM(err.reason == REASON_MESSAGE_MALFORMED || err.reason == REASON_MESSAGE_TOO_LARGE);
    }
    comes_back(coding, feed);
    return 0;
}
