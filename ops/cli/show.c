#include "show.h"

#include "base/arena.h"
#include "base/when.h"
#include "io/amount.h"
#include "io/crypto.h"

#include <alliance/v1/types.pb-c.h>
#include <google/protobuf/duration.pb-c.h>
#include <google/protobuf/timestamp.pb-c.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { PATH_MAX_TEXT = 200, COLUMNS_MAX = 32 };

/* What is shown is small and short-lived; when memory is out, the cell is empty. */
static const char *kept(struct arena *arena, const char *text)
{
    const char *copy = arena_copy(arena, text, strlen(text));

    return copy ? copy : "";
}

static const char *show_enum(const ProtobufCEnumDescriptor *type, int number, struct arena *arena)
{
    const ProtobufCEnumValue *value = protobuf_c_enum_descriptor_get_value(type, number);
    const char *zero = type->n_values ? type->values[0].name : "", *suffix = strstr(zero, "UNSPECIFIED");
    char text[16];

    snprintf(text, sizeof text, "%d", number);
    if (!value)
        return kept(arena, text);
    return suffix ? value->name + (suffix - zero) : value->name;
}

static const char *show_money(const ProtobufCMessage *message, struct arena *arena)
{
    const Alliance__V1__Money *money = (const Alliance__V1__Money *)message;
    char amount[AMOUNT_TEXT], text[AMOUNT_TEXT + 8];

    amount_format(money->amount_minor, money->currency_code, amount);
    snprintf(text, sizeof text, "%s %.3s", amount, money->currency_code);
    return kept(arena, text);
}

static const char *show_ratio(const ProtobufCMessage *message, struct arena *arena)
{
    const Alliance__V1__Ratio *ratio = (const Alliance__V1__Ratio *)message;
    char text[48];

    snprintf(text, sizeof text, "%" PRId64 "/%" PRId64, ratio->num, ratio->den);
    return kept(arena, text);
}

static const char *show_time(const ProtobufCMessage *message, struct arena *arena)
{
    const Google__Protobuf__Timestamp *time = (const Google__Protobuf__Timestamp *)message;
    char text[INSTANT_TEXT];

    if (time->seconds < INT64_C(-62135596800) || time->seconds > INT64_C(253402300799))
        return "?";
    instant_format((struct instant){ time->seconds * US_PER_SECOND + time->nanos / 1000 }, text);
    return kept(arena, text);
}

/* Messages that are one value to a reader. */
static const struct {
    const ProtobufCMessageDescriptor *type;
    const char *(*show)(const ProtobufCMessage *message, struct arena *arena);
} values[] = {
    { &alliance__v1__money__descriptor, show_money },
    { &alliance__v1__ratio__descriptor, show_ratio },
    { &google__protobuf__timestamp__descriptor, show_time },
};

static const char *show_message_value(const ProtobufCMessage *message, struct arena *arena)
{
    for (size_t i = 0; message && i < COUNT(values); i++) {
        if (message->descriptor == values[i].type)
            return values[i].show(message, arena);
    }
    return message ? NULL : "";
}

/* A hash as every other tool prints it. */
static const char *show_bytes(const ProtobufCBinaryData *bytes, struct arena *arena)
{
    char text[2 * CRYPTO_HASH + 1] = "";

    if (bytes->len == CRYPTO_HASH)
        crypto_hex(bytes->data, CRYPTO_HASH, text);
    else
        snprintf(text, sizeof text, "%zu bytes", bytes->len);
    return kept(arena, text);
}

/* The value as text; NULL for a message that is more than one value. */
static const char *show_value(const ProtobufCFieldDescriptor *field, const void *member, struct arena *arena)
{
    char text[32] = "";

    switch ((int)field->type) {
    case PROTOBUF_C_TYPE_STRING:
        return *(const char *const *)member;
    case PROTOBUF_C_TYPE_MESSAGE:
        return show_message_value(*(ProtobufCMessage *const *)member, arena);
    case PROTOBUF_C_TYPE_ENUM:
        return show_enum(field->descriptor, *(const int *)member, arena);
    case PROTOBUF_C_TYPE_BOOL:
        return *(const protobuf_c_boolean *)member ? "true" : "false";
    case PROTOBUF_C_TYPE_INT32:
        snprintf(text, sizeof text, "%" PRId32, *(const int32_t *)member);
        return kept(arena, text);
    case PROTOBUF_C_TYPE_INT64:
        snprintf(text, sizeof text, "%" PRId64, *(const int64_t *)member);
        return kept(arena, text);
    case PROTOBUF_C_TYPE_BYTES:
        return show_bytes(member, arena);
    default:
        return "?";
    }
}

