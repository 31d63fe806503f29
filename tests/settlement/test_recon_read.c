/* Counterparties' files: what they say, how they are refused, and that no damage of them goes unnoticed or harms us. */
#include "recon_read.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define ID1 "0190abcd-0000-7000-8000-000000000001.00ff"
#define ID2 "0190abcd-0000-7000-8000-000000000002.00ff"
#define HEX "0190abcd000070008000000000000003"

enum { RECORDS = 16 };

struct read {
    char folder[64], path[96], mapping[96];
    struct recon_record records[RECORDS];
    size_t count;
    struct error err;
};

static int set_up(void **state)
{
    static struct read read;

    read = (struct read){ .folder = "/tmp/recon.XXXXXX" };
    assert_non_null(mkdtemp(read.folder));
    snprintf(read.path, sizeof read.path, "%s/file", read.folder);
    snprintf(read.mapping, sizeof read.mapping, "%s/mapping", read.folder);
    *state = &read;
    return 0;
}

static int tear_down(void **state)
{
    struct read *read = *state;

    unlink(read->path);
    unlink(read->mapping);
    return rmdir(read->folder);
}

static void write_file(const char *path, const char *text, size_t size)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

static bool take(void *owner, const struct recon_record *record, struct error *err)
{
    struct read *read = owner;

    (void)err;
    assert_true(record->amount_minor >= 0 && strlen(record->currency) == 3);
    assert_true(record->state == RECON_CONFIRM || record->state == RECON_REVERSE);
    if (read->count < RECORDS)
        read->records[read->count] = *record;
    read->count++;
    return true;
}

static bool read_bytes(struct read *read, const char *format, const char *mapping, const char *text, size_t size)
{
    struct recon_file file = { .path = read->path, .max_mb = 1 };

    write_file(read->path, text, size);
    if (mapping) {
        write_file(read->mapping, mapping, strlen(mapping));
        file.mapping = read->mapping;
    }
    read->count = 0;
    read->err = (struct error){ 0 };
    return recon_reader_named(format)(&file, take, read, &read->err);
}

static void must_read(struct read *read, const char *format, const char *mapping, const char *text)
{
    if (!read_bytes(read, format, mapping, text, strlen(text)))
        fail_msg("%s", error_text(&read->err));
}

/* "line key date state amount currency points party" */
static void check_record(const struct read *read, size_t i, const char *expected)
{
    const struct recon_record *r = &read->records[i];
    char is[256], date[DATE_TEXT];

    date_format(r->date, date);
    snprintf(is, sizeof is, "%d %s %s %s %lld %s %lld %s", (int)r->line, r->key, date, recon_state_name((int)r->state),
             (long long)r->amount_minor, r->currency, (long long)r->points, r->party);
    assert_string_equal(is, expected);
}

static const char csv[] =
    "key,date,amount,currency,points,state,party\n" ID1 ",2017-01-03,12.34,USD,1234,CONFIRM,shop-1\n" ID2
    ",2017-01-04,-5,JPY,,,\n,2017-01-05,0.00,USD,0,REVERSE,\n";

static void csv_with_our_columns(void **state)
{
    struct read *read = *state;

    must_read(read, "csv", NULL, csv);
    assert_int_equal(read->count, 3);
    check_record(read, 0, "2 " ID1 " 2017-01-03 CONFIRM 1234 USD 1234 shop-1");
    check_record(read, 1, "3 " ID2 " 2017-01-04 REVERSE 5 JPY -1 ");
    check_record(read, 2, "4  2017-01-05 REVERSE 0 USD 0 ");
}

static const char mapping[] =
    "{\"rows\":\"reconciliation\",\"separator\":\";\",\"columns\":{\"key\":{\"from\":\"ref\"},"
    "\"date\":{\"from\":\"day\",\"date\":\"DD.MM.YYYY\"},\"amount_minor\":{\"from\":\"yuan\",\"money\":{\"sign\":\"`\","
    "\"points\":100}},"
    "\"currency\":{\"constant\":\"CNY\"},\"state\":{\"from\":\"kind\",\"map\":{\"SUCCESS\":\"CONFIRM\",\"REFUND\":"
    "\"REVERSE\"}}},"
    "\"ignore\":[\"note\"]}";

