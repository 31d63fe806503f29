/* A CSV file: what a person's spreadsheet does to it, and what is said about it. */
#include "io/card_token.h"
#include "io/refusals.h"
#include "io/rows.h"
#include "ops/cli/bank_rows.h"
#include "ops/cli/member_rows.h"

#include <alliance/v1/bank_service.pb-c.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const struct row_column columns[] = { { "a", true }, { "b", true }, { "c", false } };

/* What a file reads as: values joined by "|", rows by "/", "!" and a part of the sentence for a bad row. */
static void read_all(const char *text, size_t size, char *out, size_t out_size)
{
    FILE *file = fmemopen((void *)(uintptr_t)text, size, "r");
    FILE *to = fmemopen(out, out_size, "w");
    CLEANUP(rows_close) struct rows rows = { 0 };
    struct error err = { 0 };
    enum rows_next next;

    assert_non_null(file);
    if (!rows_open(&rows, file, columns, COUNT(columns), &err))
        fprintf(to, "header!%s", error_text(&err));
    else
        while ((next = rows_read(&rows, &err)) != ROWS_END) {
            if (next == ROWS_BAD)
                fprintf(to, "%d!%s/", (int)rows.lines.number, error_text(&err));
            else
                fprintf(to, "%d:%s|%s|%s/", (int)rows.lines.number, rows_value(&rows, 0), rows_value(&rows, 1),
                        rows_value(&rows, 2));
        }
    fclose(to);
    fclose(file);
}

static const struct {
    const char *story, *text, *expected; /* expected: a part of what it reads as */
} files[] = {
    { "plain", "a,b\n1,2\n3,4\n", "2:1|2|/3:3|4|/" },
    { "no newline at the end", "a,b\n1,2", "2:1|2|/" },
    { "columns in another order", "b,c,a\n2,3,1\n", "2:1|2|3/" },
    { "CRLF", "a,b\r\n1,2\r\n", "2:1|2|/" },
    { "a byte order mark",
      "\xef\xbb\xbf"
      "a,b\n1,2\n",
      "2:1|2|/" },
    { "blank lines keep their numbers", "a,b\n\n1,2\n\r\n3,4\n", "3:1|2|/5:3|4|/" },
    { "quotes", "a,b\n\"x, \"\"y\"\"\",2\n", "2:x, \"y\"|2|/" },
    { "a quoted header", "\"a\",\"b\"\n\"1\",\"2\"\n", "2:1|2|/" },
    { "UTF-8", "a,b\n中文,é\n", "2:中文|é|/" },
    { "empty values", "a,b\n,\n", "2:||/" },
    { "reason and detail of an earlier run", "a,b,reason,detail\n1,2,X,y\n", "2:1|2|/" },
    { "an empty file", "\n", "header!the first line is blank" },
    { "a header of blanks", " \t\n1\n", "header!the first line is blank" },
    { "a carriage return parts no columns", "a,b\n1\r2\n3,4\n", "2!a carriage return stands within the line" },
    { "lines that end in a carriage return alone", "a,b\r1,2\r3,4\r", "header!a carriage return stands" },
    { "a column lacks", "a,c\n1,2\n", "header!the header has no column b" },
    { "a column misspelt", "a,b,cc\n1,2,3\n", "header!the header's column 3 is none of those there are" },
    { "a column twice", "a,b,a\n1,2,3\n", "header!the header has column 3 twice" },
    { "another separator", "a;b\n1;2\n", "header!the header has no column a" },
    { "a header in UTF-16",
      "\xff\xfe"
      "a",
      "header!byte 1 of the line (0xFF) is not UTF-8" },
    { "too few columns", "a,b\n1\n3,4\n", "2!the line has 1 columns, the header 2/3:3|4|/" },
    { "too many columns", "a,b\n1,2,3\n3,4\n", "2!the line has 3 columns, the header 2/3:3|4|/" },
    { "a cut last line", "a,b,c\n1,2,3\n4,5", "2:1|2|3/3!the file ends within this line: 2 of 3 columns/" },
    { "cut within quotes", "a,b\n1,\"2", "2!column 2: a quote is not closed" },
    { "an open quote spoils one line only", "a,b\n1,\"2\n3,4\n", "2!column 2: a quote is not closed" },
    { "after an open quote", "a,b\n1,\"2\n3,4\n", "/3:3|4|/" },
    { "a quote inside", "a,b\n1,2\"3\n3,4\n", "2!column 2: a quote is not closed on this line, or stands inside" },
    { "Latin-1", "a,b\n1,\xe9\n3,4\n",
      "2!byte 3 of the line (0xE9) is not UTF-8; save the file as UTF-8, or say --encoding GB18030 if it is "
      "that/3:3|4|/" },
};