/* "a, b, c" */
static const char *show_list(const ProtobufCFieldDescriptor *field, const ProtobufCMessage *message,
                             struct arena *arena)
{
    size_t n = *(const size_t *)((const char *)message + field->quantifier_offset), size = 1;
    char *const *texts = *(char **const *)((const char *)message + field->offset);

    if (field->type != PROTOBUF_C_TYPE_STRING)
        return "";
    for (size_t i = 0; i < n; i++)
        size += strlen(texts[i]) + 2;
    char *all = arena_alloc(arena, size), *end = all;
    for (size_t i = 0; all && i < n; i++)
        end = stpcpy(stpcpy(end, i ? ", " : ""), texts[i]);
    return all ? all : "";
}

static bool is_list(const ProtobufCFieldDescriptor *field)
{
    return field->label == PROTOBUF_C_LABEL_REPEATED;
}

static bool is_message_list(const ProtobufCFieldDescriptor *field)
{
    return is_list(field) && field->type == PROTOBUF_C_TYPE_MESSAGE;
}

/* Characters on a terminal: Chinese, Japanese and Korean take two places. */
static size_t width_of(const char *text)
{
    size_t width = 0;

    for (const unsigned char *c = (const unsigned char *)text; *c; c++)
        width += (*c & 0xc0) != 0x80 ? 1u + (*c >= 0xe3 && *c <= 0xf0 && *c != 0xef) : 0;
    return width;
}

/* Control characters from elsewhere do not reach the terminal. */
static void put_text(FILE *out, const char *text)
{
    for (; *text; text++)
        putc((unsigned char)*text < ' ' || *text == 0x7f ? '?' : *text, out);
}

static void put_padding(FILE *out, size_t n)
{
    fprintf(out, "%*s", (int)n, "");
}

static bool is_number(const char *text)
{
    return *text && text[strspn(text, "-0123456789.")] == '\0' && strspn(text, "-") <= 1 && strcmp(text, "-") != 0;
}

static void measure(const char *const *cells, size_t rows, size_t columns, size_t *widths, bool *numbers)
{
    for (size_t c = 0; c < columns; c++) {
        widths[c] = 0;
        numbers[c] = rows > 1;
        for (size_t r = 0; r < rows; r++) {
            const char *cell = cells[r * columns + c];
            size_t width = width_of(cell);
            widths[c] = width > widths[c] ? width : widths[c];
            numbers[c] = numbers[c] && (r == 0 || !*cell || is_number(cell));
        }
    }
}

void show_cells(FILE *out, const char *const *cells, size_t rows, size_t columns)
{
    size_t widths[COLUMNS_MAX];
    bool numbers[COLUMNS_MAX];

    columns = columns > COLUMNS_MAX ? COLUMNS_MAX : columns;
    measure(cells, rows, columns, widths, numbers);
    for (size_t r = 0; r < rows; r++) {
        for (size_t c = 0; c < columns; c++) {
            const char *cell = cells[r * columns + c];
            size_t room = widths[c] - width_of(cell);
            if (numbers[c])
                put_padding(out, room);
            put_text(out, cell);
            if (c + 1 < columns)
                put_padding(out, (numbers[c] ? 0 : room) + 2);
        }
        putc('\n', out);
    }
}

/* A path's value, such as "totals.gross_minor"; "" when a part of it is not set. */
static const char *value_at(const ProtobufCMessage *message, const char *path, struct arena *arena)
{
    char name[PATH_MAX_TEXT];
    size_t n = strcspn(path, ".");

    snprintf(name, sizeof name, "%.*s", (int)n, path);
    const ProtobufCFieldDescriptor *field = protobuf_c_message_descriptor_get_field_by_name(message->descriptor, name);
    if (!field)
        return "";
    const char *member = (const char *)message + field->offset;
    if (path[n]) {
        const ProtobufCMessage *inner = *(ProtobufCMessage *const *)member;
        return inner ? value_at(inner, path + n + 1, arena) : "";
    }
    const char *text = is_list(field) ? show_list(field, message, arena) : show_value(field, member, arena);
    return text ? text : "";
}

struct columns {
    const char *paths[COLUMNS_MAX];
    size_t count;
};

