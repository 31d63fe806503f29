/* Contested lines: each party in its turn, the amounts, what is kept of the merchant's money, and the correction. */
#include "house.h"

#include "store/dispute_store.h"
#include "store/statement_answer_store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define BANK "bank/bank-a"
#define SHOP "merchant/shop-1"
#define OLGA "operator/olga"
#define OTTO "operator/otto"
#define PAIR "demo/2026-01/PAIR/bank-a/shop-1/CNY"

/* One confirmation of 2.10, and two reversals of 0.70; the merchant is to be paid 0.99. */
static const char statements[] =
    "INSERT INTO settlement_period (programme_no, period, first_day, last_day, maker, manifest_sha256, "
    "statement_count, calculated_at) VALUES (1, '2026-01', '2026-01-01', '2026-01-31', 'olga', sha256('x'), 3, "
    "'2026-02-02');"
    "INSERT INTO statement (statement_id, programme_no, period, type, bank_no, merchant_no, currency, confirmed_count, "
    "confirmed_points, reversed_count, reversed_points, gross_minor, commission_minor, net_minor, line_count, "
    "content_sha256, calculated_at, first_day, last_day) SELECT 'demo/2026-01/' || k.name, 1, '2026-01', k.type, "
    "k.bank, k.merchant, 'CNY', 1, 300, 2, 200, 100, 1, 99, k.lines, sha256('x'), '2026-03-01', '2026-01-01', "
    "'2026-01-31' FROM (VALUES ('PAIR/bank-a/shop-1/CNY', 1, 1, 1, 3), ('BANK/bank-a/CNY', 2, 1, 0, 2), "
    "('MERCHANT/shop-1/CNY', 3, 0, 1, 2)) k (name, type, bank, merchant, lines);"
    "INSERT INTO statement_position SELECT statement_no, 0, 99, 99, 0, 0, 0, 0, '2026-02-15' FROM statement WHERE type "
    "= 3;"
    "INSERT INTO statement_number VALUES ('P1.1', 1, '" PAIR "', 1, '2026-01', 1);"
    "INSERT INTO statement_chunk SELECT s.statement_no, 1, count(*), string_agg(int2send(j.bucket::int2) || "
    "uuid_send(j.member_id) || int8send(j.seq) || int4send(j.business_date - '1970-01-01'::date), ''::bytea "
    "ORDER BY j.seq) FROM journal j, statement s WHERE j.kind IN (4, 8) AND s.type = 1 GROUP BY 1";
static const char issued[] = "UPDATE settlement_period SET state = 3, approver = 'otto', signature_sha256 = "
                             "sha256('s'), issued_on = '2026-01-15'";

static int setup(void **state)
{
    struct house *house = house_open();

    *state = house;
    house_found(house);
    house_member(house, "ann", 1000);
    const char *redemption = house_text(house_ask(house, SHOP, "HoldRedemption",
                                                  "{'requestId': '%s', 'merchantId': 'shop-1', 'storeId': 's-2', "
                                                  "'bankId': 'bank-a', 'memberRef': 'ann', 'points': 300}",
                                                  house_id()),
                                        "redemptionId");
    house_ask(house, SHOP, "ConfirmRedemption", "{'requestId': '%s', 'redemptionId': '%s'}", house_id(), redemption);
    for (int i = 0; i < 2; i++)
        house_ask(house, SHOP, "ReverseRedemption", "{'requestId': '%s', 'redemptionId': '%s', 'points': 100}",
                  house_id(), redemption);
    house_sql(house, statements);
    return 0;
}

static int teardown(void **state)
{
    house_close(*state);
    return 0;
}

#define CONTEST                                                                                                        \
    "{'requestId': '%s', 'statementId': '" PAIR                                                                        \
    "', 'lineNumber': '%d', 'amountMinor': '%d', 'reasonCode': 'TWICE', 'evidence': 'the till rang twice'}"
#define STEP   "{'disputeNumber': '%s', 'step': 'DISPUTE_STEP_%s', 'amountMinor': '%d', 'note': 'so it is'}"
#define NUMBER "{'disputeNumber': '%s'}"

static const char *contest(struct house *house, const char *party, int line, int amount)
{
    return house_text(house_ask(house, party, "DisputeStatement", CONTEST, house_id(), line, amount), "disputeNumber");
}