static void csv_through_a_mapping(void **state)
{
    struct read *read = *state;

    must_read(read, "csv", mapping,
              "ref;day;yuan;kind;note\n" HEX ";31.01.2017;`1,200.50;SUCCESS;x\n" HEX ";31.01.2017;7;REFUND;y\n");
    assert_int_equal(read->count, 2);
    check_record(read, 0, "2 " HEX " 2017-01-31 CONFIRM 120050 CNY -1 ");
    check_record(read, 1, "3 " HEX " 2017-01-31 REVERSE 700 CNY -1 ");
    static const char wrong[] = "ref;day;yuan;kind;note\nX;31.02.2017;7;REFUND;y\n";
    assert_false(read_bytes(read, "csv", mapping, wrong, sizeof wrong - 1));
    assert_non_null(strstr(error_text(&read->err), "file:2: date (column 2) must be a day written as DD.MM.YYYY"));
}

/* The mappings that we give away, each with a file as it is for. */
static void csv_through_our_mappings(void **state)
{
    static const char bank[] =
        "SEQ;TXN_REF;CARD_NO;POST_DT;CCY;AMT;DRCR;PTS;ACCEPTOR;BRANCH\n1;" ID1
        ";4111111111111111;20170131;USD;12.30;D;1230;shop-1;7\n2;" ID2 ";;20170131;USD;1.00;C;100;shop-1;7\n";
    static const char merchant[] =
        "\xc1\xf7\xcb\xae\xba\xc5,\xbd\xbb\xd2\xd7\xca\xb1\xbc\xe4,\xbd\xbb\xd2\xd7\xc0\xe0\xd0\xcd,\xbd\xf0\xb6\xee,"
        "\xbb\xfd\xb7\xd6,\xc3\xc5\xb5\xea\xc3\xfb\xb3\xc6\n" HEX
        ",2017-01-31 23:59:59,\xcf\xfb\xb7\xd1,`8.05,805,x\n" HEX
        ",2017-01-31 09:00:00,\xcd\xcb\xbb\xf5,\"`1,200.00\",,x\n";
    struct read *read = *state;
    struct recon_file file = { .path = read->path, .max_mb = 1 };

    file.mapping = SOURCE_DIR "/ops/mappings/recon-bank.json";
    write_file(read->path, bank, sizeof bank - 1);
    read->count = 0;
    if (!recon_read_csv(&file, take, read, &read->err))
        fail_msg("%s", error_text(&read->err));
    check_record(read, 0, "2 " ID1 " 2017-01-31 CONFIRM 1230 USD 1230 shop-1");
    check_record(read, 1, "3 " ID2 " 2017-01-31 REVERSE 100 USD 100 shop-1");
    file.mapping = SOURCE_DIR "/ops/mappings/recon-merchant.json";
    write_file(read->path, merchant, sizeof merchant - 1);
    read->count = 0;
    if (!recon_read_csv(&file, take, read, &read->err))
        fail_msg("%s", error_text(&read->err));
    check_record(read, 0, "2 " HEX " 2017-01-31 CONFIRM 805 CNY 805 ");
    check_record(read, 1, "3 " HEX " 2017-01-31 REVERSE 120000 CNY -1 ");
}

#define MT_HEAD "{1:F01BANKXXXX}{2:I940}{4:\n:20:STMT1\n:25:1234/567\n:28C:1/1\n:60F:C170103USD1000,00\n"
static const char mt940[] = MT_HEAD
    ":61:1701030104C12,34NTRF"
    "PAY1//BANKREF\n:86:?20EREF+0190abcd-0000-7000-8000-0?2100000000001.00ffKREF+x?22y\n"
    ":61:170104D5,NTRFNONREF\nsupplement\n:86:/EREF/" ID2 "/REMI/a, b\n"
    ":61:170104RC1,1FMSC" HEX "\n:62F:C170104USD1006,24\n:64:C170104USD1006,24\n-}\n"
    ":20:STMT2\n:25:1234/567\n:28C:2/1\n:60F:D170105JPY7,\n:61:170105RDR7,NMSCX\n:62F:C170105JPY0,\n:86:end\n-\n";

