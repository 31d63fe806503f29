/* What banks send back in XML: what is read of it, and what is refused. */
#include "money.h"
#include "read_camt.h"
#include "read_pain.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char path[64];

static int set_up(void **state)
{
    (void)state;
    snprintf(path, sizeof path, "/tmp/bank-file.XXXXXX");
    int fd = mkstemp(path);
    return fd < 0 ? -1 : close(fd);
}

static int tear_down(void **state)
{
    (void)state;
    return unlink(path);
}

static void put(const char *text)
{
    FILE *out = fopen(path, "w");

    assert_non_null(out);
    assert_true(fputs(text, out) >= 0);
    assert_int_equal(fclose(out), 0);
}

/* Records as lines of text. */

static bool note_movement(void *owner, const struct camt_record *r, struct error *err)
{
    char amount[MONEY_TEXT], booked[DATE_TEXT];

    (void)err;
    money_format(r->credit ? r->amount_minor : -r->amount_minor, r->currency, amount);
    date_format(r->booked, booked);
    fprintf(owner, "%s %s %s %s %s%s e2e=%s ref=%s code=%s reason=%s text=%s\n", r->account, booked, amount,
            r->currency, r->status, r->reversal ? " reversal" : "", r->end_to_end_id, r->reference, r->code, r->reason,
            r->text);
    return true;
}

static bool note_status(void *owner, const struct pain_record *r, struct error *err)
{
    (void)err;
    fprintf(owner, "%s/%s/%s %s %s %s\n", r->message_id, r->payment_id, r->end_to_end_id, r->status, r->reason,
            r->text);
    return true;
}

/* The records, then "REASON: sentence" when it was refused; the caller's to free. */
static char *read_all(const char *file, bool pain)
{
    struct error err = { 0 };
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    put(file);
    if (!(pain ? read_pain(path, note_status, out, &err) : read_camt(path, note_movement, out, &err)))
        fprintf(out, "%s: %s\n", reason_name(err.reason), error_text(&err));
    fclose(out);
    return text;
}

static void assert_read(const char *file, bool pain, const char *expected)
{
    char *text = read_all(file, pain);

    assert_string_equal(text, expected);
    free(text);
}

static void assert_refused(const char *file, bool pain, const char *part)
{
    char *text = read_all(file, pain);

    if (!strstr(text, part))
        fail_msg("no \"%s\" in: %s", part, text);
    free(text);
}

#define CAMT(version, body)                                                                                            \
    "<?xml version=\"1.0\"?><Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:camt.053.001." version                    \
    "\"><BkToCstmrStmt><GrpHdr><MsgId>X</MsgId></GrpHdr>" body "</BkToCstmrStmt></Document>"
#define ACCOUNT(entries)                                                                                               \
    "<Stmt><Id>S1</Id><Acct><Id><IBAN>DE02120300000000202051</IBAN></Id><Ccy>EUR</Ccy></Acct>" entries "</Stmt>"
#define BALANCE(code, amount, side)                                                                                    \
    "<Bal><Tp><CdOrPrtry><Cd>" code "</Cd></CdOrPrtry></Tp><Amt Ccy=\"EUR\">" amount "</Amt><CdtDbtInd>" side          \
    "</CdtDbtInd><Dt><Dt>2026-09-01</Dt></Dt></Bal>"
#define ENTRY(amount, side, more)                                                                                      \
    "<Ntry><NtryRef>n1</NtryRef><Amt Ccy=\"EUR\">" amount "</Amt><CdtDbtInd>" side                                     \
    "</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>2026-09-03</Dt></BookgDt>" more "</Ntry>"
#define ONE(id, rest) "<TxDtls><Refs><EndToEndId>" id "</EndToEndId></Refs>" rest "</TxDtls>"