static bool is_one_value(const ProtobufCFieldDescriptor *field)
{
    for (size_t i = 0; i < COUNT(values); i++) {
        if (field->type == PROTOBUF_C_TYPE_MESSAGE && field->descriptor == values[i].type)
            return true;
    }
    return field->type != PROTOBUF_C_TYPE_MESSAGE;
}

/* Is anything in it anywhere? */
static bool is_used(const char *path, ProtobufCMessage *const *messages, size_t count, struct arena *arena)
{
    for (size_t i = 0; i < count; i++) {
        if (*value_at(messages[i], path, arena))
            return true;
    }
    return false;
}

static void take_columns(struct columns *columns, const char *names, ProtobufCMessage *const *messages, size_t count,
                         struct arena *arena)
{
    for (; *names && columns->count < COLUMNS_MAX; names += strspn(names, " ")) {
        size_t n = strcspn(names, " ");
        const char *name = arena_copy(arena, names, n);
        if (name && is_used(name, messages, count, arena))
            columns->paths[columns->count++] = name;
        names += n;
    }
}

static void take_all(struct columns *columns, const ProtobufCMessageDescriptor *type, ProtobufCMessage *const *messages,
                     size_t count, struct arena *arena)
{
    for (unsigned i = 0; i < type->n_fields && columns->count < COLUMNS_MAX; i++) {
        const ProtobufCFieldDescriptor *field = &type->fields[i];
        if (!is_list(field) && is_one_value(field) && is_used(field->name, messages, count, arena))
            columns->paths[columns->count++] = field->name;
    }
}

static const char *heading(const char *path)
{
    const char *point = strrchr(path, '.');

    return point ? point + 1 : path;
}

void show_table(FILE *out, const ProtobufCMessageDescriptor *type, ProtobufCMessage *const *messages, size_t count,
                const char *columns)
{
    CLEANUP(arena_release) struct arena arena = { .limit = (size_t)1 << 30 };
    struct columns chosen = { .count = 0 };

    if (columns)
        take_columns(&chosen, columns, messages, count, &arena);
    else
        take_all(&chosen, type, messages, count, &arena);
    const char **cells = calloc((count + 1) * (chosen.count + 1), sizeof *cells);
    if (!cells)
        return;
    for (size_t c = 0; c < chosen.count; c++) {
        cells[c] = heading(chosen.paths[c]);
        for (size_t r = 0; r < count; r++)
            cells[(r + 1) * chosen.count + c] = value_at(messages[r], chosen.paths[c], &arena);
    }
    show_cells(out, cells, count + 1, chosen.count);
    free(cells);
}

/* Walks the single values of a message: measures when out is NULL, else writes. */
static size_t walk(FILE *out, const ProtobufCMessage *message, const char *prefix, size_t width, struct arena *arena)
{
    const ProtobufCMessageDescriptor *type = message->descriptor;
    size_t widest = 0;

    for (unsigned i = 0; i < type->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &type->fields[i];
        const char *member = (const char *)message + field->offset;
        char path[PATH_MAX_TEXT];
        if (is_message_list(field))
            continue;
        snprintf(path, sizeof path, "%s%s", prefix, field->name);
        const char *text = is_list(field) ? show_list(field, message, arena) : show_value(field, member, arena);
        if (!text) {
            strncat(path, ".", sizeof path - strlen(path) - 1);
            size_t inner = walk(out, *(ProtobufCMessage *const *)member, path, width, arena);
            widest = inner > widest ? inner : widest;
            continue;
        }
        if (!*text)
            continue;
        widest = strlen(path) > widest ? strlen(path) : widest;
        if (out) {
            fprintf(out, "%-*s  ", (int)width, path);
            put_text(out, text);
            putc('\n', out);
        }
    }
    return widest;
}

void show_message(FILE *out, const ProtobufCMessage *message)
{
    CLEANUP(arena_release) struct arena arena = { 0 };
    const ProtobufCMessageDescriptor *type = message->descriptor;

    walk(out, message, "", walk(NULL, message, "", 0, &arena), &arena);
    for (unsigned i = 0; i < type->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &type->fields[i];
        if (!is_message_list(field))
            continue;
        size_t n = *(const size_t *)((const char *)message + field->quantifier_offset);
        if (n == 0)
            continue;
        fprintf(out, "\n%s\n", field->name);
        show_table(out, field->descriptor, *(ProtobufCMessage * *const *)((const char *)message + field->offset), n,
                   NULL);
    }
}
