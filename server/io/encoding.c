#include "io/encoding.h"

#include "base/text.h"

#include <iconv.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

bool encoding_named(const char *name, enum encoding *out)
{
    static const struct {
        const char *name;
        enum encoding encoding;
    } names[] = {
        { "UTF-8", ENCODING_UTF_8 },
        { "UTF8", ENCODING_UTF_8 },
        { "GB18030", ENCODING_GB18030 },
        { "GB-18030", ENCODING_GB18030 },
    };

    for (size_t i = 0; i < COUNT(names); i++) {
        if (strcasecmp(names[i].name, name) == 0) {
            *out = names[i].encoding;
            return true;
        }
    }
    return false;
}

static size_t length_by_first_byte(unsigned char first)
{
    return first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

size_t encoding_utf8_bad(const char *text, size_t size)
{
    if (text_utf8(text, size))
        return 0;
    for (size_t i = 0; i < size;) {
        size_t n = length_by_first_byte((unsigned char)text[i]);
        if (n > size - i || !text_utf8(text + i, n))
            return i + 1;
        i += n;
    }
    return 0;
}

bool decoder_open(struct decoder *decoder, struct error *err)
{
    iconv_t state = iconv_open("UTF-8", "GB18030");

    if (state == (iconv_t)-1)
        return error_set(err, REASON_FIELD_INVALID, "this system cannot read GB18030; save the file as UTF-8");
    decoder->state = state;
    return true;
}

void decoder_close(struct decoder *decoder)
{
    if (decoder->state)
        iconv_close(decoder->state);
    decoder->state = NULL;
}

bool decoder_line(struct decoder *decoder, const char *text, size_t size, char *out, size_t room, size_t *out_size,
                  size_t *bad)
{
    char *from = (char *)(uintptr_t)text, *to = out;
    size_t left = size, free_bytes = room;
    const char *nul = size ? memchr(text, '\0', size) : NULL;

    iconv(decoder->state, NULL, NULL, NULL, NULL);
    if (nul) {
        *bad = (size_t)(nul - text) + 1;
        return false;
    }
    bool whole = iconv(decoder->state, &from, &left, &to, &free_bytes) != (size_t)-1;
    *out_size = room - free_bytes;
    *bad = whole ? 0 : size - left + 1;
    return whole;
}
