#include "statement_pdf.h"

#include "base/exact.h"
#include "pdf_table.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { WIDE = PDF_RIGHT - PDF_LEFT, RELEASED_SHOWN = 8 };

static const struct {
    const char *title;
} titles[] = {
    [SHEET_PAIR] = { "结算明细单 Settlement Statement (bank and merchant)" },
    [SHEET_BANK] = { "银行结算单 Bank Settlement Statement" },
    [SHEET_MERCHANT] = { "商户结算单 Merchant Settlement Statement" },
    [SHEET_OPERATOR] = { "运营方结算单 Operator Settlement Statement" },
    [SHEET_CARRIER] = { "承运商结算单 Carrier Settlement Statement" },
    [SHEET_TAX] = { "税款结算单 Tax Statement" },
};

/* Every page. */

void statement_pdf_begin_page(void *owner, struct pdf *pdf, int page, int pages)
{
    const struct statement_doc *doc = owner;
    char text[400];

    (void)page, (void)pages;
    pdf_text(pdf, PDF_LEFT, 46, WIDE * 0.6, 8, PDF_ALIGN_LEFT, PDF_INK_SOFT, titles[doc->sheet->type].title);
    snprintf(text, sizeof text, "编号 No. %s", doc->number);
    pdf_text(pdf, PDF_LEFT + WIDE * 0.6, 46, WIDE * 0.4, 8, PDF_ALIGN_RIGHT, PDF_INK_SOFT, text);
    snprintf(text, sizeof text, "%s%s%s", doc_party_name(&doc->party), *doc->other.id ? " / " : "",
             *doc->other.id ? doc_party_name(&doc->other) : "");
    pdf_text(pdf, PDF_LEFT, 58, WIDE * 0.6, 8, PDF_ALIGN_LEFT, PDF_INK_SOFT, text);
    snprintf(text, sizeof text, "账期 Period %s   币种 Currency %s", doc->period->text, doc->sheet->currency);
    pdf_text(pdf, PDF_LEFT + WIDE * 0.6, 58, WIDE * 0.4, 8, PDF_ALIGN_RIGHT, PDF_INK_SOFT, text);
    pdf_rule(pdf, PDF_LEFT, 65, WIDE, 0.8);
}

void statement_pdf_end_page(void *owner, struct pdf *pdf, int page, int pages)
{
    const struct statement_doc *doc = owner;
    char text[120];

    pdf_rule(pdf, PDF_LEFT, 797, WIDE, 0.5);
    pdf_text(pdf, PDF_LEFT, 809, WIDE * 0.65, 7, PDF_ALIGN_LEFT, PDF_INK_SOFT, doc->id);
    snprintf(text, sizeof text, "第 %d 页 共 %d 页   Page %d of %d", page, pages, page, pages);
    pdf_text(pdf, PDF_LEFT + WIDE * 0.65, 809, WIDE * 0.35, 7, PDF_ALIGN_RIGHT, PDF_INK_SOFT, text);
}

/* The first page. */

/* "label  value" at a place; returns nothing, moves nothing. */
static void fact(struct pdf *pdf, double x, double y, double width, const char *label, const char *value)
{
    pdf_text(pdf, x, y, 88, 8, PDF_ALIGN_LEFT, PDF_INK_SOFT, label);
    pdf_text(pdf, x + 92, y, width - 92, 8, PDF_ALIGN_LEFT, PDF_INK, *value ? value : "—");
}

