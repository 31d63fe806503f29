#include "io/row_source.h"

#include "io/mapping_value.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static bool out_of_memory(struct error *err)
{
    return error_set(err, REASON_INTERNAL, "out of memory");
}

/* ---- opening ---- */

/* Says which line of the file it was. */
static bool at_line(const struct row_source *source, const struct error *why, struct error *err)
{
    const struct error *real = file_in_failed(&source->in) ? &source->in.failure : why;

    return error_set(err, real->reason, "%.60s:%" PRId64 ": %.120s", source->options.path,
                     source->rows.lines.number ? source->rows.lines.number : 1, error_text(real));
}

static bool open_mapping(struct row_source *source, struct error *err)
{
    const struct source_options *options = &source->options;

    if (!options->mapping)
        return true;
    source->has_mapping = true;
    if (!mapping_open(&source->mapping, options->mapping, options->kind, options->columns, options->column_count, err))
        return false;
    if (!source->mapping.needs_key)
        return true;
    if (!options->key_file)
        return error_set(err, REASON_FIELD_INVALID,
                         "the mapping makes tokens of card numbers; name the token key with --key-file");
    return crypto_key_load(options->key_file, &source->key, err);
}

static bool format_of(const struct row_source *source, struct rows_format *format, struct error *err)
{
    const char *encoding = source->options.encoding;

    *format = source->has_mapping ? source->mapping.format : (struct rows_format){ .separator = ',' };
    format->strict = true;
    return !encoding || encoding_named(encoding, &format->encoding) ||
           error_field(err, REASON_FIELD_INVALID, "--encoding", "must be UTF-8 or GB18030");
}

static bool open_rows(struct row_source *source, struct error *err)
{
    const struct source_options *options = &source->options;
    bool mapped = source->has_mapping;
    struct rows_format format;
    struct error why = { 0 };

    if (!format_of(source, &format, err))
        return false;
    if (!rows_open_as(&source->rows, source->in.stream, &format, mapped ? NULL : options->columns,
                      mapped ? 0 : options->column_count, &why) ||
        (mapped && !mapping_attach(&source->mapping, &source->rows.header, options->path, &why)))
        return at_line(source, &why, err);
    if (source->rows.lines.ended)
        return true;
    error_set(&why, REASON_MESSAGE_MALFORMED,
              "the header has no end: the file may have been cut; end it with a newline if it is whole");
    return at_line(source, &why, err);
}

bool row_source_open(struct row_source *source, const struct source_options *options, struct error *err)
{
    *source = (struct row_source){ .options = *options };
    source->row = &source->buffers[0];
    source->ahead = &source->buffers[1];
    return open_mapping(source, err) && file_in_open(&source->in, options->path, options->max_mb << 20, err) &&
           open_rows(source, err);
}

void row_source_close(struct row_source *source)
{
    rows_close(&source->rows);
    file_in_close(&source->in);
    if (source->has_mapping)
        mapping_close(&source->mapping);
    crypto_key_clear(&source->key);
    for (size_t i = 0; i < COUNT(source->buffers); i++)
        arena_release(&source->buffers[i].arena);
    seen_clear(&source->seen);
}

bool row_source_rewind(struct row_source *source, struct error *err)
{
    rows_close(&source->rows);
    seen_clear(&source->seen);
    source->has_ahead = false;
    source->lines = 0;
    return file_in_rewind(&source->in, err) && open_rows(source, err);
}

/* ---- one line ---- */

static void start_row(struct source_row *row)
{
    arena_reset(&row->arena);
    row->copy = (struct row_copy){ 0 };
    row->text = "";
    row->err = (struct error){ 0 };
}

/* A card number stands there as its token: so the refused row can be corrected, and the number is not written. */
static const char *kept_value(const struct row_source *source, size_t place, const char *const *mapped)
{
    const struct mapping *mapping = &source->mapping;

    if (!source->has_mapping)
        return source->rows.row.at[place];
    if (mapping->never[place])
        return "";
    for (size_t i = 0; i < mapping->column_count; i++) {
        const struct mapping_value *value = &mapping->columns[i];
        if (value->tokenise && value->from_count == 1 && value->lookup < 0 && value->place[0] == (int)place &&
            !*value->prefix && !*value->suffix && mapped[i])
            return mapped[i];
    }
    return source->rows.row.at[place];
}

