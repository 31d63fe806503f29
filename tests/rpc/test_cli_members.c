/* The commands on members, corrections and exposure, typed against the real server: what is printed and what is said.
 */
#include "house.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { LINE = 2048, PRINTED = 8192 };
enum { OUTCOME_DONE = 0, OUTCOME_FAILED = 1, OUTCOME_USAGE = 2 }; /* of ops/cli/command.h */

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

/* In order: each line finds what those before it have left. */
static const struct {
    const char *party, *line, *says;
    int outcome;
} story[] = {
    { "bank/bank-a", "alliance member limit ann 50", "spendable_points  150", OUTCOME_DONE },
    { "bank/bank-a", "alliance member limit ann 500 --until 2026-06-30", "spendable_points  600", OUTCOME_DONE },
    { "bank/bank-a", "alliance member limit ann 9 --from 2026-06-30", "error: FIELD_INVALID", OUTCOME_FAILED },
    { "bank/bank-a", "alliance member limit ann 0 --end-temporary", "spendable_points  150", OUTCOME_DONE },
    { "bank/bank-a", "alliance credit list --min-age 1", "", OUTCOME_DONE },
    { "bank/bank-a", "alliance credit list --min-age -1", "--min-age", OUTCOME_USAGE },
    { "bank/bank-a", "alliance member limit ann many", "POINTS must be a whole number", OUTCOME_USAGE },
    { "bank/bank-a", "alliance member tier ann 2", "status            ACTIVE", OUTCOME_DONE },
    { "bank/bank-a", "alliance member tier ann 101", "TIER must be a whole number from 0 to 100", OUTCOME_USAGE },
    { "bank/bank-a", "alliance member freeze ann", "status            FROZEN", OUTCOME_DONE },
    { "bank/bank-a", "alliance member unfreeze ann", "status            ACTIVE", OUTCOME_DONE },
    { "bank/bank-b", "alliance member freeze ann", "error: MEMBER_NOT_FOUND", OUTCOME_FAILED },
    { "bank/bank-b", "alliance member freeze ann --bank bank-a", "error: NOT_YOURS", OUTCOME_FAILED },
    { "bank/bank-a", "alliance points transfer ann bob 30", "points            30", OUTCOME_DONE },
    { "bank/bank-a", "alliance points transfer ann ann 30", "error: SAME_MEMBER", OUTCOME_FAILED },
    { "bank/bank-a", "alliance points transfer ann bob 0", "POINTS must be a whole number from 1", OUTCOME_USAGE },
    { "bank/bank-a", "alliance accrual clawback ann t-1", "error: ACCRUAL_NOT_FOUND", OUTCOME_FAILED },
    { "bank/bank-a", "alliance accrual mature ann t-1 --points 5", "error: ACCRUAL_NOT_FOUND", OUTCOME_FAILED },
    { "operator/olga", "alliance points adjust ann -20 --bank bank-a --reason-code GIFT_BACK",
      "receipt.spendable_points  100", OUTCOME_DONE },
    { "operator/olga", "alliance points adjust ann 0 --bank bank-a --reason-code GIFT", "POINTS must be a whole number",
      OUTCOME_USAGE },
    { "operator/olga",
      "alliance points adjust bob 20000 --bank bank-a --reason-code GIFT --request-id "
      "00000000-0000-7000-8000-000000000001",
      "error: REQUEST_ID_TIME", OUTCOME_FAILED },
    { "operator/olga",
      "alliance adjustment approve 00000000-0000-7000-8000-000000000001 --bank bank-a --member bob --points -5",
      "error: ADJUSTMENT_NOT_FOUND", OUTCOME_FAILED },
    { "operator/olga", "alliance points reinstate ann 5 2027-01-01 --bank bank-a", "error: BEYOND_EXPIRED",
      OUTCOME_FAILED },
    { "bank/bank-a", "alliance members split ann cid 10 --credit-limit 5 --name Cid", "points            10",
      OUTCOME_DONE },
    { "bank/bank-a", "alliance members show cid --contact", "Cid", OUTCOME_DONE },
    { "bank/bank-a", "alliance members split ann cid 10", "error: MEMBER_EXISTS", OUTCOME_FAILED },
    { "bank/bank-a", "alliance members split ann dot 0 --card-tokens tok-none-1,tok-none-2",
      "error: CARD_NOT_THE_MEMBERS", OUTCOME_FAILED },
    { "bank/bank-a", "alliance members split ann dot -1", "POINTS must be a whole number", OUTCOME_USAGE },
    { "bank/bank-a", "alliance points transfer cid ann 10", "points            10", OUTCOME_DONE },
    { "bank/bank-a", "alliance exposure set 12.34 CNY", "limit    12.34 CNY", OUTCOME_DONE },
    { "bank/bank-a", "alliance exposure show CNY", "used     0.00 CNY", OUTCOME_DONE },
    { "bank/bank-a", "alliance exposure set 0 CNY", "limit    0.00 CNY", OUTCOME_DONE },
    { "bank/bank-a", "alliance exposure set 1.234 CNY", "AMOUNT ", OUTCOME_USAGE },
    { "operator/olga", "alliance exposure settled 1.00 CNY --bank bank-a", "error: BEYOND_EXPOSURE", OUTCOME_FAILED },
    { "bank/bank-a", "alliance exposure warnings", "", OUTCOME_DONE },
    { "bank/bank-a", "alliance credit drawn", "over_limit_points   0", OUTCOME_DONE },
    { "bank/bank-a", "alliance member merge ann bob", "status            CLOSED", OUTCOME_DONE },
    { "bank/bank-a", "alliance member close bob", "points            80", OUTCOME_DONE },
    { "bank/bank-a", "alliance members find --phone 12345 --email a@b", "error: FIELD_INVALID", OUTCOME_FAILED },
    { "bank/bank-a", "alliance members show ann --contact", "facts.tier", OUTCOME_DONE },
    { "bank/bank-a", "alliance members find --card-token tok-none-1", "", OUTCOME_DONE },
    { "bank/bank-a", "alliance members changes ann", "alliance://bank/bank-a", OUTCOME_DONE },
    { "bank/bank-b", "alliance members changes ann --bank bank-a", "error: NOT_YOURS", OUTCOME_FAILED },
    { "bank/bank-a", "alliance members erase ann", "request_id", OUTCOME_DONE },
};

