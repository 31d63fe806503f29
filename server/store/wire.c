#include "store/wire.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

enum { DAYS_TO_2000 = 10957 };
static const int64_t us_to_2000 = INT64_C(946684800000000);

void wire_release(struct wire *wire)
{
    free(wire->at);
    *wire = (struct wire){ 0 };
}

static void put(struct wire *wire, const void *bytes, size_t n)
{
    if (wire->failed || n == 0)
        return;
    if (wire->room - wire->size < n) {
        size_t room = wire->room * 2 > wire->size + n ? wire->room * 2 : wire->size + n + 4096;
        uint8_t *at = realloc(wire->at, room);
        if (!at) {
            wire->failed = true;
            return;
        }
        wire->at = at;
        wire->room = room;
    }
    memcpy(wire->at + wire->size, bytes, n);
    wire->size += n;
}

static void put_int32(struct wire *wire, int32_t value)
{
    uint32_t big = htobe32((uint32_t)value);

    put(wire, &big, sizeof big);
}

static void put_int64(struct wire *wire, int64_t value)
{
    uint64_t big = htobe64((uint64_t)value);

    put(wire, &big, sizeof big);
}

/* Reserves the four bytes of a length; seal_length fills them once what follows is there. */
static size_t open_length(struct wire *wire)
{
    put_int32(wire, 0);
    return wire->size;
}

static void seal_length(struct wire *wire, size_t start)
{
    if (wire->failed)
        return;
    uint32_t big = htobe32((uint32_t)(wire->size - start));
    memcpy(wire->at + start - 4, &big, 4);
}

static void put_one_int16(struct wire *wire, const void *field)
{
    uint16_t big = htobe16((uint16_t) * (const int16_t *)field);

    put(wire, &big, sizeof big);
}

static void put_one_int32(struct wire *wire, const void *field)
{
    put_int32(wire, *(const int32_t *)field);
}

static void put_one_int64(struct wire *wire, const void *field)
{
    put_int64(wire, *(const int64_t *)field);
}

static void put_one_bool(struct wire *wire, const void *field)
{
    uint8_t byte = *(const bool *)field;

    put(wire, &byte, 1);
}

static void put_one_text(struct wire *wire, const void *field)
{
    const char *text = *(const char *const *)field;

    if (text)
        put(wire, text, strlen(text));
}

static void put_one_bytes(struct wire *wire, const void *field)
{
    const struct bytes *bytes = field;

    put(wire, bytes->at, bytes->size);
}

static void put_one_uuid(struct wire *wire, const void *field)
{
    put(wire, field, sizeof(struct uuid));
}

static void put_one_place(struct wire *wire, const void *field)
{
    put(wire, field, sizeof(struct place));
}

static void put_one_date(struct wire *wire, const void *field)
{
    put_int32(wire, ((const struct date *)field)->days - DAYS_TO_2000);
}

static void put_one_instant(struct wire *wire, const void *field)
{
    put_int64(wire, ((const struct instant *)field)->us - us_to_2000);
}

/* Every array struct begins with a pointer and a count. */
struct any_array {
    const void *at;
    size_t count;
};

static bool get_one_int16(const uint8_t *bytes, size_t size, void *field, struct arena *arena)
{
    uint16_t big;

    (void)arena;
    if (size != sizeof big)
        return false;
    memcpy(&big, bytes, sizeof big);
    *(int16_t *)field = (int16_t)be16toh(big);
    return true;
}

static bool get_one_int32(const uint8_t *bytes, size_t size, void *field, struct arena *arena)
{
    uint32_t big;

    (void)arena;
    if (size != sizeof big)
        return false;
    memcpy(&big, bytes, sizeof big);
    *(int32_t *)field = (int32_t)be32toh(big);
    return true;
}

static bool get_one_int64(const uint8_t *bytes, size_t size, void *field, struct arena *arena)
{
    uint64_t big;

    (void)arena;
    if (size != sizeof big)
        return false;
    memcpy(&big, bytes, sizeof big);
    *(int64_t *)field = (int64_t)be64toh(big);
    return true;
}

