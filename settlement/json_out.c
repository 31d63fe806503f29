#include "json_out.h"

#include <inttypes.h>
#include <string.h>

static void begin(struct json_out *out, const char *key)
{
    if (out->follows)
        new_file_text(out->file, ",");
    out->follows = true;
    if (key)
        new_file_print(out->file, "\"%s\":", key);
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

void json_text(struct json_out *out, const char *key, const char *value)
{
    begin(out, key);
    new_file_text(out->file, "\"");
    for (; *value; value++) {
        unsigned char c = (unsigned char)*value;
        if (c < 0x20)
            new_file_print(out->file, "\\u%04x", c);
        else if (c == '"' || c == '\\')
            new_file_print(out->file, "\\%c", c);
        else
            new_file_write(out->file, value, 1);
    }
    new_file_text(out->file, "\"");
}

void json_int64(struct json_out *out, const char *key, int64_t value)
{
    begin(out, key);
    new_file_print(out->file, "\"%" PRId64 "\"", value);
}

void json_int32(struct json_out *out, const char *key, int32_t value)
{
    begin(out, key);
    new_file_print(out->file, "%" PRId32, value);
}

void json_new_line(struct json_out *out)
{
    if (out->follows)
        new_file_text(out->file, ",");
    out->follows = false;
    new_file_text(out->file, "\n");
}
