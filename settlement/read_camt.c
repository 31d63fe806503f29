#include "read_camt.h"

#include "base/exact.h"
#include "money.h"
#include "xml_in.h"

#include <stdio.h>
#include <string.h>

#define SPACE "urn:iso:std:iso:20022:tech:xsd:camt.05"

/* Text as it stands in the file. */
struct amount_text {
    char amount[32], currency[8], direction[8];
};
struct entry_text {
    struct amount_text sum;
    char reversal[8], status[8], booked[40], value[40], reference[CAMT_ID], own_reference[CAMT_ID];
    char code[CAMT_ID], domain[32], family[32], sub_family[32], reason[CAMT_ID];
};
struct transaction_text {
    struct amount_text sum;
    char end_to_end_id[CAMT_ID], reference[CAMT_ID], reason[CAMT_ID], text[CAMT_TEXT], code[CAMT_ID];
};
struct balance_text {
    struct amount_text sum;
    char kind[8];
};
struct statement_text {
    char id[CAMT_ID], account[CAMT_ID], iban[CAMT_ID], currency[8];
};

/* Lives in read_camt's frame. */
struct camt {
    camt_handler *each;
    void *owner;
    struct statement_text statement;
    struct entry_text entry;
    struct transaction_text transaction;
    struct balance_text balance;
    int64_t opening, closing, booked; /* of the statement, credits positive */
    bool has_opening, has_closing;
    int64_t explained; /* of the entry, by its transactions */
    bool waiting;      /* the entry's only transaction so far has no amount of its own */
    bool any;          /* records were given for the entry */
    struct camt_record record;
};

static const struct xml_field statement_fields[] = {
    XML_FIELD("Id", struct statement_text, id),
    XML_FIELD("Acct/Id/IBAN", struct statement_text, iban),
    XML_FIELD("Acct/Id/Othr/Id", struct statement_text, account),
    XML_FIELD("Acct/Ccy", struct statement_text, currency),
};
static const struct xml_field balance_fields[] = {
    XML_FIELD("Bal/Tp/CdOrPrtry/Cd", struct balance_text, kind),
    XML_FIELD("Bal/Amt", struct balance_text, sum.amount),
    XML_FIELD("Bal/Amt/@Ccy", struct balance_text, sum.currency),
    XML_FIELD("Bal/CdtDbtInd", struct balance_text, sum.direction),
};
static const struct xml_field entry_fields[] = {
    XML_FIELD("Ntry/NtryRef", struct entry_text, own_reference),
    XML_FIELD("Ntry/Amt", struct entry_text, sum.amount),
    XML_FIELD("Ntry/Amt/@Ccy", struct entry_text, sum.currency),
    XML_FIELD("Ntry/CdtDbtInd", struct entry_text, sum.direction),
    XML_FIELD("Ntry/RvslInd", struct entry_text, reversal),
    XML_FIELD("Ntry/Sts", struct entry_text, status), /* up to version 06 */
    XML_FIELD("Ntry/Sts/Cd", struct entry_text, status),
    XML_FIELD("Ntry/BookgDt/Dt", struct entry_text, booked),
    XML_FIELD("Ntry/BookgDt/DtTm", struct entry_text, booked),
    XML_FIELD("Ntry/ValDt/Dt", struct entry_text, value),
    XML_FIELD("Ntry/ValDt/DtTm", struct entry_text, value),
    XML_FIELD("Ntry/AcctSvcrRef", struct entry_text, reference),
    XML_FIELD("Ntry/BkTxCd/Prtry/Cd", struct entry_text, code),
    XML_FIELD("Ntry/BkTxCd/Domn/Cd", struct entry_text, domain),
    XML_FIELD("Ntry/BkTxCd/Domn/Fmly/Cd", struct entry_text, family),
    XML_FIELD("Ntry/BkTxCd/Domn/Fmly/SubFmlyCd", struct entry_text, sub_family),
};
static const struct xml_field transaction_fields[] = {
    XML_FIELD("Refs/EndToEndId", struct transaction_text, end_to_end_id),
    XML_FIELD("Refs/AcctSvcrRef", struct transaction_text, reference),
    XML_FIELD("Amt", struct transaction_text, sum.amount),
    XML_FIELD("Amt/@Ccy", struct transaction_text, sum.currency),
    XML_FIELD("CdtDbtInd", struct transaction_text, sum.direction),
    XML_FIELD("BkTxCd/Prtry/Cd", struct transaction_text, code),
    XML_FIELD("RtrInf/Rsn/Cd", struct transaction_text, reason),
    XML_FIELD("RtrInf/Rsn/Prtry", struct transaction_text, reason),
    XML_FIELD("RmtInf/Ustrd", struct transaction_text, text),
};

static bool wrong(const struct xml_item *item, const char *what, const char *text, struct error *err)
{
    return error_set(err, REASON_FIELD_INVALID, "line %d: %s \"%.40s\" cannot be read", item->line, what, text);
}

