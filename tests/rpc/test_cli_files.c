/* A bank's files, typed against the real server: what is read of them, what is refused, and what is there afterwards.
 */
#include "house.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

#include <cmocka.h>

enum { LINE = 2048, PRINTED = 8192 };
enum { OUTCOME_DONE = 0, OUTCOME_REFUSED = 3 }; /* of ops/cli/command.h */

static int setup(void **state)
{
    *state = house_open();
    house_found(*state);
    return 0;
}

static int teardown(void **state)
{
    house_close(*state);
    return 0;
}

static void write_whole(const struct house *house, const char *name, const char *text, char path[100])
{
    snprintf(path, 100, "%s/%s", house->dir, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

/* A card system's own list, in GB18030 and packed, through a mapping, twice; then the rows that were refused. */
static void a_list_of_somebody_elses_making(void **state)
{
    static const char mapping[] =
        "{\"rows\": \"members\", \"separator\": \"|\", \"encoding\": \"GB18030\", \"lines\": \"adjacent\", "
        "\"columns\": {"
        "\"member_ref\": {\"from\": \"no\", \"prefix\": \"hz-\"}, \"name\": {\"from\": \"name\"},"
        "\"credit_limit\": {\"from\": \"limit\", \"money\": {\"points\": 100}, \"combine\": \"sum\"},"
        "\"card_tokens\": {\"from\": \"card\", \"tokenise\": true, \"combine\": \"list\"}}}";
    /* Zhang San, twice, and Li Si. */
    static const char list[] = "no|name|limit|card\n1|\xd5\xc5\xc8\xfd|1.50|4111111111111111\n"
                               "1|\xd5\xc5\xc8\xfd|2|5500000000000004\n2|\xc0\xee\xcb\xc4|ten|340000000000009\n";
    struct house *house = *state;
    char path[100], map[100], key[100], line[LINE], printed[PRINTED];

    write_whole(house, "map.json", mapping, map);
    write_whole(house, "token.key", "5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e\n", key);
    assert_int_equal(chmod(key, 0600), 0);
    snprintf(path, sizeof path, "%s/list.csv.gz", house->dir);
    gzFile packed = gzopen(path, "w");
    assert_int_equal(gzwrite(packed, list, sizeof list - 1), sizeof list - 1);
    assert_int_equal(gzclose(packed), Z_OK);
    snprintf(line, sizeof line, "alliance members push %s --mapping %s --key-file %s", path, map, key);
    assert_int_equal(house_type(house, "bank/bank-a", line, printed, sizeof printed), OUTCOME_REFUSED);
    assert_non_null(strstr(printed, "created 1 changed 0 unchanged 0 refused 1\n"));
    assert_non_null(strstr(printed, ":4: FIELD_INVALID: credit_limit (column 3) must be an amount"));
    assert_int_equal(house_type(house, "bank/bank-a", line, printed, sizeof printed), OUTCOME_REFUSED);
    assert_non_null(strstr(printed, "created 0 changed 0 unchanged 1 refused 1\n"));
    house_expect(house_ask(house, "bank/bank-a", "GetBalance", "{'bankId': 'bank-a', 'memberRef': 'hz-1'}"),
                 "{'creditLimit': '350', 'creditLeft': '350'}");
    /* Corrected as a person would, and sent with the same options. */
    snprintf(line, sizeof line, "sed -i 's/|ten|/|10|/' %s.refused.csv", path);
    assert_int_equal(system(line), 0);
    snprintf(line, sizeof line, "alliance members push %s.refused.csv --mapping %s --key-file %s", path, map, key);
    assert_int_equal(house_type(house, "bank/bank-a", line, printed, sizeof printed), OUTCOME_DONE);
    assert_non_null(strstr(printed, "created 1 changed 0 unchanged 0 refused 0\n"));
    house_expect(house_ask(house, "bank/bank-a", "GetBalance", "{'bankId': 'bank-a', 'memberRef': 'hz-2'}"),
                 "{'creditLimit': '1000'}");
}

/* The night's card spend, with card numbers, before its members' cards are all known; corrected, and all of it again.
 */
static void spend_by_card_numbers(void **state)
{
    static const char map[] = "{\"rows\": \"accruals\", \"columns\": {\"transaction_ref\": {\"from\": \"ref\"}, "
                              "\"card_token\": {\"from\": \"card\", \"tokenise\": true}, \"currency\": {\"constant\": "
                              "\"CNY\"}, \"amount\": {\"from\": \"amount\"}, \"transaction_time\": {\"from\": "
                              "\"time\"}}}";
    static const char members[] = "{\"rows\": \"members\", \"columns\": {\"member_ref\": {\"from\": \"who\"}, "
                                  "\"credit_limit\": {\"constant\": \"0\"}, \"card_tokens\": {\"from\": \"card\", "
                                  "\"tokenise\": true}}}";
    static const char spend[] = "ref,card,amount,time\nt-1,4111111111111111,1.00,2026-01-14T08:00:00Z\n"
                                "t-2,5500000000000004,2.00,2026-01-14T08:00:00Z\n"
                                "t-3,4111111111111111,x,2026-01-14T08:00:00Z\n";
    static const struct {
        const char *line, *says;
        int outcome;
    } story[] = {
        { "alliance members push %1$s/ann.csv --mapping %1$s/members.json --key-file %1$s/token.key",
          "created 1 changed 0 unchanged 0 refused 0\n", OUTCOME_DONE },
        { "alliance accruals push %1$s/spend.csv --mapping %1$s/map.json --key-file %1$s/token.key --refused "
          "%1$s/again.csv",
          "created 1 changed 0 unchanged 0 refused 2\n", OUTCOME_REFUSED },
        { "alliance members push %1$s/bob.csv --mapping %1$s/members.json --key-file %1$s/token.key",
          "created 1 changed 0 unchanged 0 refused 0\n", OUTCOME_DONE },
        { "alliance accruals push %1$s/again.csv --mapping %1$s/map.json --key-file %1$s/token.key",
          "created 2 changed 0 unchanged 0 refused 0\n", OUTCOME_DONE },
        { "alliance accruals push %1$s/again.csv --mapping %1$s/map.json --key-file %1$s/token.key",
          "created 0 changed 0 unchanged 2 refused 0\n", OUTCOME_DONE },
    };
    struct house *house = *state;
    char path[100], line[LINE], printed[PRINTED];

    write_whole(house, "map.json", map, path);
    write_whole(house, "members.json", members, path);
    write_whole(house, "ann.csv", "who,card\nann,4111111111111111\n", path);
    write_whole(house, "bob.csv", "who,card\nbob,5500000000000004\n", path);
    write_whole(house, "spend.csv", spend, path);
    write_whole(house, "token.key", "5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e\n", path);
    assert_int_equal(chmod(path, 0600), 0);
    for (size_t i = 0; i < COUNT(story); i++) {
        snprintf(line, sizeof line, story[i].line, house->dir);
        int outcome = house_type(house, "bank/bank-a", line, printed, sizeof printed);
        if (outcome != story[i].outcome || !strstr(printed, story[i].says))
            fail_msg("%s\nended with %d and said\n%s", line, outcome, printed);
        if (i != 1)
            continue;
        assert_non_null(strstr(printed, "spend.csv:3: CARD_NOT_FOUND"));
        assert_non_null(strstr(printed, "spend.csv:4: FIELD_INVALID: amount (column 3)"));
        snprintf(line, sizeof line,
                 "! grep -q '4111111111111111\\|5500000000000004' %1$s/again.csv && sed -i 's/,x,/,3,/' "
                 "%1$s/again.csv",
                 house->dir);
        assert_int_equal(system(line), 0);
    }
    house_expect(house_ask(house, "bank/bank-a", "GetBalance", "{'bankId': 'bank-a', 'memberRef': 'ann'}"),
                 "{'availablePoints': '40'}");
    house_expect(house_ask(house, "bank/bank-a", "GetBalance", "{'bankId': 'bank-a', 'memberRef': 'bob'}"),
                 "{'availablePoints': '20'}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(spend_by_card_numbers, setup, teardown),
        cmocka_unit_test_setup_teardown(a_list_of_somebody_elses_making, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