static int64_t count(struct house *house, const char *sql)
{
    return house_count(house, sql);
}

static const char held[] = "SELECT COALESCE(sum(amount_minor), 0)::int8 FROM settlement_hold WHERE kind = 2 AND "
                           "release_on = '9999-12-31'";
static const char disputed[] = "SELECT count(*) FROM statement WHERE state = 5";

static void only_what_was_issued_and_not_agreed_to_by_whom_it_concerns(void **state)
{
    struct house *house = *state;
    const char *id = house_id();

    house_refused(house, BANK, "DisputeStatement", REASON_STATEMENT_NOT_ISSUED, "statement_id", CONTEST, id, 1, 5);
    house_sql(house, issued);
    house_refused(house, "bank/bank-b", "DisputeStatement", REASON_STATEMENT_NOT_FOUND, "statement_id", CONTEST, id, 1,
                  5);
    house_refused(house, "merchant/shop-2", "DisputeStatement", REASON_STATEMENT_NOT_FOUND, "statement_id", CONTEST, id,
                  1, 5);
    house_refused(house, OLGA, "DisputeStatement", REASON_ROLE_NOT_ALLOWED, NULL, CONTEST, id, 1, 5);
    house_refused(house, BANK, "DisputeStatement", REASON_STATEMENT_LINE_NOT_FOUND, "line_number", CONTEST, id, 4, 5);
    house_refused(house, BANK, "DisputeStatement", REASON_FIELD_INVALID, "line_number", CONTEST, id, 0, 5);
    house_refused(house, BANK, "DisputeStatement", REASON_FIELD_INVALID, "amount_minor", CONTEST, id, 1, 0);
    house_refused(house, BANK, "DisputeStatement", REASON_BEYOND_LINE, "amount_minor", CONTEST, id, 1, 211);
    house_refused(house, BANK, "DisputeStatement", REASON_FIELD_INVALID, "line_number", CONTEST, id, 2, 70);
    assert_int_equal(count(house, "SELECT count(*) FROM dispute"), 0);
    house_sql(house, "UPDATE statement SET answered_on = '2026-01-15', state = 4 WHERE type = 2");
    house_refused(house, BANK, "DisputeStatement", REASON_STATEMENT_CONFIRMED, "statement_id", CONTEST, id, 1, 5);
    house_sql(house, "UPDATE statement SET answered_on = '1970-01-01', state = 1 WHERE type = 2");
    /* The same request is the same dispute; together never more than the line. */
    json_t *first = house_ask(house, BANK, "DisputeStatement", CONTEST, id, 1, 200);
    house_expect(first,
                 "{'state': 'DISPUTE_STATE_OPEN', 'opener': 'PARTY_BANK', 'openedDate': '2026-01-15', 'expiresDate': "
                 "'2026-01-30', 'withheldMinor': '99', 'heldMinor': '0', 'endedDate': '', 'steps': []}");
    assert_true(json_equal(first, house_ask(house, BANK, "DisputeStatement", CONTEST, id, 1, 200)));
    house_refused(house, BANK, "DisputeStatement", REASON_REQUEST_ID_REUSED, "request_id", CONTEST, id, 1, 199);
    house_refused(house, SHOP, "DisputeStatement", REASON_BEYOND_LINE, "amount_minor", CONTEST, house_id(), 1, 211);
    const char *second = contest(house, SHOP, 1, 10);
    assert_int_equal(count(house, held), 0);
    assert_int_equal(count(house, disputed), 3);
    house_refused(house, "bank/bank-b", "GetDispute", REASON_DISPUTE_NOT_FOUND, "dispute_number", NUMBER, second);
    house_refused(house, "merchant/shop-2", "StepDispute", REASON_DISPUTE_NOT_FOUND, "dispute_number", STEP, second,
                  "AGREE", 10);
    assert_int_equal(json_array_size(json_object_get(
                         house_ask(house, "bank/bank-b", "ListDisputes", "{'programmeId': 'demo'}"), "disputes")),
                     0);
    house_expect(house_ask(house, OLGA, "ListDisputes", "{'programmeId': 'demo', 'pageSize': 1}"),
                 "{'disputes': [{'opener': 'PARTY_MERCHANT', 'withheldMinor': '0', 'heldMinor': '0'}]}");
    house_refused(house, BANK, "ConfirmStatement", REASON_STATEMENT_DISPUTED, "statement_id",
                  "{'statementId': 'demo/2026-01/BANK/bank-a/CNY'}");
}

