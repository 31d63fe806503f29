/*
 * pb_json_map.h -- what both directions of pb_json know about names and special types. Not for anyone else.
 */
#ifndef IO_PB_JSON_MAP_H
#define IO_PB_JSON_MAP_H

#include "base/error.h"

#include <protobuf-c/protobuf-c.h>
#include <stddef.h>
#include <stdint.h>

enum {
    PB_JSON_NAME_MAX = 128, /* bytes of a field's name; names come from our own proto files */
    PB_JSON_TIME_MAX = 64,  /* bytes of a Timestamp or Duration as text */
};

/* A place in a message, innermost first; lives on the stack of the walk. */
struct pb_json_path {
    const struct pb_json_path *up; /* NULL at the root */
    const char *name;              /* a JSON name, or NULL for an element */
    const char *key;               /* of a map entry, or NULL */
    size_t index;                  /* of an element of a list */
};

/* Always false; err->field is the path written out, cut when it does not fit. */
bool pb_json_fail(const struct pb_json_path *path, struct error *err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* "settlement_rate" as "settlementRate". */
void pb_json_camel(const char *name, char out[PB_JSON_NAME_MAX]);
/* The field of that name, as the proto or as JSON spells it, or NULL. */
const ProtobufCFieldDescriptor *pb_json_find(const ProtobufCMessageDescriptor *type, const char *name);
/*
 * Is the field a map? protobuf-c keeps no mark of it: a map<K, V> named f_g is a list of messages Parent.FGEntry with
 * key = 1 and value = 2, a name protoc lets nobody else use beside such a field.
 */
bool pb_json_is_map(const ProtobufCMessageDescriptor *parent, const ProtobufCFieldDescriptor *field);
/* Bytes one element takes in a list, or 0 for a type there is none of. */
size_t pb_json_size(ProtobufCType type);

/* Types whose JSON is not an object of their fields. Both have seconds and nanos, and text either way. */
struct pb_json_special {
    const char *name;     /* full name of the type */
    const char *expected; /* what would be right, or NULL when the type is not mapped at all */
    bool (*format)(int64_t seconds, int32_t nanos, char out[PB_JSON_TIME_MAX]);
    bool (*parse)(const char *text, int64_t *seconds, int32_t *nanos);
};
/* NULL for an ordinary message. */
const struct pb_json_special *pb_json_special_of(const ProtobufCMessageDescriptor *type);

#endif