static const struct {
    const char *story, *file, *expected;
} movements[] = {
    { "an entry with no details", CAMT("08", ACCOUNT(ENTRY("12.30", "CRDT", "<AcctSvcrRef>B7</AcctSvcrRef>"))),
      "DE02120300000000202051 2026-09-03 12.30 EUR BOOK e2e= ref=B7 code= reason= text=\n" },
    { "a payment with everything",
      CAMT("08", ACCOUNT(ENTRY("5", "DBIT",
                               "<BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>ICDT</Cd><SubFmlyCd>ESCT</SubFmlyCd></Fmly></Domn>"
                               "</BkTxCd><NtryDtls>" ONE(
                                   "M12-000001", "<Amt Ccy=\"EUR\">5.00</Amt><CdtDbtInd>DBIT</CdtDbtInd>"
                                                 "<RmtInf><Ustrd> two words </Ustrd></RmtInf>") "</NtryDtls>"))),
      "DE02120300000000202051 2026-09-03 -5.00 EUR BOOK e2e=M12-000001 ref=n1 code=PMNT-ICDT-ESCT reason= text=two "
      "words\n" },
    { "a returned payment",
      CAMT("08", ACCOUNT(ENTRY("5", "CRDT",
                               "<NtryDtls>" ONE("M12-000001", "<RtrInf><Rsn><Cd>AC04</Cd></Rsn>"
                                                              "</RtrInf>") "</NtryDtls>"))),
      "DE02120300000000202051 2026-09-03 5.00 EUR BOOK e2e=M12-000001 ref=n1 code= reason=AC04 text=\n" },
    { "a batch: what its transactions leave open is told, too",
      CAMT("08", ACCOUNT(ENTRY("10", "CRDT",
                               "<NtryDtls>" ONE("A", "<Amt Ccy=\"EUR\">4</Amt><CdtDbtInd>CRDT</CdtDbtInd>")
                                   ONE("NOTPROVIDED", "<Amt Ccy=\"EUR\">5.5</Amt>") "</NtryDtls>"))),
      "DE02120300000000202051 2026-09-03 4.00 EUR BOOK e2e=A ref=n1 code= reason= text=\n"
      "DE02120300000000202051 2026-09-03 5.50 EUR BOOK e2e= ref=n1 code= reason= text=\n"
      "DE02120300000000202051 2026-09-03 0.50 EUR BOOK e2e= ref= code= reason= text=\n" },
    { "an old version, and a day that adds up",
      CAMT("02", ACCOUNT(BALANCE("PRCD", "3", "DBIT") BALANCE(
                     "CLBD", "1.01",
                     "CRDT") "<Ntry><Amt Ccy=\"EUR\">4.01</Amt><CdtDbtInd>CRDT</CdtDbtInd><RvslInd>true</RvslInd>"
                             "<Sts>BOOK</Sts><BookgDt><DtTm>2026-09-03T23:59:00+02:00</DtTm></BookgDt></Ntry>"
                             "<Ntry><Amt Ccy=\"EUR\">9</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>PDNG</Sts></Ntry>")),
      "DE02120300000000202051 2026-09-03 4.01 EUR BOOK reversal e2e= ref= code= reason= text=\n"
      "DE02120300000000202051 1970-01-01 9.00 EUR PDNG e2e= ref= code= reason= text=\n" },
    { "comments, prefixes and blanks are no matter",
      "<d:Document xmlns:d='urn:iso:std:iso:20022:tech:xsd:camt.054.001.08'>\n <d:BkToCstmrDbtCdtNtfctn><!-- x -->\n"
      "<d:Ntfctn><d:Acct><d:Id><d:Othr><d:Id> 77 </d:Id></d:Othr></d:Id></d:Acct><d:Ntry><d:Amt Ccy=\"JPY\">970.00"
      "</d:Amt>\n<d:CdtDbtInd>\nCRDT</d:CdtDbtInd><d:Sts><d:Cd>BOOK</d:Cd></d:Sts></d:Ntry></d:Ntfctn>"
      "</d:BkToCstmrDbtCdtNtfctn></d:Document>",
      "77 1970-01-01 970 JPY BOOK e2e= ref= code= reason= text=\n" },
    { "no entries at all", CAMT("08", ACCOUNT(BALANCE("OPBD", "1", "CRDT") BALANCE("CLBD", "1", "CRDT"))), "" },
};