/* The file's own values of the line, kept beyond the next. */
static bool copy_line(const struct row_source *source, struct source_row *row)
{
    size_t count = source->rows.row.count;
    bool alone = !source->has_mapping || source->mapping.lines != LINES_ADJACENT;
    const char **values = arena_alloc(&row->arena, (alone ? 1 : SOURCE_LINES_MAX) * (count + 1) * sizeof *values);

    row->copy = (struct row_copy){ source->rows.lines.number, values, 1 };
    for (size_t i = 0; values && i < count; i++) {
        const char *value = kept_value(source, i, row->values);
        values[i] = arena_copy(&row->arena, value, strlen(value));
        if (!values[i])
            return false;
    }
    return values;
}

static bool copy_plain(const struct row_source *source, struct source_row *row)
{
    for (size_t i = 0; i < source->options.column_count; i++) {
        const char *value = rows_value(&source->rows, i);
        row->values[i] = arena_copy(&row->arena, value, strlen(value));
        if (!row->values[i])
            return out_of_memory(&row->err);
    }
    return true;
}

/* Values that could not be made are NULL; the first wrong one is told. */
static bool map_line(const struct row_source *source, struct source_row *row)
{
    const struct mapping *mapping = &source->mapping;
    struct mapping_row mapped;
    const char *ignored;
    bool good = mapping_row_init(&mapped, mapping, &source->rows.row, &source->key, &row->err);

    for (size_t i = 0; i < mapping->column_count; i++) {
        struct error err;
        row->values[i] = mapping->columns[i].name ? NULL : "";
        if (mapping->columns[i].name &&
            !mapping_value_make(&mapped, &mapping->columns[i], &row->arena, &row->values[i], &err)) {
            row->err = good ? err : row->err;
            good = false;
        }
    }
    for (size_t i = 0; good && i < mapping->check_count; i++)
        good = mapping_value_make(&mapped, &mapping->checks[i], &row->arena, &ignored, &row->err);
    return good;
}

/* Nothing of ours begins like one; it would run on the machine of whoever opens a report. */
static bool check_formulas(const struct row_source *source, struct source_row *row)
{
    for (size_t i = 0; i < source->options.column_count; i++) {
        if (row->values[i] && rows_formula(row->values[i])) {
            error_field(&row->err, REASON_FIELD_INVALID, source->options.columns[i].name,
                        "begins like a formula (= + - @), which a spreadsheet would run; remove that");
            row_source_place(source, &row->err);
            return false;
        }
    }
    return true;
}

static enum source_next take_line(struct row_source *source, struct source_row *row)
{
    bool made = source->has_mapping ? map_line(source, row) : copy_plain(source, row);

    if (made)
        check_formulas(source, row);
    if (!copy_line(source, row))
        out_of_memory(&row->err);
    return row->err.reason == REASON_OK ? SOURCE_ROW : SOURCE_BAD;
}

static enum source_next broken(struct row_source *source, struct source_row *row, const struct error *why)
{
    row->err = *why;
    row->copy = (struct row_copy){ .line = source->rows.lines.number };
    return SOURCE_BROKEN;
}

static enum source_next bad_line(struct row_source *source, struct source_row *row, const struct error *why)
{
    if (source->rows.spoiled || (source->has_mapping && source->mapping.lines == LINES_ADJACENT))
        return broken(source, row, why);
    row->err = *why;
    row->copy = (struct row_copy){ .line = source->rows.lines.number };
    /* Where a column may be a card number or a CVV, nobody knows which part of such a line is. */
    const char *text = source->has_mapping ? "(the line could not be taken apart)" : source->rows.text;
    row->text = arena_copy(&row->arena, text, strlen(text));
    if (!row->text)
        row->text = "";
    return SOURCE_BAD;
}

/* The file's next line as a row of its own. */
static enum source_next next_line(struct row_source *source, struct source_row *row)
{
    struct error why = { 0 };

    start_row(row);
    enum rows_next next = rows_read(&source->rows, &why);
    if (file_in_failed(&source->in))
        return broken(source, row, &source->in.failure);
    if (next == ROWS_END)
        return SOURCE_END;
    if (++source->lines > SOURCE_ROWS_MAX)
        error_set(&why, REASON_MESSAGE_TOO_LARGE, "there are more than 5,000,000 rows; send them in several files");
    else if (!source->rows.lines.ended && next == ROWS_ROW)
        error_set(&why, REASON_MESSAGE_MALFORMED,
                  "the last line has no end: the file may have been cut; end it with a newline if it is whole");
    else if (next == ROWS_BAD)
        return bad_line(source, row, &why);
    return why.reason ? broken(source, row, &why) : take_line(source, row);
}

