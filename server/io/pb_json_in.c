#include "base/limits.h"
#include "io/pb_json.h"
#include "io/pb_json_map.h"
#include "io/pb_json_scalar.h"

#include <google/protobuf/timestamp.pb-c.h>
#include <string.h>

static bool read_message(struct pb_json_reader *reader, const json_t *json, const ProtobufCMessageDescriptor *type,
                         ProtobufCMessage **out, const struct pb_json_path *path);

static void release_json(json_t **json)
{
    json_decref(*json);
}

/* One value of the field's type into `member`. */
static bool read_value(struct pb_json_reader *reader, const json_t *json, const ProtobufCFieldDescriptor *field,
                       void *member, const struct pb_json_path *path)
{
    if (field->type == PROTOBUF_C_TYPE_MESSAGE)
        return read_message(reader, json, field->descriptor, member, path);
    return pb_json_read_scalar(reader, json, field, member, path);
}

static bool read_list(struct pb_json_reader *reader, const json_t *json, const ProtobufCFieldDescriptor *field,
                      void *message, const struct pb_json_path *path)
{
    size_t n = json_array_size(json), size = pb_json_size(field->type);

    if (!json_is_array(json))
        return pb_json_fail(path, reader->err, "must be a list in [ ]");
    char *values = pb_json_take(reader, n * size, path);
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
static bool read_key(struct pb_json_reader *reader, const char *key, const ProtobufCFieldDescriptor *field,
                     void *member, const struct pb_json_path *path)
{
    CLEANUP(release_json) json_t *json = NULL;

    if (field->type == PROTOBUF_C_TYPE_BOOL && (strcmp(key, "true") == 0 || strcmp(key, "false") == 0))
        json = json_boolean(*key == 't');
    else
        json = json_string(key);
    return read_value(reader, json, field, member, path);
}

static ProtobufCMessage *new_message(struct pb_json_reader *reader, const ProtobufCMessageDescriptor *type,
                                     const struct pb_json_path *path)
{
    ProtobufCMessage *message = pb_json_take(reader, type->sizeof_message, path);

    if (message)
        protobuf_c_message_init(type, message);
    return message;
}

static bool read_map(struct pb_json_reader *reader, json_t *json, const ProtobufCFieldDescriptor *field, void *message,
                     const struct pb_json_path *path)
{
    const ProtobufCMessageDescriptor *type = field->descriptor;
    ProtobufCMessage **entries = pb_json_take(reader, json_object_size(json) * sizeof *entries, path);
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
static bool mark_present(struct pb_json_reader *reader, const ProtobufCFieldDescriptor *field, char *message,
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

static bool read_field(struct pb_json_reader *reader, json_t *json, const ProtobufCFieldDescriptor *field,
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
static bool unknown_field(struct pb_json_reader *reader, const ProtobufCMessageDescriptor *type,
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

static bool read_fields(struct pb_json_reader *reader, json_t *json, ProtobufCMessage *message,
                        const struct pb_json_path *up)
{
    const ProtobufCMessageDescriptor *type = message->descriptor;
    bool *seen = pb_json_take(reader, type->n_fields + 1, up);
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

static bool read_special(struct pb_json_reader *reader, const json_t *json, const struct pb_json_special *special,
                         ProtobufCMessage *message, const struct pb_json_path *path)
{
    Google__Protobuf__Timestamp *time = (Google__Protobuf__Timestamp *)message;

    if (!special->expected)
        return pb_json_fail(path, reader->err, "%s has no JSON form here", special->name);
    if (!json_is_string(json) || !special->parse(json_string_value(json), &time->seconds, &time->nanos))
        return pb_json_fail(path, reader->err, "must be %s", special->expected);
    return true;
}

static bool read_message(struct pb_json_reader *reader, const json_t *json, const ProtobufCMessageDescriptor *type,
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
    struct pb_json_reader reader = { .arena = arena, .err = err };
    json_error_t problem;
    CLEANUP(release_json) json_t *json = json_loadb(text, size, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &problem);

    if (!json)
        return not_json(&problem, err);
    return read_message(&reader, json, type, out, NULL);
}
