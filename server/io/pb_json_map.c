#include "io/pb_json_map.h"

#include "base/when.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const int64_t timestamp_least = INT64_C(-62135596800); /* 0001-01-01T00:00:00Z */
static const int64_t timestamp_most = INT64_C(253402300799);  /* 9999-12-31T23:59:59Z */
static const int64_t duration_most = INT64_C(315576000000);   /* 10,000 years */

enum { NANOS_PER_SECOND = 1000000000 };

/* Appends to the NUL-terminated out and cuts what does not fit. */
static void append(char *out, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));
static void append(char *out, size_t size, const char *format, ...)
{
    size_t n = strlen(out);
    va_list args;

    va_start(args, format);
    vsnprintf(out + n, size - n, format, args);
    va_end(args);
}

static void write_path(const struct pb_json_path *path, char *out, size_t size)
{
    if (!path)
        return;
    write_path(path->up, out, size);
    if (path->name)
        append(out, size, "%s%s", out[0] ? "." : "", path->name);
    else if (path->key)
        append(out, size, "[\"%s\"]", path->key);
    else
        append(out, size, "[%zu]", path->index);
}

bool pb_json_fail(const struct pb_json_path *path, struct error *err, const char *format, ...)
{
    char field[ERROR_FIELD_MAX] = "", detail[ERROR_DETAIL_MAX];
    va_list args;

    va_start(args, format);
    vsnprintf(detail, sizeof detail, format, args);
    va_end(args);
    write_path(path, field, sizeof field);
    return error_field(err, REASON_FIELD_INVALID, field, "%s", detail);
}

void pb_json_camel(const char *name, char out[PB_JSON_NAME_MAX])
{
    size_t n = 0;
    bool upper = false;

    for (; *name && n < PB_JSON_NAME_MAX - 1; name++) {
        if (*name == '_') {
            upper = true;
            continue;
        }
        bool lower_case = *name >= 'a' && *name <= 'z';
        out[n++] = (char)(upper && lower_case ? *name - 'a' + 'A' : *name);
        upper = false;
    }
    out[n] = '\0';
}

const ProtobufCFieldDescriptor *pb_json_find(const ProtobufCMessageDescriptor *type, const char *name)
{
    char camel[PB_JSON_NAME_MAX];

    for (unsigned i = 0; i < type->n_fields; i++) {
        pb_json_camel(type->fields[i].name, camel);
        if (strcmp(camel, name) == 0 || strcmp(type->fields[i].name, name) == 0)
            return &type->fields[i];
    }
    return NULL;
}

bool pb_json_is_map(const ProtobufCMessageDescriptor *parent, const ProtobufCFieldDescriptor *field)
{
    char camel[PB_JSON_NAME_MAX], name[3 * PB_JSON_NAME_MAX];

    if (field->label != PROTOBUF_C_LABEL_REPEATED || field->type != PROTOBUF_C_TYPE_MESSAGE)
        return false;
    const ProtobufCMessageDescriptor *entry = field->descriptor;
    pb_json_camel(field->name, camel);
    if (camel[0] >= 'a' && camel[0] <= 'z')
        camel[0] = (char)(camel[0] - 'a' + 'A');
    snprintf(name, sizeof name, "%s.%sEntry", parent->name, camel);
    return strcmp(entry->name, name) == 0 && entry->n_fields == 2 && strcmp(entry->fields[0].name, "key") == 0 &&
           strcmp(entry->fields[1].name, "value") == 0;
}

size_t pb_json_size(ProtobufCType type)
{
    static const size_t sizes[] = {
        [PROTOBUF_C_TYPE_INT32] = 4,
        [PROTOBUF_C_TYPE_SINT32] = 4,
        [PROTOBUF_C_TYPE_SFIXED32] = 4,
        [PROTOBUF_C_TYPE_INT64] = 8,
        [PROTOBUF_C_TYPE_SINT64] = 8,
        [PROTOBUF_C_TYPE_SFIXED64] = 8,
        [PROTOBUF_C_TYPE_UINT32] = 4,
        [PROTOBUF_C_TYPE_FIXED32] = 4,
        [PROTOBUF_C_TYPE_UINT64] = 8,
        [PROTOBUF_C_TYPE_FIXED64] = 8,
        [PROTOBUF_C_TYPE_FLOAT] = sizeof(float),
        [PROTOBUF_C_TYPE_DOUBLE] = sizeof(double),
        [PROTOBUF_C_TYPE_BOOL] = sizeof(protobuf_c_boolean),
        [PROTOBUF_C_TYPE_ENUM] = sizeof(int),
        [PROTOBUF_C_TYPE_STRING] = sizeof(char *),
        [PROTOBUF_C_TYPE_BYTES] = sizeof(ProtobufCBinaryData),
        [PROTOBUF_C_TYPE_MESSAGE] = sizeof(ProtobufCMessage *),
    };
    return (size_t)type < COUNT(sizes) ? sizes[type] : 0;
}

