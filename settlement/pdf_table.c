#include "pdf_table.h"

#include "base/exact.h"
#include "money.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define ROW_HEIGHT  13.0
#define HEAD_HEIGHT 25.0
#define TEXT_SIZE   7.6
#define NOTE_HEIGHT 11.0 /* at most a row's */
#define NOTE_SIZE   6.8
#define HEAD_SIZE   7.0

static void group(const char *plain, char text[PDF_CELL])
{
    size_t sign = plain[0] == '-', digits = strcspn(plain + sign, "."), n = 0;

    for (size_t i = 0; plain[i] && n + 2 < PDF_CELL; i++) {
        if (i > sign && i < sign + digits && (digits - (i - sign)) % 3 == 0)
            text[n++] = ',';
        text[n++] = plain[i];
    }
    text[n] = '\0';
}

void pdf_money(int64_t minor, const char *currency, char text[PDF_CELL])
{
    char plain[MONEY_TEXT];

    money_format(minor, currency, plain);
    group(plain, text);
}

void pdf_count(int64_t number, char text[PDF_CELL])
{
    char plain[MONEY_TEXT];

    snprintf(plain, sizeof plain, "%" PRId64, number);
    group(plain, text);
}

void pdf_heading(struct pdf *pdf, const char *text, double with)
{
    if (pdf_y(pdf) > PDF_TOP)
        pdf_move(pdf, 14);
    pdf_need(pdf, 20 + with);
    pdf_text(pdf, PDF_LEFT, pdf_y(pdf) + 11, PDF_RIGHT - PDF_LEFT, 10.5, PDF_ALIGN_LEFT, PDF_INK_ACCENT, text);
    pdf_move(pdf, 18);
}

static void head(struct pdf_table *table)
{
    double x = PDF_LEFT, y = pdf_y(table->pdf);

    pdf_band(table->pdf, PDF_LEFT, y, PDF_RIGHT - PDF_LEFT, HEAD_HEIGHT);
    for (size_t i = 0; i < table->count; i++) {
        const struct pdf_column *column = &table->columns[i];
        pdf_text(table->pdf, x + 3, y + 10, column->width - 6, HEAD_SIZE, column->align, PDF_INK_ACCENT,
                 column->chinese);
        pdf_text(table->pdf, x + 3, y + 20, column->width - 6, HEAD_SIZE, column->align, PDF_INK_ACCENT,
                 column->english);
        x += column->width;
    }
    pdf_rule(table->pdf, PDF_LEFT, y + HEAD_HEIGHT, PDF_RIGHT - PDF_LEFT, 0.8);
    pdf_move(table->pdf, HEAD_HEIGHT);
}

static void sum_text(const struct pdf_table *table, size_t i, int64_t number, char text[PDF_CELL])
{
    if (table->columns[i].sum == PDF_SUM_MONEY)
        pdf_money(number, table->currency, text);
    else
        pdf_count(number, text);
}

/* Sums under their columns, the label in the room of the columns before the first of them. */
static void sums_row(struct pdf_table *table, const int64_t *sums, const char *label, enum pdf_ink ink)
{
    double x = PDF_LEFT, y = pdf_y(table->pdf), room = 0;
    bool before = true;
    char text[PDF_CELL];

    for (size_t i = 0; i < table->count; i++) {
        before = before && table->columns[i].sum == PDF_NO_SUM;
        room += before ? table->columns[i].width : 0;
    }
    pdf_text(table->pdf, x + 3, y + 9.5, room - 6, TEXT_SIZE, PDF_ALIGN_LEFT, ink, label);
    for (size_t i = 0; i < table->count; i++) {
        if (table->columns[i].sum != PDF_NO_SUM) {
            sum_text(table, i, sums[i], text);
            pdf_text(table->pdf, x + 3, y + 9.5, table->columns[i].width - 6, TEXT_SIZE, table->columns[i].align, ink,
                     text);
        }
        x += table->columns[i].width;
    }
    pdf_move(table->pdf, ROW_HEIGHT);
}

static bool has_sums(const struct pdf_table *table)
{
    for (size_t i = 0; i < table->count; i++) {
        if (table->columns[i].sum != PDF_NO_SUM)
            return true;
    }
    return false;
}

