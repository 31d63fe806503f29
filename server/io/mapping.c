#include "io/mapping.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* A document being read: where we are, and what is wrong with it. */
struct reader {
    struct mapping *mapping;
    const char *path;
    struct error *err;
};

static bool wrong(const struct reader *reader, const char *where, const char *sentence)
{
    return error_set(reader->err, REASON_FIELD_INVALID, "%.60s: %.50s %.80s", reader->path, where, sentence);
}

/* Every key of the object is one of the names, which stand with a blank around each. */
static bool only_keys(const struct reader *reader, json_t *object, const char *where, const char *names)
{
    char word[64];
    const char *key;
    json_t *value;

    if (!json_is_object(object))
        return wrong(reader, where, "must be an object");
    json_object_foreach(object, key, value)
    {
        snprintf(word, sizeof word, " %.60s ", key);
        if (!strstr(names, word))
            return wrong(reader, where, "holds a key that is not known; ops/mappings/README.md has them all");
    }
    return true;
}

/* The text under key; `absent` when it is not there. */
static bool take_text(const struct reader *reader, json_t *object, const char *where, const char *key,
                      const char *absent, const char **out)
{
    json_t *value = json_object_get(object, key);
    char full[64];

    *out = value ? json_string_value(value) : absent;
    if (!value || *out)
        return true;
    snprintf(full, sizeof full, "%.30s.%.30s", where, key);
    return wrong(reader, full, "must be text");
}

static bool take_bool(const struct reader *reader, json_t *object, const char *where, const char *key, bool *out)
{
    json_t *value = json_object_get(object, key);

    *out = json_is_true(value);
    return !value || json_is_boolean(value) || wrong(reader, where, "must say true or false");
}

/* The word's number in a list that ends with NULL; 0 when absent. */
static bool take_choice(const struct reader *reader, json_t *object, const char *where, const char *key,
                        const char *const *words, int *out)
{
    const char *text;

    if (!take_text(reader, object, where, key, words[0], &text))
        return false;
    for (*out = 0; words[*out]; (*out)++) {
        if (strcmp(words[*out], text) == 0)
            return true;
    }
    return wrong(reader, where, "holds a word that is not known; ops/mappings/README.md has them all");
}

static bool take_format(const struct reader *reader, json_t *object, const char *where, struct rows_format *format)
{
    const char *separator, *encoding;

    if (!take_text(reader, object, where, "separator", ",", &separator) ||
        !take_text(reader, object, where, "encoding", "UTF-8", &encoding))
        return false;
    if (strlen(separator) != 1 || !strchr(",;|", *separator))
        return wrong(reader, where, "separator must be one of , ; |");
    format->separator = *separator;
    return encoding_named(encoding, &format->encoding) || wrong(reader, where, "encoding must be UTF-8 or GB18030");
}

/* ---- one value ---- */

static bool take_from(const struct reader *reader, json_t *object, struct mapping_value *value)
{
    json_t *from = json_object_get(object, "from"), *constant = json_object_get(object, "constant");
    size_t n = json_is_array(from) ? json_array_size(from) : from != NULL;

    value->constant = json_string_value(constant);
    if ((from != NULL) == (value->constant != NULL))
        return wrong(reader, value->name, "needs either \"from\" or the text \"constant\"");
    if (n > MAPPING_FROM_MAX || (from && n == 0))
        return wrong(reader, value->name, "is put together from 1 to 4 columns");
    for (size_t i = 0; i < n; i++) {
        value->from[i] = json_string_value(json_is_array(from) ? json_array_get(from, i) : from);
        if (!value->from[i])
            return wrong(reader, value->name, "from must be a column's name, or a list of them");
    }
    value->from_count = n;
    return true;
}

static bool take_lookup_of(const struct reader *reader, json_t *object, struct mapping_value *value)
{
    struct mapping *mapping = reader->mapping;
    const char *name;

    value->lookup = -1;
    if (!take_text(reader, object, value->name, "in", NULL, &name))
        return false;
    for (size_t i = 0; name && i < mapping->lookup_count; i++) {
        if (strcmp(mapping->lookups[i].name, name) == 0)
            value->lookup = (int)i;
    }
    if (name && value->lookup < 0)
        return wrong(reader, value->name, "names a lookup that is not there");
    for (size_t i = 0; name && i < value->from_count; i++) {
        value->place[i] = lookup_column(&mapping->lookups[value->lookup], value->from[i]);
        if (value->place[i] < 0)
            return wrong(reader, value->name, "takes more than 16 columns of one lookup");
    }
    return true;
}

