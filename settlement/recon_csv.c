/* recon_csv.c -- records from CSV with our columns, or with a mapping to them. */
#include "recon_read.h"

#include "base/text.h"
#include "io/amount.h"
#include "io/row_source.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KEY, DATE, AMOUNT, AMOUNT_MINOR, CURRENCY, POINTS, STATE, PARTY };

static const struct row_column columns[] = {
    [KEY] = { "key", true },           [DATE] = { "date", true },
    [AMOUNT] = { "amount", false },    [AMOUNT_MINOR] = { "amount_minor", false },
    [CURRENCY] = { "currency", true }, [POINTS] = { "points", false },
    [STATE] = { "state", false },      [PARTY] = { "party", false },
};

static bool wrong(struct error *err, int column, const char *sentence)
{
    return error_field(err, REASON_FIELD_INVALID, columns[column].name, "%s", sentence);
}

static bool copy(const char *text, char *to, size_t room)
{
    return (size_t)snprintf(to, room, "%s", text) < room;
}

/* Digits, a point and decimals as the currency has them or fewer; 0 is an amount too. */
static bool read_decimal(const char *text, const char *currency, int64_t *minor, struct error *err)
{
    if (*text && strspn(text, "0.") == strlen(text) && *text == '0' && strlen(text) < 8) {
        *minor = 0;
        return true;
    }
    return amount_parse(text, currency, minor, err);
}

/* The amount, and whether it has a minus sign. */
static bool read_amount(const char *const *values, struct recon_record *record, bool *minus, struct error *err)
{
    bool whole = *values[AMOUNT_MINOR] != '\0';
    const char *text = values[whole ? AMOUNT_MINOR : AMOUNT];
    int column = whole ? AMOUNT_MINOR : AMOUNT;
    struct error why;

    if (whole == (*values[AMOUNT] != '\0'))
        return wrong(err, column, "either amount or amount_minor must be given");
    *minus = *text == '-';
    text += *text == '-' || *text == '+';
    if (whole)
        return whole_parse(text, "amount_minor", 0, AMOUNT_MINOR_MAX, &record->amount_minor, err);
    return read_decimal(text, record->currency, &record->amount_minor, &why) || wrong(err, column, error_text(&why));
}

static bool read_state(const char *text, bool minus, struct recon_record *record, struct error *err)
{
    bool reverse = strcmp(text, "REVERSE") == 0;

    if (*text && !reverse && strcmp(text, "CONFIRM") != 0)
        return wrong(err, STATE, "must be CONFIRM or REVERSE, or nothing: then a minus sign says that it is reversed");
    if (*text && !reverse && minus)
        return wrong(err, AMOUNT, "has a minus sign, and the state says CONFIRM");
    record->state = reverse || minus ? RECON_REVERSE : RECON_CONFIRM;
    return true;
}

static bool read_points(const char *text, struct recon_record *record, struct error *err)
{
    record->points = -1;
    return !*text || whole_parse(text + (*text == '-'), "points", 0, POINTS_MAX, &record->points, err);
}

static bool read_row(const char *const *values, struct recon_record *record, struct error *err)
{
    bool minus = false;

    if (!copy(values[KEY], record->key, sizeof record->key))
        return wrong(err, KEY, "may have 64 bytes");
    if (!date_parse(values[DATE], &record->date))
        return wrong(err, DATE, "must be a day such as 2017-01-31");
    if (!text_is_currency(values[CURRENCY]) || !copy(values[CURRENCY], record->currency, sizeof record->currency))
        return wrong(err, CURRENCY, "must be three capital letters");
    if (*values[PARTY] &&
        (!text_is_id(values[PARTY], ID_MAX) || !copy(values[PARTY], record->party, sizeof record->party)))
        return wrong(err, PARTY, "must be the other party's id, as the alliance calls it");
    return read_amount(values, record, &minus, err) && read_state(values[STATE], minus, record, err) &&
           read_points(values[POINTS], record, err);
}

/* One row is enough to refuse the file: a record left out would be taken for a missing one. */
static bool refuse(const struct row_source *source, const struct error *why, struct error *err)
{
    return error_set(err, why->reason, "%.60s:%" PRId64 ": %.50s%s%.110s", source->options.path, source->row->copy.line,
                     why->field, *why->field ? " " : "", error_text(why));
}

static bool read_rows(struct row_source *source, recon_take *take, void *owner, struct error *err)
{
    enum source_next next;

    while ((next = row_source_next(source)) == SOURCE_ROW) {
        struct recon_record record = { .line = source->row->copy.line };
        struct error why = { 0 };
        if (!read_row(source->row->values, &record, &why)) {
            row_source_place(source, &why);
            return refuse(source, &why, err);
        }
        if (!take(owner, &record, err))
            return false;
    }
    if (next == SOURCE_BAD)
        return refuse(source, &source->row->err, err);
    return next == SOURCE_END || row_source_broken(source, err);
}

static void free_source(struct row_source **source)
{
    if (*source)
        row_source_close(*source);
    free(*source);
}

bool recon_read_csv(const struct recon_file *file, recon_take *take, void *owner, struct error *err)
{
    CLEANUP(free_source) struct row_source *source = calloc(1, sizeof *source);
    struct source_options options = { .path = file->path,
                                      .kind = "reconciliation",
                                      .columns = columns,
                                      .column_count = COUNT(columns),
                                      .mapping = file->mapping,
                                      .encoding = file->encoding,
                                      .max_mb = file->max_mb };

    if (!source)
        return error_set(err, REASON_INTERNAL, "out of memory");
    return row_source_open(source, &options, err) && read_rows(source, take, owner, err);
}
