#include "base/limits.h"
#include "io/crypto.h"
#include "io/pb_json.h"
#include "io/pb_json_map.h"

#include <float.h>
#include <google/protobuf/timestamp.pb-c.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct reader {
    struct arena *arena;
    struct error *err;
    int depth; /* messages we are inside of */
};

static bool read_message(struct reader *reader, const json_t *json, const ProtobufCMessageDescriptor *type,
                         ProtobufCMessage **out, const struct pb_json_path *path);

static void release_json(json_t **json)
{
    json_decref(*json);
}

static void *take(struct reader *reader, size_t size, const struct pb_json_path *path)
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

static bool read_whole(struct reader *reader, const json_t *json, const struct whole_range *range, void *member,
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

static bool read_real(struct reader *reader, const json_t *json, bool narrow, void *member,
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

static bool read_bool(struct reader *reader, const json_t *json, void *member, const struct pb_json_path *path)
{
    if (!json_is_boolean(json))
        return pb_json_fail(path, reader->err, "must be true or false");
    *(protobuf_c_boolean *)member = json_is_true(json);
    return true;
}

static bool read_enum(struct reader *reader, const json_t *json, const ProtobufCEnumDescriptor *type, void *member,
                      const struct pb_json_path *path)
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

static bool read_string(struct reader *reader, const json_t *json, void *member, const struct pb_json_path *path)
{
    if (!json_is_string(json))
        return pb_json_fail(path, reader->err, "must be text in quotes");
    size_t size = json_string_length(json);
    char *copy = take(reader, size + 1, path);
    if (!copy)
        return false;
    memcpy(copy, json_string_value(json), size);
    *(char **)member = copy;
    return true;
}

/* The standard alphabet with padding, from either alphabet with or without. */
static char *base64_standard(struct reader *reader, const char *text, size_t size, size_t *out_size,
                             const struct pb_json_path *path)
{
    char *copy = take(reader, size + 4, path);

    if (!copy)
        return NULL;
    for (size_t i = 0; i < size; i++)
        copy[i] = (char)(text[i] == '-' ? '+' : text[i] == '_' ? '/' : text[i]);
    for (*out_size = size; *out_size % 4 != 0; (*out_size)++)
        copy[*out_size] = '=';
    return copy;
}

static bool read_bytes(struct reader *reader, const json_t *json, void *member, const struct pb_json_path *path)
{
    ProtobufCBinaryData bytes = { 0 };
    size_t size = 0;

    if (!json_is_string(json))
        return pb_json_fail(path, reader->err, "must be bytes in base64, in quotes");
    char *text = base64_standard(reader, json_string_value(json), json_string_length(json), &size, path);
    bytes.data = text ? take(reader, size + 1, path) : NULL;
    if (!bytes.data)
        return false;
    if (!crypto_base64_decode(text, size, bytes.data, size, &bytes.len))
        return pb_json_fail(path, reader->err, "must be bytes in base64, in quotes");
    memcpy(member, &bytes, sizeof bytes);
    return true;
}

/* One value of the field's type into `member`. */
static bool read_value(struct reader *reader, const json_t *json, const ProtobufCFieldDescriptor *field, void *member,
                       const struct pb_json_path *path)
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
        return read_message(reader, json, field->descriptor, member, path);
    }
    return pb_json_fail(path, reader->err, "has a type that is not mapped");
}

static bool read_list(struct reader *reader, const json_t *json, const ProtobufCFieldDescriptor *field, void *message,
                      const struct pb_json_path *path)
{
    size_t n = json_array_size(json), size = pb_json_size(field->type);

    if (!json_is_array(json))
        return pb_json_fail(path, reader->err, "must be a list in [ ]");
    char *values = take(reader, n * size, path);
    if (!values)
        return false;
    for (size_t i = 0; i < n; i++) {
        struct pb_json_path at = { .up = path, .index = i };
        if (!read_value(reader, json_array_get(json, i), field, values + i * size, &at))
            return false;
    }
    *(void **)((char *)message + field->offset) = values;
    *(size_t *)((char *)message + field->quantifier_offset) = n;
    return true;
}

