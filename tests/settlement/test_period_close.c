/* Closing a month: what the statements and files say, what stops a close, and that repeating changes nothing. */
#include "settled_world.h"

#include <jansson.h>

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

static void assert_asked(struct world *world, const char *expected, const char *sql)
{
    char *text = world_ask(world, "%s", sql);

    assert_string_equal(text, expected);
    free(text);
}

/* The caller's to free. */
static char *read_file(struct world *world, const char *period, const char *name)
{
    char path[256], *text = calloc(1, 64 * 1024);

    snprintf(path, sizeof path, "%s/demo/%s/%s", world->dir, period, name);
    FILE *in = fopen(path, "r");
    if (!in)
        fail_msg("there is no file %s", path);
    assert_true(fread(text, 1, 64 * 1024 - 1, in) > 0);
    fclose(in);
    return text;
}

static void assert_file(struct world *world, const char *period, const char *name, const char *expected)
{
    char *text = read_file(world, period, name);

    assert_string_equal(text, expected);
    free(text);
}

static const char totals_sql[] =
    "SELECT statement_id, confirmed_count, confirmed_points, reversed_count, reversed_points, gross_minor, "
    "commission_minor, net_minor, line_count FROM statement ORDER BY statement_id";

static void a_months_statements_tie(void **state)
{
    struct world *world = *state;

    world_put_usual(world);
    world_settle(world, "2017-01-31", "2017-01");
    assert_asked(world,
                 "demo/2017-01/BANK/bank-a/JPY|1|10|0|0|12|1|11|1\n"
                 "demo/2017-01/BANK/bank-a/USD|2|1400|1|250|1150|29|1121|1\n"
                 "demo/2017-01/BANK/bank-b/USD|1|300|0|0|333|7|326|1\n"
                 "demo/2017-01/MERCHANT/=shop/JPY|1|10|0|0|12|1|11|1\n"
                 "demo/2017-01/MERCHANT/shop-1/USD|2|1400|1|250|1150|29|1121|1\n"
                 "demo/2017-01/MERCHANT/shop-2/USD|1|300|0|0|333|7|326|1\n"
                 "demo/2017-01/OPERATOR/JPY|1|10|0|0|12|1|11|1\n"
                 "demo/2017-01/OPERATOR/USD|3|1700|1|250|1483|36|1447|2\n"
                 "demo/2017-01/PAIR/bank-a/=shop/JPY|1|10|0|0|12|1|11|1\n"
                 "demo/2017-01/PAIR/bank-a/shop-1/USD|2|1400|1|250|1150|29|1121|3\n"
                 "demo/2017-01/PAIR/bank-b/shop-2/USD|1|300|0|0|333|7|326|1\n",
                 totals_sql);
    assert_asked(world,
                 "1|2017-01-01|4|s1|1000|1000|25|975\n2|2017-01-01|4|s1|400|400|10|390\n"
                 "3|2017-01-31|8|s1|-250|-250|-6|-244\n",
                 "SELECT e.line_number, e.business_date, e.kind, e.store_id, e.points, e.gross_minor, "
                 "e.commission_minor, e.net_minor FROM statement_entry e JOIN statement s USING (statement_no) "
                 "WHERE s.statement_id = 'demo/2017-01/PAIR/bank-a/shop-1/USD' ORDER BY 1");
}

/* redemption_id ends in the first two bytes of the member's id; md5 makes all of them here. */
static void a_pairs_csv_is_as_agreed(void **state)
{
    struct world *world = *state;
    char *tail = world_ask(world, "SELECT md5('redemption 4 1')::uuid || '.' || substr(md5('member 4'), 1, 4), "
                                  "md5('ref 4 1')::uuid");
    char expected[1024];

    world_put_usual(world);
    world_settle(world, "2017-01-31", "2017-01");
    tail[strcspn(tail, "|")] = ',';
    tail[strcspn(tail, "\n")] = '\0';
    snprintf(expected, sizeof expected,
             "line_number,business_date,time,kind,redemption_id,request_id,store_id,points,currency,gross,commission,"
             "net,rules_version,terms_version\r\n"
             "1,2017-01-31,2017-01-31T12:00:00Z,CONFIRM,%s,'@3,10,JPY,12,1,11,1,1\r\n"
             "TOTAL,P1.3-000001,,,,,,10,JPY,12,1,11,,\r\n",
             tail);
    assert_file(world, "2017-01", "pair_bank-a_=shop_2017-01_JPY.csv", expected);
    free(tail);
}