static void mt940_statements(void **state)
{
    struct read *read = *state;

    must_read(read, "mt940", NULL, mt940);
    assert_int_equal(read->count, 4);
    check_record(read, 0, "6 " ID1 " 2017-01-03 CONFIRM 1234 USD -1 ");
    check_record(read, 1, "8 " ID2 " 2017-01-04 REVERSE 500 USD -1 ");
    check_record(read, 2, "11 " HEX " 2017-01-04 REVERSE 110 USD -1 ");
    check_record(read, 3, "19 X 2017-01-05 CONFIRM 7 JPY -1 ");
}

#define BAI_HEAD "01,122099999,123456789,170103,0200,1,80,,2/\n02,031001234,122099999,1,170103,,USD,2/\n"
static const char bai2[] = BAI_HEAD
    "03,0123456789,,010,500000,,,190,70000,4,0/\n88,100,-10000,,\n"
    "16,165,123400,V,170104,,BREF," ID1 ",TEXT, WITH / COMMAS/\n"
    "16,409,5000,S,1000,2000,2000,BREF2,,more /EREF/01\n88,90abcd-0000-7000-8000-000000000002.00ff/x\n"
    "16,890,,,,,a note/\n49,688400,7/\n03,77,JPY,,,,/\n16,399,12,,,REF3/\n49,12,3/\n98,688412,2,12/\n99,688412,1,14/\n";

static void bai2_reports(void **state)
{
    struct read *read = *state;

    must_read(read, "bai2", NULL, bai2);
    assert_int_equal(read->count, 3);
    check_record(read, 0, "5 " ID1 " 2017-01-04 CONFIRM 123400 USD -1 ");
    check_record(read, 1, "6 " ID2 " 2017-01-03 REVERSE 5000 USD -1 ");
    check_record(read, 2, "11 REF3 2017-01-03 CONFIRM 12 JPY -1 ");
}

static void a_bank_may_see_it_from_the_other_side(void **state)
{
    struct read *read = *state;
    struct recon_file file = { .path = read->path, .max_mb = 1, .confirm_debits = true };

    write_file(read->path, bai2, sizeof bai2 - 1);
    read->count = 0;
    assert_true(recon_read_bai2(&file, take, read, &read->err));
    assert_int_equal(read->records[0].state, RECON_REVERSE);
    assert_int_equal(read->records[1].state, RECON_CONFIRM);
}

#define CAMT_HEAD                                                                                                      \
    "<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:camt.053.001.08\"><BkToCstmrStmt><GrpHdr><MsgId>M</MsgId>"       \
    "<CreDtTm>2017-02-01T00:00:00Z</CreDtTm></GrpHdr><Stmt><Id>S</Id><Acct><Id><IBAN>DE00</IBAN></Id></Acct>\n"        \
    "<Bal><Tp><CdOrPrtry><Cd>OPBD</Cd></CdOrPrtry></Tp><Amt Ccy=\"USD\">1.00</Amt><CdtDbtInd>CRDT</CdtDbtInd>"         \
    "<Dt><Dt>2017-01-01</Dt></Dt></Bal>"
#define CAMT_CLOSE(amount)                                                                                             \
    "<Bal><Tp><CdOrPrtry><Cd>CLBD</Cd></CdOrPrtry></Tp><Amt Ccy=\"USD\">" amount                                       \
    "</Amt><CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>2017-01-31</Dt></Dt></Bal>\n"
#define CAMT_ENTRY(amount, side, status, day, refs)                                                                    \
    "<Ntry><Amt Ccy=\"USD\">" amount "</Amt><CdtDbtInd>" side "</CdtDbtInd><Sts><Cd>" status "</Cd></Sts>" day         \
    "<BkTxCd><Prtry><Cd>REDEMPTION</Cd></Prtry></BkTxCd><NtryDtls><TxDtls><Refs>" refs                                 \
    "</Refs></TxDtls></NtryDtls></Ntry>\n"