/* A map's key arrives as text, whatever its type. */
static bool read_key(struct reader *reader, const char *key, const ProtobufCFieldDescriptor *field, void *member,
                     const struct pb_json_path *path)
{
    CLEANUP(release_json) json_t *json = NULL;

    if (field->type == PROTOBUF_C_TYPE_BOOL && (strcmp(key, "true") == 0 || strcmp(key, "false") == 0))
        json = json_boolean(*key == 't');
    else
        json = json_string(key);
    return read_value(reader, json, field, member, path);
}

static ProtobufCMessage *new_message(struct reader *reader, const ProtobufCMessageDescriptor *type,
                                     const struct pb_json_path *path)
{
    ProtobufCMessage *message = take(reader, type->sizeof_message, path);

    if (message)
        protobuf_c_message_init(type, message);
    return message;
}

static bool read_map(struct reader *reader, json_t *json, const ProtobufCFieldDescriptor *field, void *message,
                     const struct pb_json_path *path)
{
    const ProtobufCMessageDescriptor *type = field->descriptor;
    ProtobufCMessage **entries = take(reader, json_object_size(json) * sizeof *entries, path);
    size_t n = 0;
    const char *key;
    json_t *value;

    if (!json_is_object(json))
        return pb_json_fail(path, reader->err, "must be an object in { }");
    if (!entries)
        return false;
    json_object_foreach(json, key, value)
    {
        struct pb_json_path at = { .up = path, .key = key };
        char *entry = (char *)(entries[n++] = new_message(reader, type, &at));
        if (!entry || !read_key(reader, key, &type->fields[0], entry + type->fields[0].offset, &at) ||
            !read_value(reader, value, &type->fields[1], entry + type->fields[1].offset, &at))
            return false;
    }
    *(void **)((char *)message + field->offset) = entries;
    *(size_t *)((char *)message + field->quantifier_offset) = n;
    return true;
}

/* Notes that a single field is there: in the case of its oneof, or in its has_ flag. */
static bool mark_present(struct reader *reader, const ProtobufCFieldDescriptor *field, char *message,
                         const struct pb_json_path *path)
{
    if (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) {
        uint32_t *chosen = (uint32_t *)(message + field->quantifier_offset);
        if (*chosen != 0)
            return pb_json_fail(path, reader->err, "excludes another field that is given; give one of them");
        *chosen = field->id;
        return true;
    }
    bool has_flag = field->label == PROTOBUF_C_LABEL_OPTIONAL && field->type != PROTOBUF_C_TYPE_STRING &&
                    field->type != PROTOBUF_C_TYPE_MESSAGE;
    if (has_flag)
        *(protobuf_c_boolean *)(message + field->quantifier_offset) = 1;
    return true;
}

static bool read_field(struct reader *reader, json_t *json, const ProtobufCFieldDescriptor *field,
                       ProtobufCMessage *message, const struct pb_json_path *path)
{
    if (json_is_null(json))
        return true;
    if (pb_json_is_map(message->descriptor, field))
        return read_map(reader, json, field, message, path);
    if (field->label == PROTOBUF_C_LABEL_REPEATED)
        return read_list(reader, json, field, message, path);
    return mark_present(reader, field, (char *)message, path) &&
           read_value(reader, json, field, (char *)message + field->offset, path);
}

/* The names there are, as many as fit. */
static bool unknown_field(struct reader *reader, const ProtobufCMessageDescriptor *type,
                          const struct pb_json_path *path)
{
    char names[128] = "", camel[PB_JSON_NAME_MAX];
    size_t used = 0;

    for (unsigned i = 0; i < type->n_fields; i++) {
        pb_json_camel(type->fields[i].name, camel);
        size_t n = strlen(camel);
        if (used + n + 6 > sizeof names) {
            strcpy(names + used, ", ...");
            break;
        }
        used = (size_t)(stpcpy(stpcpy(names + used, used ? ", " : ""), camel) - names);
    }
    return pb_json_fail(path, reader->err, "there is no such field; there are: %s", names);
}

