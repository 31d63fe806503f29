/* 17 months of card spend of 200 members, and on many days the tier each must
 * have: tests/rules/tier_year.py says so.
 */
#include "house.h"

#include "engine/sweeper.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define BANK "bank/bank-a"

enum { LINE = 512, MEMBERS = 200 };

static int setup(void **state)
{
    struct house *house = house_open();
    char ref[16];

    *state = house;
    house_found(house);
    for (int i = 0; i < MEMBERS; i++) {
        snprintf(ref, sizeof ref, "m-%03d", i);
        house_member(house, ref, 0);
    }
    return 0;
}

static int teardown(void **state)
{
    house_close(*state);
    return 0;
}

static void publish(struct house *house, const json_t *line)
{
    int number = (int)json_integer_value(json_object_get(line, "number"));
    char *document = json_dumps(json_object_get(line, "rules"), 0);

    for (char *at = document; *at; at++)
        *at = *at == '"' ? '\'' : *at;
    house_ask(house, BANK "/person/ann", "DraftRuleSet", "{'requestId': '%s', 'bankId': 'bank-a', 'document': %s}",
              house_id(), document);
    free(document);
    house_expect(house_ask(house, BANK, "ValidateRuleSet", "{'bankId': 'bank-a', 'number': %d}", number),
                 "{'findings': []}");
    house_ask(house, BANK "/person/ben", "ApproveRuleSet", "{'bankId': 'bank-a', 'number': %d}", number);
    house_ask(house, BANK, "ScheduleRuleSet", "{'bankId': 'bank-a', 'number': %d, 'effectiveFrom': '%s'}", number,
              house_text(line, "start"));
}

static void begin_day(struct house *house, const char *date)
{
    char sql[LINE];

    house_ask(house, "operator/olga", "AdvanceTestClock", "{'programmeId': 'demo', 'programmeTime': '%sT14:00:00Z'}",
              date);
    snprintf(sql, sizeof sql, "UPDATE fence SET business_date = '%s'", date);
    house_sql(house, sql);
}

static void sweep(struct house *house)
{
    struct sweep_done done;
    struct error err = { 0 };

    for (int32_t bucket = 0; bucket < TEST_BUCKETS; bucket++) {
        do {
            if (!sweeper_run(house->db, house->office.lanes, bucket, 33, &done, &err))
                fail_msg("%s", error_text(&err));
            assert_int_equal(done.failed, 0);
        } while (done.worked);
    }
}

static void push(struct house *house, const json_t *request)
{
    char *text = json_dumps(request, 0);
    size_t i;
    json_t *verdict;

    for (char *at = text; *at; at++)
        *at = *at == '"' ? '\'' : *at;
    json_t *answer = house_push(house, BANK, "PushAccruals", "%s", text);
    json_array_foreach(json_object_get(answer, "verdicts"), i, verdict)
    {
        if (strcmp(house_text(verdict, "outcome"), "ROW_OUTCOME_CREATED") != 0)
            fail_msg("row %zu of %.400s: %s", i, text, house_text(verdict, "reason"));
    }
    free(text);
}

static void set_tier(struct house *house, const json_t *line)
{
    house_ask(house, BANK, "SetTier", "{'requestId': '%s', 'bankId': 'bank-a', 'memberRef': '%s', 'tier': %d}",
              house_id(), json_string_value(json_array_get(line, 0)), (int)json_integer_value(json_array_get(line, 1)));
}

static void expect(struct house *house, const char *today, json_t *line)
{
    const char *member;
    json_t *should;

    json_object_foreach(line, member, should)
    {
        json_t *is = json_object_get(
            house_ask(house, BANK, "GetMember", "{'bankId': 'bank-a', 'memberRef': '%s'}", member), "tierStanding");
        json_t *next = json_object_get(is, "next");
        char said[LINE], expected[LINE];
        snprintf(said, sizeof said, "%d until '%s', %lld spent", (int)json_integer_value(json_object_get(is, "tier")),
                 house_text(is, "lostOn"), next ? strtoll(house_text(next, "spent.amountMinor"), NULL, 10) : 0);
        snprintf(expected, sizeof expected, "%d until '%s', %lld spent",
                 (int)json_integer_value(json_array_get(should, 0)), json_string_value(json_array_get(should, 1)),
                 (long long)json_integer_value(json_array_get(should, 2)));
        if (strcmp(said, expected) != 0)
            fail_msg("%s: %s has tier %s, and should have %s", today, member, said, expected);
    }
}

static void play(struct house *house, const json_t *line, char today[16])
{
    json_t *part;

    if (json_object_get(line, "rules"))
        publish(house, line);
    else if ((part = json_object_get(line, "day"))) {
        snprintf(today, 16, "%s", json_string_value(part));
        begin_day(house, today);
    } else if (json_object_get(line, "sweep"))
        sweep(house);
    else if ((part = json_object_get(line, "push")))
        push(house, part);
    else if ((part = json_object_get(line, "tier")))
        set_tier(house, part);
    else
        expect(house, today, json_object_get(line, "expect"));
}

/* The account, the log of changes and the journal tell one story in the end. */
static void it_adds_up(struct house *house)
{
    assert_int_equal(house_count(house, "SELECT count(*) FROM account a WHERE tier <> "
                                        "(SELECT (account_after::json ->> "
                                        "'tier')::int FROM member_change c WHERE "
                                        "c.bucket = a.bucket AND c.member_id = "
                                        "a.member_id ORDER BY seq DESC LIMIT 1)"),
                     0);
    assert_int_equal(house_count(house, "SELECT count(*) FROM tier_change t WHERE NOT "
                                        "EXISTS (SELECT FROM journal j "
                                        "WHERE (j.bucket, j.member_id, j.seq, j.kind, "
                                        "j.rules_version) = (t.bucket, "
                                        "t.member_id, t.seq, 1, t.rules_version))"),
                     0);
    for (int i = 0; i < MEMBERS; i++)
        house_expect(house_push(house, "operator/olga", "VerifyLedger",
                                "{'programmeId': 'demo', 'bankId': 'bank-a', 'memberRef': 'm-%03d'}", i),
                     "{'finished': true, 'findingsTotal': '0'}");
    assert_true(house_count(house, "SELECT count(*) FROM tier_change WHERE tier_after < tier_before") > 100);
    assert_true(house_count(house, "SELECT count(*) FROM tier_change WHERE tier_after > tier_before") > 100);
}

static void a_year(struct house *house, int seed)
{
    char command[LINE], today[16] = "";
    json_t *line;

    snprintf(command, sizeof command, "python3 " SOURCE_DIR "/tests/rules/tier_year.py %s %d", house->dir, seed);
    assert_int_equal(system(command), 0);
    snprintf(command, sizeof command, "%s/script.jsonl", house->dir);
    FILE *script = fopen(command, "r");
    assert_non_null(script);
    while ((line = json_loadf(script, JSON_DISABLE_EOF_CHECK, NULL))) {
        play(house, line, today);
        json_decref(line);
    }
    fclose(script);
    assert_string_equal(today, "2027-06-30");
    it_adds_up(house);
}

static void one_year(void **state)
{
    a_year(*state, 1);
}

static void another_year(void **state)
{
    a_year(*state, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(one_year, setup, teardown),
        cmocka_unit_test_setup_teardown(another_year, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
