#include "base/limits.h"
#include "io/crypto.h"
#include "io/pb_json.h"
#include "io/pb_json_map.h"

#include <google/protobuf/duration.pb-c.h>
#include <google/protobuf/timestamp.pb-c.h>
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(offsetof(Google__Protobuf__Timestamp, seconds) == offsetof(Google__Protobuf__Duration, seconds) &&
                   offsetof(Google__Protobuf__Timestamp, nanos) == offsetof(Google__Protobuf__Duration, nanos),
               "both are read alike");

/* Every write_... returns a new reference, or NULL with the error set. */
struct writer {
    unsigned flags;
    struct arena *arena;
    struct error *err;
    int depth; /* messages we are inside of */
};

static json_t *write_message(struct writer *writer, const ProtobufCMessage *message, const struct pb_json_path *path);

static void release_json(json_t **json)
{
    json_decref(*json);
}

static void release_text(char **text)
{
    free(*text);
}

/* NULL in means that memory ran out. */
static json_t *made(struct writer *writer, json_t *json, const struct pb_json_path *path)
{
    if (!json)
        pb_json_fail(path, writer->err, "could not be written: not UTF-8, or no memory left");
    return json;
}

static json_t *write_decimal(struct writer *writer, const char *text, const struct pb_json_path *path)
{
    return made(writer, json_string(text), path);
}

static json_t *write_signed(struct writer *writer, int64_t value, const struct pb_json_path *path)
{
    char text[24];

    snprintf(text, sizeof text, "%" PRId64, value);
    return write_decimal(writer, text, path);
}

static json_t *write_unsigned(struct writer *writer, uint64_t value, const struct pb_json_path *path)
{
    char text[24];

    snprintf(text, sizeof text, "%" PRIu64, value);
    return write_decimal(writer, text, path);
}

static json_t *write_real(struct writer *writer, double value, const struct pb_json_path *path)
{
    if (isnan(value))
        return write_decimal(writer, "NaN", path);
    if (isinf(value))
        return write_decimal(writer, value > 0 ? "Infinity" : "-Infinity", path);
    return made(writer, json_real(value), path);
}

/* A number that has no name is written as the number: enums are open in proto3. */
static json_t *write_enum(struct writer *writer, const ProtobufCFieldDescriptor *field, int number,
                          const struct pb_json_path *path)
{
    const ProtobufCEnumValue *value = protobuf_c_enum_descriptor_get_value(field->descriptor, number);

    return made(writer, value ? json_string(value->name) : json_integer(number), path);
}

static json_t *write_bytes(struct writer *writer, const ProtobufCBinaryData *bytes, const struct pb_json_path *path)
{
    char *text = arena_alloc(writer->arena, CRYPTO_BASE64_SIZE(bytes->len));

    if (text)
        crypto_base64(bytes->data, bytes->len, text);
    return made(writer, text ? json_string(text) : NULL, path);
}

/* One value of the field's type at `member`. */
static json_t *write_value(struct writer *writer, const ProtobufCFieldDescriptor *field, const void *member,
                           const struct pb_json_path *path)
{
    switch (field->type) {
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_SFIXED32:
        return made(writer, json_integer(*(const int32_t *)member), path);
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
        return made(writer, json_integer(*(const uint32_t *)member), path);
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
        return write_signed(writer, *(const int64_t *)member, path);
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
        return write_unsigned(writer, *(const uint64_t *)member, path);
    case PROTOBUF_C_TYPE_FLOAT:
        return write_real(writer, (double)*(const float *)member, path);
    case PROTOBUF_C_TYPE_DOUBLE:
        return write_real(writer, *(const double *)member, path);
    case PROTOBUF_C_TYPE_BOOL:
        return json_boolean(*(const protobuf_c_boolean *)member);
    case PROTOBUF_C_TYPE_ENUM:
        return write_enum(writer, field, *(const int *)member, path);
    case PROTOBUF_C_TYPE_STRING:
        return made(writer, json_string(*(char *const *)member ? *(char *const *)member : ""), path);
    case PROTOBUF_C_TYPE_BYTES:
        return write_bytes(writer, member, path);
    case PROTOBUF_C_TYPE_MESSAGE:
        return write_message(writer, *(ProtobufCMessage *const *)member, path);
    }
    return made(writer, NULL, path);
}

static json_t *write_list(struct writer *writer, const ProtobufCFieldDescriptor *field, const void *values, size_t n,
                          const struct pb_json_path *path)
{
    CLEANUP(release_json) json_t *list = json_array();

    for (size_t i = 0; i < n; i++) {
        struct pb_json_path at = { .up = path, .index = i };
        json_t *value = write_value(writer, field, (const char *)values + i * pb_json_size(field->type), &at);
        if (!value)
            return NULL;
        if (json_array_append_new(list, value) != 0)
            return made(writer, NULL, &at);
    }
    return json_incref(list);
}

/* A map's key is text in JSON, whatever its type. */
static bool key_text(struct writer *writer, const ProtobufCFieldDescriptor *field, const void *member, char **out,
                     const struct pb_json_path *path)
{
    CLEANUP(release_json) json_t *key = write_value(writer, field, member, path);

    if (!key)
        return false;
    if (json_is_string(key)) {
        *out = arena_copy(writer->arena, json_string_value(key), json_string_length(key));
    } else {
        CLEANUP(release_text) char *text = json_dumps(key, JSON_ENCODE_ANY);
        *out = text ? arena_copy(writer->arena, text, strlen(text)) : NULL;
    }
    return *out || made(writer, NULL, path);
}