static bool sum_of(const struct amount_text *text, const struct xml_item *item, int64_t *minor, struct error *err)
{
    bool credit = strcmp(text->direction, "CRDT") == 0;
    int64_t amount;

    if (!credit && strcmp(text->direction, "DBIT") != 0)
        return wrong(item, "CdtDbtInd", text->direction, err);
    if (!money_parse(text->amount, text->currency, &amount) || amount < 0)
        return wrong(item, "Amt", text->amount, err);
    *minor = credit ? amount : -amount;
    return true;
}

/* A date, or the date of a date and time. */
static bool date_of_text(const char *text, const struct xml_item *item, struct date *date, struct error *err)
{
    char day[DATE_TEXT];

    *date = (struct date){ 0 };
    if (!*text)
        return true;
    snprintf(day, sizeof day, "%.10s", text);
    return date_parse(day, date) || wrong(item, "the date", text, err);
}

static void entry_code(const struct entry_text *entry, char code[CAMT_ID])
{
    if (*entry->code || !*entry->domain)
        snprintf(code, CAMT_ID, "%s", entry->code);
    else
        snprintf(code, CAMT_ID, "%s-%s-%s", entry->domain, entry->family, entry->sub_family);
}

/* What the entry says of all its transactions. */
static bool record_of_entry(struct camt *camt, const struct xml_item *item, struct error *err)
{
    const struct entry_text *entry = &camt->entry;
    struct camt_record *to = &camt->record;
    const char *account = *camt->statement.iban ? camt->statement.iban : camt->statement.account;

    *to = (struct camt_record){ .line = item->line };
    snprintf(to->statement_id, sizeof to->statement_id, "%s", camt->statement.id);
    snprintf(to->account, sizeof to->account, "%s", account);
    snprintf(to->currency, sizeof to->currency, "%.3s", entry->sum.currency);
    snprintf(to->status, sizeof to->status, "%s", entry->status);
    snprintf(to->reference, sizeof to->reference, "%s", *entry->reference ? entry->reference : entry->own_reference);
    entry_code(entry, to->code);
    to->reversal = strcmp(entry->reversal, "true") == 0 || strcmp(entry->reversal, "1") == 0;
    return date_of_text(entry->booked, item, &to->booked, err) && date_of_text(entry->value, item, &to->value, err);
}

static bool give(struct camt *camt, int64_t signed_minor, struct error *err)
{
    camt->record.credit = signed_minor >= 0;
    camt->record.amount_minor = signed_minor < 0 ? -signed_minor : signed_minor;
    camt->any = true;
    return camt->each(camt->owner, &camt->record, err);
}

static void record_of_transaction(const struct transaction_text *from, struct camt_record *to)
{
    if (strcmp(from->end_to_end_id, "NOTPROVIDED") != 0)
        snprintf(to->end_to_end_id, sizeof to->end_to_end_id, "%s", from->end_to_end_id);
    if (*from->reference)
        snprintf(to->reference, sizeof to->reference, "%s", from->reference);
    if (*from->code)
        snprintf(to->code, sizeof to->code, "%s", from->code);
    snprintf(to->reason, sizeof to->reason, "%s", from->reason);
    snprintf(to->text, sizeof to->text, "%s", from->text);
}

static bool end_transaction(struct camt *camt, const struct xml_item *item, struct error *err)
{
    struct amount_text *sum = &camt->transaction.sum;
    int64_t minor;

    if (!*sum->amount) { /* then it is all of the entry, and nothing may follow it */
        camt->waiting = true;
        return true;
    }
    if (!*sum->direction)
        snprintf(sum->direction, sizeof sum->direction, "%s", camt->entry.sum.direction);
    if (strcmp(sum->currency, camt->entry.sum.currency) != 0)
        return wrong(item, "the transaction's currency is not its entry's:", sum->currency, err);
    if (!sum_of(sum, item, &minor, err) || !record_of_entry(camt, item, err))
        return false;
    if (!exact_add(camt->explained, minor, &camt->explained))
        return wrong(item, "the sum with", sum->amount, err);
    record_of_transaction(&camt->transaction, &camt->record);
    return give(camt, minor, err);
}

static bool end_entry(struct camt *camt, const struct xml_item *item, struct error *err)
{
    int64_t minor, rest;

    if (!sum_of(&camt->entry.sum, item, &minor, err))
        return false;
    if (strcmp(camt->entry.status, "BOOK") == 0 && !exact_add(camt->booked, minor, &camt->booked))
        return wrong(item, "the sum with", camt->entry.sum.amount, err);
    if (!exact_sub(minor, camt->explained, &rest))
        return wrong(item, "the sum with", camt->entry.sum.amount, err);
    if (camt->any && rest == 0 && !camt->waiting)
        return true;
    if (!record_of_entry(camt, item, err))
        return false;
    if (camt->waiting)
        record_of_transaction(&camt->transaction, &camt->record);
    else if (camt->any)
        camt->record.reference[0] = '\0';
    return give(camt, rest, err);
}

