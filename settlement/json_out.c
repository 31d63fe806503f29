#include "json_out.h"

#include "digits.h"

#include <string.h>

static void begin(struct json_out *out, const char *key)
{
    if (out->follows)
        new_file_text(out->file, ",");
    out->follows = true;
    if (key) {
        new_file_write(out->file, "\"", 1);
        new_file_text(out->file, key);
        new_file_write(out->file, "\":", 2);
    }
}

void json_open(struct json_out *out, const char *key, const char *bracket)
{
    begin(out, key);
    new_file_text(out->file, bracket);
    out->follows = false;
}

void json_close(struct json_out *out, const char *bracket)
{
    new_file_text(out->file, bracket);
    out->follows = true;
}

/* Bytes up to the first that must be escaped, or the end. */
static size_t plain(const char *text)
{
    const unsigned char *at = (const unsigned char *)text;

    while (*at >= 0x20 && *at != '"' && *at != '\\')
        at++;
    return (size_t)(at - (const unsigned char *)text);
}

void json_text(struct json_out *out, const char *key, const char *value)
{
    size_t n;

    begin(out, key);
    new_file_write(out->file, "\"", 1);
    for (;; value += n + 1) {
        n = plain(value);
        new_file_write(out->file, value, n);
        unsigned char c = (unsigned char)value[n];
        if (c == '\0')
            break;
        if (c < 0x20)
            new_file_print(out->file, "\\u%04x", c);
        else
            new_file_print(out->file, "\\%c", c);
    }
    new_file_write(out->file, "\"", 1);
}

void json_int64(struct json_out *out, const char *key, int64_t value)
{
    char text[DIGITS_TEXT + 2] = "\"", *end = digits_int64(value, text + 1);

    begin(out, key);
    *end++ = '"';
    new_file_write(out->file, text, (size_t)(end - text));
}

void json_int32(struct json_out *out, const char *key, int32_t value)
{
    char text[DIGITS_TEXT], *end = digits_int64(value, text);

    begin(out, key);
    new_file_write(out->file, text, (size_t)(end - text));
}

void json_new_line(struct json_out *out)
{
    if (out->follows)
        new_file_text(out->file, ",");
    out->follows = false;
    new_file_text(out->file, "\n");
}