static bool get_one_bool(const uint8_t *bytes, size_t size, void *field, struct arena *arena)
{
    (void)arena;
    if (size != 1)
        return false;
    *(bool *)field = bytes[0] != 0;
    return true;
}

static bool get_one_text(const uint8_t *bytes, size_t size, void *field, struct arena *arena)
{
    return (*(const char **)field = arena_copy(arena, bytes, size)) != NULL;
}

static bool get_one_bytes(const uint8_t *bytes, size_t size, void *field, struct arena *arena)
{
    struct bytes *out = field;

    out->at = (const uint8_t *)arena_copy(arena, bytes, size);
    out->size = size;
    return out->at != NULL;
}

static bool get_one_uuid(const uint8_t *bytes, size_t size, void *field, struct arena *arena)
{
    (void)arena;
    if (size != sizeof(struct uuid))
        return false;
    memcpy(field, bytes, size);
    return true;
}

static bool get_one_place(const uint8_t *bytes, size_t size, void *field, struct arena *arena)
{
    (void)arena;
    if (size != sizeof(struct place))
        return false;
    memcpy(field, bytes, size);
    return true;
}

/* infinity and -infinity, the greatest and the least number, are no day; nor are they an instant. */
static bool get_one_date(const uint8_t *bytes, size_t size, void *field, struct arena *arena)
{
    struct date *date = field;
    int32_t days;

    return get_one_int32(bytes, size, &days, arena) && days != INT32_MIN &&
           !__builtin_add_overflow(days, DAYS_TO_2000, &date->days);
}

static bool get_one_instant(const uint8_t *bytes, size_t size, void *field, struct arena *arena)
{
    struct instant *instant = field;
    int64_t us;

    return get_one_int64(bytes, size, &us, arena) && us != INT64_MIN &&
           !__builtin_add_overflow(us, us_to_2000, &instant->us);
}

/* A row a kind. Arrays name the kind of their elements. */
static const struct {
    uint32_t oid;
    size_t size;
    void (*put)(struct wire *wire, const void *field);
    bool (*get)(const uint8_t *bytes, size_t size, void *field, struct arena *arena);
    bool is_array;
    enum kind element;
} kinds[] = {
    [KIND_INT16] = { 21, sizeof(int16_t), put_one_int16, get_one_int16, false, 0 },
    [KIND_INT32] = { 23, sizeof(int32_t), put_one_int32, get_one_int32, false, 0 },
    [KIND_INT64] = { 20, sizeof(int64_t), put_one_int64, get_one_int64, false, 0 },
    [KIND_BOOL] = { 16, sizeof(bool), put_one_bool, get_one_bool, false, 0 },
    [KIND_TEXT] = { 25, sizeof(const char *), put_one_text, get_one_text, false, 0 },
    [KIND_BYTES] = { 17, sizeof(struct bytes), put_one_bytes, get_one_bytes, false, 0 },
    [KIND_UUID] = { 2950, sizeof(struct uuid), put_one_uuid, get_one_uuid, false, 0 },
    [KIND_PLACE] = { 27, sizeof(struct place), put_one_place, get_one_place, false, 0 },
    [KIND_DATE] = { 1082, sizeof(struct date), put_one_date, get_one_date, false, 0 },
    [KIND_INSTANT] = { 1184, sizeof(struct instant), put_one_instant, get_one_instant, false, 0 },
    [KIND_INT64_ARRAY] = { 1016, sizeof(struct any_array), NULL, NULL, true, KIND_INT64 },
    [KIND_DATE_ARRAY] = { 1182, sizeof(struct any_array), NULL, NULL, true, KIND_DATE },
    [KIND_INSTANT_ARRAY] = { 1185, sizeof(struct any_array), NULL, NULL, true, KIND_INSTANT },
    [KIND_UUID_ARRAY] = { 2951, sizeof(struct any_array), NULL, NULL, true, KIND_UUID },
    [KIND_TEXT_ARRAY] = { 1009, sizeof(struct any_array), NULL, NULL, true, KIND_TEXT },
    [KIND_RECORD_ARRAY] = { 0, sizeof(struct any_array), NULL, NULL, true, 0 },
};

