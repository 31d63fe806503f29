#include "io/refusals.h"

#include "base/text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_SIZE = 4096, LINE_SHOWN = 1000 };

static bool path_of(const struct refusals *refusals, char path[PATH_SIZE])
{
    if (refusals->to)
        return snprintf(path, PATH_SIZE, "%s", refusals->to) < PATH_SIZE;
    return snprintf(path, PATH_SIZE, "%s.refused.csv", refusals->path) < PATH_SIZE;
}

static bool is_same_file(const char *one, const char *other)
{
    struct stat a, b;

    return stat(one, &a) == 0 && stat(other, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

bool refusals_init_as(struct refusals *refusals, const char *path, const char *to, const struct rows_format *format,
                      const struct row_fields *header, FILE *err)
{
    char old[PATH_SIZE];

    *refusals = (struct refusals){ .path = path, .to = to, .header = header, .err = err };
    if (format) {
        refusals->separator = format->separator;
        refusals->mark = format->encoding != ENCODING_UTF_8;
    }
    if (!path_of(refusals, old))
        return true; /* said when there is something to write */
    if (is_same_file(path, old))
        return false;
    unlink(old);
    return true;
}

void refusals_init(struct refusals *refusals, const char *path, const struct row_fields *header, FILE *err)
{
    (void)!refusals_init_as(refusals, path, NULL, NULL, header, err);
}

bool refusals_close(struct refusals *refusals)
{
    if (refusals->out && (ferror(refusals->out) || fclose(refusals->out) != 0))
        refusals->broken = true;
    refusals->out = NULL;
    return !refusals->broken;
}

/* Columns that an earlier run added are written anew, not kept. */
static bool is_ours(const char *name)
{
    return strcmp(name, "reason") == 0 || strcmp(name, "detail") == 0;
}

/* What a person may open in a spreadsheet: `quoted` is room for a value with a quote before it. */
static const char *harmless(const char *value, char **quoted)
{
    if (text_is_card_number(value))
        return "(a card number was here)";
    if (!rows_formula(value))
        return value;
    const char *made = *quoted;
    *quoted = stpcpy(stpcpy(*quoted, "'"), value) + 1;
    return made;
}

static void write_fields(struct refusals *refusals, const char *const *values, const char *reason, const char *detail)
{
    static const size_t room = ROWS_TEXT_MAX + (size_t)2 * ROWS_COLUMNS_MAX;
    const char *fields[ROWS_COLUMNS_MAX + 2];
    char *quotes = malloc(room), *rest = quotes;
    size_t n = 0;

    if (!quotes) {
        refusals->broken = true;
        return;
    }
    for (size_t i = 0; i < refusals->header->count; i++) {
        if (!is_ours(refusals->header->at[i]))
            fields[n++] = harmless(values[i], &rest);
    }
    fields[n++] = reason;
    fields[n++] = detail;
    rows_write_as(refusals->out, refusals->separator ? refusals->separator : ',', fields, n);
    free(quotes);
}

static void open_file(struct refusals *refusals)
{
    char path[PATH_SIZE];

    refusals->out = path_of(refusals, path) ? fopen(path, "we") : NULL;
    if (!refusals->out) {
        refusals->broken = true;
        return;
    }
    if (refusals->mark)
        fputs("\xef\xbb\xbf", refusals->out);
    write_fields(refusals, (const char *const *)refusals->header->at, "reason", "detail");
}

/* Does a card number stand anywhere in it? */
static bool holds_card_number(const char *text)
{
    char run[64];

    while (*(text += strcspn(text, "0123456789"))) {
        size_t n = strspn(text, "0123456789 -");
        snprintf(run, sizeof run, "%.*s", (int)(n < sizeof run ? n : sizeof run - 1), text);
        if (n >= sizeof run || text_is_card_number(run))
            return true;
        text += n;
    }
    return false;
}

/* Of a line that could not be taken apart: its text where the first column is, the others empty. */
static void write_text(struct refusals *refusals, const char *text, const char *reason, const char *detail)
{
    const char *values[ROWS_COLUMNS_MAX];
    char cut[LINE_SHOWN + 1];

    for (size_t i = 0; i < ROWS_COLUMNS_MAX; i++)
        values[i] = "";
    snprintf(cut, sizeof cut, "%s", holds_card_number(text) ? "(a card number was here)" : text);
    values[0] = cut;
    write_fields(refusals, values, reason, detail);
}

void refusals_add(struct refusals *refusals, const struct row_copy *row, const char *text, const char *reason,
                  const char *detail)
{
    refusals->count++;
    if (refusals->count <= REFUSALS_SHOWN)
        fprintf(refusals->err, "%s:%" PRId64 ": %s: %s\n", refusals->path, row->line, reason, detail);
    else if (refusals->count == REFUSALS_SHOWN + 1)
        fprintf(refusals->err, "... more in %s%s\n", refusals->to ? refusals->to : refusals->path,
                refusals->to ? "" : ".refused.csv");
    if (!refusals->out && !refusals->broken)
        open_file(refusals);
    if (!refusals->out)
        return;
    for (size_t i = 0; row->values && i < (row->lines ? row->lines : 1); i++)
        write_fields(refusals, row->values + i * refusals->header->count, reason, detail);
    if (!row->values)
        write_text(refusals, text, reason, detail);
}

void refusals_add_error(struct refusals *refusals, const struct row_copy *row, const char *text,
                        const struct error *err)
{
    char detail[ERROR_DETAIL_MAX + ERROR_FIELD_MAX + 2];

    snprintf(detail, sizeof detail, "%s%s%s", err->field, *err->field ? " " : "", error_text(err));
    refusals_add(refusals, row, text, reason_name(err->reason), detail);
}