/* A party over the whole width, so that long names and addresses find room. Moves down. */
static void party_facts(struct pdf *pdf, const char *heading, const struct doc_party *party)
{
    const char *account = *party->iban ? party->iban : party->account_number;
    char bank[PARTY_NAME_MAX + BIC_MAX + 8], code[DOC_ID_TEXT], id[ID_MAX + DOC_ID_TEXT + 8];
    double y = pdf_y(pdf), half = (double)WIDE / 2;

    snprintf(bank, sizeof bank, "%s%s%s", party->bank_name, *party->bank_name && *party->bic ? "  " : "", party->bic);
    doc_party_code(party, code);
    snprintf(id, sizeof id, "%s (%s)", party->id, code);
    pdf_text(pdf, PDF_LEFT, y, WIDE, 9, PDF_ALIGN_LEFT, PDF_INK_ACCENT, heading);
    fact(pdf, PDF_LEFT, y + 14, WIDE, "名称 Name", doc_party_name(party));
    fact(pdf, PDF_LEFT, y + 26, WIDE, "地址 Address", party->address);
    fact(pdf, PDF_LEFT, y + 38, half - 14, "代码 Code", id);
    fact(pdf, PDF_LEFT + half + 14, y + 38, half - 14, "账号 Account", account);
    fact(pdf, PDF_LEFT, y + 50, WIDE, "开户行 Bank", bank);
    pdf_move(pdf, 66);
}

static void statement_facts(struct pdf *pdf, const struct statement_doc *doc)
{
    char first[DATE_TEXT], last[DATE_TEXT], due[DATE_TEXT] = "", span[2 * DATE_TEXT + 8];
    double y = pdf_y(pdf), half = (double)WIDE / 2;

    date_format(doc->period->first, first);
    date_format(doc->period->last, last);
    if (doc->position.due_on.days)
        date_format(doc->position.due_on, due);
    snprintf(span, sizeof span, "%s – %s", first, last);
    pdf_text(pdf, PDF_LEFT, y, WIDE, 9, PDF_ALIGN_LEFT, PDF_INK_ACCENT, "结算单 Statement");
    fact(pdf, PDF_LEFT, y + 14, half - 14, "编号 Number", doc->number);
    fact(pdf, PDF_LEFT, y + 26, half - 14, "账期 Period", span);
    fact(pdf, PDF_LEFT, y + 38, half - 14, "项目 Programme", doc->programme_id);
    fact(pdf, PDF_LEFT + half + 14, y + 14, half - 14, "币种 Currency", doc->sheet->currency);
    fact(pdf, PDF_LEFT + half + 14, y + 26, half - 14, "付款日 Due date", due);
    pdf_move(pdf, 56);
}

static void amount_to_pay(struct pdf *pdf, const struct statement_doc *doc)
{
    bool pair = doc->sheet->type == SHEET_PAIR; /* its two parties are paid, not it */
    bool nothing = strcmp(doc->sheet->currency, "XXX") == 0;
    int64_t payable = pair ? doc->position.closing_minor : doc->position.payable_minor;
    const char *label = pair          ? "本期净额 Net of the period"
                        : payable > 0 ? "应付贵方 Payable to you"
                        : payable < 0 ? "贵方应付 Payable by you"
                                      : "本期无需付款 Nothing to pay";
    char amount[PDF_CELL], text[PDF_CELL + 8];
    double y = pdf_y(pdf);

    pdf_money(payable < 0 && !pair ? -payable : payable, doc->sheet->currency, amount);
    snprintf(text, sizeof text, "%s %s", nothing ? "" : doc->sheet->currency, amount);
    pdf_band(pdf, PDF_LEFT, y, WIDE, 40);
    pdf_text(pdf, PDF_LEFT + 10, y + 25, WIDE / 2, 11, PDF_ALIGN_LEFT, PDF_INK_ACCENT, label);
    pdf_text(pdf, PDF_LEFT + WIDE / 2, y + 27, WIDE / 2 - 10, 18, PDF_ALIGN_RIGHT, PDF_INK, text);
    pdf_move(pdf, 40);
}

static void position_line(struct pdf *pdf, const char *label, int64_t minor, const char *currency, bool total)
{
    char amount[PDF_CELL];
    double y = pdf_y(pdf);

    if (total)
        pdf_rule(pdf, PDF_LEFT, y, WIDE, 0.6);
    pdf_money(minor, currency, amount);
    pdf_text(pdf, PDF_LEFT + 3, y + 10.5, WIDE * 0.7, 8.2, PDF_ALIGN_LEFT, total ? PDF_INK : PDF_INK_SOFT, label);
    pdf_text(pdf, PDF_LEFT + WIDE * 0.7, y + 10.5, WIDE * 0.3 - 3, 8.2, PDF_ALIGN_RIGHT, PDF_INK, amount);
    pdf_move(pdf, 14);
}