#define CAMT_END  "</Stmt></BkToCstmrStmt></Document>\n"
#define CAMT_DAY  "<BookgDt><Dt>2017-01-03</Dt></BookgDt>"
#define CAMT_E2E  "<EndToEndId>" HEX "</EndToEndId>"
#define CAMT_NONE "<AcctSvcrRef>B-1</AcctSvcrRef><EndToEndId>NOTPROVIDED</EndToEndId>"
static const char camt[] = CAMT_HEAD CAMT_CLOSE("12.84") CAMT_ENTRY("12.34", "CRDT", "BOOK", CAMT_DAY, CAMT_E2E)
    CAMT_ENTRY("0.50", "DBIT", "BOOK", CAMT_DAY, CAMT_NONE) CAMT_ENTRY("7.00", "CRDT", "PDNG", CAMT_DAY, CAMT_E2E)
        CAMT_END;

static void camt_statements(void **state)
{
    struct read *read = *state;

    must_read(read, "camt053", NULL, camt);
    assert_int_equal(read->count, 2);
    read->records[0].line = read->records[1].line = 0; /* of an element's end, as the parser has it */
    check_record(read, 0, "0 " HEX " 2017-01-03 CONFIRM 1234 USD -1 ");
    check_record(read, 1, "0 B-1 2017-01-03 REVERSE 50 USD -1 ");
}