static void roll_ups_list_their_pairs(void **state)
{
    struct world *world = *state;

    world_put_usual(world);
    world_settle(world, "2017-01-31", "2017-01");
    assert_file(world, "2017-01", "operator_demo_2017-01_USD.csv",
                "bank_id,merchant_id,confirmed_count,confirmed_points,reversed_count,reversed_points,currency,gross,"
                "commission,net,entry,refers_to,amount,kept\r\n"
                ",,,,,,USD,,,,OPENING,,0.00,\r\n"
                "bank-a,shop-1,2,1400,1,250,USD,11.50,0.29,11.21,PAIR,,0.29,\r\n"
                "bank-b,shop-2,1,300,0,0,USD,3.33,0.07,3.26,PAIR,,0.07,\r\n"
                ",,,,,,USD,,,,PAYABLE,,-0.36,\r\n"
                "TOTAL,O1-000002,3,1700,1,250,USD,14.83,0.36,14.47,CLOSING,,0.00,0.00\r\n");
    assert_file(world, "2017-01", "bank_bank-a_2017-01_JPY.csv",
                "bank_id,merchant_id,confirmed_count,confirmed_points,reversed_count,reversed_points,currency,gross,"
                "commission,net,entry,refers_to,amount,kept\r\n"
                ",,,,,,JPY,,,,OPENING,,0,\r\n"
                "bank-a,'=shop,1,10,0,0,JPY,12,1,11,PAIR,,-12,\r\n"
                ",,,,,,JPY,,,,PAYABLE,,12,\r\n"
                "TOTAL,B1-000001,1,10,0,0,JPY,12,1,11,CLOSING,,0,0\r\n");
}

static void json_follows_the_proto3_mapping(void **state)
{
    struct world *world = *state;

    world_put_usual(world);
    world_settle(world, "2017-01-31", "2017-01");
    char *text = read_file(world, "2017-01", "pair_bank-a_shop-1_2017-01_USD.json");
    json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(root);
    json_t *statement = json_object_get(root, "statement"), *line = json_array_get(json_object_get(root, "lines"), 2);
    assert_string_equal(json_string_value(json_object_get(statement, "statementId")),
                        "demo/2017-01/PAIR/bank-a/shop-1/USD");
    assert_string_equal(json_string_value(json_object_get(statement, "type")), "STATEMENT_TYPE_PAIR");
    assert_string_equal(json_string_value(json_object_get(statement, "lineCount")), "3");
    assert_string_equal(json_string_value(json_object_get(json_object_get(statement, "totals"), "netMinor")), "1121");
    assert_null(json_object_get(statement, "calculatedTime"));
    assert_string_equal(json_string_value(json_object_get(line, "kind")), "REVERSE");
    assert_string_equal(json_string_value(json_object_get(line, "points")), "-250");
    assert_string_equal(json_string_value(json_object_get(line, "commissionMinor")), "-6");
    assert_int_equal(json_integer_value(json_object_get(line, "termsVersion")), 1);
    line = json_array_get(json_object_get(root, "lines"), 1);
    assert_string_equal(json_string_value(json_object_get(line, "time")), "2017-01-01T12:00:00.500Z");
    json_decref(root);
    free(text);
}