static void test_files(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(files); i++) {
        char out[1024] = "";
        read_all(files[i].text, strlen(files[i].text), out, sizeof out);
        if (!strstr(out, files[i].expected))
            fail_msg("%s: %s", files[i].story, out);
    }
}

/* Libraries of CSV drop the blanks at a bare field's ends. */
static void test_blanks_at_the_ends_survive(void **state)
{
    static const char *const fields[] = { " x", "x ", "\tx", "x\t", " ", "x y", "" };
    struct rows rows;
    struct error err = { 0 };
    char text[256] = "a,b,c,d,e,f,g\n";

    (void)state;
    FILE *file = fmemopen(text, sizeof text, "a+");
    rows_write(file, fields, COUNT(fields));
    rewind(file);
    assert_true(rows_open(&rows, file, NULL, 0, &err));
    assert_int_equal(rows_read(&rows, &err), ROWS_ROW);
    assert_int_equal(rows.row.count, COUNT(fields));
    for (size_t i = 0; i < COUNT(fields); i++)
        assert_string_equal(rows.row.at[i], fields[i]);
    rows_close(&rows);
    fclose(file);
}

static void test_nul_is_refused(void **state)
{
    static const char text[] = "a,b\n1,2\0003\n3,4\n";
    char out[1024] = "";

    (void)state;
    read_all(text, sizeof text - 1, out, sizeof out);
    assert_non_null(strstr(out, "2!byte 4 of the line is a NUL; save the file as text"));
    assert_non_null(strstr(out, "/3:3|4|/"));
}

enum { LONG_COLUMNS = 16, LAST_FIELD = ROWS_LINE_MAX - (LONG_COLUMNS - 1) * (ROWS_FIELD_MAX + 1) };

/* A header of 16 columns, a line of fields as long as they may be, and a short one; the first and the last field are of
 * those lengths. The caller frees it. */
static char *long_file(size_t first, size_t last)
{
    char *text = malloc(2 * ROWS_LINE_MAX), *end = text;

    for (int i = 0; i < LONG_COLUMNS; i++)
        end += sprintf(end, "%sc%d", i ? "," : "", i);
    *end++ = '\n';
    for (int i = 0; i < LONG_COLUMNS; i++) {
        size_t size = i == 0 ? first : i == LONG_COLUMNS - 1 ? last : ROWS_FIELD_MAX;
        end = i ? stpcpy(end, ",") : end;
        end = (char *)memset(end, 'x', size) + size;
    }
    stpcpy(end, "\n1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16\n");
    return text;
}