static bool take_ratio(const struct reader *reader, json_t *money, const struct mapping_value *value, const char *key,
                       int64_t *out)
{
    json_t *number = json_object_get(money, key);

    *out = number ? json_integer_value(number) : 1;
    return (*out >= 1 && *out <= MAPPING_RATIO_MAX) ||
           wrong(reader, value->name, "money.points and money.units are whole numbers from 1 to 1,000,000");
}

static bool take_money(const struct reader *reader, json_t *object, struct mapping_value *value)
{
    static const char *const roundings[] = { "none", "down", NULL };
    json_t *money = json_object_get(object, "money");
    int rounding;

    value->money = money != NULL;
    value->money_sign = "";
    if (!money)
        return true;
    if (!only_keys(reader, money, value->name, " sign points units round ") ||
        !take_text(reader, money, value->name, "sign", "", &value->money_sign) ||
        !take_ratio(reader, money, value, "points", &value->points) ||
        !take_ratio(reader, money, value, "units", &value->units) ||
        !take_choice(reader, money, value->name, "round", roundings, &rounding))
        return false;
    value->round_down = rounding == 1;
    return true;
}

static size_t count_of(const char *text, char letter)
{
    size_t n = 0;

    for (; *text; text++)
        n += *text == letter;
    return n;
}

static bool take_date(const struct reader *reader, json_t *object, struct mapping_value *value)
{
    if (!take_text(reader, object, value->name, "date", NULL, &value->date))
        return false;
    if (!value->date)
        return true;
    size_t years = count_of(value->date, 'Y'), days = count_of(value->date, 'D');
    return ((years == 2 || years == 4) && count_of(value->date, 'M') == 2 && (days == 0 || days == 2) &&
            strlen(value->date) <= 24) ||
           wrong(reader, value->name, "date must be written with YY or YYYY, MM and perhaps DD");
}

static bool take_words(const struct reader *reader, json_t *object, struct mapping_value *value)
{
    json_t *map = json_object_get(object, "map"), *to;
    const char *from;

    if (!take_text(reader, object, value->name, "other", NULL, &value->other_word))
        return false;
    if (!map)
        return !value->other_word || wrong(reader, value->name, "\"other\" belongs to a \"map\"");
    if (!json_is_object(map) || json_object_size(map) == 0 || json_object_size(map) > MAPPING_WORDS_MAX)
        return wrong(reader, value->name, "map must be an object of 1 to 256 words");
    value->words = arena_alloc(&reader->mapping->arena, json_object_size(map) * sizeof *value->words);
    if (!value->words)
        return error_set(reader->err, REASON_INTERNAL, "out of memory");
    json_object_foreach(map, from, to)
    {
        if (!json_is_string(to))
            return wrong(reader, value->name, "map must give text");
        value->words[value->word_count++] = (struct mapping_word){ from, json_string_value(to) };
    }
    return true;
}

static bool take_value(const struct reader *reader, json_t *object, const char *name, struct mapping_value *value)
{
    static const char keys[] =
        " from in between constant empty money date map other tokenise prefix suffix combine note ";
    static const char *const combines[] = { "same", "first", "sum", "most", "list", NULL };
    int combine;

    value->name = name;
    if (!only_keys(reader, object, name, keys) || !take_from(reader, object, value) ||
        !take_lookup_of(reader, object, value) || !take_text(reader, object, name, "between", "", &value->between) ||
        !take_text(reader, object, name, "empty", "", &value->empty) ||
        !take_text(reader, object, name, "prefix", "", &value->prefix) ||
        !take_text(reader, object, name, "suffix", "", &value->suffix) ||
        !take_bool(reader, object, name, "tokenise", &value->tokenise) || !take_money(reader, object, value) ||
        !take_date(reader, object, value) || !take_words(reader, object, value) ||
        !take_choice(reader, object, name, "combine", combines, &combine))
        return false;
    value->combine = (enum mapping_combine)combine;
    reader->mapping->needs_key |= value->tokenise;
    return true;
}

/* ---- the document ---- */

static bool take_lookups(const struct reader *reader, json_t *lookups)
{
    struct mapping *mapping = reader->mapping;
    const char *name;
    json_t *object;

    if (lookups && (!json_is_object(lookups) || json_object_size(lookups) > LOOKUPS_MAX))
        return wrong(reader, "lookups", "must be an object of at most 4");
    json_object_foreach(lookups, name, object)
    {
        struct lookup *lookup = &mapping->lookups[mapping->lookup_count++];
        lookup->name = name;
        if (!only_keys(reader, object, name, " file key by needed separator encoding note ") ||
            !take_text(reader, object, name, "file", NULL, &lookup->file) ||
            !take_text(reader, object, name, "key", NULL, &lookup->key) ||
            !take_text(reader, object, name, "by", NULL, &lookup->by) ||
            !take_bool(reader, object, name, "needed", &lookup->needed) ||
            !take_format(reader, object, name, &lookup->format))
            return false;
        if (!lookup->file || !lookup->by || strchr(lookup->file, '/'))
            return wrong(reader, name, "needs \"by\" and \"file\", the name of a file in the same folder");
    }
    return true;
}