static void the_manifest_names_every_file_and_its_hash(void **state)
{
    struct world *world = *state;
    char command[512];

    world_put_usual(world);
    world_settle(world, "2017-01-31", "2017-01");
    /* 11 statements, three files each, camt.053 but for 3 pairs and points of 3 banks; hashes and sizes are checked by
     * another program */
    snprintf(
        command, sizeof command,
        "cd %s/demo/2017-01 && test -z \"$(find . -name '*.partial')\" && test $(ls | wc -l) = 45 && "
        "python3 -c 'import json, hashlib; m = json.load(open(\"manifest.json\")); assert len(m[\"files\"]) == 44; "
        "[exec(\"raise SystemExit(1)\") for f in m[\"files\"] for b in [open(f[\"name\"], \"rb\").read()] "
        "if hashlib.sha256(b).hexdigest() != f[\"sha256\"] or str(len(b)) != f[\"size\"]]'",
        world->dir);
    assert_int_equal(system(command), 0);
    char *text = world_ask(world, "SELECT encode(content_sha256, 'hex') FROM statement WHERE type = 4 AND "
                                  "currency = 'USD'");
    char *manifest = read_file(world, "2017-01", "manifest.json");
    text[strcspn(text, "\n")] = '\0';
    assert_non_null(strstr(manifest, text));
    free(text);
    free(manifest);
}

static void a_second_run_changes_nothing(void **state)
{
    struct world *world = *state;
    struct error err;

    world_put_usual(world);
    world_settle(world, "2017-01-31", "2017-01");
    char *kept = world_kept(world), *files = world_files(world);
    char *rows = world_ask(world, "SELECT s, s.xmin FROM statement s ORDER BY statement_no");
    char *lines = world_ask(world, "SELECT l, l.xmin FROM statement_chunk l ORDER BY statement_no, first_line");
    assert_int_equal(world_close_period(world, "2017-01", &err), REASON_OK);
    char *kept_again = world_kept(world), *files_again = world_files(world);
    char *rows_again = world_ask(world, "SELECT s, s.xmin FROM statement s ORDER BY statement_no");
    char *lines_again = world_ask(world, "SELECT l, l.xmin FROM statement_chunk l ORDER BY statement_no, first_line");
    assert_string_equal(kept, kept_again);
    assert_string_equal(files, files_again);
    assert_string_equal(rows, rows_again); /* not even written again: calculated_at stays the first */
    assert_string_equal(lines, lines_again);
    char *all[] = { kept, files, rows, lines, kept_again, files_again, rows_again, lines_again };
    for (size_t i = 0; i < COUNT(all); i++)
        free(all[i]);
}

/* Whatever was done to the statements themselves is made good by calculating again. */
static void a_rerun_repairs_stored_statements(void **state)
{
    static const char *const damages[] = {
        "UPDATE statement SET gross_minor = gross_minor + 1, net_minor = net_minor + 1 WHERE type = 1",
        "UPDATE statement_chunk SET keys = set_byte(keys, 25, get_byte(keys, 25) + 1)",
        "DELETE FROM statement_chunk",
        "INSERT INTO statement_chunk SELECT statement_no, 501, 1, convert_to(repeat('x', 30), 'UTF8') FROM statement",
        ("INSERT INTO statement_chunk SELECT statement_no, 1, 1, convert_to(repeat('x', 30), 'UTF8') FROM statement "
         "WHERE type > 1"),
        "DELETE FROM statement WHERE type = 2",
        ("INSERT INTO statement SELECT 1000000, 'demo/2017-01/BANK/x/EUR', 1, '2017-01', 2, 77, 0, 'EUR', 1, 0, 0, 0, "
         "0, 0, 0, 0, 0, content_sha256, now() FROM statement WHERE type = 4 AND currency = 'JPY'"),
    };
    struct world *world = *state;
    struct error err;

    world_put_usual(world);
    world_settle(world, "2017-01-31", "2017-01");
    char *before = world_kept(world);
    for (size_t i = 0; i < COUNT(damages); i++) {
        bool identity = strstr(damages[i], "1000000") != NULL;
        world_do(world, "%s",
                 identity ? "ALTER TABLE statement ALTER statement_no SET GENERATED BY DEFAULT" : "SELECT");
        world_do(world, "%s", damages[i]);
        assert_int_equal(world_close_period(world, "2017-01", &err), REASON_OK);
        char *after = world_kept(world);
        assert_string_equal(before, after);
        free(after);
    }
    free(before);
}

