#include "io/pb_json_scalar.h"
#include "io/crypto.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

void *pb_json_take(struct pb_json_reader *reader, size_t size, const struct pb_json_path *path)
{
    void *memory = arena_alloc(reader->arena, size);

    if (!memory)
        pb_json_fail(path, reader->err, "the message does not fit in memory");
    return memory;
}

/* What an integer type can hold; size is in bytes. */
struct whole_range {
    int64_t least;
    uint64_t most;
    size_t size;
};

static const struct whole_range int32_range = { INT32_MIN, INT32_MAX, 4 };
static const struct whole_range uint32_range = { 0, UINT32_MAX, 4 };
static const struct whole_range int64_range = { INT64_MIN, INT64_MAX, 8 };
static const struct whole_range uint64_range = { 0, UINT64_MAX, 8 };

/* Sign and magnitude, so that both ends of int64 and of uint64 are exact. */
struct whole {
    bool negative;
    uint64_t magnitude;
};

/* Decimal digits without blanks, plus sign, or leading zeros. */
static bool whole_from_text(const char *text, struct whole *out)
{
    struct whole whole = { .negative = *text == '-' };
    const char *digit = text + whole.negative;

    if (!*digit || (digit[0] == '0' && (digit[1] || whole.negative)))
        return false;
    for (; *digit; digit++) {
        if (*digit < '0' || *digit > '9')
            return false;
        if (__builtin_mul_overflow(whole.magnitude, 10, &whole.magnitude) ||
            __builtin_add_overflow(whole.magnitude, (uint64_t)(*digit - '0'), &whole.magnitude))
            return false;
    }
    *out = whole;
    return true;
}

static bool whole_of(const json_t *json, struct whole *out)
{
    if (json_is_integer(json)) {
        json_int_t value = json_integer_value(json);
        *out = (struct whole){ value < 0, value < 0 ? -(uint64_t)value : (uint64_t)value };
        return true;
    }
    return json_is_string(json) && whole_from_text(json_string_value(json), out);
}

static bool in_range(struct whole whole, const struct whole_range *range)
{
    return whole.negative ? whole.magnitude <= -(uint64_t)range->least : whole.magnitude <= range->most;
}

static bool read_whole(struct pb_json_reader *reader, const json_t *json, const struct whole_range *range, void *member,
                       const struct pb_json_path *path)
{
    struct whole whole;

    if (json_is_real(json))
        return pb_json_fail(path, reader->err, "must be a whole number without point or exponent: 1, not 1.0");
    if (!whole_of(json, &whole) || !in_range(whole, range))
        return pb_json_fail(path, reader->err, "must be a whole number from %lld to %llu", (long long)range->least,
                            (unsigned long long)range->most);
    uint64_t value = whole.negative ? -whole.magnitude : whole.magnitude;
    uint32_t low = (uint32_t)value;
    memcpy(member, range->size == 4 ? (const void *)&low : (const void *)&value, range->size);
    return true;
}

/* NaN, the infinities, or a decimal number as text. */
static bool real_from_text(const char *text, double *out)
{
    char *end;

    if (strcmp(text, "NaN") == 0)
        *out = (double)NAN;
    else if (strcmp(text, "Infinity") == 0)
        *out = (double)INFINITY;
    else if (strcmp(text, "-Infinity") == 0)
        *out = -(double)INFINITY;
    else {
        *out = strtod(text, &end);
        return end > text && !*end && isfinite(*out) && !strpbrk(text, " xXnN\t\n\r\f\v");
    }
    return true;
}

static bool read_real(struct pb_json_reader *reader, const json_t *json, bool narrow, void *member,
                      const struct pb_json_path *path)
{
    double value = json_number_value(json);

    if (!json_is_number(json) && !(json_is_string(json) && real_from_text(json_string_value(json), &value)))
        return pb_json_fail(path, reader->err, "must be a number");
    if (!narrow) {
        memcpy(member, &value, sizeof value);
        return true;
    }
    if (isfinite(value) && fabs(value) > (double)FLT_MAX)
        return pb_json_fail(path, reader->err, "must be a number that fits in 32 bits");
    float small = (float)value;
    memcpy(member, &small, sizeof small);
    return true;
}