/* A line is contested up to its amount; what is kept of the merchant's is never more than the pair pays it: 99. */
static void no_more_is_kept_than_the_pair_pays(void **state)
{
    static const char kept[] = "SELECT sum(withheld_minor + held_minor)::int8 FROM dispute WHERE state IN (1, 2, 5)";
    struct house *house = *state;

    house_sql(house, "UPDATE statement_position SET closing_minor = closing_minor + payable_minor - 20, carried_minor "
                     "= carried_minor + payable_minor - 20, payable_minor = 20"); /* the rest is carried */
    house_sql(house, issued);
    const char *first = contest(house, BANK, 1, 60);
    house_expect(house_ask(house, BANK, "GetDispute", NUMBER, first), "{'withheldMinor': '20', 'heldMinor': '40'}");
    const char *second = contest(house, BANK, 1, 140);
    house_expect(house_ask(house, BANK, "GetDispute", NUMBER, second),
                 "{'amountMinor': '140', 'withheldMinor': '0', 'heldMinor': '39'}");
    house_expect(house_ask(house, BANK, "GetDispute", NUMBER, contest(house, BANK, 1, 5)),
                 "{'amountMinor': '5', 'withheldMinor': '0', 'heldMinor': '0'}");
    assert_int_equal(count(house, kept), 99);
    assert_int_equal(count(house, held), 79);
    house_ask(house, SHOP, "StepDispute", STEP, first, "ANSWER", 30);
    house_ask(house, BANK, "StepDispute", STEP, first, "AGREE", 30);
    house_ask(house, BANK, "StepDispute", STEP, second, "REJECT", 0);
    assert_int_equal(count(house, held), 0);
    house_expect(house_ask(house, BANK, "GetDispute", NUMBER, contest(house, BANK, 1, 100)),
                 "{'withheldMinor': '0', 'heldMinor': '69'}"); /* 30 of the 99 are the bank's again */
    assert_int_equal(count(house, held), 69);
}

static void each_side_has_its_own_room_and_its_days(void **state)
{
    struct house *house = *state;

    house_sql(house, issued);
    /* The shop contests its own good line for all of it: the bank is not kept out. */
    contest(house, SHOP, 1, 210);
    for (int i = 0; i < 8; i++)
        contest(house, BANK, 1, 1);
    house_refused(house, BANK, "DisputeStatement", REASON_TOO_MANY_DISPUTES, "line_number", CONTEST, house_id(), 1, 1);
    json_t *page = house_ask(house, BANK, "ListDisputes", "{'programmeId': 'demo', 'pageSize': 5}");
    assert_int_equal(json_array_size(json_object_get(page, "disputes")), 5);
    house_expect(house_ask(house, BANK, "ListDisputes", "{'programmeId': 'demo', 'pageSize': 5, 'pageToken': '%s'}",
                           house_text(page, "nextPageToken")),
                 "{'disputes': [{'opener': 'PARTY_BANK'}, {'opener': 'PARTY_BANK'}, {'opener': 'PARTY_BANK'}, "
                 "{'opener': 'PARTY_MERCHANT'}], 'nextPageToken': ''}");
    /* What was paid is contested, and cannot be agreed to; nor does another's dispute keep the door open for ever. */
    house_sql(house, "UPDATE statement SET state = 6 WHERE type = 2");
    house_refused(house, BANK, "ConfirmStatement", REASON_STATEMENT_DISPUTED, "statement_id",
                  "{'statementId': 'demo/2026-01/BANK/bank-a/CNY'}");
    house_sql(house, "UPDATE dispute SET state = 4, ended_on = '2026-01-16' WHERE opener = 1; UPDATE fence SET "
                     "business_date = (SELECT issued_on + 16 FROM settlement_period)");
    house_refused(house, BANK, "DisputeStatement", REASON_STATEMENT_CONFIRMED, "statement_id", CONTEST, house_id(), 1,
                  1);
}