static bool read_fields(struct reader *reader, json_t *json, ProtobufCMessage *message, const struct pb_json_path *up)
{
    const ProtobufCMessageDescriptor *type = message->descriptor;
    bool *seen = take(reader, type->n_fields + 1, up);
    const char *key;
    json_t *value;

    if (!seen)
        return false;
    json_object_foreach(json, key, value)
    {
        const ProtobufCFieldDescriptor *field = pb_json_find(type, key);
        struct pb_json_path path = { .up = up, .name = key };
        if (!field)
            return unknown_field(reader, type, &path);
        if (seen[field - type->fields])
            return pb_json_fail(&path, reader->err, "is given twice, under both its names");
        seen[field - type->fields] = true;
        if (!read_field(reader, value, field, message, &path))
            return false;
    }
    return true;
}

static bool read_special(struct reader *reader, const json_t *json, const struct pb_json_special *special,
                         ProtobufCMessage *message, const struct pb_json_path *path)
{
    Google__Protobuf__Timestamp *time = (Google__Protobuf__Timestamp *)message;

    if (!special->expected)
        return pb_json_fail(path, reader->err, "%s has no JSON form here", special->name);
    if (!json_is_string(json) || !special->parse(json_string_value(json), &time->seconds, &time->nanos))
        return pb_json_fail(path, reader->err, "must be %s", special->expected);
    return true;
}

static bool read_message(struct reader *reader, const json_t *json, const ProtobufCMessageDescriptor *type,
                         ProtobufCMessage **out, const struct pb_json_path *path)
{
    const struct pb_json_special *special = pb_json_special_of(type);
    ProtobufCMessage *message = new_message(reader, type, path);

    if (!message)
        return false;
    *out = message;
    if (special)
        return read_special(reader, json, special, message, path);
    if (!json_is_object(json))
        return pb_json_fail(path, reader->err, "must be an object in { }");
    if (reader->depth == NESTING_MAX)
        return pb_json_fail(path, reader->err, "messages are nested deeper than %d", NESTING_MAX);
    reader->depth++;
    bool read = read_fields(reader, (json_t *)(uintptr_t)json, message, path);
    reader->depth--;
    return read;
}

/* jansson's own sentences quote the text, which may hold what must not be shown: only the place is kept. */
static bool not_json(const json_error_t *from, struct error *err)
{
    static const struct {
        enum json_error_code code;
        const char *sentence;
    } sentences[] = {
        { json_error_duplicate_key, "a name is given twice in one object" },
        { json_error_numeric_overflow, "a number is beyond 64 bits; write it as text" },
        { json_error_null_character, "a NUL character" },
        { json_error_invalid_utf8, "bytes that are not UTF-8" },
        { json_error_premature_end_of_input, "the text ends too early" },
        { json_error_end_of_input_expected, "something follows the end of the object" },
        { json_error_stack_overflow, "nested too deeply" },
    };
    enum json_error_code code = json_error_code(from);
    const char *sentence = "not valid JSON";

    for (size_t i = 0; i < COUNT(sentences); i++) {
        if (sentences[i].code == code)
            sentence = sentences[i].sentence;
    }
    return error_set(err, REASON_MESSAGE_MALFORMED, "line %d, column %d: %s", from->line, from->column, sentence);
}

bool pb_json_parse(const ProtobufCMessageDescriptor *type, const char *text, size_t size, struct arena *arena,
                   ProtobufCMessage **out, struct error *err)
{
    struct reader reader = { .arena = arena, .err = err };
    json_error_t problem;
    CLEANUP(release_json) json_t *json = json_loadb(text, size, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &problem);

    if (!json)
        return not_json(&problem, err);
    return read_message(&reader, json, type, out, NULL);
}