/* The longest line there may be is read; one byte more is refused, in the line or in a field, and the next is read. */
static void test_long_lines(void **state)
{
    static const struct {
        size_t first, last;
        const char *says; /* NULL: it is read */
    } cases[] = {
        { ROWS_FIELD_MAX, LAST_FIELD, NULL },
        { ROWS_FIELD_MAX, LAST_FIELD + 1, "the line is longer than 64 KiB" },
        { ROWS_FIELD_MAX + 1, LAST_FIELD - 1, "column 1 is longer than 4 KiB" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        char *text = long_file(cases[i].first, cases[i].last);
        CLEANUP(rows_close) struct rows rows = { 0 };
        struct error err = { 0 };
        FILE *file = fmemopen(text, strlen(text), "r");
        assert_true(rows_open_as(&rows, file, &(struct rows_format){ .strict = true }, NULL, 0, &err));
        assert_int_equal(rows_read(&rows, &err), cases[i].says ? ROWS_BAD : ROWS_ROW);
        if (cases[i].says)
            assert_string_equal(error_text(&err), cases[i].says);
        assert_int_equal(rows_read(&rows, &err), ROWS_ROW);
        assert_string_equal(rows.row.at[15], "16");
        fclose(file);
        free(text);
    }
}

static void test_commas_only(void **state)
{
    char *text = malloc(ROWS_LINE_MAX + 64), *end = stpcpy(text, "a,b\n"), out[1024] = "";

    (void)state;
    memset(end, ',', ROWS_LINE_MAX);
    strcpy(end + ROWS_LINE_MAX, "\n3,4\n");
    read_all(text, strlen(text), out, sizeof out);
    assert_non_null(strstr(out, "2!the line has too many columns; there may be 64/3:3|4|/"));
    free(text);
}

/* ---- rows of a bank's files ---- */

typedef void *row_reader(const char *const *values, int64_t row_number, struct arena *arena, struct error *err);

/* The file's only row as a message; NULL with err. The arena owns it. */
static void *one_row(const char *text, const struct row_column *of, size_t count, row_reader *read, struct arena *arena,
                     struct error *err)
{
    FILE *file = fmemopen((void *)(uintptr_t)text, strlen(text), "r");
    CLEANUP(rows_close) struct rows rows = { 0 };
    const char *values[ROWS_COLUMNS_MAX];

    *err = (struct error){ 0 };
    assert_true(rows_open(&rows, file, of, count, err));
    assert_int_equal(rows_read(&rows, err), ROWS_ROW);
    for (size_t i = 0; i < count; i++)
        values[i] = rows_value(&rows, i);
    void *row = read(values, rows.lines.number, arena, err);
    fclose(file);
    return row;
}

static void test_a_member(void **state)
{
    CLEANUP(arena_release) struct arena arena = { 0 };
    struct error err;
    Alliance__V1__MemberRow *row =
        one_row("member_ref,credit_limit,status,card_tokens\nm-1,500,frozen,tok_aaaaaaaa|tok_bbbbbbbb\n",
                member_columns, MEMBER_COLUMNS, member_read, &arena, &err);

    (void)state;
    assert_non_null(row);
    assert_int_equal(row->row_number, 2);
    assert_string_equal(row->member->member_ref, "m-1");
    assert_int_equal(row->member->credit_limit, 500);
    assert_int_equal(row->member->status, ALLIANCE__V1__MEMBER_STATUS__MEMBER_STATUS_FROZEN);
    assert_int_equal(row->member->n_card_tokens, 2);
    assert_string_equal(row->member->card_tokens[1], "tok_bbbbbbbb");
    row = one_row("member_ref,credit_limit\nm-1,0\n", member_columns, MEMBER_COLUMNS, member_read, &arena, &err);
    assert_non_null(row);
    assert_int_equal(row->member->n_card_tokens, 0);
}

static void test_an_accrual(void **state)
{
    CLEANUP(arena_release) struct arena arena = { 0 };
    struct error err;
    Alliance__V1__AccrualRow *row = one_row("transaction_ref,member_ref,currency,amount,transaction_time\n"
                                            "t:1,m-1,USD,12.34,2017-01-28T14:06:53Z\n",
                                            accrual_columns, ACCRUAL_COLUMNS, accrual_read, &arena, &err);

    (void)state;
    assert_non_null(row);
    assert_string_equal(row->transaction_ref, "t:1");
    assert_int_equal(row->amount->amount_minor, 1234);
    assert_string_equal(row->amount->currency_code, "USD");
    assert_int_equal(row->transaction_time->seconds, 1485612413);
    assert_int_equal(row->fixed_points, 0);
    row = one_row("transaction_ref,member_ref,currency,amount,transaction_time,fixed_points,merchant_category_code,"
                  "merchant_name,reversal_of\nt:1,m-1,USD,12.34,2017-01-28T14:06:53Z,500,0742,\"Tea, and Co\",t:0\n",
                  accrual_columns, ACCRUAL_COLUMNS, accrual_read, &arena, &err);
    assert_non_null(row);
    assert_int_equal(row->fixed_points, 500);
    assert_string_equal(row->merchant_category_code, "0742");
    assert_string_equal(row->merchant_name, "Tea, and Co");
    assert_string_equal(row->reversal_of, "t:0");
}

static void test_bad_rows_of_banks(void **state)
{
    static const struct {
        const char *story, *line, *field;
        bool accrual;
        enum reason reason;
    } cases[] = {
        { "no name", ",1,,", "member_ref", false, REASON_FIELD_INVALID },
        { "a limit in words", "m,many,,", "credit_limit", false, REASON_FIELD_INVALID },
        { "no limit", "m,,,", "credit_limit", false, REASON_FIELD_INVALID },
        { "a negative limit", "m,-1,,", "credit_limit", false, REASON_FIELD_INVALID },
        { "too high a limit", "m,1000000000001,,", "credit_limit", false, REASON_FIELD_INVALID },
        { "another status", "m,1,GONE,", "status", false, REASON_FIELD_INVALID },
        { "a card number", "m,1,,tok_aaaaaaaa|4111111111111111", "card_tokens", false, REASON_CARD_NUMBER_REFUSED },
        { "no reference", ",m,USD,1,2017-01-28T14:06:53Z", "transaction_ref", true, REASON_FIELD_INVALID },
        { "no member", "t,,USD,1,2017-01-28T14:06:53Z", "member_ref", true, REASON_FIELD_INVALID },
        { "no currency", "t,m,,1,2017-01-28T14:06:53Z", "currency", true, REASON_FIELD_INVALID },
        { "a float's dust", "t,m,USD,4.440892e-16,2017-01-28T14:06:53Z", "amount", true, REASON_FIELD_INVALID },
        { "nothing spent", "t,m,USD,0,2017-01-28T14:06:53Z", "amount", true, REASON_FIELD_INVALID },
        { "no time zone", "t,m,USD,1,2017-01-28T14:06:53", "transaction_time", true, REASON_FIELD_INVALID },
        { "no such day", "t,m,USD,1,2017-02-29T14:06:53Z", "transaction_time", true, REASON_FIELD_INVALID },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        CLEANUP(arena_release) struct arena arena = { 0 };
        bool accrual = cases[i].accrual;
        struct error err;
        char text[256];
        snprintf(text, sizeof text, "%s\n%s\n",
                 accrual ? "transaction_ref,member_ref,currency,amount,transaction_time"
                         : "member_ref,credit_limit,status,card_tokens",
                 cases[i].line);
        void *row =
            one_row(text, accrual ? accrual_columns : member_columns, accrual ? ACCRUAL_COLUMNS : MEMBER_COLUMNS,
                    accrual ? accrual_read : member_read, &arena, &err);
        if (row || strcmp(err.field, cases[i].field) != 0 || err.reason != cases[i].reason)
            fail_msg("%s: %s %s", cases[i].story, err.field, error_text(&err));
    }
}

/* ---- refused rows ---- */

static void slurp(const char *path, char *out, size_t size)
{
    FILE *file = fopen(path, "r");

    assert_non_null(file);
    out[fread(out, 1, size - 1, file)] = '\0';
    fclose(file);
}

/* What is written can be corrected and read again; card numbers are not written. */
static void test_refused_rows_are_kept(void **state)
{
    static const char text[] = "a,b,reason,detail\n\"x, y\",4111 1111 1111 1111,OLD,old\n";
    char path[] = "/tmp/rows.XXXXXX", refused[64], shown[512] = "", written[512];
    CLEANUP(rows_close) struct rows rows = { 0 };
    FILE *file = fmemopen((void *)(uintptr_t)text, sizeof text - 1, "r"), *err_out = fmemopen(shown, sizeof shown, "w");
    struct refusals refusals;
    struct error err = { 0 };

    (void)state;
    close(mkstemp(path));
    assert_true(rows_open(&rows, file, columns, COUNT(columns), &err));
    assert_int_equal(rows_read(&rows, &err), ROWS_ROW);
    refusals_init(&refusals, path, &rows.header, err_out);
    refusals_add(&refusals, &(struct row_copy){ 2, (const char **)(uintptr_t)rows.row.at, 1 }, "", "WORD",
                 "a sentence");
    refusals_add(&refusals, &(struct row_copy){ .line = 3 }, "1,\"2", "MESSAGE_MALFORMED", "an open quote");
    assert_true(refusals_close(&refusals));
    assert_int_equal(refusals.count, 2);
    fclose(err_out);
    fclose(file);
    snprintf(refused, sizeof refused, "%s.refused.csv", path);
    slurp(refused, written, sizeof written);
    assert_string_equal(written, "a,b,reason,detail\n\"x, y\",(a card number was here),WORD,a sentence\n"
                                 "\"1,\"\"2\",,MESSAGE_MALFORMED,an open quote\n");
    assert_non_null(strstr(shown, ":2: WORD: a sentence\n"));
    assert_non_null(strstr(shown, ":3: MESSAGE_MALFORMED: an open quote\n"));
    unlink(refused);
    unlink(path);
}

static void test_no_file_when_nothing_is_refused(void **state)
{
    char path[] = "/tmp/rows.XXXXXX", refused[64];
    struct row_fields header = { 0 };
    struct refusals refusals;

    (void)state;
    close(mkstemp(path));
    snprintf(refused, sizeof refused, "%s.refused.csv", path);
    fclose(fopen(refused, "w")); /* of an earlier run */
    refusals_init(&refusals, path, &header, stderr);
    assert_true(refusals_close(&refusals));
    assert_int_equal(access(refused, F_OK), -1);
    unlink(path);
}

/* ---- tokens ---- */

static void test_card_tokens(void **state)
{
    static const char *const wrong[] = { "", "1234567", "12345678901234567890", "4111x11111111111" };
    char token[CARD_TOKEN], same[CARD_TOKEN], other[CARD_TOKEN];
    struct error err;

    (void)state;
    /* printf 4111111111111111 | openssl dgst -sha256 -hmac key -binary | base32 | cut -c1-26, in small letters */
    assert_true(card_token("4111111111111111", "key", 3, token, &err));
    assert_string_equal(token, "tok_27plf6ets2twfyhuqx7wfg7nqa");
    assert_true(card_token("4111-1111 1111 1111", "key", 3, same, &err));
    assert_string_equal(token, same);
    assert_true(card_token("4111111111111111", "kex", 3, other, &err));
    assert_string_not_equal(token, other);
    for (size_t i = 0; i < COUNT(wrong); i++)
        assert_false(card_token(wrong[i], "key", 3, token, &err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_files),
        cmocka_unit_test(test_blanks_at_the_ends_survive),
        cmocka_unit_test(test_nul_is_refused),
        cmocka_unit_test(test_long_lines),
        cmocka_unit_test(test_commas_only),
        cmocka_unit_test(test_a_member),
        cmocka_unit_test(test_an_accrual),
        cmocka_unit_test(test_bad_rows_of_banks),
        cmocka_unit_test(test_refused_rows_are_kept),
        cmocka_unit_test(test_no_file_when_nothing_is_refused),
        cmocka_unit_test(test_card_tokens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