static void movements_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(movements); i++)
        assert_read(movements[i].file, false, movements[i].expected);
}

static const struct {
    const char *file, *part;
} refusals[] = {
    { CAMT("08", ACCOUNT(BALANCE("OPBD", "1", "CRDT") BALANCE("CLBD", "2", "CRDT") ENTRY("0.99", "CRDT", ""))),
      "DOES_NOT_TIE: line 1: statement S1: opening balance and booked entries make 1.99, its closing balance is 2.00" },
    { CAMT("08", ACCOUNT(ENTRY("1.001", "CRDT", ""))), "FIELD_INVALID: line 1: Amt \"1.001\" cannot be read" },
    { CAMT("08", ACCOUNT(ENTRY("-1", "CRDT", ""))), "Amt \"-1\"" },
    { CAMT("08", ACCOUNT(ENTRY("99999999999999999999", "CRDT", ""))), "Amt \"99999999999999999999\"" },
    { CAMT("08", ACCOUNT(ENTRY("1", "CREDIT", ""))), "CdtDbtInd \"CREDIT\"" },
    { CAMT("08", ACCOUNT(ENTRY("1", "CRDT", "<ValDt><Dt>2026-02-30</Dt></ValDt>"))), "the date \"2026-02-30\"" },
    { CAMT("08", ACCOUNT(ENTRY("1", "CRDT", "<NtryDtls>" ONE("A", "") ONE("B", "") "</NtryDtls>"))),
      "one of several transactions has no Amt: \"A\"" },
    { CAMT("08", ACCOUNT("<Ntry>")), "this is not well-formed XML" },
    { "", "not well-formed" },
    { "BAI2,01,", "not well-formed" },
    { "<Document xmlns='urn:iso:std:iso:20022:tech:xsd:pain.001.001.10'/>",
      "this is no camt.052, camt.053 or camt.054" },
    { "<Document/>", "its namespace is missing" },
    { "<!DOCTYPE d [<!ENTITY e SYSTEM 'file:///etc/passwd'>]>"
      "<Document xmlns='urn:iso:std:iso:20022:tech:xsd:camt.053.001.08'>&e;</Document>",
      "a document type or an entity of the file's own is not accepted" },
    { "<!DOCTYPE d [<!ENTITY a 'xxxxxxxxxx'><!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;'>]>"
      "<Document xmlns='urn:iso:std:iso:20022:tech:xsd:camt.053.001.08'>&b;</Document>",
      "is not accepted" },
};

static void what_is_wrong_is_refused_with_its_line(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(refusals); i++)
        assert_refused(refusals[i].file, false, refusals[i].part);
}

static void depth_and_length_have_limits(void **state)
{
    char file[16 * 1024] = "<Document xmlns='urn:iso:std:iso:20022:tech:xsd:camt.053.001.08'>";
    size_t start = strlen(file);

    (void)state;
    for (int i = 0; i < 40; i++)
        strcat(file, "<a>");
    assert_refused(file, false, "elements are nested too deeply");
    memset(file + start, 'x', 9000);
    memcpy(file + start, "<a>", 3);
    file[start + 9000] = '\0';
    strcat(file, "</a></Document>");
    assert_refused(file, false, "a text is too long");
    snprintf(file, sizeof file,
             "<Document xmlns='urn:iso:std:iso:20022:tech:xsd:camt.053.001.08'><BkToCstmrStmt><Stmt><Id>%0200d</Id>"
             "</Stmt></BkToCstmrStmt></Document>",
             0);
    assert_refused(file, false, "Id is longer than 127 bytes");
}

static void a_file_that_is_not_there_is_refused(void **state)
{
    struct error err = { 0 };

    (void)state;
    assert_false(read_camt("/nonexistent", note_movement, stderr, &err));
    assert_int_equal(err.reason, REASON_FIELD_INVALID);
    assert_false(read_camt("/tmp", note_movement, stderr, &err));
}

#define PAIN(body)                                                                                                     \
    "<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:pain.002.001.11\"><CstmrPmtStsRpt><GrpHdr><MsgId>R</MsgId>"      \
    "</GrpHdr>" body "</CstmrPmtStsRpt></Document>"