/* The shop contests: the bank's own statement is DISPUTED with it, and no word of the bank's ends that. */
static void a_dispute_stands_on_the_statements_of_both(void **state)
{
    static const char *const bank = "{'statementId': 'demo/2026-01/BANK/bank-a/CNY'}";
    struct statement_silence_params silence = { .programme_no = 1 };
    struct house *house = *state;
    struct error err;

    house_sql(house, issued);
    const char *no = contest(house, SHOP, 2, 70);
    house_expect(house_ask(house, BANK, "GetStatement", bank), "{'state': 'STATEMENT_STATE_DISPUTED'}");
    house_expect(house_ask(house, BANK, "GetStatement", "{'statementId': '" PAIR "'}"),
                 "{'state': 'STATEMENT_STATE_DISPUTED'}");
    house_refused(house, BANK, "ConfirmStatement", REASON_STATEMENT_DISPUTED, "statement_id", bank);
    const char *own = contest(house, BANK, 1, 5); /* but it may contest, too */
    assert_true(date_parse("2026-03-01", &silence.today));
    for (int over = 0; over < 2; over++) { /* nor is its silence agreement, until all are over */
        assert_true(db_execute(house->db, &statement_silence, &silence, NULL, &err));
        assert_int_equal(count(house, "SELECT count(*) FROM statement WHERE answered_on <> '1970-01-01'"), 0);
        house_ask(house, over ? SHOP : BANK, "StepDispute", STEP, over ? no : own, "REJECT", 0);
    }
    house_expect(house_ask(house, BANK, "GetStatement", bank), "{'state': 'STATEMENT_STATE_ISSUED'}");
    house_expect(house_ask(house, BANK, "ConfirmStatement", bank), "{'state': 'STATEMENT_STATE_CONFIRMED'}");
    assert_true(db_execute(house->db, &statement_silence, &silence, NULL, &err));
    assert_int_equal(count(house, "SELECT count(*) FROM statement WHERE answered_on = '2026-03-01' AND type = 3"), 1);
}

/* Offered a part, which the opener takes: once, from the merchant to the bank. */
static void an_offer_is_taken(void **state)
{
    struct house *house = *state;

    house_sql(house, issued);
    const char *no = contest(house, BANK, 1, 200);
    house_refused(house, BANK, "StepDispute", REASON_DISPUTE_TURN, NULL, STEP, no, "ANSWER", 40);
    house_refused(house, OLGA, "StepDispute", REASON_DISPUTE_TURN, NULL, STEP, no, "AGREE", 200);
    house_refused(house, OLGA, "StepDispute", REASON_DISPUTE_STATE, NULL, STEP, no, "DECIDE", 200);
    house_refused(house, SHOP, "StepDispute", REASON_DISPUTE_TURN, NULL, STEP, no, "REJECT", 0);
    house_refused(house, SHOP, "StepDispute", REASON_DISPUTE_TURN, NULL, STEP, no, "ESCALATE", 0);
    house_refused(house, SHOP, "StepDispute", REASON_FIELD_INVALID, "step", STEP, no, "EXPIRE", 0);
    house_refused(house, SHOP, "StepDispute", REASON_APPROVAL_DIFFERS, "amount_minor", STEP, no, "AGREE", 1);
    json_t *answered = house_ask(house, SHOP, "StepDispute", STEP, no, "ANSWER", 40);
    house_expect(answered, "{'state': 'DISPUTE_STATE_ANSWERED', 'offeredMinor': '40', 'steps': [{'step': "
                           "'DISPUTE_STEP_ANSWER', 'amountMinor': '40', 'note': 'so it is', 'businessDate': "
                           "'2026-01-15'}]}");
    assert_true(json_equal(answered, house_ask(house, SHOP, "StepDispute", STEP, no, "ANSWER", 40)));
    house_refused(house, SHOP, "StepDispute", REASON_DISPUTE_STATE, NULL, STEP, no, "ANSWER", 50);
    house_refused(house, BANK, "StepDispute", REASON_APPROVAL_DIFFERS, "amount_minor", STEP, no, "AGREE", 41);
    assert_int_equal(count(house, "SELECT count(*) FROM settlement_correction"), 0);
    json_t *agreed = house_ask(house, BANK, "StepDispute", STEP, no, "AGREE", 40);
    house_expect(agreed, "{'state': 'DISPUTE_STATE_AGREED', 'agreedMinor': '40', 'endedDate': '2026-01-15'}");
    assert_true(json_equal(agreed, house_ask(house, BANK, "StepDispute", STEP, no, "AGREE", 40)));
    house_refused(house, SHOP, "StepDispute", REASON_DISPUTE_STATE, NULL, STEP, no, "AGREE", 200);
    assert_int_equal(count(house, "SELECT count(*) FROM settlement_correction WHERE state = 2 AND from_party = 2 AND "
                                  "to_party = 1 AND amount_minor = 40 AND refers_to = 'P1.1-000001 line 1' AND maker "
                                  "LIKE '%shop-1' AND approver LIKE '%bank-a'"),
                     1);
    assert_int_equal(count(house, "SELECT count(*) FROM settlement_correction"), 1);
    assert_int_equal(count(house, held), 0);
    assert_int_equal(count(house, disputed), 0);
    /* What was got counts; the rest of the line may be contested yet. */
    house_refused(house, BANK, "DisputeStatement", REASON_BEYOND_LINE, "amount_minor", CONTEST, house_id(), 1, 171);
    contest(house, BANK, 1, 170);
}

