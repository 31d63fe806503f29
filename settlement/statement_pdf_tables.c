#include "statement_pdf.h"

#include "pdf_table.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *code, *label;
} code_labels[] = {
    { "REDEMPTION", "积分核销 Redemptions" },
    { "REVERSAL", "冲正 Reversals" },
    { "COMMISSION", "佣金 Commission" },
    { "COMMISSION_TIER", "阶梯佣金调整 Commission by volume" },
    { "TAX", "税费 Tax" },
    { "TAX_ROUNDING", "税费尾差 Tax rounding" },
    { "PARTNER_FEE", "合作费 Partner fee" },
    { "FREIGHT", "运费 Freight" },
    { "CAMPAIGN_SHARE", "活动分摊 Campaign share" },
    { "ADJUSTMENT", "调整 Adjustments" },
    { "LATE_FEE", "滞纳金 Late-payment fee" },
    { "PAYOUT", "本期应付 Less: payable to you" },
    { "COLLECTION", "本期应收 Less: payable by you" },
};

const char *statement_pdf_label(const char *code)
{
    for (size_t i = 0; i < COUNT(code_labels); i++) {
        if (strcmp(code_labels[i].code, code) == 0)
            return code_labels[i].label;
    }
    return code;
}

static const struct pdf_column posting_columns[] = {
    { "No.", "序号", 30, PDF_ALIGN_RIGHT, PDF_NO_SUM },
    { "Kind, and how it comes about", "类型和计算", 181, PDF_ALIGN_LEFT, PDF_NO_SUM },
    { "With", "对方", 110, PDF_ALIGN_LEFT, PDF_NO_SUM },
    { "Refers to", "依据", 110, PDF_ALIGN_LEFT, PDF_NO_SUM },
    { "Amount", "金额", 80, PDF_ALIGN_RIGHT, PDF_SUM_MONEY },
};

/* A section that would be longer than a person reads. */
static bool left_to_csv(struct pdf *pdf, const char *heading, int64_t rows)
{
    char text[160];

    if (rows <= PDF_ROWS_MAX)
        return false;
    pdf_heading(pdf, heading, 20);
    snprintf(text, sizeof text, "共 %" PRId64 " 行，见 CSV 文件。 %" PRId64 " rows: see the CSV file.", rows, rows);
    pdf_text(pdf, PDF_LEFT, pdf_y(pdf) + 9.5, PDF_RIGHT - PDF_LEFT, 8, PDF_ALIGN_LEFT, PDF_INK_SOFT, text);
    pdf_move(pdf, 14);
    return true;
}

static bool postings(const struct statement_doc *doc, struct pdf *pdf, struct error *err)
{
    struct pdf_table table;
    char number[24];

    if (doc->posting_count == 0 || left_to_csv(pdf, "其他入账 Postings", (int64_t)doc->posting_count))
        return true;
    pdf_table_begin(&table, pdf, "其他入账 Postings", posting_columns, COUNT(posting_columns), doc->sheet->currency);
    table.noted = true;
    for (size_t i = 0; i < doc->posting_count; i++) {
        const struct doc_posting *from = &doc->postings[i];
        snprintf(number, sizeof number, "%" PRId64, from->no);
        const struct pdf_cell cells[] = { { number, 0 },
                                          { statement_pdf_label(from->kind), 0 },
                                          { from->other, 0 },
                                          { from->refers_to, 0 },
                                          { NULL, from->amount_minor } };
        if (!pdf_table_row(&table, cells, err))
            return false;
        pdf_table_note(&table, from->note);
    }
    pdf_table_end(&table, "合计 Total");
    return true;
}

#define AMOUNT_COLUMNS                                                                                                 \
    { "Redeemed", "核销笔数", 55, PDF_ALIGN_RIGHT, PDF_SUM_COUNT },                                                    \
        { "Reversed", "冲正笔数", 55, PDF_ALIGN_RIGHT, PDF_SUM_COUNT },                                                \
        { "Points", "净积分", 71, PDF_ALIGN_RIGHT, PDF_SUM_COUNT },                                                    \
        { "Gross", "总额", 72, PDF_ALIGN_RIGHT, PDF_SUM_MONEY },                                                       \
        { "Commission", "佣金", 66, PDF_ALIGN_RIGHT, PDF_SUM_MONEY },                                                  \
    {                                                                                                                  \
        "Net", "净额", 72, PDF_ALIGN_RIGHT, PDF_SUM_MONEY                                                              \
    }
static const struct pdf_column pair_columns[] = { { "Bank / merchant", "银行 / 商户", 120, PDF_ALIGN_LEFT, PDF_NO_SUM },
                                                  AMOUNT_COLUMNS };
static const struct pdf_column day_columns[] = { { "Day", "日期", 120, PDF_ALIGN_LEFT, PDF_NO_SUM }, AMOUNT_COLUMNS };
static const struct pdf_column store_columns[] = { { "Store", "门店", 120, PDF_ALIGN_LEFT, PDF_NO_SUM },
                                                   AMOUNT_COLUMNS };

static const struct pdf_column goods_columns[] = { { "Goods", "商品", 120, PDF_ALIGN_LEFT, PDF_NO_SUM },
                                                   AMOUNT_COLUMNS };