/* Each row keeps room for the page's total and what is carried forward below it. */
static void next_page(struct pdf_table *table)
{
    if (pdf_y(table->pdf) + (table->noted ? 4 : 3) * ROW_HEIGHT <= PDF_BOTTOM)
        return;
    if (has_sums(table) && table->rows > 0) {
        pdf_rule(table->pdf, PDF_LEFT, pdf_y(table->pdf), PDF_RIGHT - PDF_LEFT, 0.5);
        sums_row(table, table->page_sums, "本页小计 Page total", PDF_INK_SOFT);
        sums_row(table, table->sums, "过次页 Carried forward", PDF_INK_SOFT);
    }
    pdf_need(table->pdf, PDF_BOTTOM);
    memset(table->page_sums, 0, sizeof table->page_sums);
    head(table);
    if (has_sums(table) && table->rows > 0) {
        sums_row(table, table->sums, "承前页 Brought forward", PDF_INK_SOFT);
        pdf_rule(table->pdf, PDF_LEFT, pdf_y(table->pdf), PDF_RIGHT - PDF_LEFT, 0.5);
    }
}

void pdf_table_begin(struct pdf_table *table, struct pdf *pdf, const char *heading, const struct pdf_column *columns,
                     size_t count, const char *currency)
{
    *table = (struct pdf_table){ .pdf = pdf, .columns = columns, .count = count, .currency = currency };
    pdf_heading(pdf, heading, HEAD_HEIGHT + 4 * ROW_HEIGHT);
    head(table);
}

bool pdf_table_row(struct pdf_table *table, const struct pdf_cell *cells, struct error *err)
{
    char text[PDF_CELL];
    double x = PDF_LEFT;

    next_page(table);
    double y = pdf_y(table->pdf);
    for (size_t i = 0; i < table->count; i++) {
        const struct pdf_column *column = &table->columns[i];
        if (column->sum != PDF_NO_SUM) {
            sum_text(table, i, cells[i].number, text);
            if (!exact_add(table->sums[i], cells[i].number, &table->sums[i]) ||
                !exact_add(table->page_sums[i], cells[i].number, &table->page_sums[i]))
                return error_set(err, REASON_DOES_NOT_TIE, "a column of a document does not fit");
        }
        pdf_text(table->pdf, x + 3, y + 9.5, column->width - 6, TEXT_SIZE, column->align, PDF_INK,
                 column->sum != PDF_NO_SUM ? text : cells[i].text);
        x += column->width;
    }
    pdf_move(table->pdf, ROW_HEIGHT);
    if (!table->noted)
        pdf_rule(table->pdf, PDF_LEFT, pdf_y(table->pdf), PDF_RIGHT - PDF_LEFT, 0.15);
    table->rows++;
    return true;
}

void pdf_table_note(struct pdf_table *table, const char *text)
{
    double indent = table->columns[0].width;

    if (*text) {
        pdf_text(table->pdf, PDF_LEFT + indent + 3, pdf_y(table->pdf) + 7.5, PDF_RIGHT - PDF_LEFT - indent - 6,
                 NOTE_SIZE, PDF_ALIGN_LEFT, PDF_INK_SOFT, text);
        pdf_move(table->pdf, NOTE_HEIGHT);
    }
    pdf_rule(table->pdf, PDF_LEFT, pdf_y(table->pdf), PDF_RIGHT - PDF_LEFT, 0.15);
}

void pdf_table_end(struct pdf_table *table, const char *label)
{
    if (table->rows == 0) {
        pdf_text(table->pdf, PDF_LEFT + 3, pdf_y(table->pdf) + 9.5, PDF_RIGHT - PDF_LEFT - 6, TEXT_SIZE, PDF_ALIGN_LEFT,
                 PDF_INK_SOFT, "无 None");
        pdf_move(table->pdf, ROW_HEIGHT);
    }
    if (!has_sums(table))
        return;
    pdf_band(table->pdf, PDF_LEFT, pdf_y(table->pdf), PDF_RIGHT - PDF_LEFT, ROW_HEIGHT);
    pdf_rule(table->pdf, PDF_LEFT, pdf_y(table->pdf), PDF_RIGHT - PDF_LEFT, 0.8);
    sums_row(table, table->sums, label, PDF_INK);
    pdf_rule(table->pdf, PDF_LEFT, pdf_y(table->pdf), PDF_RIGHT - PDF_LEFT, 0.8);
}
