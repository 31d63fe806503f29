#include "io/rows.h"

#include "base/text.h"

#include <csv.h>
#include <stdlib.h>
#include <string.h>

struct collector {
    struct row_fields *fields;
    char *text;  /* where the next value goes; as large as the line, so it always fits */
    size_t most; /* bytes of a value */
    bool too_many, too_long;
};

static void take_field(void *value, size_t size, void *to)
{
    struct collector *collector = to;

    if (collector->too_long)
        return;
    collector->too_long = size > collector->most;
    collector->too_many |= collector->fields->count == ROWS_COLUMNS_MAX;
    if (collector->too_long || collector->too_many)
        return;
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

static bool bad_byte(const char *text, size_t at, enum encoding encoding, struct error *err)
{
    unsigned byte = (unsigned char)text[at - 1];

    if (byte == 0)
        return error_set(err, REASON_MESSAGE_MALFORMED, "byte %zu of the line is a NUL; save the file as text", at);
    if (encoding == ENCODING_GB18030)
        return error_set(err, REASON_MESSAGE_MALFORMED,
                         "byte %zu of the line (0x%02X) is not GB18030; say --encoding UTF-8 if the file is that", at,
                         byte);
    return error_set(err, REASON_MESSAGE_MALFORMED,
                     "byte %zu of the line (0x%02X) is not UTF-8; save the file as UTF-8, or say --encoding GB18030 if "
                     "it is that",
                     at, byte);
}

/* rows->text as UTF-8; of a bad line, what comes before the bad byte. */
static bool decode(struct rows *rows, size_t *size, struct error *err)
{
    char *raw = rows->lines.text;
    size_t bad;

    *size = rows->lines.size;
    rows->text = raw;
    if (rows->format.encoding == ENCODING_UTF_8) {
        bad = encoding_utf8_bad(raw, *size);
    } else if (decoder_line(&rows->decoder, raw, *size, rows->decoded, ROWS_TEXT_MAX - 1, size, &bad)) {
        rows->text = rows->decoded;
        rows->decoded[*size] = '\0';
    }
    if (!bad)
        return true;
    bad_byte(raw, bad, rows->format.encoding, err);
    rows->spoiled = true;
    raw[rows->format.encoding == ENCODING_UTF_8 ? bad - 1 : 0] = '\0';
    return false;
}

/* GB18030 has a byte order mark too. */
static void drop_decoded_mark(struct rows *rows, size_t *size)
{
    if (rows->lines.number == 1 && rows->text == rows->decoded && *size >= 3 &&
        memcmp(rows->decoded, "\xef\xbb\xbf", 3) == 0) {
        *size -= 3;
        memmove(rows->decoded, rows->decoded + 3, *size + 1);
    }
}

/* The parser stopped there, or found an open quote at the end. */
static bool bad_quote(struct rows *rows, size_t column, struct error *err)
{
    rows->spoiled = !rows->lines.ended;
    return error_set(err, REASON_MESSAGE_MALFORMED,
                     "column %zu: a quote is not closed on this line, or stands inside a field; write it twice: \"\"",
                     column);
}

/* A value and its NUL never take more room than the value and its separator did, but for the last. */
static bool split_text(struct rows *rows, size_t size, struct row_fields *fields, char *buffer, struct error *err)
{
    size_t most = rows->format.strict ? ROWS_FIELD_MAX : ROWS_TEXT_MAX;
    struct collector collector = { .fields = fields, .text = buffer, .most = most };
    struct csv_parser parser;

    if (csv_init(&parser, CSV_STRICT | CSV_STRICT_FINI) != 0)
        return error_set(err, REASON_INTERNAL, "out of memory");
    csv_set_delim(&parser, (unsigned char)rows->format.separator);
    bool whole = csv_parse(&parser, rows->text, size, take_field, NULL, &collector) == size &&
                 csv_fini(&parser, take_field, NULL, &collector) == 0;
    csv_free(&parser);
    if (collector.too_long)
        return error_set(err, REASON_MESSAGE_MALFORMED, "column %zu is longer than 4 KiB", fields->count + 1);
    if (collector.too_many)
        return bad_line(err, "the line has too many columns; there may be 64");
    return whole || bad_quote(rows, fields->count + 1, err);
}

static bool split_line(struct rows *rows, struct row_fields *fields, char *buffer, struct error *err)
{
    size_t size;

    fields->count = 0;
    rows->spoiled = false;
    rows->text = "";
    if (rows->lines.too_long) {
        rows->spoiled = true;
        return bad_line(err, "the line is longer than 64 KiB");
    }
    if (!decode(rows, &size, err))
        return false;
    drop_decoded_mark(rows, &size);
    /* The parser would take it for the end of a line, and the next value for another column. */
    const char *end = size ? memchr(rows->text, '\r', size) : NULL;
    if (end)
        return error_set(err, REASON_MESSAGE_MALFORMED,
                         "a carriage return stands within the line (byte %zu); end each line with a newline",
                         (size_t)(end - rows->text) + 1);
    return split_text(rows, size, fields, buffer, err);
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
    if (rows->lines.marked)
        rows->format.encoding = ENCODING_UTF_8;
    return split_line(rows, &rows->header, rows->header_text, err) && check_header(rows, err);
}

static bool take_memory(struct rows *rows, struct error *err)
{
    rows->header_text = malloc(ROWS_TEXT_MAX);
    rows->row_text = malloc(ROWS_TEXT_MAX);
    rows->decoded = malloc(ROWS_TEXT_MAX);
    return (rows->header_text && rows->row_text && rows->decoded) || error_set(err, REASON_INTERNAL, "out of memory");
}

bool rows_open_as(struct rows *rows, FILE *file, const struct rows_format *format, const struct row_column *columns,
                  size_t column_count, struct error *err)
{
    *rows = (struct rows){ .columns = columns, .column_count = column_count, .text = "" };
    if (format)
        rows->format = *format;
    if (!rows->format.separator)
        rows->format.separator = ',';
    if (!lines_init(&rows->lines, file, ROWS_LINE_MAX, err))
        return false;
    rows->lines.give_up = rows->format.strict;
    return take_memory(rows, err) && (rows->format.encoding == ENCODING_UTF_8 || decoder_open(&rows->decoder, err)) &&
           read_header(rows, err);
}

bool rows_open(struct rows *rows, FILE *file, const struct row_column *columns, size_t column_count, struct error *err)
{
    return rows_open_as(rows, file, NULL, columns, column_count, err);
}

void rows_close(struct rows *rows)
{
    lines_release(&rows->lines);
    decoder_close(&rows->decoder);
    free(rows->header_text);
    free(rows->row_text);
    free(rows->decoded);
    rows->header_text = rows->row_text = rows->decoded = NULL;
}

static bool check_count(struct rows *rows, struct error *err)
{
    size_t is = rows->row.count, wanted = rows->header.count;

    if (is == wanted)
        return true;
    rows->spoiled = !rows->lines.ended;
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
    if (split_line(rows, &rows->row, rows->row_text, err) && check_count(rows, err))
        return ROWS_ROW;
    rows->row.count = 0;
    return ROWS_BAD;
}

const char *rows_value(const struct rows *rows, size_t i)
{
    int place = rows->place[i];

    return place >= 0 && (size_t)place < rows->row.count ? rows->row.at[place] : "";
}

/* Digits and what people write between them, or a name: nothing a spreadsheet can run. */
static bool is_harmless(const char *rest)
{
    static const char digits[] = "0123456789";
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    size_t n = strlen(rest), plain = 0, number = 0;

    for (const char *at = rest; *at; at++) {
        plain += strchr(digits, *at) || strchr(letters, *at) || strchr("._-", *at);
        number += strchr(digits, *at) || strchr(" ().-/", *at);
    }
    return plain == n || number == n;
}

bool rows_formula(const char *value)
{
    if (*value == '+' || *value == '-')
        return !is_harmless(value + 1);
    return *value && strchr("=@\t\r", *value);
}

/* What would not be read as it is when it stood there bare: separators, quotes, blanks at either end. */
static bool needs_quotes(const char *field, char separator)
{
    size_t n = strlen(field);

    return strchr(field, separator) || field[strcspn(field, "\"\r\n")] ||
           (n > 0 && (strchr(" \t", field[0]) || strchr(" \t", field[n - 1])));
}

void rows_write_as(FILE *out, char separator, const char *const *fields, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (i)
            putc(separator, out);
        if (needs_quotes(fields[i], separator))
            csv_fwrite(out, fields[i], strlen(fields[i]));
        else
            fputs(fields[i], out);
    }
    putc('\n', out);
}

void rows_write(FILE *out, const char *const *fields, size_t count)
{
    rows_write_as(out, ',', fields, count);
}
