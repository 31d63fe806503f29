#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static bool set(struct error *err, enum reason reason, const char *field, const char *format, va_list args)
{
    err->reason = reason;
    snprintf(err->field, sizeof err->field, "%s", field);
    vsnprintf(err->detail, sizeof err->detail, format, args);
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
