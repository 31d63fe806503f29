#include "rpc/decode.h"

#include "base/limits.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

/* What protobuf-c spends besides the values: measured generously, so that the budget is an upper bound. */
enum {
    MEMBER_COST = 64,  /* its note of one field on the wire, in slabs that double */
    UNKNOWN_COST = 64, /* a field it does not know is kept, with its bytes */
    COPY_COST = 32,    /* rounding of one allocation */
    SCALAR_COST = 8,
    SEEN_MAX = 256, /* fields of a message type; ours have under 32 */
};

enum wire { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_BYTES = 2, WIRE_FIXED32 = 5 };

struct cursor {
    const uint8_t *at, *end;
};

struct check {
    size_t budget; /* bytes of memory left */
    struct error *err;
};

static bool refuse(struct check *check, const char *why)
{
    return error_set(check->err, REASON_MESSAGE_MALFORMED, "%s", why);
}

static bool charge(struct check *check, size_t bytes)
{
    if (bytes > check->budget)
        return refuse(check, "the message would take too much memory");
    check->budget -= bytes;
    return true;
}

static bool take_varint(struct cursor *cursor, uint64_t *value)
{
    uint64_t result = 0;

    for (unsigned shift = 0; shift < 70 && cursor->at < cursor->end; shift += 7) {
        uint8_t byte = *cursor->at++;
        result |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80)) {
            *value = result;
            return true;
        }
    }
    return false;
}

static bool skip(struct cursor *cursor, uint64_t size)
{
    if (size > (uint64_t)(cursor->end - cursor->at))
        return false;
    cursor->at += size;
    return true;
}

/* "rows" before "member.member_ref". */
static void prepend(struct error *err, const char *name)
{
    char rest[ERROR_FIELD_MAX];

    memcpy(rest, err->field, sizeof rest);
    if (snprintf(err->field, sizeof err->field, "%s%s%s", name, rest[0] ? "." : "", rest) < 0)
        err->field[0] = '\0';
}

static bool check_message(struct check *check, const ProtobufCMessageDescriptor *type, struct cursor cursor, int depth);

/* protobuf-c merges a second occurrence by copying the first: n of them cost n squared. */
static bool first_time(struct check *check, const ProtobufCMessageDescriptor *type,
                       const ProtobufCFieldDescriptor *field, uint64_t seen[SEEN_MAX / 64])
{
    size_t index = (size_t)(field - type->fields);

    if (field->label == PROTOBUF_C_LABEL_REPEATED)
        return true;
    if (index >= SEEN_MAX || (seen[index / 64] >> (index % 64) & 1))
        return refuse(check, "a message field that may occur once occurs twice");
    seen[index / 64] |= UINT64_C(1) << (index % 64);
    return true;
}

static bool check_value(struct check *check, const ProtobufCFieldDescriptor *field, struct cursor value, int depth)
{
    size_t size = (size_t)(value.end - value.at);

    switch (field->type) {
    case PROTOBUF_C_TYPE_STRING:
        return charge(check, size + COPY_COST) &&
               (text_utf8(value.at, size) || refuse(check, "text must be UTF-8 without NUL"));
    case PROTOBUF_C_TYPE_BYTES:
        return charge(check, size + COPY_COST);
    case PROTOBUF_C_TYPE_MESSAGE:
        return check_message(check, field->descriptor, value, depth + 1);
    default: /* packed scalars, one byte each at least */
        return charge(check, size * SCALAR_COST + COPY_COST);
    }
}

static bool check_field(struct check *check, const ProtobufCFieldDescriptor *field, enum wire wire,
                        struct cursor *cursor, int depth)
{
    uint64_t value = 0;

    if (wire == WIRE_FIXED64 || wire == WIRE_FIXED32)
        return skip(cursor, wire == WIRE_FIXED64 ? 8 : 4) || refuse(check, "the message is cut short");
    if (wire != WIRE_VARINT && wire != WIRE_BYTES)
        return refuse(check, "a field has an unknown wire type");
    if (!take_varint(cursor, &value))
        return refuse(check, "the message is cut short");
    if (wire == WIRE_VARINT)
        return true;
    struct cursor inner = { .at = cursor->at };
    if (!skip(cursor, value))
        return refuse(check, "the message is cut short");
    inner.end = cursor->at;
    return field ? check_value(check, field, inner, depth) : charge(check, value);
}

static bool take_key(struct check *check, struct cursor *cursor, uint32_t *id, enum wire *wire)
{
    uint64_t key;

    if (!take_varint(cursor, &key) || key > UINT32_MAX || key >> 3 == 0)
        return refuse(check, "a field number is malformed");
    *id = (uint32_t)(key >> 3);
    *wire = (enum wire)(key & 7);
    return true;
}

static bool check_message(struct check *check, const ProtobufCMessageDescriptor *type, struct cursor cursor, int depth)
{
    const ProtobufCFieldDescriptor *field = NULL;
    uint64_t seen[SEEN_MAX / 64] = { 0 };

    if (depth > NESTING_MAX)
        return refuse(check, "messages are nested too deeply");
    if (!charge(check, type->sizeof_message + COPY_COST))
        return false;
    while (cursor.at < cursor.end) {
        uint32_t id = 0;
        enum wire wire = WIRE_VARINT;
        if (!take_key(check, &cursor, &id, &wire))
            return false;
        if (!field || field->id != id) /* repeated fields come in a row */
            field = protobuf_c_message_descriptor_get_field(type, id);
        bool once = !field || field->type != PROTOBUF_C_TYPE_MESSAGE || first_time(check, type, field, seen);
        size_t cost = MEMBER_COST + (field ? SCALAR_COST : UNKNOWN_COST);
        if (!once || !charge(check, cost) || !check_field(check, field, wire, &cursor, depth)) {
            if (field)
                prepend(check->err, field->name);
            return false;
        }
    }
    return true;
}

static void *from_arena(void *arena, size_t size)
{
    return arena_alloc(arena, size);
}

static void keep(void *arena, void *memory)
{
    (void)arena;
    (void)memory;
}

bool decode_message(const ProtobufCMessageDescriptor *type, const uint8_t *bytes, size_t size, struct arena *arena,
                    ProtobufCMessage **message, struct error *err)
{
    ProtobufCAllocator allocator = { .alloc = from_arena, .free = keep, .allocator_data = arena };
    struct check check = { .budget = DECODE_MAX, .err = err };

    *message = NULL;
    if (size > MESSAGE_MAX)
        return error_set(err, REASON_MESSAGE_TOO_LARGE, "the message is larger than %d bytes", MESSAGE_MAX);
    err->field[0] = '\0';
    if (!check_message(&check, type, (struct cursor){ bytes, bytes + size }, 1))
        return false;
    *message = protobuf_c_message_unpack(type, &allocator, size, bytes);
    return *message || refuse(&check, "the message does not have the fields of its type");
}