static json_t *write_map(struct writer *writer, const ProtobufCFieldDescriptor *field, const void *values, size_t n,
                         const struct pb_json_path *path)
{
    const ProtobufCMessageDescriptor *entry_type = field->descriptor;
    ProtobufCMessage *const *entries = values;
    CLEANUP(release_json) json_t *map = json_object();

    for (size_t i = 0; i < n; i++) {
        const char *entry = (const char *)entries[i];
        const ProtobufCFieldDescriptor *value_field = &entry_type->fields[1];
        char *key = NULL;
        if (!key_text(writer, &entry_type->fields[0], entry + entry_type->fields[0].offset, &key, path))
            return NULL;
        struct pb_json_path at = { .up = path, .key = key };
        json_t *value = write_value(writer, value_field, entry + value_field->offset, &at);
        if (!value)
            return NULL;
        if (json_object_set_new(map, key, value) != 0)
            return made(writer, NULL, &at);
    }
    return json_incref(map);
}

static bool all_zero(const void *member, size_t size)
{
    const unsigned char *byte = member;

    for (size_t i = 0; i < size; i++) {
        if (byte[i])
            return false;
    }
    return true;
}

/* Is a single field to be written? */
static bool is_present(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field, bool defaults)
{
    const char *base = (const char *)message, *member = base + field->offset;

    if (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF)
        return *(const uint32_t *)(base + field->quantifier_offset) == field->id;
    if (field->type == PROTOBUF_C_TYPE_MESSAGE)
        return *(ProtobufCMessage *const *)member != NULL;
    bool own_default = field->label == PROTOBUF_C_LABEL_OPTIONAL;
    if (field->type == PROTOBUF_C_TYPE_STRING && own_default)
        return *(char *const *)member && *(void *const *)member != field->default_value;
    if (own_default)
        return *(const protobuf_c_boolean *)(base + field->quantifier_offset);
    if (defaults || field->label == PROTOBUF_C_LABEL_REQUIRED)
        return true;
    if (field->type == PROTOBUF_C_TYPE_STRING)
        return *(char *const *)member && **(char *const *)member;
    if (field->type == PROTOBUF_C_TYPE_BYTES)
        return ((const ProtobufCBinaryData *)member)->len > 0;
    return !all_zero(member, pb_json_size(field->type));
}

static bool write_field(struct writer *writer, const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field,
                        json_t *object, const struct pb_json_path *up)
{
    const char *base = (const char *)message;
    bool defaults = writer->flags & PB_JSON_DEFAULTS;
    char name[PB_JSON_NAME_MAX];
    json_t *value;

    pb_json_camel(field->name, name);
    struct pb_json_path path = { .up = up, .name = name };
    if (field->label == PROTOBUF_C_LABEL_REPEATED) {
        size_t n = *(const size_t *)(base + field->quantifier_offset);
        const void *values = *(void *const *)(base + field->offset);
        bool map = pb_json_is_map(message->descriptor, field);
        if (n == 0 && !defaults)
            return true;
        value = map ? write_map(writer, field, values, n, &path) : write_list(writer, field, values, n, &path);
    } else {
        if (!is_present(message, field, defaults))
            return true;
        value = write_value(writer, field, base + field->offset, &path);
    }
    if (!value)
        return false;
    return json_object_set_new(object, name, value) == 0 || made(writer, NULL, &path);
}

static json_t *write_special(struct writer *writer, const struct pb_json_special *special,
                             const ProtobufCMessage *message, const struct pb_json_path *path)
{
    const Google__Protobuf__Timestamp *time = (const Google__Protobuf__Timestamp *)message;
    char text[PB_JSON_TIME_MAX];

    if (!special->expected) {
        pb_json_fail(path, writer->err, "%s has no JSON form here", special->name);
        return NULL;
    }
    if (!special->format(time->seconds, time->nanos, text)) {
        pb_json_fail(path, writer->err, "must be %s", special->expected);
        return NULL;
    }
    return made(writer, json_string(text), path);
}

static json_t *write_fields(struct writer *writer, const ProtobufCMessage *message, const struct pb_json_path *path)
{
    const ProtobufCMessageDescriptor *type = message->descriptor;
    CLEANUP(release_json) json_t *object = json_object();

    if (!object)
        return made(writer, NULL, path);
    for (unsigned i = 0; i < type->n_fields; i++) {
        if (!write_field(writer, message, &type->fields[i], object, path))
            return NULL;
    }
    return json_incref(object);
}

static json_t *write_message(struct writer *writer, const ProtobufCMessage *message, const struct pb_json_path *path)
{
    const struct pb_json_special *special = pb_json_special_of(message->descriptor);

    if (special)
        return write_special(writer, special, message, path);
    if (writer->depth == NESTING_MAX) {
        pb_json_fail(path, writer->err, "messages are nested deeper than %d", NESTING_MAX);
        return NULL;
    }
    writer->depth++;
    json_t *object = write_fields(writer, message, path);
    writer->depth--;
    return object;
}

bool pb_json_format(const ProtobufCMessage *message, unsigned flags, struct arena *arena, char **out, struct error *err)
{
    struct writer writer = { .flags = flags, .arena = arena, .err = err };
    CLEANUP(release_json) json_t *json = write_message(&writer, message, NULL);

    if (!json)
        return false;
    size_t style = flags & PB_JSON_INDENT ? JSON_INDENT(2) : JSON_COMPACT;
    CLEANUP(release_text) char *text = json_dumps(json, style | JSON_ENCODE_ANY);
    *out = text ? arena_copy(arena, text, strlen(text)) : NULL;
    return *out || error_set(err, REASON_MESSAGE_TOO_LARGE, "the message does not fit in memory as JSON");
}