static const struct {
    const char *format, *text, *says;
} refusals[] = {
    { "csv", "key,date,amount,currency\nX,2017-02-30,1,USD\n", "file:2: date (column 2) must be a day" },
    { "csv", "key,date,amount,currency\nX,2017-02-03,1.234,USD\n", "file:2: amount (column 3) has 3 decimals" },
    { "csv", "key,date,amount,currency\nX,2017-02-03,1e5,USD\n", "file:2: amount (column 3)" },
    { "csv", "key,date,amount,currency\nX,2017-02-03,,USD\n", "file:2: amount (column 3) either" },
    { "csv", "key,date,amount,currency\nX,2017-02-03,1,usd\n", "file:2: currency (column 4) must be three" },
    { "csv", "key,date,amount,currency,state\nX,2017-02-03,-1,USD,CONFIRM\n", "has a minus sign" },
    { "csv", "key,date,amount,currency,state\nX,2017-02-03,1,USD,PAID\n", "file:2: state (column 5)" },
    { "csv", "key,date,amount,currency\nX,2017-02-03,1,USD\nY,2017-02-03,1,USD", "file:3: the last line has no end" },
    { "csv", "key,date,amount\n", "file:1: the header has no column currency" },
    { "csv", "", "there is nothing to read" },
    { "mt940", "", "there is no statement" },
    { "mt940", MT_HEAD ":62F:C170104USD1000,01\n",
      "file:6: column 16: the closing balance is 1000.01, but opening balance and movements give 1000.00" },
    { "mt940", MT_HEAD ":61:170104C1,NTRFX\n:62F:C170104USD1000,00\n", "give 1001.00" },
    { "mt940", MT_HEAD ":62F:C170104EUR1000,00\n", "file:6: column 13: the closing balance is in another currency" },
    { "mt940", MT_HEAD ":61:170230C1,NTRFX\n", "file:6: column 5: a day must stand here" },
    { "mt940", MT_HEAD ":61:170203X1,NTRFX\n", "file:6: column 11: C, D, RC or RD" },
    { "mt940", MT_HEAD ":61:170203C1.00NTRFX\n", "file:6: column 12: an amount such as 12,34" },
    { "mt940", MT_HEAD ":61:170203C1,005NTRFX\n", "file:6: column 12: an amount such as 12,34" },
    { "mt940", MT_HEAD ":61:170203C1,00\n", "file:6: column 16: a type such as NTRF" },
    { "mt940", MT_HEAD ":61:170203C1,00NTRFX\n", "file:6: the file ends within a statement" },
    { "mt940", MT_HEAD "-}\n", "file:6: column 1: the statement ends without a closing balance" },
    { "mt940", ":20:X\n:61:170203C1,NTRFX\n", "file:2: column 1: this field may not stand here" },
    { "mt940", ":20:X\n:99Z:1\n", "file:2: column 1: this is no field" },
    { "mt940", "hello\n", "file:1: column 1: a field such as :20:" },
    { "bai2", "", "there is no file trailer" },
    { "bai2", BAI_HEAD "03,1,,,,,/\n16,165,100,,,X/\n49,101,3/\n",
      "file:5: field 2: the account's control total is 101, but what came before gives 100" },
    { "bai2", BAI_HEAD "03,1,,,,,/\n16,165,100,,,X/\n49,100,4/\n",
      "file:5: field 3: the number of the account's records is 4, but what came before gives 3" },
    { "bai2", BAI_HEAD "03,1,,,,,/\n16,165,100,,,X/\n49,100,3/\n98,100,2,5/\n",
      "file:6: field 3: the number of accounts is 2" },
    { "bai2", BAI_HEAD "03,1,,,,,/\n16,165,100,,,X/\n49,100,3/\n98,100,1,6/\n",
      "file:6: field 4: the number of the group's records is 6" },
    { "bai2", BAI_HEAD "03,1,,,,,/\n16,165,100,,,X/\n49,100,3/\n98,100,1,5/\n99,99,1,7/\n",
      "file:7: field 2: the file's control total is 99" },
    { "bai2", BAI_HEAD "03,1,,,,,/\n16,165,100,,,X/\n49,100,3/\n98,100,1,5/\n", "the file ends too early" },
    { "bai2", BAI_HEAD "16,165,100,,,X/\n", "file:3: field 1: this record may not stand here" },
    { "bai2", BAI_HEAD "03,1,,,,,/\n16,700,100,,,X/\n49,1,3/\n", "file:4: field 2: a type from 100 to 699" },
    { "bai2", BAI_HEAD "03,1,,,,,/\n16,165,1.00,,,X/\n49,1,3/\n", "file:4: field 3: a whole number" },
    { "bai2", BAI_HEAD "03,1,,,,,/\n16,165,100,Q,,X/\n49,1,3/\n", "file:4: field 4: a type of funds" },
    { "bai2", "88,1/\n", "file:1: field 1: there is no record that this one continues" },
    { "camt053", CAMT_HEAD CAMT_CLOSE("12.83") CAMT_ENTRY("12.34", "CRDT", "BOOK", CAMT_DAY, CAMT_E2E) CAMT_END,
      "13.34" },
    { "camt053", CAMT_HEAD CAMT_ENTRY("12.34", "CRDT", "BOOK", "", CAMT_E2E) CAMT_END, "the entry has neither" },
    { "camt053", "<Document/>", "file: this is no camt.052" },
    { "mt940",
      ":20:a\xff"
      "b\n",
      "file:1: column 6: a character that is no text" },
    { "bai2", "01,a\x01/\n", "file:1: column 5: a character that is no text" },
};

static void what_is_wrong_is_said_with_its_place(void **state)
{
    struct read *read = *state;

    for (size_t i = 0; i < COUNT(refusals); i++) {
        if (read_bytes(read, refusals[i].format, NULL, refusals[i].text, strlen(refusals[i].text)))
            fail_msg("was read: %s", refusals[i].text);
        if (!strstr(error_text(&read->err), refusals[i].says))
            fail_msg("%s\nexpected: %s", error_text(&read->err), refusals[i].says);
    }
}

static const struct {
    const char *format, *text;
    size_t size;
} samples[] = {
    { "csv", csv, sizeof csv - 1 },
    { "mt940", mt940, sizeof mt940 - 1 },
    { "bai2", bai2, sizeof bai2 - 1 },
    { "camt053", camt, sizeof camt - 1 },
};

static size_t times(const char *text, size_t size, const char *word)
{
    char *cut = strndup(text, size);
    size_t n = 0;

    for (const char *at = cut; (at = strstr(at, word)); at++)
        n++;
    free(cut);
    return n;
}

