/*
 * rules_diff.c -- DiffRuleSets: two documents as sorted lists of "path = value", compared line by line.
 *
 * What says which entry of a list is meant is its name (name, currency_code, tier), so that an entry that only moved is
 * no difference, and one that was put in between changes no other.
 */
#include "service/rules_document.h"
#include "service/rules_handlers.h"
#include "service/shape.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef Alliance__V1__DiffRuleSetsRequest Diff;
typedef Alliance__V1__DiffRuleSetsResponse Answer;
typedef Alliance__V1__RuleDifference Difference;

enum { LINES_MAX_OF_DOCUMENT = 100000, DIFFERENCES_MAX = 10000, PATH_MAX_BYTES = 200 };

struct line {
    const char *path, *value;
};
struct lines {
    struct arena *arena;
    struct line *at;
    size_t count;
    bool full; /* the arena, LINES_MAX_OF_DOCUMENT or PATH_MAX_BYTES */
};

static bool add(struct lines *lines, const char *path, const char *value)
{
    if (lines->count == LINES_MAX_OF_DOCUMENT)
        lines->full = true;
    if (lines->full)
        return false;
    struct line line = { shape_text(lines->arena, path), shape_text(lines->arena, value) };
    lines->full = !line.path || !line.value;
    lines->at[lines->count++] = line;
    return !lines->full;
}

/* Values */

static void number_text(ProtobufCType type, const ProtobufCFieldDescriptor *field, const void *at, char text[32])
{
    if (type == PROTOBUF_C_TYPE_BOOL)
        snprintf(text, 32, "%s", *(const protobuf_c_boolean *)at ? "true" : "false");
    else if (type == PROTOBUF_C_TYPE_INT64)
        snprintf(text, 32, "%" PRId64, *(const int64_t *)at);
    else if (type == PROTOBUF_C_TYPE_ENUM) {
        const ProtobufCEnumValue *value = protobuf_c_enum_descriptor_get_value(field->descriptor, *(const int *)at);
        snprintf(text, 32, "%s", value ? value->name + (strlen(value->name) > 31 ? strlen(value->name) - 31 : 0) : "?");
    } else
        snprintf(text, 32, "%" PRId32, *(const int32_t *)at);
}

static void walk(struct lines *lines, const char *path, const ProtobufCMessage *message);

static void walk_value(struct lines *lines, const char *path, const ProtobufCFieldDescriptor *field, const void *at)
{
    char text[32];

    if (field->type == PROTOBUF_C_TYPE_MESSAGE)
        walk(lines, path, *(ProtobufCMessage *const *)at);
    else if (field->type == PROTOBUF_C_TYPE_STRING)
        add(lines, path, *(char *const *)at);
    else {
        number_text(field->type, field, at, text);
        add(lines, path, text);
    }
}

static size_t size_of(ProtobufCType type)
{
    if (type == PROTOBUF_C_TYPE_MESSAGE || type == PROTOBUF_C_TYPE_STRING)
        return sizeof(void *);
    return type == PROTOBUF_C_TYPE_INT64 ? sizeof(int64_t) : sizeof(int32_t);
}

/* What names an entry of a list: one of its own fields, or else its place. */
static void entry_name(const ProtobufCFieldDescriptor *field, const void *at, size_t index, char name[40])
{
    static const char *const keys[] = { "name", "currency_code", "tier" };

    snprintf(name, 40, "%zu", index);
    if (field->type != PROTOBUF_C_TYPE_MESSAGE)
        return;
    const ProtobufCMessage *entry = *(ProtobufCMessage *const *)at;
    for (size_t i = 0; i < COUNT(keys); i++) {
        const ProtobufCFieldDescriptor *key =
            protobuf_c_message_descriptor_get_field_by_name(entry->descriptor, keys[i]);
        if (!key)
            continue;
        const uint8_t *value = (const uint8_t *)entry + key->offset;
        if (key->type == PROTOBUF_C_TYPE_STRING)
            snprintf(name, 40, "%s", *(char *const *)(const void *)value);
        else
            snprintf(name, 40, "%" PRId32, *(const int32_t *)(const void *)value);
        return;
    }
}

static void walk_list(struct lines *lines, const char *path, const ProtobufCFieldDescriptor *field,
                      const ProtobufCMessage *message)
{
    size_t count = *(const size_t *)(const void *)((const uint8_t *)message + field->quantifier_offset);
    const uint8_t *at = *(uint8_t *const *)(const void *)((const uint8_t *)message + field->offset);
    char inner[PATH_MAX_BYTES], name[40];

    for (size_t i = 0; i < count && !lines->full; i++, at += size_of(field->type)) {
        entry_name(field, at, i, name);
        if (snprintf(inner, sizeof inner, "%s[%s]", path, name) >= (int)sizeof inner)
            lines->full = true;
        walk_value(lines, inner, field, at);
    }
}

