/* mapping_attach.c -- a mapping meets the header of a file. */
#include "io/mapping.h"

#include <jansson.h>
#include <string.h>

static int place_in(const struct row_fields *header, const char *name)
{
    for (size_t i = 0; i < header->count; i++) {
        if (strcmp(header->at[i], name) == 0)
            return (int)i;
    }
    return -1;
}

static bool lacks(const char *name, struct error *err)
{
    return error_set(err, REASON_MESSAGE_MALFORMED, "the header has no column %.60s, which the mapping names", name);
}

static bool attach_value(struct mapping_value *value, const struct row_fields *header, bool used[ROWS_COLUMNS_MAX],
                         struct error *err)
{
    for (size_t i = 0; value->lookup < 0 && i < value->from_count; i++) {
        value->place[i] = place_in(header, value->from[i]);
        if (value->place[i] < 0)
            return lacks(value->from[i], err);
        used[value->place[i]] = true;
    }
    return true;
}

static bool attach_lookups(struct mapping *mapping, const struct row_fields *header, bool used[ROWS_COLUMNS_MAX],
                           const char *path, struct error *err)
{
    for (size_t i = 0; i < mapping->lookup_count; i++) {
        struct lookup *lookup = &mapping->lookups[i];
        lookup->by_place = place_in(header, lookup->by);
        if (lookup->by_place < 0)
            return lacks(lookup->by, err);
        used[lookup->by_place] = true;
        if (!lookup->table && !lookup_read(lookup, path, err))
            return false;
    }
    return true;
}

/* Columns of a list are known; one that is not there is no harm. */
static void mark(json_t *list, const struct row_fields *header, bool marks[ROWS_COLUMNS_MAX])
{
    size_t i;
    json_t *name;

    json_array_foreach(list, i, name)
    {
        int place = place_in(header, json_string_value(name));
        if (place >= 0)
            marks[place] = true;
    }
}

static bool is_ours(const char *name)
{
    return strcmp(name, "reason") == 0 || strcmp(name, "detail") == 0;
}

bool mapping_attach(struct mapping *mapping, const struct row_fields *header, const char *path, struct error *err)
{
    bool used[ROWS_COLUMNS_MAX] = { 0 };

    for (size_t i = 0; i < mapping->column_count; i++) {
        if (!attach_value(&mapping->columns[i], header, used, err))
            return false;
    }
    for (size_t i = 0; i < mapping->check_count; i++) {
        if (!attach_value(&mapping->checks[i], header, used, err))
            return false;
    }
    if (!attach_lookups(mapping, header, used, path, err))
        return false;
    mark(json_object_get(mapping->document, "never"), header, mapping->never);
    mark(json_object_get(mapping->document, "never"), header, used);
    mark(json_object_get(mapping->document, "ignore"), header, used);
    for (size_t i = 0; i < header->count; i++) {
        if (!used[i] && !is_ours(header->at[i]))
            return error_set(err, REASON_MESSAGE_MALFORMED,
                             "the mapping says nothing of the header's column %zu; use it, ignore it, or say never",
                             i + 1);
    }
    return true;
}
