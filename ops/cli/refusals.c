#include "refusals.h"

#include "base/text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PATH_SIZE = 4096, LINE_SHOWN = 1000 };

static bool path_of(const struct refusals *refusals, char path[PATH_SIZE])
{
    return snprintf(path, PATH_SIZE, "%s.refused.csv", refusals->path) < PATH_SIZE;
}

void refusals_init(struct refusals *refusals, const char *path, const struct row_fields *header, FILE *err)
{
    char old[PATH_SIZE];

    *refusals = (struct refusals){ .path = path, .header = header, .err = err };
    if (path_of(refusals, old))
        unlink(old);
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

static void write_fields(struct refusals *refusals, const char *const *values, const char *reason, const char *detail)
{
    const char *fields[ROWS_COLUMNS_MAX + 2];
    size_t n = 0;

    for (size_t i = 0; i < refusals->header->count; i++) {
        if (!is_ours(refusals->header->at[i]))
            fields[n++] = text_is_card_number(values[i]) ? "(a card number was here)" : values[i];
    }
    fields[n++] = reason;
    fields[n++] = detail;
    rows_write(refusals->out, fields, n);
}

static void open_file(struct refusals *refusals)
{
    char path[PATH_SIZE];

    refusals->out = path_of(refusals, path) ? fopen(path, "we") : NULL;
    if (!refusals->out)
        refusals->broken = true;
    else
        write_fields(refusals, (const char *const *)refusals->header->at, "reason", "detail");
}

/* Of a line that could not be taken apart: its text where the first column is, the others empty. */
static void write_text(struct refusals *refusals, const char *text, const char *reason, const char *detail)
{
    const char *values[ROWS_COLUMNS_MAX];
    char cut[LINE_SHOWN + 1];

    for (size_t i = 0; i < ROWS_COLUMNS_MAX; i++)
        values[i] = "";
    snprintf(cut, sizeof cut, "%s", text);
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
        fprintf(refusals->err, "... more in %s.refused.csv\n", refusals->path);
    if (!refusals->out && !refusals->broken)
        open_file(refusals);
    if (!refusals->out)
        return;
    if (row->values)
        write_fields(refusals, row->values, reason, detail);
    else
        write_text(refusals, text, reason, detail);
}

void refusals_add_error(struct refusals *refusals, const struct row_copy *row, const char *text,
                        const struct error *err)
{
    char detail[ERROR_DETAIL_MAX + ERROR_FIELD_MAX + 2];

    snprintf(detail, sizeof detail, "%s%s%s", err->field, *err->field ? " " : "", error_text(err));
    refusals_add(refusals, row, text, reason_name(err->reason), detail);
}