/* The last moment of January in Shanghai is 15:59:59.999999Z; what counts is the business date the fence gave. */
static void the_cut_off_separates_two_months(void **state)
{
    static const struct world_entry entries[] = {
        { 0, 1, 1, "2017-01-31", "2017-01-31 15:59:59.999999Z", 4, 10, 1, 1, 1, NULL, 100, 1 },
        { 0, 1, 2, "2017-02-01", "2017-01-31 16:00:00Z", 4, 20, 1, 1, 1, NULL, 200, 2 },
    };
    struct world *world = *state;
    struct error err;

    world_put(world, entries, COUNT(entries));
    world_settle(world, "2017-01-31", "2017-01");
    world_settle(world, "2017-02-28", "2017-02");
    assert_int_equal(world_close_period(world, "2017-01", &err), REASON_OK);
    assert_asked(world, "2017-01|100|1\n2017-02|200|1\n",
                 "SELECT period, gross_minor, line_count FROM statement WHERE type = 1 ORDER BY 1");
}

static void a_reversal_after_the_close_belongs_to_the_next_month(void **state)
{
    static const struct world_entry late = { 0, 1, 9, "2017-02-01", NULL, 8, 1000, 1, 1, 1, NULL, -1000, -25 };
    struct world *world = *state;
    struct error err;

    world_put_usual(world);
    world_settle(world, "2017-01-31", "2017-01");
    char *january = world_ask(world, "SELECT to_jsonb(s) FROM statement s WHERE period = '2017-01' ORDER BY 1");
    world_put(world, &late, 1);
    assert_int_equal(world_close_period(world, "2017-01", &err), REASON_OK);
    world_settle(world, "2017-02-28", "2017-02");
    assert_asked(world, january, "SELECT to_jsonb(s) FROM statement s WHERE period = '2017-01' ORDER BY 1");
    assert_asked(world, "0|0|1|1000|-1000|-25|-975|1\n",
                 "SELECT confirmed_count, confirmed_points, reversed_count, reversed_points, gross_minor, "
                 "commission_minor, net_minor, line_count FROM statement WHERE period = '2017-02' AND type = 1");
    assert_file(world, "2017-02", "merchant_shop-1_2017-02_USD.csv",
                "bank_id,merchant_id,confirmed_count,confirmed_points,reversed_count,reversed_points,currency,gross,"
                "commission,net,entry,refers_to,amount,kept\r\n"
                ",,,,,,USD,,,,OPENING,,0.00,\r\n"
                "bank-a,shop-1,0,0,1,1000,USD,-10.00,-0.25,-9.75,PAIR,,-9.75,\r\n"
                ",,,,,,USD,,,,PAYABLE,,0.00,\r\n"
                ",,,,,,USD,,,,CARRIED,,,-9.75\r\n"
                "TOTAL,M1-000002,0,0,1,1000,USD,-10.00,-0.25,-9.75,CLOSING,,-9.75,-9.75\r\n");
    free(january);
}

static void an_empty_month_has_the_operators_statement(void **state)
{
    struct world *world = *state;

    world_settle(world, "2017-01-31", "2017-01");
    assert_asked(world, "demo/2017-01/OPERATOR/XXX|0|0|0|0|0|0|0|0\n", totals_sql);
    assert_file(world, "2017-01", "operator_demo_2017-01_XXX.csv",
                "bank_id,merchant_id,confirmed_count,confirmed_points,reversed_count,reversed_points,currency,gross,"
                "commission,net,entry,refers_to,amount,kept\r\n"
                ",,,,,,XXX,,,,OPENING,,0,\r\n"
                ",,,,,,XXX,,,,PAYABLE,,0,\r\n"
                "TOTAL,O1-000001,0,0,0,0,XXX,0,0,0,CLOSING,,0,0\r\n");
}

static void a_missing_day_is_named(void **state)
{
    struct world *world = *state;
    struct error err;

    assert_int_equal(world_close_until(world, "2017-01-30", &err), REASON_OK);
    assert_int_equal(world_close_period(world, "2017-01", &err), REASON_DAY_NOT_SEALED);
    assert_non_null(strstr(err.detail, "2017-01-31 is the first day of 2017-01"));
    world_do(world, "DELETE FROM settlement_step WHERE step = 'DAY' AND business_date IN ('2017-01-07', '2017-01-20')");
    assert_int_equal(world_close_period(world, "2017-01", &err), REASON_DAY_NOT_SEALED);
    assert_non_null(strstr(err.detail, "2017-01-07"));
    assert_int_equal(world_number(world, "SELECT count(*) FROM statement"), 0);
}