uint32_t wire_oid(enum kind kind)
{
    return kinds[kind].oid;
}

/* Dimensions, has-nulls flag, element type, then length and lower bound; an empty array has no dimension. */
static void put_array_header(struct wire *wire, size_t count, uint32_t element_oid)
{
    put_int32(wire, count > 0);
    put_int32(wire, 0);
    put_int32(wire, (int32_t)element_oid);
    if (count > 0) {
        put_int32(wire, (int32_t)count);
        put_int32(wire, 1);
    }
}

static void put_array(struct wire *wire, enum kind element, const struct any_array *array)
{
    put_array_header(wire, array->count, kinds[element].oid);
    for (size_t i = 0; i < array->count; i++) {
        size_t start = open_length(wire);
        kinds[element].put(wire, (const uint8_t *)array->at + i * kinds[element].size);
        seal_length(wire, start);
    }
}

/* Number of fields, then type, length and value of each. */
static void put_record(struct wire *wire, const struct record_type *type, const void *record)
{
    put_int32(wire, (int32_t)type->column_count);
    for (size_t i = 0; i < type->column_count; i++) {
        put_int32(wire, (int32_t)kinds[type->columns[i].kind].oid);
        size_t start = open_length(wire);
        wire_put(wire, &type->columns[i], record, NULL, NULL);
        seal_length(wire, start);
    }
}

static void put_records(struct wire *wire, const struct record_type *type, const struct any_array *array, uint32_t oid)
{
    put_array_header(wire, array->count, oid);
    for (size_t i = 0; i < array->count; i++) {
        size_t start = open_length(wire);
        put_record(wire, type, (const uint8_t *)array->at + i * type->size);
        seal_length(wire, start);
    }
}

void wire_put(struct wire *wire, const struct column *column, const void *params, wire_type_lookup *lookup, void *owner)
{
    const void *field = (const uint8_t *)params + column->offset;

    if (column->kind == KIND_RECORD_ARRAY)
        put_records(wire, column->record, field, lookup(owner, column->record));
    else if (kinds[column->kind].is_array)
        put_array(wire, kinds[column->kind].element, field);
    else
        kinds[column->kind].put(wire, field);
}

static int32_t read_int32(const uint8_t *bytes)
{
    uint32_t big;

    memcpy(&big, bytes, sizeof big);
    return (int32_t)be32toh(big);
}

static bool get_array(enum kind element, const uint8_t *bytes, size_t size, struct any_array *out, struct arena *arena)
{
    if (size < 12 || read_int32(bytes + 4) != 0 || (uint32_t)read_int32(bytes + 8) != kinds[element].oid)
        return false;
    *out = (struct any_array){ 0 };
    if (read_int32(bytes) == 0)
        return size == 12;
    if (read_int32(bytes) != 1 || size < 20 || read_int32(bytes + 12) < 0)
        return false;
    size_t count = (size_t)read_int32(bytes + 12), at = 20;
    if (count > (size - at) / 4) /* each has a length at least */
        return false;
    uint8_t *values = arena_alloc(arena, count * kinds[element].size);
    if (!values)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (size - at < 4)
            return false;
        int32_t length = read_int32(bytes + at);
        at += 4;
        if (length < 0 || (size_t)length > size - at)
            return false;
        if (!kinds[element].get(bytes + at, (size_t)length, values + i * kinds[element].size, arena))
            return false;
        at += (size_t)length;
    }
    if (at != size)
        return false;
    *out = (struct any_array){ values, count };
    return true;
}

bool wire_get(const struct column *column, const uint8_t *bytes, size_t size, void *row, struct arena *arena)
{
    void *field = (uint8_t *)row + column->offset;

    if (column->kind == KIND_RECORD_ARRAY)
        return false;
    if (kinds[column->kind].is_array)
        return get_array(kinds[column->kind].element, bytes, size, field, arena);
    return kinds[column->kind].get(bytes, size, field, arena);
}