/* Bookings by code, in the order they first come. */
struct codes {
    struct {
        const char *code;
        int64_t minor;
    } at[32];
    size_t count;
};

static bool add_code(void *owner, const struct doc_booking *booking, struct error *err)
{
    struct codes *codes = owner;
    size_t i = 0;

    while (i < codes->count && strcmp(codes->at[i].code, booking->code) != 0)
        i++;
    if (i == COUNT(codes->at))
        return error_set(err, REASON_INTERNAL, "a statement has too many kinds of bookings");
    if (i == codes->count)
        codes->at[codes->count++].code = booking->code;
    return exact_add(codes->at[i].minor, booking->amount_minor, &codes->at[i].minor) ||
           error_set(err, REASON_DOES_NOT_TIE, "the bookings of a statement do not fit");
}

static size_t released_lines(const struct statement_doc *doc)
{
    size_t lines = 0;

    for (size_t i = 0; i < doc->kept_count; i++)
        lines += keep_is_release(doc->kept[i].kind);
    return lines > RELEASED_SHOWN ? RELEASED_SHOWN + 1 : lines;
}

/* What the period let go, one by one: it is in none of the sums above. */
static void released(struct pdf *pdf, const struct statement_doc *doc)
{
    char label[160];
    int64_t rest = 0;
    int shown = 0;

    for (size_t i = 0; i < doc->kept_count; i++) {
        const struct keep *keep = &doc->kept[i];
        if (!keep_is_release(keep->kind))
            continue;
        if (++shown > RELEASED_SHOWN) {
            rest -= keep->amount_minor;
            continue;
        }
        snprintf(label, sizeof label, "    %s released in the period: %.40s",
                 keep->kind == KEEP_RESERVE_RELEASED ? "本期释放保证金 reserve" : "本期解除争议", keep->refers_to);
        position_line(pdf, label, -keep->amount_minor, doc->sheet->currency, false);
    }
    if (rest)
        position_line(pdf, "    本期解除 released in the period: others", rest, doc->sheet->currency, false);
}

static bool position(struct pdf *pdf, const struct statement_doc *doc, struct error *err)
{
    const struct position *at = &doc->position;
    const char *currency = doc->sheet->currency;
    struct codes codes = { .count = 0 };

    if (!doc_each_booking(doc, add_code, &codes, err))
        return false;
    pdf_heading(pdf, "头寸 Position", 14.0 * (double)(codes.count + 6 + released_lines(doc)));
    if (doc->sheet->type != SHEET_PAIR)
        position_line(pdf, "期初余额 Opening balance", at->opening_minor, currency, true);
    for (size_t i = 0; i < codes.count; i++)
        position_line(pdf, statement_pdf_label(codes.at[i].code), codes.at[i].minor, currency, false);
    position_line(pdf, doc->sheet->type == SHEET_PAIR ? "净额 Net" : "期末余额 Closing balance", at->closing_minor,
                  currency, true);
    if (at->carried_minor)
        position_line(pdf, "    其中 of which 结转下期 carried to the next period", at->carried_minor, currency, false);
    if (at->held_back_minor)
        position_line(pdf, "    其中 of which 保证金 held back", at->held_back_minor, currency, false);
    if (at->disputed_minor)
        position_line(pdf, "    其中 of which 争议款 disputed", at->disputed_minor, currency, false);
    released(pdf, doc);
    pdf_rule(pdf, PDF_LEFT, pdf_y(pdf), WIDE, 0.6);
    return true;
}

