/* A past month under a draft: what a naive recomputation says of it, to the point and to the minor unit. */
#include "house.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { LINE = 2048, PRINTED = 65536 };
enum { OUTCOME_DONE = 0, OUTCOME_FAILED = 1, OUTCOME_USAGE = 2 }; /* of ops/cli/command.h */

#define BANK  "bank/bank-a"
#define OTHER "bank/bank-b"
#define OLGA  "operator/olga"

static struct house *house;
static char printed[PRINTED];

static int setup(void **state)
{
    (void)state;
    house = house_open();
    house_found(house);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    house_close(house);
    return 0;
}

__attribute__((format(printf, 2, 3))) static void type(int outcome, const char *format, ...)
{
    char line[LINE];
    va_list args;

    int n = snprintf(line, sizeof line, "alliance ");
    va_start(args, format);
    vsnprintf(line + n, sizeof line - (size_t)n, format, args);
    va_end(args);
    int ended = house_type(house, BANK, line, printed, sizeof printed);
    if (ended != outcome)
        fail_msg("%s\nended with %d and said\n%s", line, ended, printed);
}

static void says(const char *text)
{
    if (!strstr(printed, text))
        fail_msg("%s\nis not in\n%s", text, printed);
}

/* In malloc's memory. */
static char *read_file(const char *name)
{
    char path[120];

    snprintf(path, sizeof path, "%s/%s", house->dir, name);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    size_t size = (size_t)ftell(file);
    rewind(file);
    char *text = malloc(size + 1);
    assert_non_null(text);
    assert_int_equal(fread(text, 1, size, file), size);
    text[size] = '\0';
    fclose(file);
    return text;
}

static void draft(const char *document)
{
    house_ask(house, BANK, "DraftRuleSet", "{'requestId': '%s', 'bankId': 'bank-a', 'document': %s}", house_id(),
              document);
}

/* December as tests/rules/back_test.py has thrown it. */
static void make_world(int seed)
{
    char line[LINE];
    struct error err;

    house_ask(house, BANK, "PublishExchangeRules",
              "{'requestId': '%s', 'rules': {'bankId': 'bank-a', 'effectiveFrom': '2026-03-01T00:00:00Z', 'rates': "
              "[{'currencyCode': 'CNY', 'conversionRate': {'num': '3', 'den': '2'}, 'settlementRate': {'num': '1', "
              "'den': '2'}}], 'expiryMonths': 12, 'accrualRate': {'num': '1', 'den': '10'}}}",
              house_id());
    snprintf(line, sizeof line, "python3 " SOURCE_DIR "/tests/rules/back_test.py %s %d", house->dir, seed);
    assert_int_equal(system(line), 0);
    char *sql = read_file("world.sql");
    assert_true(db_script(house->db, sql, &err));
    free(sql);
    char *ruled = read_file("ruled.json");
    draft(ruled);
    free(ruled);
    house_ask(house, BANK, "ValidateRuleSet", "{'bankId': 'bank-a', 'number': 1}");
    house_ask(house, BANK "/person/ben", "ApproveRuleSet", "{'bankId': 'bank-a', 'number': 1}");
    house_expect(house_ask(house, BANK, "ScheduleRuleSet",
                           "{'bankId': 'bank-a', 'number': 1, 'effectiveFrom': '2026-04-01T00:00:00Z'}"),
                 "{'version': 3}");
}

#define ASK "{'bankId': '%s', 'number': %d, 'month': '%s'}"

static void a_naive_recomputation_says_the_same(void **state)
{
    make_world(*(const int *)*state);
    char *document = read_file("draft.json"), *expected = read_file("expected.json");
    draft(document);
    int64_t rows = house_rows(house);
    house_expect(house_push(house, BANK, "BackTest", ASK, "bank-a", 2, "2025-12"), "%s", expected);
    assert_int_equal(house_rows(house), rows);
    free(document);
    free(expected);
}

static void only_what_is_over_and_ones_own_is_replayed(void **state)
{
    (void)state;
    house_push_refused(house, BANK, "BackTest", REASON_FIELD_INVALID, "month", ASK, "bank-a", 0, "2026-01");
    house_push_refused(house, BANK, "BackTest", REASON_FIELD_INVALID, "month", ASK, "bank-a", 0, "2026-13");
    house_push_refused(house, BANK, "BackTest", REASON_FIELD_INVALID, "month", ASK, "bank-a", 0, "2025-12-01");
    house_push_refused(house, BANK, "BackTest", REASON_RULE_SET_NOT_FOUND, "number", ASK, "bank-a", 1, "2025-12");
    house_push_refused(house, OTHER, "BackTest", REASON_NOT_YOURS, "bank_id", ASK, "bank-a", 0, "2025-12");
    house_push_refused(house, OLGA, "BackTest", REASON_BANK_NOT_FOUND, "bank_id", ASK, "bank-q", 0, "2025-12");
    house_expect(
        house_push(house, OLGA, "BackTest", ASK, "bank-a", 0, "2025-12"),
        "{'entries': '0', 'finished': true, 'version': 1, 'total': {'members': '0'}, 'tiers': [], 'merchants': "
        "[]}");
}