static bool read_bool(struct pb_json_reader *reader, const json_t *json, void *member, const struct pb_json_path *path)
{
    if (!json_is_boolean(json))
        return pb_json_fail(path, reader->err, "must be true or false");
    *(protobuf_c_boolean *)member = json_is_true(json);
    return true;
}

static bool read_enum(struct pb_json_reader *reader, const json_t *json, const ProtobufCEnumDescriptor *type,
                      void *member, const struct pb_json_path *path)
{
    const char *name = json_string_value(json);
    const ProtobufCEnumValue *value = name ? protobuf_c_enum_descriptor_get_value_by_name(type, name) : NULL;

    if (value)
        return memcpy(member, &value->value, sizeof value->value);
    if (json_is_integer(json))
        return read_whole(reader, json, &int32_range, member, path);
    const char *example = type->n_value_names > 0 ? type->values[type->n_values - 1].name : "0";
    return pb_json_fail(path, reader->err, "must be a name of %s, such as \"%s\", or its number", type->name, example);
}

static bool read_string(struct pb_json_reader *reader, const json_t *json, void *member,
                        const struct pb_json_path *path)
{
    if (!json_is_string(json))
        return pb_json_fail(path, reader->err, "must be text in quotes");
    size_t size = json_string_length(json);
    char *copy = pb_json_take(reader, size + 1, path);
    if (!copy)
        return false;
    memcpy(copy, json_string_value(json), size);
    *(char **)member = copy;
    return true;
}

/* The standard alphabet with padding, from either alphabet with or without. */
static char *base64_standard(struct pb_json_reader *reader, const char *text, size_t size, size_t *out_size,
                             const struct pb_json_path *path)
{
    char *copy = pb_json_take(reader, size + 4, path);

    if (!copy)
        return NULL;
    for (size_t i = 0; i < size; i++)
        copy[i] = (char)(text[i] == '-' ? '+' : text[i] == '_' ? '/' : text[i]);
    for (*out_size = size; *out_size % 4 != 0; (*out_size)++)
        copy[*out_size] = '=';
    return copy;
}

static bool read_bytes(struct pb_json_reader *reader, const json_t *json, void *member, const struct pb_json_path *path)
{
    ProtobufCBinaryData bytes = { 0 };
    size_t size = 0;

    if (!json_is_string(json))
        return pb_json_fail(path, reader->err, "must be bytes in base64, in quotes");
    char *text = base64_standard(reader, json_string_value(json), json_string_length(json), &size, path);
    bytes.data = text ? pb_json_take(reader, size + 1, path) : NULL;
    if (!bytes.data)
        return false;
    if (!crypto_base64_decode(text, size, bytes.data, size, &bytes.len))
        return pb_json_fail(path, reader->err, "must be bytes in base64, in quotes");
    memcpy(member, &bytes, sizeof bytes);
    return true;
}

bool pb_json_read_scalar(struct pb_json_reader *reader, const json_t *json, const ProtobufCFieldDescriptor *field,
                         void *member, const struct pb_json_path *path)
{
    switch (field->type) {
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_SFIXED32:
        return read_whole(reader, json, &int32_range, member, path);
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
        return read_whole(reader, json, &uint32_range, member, path);
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
        return read_whole(reader, json, &int64_range, member, path);
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
        return read_whole(reader, json, &uint64_range, member, path);
    case PROTOBUF_C_TYPE_FLOAT:
        return read_real(reader, json, true, member, path);
    case PROTOBUF_C_TYPE_DOUBLE:
        return read_real(reader, json, false, member, path);
    case PROTOBUF_C_TYPE_BOOL:
        return read_bool(reader, json, member, path);
    case PROTOBUF_C_TYPE_ENUM:
        return read_enum(reader, json, field->descriptor, member, path);
    case PROTOBUF_C_TYPE_STRING:
        return read_string(reader, json, member, path);
    case PROTOBUF_C_TYPE_BYTES:
        return read_bytes(reader, json, member, path);
    case PROTOBUF_C_TYPE_MESSAGE:
        break;
    }
    return pb_json_fail(path, reader->err, "has a type that is not mapped");
}
