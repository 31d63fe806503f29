/*
 * doc_pdf.c -- a statement for people, in Chinese and English: who, how much, why, what it is made of, how to check it,
 * and where to sign.
 *
 * A PAIR's lines are in it up to PDF_LINES_MAX of them; a longer statement shows its days and stores, and names the CSV
 * that has the lines. So the memory a PDF takes is bounded, too.
 */
#include "doc_writer.h"

#include "base/exact.h"
#include "pdf_table.h"
#include "statement_pdf.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A line as the PDF shows it. */
struct pdf_line {
    struct date day;
    bool reversal;
    char redemption[UUID_TEXT + 8], store[ID_MAX + 1];
    int64_t number, points, gross_minor, commission_minor, net_minor;
};
struct pdf_state {
    struct new_file *file;
    struct pdf_line *lines; /* NULL: too many */
    size_t count, room;
};

static bool begin(const struct statement_doc *doc, struct new_file *file, void **state, struct error *err)
{
    struct pdf_state *made = calloc(1, sizeof *made);

    if (!made)
        return error_set(err, REASON_INTERNAL, "out of memory");
    made->file = file;
    made->room =
        doc->sheet->type == SHEET_PAIR && doc->sheet->line_count <= PDF_LINES_MAX ? (size_t)doc->sheet->line_count : 0;
    made->lines = made->room ? calloc(made->room, sizeof *made->lines) : NULL;
    *state = made;
    return made->lines || !made->room || error_set(err, REASON_INTERNAL, "out of memory");
}

static void abandon(void *state)
{
    struct pdf_state *made = state;

    if (made)
        free(made->lines);
    free(made);
}

static void line(void *state, const struct statement_doc *doc, const struct sheet_line *from)
{
    struct pdf_state *made = state;
    char id[UUID_TEXT];

    (void)doc;
    if (made->count == made->room)
        return;
    struct pdf_line *to = &made->lines[made->count++];
    *to = (struct pdf_line){
        from->business_date,    from->reversal, "", "", from->number, from->points, from->gross_minor,
        from->commission_minor, from->net_minor
    };
    uuid_format(&from->redemption_id, id);
    snprintf(to->redemption, sizeof to->redemption, "%s.%02x%02x", id, from->member_id.bytes[0],
             from->member_id.bytes[1]);
    snprintf(to->store, sizeof to->store, "%s", from->store_id);
}

static const struct pdf_column line_columns[] = {
    { "No.", "序号", 32, PDF_ALIGN_RIGHT, PDF_NO_SUM },
    { "Date", "日期", 50, PDF_ALIGN_LEFT, PDF_NO_SUM },
    { "Kind", "类型", 46, PDF_ALIGN_LEFT, PDF_NO_SUM },
    { "Redemption", "核销编号", 150, PDF_ALIGN_LEFT, PDF_NO_SUM },
    { "Store", "门店", 57, PDF_ALIGN_LEFT, PDF_NO_SUM },
    { "Points", "积分", 44, PDF_ALIGN_RIGHT, PDF_SUM_COUNT },
    { "Gross", "总额", 46, PDF_ALIGN_RIGHT, PDF_SUM_MONEY },
    { "Commission", "佣金", 42, PDF_ALIGN_RIGHT, PDF_SUM_MONEY },
    { "Net", "净额", 44, PDF_ALIGN_RIGHT, PDF_SUM_MONEY },
};

static bool line_row(struct pdf_table *table, const struct pdf_line *from, struct error *err)
{
    char day[DATE_TEXT], number[24];

    date_format(from->day, day);
    snprintf(number, sizeof number, "%" PRId64, from->number);
    const struct pdf_cell cells[] = {
        { number, 0 },
        { day, 0 },
        { from->reversal ? "冲正 Reversal" : "核销 Redeem", 0 },
        { from->redemption, 0 },
        { from->store, 0 },
        { NULL, from->points },
        { NULL, from->gross_minor },
        { NULL, from->commission_minor },
        { NULL, from->net_minor },
    };
    return pdf_table_row(table, cells, err);
}

static bool lines(const struct pdf_state *made, const struct statement_doc *doc, struct pdf *pdf, struct error *err)
{
    struct pdf_table table;

    if (!made->lines)
        return true;
    pdf_table_begin(&table, pdf, "明细 Lines", line_columns, COUNT(line_columns), doc->sheet->currency);
    for (size_t i = 0; i < made->count; i++) {
        if (!line_row(&table, &made->lines[i], err))
            return false;
    }
    pdf_table_end(&table, "合计 Total");
    return true;
}

/* What both layouts need; lives in end's frame. */
struct content {
    const struct pdf_state *made;
    const struct statement_doc *doc;
};

static bool lay_out(void *owner, struct pdf *pdf, struct error *err)
{
    const struct content *content = owner;

    return statement_pdf_front(content->doc, pdf, err) && statement_pdf_parts(content->doc, pdf, err) &&
           lines(content->made, content->doc, pdf, err) && statement_pdf_back(content->doc, pdf, err);
}

static bool end(void *state, const struct statement_doc *doc, struct error *err)
{
    struct pdf_state *made = state;
    struct content content = { made, doc };
    struct pdf_look look = {
        .title = doc->number,
        .author = doc_party_name(&doc->operator_),
        .subject = doc->id,
        .date = { doc->period->last.days + 1 },
        .begin = statement_pdf_begin_page,
        .end = statement_pdf_end_page,
        .owner = (void *)(uintptr_t)doc,
    };
    bool good = pdf_write(made->file, &look, lay_out, &content, err);

    abandon(state);
    return good;
}

const struct doc_writer pdf_writer = {
    .extension = "pdf",
    .types = 1 << SHEET_PAIR | 1 << SHEET_BANK | 1 << SHEET_MERCHANT | 1 << SHEET_OPERATOR | 1 << SHEET_CARRIER |
             1 << SHEET_TAX,
    .begin = begin,
    .line = line,
    .end = end,
    .abandon = abandon,
};
