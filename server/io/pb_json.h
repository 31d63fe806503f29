/*
 * pb_json.h -- any protobuf-c message as JSON and back, driven by its descriptor: the proto3 JSON mapping.
 *
 * Out: lowerCamelCase names, 64-bit integers as text, enums by name, bytes in base64, Timestamp in RFC 3339, Duration
 * as "1.5s", maps as objects; fields that are not set are left out unless asked for. In: names of either spelling,
 * integers as numbers or text (exact: 1.0 and 1e3 are refused), enums by name or number, base64 of either alphabet,
 * null for "not set". A number beyond int64 must be written as text.
 *
 * Not a schema check: ranges and required fields are the handlers' business. Not mapped, and refused: Any, Struct,
 * FieldMask and the wrapper types. Any thread; no state.
 */
#ifndef IO_PB_JSON_H
#define IO_PB_JSON_H

#include "base/arena.h"
#include "base/error.h"

#include <protobuf-c/protobuf-c.h>
#include <stddef.h>

enum pb_json_flags {
    PB_JSON_PLAIN = 0,
    PB_JSON_DEFAULTS = 1, /* zero numbers, empty text and empty lists are written too; unset messages never are */
    PB_JSON_INDENT = 2,   /* several lines, two blanks a level; otherwise one line */
};

/* *out is NUL-terminated UTF-8 in the arena. Fails when a string is not UTF-8, or a time is out of its range. */
bool pb_json_format(const ProtobufCMessage *message, unsigned flags, struct arena *arena, char **out,
                    struct error *err) MUST_USE;

/*
 * The message of that type in `size` bytes of JSON; it and all it points to live in the arena and must not be given to
 * protobuf_c_message_free_unpacked. On failure err->field is the path, such as "rates[2].settlementRate.num", and
 * err->detail says what would be right, without quoting values.
 */
bool pb_json_parse(const ProtobufCMessageDescriptor *type, const char *text, size_t size, struct arena *arena,
                   ProtobufCMessage **out, struct error *err) MUST_USE;

#endif