static bool pair_row(struct pdf_table *table, const struct sheet *pair, struct error *err)
{
    const struct totals *t = &pair->totals;
    char name[2 * ID_MAX + 4];

    snprintf(name, sizeof name, "%s / %s", pair->bank_id, pair->merchant_id);
    const struct pdf_cell cells[] = {
        { name, 0 },
        { NULL, t->confirmed_count },
        { NULL, t->reversed_count },
        { NULL, t->confirmed_points - t->reversed_points },
        { NULL, t->gross_minor },
        { NULL, t->commission_minor },
        { NULL, t->net_minor },
    };
    return pdf_table_row(table, cells, err);
}

static bool pairs(const struct statement_doc *doc, struct pdf *pdf, struct error *err)
{
    const struct sheet_list *list = doc->list;
    struct pdf_table table;

    if (doc->sheet->type == SHEET_PAIR || doc->sheet->type == SHEET_CARRIER || doc->sheet->type == SHEET_TAX ||
        left_to_csv(pdf, "按银行和商户 By bank and merchant", doc->sheet->line_count))
        return true;
    pdf_table_begin(&table, pdf, "按银行和商户 By bank and merchant", pair_columns, COUNT(pair_columns),
                    doc->sheet->currency);
    for (size_t i = 0; i < list->count && list->at[i].type == SHEET_PAIR; i++) {
        if (sheet_covers(doc->sheet, &list->at[i]) && !pair_row(&table, &list->at[i], err))
            return false;
    }
    pdf_table_end(&table, "合计 Total");
    return true;
}

static bool sum_row(struct pdf_table *table, const struct doc_sum *sum, const char *label, struct error *err)
{
    int64_t gross = sum->confirmed_gross + sum->reversed_gross;
    int64_t commission = sum->confirmed_commission + sum->reversed_commission;
    const struct pdf_cell cells[] = {
        { label, 0 },
        { NULL, sum->confirmed_count },
        { NULL, sum->reversed_count },
        { NULL, sum->confirmed_points - sum->reversed_points },
        { NULL, gross },
        { NULL, commission },
        { NULL, gross - commission },
    };
    return pdf_table_row(table, cells, err);
}

static bool days(const struct statement_doc *doc, struct pdf *pdf, struct error *err)
{
    struct pdf_table table;
    char day[DATE_TEXT];

    if (doc->days.count == 0)
        return true;
    pdf_table_begin(&table, pdf, "按日 By day", day_columns, COUNT(day_columns), doc->sheet->currency);
    for (size_t i = 0; i < doc->days.count; i++) {
        date_format(doc->days.at[i].day, day);
        if (!sum_row(&table, &doc->days.at[i], day, err))
            return false;
    }
    pdf_table_end(&table, "合计 Total");
    return true;
}

static bool stores(const struct statement_doc *doc, struct pdf *pdf, struct error *err)
{
    struct pdf_table table;

    if (doc->stores.count == 0)
        return true;
    pdf_table_begin(&table, pdf, "按门店 By store", store_columns, COUNT(store_columns), doc->sheet->currency);
    for (size_t i = 0; i < doc->stores.count; i++) {
        const char *store = doc->stores.at[i].label;
        if (!sum_row(&table, &doc->stores.at[i], *store ? store : "无门店 no store", err))
            return false;
    }
    pdf_table_end(&table, "合计 Total");
    return true;
}

/* What is for no good, so that the table adds up to the statement. */
static struct doc_sum without_goods(const struct statement_doc *doc)
{
    const struct totals *all = &doc->sheet->totals;
    struct doc_sum rest = { .confirmed_count = all->confirmed_count,
                            .confirmed_points = all->confirmed_points,
                            .confirmed_gross = all->gross_minor,
                            .confirmed_commission = all->commission_minor,
                            .reversed_count = all->reversed_count,
                            .reversed_points = all->reversed_points };

    for (size_t i = 0; i < doc->goods.count; i++) {
        const struct doc_sum *sum = &doc->goods.at[i];
        rest.confirmed_count -= sum->confirmed_count;
        rest.confirmed_points -= sum->confirmed_points;
        rest.confirmed_gross -= sum->confirmed_gross + sum->reversed_gross;
        rest.confirmed_commission -= sum->confirmed_commission + sum->reversed_commission;
        rest.reversed_count -= sum->reversed_count;
        rest.reversed_points -= sum->reversed_points;
    }
    return rest;
}

static bool goods(const struct statement_doc *doc, struct pdf *pdf, struct error *err)
{
    struct doc_sum rest = without_goods(doc);
    struct pdf_table table;

    if (doc->goods.count == 0 || doc->goods.count > PDF_ROWS_MAX)
        return true;
    pdf_table_begin(&table, pdf, "按商品 By goods", goods_columns, COUNT(goods_columns), doc->sheet->currency);
    for (size_t i = 0; i < doc->goods.count; i++) {
        if (!sum_row(&table, &doc->goods.at[i], doc->goods.at[i].label, err))
            return false;
    }
    if (rest.confirmed_count + rest.reversed_count > 0 && !sum_row(&table, &rest, "无商品 no goods", err))
        return false;
    pdf_table_end(&table, "合计 Total");
    return true;
}

bool statement_pdf_parts(const struct statement_doc *doc, struct pdf *pdf, struct error *err)
{
    return postings(doc, pdf, err) && pairs(doc, pdf, err) && days(doc, pdf, err) && stores(doc, pdf, err) &&
           goods(doc, pdf, err) && statement_pdf_points(doc, pdf, err);
}