/* ---- several lines ---- */

static bool same_row(const struct source_row *one, const struct source_row *other)
{
    return one->values[0] && other->values[0] && *one->values[0] && strcmp(one->values[0], other->values[0]) == 0;
}

static bool add_copy(const struct row_source *source, struct source_row *row, const struct source_row *more)
{
    size_t count = source->rows.header.count;
    const char **to = row->copy.values + row->copy.lines * count;

    if (row->copy.lines == SOURCE_LINES_MAX)
        return error_set(&row->err, REASON_FIELD_INVALID, "more than 64 lines make one row");
    for (size_t i = 0; i < count; i++) {
        to[i] = arena_copy(&row->arena, more->copy.values[i], strlen(more->copy.values[i]));
        if (!to[i])
            return out_of_memory(&row->err);
    }
    row->copy.lines++;
    return true;
}

/* A row with one bad line is bad whole: nobody should get half of a member. */
static void merge(struct row_source *source, struct source_row *row, const struct source_row *more)
{
    if (!add_copy(source, row, more))
        return;
    if (row->err.reason == REASON_OK)
        row->err = more->err;
    for (size_t i = 0; row->err.reason == REASON_OK && i < source->mapping.column_count; i++) {
        const struct mapping_value *value = &source->mapping.columns[i];
        if (!value->name)
            continue;
        const char *both = mapping_combine(value, row->values[i], more->values[i], &row->arena, &row->err);
        if (!both && row->err.reason == REASON_OK)
            out_of_memory(&row->err);
        row->values[i] = both;
    }
}

static void swap(struct row_source *source)
{
    struct source_row *row = source->row;

    source->row = source->ahead;
    source->ahead = row;
}

static enum source_next next_of_adjacent(struct row_source *source)
{
    enum source_next next;

    if (source->has_ahead)
        swap(source);
    else if ((next = next_line(source, source->row)) == SOURCE_END || next == SOURCE_BROKEN)
        return next;
    source->has_ahead = false;
    while ((next = next_line(source, source->ahead)) == SOURCE_ROW || next == SOURCE_BAD) {
        if (!same_row(source->row, source->ahead)) {
            source->has_ahead = true;
            break;
        }
        merge(source, source->row, source->ahead);
    }
    if (next == SOURCE_BROKEN) {
        swap(source);
        return next;
    }
    return source->row->err.reason == REASON_OK ? SOURCE_ROW : SOURCE_BAD;
}

/* ---- the first of each ---- */

static enum source_next next_of_first(struct row_source *source)
{
    enum source_next next;
    bool first = false;

    while ((next = next_line(source, source->row)) == SOURCE_ROW) {
        if (!seen_add(&source->seen, source->row->values[0], &first)) {
            out_of_memory(&source->row->err);
            return SOURCE_BROKEN;
        }
        if (first)
            return next;
    }
    return next;
}

enum source_next row_source_next(struct row_source *source)
{
    static enum source_next (*const ways[])(struct row_source *) = {
        [LINES_ADJACENT] = next_of_adjacent,
        [LINES_FIRST] = next_of_first,
    };
    enum mapping_lines lines = source->has_mapping ? source->mapping.lines : LINES_EACH;

    return lines == LINES_EACH ? next_line(source, source->row) : ways[lines](source);
}

void row_source_place(const struct row_source *source, struct error *err)
{
    char name[ERROR_FIELD_MAX];

    snprintf(name, sizeof name, "%s", err->field);
    for (size_t i = 0; *name && i < source->options.column_count; i++) {
        const struct mapping_value *value = &source->mapping.columns[i];
        bool mapped = source->has_mapping && value->name;
        int place = mapped && value->lookup < 0 && value->from_count ? value->place[0]
                    : source->has_mapping                            ? -1
                                                                     : source->rows.place[i];
        if (strcmp(source->options.columns[i].name, name) == 0 && place >= 0)
            snprintf(err->field, sizeof err->field, "%.40s (column %d)", name, place + 1);
    }
}

bool row_source_check(struct row_source *source, struct error *err)
{
    enum source_next next;

    do {
        next = row_source_next(source);
    } while (next == SOURCE_ROW || next == SOURCE_BAD);
    if (next == SOURCE_BROKEN)
        return row_source_broken(source, err);
    return row_source_rewind(source, err);
}

bool row_source_broken(const struct row_source *source, struct error *err)
{
    return at_line(source, &source->row->err, err);
}