#define MESSAGE(more)                                                                                                  \
    "<OrgnlGrpInfAndSts><OrgnlMsgId>P1</OrgnlMsgId><OrgnlMsgNmId>pain.001.001.10</OrgnlMsgNmId>" more                  \
    "</OrgnlGrpInfAndSts>"

static const struct {
    const char *file, *expected;
} statuses[] = {
    { PAIN(MESSAGE("<GrpSts>ACCP</GrpSts>")), "P1// ACCP  \n" },
    { PAIN(MESSAGE(
          "<GrpSts>PART</GrpSts>") "<OrgnlPmtInfAndSts><OrgnlPmtInfId>P1-1</"
                                   "OrgnlPmtInfId><TxInfAndSts><OrgnlEndToEndId>M1-000001"
                                   "</OrgnlEndToEndId><TxSts>RJCT</TxSts><StsRsnInf><Rsn><Cd>AC01</Cd></"
                                   "Rsn><AddtlInf>no such account"
                                   "</AddtlInf></StsRsnInf></TxInfAndSts><TxInfAndSts><OrgnlEndToEndId>M2-000001</"
                                   "OrgnlEndToEndId><TxSts>"
                                   "ACSC</TxSts></TxInfAndSts></OrgnlPmtInfAndSts>"),
      "P1// PART  \nP1/P1-1/M1-000001 RJCT AC01 no such account\nP1/P1-1/M2-000001 ACSC  \n" },
    { PAIN(MESSAGE("") "<OrgnlPmtInfAndSts><OrgnlPmtInfId>P1-1</OrgnlPmtInfId><PmtInfSts>RJCT</PmtInfSts><StsRsnInf>"
                       "<Rsn><Prtry>X9</Prtry></Rsn></StsRsnInf></OrgnlPmtInfAndSts>"),
      "P1/P1-1/ RJCT X9 \n" },
};

static void statuses_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(statuses); i++)
        assert_read(statuses[i].file, true, statuses[i].expected);
    assert_refused(PAIN(MESSAGE("") "<OrgnlPmtInfAndSts><TxInfAndSts><TxSts>RJCT</TxSts></TxInfAndSts>"
                                    "</OrgnlPmtInfAndSts>"),
                   true, "a transaction's status without OrgnlEndToEndId");
    assert_refused(CAMT("08", ""), true, "this is no pain.002");
}

static const struct {
    const char *text, *currency;
    bool good;
    int64_t minor;
} amounts[] = {
    { "0", "EUR", true, 0 },
    { "12.34", "EUR", true, 1234 },
    { "12.3", "EUR", true, 1230 },
    { "12.340", "EUR", true, 1234 },
    { "-0.05", "EUR", true, -5 },
    { "+7", "EUR", true, 700 },
    { "7.00000", "JPY", true, 7 },
    { "0.005", "KWD", true, 5 },
    { "12.345", "EUR", false, 0 },
    { "7.5", "JPY", false, 0 },
    { "", "EUR", false, 0 },
    { ".5", "EUR", false, 0 },
    { "1.2.3", "EUR", false, 0 },
    { "1,5", "EUR", false, 0 },
    { "1e3", "EUR", false, 0 },
    { "92233720368547758.07", "EUR", true, INT64_MAX },
    { "92233720368547758.08", "EUR", false, 0 },
};

static void amounts_are_read_exactly(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(amounts); i++) {
        int64_t minor = 0;
        if (money_parse(amounts[i].text, amounts[i].currency, &minor) != amounts[i].good || minor != amounts[i].minor)
            fail_msg("%s %s", amounts[i].text, amounts[i].currency);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(movements_are_read),
        cmocka_unit_test(what_is_wrong_is_refused_with_its_line),
        cmocka_unit_test(depth_and_length_have_limits),
        cmocka_unit_test(a_file_that_is_not_there_is_refused),
        cmocka_unit_test(statuses_are_read),
        cmocka_unit_test(amounts_are_read_exactly),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
