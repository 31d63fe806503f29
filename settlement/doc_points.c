/*
 * doc_points.c -- a bank's points page as CSV, beside its statement: a row a figure, the conventions those of files.h.
 */
#include "csv.h"
#include "doc_writer.h"
#include "money.h"
#include "points_rows.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define END "\r\n"

static bool begin(const struct statement_doc *doc, struct new_file *file, void **state, struct error *err)
{
    (void)doc, (void)err;
    *state = file;
    new_file_text(file, "part,item,funding_id,from_days,to_days,entries,points,rate,currency,amount" END);
    return true;
}

static void abandon(void *state)
{
    (void)state; /* the file is the caller's */
}

static bool put_row(void *owner, const struct points_row *row, struct error *err)
{
    char funding[CSV_CELL_SIZE(ID_MAX)], from[16] = "", to[16] = "", entries[24] = "", rate[48] = "";
    char amount[MONEY_TEXT] = "";

    (void)err;
    csv_cell(row->funding_id, funding, sizeof funding);
    if (row->has_age)
        snprintf(from, sizeof from, "%" PRId32, row->from_days);
    if (row->has_age && row->to_days)
        snprintf(to, sizeof to, "%" PRId32, row->to_days);
    if (row->has_entries)
        snprintf(entries, sizeof entries, "%" PRId64, row->entries);
    if (row->rate_den)
        snprintf(rate, sizeof rate, "%" PRId64 "/%" PRId64, row->rate_num, row->rate_den);
    if (*row->currency)
        money_format(row->amount_minor, row->currency, amount);
    new_file_print(owner, "%s,%s,%s,%s,%s,%s,%" PRId64 ",%s,%s,%s" END, points_part_name(row->part), row->item, funding,
                   from, to, entries, row->points, rate, row->currency, amount);
    return true;
}

/* The last row is the statement's: what the points page leads to. */
static bool end(void *state, const struct statement_doc *doc, struct error *err)
{
    if (!points_rows_each(doc->points, doc->sheet->currency, put_row, state, err))
        return false;
    new_file_print(state, "TOTAL,%s,,,,,%" PRId64 ",,," END, doc->number, doc->points->roll.closing);
    return true;
}

const struct doc_writer points_writer = {
    .extension = "points.csv",
    .types = 1 << SHEET_BANK,
    .of_points = true,
    .begin = begin,
    .end = end,
    .abandon = abandon,
};