static void a_programme_may_begin_within_the_month(void **state)
{
    static const struct world_entry entry = { 0, 1, 1, "2016-02-29", NULL, 4, 5, 1, 1, 1, NULL, 5, 0 };
    struct world *world = *state;
    struct error err;

    world_do(world, "UPDATE fence SET business_date = '2016-02-20'");
    world_put(world, &entry, 1);
    assert_int_equal(world_close_period(world, "2016-01", &err), REASON_FIELD_INVALID);
    assert_non_null(strstr(err.detail, "began on 2016-02-20"));
    assert_int_equal(world_close_period(world, "2016-02", &err), REASON_DAY_NOT_SEALED);
    assert_non_null(strstr(err.detail, "2016-02-20"));
    assert_int_equal(world_close_until(world, "2016-02-28", &err), REASON_OK);
    assert_int_equal(world_close_period(world, "2016-02", &err), REASON_DAY_NOT_SEALED);
    assert_non_null(strstr(err.detail, "2016-02-29"));
    world_settle(world, "2016-02-29", "2016-02");
    assert_int_equal(world_number(world, "SELECT line_count FROM statement WHERE type = 1"), 1);
}

/* Each is a way to damage a sealed January; the close must find it, name it, store nothing and leave no file. */
static const struct {
    const char *damage;
    enum reason reason;
    const char *told;
} damages[] = {
    { "UPDATE journal SET gross_minor = gross_minor + 1 WHERE kind = 4 AND bucket = 1", REASON_PERIOD_CHANGED,
      "bucket 1 of 2017-01-01: the content" },
    { "UPDATE journal SET points = points + 1 WHERE bucket = 3", REASON_PERIOD_CHANGED,
      "bucket 3 of 2017-01-31: the sum of points" },
    { "UPDATE journal SET merchant_no = 2 WHERE kind = 8", REASON_PERIOD_CHANGED, "bucket 0 of 2017-01-31" },
    { "UPDATE journal SET hash = sha256('x') WHERE kind = 2", REASON_PERIOD_CHANGED, "bucket 0 of 2017-01-01" },
    { "DELETE FROM journal WHERE kind = 8", REASON_PERIOD_CHANGED, "bucket 0 of 2017-01-31: the number of entries" },
    { "UPDATE journal SET business_date = '2017-01-15' WHERE bucket = 2", REASON_PERIOD_CHANGED,
      "bucket 2 of 2017-01-01: the number of entries" },
    { "INSERT INTO journal SELECT bucket, member_id, 77, '2017-01-09', at, 4, 1, 0, 0, 0, 0, ref, redemption_id, 1, 1, "
      "1, 1, "
      "1, 1, 'USD', 1, 0, hash FROM journal WHERE bucket = 2",
      REASON_PERIOD_CHANGED, "bucket 2 of 2017-01-09: the number of entries" },
    { "DELETE FROM day_seal WHERE bucket = 1 AND business_date = '2017-01-01'", REASON_PERIOD_CHANGED,
      "bucket 1 of 2017-01-01: the seal" },
    { "DELETE FROM day_seal WHERE business_date = '2017-01-12'", REASON_PERIOD_CHANGED, "of 2017-01-12: the seal" },
    { "UPDATE day_rollup SET gross_minor = gross_minor + 1 WHERE kind = 4 AND bank_no = 2", REASON_DOES_NOT_TIE,
      "gross of PAIR bank-b shop-2 USD: journal lines give 333, daily roll-ups give 334" },
    { "UPDATE day_rollup SET entry_count = 3 WHERE kind = 4 AND merchant_no = 1", REASON_DOES_NOT_TIE,
      "confirmed count of PAIR bank-a shop-1 USD: journal lines give 2, daily roll-ups give 3" },
    { "UPDATE day_rollup SET commission_minor = -7 WHERE kind = 8", REASON_DOES_NOT_TIE,
      "commission of PAIR bank-a shop-1 USD: journal lines give 29, daily roll-ups give 28" },
    { "DELETE FROM day_rollup WHERE bank_no = 2", REASON_DOES_NOT_TIE,
      "lines of PAIR bank-b shop-2 USD: the journal has some" },
    { "UPDATE day_rollup SET merchant_no = 3 WHERE bank_no = 2", REASON_DOES_NOT_TIE,
      "PAIR bank-b =shop USD: journal "
      "lines give 0" },
    { "UPDATE day_rollup SET merchant_no = 99 WHERE bank_no = 2", REASON_DOES_NOT_TIE, "merchant number 99" },
    { "INSERT INTO day_rollup VALUES (1, '2017-01-05', 2, 1, 1, 1, 1, 'EUR', 4, 1, 5, 6, 0)", REASON_DOES_NOT_TIE,
      "PAIR bank-b shop-1 EUR: journal lines give 0, daily roll-ups give 1" },
};

