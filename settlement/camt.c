/*
 * camt.c -- a party's statement as camt.053.001.08: what was booked on its account with the alliance.
 *
 * An entry sums up a day's lines of one kind (Btch/NbOfTxs says how many; the CSV has them one by one), or is one
 * posting, or the payment asked for. Opening + credits - debits = closing, which doc_each_booking has made sure of.
 */
#include "doc_writer.h"

#include "base/exact.h"
#include "iso_party.h"
#include "money.h"
#include "xml_out.h"

#define SPACE "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"

/* Of all entries, for TxsSummry; and the way to the writer. */
struct sums {
    int64_t credit_count, credits, debit_count, debits;
};
struct entries {
    struct xml_out *out;
    const struct statement_doc *doc;
    int64_t number;
};

static int64_t size_of(int64_t minor)
{
    return minor < 0 ? -minor : minor;
}

static const char *side_of(int64_t minor)
{
    return minor < 0 ? "DBIT" : "CRDT";
}

static bool count_booking(void *owner, const struct doc_booking *booking, struct error *err)
{
    struct sums *sums = owner;
    bool credit = booking->amount_minor >= 0;
    int64_t *sum = credit ? &sums->credits : &sums->debits;

    *(credit ? &sums->credit_count : &sums->debit_count) += 1;
    return exact_add(*sum, size_of(booking->amount_minor), sum) ||
           error_set(err, REASON_DOES_NOT_TIE, "the bookings do not fit");
}

static void header(struct xml_out *out, const struct statement_doc *doc)
{
    struct date next = { doc->period->last.days + 1 };

    xml_open(out, "GrpHdr");
    xml_text(out, "MsgId", doc->number);
    xml_midnight(out, "CreDtTm", next);
    xml_open(out, "MsgPgntn");
    xml_text(out, "PgNb", "1");
    xml_text(out, "LastPgInd", "true");
    xml_close_path(out, "GrpHdr/MsgPgntn");
}

static void account(struct xml_out *out, const struct statement_doc *doc)
{
    xml_open(out, "Acct");
    iso_account_id(out, &doc->party);
    xml_text(out, "Ccy", doc->sheet->currency);
    xml_open(out, "Ownr");
    xml_text(out, "Nm", doc_party_name(&doc->party));
    xml_close_path(out, "Acct/Ownr");
}

static void balance(struct xml_out *out, const char *code, int64_t minor, const char *currency, struct date date)
{
    xml_open_path(out, "Bal/Tp/CdOrPrtry");
    xml_text(out, "Cd", code);
    xml_close_path(out, "Tp/CdOrPrtry");
    xml_amount(out, "Amt", size_of(minor), currency);
    xml_text(out, "CdtDbtInd", side_of(minor));
    xml_open(out, "Dt");
    xml_date(out, "Dt", date);
    xml_close_path(out, "Bal/Dt");
}

static void total(struct xml_out *out, const char *name, int64_t count, int64_t minor, const char *currency)
{
    char text[MONEY_TEXT];

    money_format(minor, currency, text);
    xml_open(out, name);
    xml_number(out, "NbOfNtries", count);
    xml_text(out, "Sum", text);
    xml_close(out);
}

static void summary(struct xml_out *out, const struct sums *sums, const char *currency)
{
    int64_t net = sums->credits - sums->debits; /* both are 0 or more */
    char text[MONEY_TEXT];

    xml_open_path(out, "TxsSummry/TtlNtries");
    xml_number(out, "NbOfNtries", sums->credit_count + sums->debit_count);
    xml_open(out, "TtlNetNtry");
    money_format(size_of(net), currency, text);
    xml_text(out, "Amt", text);
    xml_text(out, "CdtDbtInd", side_of(net));
    xml_close_path(out, "TtlNtries/TtlNetNtry");
    total(out, "TtlCdtNtries", sums->credit_count, sums->credits, currency);
    total(out, "TtlDbtNtries", sums->debit_count, sums->debits, currency);
    xml_close(out);
}

static bool write_entry(void *owner, const struct doc_booking *booking, struct error *err)
{
    struct entries *entries = owner;
    struct xml_out *out = entries->out;

    (void)err;
    xml_open(out, "Ntry");
    xml_number(out, "NtryRef", ++entries->number);
    xml_amount(out, "Amt", size_of(booking->amount_minor), entries->doc->sheet->currency);
    xml_text(out, "CdtDbtInd", side_of(booking->amount_minor));
    xml_text(out, "RvslInd", booking->reversal ? "true" : "false");
    xml_open(out, "Sts");
    xml_text(out, "Cd", "BOOK");
    xml_close(out);
    xml_open(out, "BookgDt");
    xml_date(out, "Dt", booking->day);
    xml_close(out);
    xml_open_path(out, "BkTxCd/Prtry");
    xml_text(out, "Cd", booking->code);
    xml_text(out, "Issr", "ALLIANCE");
    xml_close_path(out, "BkTxCd/Prtry");
    xml_open_path(out, "NtryDtls/Btch");
    xml_number(out, "NbOfTxs", booking->count);
    xml_close_path(out, "NtryDtls/Btch");
    xml_text(out, "AddtlNtryInf", booking->refers_to);
    xml_close(out);
    return true;
}

static bool write_statement(struct xml_out *out, const struct statement_doc *doc, const struct sums *sums,
                            struct error *err)
{
    const char *currency = doc->sheet->currency;
    struct entries entries = { out, doc, 0 };
    struct date next = { doc->period->last.days + 1 };

    xml_open(out, "Stmt");
    xml_text(out, "Id", doc->number);
    xml_midnight(out, "CreDtTm", next);
    xml_open(out, "FrToDt");
    xml_midnight(out, "FrDtTm", doc->period->first);
    xml_midnight(out, "ToDtTm", next);
    xml_close(out);
    account(out, doc);
    balance(out, "OPBD", doc->position.opening_minor, currency, doc->period->first);
    balance(out, "CLBD", doc->position.closing_minor, currency, doc->period->last);
    summary(out, sums, currency);
    if (!doc_each_booking(doc, write_entry, &entries, err))
        return false;
    xml_text(out, "AddtlStmtInf", doc->id);
    xml_close(out);
    return true;
}

static bool begin(const struct statement_doc *doc, struct new_file *file, void **state, struct error *err)
{
    (void)doc;
    *state = xml_out_begin(file, "Document", SPACE);
    return *state || error_set(err, REASON_INTERNAL, "out of memory");
}

static void abandon(void *state)
{
    xml_out_abandon(state);
}

static bool end(void *state, const struct statement_doc *doc, struct error *err)
{
    struct sums sums = { 0 };

    if (!doc_each_booking(doc, count_booking, &sums, err)) {
        abandon(state);
        return false;
    }
    xml_open(state, "BkToCstmrStmt");
    header(state, doc);
    if (!write_statement(state, doc, &sums, err)) {
        abandon(state);
        return false;
    }
    xml_close(state);
    return xml_out_end(state, err);
}

const struct doc_writer camt053_writer = {
    .extension = "camt053.xml",
    .types = 1 << SHEET_BANK | 1 << SHEET_MERCHANT | 1 << SHEET_OPERATOR | 1 << SHEET_CARRIER | 1 << SHEET_TAX,
    .begin = begin,
    .end = end,
    .abandon = abandon,
};