/* A merchant's claim against a reversal: nothing of the merchant's is kept; the bank grants all. */
static void all_is_granted_or_the_claim_falls(void **state)
{
    struct house *house = *state;

    house_sql(house, issued);
    const char *no = contest(house, SHOP, 2, 70), *other = contest(house, SHOP, 3, 10);
    assert_int_equal(count(house, held), 0);
    house_expect(house_ask(house, BANK, "StepDispute", STEP, no, "AGREE", 70), "{'agreedMinor': '70'}");
    assert_int_equal(count(house, "SELECT count(*) FROM settlement_correction WHERE from_party = 1 AND to_party = 2"),
                     1);
    assert_int_equal(count(house, disputed), 3);
    house_expect(house_ask(house, SHOP, "StepDispute", STEP, other, "REJECT", 0),
                 "{'state': 'DISPUTE_STATE_REJECTED', 'agreedMinor': '0', 'correctionNumber': '0'}");
    assert_int_equal(count(house, "SELECT count(*) FROM settlement_correction"), 1);
    assert_int_equal(count(house, disputed), 0);
}

static void two_people_of_the_operator_decide(void **state)
{
    struct house *house = *state;
    char line[200], printed[4096];

    house_sql(house, issued);
    const char *no = contest(house, BANK, 1, 200);
    house_ask(house, BANK, "StepDispute", STEP, no, "ESCALATE", 0);
    house_refused(house, SHOP, "StepDispute", REASON_DISPUTE_STATE, NULL, STEP, no, "AGREE", 200);
    house_refused(house, BANK, "StepDispute", REASON_DISPUTE_TURN, NULL, STEP, no, "DECIDE", 200);
    house_ask(house, OLGA, "StepDispute", STEP, no, "DECIDE", 70);
    house_expect(house_ask(house, OLGA, "StepDispute", STEP, no, "DECIDE", 60),
                 "{'state': 'DISPUTE_STATE_ESCALATED', 'offeredMinor': '60', 'agreedMinor': '0'}");
    house_refused(house, OTTO, "StepDispute", REASON_APPROVAL_DIFFERS, "amount_minor", STEP, no, "DECIDE", 70);
    snprintf(line, sizeof line, "alliance dispute decide %s --note so --offer 0.60 --currency CNY", no);
    assert_int_equal(house_type(house, OTTO, line, printed, sizeof printed), 0);
    assert_non_null(strstr(printed, "AGREED"));
    assert_int_equal(count(house, "SELECT count(*) FROM settlement_correction WHERE amount_minor = 60 AND maker LIKE "
                                  "'%olga' AND approver LIKE '%otto'"),
                     1);
    assert_int_equal(count(house, "SELECT count(*) FROM dispute_step"), 4);
    assert_int_equal(house_type(house, BANK, "alliance dispute list demo", printed, sizeof printed), 0);
    assert_non_null(strstr(printed, PAIR));
}