static void each_command_does_what_it_says(void **state)
{
    struct house *house = *state;
    char printed[PRINTED];

    house_member(house, "ann", 100);
    house_member(house, "bob", 0);
    for (size_t i = 0; i < COUNT(story); i++) {
        int outcome = house_type(house, story[i].party, story[i].line, printed, sizeof printed);
        if (outcome != story[i].outcome || !strstr(printed, story[i].says))
            fail_msg("%s\nended with %d and said\n%s", story[i].line, outcome, printed);
    }
}

static void a_file_says_who_pays(void **state)
{
    struct house *house = *state;
    char path[100], line[LINE], printed[PRINTED];

    house_member(house, "ann", 0);
    snprintf(path, sizeof path, "%s/funding.json", house->dir);
    FILE *file = fopen(path, "w");
    fputs("{\"fundingId\": \"spring\", \"shares\": [{\"funder\": \"FUNDER_OPERATOR\", \"shareBp\": 10000}], "
          "\"costRate\": "
          "{\"num\": 1, \"den\": 1}, \"currencyCode\": \"CNY\"}",
          file);
    fclose(file);
    snprintf(line, sizeof line, "alliance funding register %s", path);
    assert_int_equal(house_type(house, "bank/bank-a", line, printed, sizeof printed), OUTCOME_DONE);
    assert_non_null(strstr(printed, "spring"));
    snprintf(path, sizeof path, "%s/spend.csv", house->dir);
    file = fopen(path, "w");
    fputs("transaction_ref,member_ref,currency,amount,transaction_time,funding_id,pending_until\n"
          "t-1,ann,CNY,10.00,2026-01-14T08:00:00Z,spring,\n"
          "t-2,ann,CNY,10.00,2026-01-14T08:00:00Z,,2026-02-01\n"
          "t-3,ann,CNY,10.00,2026-01-14T08:00:00Z,spring,event\n",
          file);
    fclose(file);
    snprintf(line, sizeof line, "alliance accruals push %s", path);
    assert_int_equal(house_type(house, "bank/bank-a", line, printed, sizeof printed), OUTCOME_DONE);
    house_expect(house_ask(house, "bank/bank-a", "GetBalance", "{'bankId': 'bank-a', 'memberRef': 'ann'}"),
                 "{'availablePoints': '100', 'pendingPoints': '200', 'lots': [{'fundingId': 'spring'}], 'pendingLots': "
                 "[{'maturesOn': '2026-02-01', 'fundingId': ''}, {'maturesOn': '', 'fundingId': 'spring'}]}");
    assert_int_equal(
        house_type(house, "bank/bank-a", "alliance accrual mature ann t-3 --points 40", printed, sizeof printed),
        OUTCOME_DONE);
    assert_non_null(strstr(printed, "points            40"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_command_does_what_it_says, setup, teardown),
        cmocka_unit_test_setup_teardown(a_file_says_who_pays, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