static bool take_columns(const struct reader *reader, json_t *object, const struct row_column *columns, size_t count)
{
    struct mapping *mapping = reader->mapping;
    size_t given = 0;

    if (!json_is_object(object))
        return wrong(reader, "columns", "must be an object");
    mapping->column_count = count;
    for (size_t i = 0; i < count; i++) {
        json_t *value = json_object_get(object, columns[i].name);
        given += value != NULL;
        if (value && !take_value(reader, value, columns[i].name, &mapping->columns[i]))
            return false;
        if (!value && columns[i].required)
            return wrong(reader, columns[i].name, "must be among the columns");
    }
    return given == json_object_size(object) || wrong(reader, "columns", "holds one that is none of ours");
}

static bool take_checks(const struct reader *reader, json_t *checks)
{
    struct mapping *mapping = reader->mapping;
    const char *name;
    json_t *object;

    if (checks && (!json_is_object(checks) || json_object_size(checks) > MAPPING_CHECKS_MAX))
        return wrong(reader, "checks", "must be an object of at most 8");
    json_object_foreach(checks, name, object)
    {
        if (!take_value(reader, object, name, &mapping->checks[mapping->check_count++]))
            return false;
    }
    return true;
}

static bool is_list_of_text(json_t *list)
{
    size_t i;
    json_t *name;

    json_array_foreach(list, i, name)
    {
        if (!json_is_string(name))
            return false;
    }
    return !list || json_is_array(list);
}

static bool take_document(const struct reader *reader, json_t *document, const char *kind,
                          const struct row_column *columns, size_t count)
{
    static const char keys[] = " about rows separator encoding lines columns checks lookups ignore never ";
    static const char *const lines[] = { "each", "adjacent", "first", NULL };
    struct mapping *mapping = reader->mapping;
    const char *rows;
    int how;

    if (!only_keys(reader, document, "the document", keys) ||
        !take_text(reader, document, "the document", "rows", "", &rows))
        return false;
    if (strcmp(rows, kind) != 0)
        return error_set(reader->err, REASON_FIELD_INVALID, "%.80s: rows must be \"%s\" for this command", reader->path,
                         kind);
    if (!is_list_of_text(json_object_get(document, "ignore")) || !is_list_of_text(json_object_get(document, "never")))
        return wrong(reader, "ignore, never", "must be lists of columns' names");
    if (!take_format(reader, document, "the document", &mapping->format) ||
        !take_choice(reader, document, "lines", "lines", lines, &how) ||
        !take_lookups(reader, json_object_get(document, "lookups")) ||
        !take_columns(reader, json_object_get(document, "columns"), columns, count) ||
        !take_checks(reader, json_object_get(document, "checks")))
        return false;
    mapping->lines = (enum mapping_lines)how;
    return true;
}

static void close_file(FILE **file)
{
    if (*file)
        fclose(*file);
}

bool mapping_open(struct mapping *mapping, const char *path, const char *kind, const struct row_column *columns,
                  size_t column_count, struct error *err)
{
    CLEANUP(close_file) FILE *file = fopen(path, "re");
    char text[MAPPING_BYTES_MAX];
    json_error_t why;

    *mapping = (struct mapping){ 0 };
    if (!file)
        return error_set(err, REASON_FIELD_INVALID, "%.150s cannot be read", path);
    size_t size = fread(text, 1, sizeof text, file);
    if (size == sizeof text)
        return error_set(err, REASON_FIELD_INVALID, "%.100s is longer than 64 KiB", path);
    mapping->document = json_loadb(text, size, JSON_REJECT_DUPLICATES, &why);
    if (!mapping->document)
        return error_set(err, REASON_FIELD_INVALID, "%.60s:%d: column %d: %.80s", path, why.line, why.column, why.text);
    const struct reader reader = { mapping, path, err };
    return take_document(&reader, mapping->document, kind, columns, column_count);
}

void mapping_close(struct mapping *mapping)
{
    for (size_t i = 0; i < mapping->lookup_count; i++)
        lookup_close(&mapping->lookups[i]);
    arena_release(&mapping->arena);
    json_decref(mapping->document);
    mapping->document = NULL;
}