/* Its last day is still its own; an escalated one has no clock. */
static void time_ends_what_nobody_goes_on_with(void **state)
{
    struct house *house = *state;
    struct dispute_expire_params expire = { .programme_no = 1 };
    struct dispute_programme_params programme = { 1 };
    int64_t ended;
    struct error err;

    house_sql(house, "UPDATE statement_position SET closing_minor = closing_minor + payable_minor - 20, carried_minor "
                     "= carried_minor + payable_minor - 20, payable_minor = 20");
    house_sql(house, issued);
    const char *no = contest(house, BANK, 1, 80), *escalated = contest(house, BANK, 1, 10);
    house_ask(house, BANK, "StepDispute", STEP, escalated, "ESCALATE", 0);
    for (int again = 0; again < 3; again++) {
        assert_true(date_parse(again ? "2026-01-31" : "2026-01-30", &expire.today));
        assert_true(db_execute(house->db, &dispute_expire, &expire, &ended, &err));
        assert_true(db_execute(house->db, &dispute_release_expired, &expire, NULL, &err));
        assert_true(db_execute(house->db, &dispute_unmark_statements, &programme, NULL, &err));
        assert_int_equal(ended, again == 1 ? 1 : 0);
        assert_int_equal(count(house, held), again ? 10 : 70);
    }
    house_expect(house_ask(house, SHOP, "GetDispute", NUMBER, no),
                 "{'state': 'DISPUTE_STATE_EXPIRED', 'endedDate': '2026-01-31', 'steps': [{'step': "
                 "'DISPUTE_STEP_EXPIRE', 'doneBy': ''}]}");
    house_refused(house, SHOP, "StepDispute", REASON_DISPUTE_STATE, NULL, STEP, no, "AGREE", 80);
    assert_int_equal(count(house, disputed), 3);
}

/* As `alliance-settle breaks dispute` opens it: the break of a reconciliation ends as its dispute does. */
static void a_break_ends_with_its_dispute(void **state)
{
    struct house *house = *state;

    house_sql(house, issued);
    const char *agreed = contest(house, BANK, 1, 100), *rejected = contest(house, BANK, 1, 50);
    house_sql(house, "INSERT INTO recon_run (programme_no, party_type, party_no, period, first_date, last_date, "
                     "file_name, file_sha256, settings, our_counts, their_counts) VALUES (1, 1, 1, '2026-01', "
                     "'2026-01-01', '2026-01-31', 'a.csv', '', '', '{}', '{}');"
                     "UPDATE dispute SET break_no = dispute_no;"
                     "INSERT INTO recon_break (programme_no, party_type, party_no, period, period_end, fingerprint, "
                     "run_no, last_run_no, class, state, key, redemption_id, hash16, ref, bank_no, merchant_no, "
                     "our_date, our_state, our_minor, our_points, our_currency, their_date, their_state, their_minor, "
                     "their_points, their_currency, their_line, dispute_no) SELECT 1, 1, 1, '2026-01', '2026-01-31', "
                     "sha256(int8send(dispute_no)), 1, 1, 4, 7, '', gen_random_uuid(), 0, gen_random_uuid(), 1, 1, "
                     "'2026-01-15', 1, 1, 1, 'CNY', '2026-01-15', 1, 2, 1, 'CNY', 1, dispute_no FROM dispute");
    house_expect(house_ask(house, SHOP, "StepDispute", STEP, agreed, "AGREE", 100), "{'breakNumber': '1'}");
    assert_int_equal(count(house,
                           "SELECT count(*) FROM recon_break b JOIN dispute d USING (break_no) WHERE b.state = 4 "
                           "AND b.correction_no = d.correction_no AND d.correction_no > 0"),
                     1);
    assert_int_equal(count(house, "SELECT state FROM recon_break WHERE break_no = 2"), 7);
    house_ask(house, BANK, "StepDispute", STEP, rejected, "REJECT", 0);
    assert_int_equal(count(house, "SELECT state FROM recon_break WHERE break_no = 2"), 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(only_what_was_issued_and_not_agreed_to_by_whom_it_concerns, setup, teardown),
        cmocka_unit_test_setup_teardown(no_more_is_kept_than_the_pair_pays, setup, teardown),
        cmocka_unit_test_setup_teardown(each_side_has_its_own_room_and_its_days, setup, teardown),
        cmocka_unit_test_setup_teardown(a_dispute_stands_on_the_statements_of_both, setup, teardown),
        cmocka_unit_test_setup_teardown(an_offer_is_taken, setup, teardown),
        cmocka_unit_test_setup_teardown(all_is_granted_or_the_claim_falls, setup, teardown),
        cmocka_unit_test_setup_teardown(two_people_of_the_operator_decide, setup, teardown),
        cmocka_unit_test_setup_teardown(time_ends_what_nobody_goes_on_with, setup, teardown),
        cmocka_unit_test_setup_teardown(a_break_ends_with_its_dispute, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
