#include "base/error.h"

#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Both go out as protobuf strings, which must be UTF-8: a text that was cut at its room ends with a whole character. */
static void end_whole(char *text, int wanted, size_t room)
{
    if (wanted < (int)room)
        return;
    size_t end = room - 1, last = end;
    while (last > 0 && (text[last - 1] & 0xc0) == 0x80)
        last--;
    last -= last > 0;
    if (!text_utf8(text + last, end - last))
        text[last] = '\0';
}

static bool set(struct error *err, enum reason reason, const char *field, const char *format, va_list args)
{
    err->reason = reason;
    end_whole(err->field, snprintf(err->field, sizeof err->field, "%s", field), sizeof err->field);
    end_whole(err->detail, vsnprintf(err->detail, sizeof err->detail, format, args), sizeof err->detail);
    return false;
}

bool error_set(struct error *err, enum reason reason, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    set(err, reason, "", format, args);
    va_end(args);
    return false;
}

bool error_field(struct error *err, enum reason reason, const char *field, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    set(err, reason, field, format, args);
    va_end(args);
    return false;
}

const char *error_text(const struct error *err)
{
    return err->detail[0] ? err->detail : reason_text(err->reason);
}