static bool end_balance(struct camt *camt, const struct xml_item *item, struct error *err)
{
    const char *kind = camt->balance.kind;
    bool opening = strcmp(kind, "OPBD") == 0 || strcmp(kind, "PRCD") == 0, closing = strcmp(kind, "CLBD") == 0;

    camt->has_opening |= opening;
    camt->has_closing |= closing;
    return (!opening && !closing) || sum_of(&camt->balance.sum, item, opening ? &camt->opening : &camt->closing, err);
}

static bool end_statement(struct camt *camt, const struct xml_item *item, struct error *err)
{
    int64_t should;
    char is[MONEY_TEXT], sum[MONEY_TEXT];

    if (!camt->has_opening || !camt->has_closing)
        return true;
    if (!exact_add(camt->opening, camt->booked, &should))
        return wrong(item, "the sum of statement", camt->statement.id, err);
    money_format(camt->closing, camt->balance.sum.currency, is);
    money_format(should, camt->balance.sum.currency, sum);
    return should == camt->closing ||
           error_set(err, REASON_DOES_NOT_TIE,
                     "line %d: statement %.40s: opening balance and booked entries make %s, its closing balance is %s",
                     item->line, camt->statement.id, sum, is);
}

static void begin_statement(struct camt *camt)
{
    camt->statement = (struct statement_text){ 0 };
    camt->opening = camt->closing = camt->booked = 0;
    camt->has_opening = camt->has_closing = false;
}

static bool begin(struct camt *camt, const char *path, const struct xml_item *item, struct error *err)
{
    if (!*path) {
        begin_statement(camt);
    } else if (strcmp(path, "Bal") == 0) {
        camt->balance = (struct balance_text){ 0 };
    } else if (strcmp(path, "Ntry") == 0) {
        camt->entry = (struct entry_text){ 0 };
        camt->explained = 0;
        camt->waiting = camt->any = false;
    } else if (strcmp(path, "Ntry/NtryDtls/TxDtls") == 0) {
        if (camt->waiting)
            return wrong(item, "one of several transactions has no Amt:", camt->transaction.end_to_end_id, err);
        camt->transaction = (struct transaction_text){ 0 };
    }
    return true;
}

static bool end(struct camt *camt, const char *path, const struct xml_item *item, struct error *err)
{
    if (!*path)
        return end_statement(camt, item, err);
    if (strcmp(path, "Bal") == 0)
        return end_balance(camt, item, err);
    if (strcmp(path, "Ntry/NtryDtls/TxDtls") == 0)
        return end_transaction(camt, item, err);
    return strcmp(path, "Ntry") != 0 || end_entry(camt, item, err);
}

#define TRANSACTION "Ntry/NtryDtls/TxDtls/"

static bool value(struct camt *camt, const char *path, const struct xml_item *item, struct error *err)
{
    if (strncmp(path, TRANSACTION, strlen(TRANSACTION)) == 0)
        return xml_field_set(transaction_fields, COUNT(transaction_fields), &camt->transaction,
                             path + strlen(TRANSACTION), item, err);
    return xml_field_set(statement_fields, COUNT(statement_fields), &camt->statement, path, item, err) &&
           xml_field_set(balance_fields, COUNT(balance_fields), &camt->balance, path, item, err) &&
           xml_field_set(entry_fields, COUNT(entry_fields), &camt->entry, path, item, err);
}

/* "BkToCstmrStmt/Stmt/Ntry/Amt" -> "Ntry/Amt"; "" for the statement itself, NULL for what is not in one. */
static const char *below_statement(const char *path)
{
    static const char *const statements[] = { "BkToCstmrStmt/Stmt", "BkToCstmrAcctRpt/Rpt",
                                              "BkToCstmrDbtCdtNtfctn/Ntfctn" };

    for (size_t i = 0; i < COUNT(statements); i++) {
        size_t n = strlen(statements[i]);
        if (strncmp(path, statements[i], n) == 0 && (path[n] == '/' || path[n] == '\0'))
            return path[n] ? path + n + 1 : path + n;
    }
    return NULL;
}

static bool take(void *owner, const struct xml_item *item, struct error *err)
{
    const char *path = below_statement(item->path);

    if (!*item->path && item->event == XML_BEGIN && strncmp(item->space, SPACE, strlen(SPACE)) != 0)
        return error_set(err, REASON_FIELD_INVALID, "this is no camt.052, camt.053 or camt.054: its namespace is %.80s",
                         *item->space ? item->space : "missing");
    if (!path)
        return true;
    if (item->event == XML_BEGIN)
        return begin(owner, path, item, err);
    return item->event == XML_END ? end(owner, path, item, err) : value(owner, path, item, err);
}

bool read_camt(const char *path, camt_handler *each, void *owner, struct error *err)
{
    struct camt camt = { .each = each, .owner = owner };

    return xml_in_read(path, take, &camt, err);
}
