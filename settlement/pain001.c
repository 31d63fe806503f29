#include "pain001.h"

#include "base/exact.h"
#include "iso_party.h"
#include "money.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define SPACE "urn:iso:std:iso:20022:tech:xsd:pain.001.001.10"

/* CLF has four digits, as many as any currency: sums over currencies are made in that unit. */
#define FINEST "CLF"

static bool add_finest(int64_t *sum, int64_t minor, const char *currency)
{
    int64_t unit = 1, amount;

    for (int i = money_exponent(currency); i < money_exponent(FINEST); i++)
        unit *= 10;
    return exact_ratio_floor(minor, unit, 1, &amount) && exact_add(*sum, amount, sum);
}

static void sum_element(struct xml_out *out, int64_t minor, const char *currency)
{
    char text[MONEY_TEXT];

    money_format(minor, currency, text);
    xml_text(out, "CtrlSum", text);
}

static bool header(struct xml_out *out, const struct pain001 *from, const struct doc_party *payer, struct error *err)
{
    int64_t sum = 0;

    for (size_t i = 0; i < from->count; i++) {
        if (!add_finest(&sum, from->lines[i].amount_minor, from->lines[i].currency))
            return error_set(err, REASON_DOES_NOT_TIE, "the payouts add up to more than fits");
    }
    xml_open(out, "GrpHdr");
    xml_text(out, "MsgId", from->batch->message_id);
    xml_midnight(out, "CreDtTm", from->batch->execute_on);
    xml_number(out, "NbOfTxs", (int64_t)from->count);
    sum_element(out, sum, FINEST);
    iso_party(out, "InitgPty", payer);
    xml_close(out);
    return true;
}

static void payment(struct xml_out *out, const struct pain001 *from, const struct pay_line *line)
{
    struct doc_party party;
    char instruction[64];

    doc_directory_find(from->directory, line->party_type, line->party_no, line->currency, &party);
    snprintf(instruction, sizeof instruction, "%s.%" PRId32, line->number, line->attempt);
    xml_open_path(out, "CdtTrfTxInf/PmtId");
    xml_text(out, "InstrId", strlen(instruction) <= 35 ? instruction : line->number);
    xml_text(out, "EndToEndId", line->number);
    xml_close(out);
    xml_open(out, "Amt");
    xml_amount(out, "InstdAmt", line->amount_minor, line->currency);
    xml_close(out);
    if (*party.bic || *party.bank_name)
        iso_agent(out, "CdtrAgt", &party);
    iso_party(out, "Cdtr", &party);
    xml_open(out, "CdtrAcct");
    iso_account_id(out, &party);
    xml_close(out);
    xml_open(out, "RmtInf");
    xml_text(out, "Ustrd", line->number);
    xml_close_path(out, "CdtTrfTxInf/RmtInf");
}

/* Those of one currency, from `first` on. Returns how many. */
static size_t block(struct xml_out *out, const struct pain001 *from, size_t first, struct error *err)
{
    const char *currency = from->lines[first].currency;
    struct doc_party payer;
    size_t count = 0;
    int64_t sum = 0;
    char id[64];

    for (; first + count < from->count && strcmp(from->lines[first + count].currency, currency) == 0; count++) {
        if (!exact_add(sum, from->lines[first + count].amount_minor, &sum))
            return error_set(err, REASON_DOES_NOT_TIE, "the payouts in %s add up to more than fits", currency);
    }
    doc_directory_find(from->directory, PARTY_OPERATOR, 0, currency, &payer);
    snprintf(id, sizeof id, "%.31s-%s", from->batch->message_id, currency);
    xml_open(out, "PmtInf");
    xml_text(out, "PmtInfId", id);
    xml_text(out, "PmtMtd", "TRF");
    xml_text(out, "BtchBookg", "true");
    xml_number(out, "NbOfTxs", (int64_t)count);
    sum_element(out, sum, currency);
    xml_open(out, "ReqdExctnDt");
    xml_date(out, "Dt", from->batch->execute_on);
    xml_close(out);
    iso_party(out, "Dbtr", &payer);
    xml_open(out, "DbtrAcct");
    iso_account_id(out, &payer);
    xml_text(out, "Ccy", currency);
    xml_close(out);
    iso_agent(out, "DbtrAgt", &payer);
    for (size_t i = first; i < first + count; i++)
        payment(out, from, &from->lines[i]);
    xml_close(out);
    return count;
}

static bool message(struct xml_out *out, const struct pain001 *from, struct error *err)
{
    struct doc_party payer;

    doc_directory_find(from->directory, PARTY_OPERATOR, 0, from->lines[0].currency, &payer);
    xml_open(out, "CstmrCdtTrfInitn");
    if (!header(out, from, &payer, err))
        return false;
    for (size_t i = 0; i < from->count;) {
        size_t count = block(out, from, i, err);
        if (count == 0)
            return false;
        i += count;
    }
    xml_close(out);
    return true;
}

bool pain001_write(struct new_file *file, const struct pain001 *from, struct error *err)
{
    struct xml_out *out = xml_out_begin(file, "Document", SPACE);

    if (!out)
        return error_set(err, REASON_INTERNAL, "out of memory");
    if (message(out, from, err))
        return xml_out_end(out, err);
    xml_out_abandon(out);
    return false;
}
