/* The documents of a month: camt.053 and PDF as programs that are not ours read them. */
#include "settled_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static int set_up(void **state)
{
    static struct world world;

    world_make(&world);
    *state = &world;
    return 0;
}

static int tear_down(void **state)
{
    world_drop(*state);
    return 0;
}

/* What a command says, run in the month's directory; the caller's to free. */
static char *said(struct world *world, const char *month, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static char *said(struct world *world, const char *month, const char *format, ...)
{
    char command[2048], *text = NULL;
    size_t size, n;
    char piece[4096];
    va_list args;
    int begun = snprintf(command, sizeof command, "cd %s/demo/%s && { ", world->dir, month);

    va_start(args, format);
    begun += vsnprintf(command + begun, sizeof command - (size_t)begun, format, args);
    va_end(args);
    snprintf(command + begun, sizeof command - (size_t)begun, "; } 2>&1");
    FILE *in = popen(command, "r"), *out = open_memstream(&text, &size);
    assert_non_null(in);
    while ((n = fread(piece, 1, sizeof piece, in)) > 0)
        fwrite(piece, 1, n, out);
    fclose(out);
    int status = pclose(in);
    if (status != 0)
        fail_msg("%s: status %d\n%s", command, status, text);
    return text;
}

static void assert_says(struct world *world, const char *month, const char *command, const char *expected)
{
    char *text = said(world, month, "%s", command);

    assert_string_equal(text, expected);
    free(text);
}

static void assert_shows(struct world *world, const char *month, const char *command, const char *part)
{
    char *text = said(world, month, "%s", command);

    if (!strstr(text, part))
        fail_msg("no \"%s\" in\n%s", part, text);
    free(text);
}

static void put_account(struct world *world, int type, int no, const char *more)
{
    world_do(
        world,
        "INSERT INTO party_account (programme_no, party_type, party_no, currency, version, legal_name, address, "
        "country, iban, account_number, bic, bank_name, set_by, approved_by) VALUES (1, %d, %d, '', 1, %s, 'a', 'b')",
        type, no, more);
}

/* check_iso.py reads with another parser: structure, signs, OPBD + CRDT - DBIT = CLBD. */
static void camt_statements_add_up(void **state)
{
    struct world *world = *state;

    world_put_usual(world);
    put_account(world, 2, 1,
                "'Shop One Ltd 一号店', '1 Main Street <&>', 'DE', 'DE02120300000000202051', '', "
                "'BYLADEM1001', 'Bank'");
    world_settle(world, "2017-01-31", "2017-01");
    assert_says(world, "2017-01", "/usr/bin/python3 " SOURCE_DIR "/tests/settlement/check_iso.py *.camt053.xml",
                "bank_bank-a_2017-01_JPY.camt053.xml B1 0 +12 -12 = 0 JPY\n"
                "bank_bank-a_2017-01_USD.camt053.xml B1 0.00 +14.00 -14.00 = 0.00 USD\n"
                "bank_bank-b_2017-01_USD.camt053.xml B2 0.00 +3.33 -3.33 = 0.00 USD\n"
                "merchant_=shop_2017-01_JPY.camt053.xml M3 0 +12 -12 = 0 JPY\n"
                "merchant_shop-1_2017-01_USD.camt053.xml DE02120300000000202051 0.00 +14.06 -14.06 = 0.00 USD\n"
                "merchant_shop-2_2017-01_USD.camt053.xml M2 0.00 +3.33 -3.33 = 0.00 USD\n"
                "operator_demo_2017-01_JPY.camt053.xml O0 0 +1 -1 = 0 JPY\n"
                "operator_demo_2017-01_USD.camt053.xml O0 0.00 +0.42 -0.42 = 0.00 USD\n");
    assert_shows(world, "2017-01", "cat merchant_shop-1_2017-01_USD.camt053.xml", "<Nm>Shop One Ltd 一号店</Nm>");
}

/* The schemas are beside the project; without them the Python reader above has looked all the same. */
static void camt_statements_are_valid(void **state)
{
    struct world *world = *state;

    if (access(SOURCE_DIR "/../shared/data/iso20022/xsd", R_OK) != 0)
        skip();
    world_put_usual(world);
    world_put_random(world, "2017-01", 500, 7);
    put_account(world, 2, 1,
                "'Shop', 'A street with a long name and number 12345, a town with a long name, a county', "
                "'DE', '', '77', '', 'Bank'");
    world_settle(world, "2017-02-28", "2017-01");
    world_settle(world, "2017-03-01", "2017-02"); /* nothing happened */
    for (int month = 1; month <= 2; month++)
        free(said(world, month == 1 ? "2017-01" : "2017-02",
                  "/usr/bin/python3 " SOURCE_DIR "/tests/settlement/check_iso.py --xsd " SOURCE_DIR
                  "/../shared/data/iso20022/xsd *.camt053.xml"));
}

/* A month of reversals: the merchant owes; its lines over several pages. */
static void put_many(struct world *world)
{
    world_do(world,
             "UPDATE merchant SET name = '上海一号百货有限公司' WHERE merchant_no = 1;"
             "INSERT INTO journal SELECT 0, md5('m')::uuid, n, '2017-01-02', '2017-01-02 12:00Z', 8, 100, 0, 0, 0, 0, "
             "gen_random_uuid(), gen_random_uuid(), 1, 1, 1, 1, 1, 1, 'CNY', -101, -2, sha256('x') "
             "FROM generate_series(1, 150) n");
}

/* Two goods of shop-1, one of them once reversed; what was for no good stands last, and the table adds up. */
static void a_statement_says_what_it_was_for(void **state)
{
    static const struct world_entry entries[] = {
        { 0, 1, 1, "2017-01-30", NULL, 4, 1000, 1, 1, 1, "CNY", 1000, 25 },
        { 0, 2, 1, "2017-01-30", NULL, 4, 500, 2, 1, 1, "CNY", 500, 5 },
        { 0, 3, 1, "2017-01-30", NULL, 4, 70, 1, 1, 1, "CNY", 70, 1 },
        { 0, 1, 2, "2017-01-31", NULL, 8, 400, 1, 1, 1, "CNY", -400, -10 },
    };
    struct world *world = *state;

    world_put(world, entries, COUNT(entries));
    world_do(world,
             "UPDATE journal SET redemption_id = md5('redemption 1 1')::uuid WHERE kind = 8; INSERT INTO carrier "
             "(carrier_id, programme_no, name, adapter, base_url) VALUES ('c', 1, 'C', 'x', ''); INSERT INTO goods "
             "(programme_no, goods_id, merchant_no, name, kind, price_minor, currency, carrier_no) VALUES (1, 'mug', "
             "1, 'm', 1, 1, 'CNY', 1), (1, 'cup', 1, 'c', 1, 1, 'CNY', 1); INSERT INTO redemption (bucket, id, "
             "member_id, programme_no, bank_no, merchant_no, store_no, terminal_id, content_hash, reason, state, "
             "points, currency, rules_version, terms_version, goods_no, quantity, ship_to, spendable_after, "
             "business_date, held_at, lapse_at, draw_credit) SELECT bucket, redemption_id, member_id, 1, bank_no, "
             "1, 1, '', '', 'OK', 2, points, currency, 1, 1, CASE points WHEN 1000 THEN 1 WHEN 500 THEN 2 ELSE 0 "
             "END, 1, '', 0, business_date, at, at, 0 FROM journal WHERE kind = 4");
    world_settle(world, "2017-01-31", "2017-01");
    assert_says(world, "2017-01",
                "pdftotext -layout merchant_shop-1_2017-01_CNY.pdf - | tr -s ' ' | grep -A 7 'By goods' | "
                "grep -E '^ ?(cup|mug|无)'",
                "cup 1 0 500 5.00 0.05 4.95\nmug 1 1 600 6.00 0.15 5.85\n无商品 no goods 1 0 70 0.70 0.01 0.69\n");
    assert_says(world, "2017-01",
                "python3 -c 'import json; print(*[(g[\"goodsId\"], g[\"netMinor\"]) for g in "
                "json.load(open(\"pair_bank-a_shop-1_2017-01_CNY.json\"))[\"goods\"]])'",
                "('mug', '585')\n");
}

static void a_pdf_can_be_read_and_signed(void **state)
{
    struct world *world = *state;

    put_many(world);
    world_settle(world, "2017-01-31", "2017-01");
    assert_says(world, "2017-01", "pdfinfo pair_bank-a_shop-1_2017-01_CNY.pdf | grep -E '^(Pages|Title|CreationDate)'",
                "Title:           P1.1-000001\n"
                "CreationDate:    Wed Feb  1 00:00:00 2017 UTC\n"
                "Pages:           5\n");
    /* what page 2 ends with, page 3 begins with */
    assert_shows(world, "2017-01", "pdftotext -f 2 -l 2 -layout pair_bank-a_shop-1_2017-01_CNY.pdf - | tr -s ' '",
                 "过次页 Carried forward");
    char *carried = said(world, "2017-01",
                         "pdftotext -f 2 -l 2 -layout pair_bank-a_shop-1_2017-01_CNY.pdf - | "
                         "grep '过次页' | tr -s ' ' | cut -d' ' -f5-");
    char *brought = said(world, "2017-01",
                         "pdftotext -f 3 -l 3 -layout pair_bank-a_shop-1_2017-01_CNY.pdf - | "
                         "grep '承前页' | tr -s ' ' | cut -d' ' -f5-");
    assert_string_equal(carried, brought);
    assert_true(strlen(carried) > 4);
    free(carried);
    free(brought);
    assert_shows(world, "2017-01", "pdftotext -layout pair_bank-a_shop-1_2017-01_CNY.pdf - | tr -s ' '",
                 "合计 Total -15,000 -151.50 -3.00 -148.50");
    assert_shows(world, "2017-01", "pdftotext -layout pair_bank-a_shop-1_2017-01_CNY.pdf -", "第 5 页 共 5 页");
    assert_shows(world, "2017-01", "pdftotext -layout pair_bank-a_shop-1_2017-01_CNY.pdf -", "上海一号百货有限公司");
    assert_shows(world, "2017-01", "pdftotext -layout merchant_shop-1_2017-01_CNY.pdf - | tr -s ' '",
                 "冲正 Reversals -151.50");
    assert_shows(world, "2017-01",
                 "pdftotext -layout merchant_shop-1_2017-01_CNY.pdf - | grep -q $(sha256sum "
                 "merchant_shop-1_2017-01_CNY.csv | cut -d' ' -f1) && echo the hash of the lines is in it",
                 "is in it");
    assert_shows(world, "2017-01", "pdffonts merchant_shop-1_2017-01_CNY.pdf", "WenQuanYiMicroHei");
}

static void documents_are_the_same_bytes_again(void **state)
{
    struct world *world = *state;
    struct error err;

    put_many(world);
    world_settle(world, "2017-01-31", "2017-01");
    char *before = world_files(world);
    assert_int_equal(world_close_period(world, "2017-01", &err), REASON_OK);
    char *after = world_files(world);
    assert_string_equal(before, after);
    assert_non_null(strstr(before, ".pdf"));
    free(before);
    free(after);
}

#define LONG_NAME "一家名字特别长的百货公司"

/* Only the merchant that asks for them has them; every record of the fixed width has the same number of bytes. */
static void banks_that_want_it_get_a_bill(void **state)
{
    struct world *world = *state;

    world_put_usual(world);
    put_account(world, 2, 3, "'上海一号百货有限公司', '', '', '', '', '', ''");
    world_do(world, "UPDATE party_account SET files = 3");
    world_settle(world, "2017-01-31", "2017-01");
    assert_says(world, "2017-01", "ls *.bill.csv *.zm.txt",
                "pair_bank-a_=shop_2017-01_JPY.bill.csv\npair_bank-a_=shop_2017-01_JPY.zm.txt\n");
    assert_shows(world, "2017-01", "cat *.bill.csv", "`SUCCESS,`JPY,`10,`12,`0,`1.00000,`11\r\n");
    assert_shows(world, "2017-01", "cat *.bill.csv", "\r\n`1,`12,`0,`1.00000,`11\r\n");
    assert_says(world, "2017-01", "LC_ALL=C awk '{ print length($0) }' *.zm.txt", "608\n"); /* and CR */
    assert_shows(world, "2017-01", "iconv -f GBK -t UTF-8 *.zm.txt", " JPY 20170131 C000000000010 ");
    assert_shows(world, "2017-01", "cat manifest.json", "pair_bank-a_=shop_2017-01_JPY.zm.txt");
}

#define READ_ZM SOURCE_DIR "/tests/settlement/read_zm.py "

/* All 42 fields of every record, by a reader that shares nothing with the writer; and it must be able to say no. */
static void the_fixed_width_is_the_layouts(void **state)
{
    struct world *world = *state;
    static const struct world_entry late[] = {
        { 3, 4, 2, "2017-01-31", "2017-01-31 15:59:59Z", 4, 123456, 1, 1, 1, "JPY", 999999999999, 1 },
        { 3, 4, 3, "2017-01-31", NULL, 8, 10, 1, 3, 3, "JPY", -12, -1 },
    };

    world_put_usual(world);
    world_put(world, late, COUNT(late));
    put_account(world, 2, 1, "'上海一号百货有限公司', '', '', '', '', '', ''");
    put_account(world, 2, 3, "'" LONG_NAME LONG_NAME LONG_NAME "', '', '', '', '', '', ''");
    world_do(world, "UPDATE party_account SET files = 2");
    world_settle(world, "2017-01-31", "2017-01");
    assert_says(world, "2017-01", "ls *.zm.txt | wc -l", "3\n");
    assert_says(world, "2017-01",
                READ_ZM "pair_bank-a_shop-1_2017-01_USD.zm.txt pair_bank-a_shop-1_2017-01_USD.csv B1 O0 M1 "
                        "上海一号百货有限公司",
                "3 records\n");
    assert_says(world, "2017-01",
                READ_ZM "pair_bank-a_shop-1_2017-01_JPY.zm.txt pair_bank-a_shop-1_2017-01_JPY.csv B1 O0 M1 "
                        "上海一号百货有限公司",
                "1 records\n");
    assert_says(world, "2017-01",
                READ_ZM
                "pair_bank-a_=shop_2017-01_JPY.zm.txt pair_bank-a_=shop_2017-01_JPY.csv B1 O0 M3 " LONG_NAME LONG_NAME
                    LONG_NAME,
                "2 records\n");
    assert_says(
        world, "2017-01",
        "for at in 2 10 100 350 500 600 608; do head -c $at pair_bank-a_shop-1_2017-01_USD.zm.txt > x; printf z >> "
        "x; tail -c +$((at + 2)) pair_bank-a_shop-1_2017-01_USD.zm.txt >> x; " READ_ZM
        "x pair_bank-a_shop-1_2017-01_USD.csv B1 O0 M1 上海一号百货有限公司 2>/dev/null && echo missed $at; done; rm x",
        "");
}

/* Twelve digits are what there is; a number is never cut. */
static void what_is_too_wide_is_refused(void **state)
{
    struct world *world = *state;
    static const struct world_entry large[] = {
        { 0, 9, 1, "2017-01-02", NULL, 4, 10, 1, 1, 1, "JPY", 1000000000000, 1 },
    };
    struct error err;

    world_put_usual(world);
    world_put(world, large, COUNT(large));
    put_account(world, 2, 1, "'shop', '', '', '', '', '', ''");
    world_do(world, "UPDATE party_account SET files = 2");
    assert_int_equal(world_close_until(world, "2017-01-31", &err), REASON_OK);
    assert_int_equal(world_close_period(world, "2017-01", &err), REASON_FIELD_INVALID);
    assert_non_null(strstr(err.detail, "line 1 of demo/2017-01/PAIR/bank-a/shop-1/JPY has more digits"));
    world_do(world, "UPDATE party_account SET files = 0");
    assert_int_equal(world_close_period(world, "2017-01", &err), REASON_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(camt_statements_add_up, set_up, tear_down),
        cmocka_unit_test_setup_teardown(camt_statements_are_valid, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_statement_says_what_it_was_for, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_pdf_can_be_read_and_signed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(banks_that_want_it_get_a_bill, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_fixed_width_is_the_layouts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_too_wide_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(documents_are_the_same_bytes_again, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
