#include "points_rows.h"
#include "statement_pdf.h"

#include "money.h"
#include "pdf_table.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *item, *label;
} item_labels[] = {
    { "OPENING", "期初 Opening" },
    { "ISSUED", "发放 Issued" },
    { "CLAWED_BACK", "追回 Clawed back" },
    { "ADJUSTED", "人工调整 Adjusted by hand" },
    { "REDEEMED", "核销 Redeemed" },
    { "REVERSED", "冲正退回 Reversed" },
    { "EXPIRED", "过期 Expired" },
    { "FORFEITED", "退回时已过期 Forfeited on return" },
    { "REINSTATED", "恢复 Reinstated" },
    { "CLOSED", "销户 Closed with the member" },
    { "TRANSFERRED_OUT", "转出 Transferred out" },
    { "TRANSFERRED_IN", "转入 Transferred in" },
    { "WITHIN", "账户内变动 Within accounts (holds, maturing)" },
    { "CLOSING", "期末 Closing" },
    { "LOTS", "可用 In lots, spendable" },
    { "PAST_NOT_BOOKED", "已到期未记账 Past their date, not yet booked" },
    { "NOT_IN_LOTS", "未分批 In no lot" },
    { "HELD", "冻结 Held by open redemptions" },
    { "PENDING", "待生效 Pending" },
    { "DRAWN_CREDIT", "减：透支 Less: drawn credit" },
    { "TOTAL", "合计 Total" },
    { "REALISED", "本期实现 Realised in the period" },
    { "EXPECTED", "预计 Expected" },
    { "EXPECTED_RATE", "预计比例 Expected rate" },
    { "DRAWN", "透支 Drawn" },
};

static const char *label_of(const char *item)
{
    for (size_t i = 0; i < COUNT(item_labels); i++) {
        if (strcmp(item_labels[i].item, item) == 0)
            return item_labels[i].label;
    }
    return item;
}

static const struct {
    const char *heading;
} headings[POINTS_PARTS] = {
    [POINTS_PART_ROLL_FORWARD] = { "积分滚动表 Points roll-forward" },
    [POINTS_PART_OUTSTANDING] = { "期末未兑积分 Outstanding points" },
    [POINTS_PART_LIABILITY] = { "积分负债（按账龄和成本） Liability by age and cost" },
    [POINTS_PART_BREAKAGE] = { "未兑沉淀 Breakage" },
    [POINTS_PART_DRAWN_CREDIT] = { "透支积分（按账龄） Drawn credit by age" },
};

static const struct pdf_column flow_columns[] = {
    { "Item", "项目", 311, PDF_ALIGN_LEFT, PDF_NO_SUM },
    { "Entries", "笔数", 80, PDF_ALIGN_RIGHT, PDF_NO_SUM },
    { "Points", "积分", 120, PDF_ALIGN_RIGHT, PDF_NO_SUM },
};
static const struct pdf_column cost_columns[] = {
    { "Item", "项目", 131, PDF_ALIGN_LEFT, PDF_NO_SUM }, { "Funding", "承担方案", 80, PDF_ALIGN_LEFT, PDF_NO_SUM },
    { "Days", "天数", 60, PDF_ALIGN_LEFT, PDF_NO_SUM },  { "Points", "积分", 90, PDF_ALIGN_RIGHT, PDF_NO_SUM },
    { "Rate", "单价", 60, PDF_ALIGN_RIGHT, PDF_NO_SUM }, { "Cost", "成本", 90, PDF_ALIGN_RIGHT, PDF_NO_SUM },
};

/* The part at hand; lives in statement_pdf_points's frame. */
struct tables {
    const struct statement_doc *doc;
    struct pdf *pdf;
    struct pdf_table table;
    int part; /* -1: none is open */
    int rows; /* of it */
};

static bool is_flow(int part)
{
    return part == POINTS_PART_ROLL_FORWARD || part == POINTS_PART_OUTSTANDING;
}

static void begin_part(struct tables *to, int part)
{
    const char *heading = headings[part].heading, *currency = to->doc->sheet->currency;

    if (is_flow(part))
        pdf_table_begin(&to->table, to->pdf, heading, flow_columns, COUNT(flow_columns), currency);
    else
        pdf_table_begin(&to->table, to->pdf, heading, cost_columns, COUNT(cost_columns), currency);
    to->part = part;
    to->rows = 0;
}

static void days_text(const struct points_row *row, char text[PDF_CELL])
{
    if (!row->has_age)
        text[0] = '\0';
    else if (row->to_days)
        snprintf(text, PDF_CELL, "%" PRId32 "–%" PRId32, row->from_days, row->to_days);
    else
        snprintf(text, PDF_CELL, "≥ %" PRId32, row->from_days);
}

static bool put_row(void *owner, const struct points_row *row, struct error *err)
{
    struct tables *to = owner;
    char points[PDF_CELL], entries[PDF_CELL] = "", days[PDF_CELL], rate[PDF_CELL] = "", cost[PDF_CELL] = "";
    char money[PDF_CELL];

    if (to->part != (int)row->part)
        begin_part(to, (int)row->part);
    pdf_count(row->points, points);
    if (row->has_entries)
        pdf_count(row->entries, entries);
    if (row->rate_den)
        snprintf(rate, sizeof rate, "%" PRId64 "/%" PRId64, row->rate_num, row->rate_den);
    if (*row->currency) {
        pdf_money(row->amount_minor, row->currency, money);
        snprintf(cost, sizeof cost, "%s %.120s", row->currency, money);
    }
    days_text(row, days);
    const char *funding =
        *row->funding_id || !*row->currency || strcmp(row->item, "TOTAL") == 0 ? row->funding_id : "自有 own";
    if (to->rows++ >= PDF_ROWS_MAX)
        return true;
    if (to->rows == PDF_ROWS_MAX) {
        const struct pdf_cell more[COUNT(cost_columns)] = {
            { "其余见 CSV The rest: see the CSV file", 0 }, { "", 0 }, { "", 0 }, { "", 0 }, { "", 0 }, { "", 0 }
        };
        return pdf_table_row(&to->table, more, err);
    }
    const struct pdf_cell flow[] = { { label_of(row->item), 0 }, { entries, 0 }, { points, 0 } };
    const struct pdf_cell costs[] = { { label_of(row->item), 0 },
                                      { funding, 0 },
                                      { days, 0 },
                                      { row->points || !row->rate_den ? points : "", 0 },
                                      { rate, 0 },
                                      { cost, 0 } };
    return pdf_table_row(&to->table, is_flow((int)row->part) ? flow : costs, err);
}

bool statement_pdf_points(const struct statement_doc *doc, struct pdf *pdf, struct error *err)
{
    struct tables to = { .doc = doc, .pdf = pdf, .part = -1 };

    return !doc->points || points_rows_each(doc->points, doc->sheet->currency, put_row, &to, err);
}