bool statement_pdf_front(const struct statement_doc *doc, struct pdf *pdf, struct error *err)
{
    pdf_text(pdf, PDF_LEFT, pdf_y(pdf) + 22, WIDE, 17, PDF_ALIGN_LEFT, PDF_INK, titles[doc->sheet->type].title);
    pdf_move(pdf, 46);
    statement_facts(pdf, doc);
    party_facts(pdf, doc->sheet->type == SHEET_PAIR ? "商户 Merchant" : "结算方 Party", &doc->party);
    if (*doc->other.id)
        party_facts(pdf, "银行 Bank", &doc->other);
    pdf_move(pdf, 2);
    amount_to_pay(pdf, doc);
    return position(pdf, doc, err);
}

/* The end. */

static void control(const struct statement_doc *doc, struct pdf *pdf)
{
    char lines[40], csv[SHEET_FILE_TEXT], sha256[2 * CRYPTO_HASH + 1], root[2 * CRYPTO_HASH + 1];
    double y;

    snprintf(lines, sizeof lines, "%" PRId64, doc->sheet->line_count);
    sheet_file_name(doc->sheet, doc->programme_id, doc->period->text, "csv", csv);
    crypto_hex(doc->sheet->content, CRYPTO_HASH, sha256);
    crypto_hex(doc->sheet->rows_root, CRYPTO_HASH, root);
    pdf_heading(pdf, "控制信息 Control", 64);
    y = pdf_y(pdf);
    pdf_box(pdf, PDF_LEFT, y, WIDE, 62);
    fact(pdf, PDF_LEFT + 8, y + 14, WIDE - 16, "明细笔数 Lines", lines);
    fact(pdf, PDF_LEFT + 8, y + 27, WIDE - 16, "明细文件 CSV file", csv);
    fact(pdf, PDF_LEFT + 8, y + 40, WIDE - 16, "SHA-256 of it", sha256);
    fact(pdf, PDF_LEFT + 8, y + 53, WIDE - 16, "行校验根 Rows root", root);
    pdf_move(pdf, 62);
}

static void signature(struct pdf *pdf, double x, double width, const char *heading, const char *name)
{
    static const char *const blanks[] = { "签字 Signature", "姓名 Name", "日期 Date" };
    double y = pdf_y(pdf);

    pdf_box(pdf, x, y, width, 96);
    pdf_text(pdf, x + 8, y + 14, width - 16, 8.5, PDF_ALIGN_LEFT, PDF_INK_ACCENT, heading);
    pdf_text(pdf, x + 8, y + 26, width - 16, 8, PDF_ALIGN_LEFT, PDF_INK, name);
    for (size_t i = 0; i < COUNT(blanks); i++) {
        double line = y + 48 + 18 * (double)i;
        pdf_text(pdf, x + 8, line, 70, 8, PDF_ALIGN_LEFT, PDF_INK_SOFT, blanks[i]);
        pdf_rule(pdf, x + 78, line + 2, width - 150, 0.5);
    }
    pdf_text(pdf, x + width - 62, y + 60, 54, 8, PDF_ALIGN_CENTRE, PDF_INK_SOFT, "盖章 Seal");
}

bool statement_pdf_back(const struct statement_doc *doc, struct pdf *pdf, struct error *err)
{
    double half = (double)WIDE / 2;
    bool pair = doc->sheet->type == SHEET_PAIR, own = doc->sheet->type == SHEET_OPERATOR;

    (void)err;
    control(doc, pdf);
    pdf_heading(pdf, "确认 Confirmation", 116);
    signature(pdf, PDF_LEFT, half - 5,
              pair  ? "银行 Bank"
              : own ? "制单 Prepared"
                    : "运营方 Operator",
              doc_party_name(pair ? &doc->other : &doc->operator_));
    signature(pdf, PDF_LEFT + half + 5, half - 5,
              pair  ? "商户 Merchant"
              : own ? "复核 Approved"
                    : "结算方 Party",
              doc_party_name(&doc->party));
    pdf_move(pdf, 96);
    pdf_text(pdf, PDF_LEFT, pdf_y(pdf) + 14, WIDE, 7, PDF_ALIGN_LEFT, PDF_INK_SOFT,
             "金额以本单及其明细文件为准。 The amounts of this statement and of its CSV file are what counts.");
    pdf_move(pdf, 18);
    return true;
}
