/*
 * doc_bill.c -- a pair's lines as who is used to it wants them: a bill as WeChat Pay makes them. Only for parties whose
 * account asks for it.
 *
 * UTF-8, a head, a row a line, a head of sums, the sums. Every value begins with a back-tick, so that
 * spreadsheets leave it alone; amounts are major units, the fee has five decimals.
 */
#include "doc_writer.h"
#include "money.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define END "\r\n"

struct bill {
    struct new_file *file;
};

static void when(const struct sheet_line *line, char text[32])
{
    char full[INSTANT_TEXT];

    instant_format(line->at, full);
    snprintf(text, 32, "%.10s %.8s", full, full + 11);
}

static void redemption_of(const struct sheet_line *line, char text[UUID_TEXT + 8])
{
    char id[UUID_TEXT];

    uuid_format(&line->redemption_id, id);
    snprintf(text, UUID_TEXT + 8, "%s.%02x%02x", id, line->member_id.bytes[0], line->member_id.bytes[1]);
}

/* "0.12000": at least five decimals. */
static void fee_text(int64_t minor, const char *currency, char text[MONEY_TEXT + 8])
{
    char plain[MONEY_TEXT];
    int decimals = money_exponent(currency);

    money_format(minor, currency, plain);
    snprintf(text, MONEY_TEXT + 8, "%s%s%.*s", plain, decimals ? "" : ".", 5 - decimals, "00000");
}

static bool begin_bill(const struct statement_doc *doc, struct new_file *file, void **state, struct error *err)
{
    struct bill *bill = calloc(1, sizeof *bill);

    (void)doc;
    *state = bill;
    if (!bill)
        return error_set(err, REASON_INTERNAL, "out of memory");
    bill->file = file;
    new_file_text(
        file, "交易时间,商户号,门店,核销编号,请求编号,交易类型,货币种类,积分,应结订单金额,退款金额,手续费,净额" END);
    return true;
}

static void bill_line(void *state, const struct statement_doc *doc, const struct sheet_line *line)
{
    struct bill *bill = state;
    const char *currency = doc->sheet->currency;
    char at[32], id[UUID_TEXT + 8], request[UUID_TEXT], gross[MONEY_TEXT], back[MONEY_TEXT], net[MONEY_TEXT];
    char fee[MONEY_TEXT + 8];

    when(line, at);
    redemption_of(line, id);
    uuid_format(&line->request_id, request);
    money_format(line->reversal ? 0 : line->gross_minor, currency, gross);
    money_format(line->reversal ? -line->gross_minor : 0, currency, back);
    money_format(line->net_minor, currency, net);
    fee_text(line->commission_minor, currency, fee);
    new_file_print(bill->file, "`%s,`%s,`%s,`%s,`%s,`%s,`%s,`%" PRId64 ",`%s,`%s,`%s,`%s" END, at, doc->party.id,
                   line->store_id, id, request, line->reversal ? "REFUND" : "SUCCESS", currency, line->points, gross,
                   back, fee, net);
}

static void abandon(void *state)
{
    free(state);
}

static bool end_bill(void *state, const struct statement_doc *doc, struct error *err)
{
    struct bill *bill = state;
    const char *currency = doc->sheet->currency;
    int64_t confirmed = 0, reversed = 0;
    char gross[MONEY_TEXT], back[MONEY_TEXT], net[MONEY_TEXT], fee[MONEY_TEXT + 8];

    (void)err;
    for (size_t i = 0; i < doc->days.count; i++) {
        confirmed += doc->days.at[i].confirmed_gross; /* parts of a sum that fits */
        reversed += doc->days.at[i].reversed_gross;
    }
    money_format(confirmed, currency, gross);
    money_format(-reversed, currency, back);
    money_format(doc->sheet->totals.net_minor, currency, net);
    fee_text(doc->sheet->totals.commission_minor, currency, fee);
    new_file_text(bill->file, "总交易单数,应结订单总金额,退款总金额,手续费总金额,净额" END);
    new_file_print(bill->file, "`%" PRId64 ",`%s,`%s,`%s,`%s" END, doc->sheet->line_count, gross, back, fee, net);
    abandon(state);
    return true;
}

const struct doc_writer bill_writer = {
    .extension = "bill.csv",
    .types = 1 << SHEET_PAIR,
    .wish = DOC_BILL,
    .begin = begin_bill,
    .line = bill_line,
    .end = end_bill,
    .abandon = abandon,
};
