#include "rows.h"

#include "base/text.h"

#include <csv.h>
#include <stdlib.h>
#include <string.h>

struct collector {
    struct row_fields *fields;
    char *text; /* where the next value goes; as large as the line, so it always fits */
    bool too_many;
};

static void take_field(void *value, size_t size, void *to)
{
    struct collector *collector = to;

    if (collector->fields->count == ROWS_COLUMNS_MAX) {
        collector->too_many = true;
        return;
    }
    if (size)
        memcpy(collector->text, value, size);
    collector->text[size] = '\0';
    collector->fields->at[collector->fields->count++] = collector->text;
    collector->text += size + 1;
}

static bool bad_line(struct error *err, const char *sentence)
{
    return error_set(err, REASON_MESSAGE_MALFORMED, "%s", sentence);
}

/* A value and its NUL never take more room than the value and its separator did, but for the last. */
static bool split_line(const struct lines *lines, struct row_fields *fields, char *buffer, struct error *err)
{
    struct collector collector = { .fields = fields, .text = buffer };
    struct csv_parser parser;

    fields->count = 0;
    if (lines->too_long)
        return bad_line(err, "the line is longer than 64 kB");
    if (!text_utf8(lines->text, lines->size))
        return bad_line(err, "the line is not UTF-8, or holds a NUL; save the file as UTF-8");
    /* The parser would take it for the end of a line, and the next value for another column. */
    if (memchr(lines->text, '\r', lines->size))
        return bad_line(err, "a carriage return stands within the line; end each line with a newline");
    if (csv_init(&parser, CSV_STRICT | CSV_STRICT_FINI) != 0)
        return error_set(err, REASON_INTERNAL, "out of memory");
    bool whole = csv_parse(&parser, lines->text, lines->size, take_field, NULL, &collector) == lines->size &&
                 csv_fini(&parser, take_field, NULL, &collector) == 0;
    csv_free(&parser);
    if (!whole)
        return bad_line(err, "a quote is not closed on this line, or stands inside a field; write it twice: \"\"");
    return !collector.too_many || bad_line(err, "the line has too many columns");
}

static int find_name(const struct row_fields *fields, const char *name)
{
    for (size_t i = 0; i < fields->count; i++) {
        if (strcmp(fields->at[i], name) == 0)
            return (int)i;
    }
    return -1;
}

static bool is_known(const struct rows *rows, const char *name)
{
    for (size_t i = 0; i < rows->column_count; i++) {
        if (strcmp(rows->columns[i].name, name) == 0)
            return true;
    }
    return strcmp(name, "reason") == 0 || strcmp(name, "detail") == 0;
}

static bool check_header(struct rows *rows, struct error *err)
{
    if (rows->header.count == 0)
        return bad_line(err, "the first line is blank; it must name the columns");
    for (size_t i = 0; i < rows->column_count; i++) {
        rows->place[i] = find_name(&rows->header, rows->columns[i].name);
        if (rows->place[i] < 0 && rows->columns[i].required)
            return error_set(err, REASON_MESSAGE_MALFORMED, "the header has no column %s", rows->columns[i].name);
    }
    for (size_t i = 0; i < rows->header.count; i++) {
        if (find_name(&rows->header, rows->header.at[i]) != (int)i)
            return error_set(err, REASON_MESSAGE_MALFORMED, "the header has column %zu twice", i + 1);
        if (rows->columns && !is_known(rows, rows->header.at[i]))
            return error_set(err, REASON_MESSAGE_MALFORMED, "the header's column %zu is none of those there are",
                             i + 1);
    }
    return true;
}

static bool read_header(struct rows *rows, struct error *err)
{
    if (!lines_next(&rows->lines))
        return bad_line(err,
                        "there is nothing to read (an empty file, or a folder); the first line must name the columns");
    rows->header_text = malloc(rows->lines.size + 2);
    rows->row_text = malloc(ROWS_LINE_MAX + 2);
    if (!rows->header_text || !rows->row_text)
        return error_set(err, REASON_INTERNAL, "out of memory");
    return split_line(&rows->lines, &rows->header, rows->header_text, err) && check_header(rows, err);
}

bool rows_open(struct rows *rows, FILE *file, const struct row_column *columns, size_t column_count, struct error *err)
{
    *rows = (struct rows){ .columns = columns, .column_count = column_count };
    return lines_init(&rows->lines, file, ROWS_LINE_MAX, err) && read_header(rows, err);
}

void rows_close(struct rows *rows)
{
    lines_release(&rows->lines);
    free(rows->header_text);
    free(rows->row_text);
    rows->header_text = rows->row_text = NULL;
}

static bool check_count(const struct rows *rows, struct error *err)
{
    size_t is = rows->row.count, wanted = rows->header.count;

    if (is == wanted)
        return true;
    if (is < wanted && !rows->lines.ended)
        return error_set(err, REASON_MESSAGE_MALFORMED, "the file ends within this line: %zu of %zu columns", is,
                         wanted);
    return error_set(err, REASON_MESSAGE_MALFORMED, "the line has %zu columns, the header %zu", is, wanted);
}

enum rows_next rows_read(struct rows *rows, struct error *err)
{
    do {
        if (!lines_next(&rows->lines))
            return ROWS_END;
    } while (rows->lines.size == 0);
    if (split_line(&rows->lines, &rows->row, rows->row_text, err) && check_count(rows, err))
        return ROWS_ROW;
    rows->row.count = 0;
    return ROWS_BAD;
}

const char *rows_value(const struct rows *rows, size_t i)
{
    int place = rows->place[i];

    return place >= 0 && (size_t)place < rows->row.count ? rows->row.at[place] : "";
}

/* What would not be read as it is when it stood there bare: separators, quotes, blanks at either end. */
static bool needs_quotes(const char *field)
{
    size_t n = strlen(field);

    return field[strcspn(field, ",\"\r\n")] || (n > 0 && (strchr(" \t", field[0]) || strchr(" \t", field[n - 1])));
}

void rows_write(FILE *out, const char *const *fields, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (i)
            putc(',', out);
        if (needs_quotes(fields[i]))
            csv_fwrite(out, fields[i], strlen(fields[i]));
        else
            fputs(fields[i], out);
    }
    putc('\n', out);
}