static void damage_is_found_and_named(void **state)
{
    struct world *world = *state;
    struct error err;

    world_put_usual(world);
    assert_int_equal(world_close_until(world, "2017-01-31", &err), REASON_OK);
    world_do(world, "CREATE TABLE j AS SELECT * FROM journal; CREATE TABLE s AS SELECT * FROM day_seal; "
                    "CREATE TABLE r AS SELECT * FROM day_rollup");
    for (size_t i = 0; i < COUNT(damages); i++) {
        world_do(world, "TRUNCATE journal, day_seal, day_rollup; INSERT INTO journal SELECT * FROM j; "
                        "INSERT INTO day_seal SELECT * FROM s; INSERT INTO day_rollup SELECT * FROM r");
        world_do(world, "%s", damages[i].damage);
        enum reason reason = world_close_period(world, "2017-01", &err);
        if (reason != damages[i].reason || !strstr(err.detail, damages[i].told))
            fail_msg("%s\n%s: %s", damages[i].damage, reason_name(reason), err.detail);
        assert_int_equal(world_number(world, "SELECT count(*) FROM statement"), 0);
        char *files = world_files(world);
        assert_string_equal(files, "");
        free(files);
    }
}

/* What was published before a failed close stays as it was, manifest and all. */
static void a_failed_close_leaves_the_old_files(void **state)
{
    struct world *world = *state;
    struct error err;

    world_put_usual(world);
    world_settle(world, "2017-01-31", "2017-01");
    char *before = world_files(world);
    world_do(world, "UPDATE day_rollup SET gross_minor = gross_minor + 1 WHERE kind = 4 AND bank_no = 2");
    assert_int_equal(world_close_period(world, "2017-01", &err), REASON_DOES_NOT_TIE);
    char *after = world_files(world);
    assert_string_equal(before, after);
    free(before);
    free(after);
}

static void a_directory_that_cannot_be_made_is_said(void **state)
{
    struct world *world = *state;
    struct error err;
    char dir[sizeof world->dir];

    assert_int_equal(world_close_until(world, "2017-01-31", &err), REASON_OK);
    memcpy(dir, world->dir, sizeof dir);
    snprintf(world->dir, sizeof world->dir, "/dev/null/x");
    assert_int_equal(world_close_period(world, "2017-01", &err), REASON_SETTING_INVALID);
    assert_non_null(strstr(err.detail, "/dev/null"));
    memcpy(world->dir, dir, sizeof dir);
    assert_int_equal(world_number(world, "SELECT count(*) FROM statement"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_months_statements_tie, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_pairs_csv_is_as_agreed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(roll_ups_list_their_pairs, set_up, tear_down),
        cmocka_unit_test_setup_teardown(json_follows_the_proto3_mapping, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_manifest_names_every_file_and_its_hash, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_second_run_changes_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_rerun_repairs_stored_statements, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_cut_off_separates_two_months, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_reversal_after_the_close_belongs_to_the_next_month, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_empty_month_has_the_operators_statement, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_missing_day_is_named, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_programme_may_begin_within_the_month, set_up, tear_down),
        cmocka_unit_test_setup_teardown(damage_is_found_and_named, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_failed_close_leaves_the_old_files, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_directory_that_cannot_be_made_is_said, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