/* Ranges of a few members, one after another, come to the same. */
static void a_large_month_comes_in_pieces(void **state)
{
    (void)state;
    make_world(5);
    house->office.back_test_events = 40;
    char *document = read_file("draft.json"), *expected = read_file("expected.json");
    draft(document);
    house_expect(house_push(house, BANK, "BackTest", ASK, "bank-a", 2, "2025-12"), "{'finished': false, 'number': 0}");
    type(OUTCOME_DONE, "rules back-test --draft 2 --month 2025-12 --json");
    json_t *answer = json_loads(printed, 0, NULL);
    assert_non_null(answer);
    house_expect(answer, "%s", expected);
    json_decref(answer);
    free(document);
    free(expected);
}

/* The days before and after it, and what other banks' members did. */
static void only_the_month_and_the_bank_are_replayed(void **state)
{
    (void)state;
    make_world(6);
    char *document = read_file("draft.json"), *expected = read_file("expected.json");
    draft(document);
    house_sql(house,
              "INSERT INTO accrual SELECT bucket, gen_random_uuid(), member_id, bank_no, 'next', '', 1000, 'CNY', "
              "at, 100, 1, '2026-01-01', at FROM accrual LIMIT 50;"
              "INSERT INTO accrual SELECT bucket, gen_random_uuid(), member_id, bank_no, 'last', '', 1000, 'CNY', "
              "at, 100, 1, '2025-11-30', at FROM accrual LIMIT 50;"
              "INSERT INTO accrual SELECT bucket, gen_random_uuid(), member_id, bank_no + 1, 'other', '', 1000, "
              "'CNY', at, 100, 1, '2025-12-15', at FROM accrual LIMIT 50");
    house_expect(house_push(house, BANK, "BackTest", ASK, "bank-a", 2, "2025-12"), "%s", expected);
    free(document);
    free(expected);
}

/* Two versions decide by now; what was paid in the month is priced by what decided then. */
static void a_month_is_priced_by_the_sets_of_its_time(void **state)
{
    const char *version = "{'requestId': '%s', 'rules': {'bankId': 'bank-a', 'effectiveFrom': '%s', 'rates': "
                          "[{'currencyCode': 'CNY', 'conversionRate': {'num': '9', 'den': '1'}, 'settlementRate': "
                          "{'num': '1', 'den': '2'}}], 'expiryMonths': 12, 'accrualRate': {'num': '1', 'den': '10'}}}";

    (void)state;
    make_world(14);
    char *document = read_file("draft.json"), *expected = read_file("expected.json");
    draft(document);
    house_ask(house, BANK, "PublishExchangeRules", version, house_id(), "2026-05-01T00:00:00Z");
    house_sql(house, "UPDATE exchange_rules SET effective_from = CASE version WHEN 1 THEN '2025-01-01' WHEN 2 THEN "
                     "'2025-11-01' WHEN 3 THEN '2025-11-15' ELSE '2026-01-01' END::timestamptz WHERE bank_no = 1;"
                     "UPDATE rule_set SET effective_from = '2025-11-15' WHERE state = 4");
    house_ask(house, BANK, "PublishExchangeRules", version, house_id(), "2026-06-01T00:00:00Z");
    house_expect(house_push(house, BANK, "BackTest", ASK, "bank-a", 2, "2025-12"), "%s", expected);
    free(document);
    free(expected);
}

/* Each keeps a clerk busy and some memory; those that ended, well or not, are not counted any more. */
static void few_are_done_at_a_time(void **state)
{
    (void)state;
    for (int i = 0; i < 2 * BACK_TESTS_MAX; i++) {
        house_push(house, BANK, "BackTest", ASK, "bank-a", 0, "2025-12");
        house_push_refused(house, BANK, "BackTest", REASON_FIELD_INVALID, "month", ASK, "bank-a", 0, "2025");
    }
    atomic_fetch_add(&house->office.back_tests, BACK_TESTS_MAX);
    house_push_refused(house, BANK, "BackTest", REASON_OVERLOADED, "", ASK, "bank-a", 0, "2025-12");
    atomic_fetch_sub(&house->office.back_tests, 1);
    house_push(house, BANK, "BackTest", ASK, "bank-a", 0, "2025-12");
}

static void what_is_printed_is_read_at_a_glance(void **state)
{
    (void)state;
    make_world(1);
    char *document = read_file("draft.json");
    draft(document);
    free(document);
    type(OUTCOME_DONE, "rules back-test --draft 2 --month 2025-12");
    says("2025-12 under rule set 2, beside what was: ");
    says("members  earned");
    says("tier 2");
    says("shop-2");
    says("CNY     bank owes");
    type(OUTCOME_USAGE, "rules back-test --draft one --month 2025-12");
    type(OUTCOME_USAGE, "rules back-test --draft 1");
    type(OUTCOME_FAILED, "rules back-test --draft 2 --month 2026-01");
    says("month: must be over");
}

int main(void)
{
    static int seeds[] = { 14, 25 };
#define NAIVE(seed) cmocka_unit_test_prestate_setup_teardown(a_naive_recomputation_says_the_same, setup, teardown, seed)
#define TEST(f)     cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        NAIVE(&seeds[0]),
        NAIVE(&seeds[1]),
        TEST(only_what_is_over_and_ones_own_is_replayed),
        TEST(a_large_month_comes_in_pieces),
        TEST(only_the_month_and_the_bank_are_replayed),
        TEST(a_month_is_priced_by_the_sets_of_its_time),
        TEST(few_are_done_at_a_time),
        TEST(what_is_printed_is_read_at_a_glance),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