/* May a file end here? Elsewhere it must be refused. */
static bool is_whole(size_t sample, size_t size)
{
    const char *text = samples[sample].text;

    if (strcmp(samples[sample].format, "csv") == 0)
        return size > 0 && text[size - 1] == '\n';
    if (strcmp(samples[sample].format, "mt940") != 0)
        return size >= samples[sample].size - 2;
    return size > 0 && times(text, size, ":20:") == times(text, size, ":62F:");
}

static void a_cut_file_is_refused(void **state)
{
    struct read *read = *state;

    for (size_t i = 0; i < COUNT(samples); i++) {
        for (size_t n = 0; n < samples[i].size; n++) {
            if (read_bytes(read, samples[i].format, NULL, samples[i].text, n) && !is_whole(i, n))
                fail_msg("%s cut at %zu was read", samples[i].format, n);
        }
    }
}

/* A digit of an amount changed: control totals and balances see it wherever there are any. */
static void a_changed_amount_is_seen(void **state)
{
    struct read *read = *state;
    static const struct {
        const char *format, *text, *amount;
    } changes[] = {
        { "mt940", mt940, "12,34" },   { "mt940", mt940, "D5," },    { "mt940", mt940, "RC1,1" },
        { "bai2", bai2, "123400" },    { "bai2", bai2, "409,5000" }, { "bai2", bai2, "100,-10000" },
        { "bai2", bai2, "190,70000" }, { "camt053", camt, "12.34" }, { "camt053", camt, "0.5" },
    };

    for (size_t i = 0; i < COUNT(changes); i++) {
        char *copy = strdup(changes[i].text), *at = strstr(copy, changes[i].amount);
        assert_non_null(at);
        at += strlen(changes[i].amount) - 1;
        at -= *at == ',';
        *at = *at == '9' ? '0' : (char)(*at + 1);
        assert_false(read_bytes(read, changes[i].format, NULL, copy, strlen(copy)));
        free(copy);
    }
}

/* Bytes changed, taken out and put in by chance: read or refused, but never worse, and never without a word. */
static void damage_is_survived(void **state)
{
    struct read *read = *state;
    static const char bytes[] = ",:/\n\r-+.09AZ?\"\x01\xff{} CDR";

    srand(11);
    for (int round = 0; round < 2000; round++) {
        size_t i = (size_t)rand() % COUNT(samples), size = samples[i].size;
        char text[4096];
        memcpy(text, samples[i].text, size);
        for (int n = 1 + rand() % 4; n > 0; n--) {
            size_t at = (size_t)rand() % size;
            if (rand() % 3 == 0 && size > 2) {
                memmove(text + at, text + at + 1, --size - at);
            } else if (rand() % 2 && size < sizeof text - 1) {
                memmove(text + at + 1, text + at, size++ - at);
                text[at] = bytes[(size_t)rand() % (sizeof bytes - 1)];
            } else {
                text[at] = bytes[(size_t)rand() % (sizeof bytes - 1)];
            }
        }
        if (!read_bytes(read, samples[i].format, NULL, text, size))
            assert_true(read->err.reason != REASON_OK && *error_text(&read->err));
    }
}

static void lines_have_a_limit(void **state)
{
    struct read *read = *state;
    size_t size = RECON_LINE_MAX + 100;
    char *text = malloc(size);

    memset(text, 'x', size);
    assert_false(read_bytes(read, "mt940", NULL, text, size));
    assert_non_null(strstr(error_text(&read->err), "longer than 16 KiB"));
    assert_false(read_bytes(read, "bai2", NULL, text, size));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(csv_with_our_columns),
        cmocka_unit_test(csv_through_a_mapping),
        cmocka_unit_test(csv_through_our_mappings),
        cmocka_unit_test(mt940_statements),
        cmocka_unit_test(bai2_reports),
        cmocka_unit_test(camt_statements),
        cmocka_unit_test(a_bank_may_see_it_from_the_other_side),
        cmocka_unit_test(what_is_wrong_is_said_with_its_place),
        cmocka_unit_test(a_cut_file_is_refused),
        cmocka_unit_test(a_changed_amount_is_seen),
        cmocka_unit_test(damage_is_survived),
        cmocka_unit_test(lines_have_a_limit),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