/* ".5" with 3, 6 or 9 digits; nothing for 0. */
static void write_fraction(uint32_t nanos, char out[16])
{
    out[0] = '\0';
    if (nanos % 1000)
        snprintf(out, 16, ".%09u", nanos);
    else if (nanos % 1000000)
        snprintf(out, 16, ".%06u", nanos / 1000);
    else if (nanos)
        snprintf(out, 16, ".%03u", nanos / 1000000);
}

/* 1 to 9 digits after the point; *end is where they stop. */
static bool read_fraction(const char *text, const char **end, int32_t *nanos)
{
    int32_t value = 0, scale = NANOS_PER_SECOND / 10;

    for (*end = text; **end >= '0' && **end <= '9'; (*end)++, scale /= 10) {
        if (scale == 0)
            return false;
        value += (**end - '0') * scale;
    }
    *nanos = value;
    return *end > text;
}

static bool timestamp_format(int64_t seconds, int32_t nanos, char out[PB_JSON_TIME_MAX])
{
    char whole[INSTANT_TEXT], fraction[16];

    if (seconds < timestamp_least || seconds > timestamp_most || nanos < 0 || nanos >= NANOS_PER_SECOND)
        return false;
    instant_format((struct instant){ seconds * US_PER_SECOND }, whole);
    write_fraction((uint32_t)nanos, fraction);
    snprintf(out, PB_JSON_TIME_MAX, "%.*s%sZ", (int)strcspn(whole, "Z"), whole, fraction);
    return true;
}

static bool timestamp_parse(const char *text, int64_t *seconds, int32_t *nanos)
{
    const char *point = strchr(text, '.'), *end;
    struct instant instant;

    *nanos = 0;
    if ((point && !read_fraction(point + 1, &end, nanos)) || !instant_parse(text, &instant))
        return false;
    int64_t rest = instant.us % US_PER_SECOND;
    *seconds = instant.us / US_PER_SECOND - (rest < 0);
    return *seconds >= timestamp_least && *seconds <= timestamp_most;
}

static bool duration_format(int64_t seconds, int32_t nanos, char out[PB_JSON_TIME_MAX])
{
    char fraction[16];
    bool negative = seconds < 0 || nanos < 0;

    if (seconds < -duration_most || seconds > duration_most || nanos <= -NANOS_PER_SECOND || nanos >= NANOS_PER_SECOND)
        return false;
    if (negative && (seconds > 0 || nanos > 0))
        return false;
    write_fraction((uint32_t)(negative ? -nanos : nanos), fraction);
    snprintf(out, PB_JSON_TIME_MAX, "%s%lld%ss", negative ? "-" : "", (long long)(negative ? -seconds : seconds),
             fraction);
    return true;
}

static bool duration_parse(const char *text, int64_t *seconds, int32_t *nanos)
{
    bool negative = *text == '-';
    const char *digits = text + negative, *end = digits;
    int64_t value = 0;

    for (; *end >= '0' && *end <= '9' && value <= duration_most; end++)
        value = value * 10 + (*end - '0');
    *nanos = 0;
    if (end == digits || value > duration_most || (*end == '.' && !read_fraction(end + 1, &end, nanos)))
        return false;
    if (strcmp(end, "s") != 0)
        return false;
    *seconds = negative ? -value : value;
    *nanos = negative ? -*nanos : *nanos;
    return true;
}

const struct pb_json_special *pb_json_special_of(const ProtobufCMessageDescriptor *type)
{
    static const struct pb_json_special specials[] = {
        { "google.protobuf.Timestamp", "a time such as \"2026-11-22T04:05:06Z\" between the years 1 and 9999",
          timestamp_format, timestamp_parse },
        { "google.protobuf.Duration", "a duration such as \"1.5s\", at most 315576000000 seconds", duration_format,
          duration_parse },
        { "google.protobuf.Any", NULL, NULL, NULL },
        { "google.protobuf.Struct", NULL, NULL, NULL },
        { "google.protobuf.Value", NULL, NULL, NULL },
        { "google.protobuf.ListValue", NULL, NULL, NULL },
        { "google.protobuf.FieldMask", NULL, NULL, NULL },
        { "google.protobuf.BoolValue", NULL, NULL, NULL },
        { "google.protobuf.BytesValue", NULL, NULL, NULL },
        { "google.protobuf.DoubleValue", NULL, NULL, NULL },
        { "google.protobuf.FloatValue", NULL, NULL, NULL },
        { "google.protobuf.Int32Value", NULL, NULL, NULL },
        { "google.protobuf.Int64Value", NULL, NULL, NULL },
        { "google.protobuf.StringValue", NULL, NULL, NULL },
        { "google.protobuf.UInt32Value", NULL, NULL, NULL },
        { "google.protobuf.UInt64Value", NULL, NULL, NULL },
    };
    if (strncmp(type->name, "google.protobuf.", 16) != 0)
        return NULL;
    for (size_t i = 0; i < COUNT(specials); i++) {
        if (strcmp(type->name, specials[i].name) == 0)
            return &specials[i];
    }
    return NULL;
}