/* Empty text and messages that are not there say nothing; a number 0 does, but for those that were left out. */
static bool is_there(const ProtobufCFieldDescriptor *field, const ProtobufCMessage *message)
{
    const uint8_t *at = (const uint8_t *)message + field->offset;

    if (field->type == PROTOBUF_C_TYPE_MESSAGE)
        return *(ProtobufCMessage *const *)(const void *)at != NULL;
    if (field->type == PROTOBUF_C_TYPE_STRING)
        return **(char *const *)(const void *)at != '\0';
    if (field->label == PROTOBUF_C_LABEL_OPTIONAL)
        return *(const protobuf_c_boolean *)(const void *)((const uint8_t *)message + field->quantifier_offset);
    return true;
}

/* The document's own nesting is its depth: Document, rules, rates, a ratio. */
static void walk(struct lines *lines, const char *path, const ProtobufCMessage *message)
{
    char inner[PATH_MAX_BYTES];

    for (unsigned i = 0; i < message->descriptor->n_fields && !lines->full; i++) {
        const ProtobufCFieldDescriptor *field = &message->descriptor->fields[i];
        if (snprintf(inner, sizeof inner, "%s%s%s", path, *path ? "." : "", field->name) >= (int)sizeof inner)
            lines->full = true;
        if (field->label == PROTOBUF_C_LABEL_REPEATED)
            walk_list(lines, inner, field, message);
        else if (is_there(field, message))
            walk_value(lines, inner, field, (const uint8_t *)message + field->offset);
    }
}

static int by_path(const void *a, const void *b)
{
    return strcmp(((const struct line *)a)->path, ((const struct line *)b)->path);
}

static bool read_lines(struct errand *errand, const struct rules_key *key, struct lines *lines, struct error *err)
{
    struct rules_found found;

    if (!rules_find(errand, key, &found, err))
        return false;
    const Alliance__V1__RuleSetDocument *document = rules_document_of(errand, &found, err);
    if (!document)
        return false;
    lines->arena = &errand->call->arena;
    lines->at = arena_alloc(lines->arena, LINES_MAX_OF_DOCUMENT * sizeof *lines->at);
    if (lines->at)
        walk(lines, "", &document->base);
    if (!lines->at || lines->full)
        return errand_no_room(err);
    qsort(lines->at, lines->count, sizeof *lines->at, by_path);
    return true;
}

static bool differ(struct arena *arena, const char *path, const char *before, const char *after, Answer *answer)
{
    Difference *difference = shape_new(arena, &alliance__v1__rule_difference__descriptor);

    if (!difference || answer->n_differences == DIFFERENCES_MAX)
        return false;
    difference->path = (char *)(uintptr_t)path; /* all three live in the arena */
    difference->before = (char *)(uintptr_t)before;
    difference->after = (char *)(uintptr_t)after;
    answer->differences[answer->n_differences++] = difference;
    return true;
}

/* Both ascend by path. */
static bool compare(struct arena *arena, const struct lines *before, const struct lines *after, Answer *answer)
{
    size_t i = 0, k = 0;
    bool room = (answer->differences = arena_alloc(arena, DIFFERENCES_MAX * sizeof(Difference *))) != NULL;

    while (room && (i < before->count || k < after->count)) {
        const struct line *a = i < before->count ? &before->at[i] : NULL, *b = k < after->count ? &after->at[k] : NULL;
        int order = !a ? 1 : !b ? -1 : strcmp(a->path, b->path);
        if (order < 0)
            room = differ(arena, a->path, a->value, "", answer);
        else if (order > 0)
            room = differ(arena, b->path, "", b->value, answer);
        else if (strcmp(a->value, b->value) != 0)
            room = differ(arena, a->path, a->value, b->value, answer);
        i += order <= 0;
        k += order >= 0;
    }
    return room;
}

static struct rules_key key_before(const Diff *asked)
{
    return (struct rules_key){ asked->bank_id, asked->before_number, asked->before_version };
}

static struct rules_key key_after(const Diff *asked)
{
    return (struct rules_key){ asked->bank_id, asked->after_number, asked->after_version };
}

static bool diff_work(struct errand *errand, struct error *err)
{
    const Diff *asked = (const Diff *)errand->request;
    struct rules_key first = key_before(asked), second = key_after(asked);
    struct lines before = { 0 }, after = { 0 };
    Answer *answer = errand_reply(errand, &alliance__v1__diff_rule_sets_response__descriptor, err);

    return answer && read_lines(errand, &first, &before, err) && read_lines(errand, &second, &after, err) &&
           (compare(&errand->call->arena, &before, &after, answer) || errand_no_room(err));
}

bool rules_diff(struct call *call, const ProtobufCMessage *request, struct error *err)
{
    const Diff *asked = (const Diff *)request;
    struct rules_key first = key_before(asked), second = key_after(asked);

    return rules_check_key(call, &first, err) && rules_check_key(call, &second, err) &&
           errand_read(call, request, diff_work, err);
}
