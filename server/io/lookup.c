#include "io/lookup.h"

#include "io/file_in.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { PATH_SIZE = 4096, FIRST_TABLE = 1024 };

/* What one reading needs. */
struct reading {
    struct lookup *lookup;
    struct file_in in;
    struct rows rows;
    int key_place, places[LOOKUP_COLUMNS_MAX];
};

static void close_reading(struct reading *reading)
{
    rows_close(&reading->rows);
    file_in_close(&reading->in);
}

int lookup_column(struct lookup *lookup, const char *name)
{
    for (size_t i = 0; i < lookup->column_count; i++) {
        if (strcmp(lookup->columns[i], name) == 0)
            return (int)i;
    }
    if (lookup->column_count == LOOKUP_COLUMNS_MAX)
        return -1;
    lookup->columns[lookup->column_count] = name;
    return (int)lookup->column_count++;
}

static uint64_t hash(const char *key) /* FNV-1a */
{
    uint64_t value = UINT64_C(14695981039346656037);

    for (; *key; key++)
        value = (value ^ (unsigned char)*key) * UINT64_C(1099511628211);
    return value ^ value >> 32;
}

/* The key's place, or the free one where it would stand. The table is never full. */
static struct lookup_row *place_of(const struct lookup *lookup, const char *key)
{
    size_t at = hash(key) & (lookup->table_size - 1);

    while (lookup->table[at].key && strcmp(lookup->table[at].key, key) != 0)
        at = (at + 1) & (lookup->table_size - 1);
    return &lookup->table[at];
}

static bool grow(struct lookup *lookup)
{
    struct lookup_row *old = lookup->table;
    size_t old_size = lookup->table_size, size = old_size ? 2 * old_size : FIRST_TABLE;

    lookup->table = calloc(size, sizeof *lookup->table);
    if (!lookup->table) {
        lookup->table = old;
        return false;
    }
    lookup->table_size = size;
    for (size_t i = 0; i < old_size; i++) {
        if (old[i].key)
            *place_of(lookup, old[i].key) = old[i];
    }
    free(old);
    return true;
}

const struct lookup_row *lookup_find(const struct lookup *lookup, const char *key)
{
    const struct lookup_row *row = lookup->table_size ? place_of(lookup, key) : NULL;

    return row && row->key ? row : NULL;
}

static bool wrong(const struct reading *reading, const char *sentence, struct error *err)
{
    return error_set(err, REASON_MESSAGE_MALFORMED, "%.60s:%" PRId64 ": %.120s", reading->lookup->file,
                     reading->rows.lines.number, sentence);
}

static bool find_column(const struct reading *reading, const char *name, int *place, struct error *err)
{
    const struct row_fields *header = &reading->rows.header;

    for (size_t i = 0; i < header->count; i++) {
        if (strcmp(header->at[i], name) == 0) {
            *place = (int)i;
            return true;
        }
    }
    return error_set(err, REASON_MESSAGE_MALFORMED, "%.60s:1: the header has no column %.60s", reading->lookup->file,
                     name);
}

static bool find_columns(struct reading *reading, struct error *err)
{
    const struct lookup *lookup = reading->lookup;

    reading->key_place = -1;
    if (lookup->key && !find_column(reading, lookup->key, &reading->key_place, err))
        return false;
    for (size_t i = 0; i < lookup->column_count; i++) {
        if (!find_column(reading, lookup->columns[i], &reading->places[i], err))
            return false;
    }
    return true;
}

static bool take_row(struct reading *reading, struct error *err)
{
    struct lookup *lookup = reading->lookup;
    const struct row_fields *row = &reading->rows.row;
    char number[24];

    if (lookup->count == LOOKUP_ROWS_MAX || (2 * lookup->count >= lookup->table_size && !grow(lookup)))
        return wrong(reading, "there are too many rows; a file that values are looked up in has at most 1,000,000",
                     err);
    snprintf(number, sizeof number, "%zu", lookup->count);
    const char *key = reading->key_place < 0 ? number : row->at[reading->key_place];
    struct lookup_row *place = place_of(lookup, key);
    if (place->key)
        return wrong(reading, "the key stands on an earlier line too", err);
    struct lookup_row made = { .key = arena_copy(&lookup->arena, key, strlen(key)) };
    bool copied = made.key;
    for (size_t i = 0; copied && i < lookup->column_count; i++) {
        const char *value = row->at[reading->places[i]];
        made.values[i] = arena_copy(&lookup->arena, value, strlen(value));
        copied = made.values[i];
    }
    if (!copied)
        return wrong(reading, "the file is too large to look values up in", err);
    *place = made;
    lookup->count++;
    return true;
}

static bool read_rows(struct reading *reading, struct error *err)
{
    struct error why = { 0 };
    enum rows_next next;

    while ((next = rows_read(&reading->rows, &why)) == ROWS_ROW) {
        if (!take_row(reading, err))
            return false;
    }
    if (file_in_failed(&reading->in))
        return wrong(reading, error_text(&reading->in.failure), err);
    return next == ROWS_END || wrong(reading, error_text(&why), err);
}

static bool path_beside(const char *file, const char *beside, char path[PATH_SIZE])
{
    const char *slash = strrchr(beside, '/');
    int folder = slash ? (int)(slash - beside) + 1 : 0;

    return snprintf(path, PATH_SIZE, "%.*s%s", folder, beside, file) < PATH_SIZE;
}

bool lookup_read(struct lookup *lookup, const char *beside, struct error *err)
{
    struct reading *reading = calloc(1, sizeof *reading);
    struct error why = { 0 };
    char path[PATH_SIZE];

    if (!reading || !path_beside(lookup->file, beside, path)) {
        free(reading);
        return error_set(err, REASON_INTERNAL, "out of memory, or a path too long");
    }
    reading->lookup = lookup;
    lookup->arena.limit = LOOKUP_BYTES_MAX;
    lookup->format.strict = true;
    bool opened = file_in_open(&reading->in, path, LOOKUP_BYTES_MAX, err);
    bool named = opened && rows_open_as(&reading->rows, reading->in.stream, &lookup->format, NULL, 0, &why);
    if (opened && !named)
        wrong(reading, error_text(file_in_failed(&reading->in) ? &reading->in.failure : &why), err);
    bool read = named && find_columns(reading, err) && read_rows(reading, err);
    close_reading(reading);
    free(reading);
    return read;
}

void lookup_close(struct lookup *lookup)
{
    free(lookup->table);
    lookup->table = NULL;
    lookup->table_size = lookup->count = 0;
    arena_release(&lookup->arena);
}
