/* A bank's rules typed at the command line: the example document from draft to force, and what is wrong with others. */
#include "house.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

enum { LINE = 2048, PRINTED = 32768 };
enum { OUTCOME_DONE = 0, OUTCOME_FAILED = 1, OUTCOME_USAGE = 2 }; /* of ops/cli/command.h */

#define BANK    "bank/bank-a"
#define ANN     "bank/bank-a/person/ann"
#define BEN     "bank/bank-a/person/ben"
#define OLGA    "operator/olga"
#define EXAMPLE SOURCE_DIR "/ops/examples/rule-set.json"

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

/* Types the line, which must end so. */
__attribute__((format(printf, 3, 4))) static void type(int outcome, const char *party, const char *format, ...)
{
    char line[LINE];
    va_list args;

    int n = snprintf(line, sizeof line, "alliance ");
    va_start(args, format);
    vsnprintf(line + n, sizeof line - (size_t)n, format, args);
    va_end(args);
    int ended = house_type(house, party, line, printed, sizeof printed);
    if (ended != outcome)
        fail_msg("%s\nended with %d and said\n%s", line, ended, printed);
}

/* Standard output alone, into a file of the house. */
static void type_into(const char *name, const char *line)
{
    struct pki_files files = pki_issue(house->dir, "alliance://" BANK);
    char whole[LINE];

    int n = snprintf(whole, sizeof whole,
                     BINARY_DIR "/bin/alliance %s --server %s --ca %s --cert %s --key %s >%s/%s 2>/dev/null", line,
                     house->target, files.ca, files.cert, files.key, house->dir, name);
    assert_in_range(n, 1, sizeof whole - 1);
    int status = system(whole);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void says(const char *text)
{
    if (!strstr(printed, text))
        fail_msg("%s\nis not in\n%s", text, printed);
}

/* The example with one text in it replaced, as a file of the house. */
static void write_changed(const char *name, const char *from, const char *to)
{
    char path[120], text[8192];

    FILE *file = fopen(EXAMPLE, "r");
    assert_non_null(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    char *at = strstr(text, from);
    assert_non_null(at);
    snprintf(path, sizeof path, "%s/%s", house->dir, name);
    file = fopen(path, "w");
    assert_non_null(file);
    fprintf(file, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
    assert_int_equal(fclose(file), 0);
}

static void the_example_lives(void **state)
{
    (void)state;
    type(OUTCOME_DONE, ANN, "rules draft %s", EXAMPLE);
    says("DRAFT");
    type(OUTCOME_FAILED, BEN, "rules approve 1");
    says("validate it first");
    type(OUTCOME_DONE, ANN, "rules validate 1");
    says("rule set 1: VALIDATED, nothing is wrong with it");
    type(OUTCOME_FAILED, ANN, "rules approve 1");
    says("SECOND_PERSON_NEEDED");
    type(OUTCOME_DONE, BEN, "rules approve 1");
    type(OUTCOME_USAGE, BANK, "rules schedule 1 tomorrow");
    type(OUTCOME_FAILED, BANK, "rules schedule 1 2026-01-15T12:30:00Z");
    says("EFFECTIVE_TOO_EARLY");
    type(OUTCOME_DONE, BANK, "rules schedule 1 2026-01-15T13:00:00Z");
    says("SCHEDULED");
    type(OUTCOME_DONE, BANK, "rules list");
    says("SCHEDULED");
    says("ACTIVE");
    house_ask(house, OLGA, "AdvanceTestClock", "{'programmeId': 'demo', 'programmeTime': '2026-01-15T13:00:00Z'}");
    type(OUTCOME_DONE, BANK, "rules show");
    says("rule set 1, version 2: ACTIVE, drafted by ann, approved by ben");
    type(OUTCOME_FAILED, BANK, "rules cancel 1");
    says("it is in force");
    type(OUTCOME_DONE, BANK, "rules list");
    says("SUPERSEDED");
}

static void what_is_shown_can_be_drafted(void **state)
{
    (void)state;
    type(OUTCOME_DONE, ANN, "rules draft %s", EXAMPLE);
    type_into("shown.json", "rules show 1");
    type(OUTCOME_DONE, ANN, "rules draft %s/shown.json", house->dir);
    type(OUTCOME_DONE, BANK, "rules diff 1 2");
    says("they say the same");
    type_into("in-force.json", "rules show v1");
    type(OUTCOME_DONE, ANN, "rules draft %s/in-force.json", house->dir);
    type(OUTCOME_DONE, BANK, "rules diff now 3");
    says("they say the same");
    type(OUTCOME_DONE, BANK, "rules diff 3 1");
    says("accrual_rules[groceries].rate.num");
    type(OUTCOME_DONE, BANK, "rules diff 3 1 --json");
    says("\"path\": \"accrual_rules[groceries].rate.num\"");
    type(OUTCOME_USAGE, BANK, "rules diff 1 version-2");
    type(OUTCOME_FAILED, BANK, "rules show 9");
    says("RULE_SET_NOT_FOUND");
}

/* Drafts the example, approves it, and leaves it at that. */
static void approved(int number)
{
    type(OUTCOME_DONE, ANN, "rules draft %s", EXAMPLE);
    type(OUTCOME_DONE, ANN, "rules validate %d", number);
    type(OUTCOME_DONE, BEN, "rules approve %d", number);
}

static void a_withdrawn_set_is_never_in_force(void **state)
{
    (void)state;
    for (int number = 1; number <= 3; number++)
        approved(number);
    type(OUTCOME_DONE, BANK, "rules schedule 1 2026-01-20T00:00:00Z");
    type(OUTCOME_DONE, BANK, "rules schedule 2 2026-02-01T00:00:00Z");
    type(OUTCOME_DONE, BEN, "rules cancel 2");
    says("CANCELLED");
    says("ben");
    type(OUTCOME_FAILED, BANK, "rules schedule 2 2026-03-01T00:00:00Z");
    says("draft another one");
    type(OUTCOME_FAILED, BANK, "rules schedule 3 2026-01-18T00:00:00Z");
    says("must be later than that of version 2"); /* version 3 was withdrawn */
    type(OUTCOME_DONE, BANK, "rules schedule 3 2026-01-25T00:00:00Z");
    type(OUTCOME_DONE, BANK, "rules list");
    says("CANCELLED");
}

static void a_finding_names_its_place(void **state)
{
    (void)state;
    write_changed("wrong.json", "\"priority\": 50", "\"priority\": 20");
    type(OUTCOME_DONE, ANN, "rules draft %s/wrong.json", house->dir);
    type(OUTCOME_FAILED, ANN, "rules validate 1");
    says("accrual_rules[member-day] and accrual_rules[groceries]: CONFLICT: ");
    says("rule set 1: 1 findings");
    type(OUTCOME_FAILED, ANN, "rules validate 1 --json");
    says("\"path\": \"accrual_rules[member-day]\"");
    write_changed("wide.json", "\"accrualRate\": { \"num\": \"1\", \"den\": \"100\" }",
                  "\"accrualRate\": { \"num\": \"11\", \"den\": \"1\" }");
    type(OUTCOME_DONE, ANN, "rules draft %s/wide.json", house->dir);
    type(OUTCOME_FAILED, ANN, "rules validate 2");
    says("rules.accrual_rate: OVERFLOW: ");
    says("gold");
    write_changed("misspelt.json", "\"earnCaps\"", "\"earnCapz\"");
    type(OUTCOME_FAILED, ANN, "rules draft %s/misspelt.json", house->dir);
    says("earnCapz");
    write_changed("field.json", "\"first\": 5411, \"last\": 5499", "\"first\": 5411, \"last\": 5410");
    type(OUTCOME_FAILED, ANN, "rules draft %s/field.json", house->dir);
    says("document.accrual_rules[2].match.categories[0].last");
}

static void a_simulation_is_explained(void **state)
{
    (void)state;
    type(OUTCOME_DONE, ANN, "rules draft %s", EXAMPLE);
    type(OUTCOME_DONE, BANK,
         "rules simulate spend 88.00 CNY --rule-set 1 --category 5411 --tier 2 --date 2026-01-20 --paid-with-points "
         "8.00");
    says("88.00 CNY earns 240 points under rule set 1:");
    says("1. base of accrual: the amount without the part paid with points: 8800 -> 8000");
    says("2. rate of the rule of the highest priority that matches (groceries): 2/100");
    says("3. multiplier of the tier (gold): 3/2");
    says("4. points earned: 8000 x 6/200 = 240, rounded down");
    says("spendable on 2026-01-27, gone on 2028-02-01");
    type(OUTCOME_DONE, BANK,
         "rules simulate spend 88.00 CNY --rule-set 1 --category 5411 --date 2026-01-18 --earned-today-by-rule 4700 "
         "--earned-today 4700 --earned-this-month 4700 --earned-this-month-by-rule 4700");
    says("earns 300 points");
    says("what is left of the rule's cap of a day (member-day): 440 -> 300");
    type(OUTCOME_DONE, BANK, "rules simulate spend 88.00 CNY --rule-set 1 --category 6011");
    says("88.00 CNY earns nothing, NOTHING_EARNED, under rule set 1:");
    says("the rule excludes it (no-cash-advances)");
    type(OUTCOME_DONE, BANK,
         "rules simulate redemption 88.00 CNY --rule-set 1 --tier 2 --goods-kind PHYSICAL --goods lounge-pass --points "
         "5000");
    says("88.00 CNY costs 5000 points and 29.57 CNY under rule set 1:");
    says("points for the whole price: 8800 x 171/200 = 7524, rounded up");
    says("a whole number of steps: 7524 -> 7530, rounded up");
    says("the bank owes 35.00 CNY");
    type(OUTCOME_DONE, BANK, "rules simulate redemption 88.00 CNY --rule-set 1 --goods lounge-pass");
    says("may not be redeemed, TIER_TOO_LOW");
    type(OUTCOME_DONE, BANK, "rules simulate redemption 88.00 CNY --json");
    says("\"fullPoints\": \"8800\"");
    type(OUTCOME_USAGE, BANK, "rules simulate spend 88.001 CNY");
    type(OUTCOME_USAGE, BANK, "rules simulate redemption 88.00 CNY --goods-kind SOUP");
    type(OUTCOME_FAILED, BANK, "rules simulate spend 88.00 CNY --category 541");
    says("merchant_category_code");
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(the_example_lives),         TEST(what_is_shown_can_be_drafted), TEST(a_withdrawn_set_is_never_in_force),
        TEST(a_finding_names_its_place), TEST(a_simulation_is_explained),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
