/* Roster batches: staged, compared with their totals, applied as a whole, closed out, gone on with after a crash. */
#include "roster_list.h"

#include "base/limits.h"
#include "engine/lanes.h"
#include "service/roster_work.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ANN     "bank/bank-a/person/ann"
#define BEN     "bank/bank-a/person/ben"
#define MACHINE "bank/bank-a"

typedef Alliance__V1__PushRosterRequest Request;
typedef Alliance__V1__PushRosterResponse Response;

static struct house *house;
static struct roster_work first_server, second_server;

static int setup(void **state)
{
    (void)state;
    house = house_open();
    house_found(house);
    roster_work_init(&first_server, house->office.lanes, house->office.reference, &house->key);
    roster_work_init(&second_server, house->office.lanes, house->office.reference, &house->key);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    house_close(house);
    return 0;
}

/* Streams */

struct push {
    struct client *client;
    struct client_stream *stream;
    struct arena arena;
};

static struct push open_push(const char *party)
{
    struct push push = { 0 };
    struct error err = { 0 };
    char uri[100];

    snprintf(uri, sizeof uri, "alliance://%s", party);
    struct pki_files files = pki_issue(house->dir, uri);
    struct client_options options = {
        .target = house->target, .ca_file = files.ca, .cert_file = files.cert, .key_file = files.key
    };
    assert_true(client_open(&options, &push.client, &err));
    assert_true(client_stream_open(push.client, &alliance__v1__roster_service__descriptor, "PushRoster",
                                   HOUSE_TIMEOUT_MS, &push.stream, &err));
    return push;
}

/* NULL when the stream ends instead of answering. */
static const Response *ask(struct push *push, const Request *request)
{
    ProtobufCMessage *message;

    arena_reset(&push->arena);
    assert_true(client_stream_send(push->stream, &request->base));
    return client_stream_receive(push->stream, &alliance__v1__push_roster_response__descriptor, &push->arena, &message)
               ? (const Response *)message
               : NULL;
}

static void close_push(struct push *push)
{
    struct client_status status;

    client_stream_cancel(push->stream);
    assert_false(client_stream_finish(push->stream, &status));
    client_close(push->client);
    arena_release(&push->arena);
}

static void close_refused(struct push *push, enum reason reason, const char *field)
{
    struct client_status status;

    client_stream_half_close(push->stream);
    assert_false(client_stream_finish(push->stream, &status));
    assert_string_equal(status.reason, reason_name(reason));
    assert_string_equal(status.field, field);
    client_close(push->client);
    arena_release(&push->arena);
}

static const Response *send_header(struct push *push, struct list *list)
{
    Request request = ALLIANCE__V1__PUSH_ROSTER_REQUEST__INIT;
    Alliance__V1__RosterHeader header = ALLIANCE__V1__ROSTER_HEADER__INIT;
    char bank[] = "bank-a", day[] = "2026-01-15";

    header.bank_id = bank;
    header.batch_number = list->batch_number;
    header.business_date = day;
    header.kind = list->kind;
    header.row_count = list->row_count;
    header.credit_limit_total = list->credit_limit_total;
    header.rows_sha256 = (ProtobufCBinaryData){ CRYPTO_HASH, list->hash };
    request.step_case = ALLIANCE__V1__PUSH_ROSTER_REQUEST__STEP_HEADER;
    request.header = &header;
    return ask(push, &request);
}

static const Response *send_rows(struct push *push, struct list *list, size_t from, size_t to)
{
    static Alliance__V1__MemberRow rows[ROWS_MAX + 1], *pointers[ROWS_MAX + 1];
    Request request = ALLIANCE__V1__PUSH_ROSTER_REQUEST__INIT;
    Alliance__V1__RosterRows message = ALLIANCE__V1__ROSTER_ROWS__INIT;

    for (size_t i = from; i < to; i++) {
        Alliance__V1__MemberRow *row = &rows[i - from];
        alliance__v1__member_row__init(row);
        row->row_number = (int64_t)i + 1;
        row->member = &list->members[i];
        pointers[i - from] = row;
    }
    message.rows = pointers;
    message.n_rows = to - from;
    request.step_case = ALLIANCE__V1__PUSH_ROSTER_REQUEST__STEP_ROWS;
    request.rows = &message;
    return ask(push, &request);
}

static const Response *send_step(struct push *push, bool end)
{
    Request request = ALLIANCE__V1__PUSH_ROSTER_REQUEST__INIT;
    Alliance__V1__RosterEnd last = ALLIANCE__V1__ROSTER_END__INIT;
    Alliance__V1__RosterNext next = ALLIANCE__V1__ROSTER_NEXT__INIT;

    request.step_case =
        end ? ALLIANCE__V1__PUSH_ROSTER_REQUEST__STEP_END : ALLIANCE__V1__PUSH_ROSTER_REQUEST__STEP_NEXT;
    if (end)
        request.end = &last;
    else
        request.next = &next;
    return ask(push, &request);
}

static void expect_position(const Response *response, int64_t next_row)
{
    assert_non_null(response);
    assert_int_equal(response->answer_case, ALLIANCE__V1__PUSH_ROSTER_RESPONSE__ANSWER_POSITION);
    assert_int_equal(response->position->next_row, next_row);
}

static void expect_state(const Response *response, Alliance__V1__RosterState state)
{
    assert_non_null(response);
    assert_int_equal(response->answer_case, ALLIANCE__V1__PUSH_ROSTER_RESPONSE__ANSWER_BATCH);
    assert_int_equal(response->batch->state, state);
}

static void send_rest(struct push *push, struct list *list, size_t from)
{
    for (size_t to; from < list->count; from = to) {
        to = from + ROWS_MAX < list->count ? from + ROWS_MAX : list->count;
        expect_position(send_rows(push, list, from, to), (int64_t)to + 1);
    }
}

/* All of it, in one stream. */
static void stage(const char *party, struct list *list)
{
    struct push push = open_push(party);

    expect_position(send_header(&push, list), 1);
    send_rest(&push, list, 0);
    expect_state(send_step(&push, true), ALLIANCE__V1__ROSTER_STATE__ROSTER_STATE_CHECKING);
    close_push(&push);
}

static void work_off(struct roster_work *server)
{
    struct error err = { 0 };
    bool worked = true;

    while (worked) {
        if (!roster_work_run(server, house->db, &worked, &err))
            fail_msg("%s: %s", reason_name(err.reason), error_text(&err));
    }
}

static json_t *batch_of(int64_t number)
{
    return house_ask(house, MACHINE, "GetRosterBatch", "{'bankId': 'bank-a', 'batchNumber': '%d'}", (int)number);
}

/* Tests */

static void a_batch_is_applied_with_a_verdict_a_row(void **state)
{
    CLEANUP(free_list) struct list *list = delta(1);

    (void)state;
    house_member(house, "old", 100);
    add(list, "new", 10);
    add(list, "old", 0);
    add(list, "old-2", 0);
    add(list, "4111111111111111", 5);
    add_up(list);
    house_ask(house, MACHINE, "GetBalance", "{'bankId': 'bank-a', 'memberRef': 'old'}");
    struct push push = open_push(MACHINE);
    expect_position(send_header(&push, list), 1);
    send_rest(&push, list, 0);
    expect_state(send_step(&push, true), ALLIANCE__V1__ROSTER_STATE__ROSTER_STATE_CHECKING);
    assert_int_equal(house_count(house, "SELECT count(*) FROM account WHERE member_ref = 'new'"), 0);
    work_off(&first_server);
    const Response *response = send_step(&push, false);
    assert_non_null(response);
    assert_int_equal(response->answer_case, ALLIANCE__V1__PUSH_ROSTER_RESPONSE__ANSWER_VERDICTS);
    static const Alliance__V1__RowOutcome expected[] = { ALLIANCE__V1__ROW_OUTCOME__ROW_OUTCOME_CREATED,
                                                         ALLIANCE__V1__ROW_OUTCOME__ROW_OUTCOME_UNCHANGED,
                                                         ALLIANCE__V1__ROW_OUTCOME__ROW_OUTCOME_CREATED,
                                                         ALLIANCE__V1__ROW_OUTCOME__ROW_OUTCOME_REFUSED };
    assert_int_equal(response->verdicts->n_verdicts, COUNT(expected));
    for (size_t i = 0; i < COUNT(expected); i++) {
        assert_int_equal(response->verdicts->verdicts[i]->row_number, i + 1);
        assert_int_equal(response->verdicts->verdicts[i]->outcome, expected[i]);
    }
    assert_string_equal(response->verdicts->verdicts[3]->reason, "CARD_NUMBER_REFUSED");
    assert_non_null(strstr(response->verdicts->verdicts[3]->detail, "member.member_ref"));
    expect_state(send_step(&push, false), ALLIANCE__V1__ROSTER_STATE__ROSTER_STATE_APPLIED);
    close_push(&push);
    house_expect(batch_of(1), "{'created': '2', 'changed': '0', 'unchanged': '1', 'refused': '1'}");
    house_expect(house_ask(house, MACHINE, "ListRosterVerdicts",
                           "{'bankId': 'bank-a', 'batchNumber': '1', 'refusedOnly': true}"),
                 "{'verdicts': [{'rowNumber': '4', 'reason': 'CARD_NUMBER_REFUSED'}]}");
    house_expect(house_ask(house, MACHINE, "GetBalance", "{'bankId': 'bank-a', 'memberRef': 'new'}"),
                 "{'creditLimit': '10'}");
    assert_int_equal(house_count(house, "SELECT count(*) FROM member_change WHERE batch_number = 1"), 2);
    assert_int_equal(house_count(house, "SELECT count(*) FROM roster_chunk WHERE rows <> ''"), 0);
}

static void expect_totals_refused(struct list *list, const char *named)
{
    int64_t before = house_count(house, "SELECT count(*) FROM account");

    stage(MACHINE, list);
    work_off(&first_server);
    json_t *batch = batch_of(list->batch_number);
    house_expect(batch, "{'state': 'ROSTER_STATE_REFUSED', 'reason': 'ROSTER_TOTALS', 'appliedRows': '0'}");
    assert_non_null(strstr(house_text(batch, "detail"), named));
    assert_int_equal(house_count(house, "SELECT count(*) FROM account"), before);
    assert_int_equal(house_count(house, "SELECT count(*) FROM roster_chunk"), 0);
}

static void what_does_not_add_up_is_refused_whole_and_its_number_used_again(void **state)
{
    CLEANUP(free_list) struct list *list = delta(1);

    (void)state;
    add_many(list, 1, 3, 5);
    add_up(list);
    list->row_count = 4; /* one lacks: the end comes too early */
    expect_totals_refused(list, "row_count");
    list->row_count = 3;
    list->credit_limit_total++;
    expect_totals_refused(list, "credit_limit_total");
    list->credit_limit_total--;
    list->hash[31] ^= 1;
    expect_totals_refused(list, "rows_sha256");
    list->hash[31] ^= 1;
    stage(MACHINE, list);
    work_off(&first_server);
    house_expect(batch_of(1), "{'state': 'ROSTER_STATE_APPLIED', 'created': '3', 'reason': ''}");
}

static void rows_out_of_order_end_the_stream(void **state)
{
    CLEANUP(free_list) struct list *list = delta(1);

    (void)state;
    add_many(list, 1, 4, 5);
    add_up(list);
    struct push push = open_push(MACHINE);
    expect_position(send_header(&push, list), 1);
    assert_null(send_rows(&push, list, 1, 3));
    close_refused(&push, REASON_FIELD_INVALID, "rows.rows[0].row_number");
    push = open_push(MACHINE);
    assert_null(send_rows(&push, list, 0, 3));
    close_refused(&push, REASON_FIELD_INVALID, "step");
}

static void a_broken_stream_goes_on_where_it_stopped(void **state)
{
    CLEANUP(free_list) struct list *list = delta(1);

    (void)state;
    add_many(list, 1, 1200, 1);
    add_up(list);
    struct push push = open_push(MACHINE);
    expect_position(send_header(&push, list), 1);
    expect_position(send_rows(&push, list, 0, 500), 501);
    close_push(&push);
    work_off(&first_server);
    assert_int_equal(house_count(house, "SELECT count(*) FROM account"), 0);
    push = open_push(MACHINE);
    expect_position(send_header(&push, list), 501);
    send_rest(&push, list, 500);
    close_push(&push); /* the end is lost too */
    push = open_push(MACHINE);
    expect_position(send_header(&push, list), 1201);
    expect_state(send_step(&push, true), ALLIANCE__V1__ROSTER_STATE__ROSTER_STATE_CHECKING);
    work_off(&first_server);
    for (int64_t rows = 0; rows < 1200;) {
        const Response *response = send_step(&push, false);
        assert_non_null(response);
        assert_int_equal(response->answer_case, ALLIANCE__V1__PUSH_ROSTER_RESPONSE__ANSWER_VERDICTS);
        assert_int_equal(response->verdicts->verdicts[0]->row_number, rows + 1);
        rows += (int64_t)response->verdicts->n_verdicts;
    }
    expect_state(send_step(&push, false), ALLIANCE__V1__ROSTER_STATE__ROSTER_STATE_APPLIED);
    close_push(&push);
    house_expect(batch_of(1), "{'created': '1200', 'unchanged': '0'}");
}

/* Who begins anew with other content takes the number over; the first stream can add nothing any more. */
static void two_streams_do_not_stage_one_batch(void **state)
{
    CLEANUP(free_list) struct list *list = delta(1);
    CLEANUP(free_list) struct list *other = delta(1);

    (void)state;
    add_many(list, 1, 4, 5);
    add_up(list);
    add_many(other, 1, 4, 6);
    add_up(other);
    struct push push = open_push(MACHINE), second = open_push(MACHINE);
    expect_position(send_header(&push, list), 1);
    expect_position(send_rows(&push, list, 0, 2), 3);
    expect_position(send_header(&second, other), 1);
    assert_null(send_rows(&push, list, 2, 4));
    close_refused(&push, REASON_TRY_AGAIN, "");
    send_rest(&second, other, 0);
    expect_state(send_step(&second, true), ALLIANCE__V1__ROSTER_STATE__ROSTER_STATE_CHECKING);
    close_push(&second);
    work_off(&first_server);
    house_expect(batch_of(1), "{'state': 'ROSTER_STATE_APPLIED', 'created': '4'}");
}

static void a_batch_again_changes_nothing_and_numbers_have_no_gaps(void **state)
{
    CLEANUP(free_list) struct list *list = delta(1);

    (void)state;
    add_many(list, 1, 3, 5);
    add_up(list);
    stage(MACHINE, list);
    struct push push = open_push(MACHINE);
    list->batch_number = 2;
    assert_null(send_header(&push, list));
    close_refused(&push, REASON_ROSTER_BATCH_OPEN, "header.batch_number");
    work_off(&first_server);
    int64_t rows = house_rows(house);

    push = open_push(MACHINE);
    list->batch_number = 1;
    expect_state(send_header(&push, list), ALLIANCE__V1__ROSTER_STATE__ROSTER_STATE_APPLIED);
    const Response *response = send_step(&push, false);
    assert_int_equal(response->answer_case, ALLIANCE__V1__PUSH_ROSTER_RESPONSE__ANSWER_VERDICTS);
    assert_int_equal(response->verdicts->verdicts[2]->outcome, ALLIANCE__V1__ROW_OUTCOME__ROW_OUTCOME_CREATED);
    close_push(&push);
    work_off(&first_server);
    assert_int_equal(house_rows(house), rows);

    push = open_push(MACHINE);
    list->hash[0] ^= 1;
    assert_null(send_header(&push, list));
    close_refused(&push, REASON_ROSTER_BATCH_REUSED, "header.batch_number");
    list->hash[0] ^= 1;
    push = open_push(MACHINE);
    list->batch_number = 3;
    assert_null(send_header(&push, list));
    close_refused(&push, REASON_ROSTER_BATCH_NUMBER, "header.batch_number");
    list->batch_number = 2; /* the same rows under another number */
    stage(MACHINE, list);
    work_off(&first_server);
    house_expect(batch_of(2), "{'created': '0', 'changed': '0', 'unchanged': '3'}");
    json_t *all = house_ask(house, MACHINE, "ListRosterBatches", "{'bankId': 'bank-a', 'pageSize': 1}");
    house_expect(all, "{'batches': [{'header': {'batchNumber': '2'}}]}");
    house_expect(house_ask(house, MACHINE, "ListRosterBatches",
                           "{'bankId': 'bank-a', 'pageSize': 1, 'pageToken': '%s'}", house_text(all, "nextPageToken")),
                 "{'batches': [{'header': {'batchNumber': '1'}}], 'nextPageToken': ''}");
}

static void rows_that_name_one_member_are_all_refused(void **state)
{
    CLEANUP(free_list) struct list *list = delta(1);

    (void)state;
    add(list, "twin", 1);
    add(list, "single", 1);
    add(list, "twin", 2);
    add(list, "twin", 3);
    add_up(list);
    stage(MACHINE, list);
    work_off(&first_server);
    house_expect(batch_of(1), "{'created': '1', 'refused': '3'}");
    json_t *verdicts = house_ask(house, MACHINE, "ListRosterVerdicts",
                                 "{'bankId': 'bank-a', 'batchNumber': '1', 'refusedOnly': true}");
    assert_string_equal(house_text(verdicts, "verdicts.0.reason"), "ROSTER_TWICE");
    assert_non_null(strstr(house_text(verdicts, "verdicts.0.detail"), "row 4"));
    assert_non_null(strstr(house_text(verdicts, "verdicts.1.detail"), "row 1"));
    assert_non_null(strstr(house_text(verdicts, "verdicts.2.detail"), "row 1"));
    assert_int_equal(house_count(house, "SELECT count(*) FROM account WHERE member_ref = 'twin'"), 0);
}

/* The rows are in the accounts, and the server falls before it can say so. */
static void another_server_goes_on_after_a_crash(void **state)
{
    CLEANUP(free_list) struct list *list = delta(1);
    struct error err = { 0 };
    bool worked;

    (void)state;
    house_member(house, "m-0001", 0);
    house_member(house, "m-0002", 0);
    add(list, "m-0001", 0); /* as it is */
    add_many(list, 2, 1200, 7);
    add_up(list);
    stage(MACHINE, list);
    assert_true(roster_work_run(&first_server, house->db, &worked, &err) && worked);
    house_sql(house, "ALTER TABLE roster_verdict ADD CONSTRAINT fallen CHECK (false) NOT VALID");
    assert_false(roster_work_run(&first_server, house->db, &worked, &err));
    house_sql(house, "ALTER TABLE roster_verdict DROP CONSTRAINT fallen");
    assert_true(house_count(house, "SELECT count(*) FROM account") > 1000);
    assert_int_equal(house_count(house, "SELECT applied_rows FROM roster_batch"), 0);
    /* As long as the lease lasts nobody else touches it. */
    assert_true(roster_work_run(&second_server, house->db, &worked, &err) && !worked);
    assert_int_equal(
        house_count(house,
                    "SELECT count(*) FROM roster_batch WHERE lease_until <= clock_timestamp() + interval '15 s'"),
        1);
    house_sql(house, "UPDATE roster_batch SET lease_until = 'epoch'");
    int64_t entries = house_count(house, "SELECT count(*) FROM journal");
    work_off(&second_server);
    house_expect(batch_of(1), "{'state': 'ROSTER_STATE_APPLIED', 'created': '1198', 'changed': '1', 'unchanged': '1'}");
    assert_int_equal(house_count(house, "SELECT count(*) FROM journal"), entries);
    assert_int_equal(house_count(house, "SELECT count(*) FROM account"), 1200);
    /* The first one has lost it. */
    house_sql(house, "UPDATE roster_batch SET state = 5");
    assert_true(roster_work_run(&first_server, house->db, &worked, &err) && !worked);
}

/* What is so already is found without a lane: here every lane would wait for a member it cannot have. */
static void a_list_that_changes_nothing_waits_for_nobody(void **state)
{
    CLEANUP(free_list) struct list *list = delta(1);
    struct error err = { 0 };
    struct db *holder = NULL;

    (void)state;
    assert_true(db_open(house->conninfo, &first_server.reader, &err));
    add_many(list, 1, 4600, 7); /* five windows: more than there are places for */
    add_up(list);
    stage(MACHINE, list);
    work_off(&first_server);
    house_expect(batch_of(1), "{'state': 'ROSTER_STATE_APPLIED', 'created': '4600'}");
    assert_true(db_open(house->conninfo, &holder, &err));
    assert_true(db_script(holder, "BEGIN; SELECT FROM account FOR UPDATE", &err));
    list->batch_number = 2;
    stage(MACHINE, list);
    work_off(&first_server);
    house_expect(batch_of(2), "{'state': 'ROSTER_STATE_APPLIED', 'changed': '0', 'unchanged': '4600'}");
    db_close(holder);
    db_close(first_server.reader);
    first_server.reader = NULL;
}

/* Others' databases in the same cluster have locks, too. */
#define WAITING                                                                                                        \
    "pg_locks WHERE NOT granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"

static void *first_goes_on(void *reason)
{
    struct error err = { 0 };
    struct db *db = NULL;
    bool worked;

    if (db_open(house->conninfo, &db, &err) && roster_work_run(&first_server, db, &worked, &err))
        err.reason = REASON_OK;
    *(enum reason *)reason = err.reason;
    db_close(db);
    return NULL;
}

/* Its session stands still while it claims cards, and by the time it goes on its lease may be another's. */
static void a_server_that_stood_still_writes_nothing(void **state)
{
    static char token[] = "tok-1111", *tokens[] = { token };
    CLEANUP(free_list) struct list *list = delta(1);
    struct error err = { 0 };
    enum reason reason = REASON_OK;
    pthread_t thread;
    bool worked;

    (void)state;
    Alliance__V1__Member *member = add(list, "ann", 5);
    member->card_tokens = tokens;
    member->n_card_tokens = 1;
    add_up(list);
    stage(MACHINE, list);
    assert_true(roster_work_run(&first_server, house->db, &worked, &err) && worked); /* checked */
    house_sql(house, "BEGIN; LOCK TABLE card IN SHARE ROW EXCLUSIVE MODE");
    assert_int_equal(pthread_create(&thread, NULL, first_goes_on, &reason), 0);
    while (house_count(house, "SELECT count(*) FROM " WAITING) == 0)
        sched_yield();
    first_server.held_until_us = 0; /* the time is over */
    house_sql(house, "COMMIT");
    pthread_join(thread, NULL);
    assert_int_equal(reason, REASON_DEADLINE_PASSED);
    assert_int_equal(house_count(house, "SELECT count(*) FROM account"), 0);
    work_off(&first_server);
    house_expect(batch_of(1), "{'state': 'ROSTER_STATE_APPLIED', 'created': '1'}");
}

/* The same with the lane: its session is cut while it writes, and its second try comes when the lease is another's. */
static void what_a_lane_tries_again_is_still_leased(void **state)
{
    CLEANUP(free_list) struct list *list = delta(1);
    CLEANUP(free_list) struct list *next = delta(2);
    struct error err = { 0 };
    enum reason reason = REASON_OK;
    pthread_t thread;
    bool worked;

    (void)state;
    add(list, "ann", 5);
    add_up(list);
    stage(MACHINE, list);
    work_off(&first_server);
    add(next, "ann", 6);
    add_up(next);
    stage(MACHINE, next);
    assert_true(roster_work_run(&first_server, house->db, &worked, &err) && worked); /* checked */
    house_sql(house, "BEGIN; LOCK TABLE journal IN SHARE MODE");
    assert_int_equal(pthread_create(&thread, NULL, first_goes_on, &reason), 0);
    while (house_count(house, "SELECT count(*) FROM " WAITING) == 0)
        sched_yield();
    first_server.held_until_us = 0; /* the time is over */
    assert_int_equal(house_count(house, "SELECT count(pg_terminate_backend(pid)) FROM " WAITING), 1);
    house_sql(house, "COMMIT");
    pthread_join(thread, NULL);
    assert_int_equal(house_count(house, "SELECT credit_limit FROM account"), 5);
    assert_int_equal(reason, REASON_DEADLINE_PASSED);
    work_off(&first_server);
    house_expect(batch_of(2), "{'state': 'ROSTER_STATE_APPLIED', 'changed': '1'}");
}

/* A turn that ended in good order leaves nothing in doubt, so that the next one need not look for traces. */
static void a_turn_leaves_nothing_in_doubt(void **state)
{
    CLEANUP(free_list) struct list *list = delta(1);

    (void)state;
    add_many(list, 1, 1200, 7);
    add_up(list);
    stage(MACHINE, list);
    work_off(&first_server);
    assert_int_equal(house_count(house, "SELECT begun_rows - applied_rows FROM roster_batch"), 0);
}

/* Whoever stops in good order says so, and nobody waits for what he had leased. */
static void a_server_that_ends_gives_its_batches_back(void **state)
{
    CLEANUP(free_list) struct list *list = delta(1);
    struct error err = { 0 };
    bool worked;

    (void)state;
    add_many(list, 1, 1200, 7);
    add_up(list);
    stage(MACHINE, list);
    assert_true(roster_work_run(&first_server, house->db, &worked, &err) && worked);
    assert_true(roster_work_run(&second_server, house->db, &worked, &err) && !worked);
    assert_true(roster_work_end(&second_server, house->db, &err)); /* it had none */
    assert_true(roster_work_run(&second_server, house->db, &worked, &err) && !worked);
    assert_true(roster_work_end(&first_server, house->db, &err));
    work_off(&second_server);
    house_expect(batch_of(1), "{'state': 'ROSTER_STATE_APPLIED', 'created': '1200'}");
}

static char *release_of(const struct list *list, bool refuse)
{
    static char json[256];
    char hash[CRYPTO_BASE64_SIZE(CRYPTO_HASH)];

    crypto_base64(list->hash, CRYPTO_HASH, hash);
    snprintf(json, sizeof json, "{'bankId': 'bank-a', 'batchNumber': '%d', 'rowsSha256': '%s', 'refuse': %s}",
             (int)list->batch_number, hash, refuse ? "true" : "false");
    return json;
}

static void a_full_list_closes_whom_it_lacks(void **state)
{
    CLEANUP(free_list) struct list *first = full(1);
    CLEANUP(free_list) struct list *second = full(2);

    (void)state;
    add_many(first, 1, 200, 5);
    add_up(first);
    stage(MACHINE, first);
    work_off(&first_server);
    house_expect(batch_of(1), "{'state': 'ROSTER_STATE_APPLIED', 'created': '200', 'toClose': '0'}");
    add_many(second, 3, 200, 5); /* two of 200 lack: one percent, just what may be */
    add_up(second);
    stage(MACHINE, second);
    work_off(&first_server);
    house_expect(batch_of(2), "{'state': 'ROSTER_STATE_APPLIED', 'unchanged': '198', 'toClose': '2', 'closed': '2', "
                              "'members': '200'}");
    assert_int_equal(house_count(house, "SELECT count(*) FROM account WHERE status = 3"), 2);
    assert_int_equal(house_count(house, "SELECT count(*) FROM member_change WHERE batch_number = 2"), 2);
}

/* On a thread, so that nothing of the first one's stack is on its own. */
static void *second_goes_on(void *unused)
{
    struct error err = { 0 };
    struct db *db = NULL;
    bool worked = db_open(house->conninfo, &db, &err);

    while (worked && roster_work_run(&second_server, db, &worked, &err))
        continue;
    db_close(db);
    return unused;
}

/* It fell when lanes had closed them and nothing was kept of it yet: the same is asked again, and answered as before.
 */
static void another_server_goes_on_closing(void **state)
{
    CLEANUP(free_list) struct list *first = full(1);
    CLEANUP(free_list) struct list *second = full(2);
    struct error err = { 0 };
    pthread_t thread;
    bool worked;

    (void)state;
    add_many(first, 1, 200, 5);
    add_up(first);
    stage(MACHINE, first);
    work_off(&first_server);
    add_many(second, 3, 200, 5);
    add_up(second);
    stage(MACHINE, second);
    assert_true(roster_work_run(&first_server, house->db, &worked, &err) && worked); /* checked */
    house_sql(house, "ALTER TABLE roster_closing ADD CONSTRAINT fallen CHECK (NOT done) NOT VALID");
    while (roster_work_run(&first_server, house->db, &worked, &err))
        continue;
    /* A process of its own has nothing else by which to say the same again. */
    assert_int_equal(house_count(house, "SELECT count(*) FROM operation WHERE content_hash = sha256('roster close 2')"),
                     2);
    house_sql(house, "ALTER TABLE roster_closing DROP CONSTRAINT fallen");
    assert_int_equal(house_count(house, "SELECT count(*) FROM account WHERE status = 3"), 2);
    house_expect(batch_of(2), "{'state': 'ROSTER_STATE_APPLYING', 'closed': '0'}");
    house_sql(house, "UPDATE roster_batch SET lease_until = 'epoch'");
    assert_int_equal(pthread_create(&thread, NULL, second_goes_on, NULL), 0);
    pthread_join(thread, NULL);
    house_expect(batch_of(2), "{'state': 'ROSTER_STATE_APPLIED', 'closed': '2', 'closeRefused': '0'}");
    assert_int_equal(house_count(house, "SELECT count(*) FROM member_change WHERE batch_number = 2"), 2);
}

static void a_list_that_closes_many_waits_for_a_second_person(void **state)
{
    CLEANUP(free_list) struct list *first = full(1);
    CLEANUP(free_list) struct list *second = full(2);

    (void)state;
    add_many(first, 1, 100, 5);
    add_up(first);
    stage(ANN, first);
    work_off(&first_server);
    house_ask(house, "merchant/shop-1", "HoldRedemption",
              "{'requestId': '%s', 'bankId': 'bank-a', 'memberRef': 'm-0001', 'merchantId': 'shop-1', 'points': 2}",
              house_id());
    add_many(second, 4, 100, 5);
    add_up(second);
    stage(ANN, second);
    work_off(&first_server);
    house_expect(batch_of(2), "{'state': 'ROSTER_STATE_WAITING_RELEASE', 'toClose': '3', 'closed': '0'}");
    json_t *page =
        house_ask(house, MACHINE, "ListRosterClosings", "{'bankId': 'bank-a', 'batchNumber': '2', 'pageSize': 2}");
    assert_int_equal(json_array_size(json_object_get(page, "closings")), 2);
    page = house_ask(house, MACHINE, "ListRosterClosings",
                     "{'bankId': 'bank-a', 'batchNumber': '2', 'pageSize': 2, 'pageToken': '%s'}",
                     house_text(page, "nextPageToken"));
    assert_int_equal(json_array_size(json_object_get(page, "closings")), 1);
    house_refused(house, ANN, "ReleaseRosterBatch", REASON_SECOND_PERSON_NEEDED, NULL, "%s", release_of(second, false));
    house_refused(house, MACHINE, "ReleaseRosterBatch", REASON_PERSON_NEEDED, NULL, "%s", release_of(second, false));
    second->hash[0] ^= 1;
    house_refused(house, BEN, "ReleaseRosterBatch", REASON_APPROVAL_DIFFERS, "rows_sha256", "%s",
                  release_of(second, false));
    second->hash[0] ^= 1;
    work_off(&first_server);
    assert_int_equal(house_count(house, "SELECT count(*) FROM account WHERE status = 3"), 0);
    house_expect(house_ask(house, BEN, "ReleaseRosterBatch", "%s", release_of(second, false)),
                 "{'state': 'ROSTER_STATE_APPLYING', 'releasedBy': 'alliance://bank/bank-a/person/ben'}");
    work_off(&first_server);
    house_expect(batch_of(2), "{'state': 'ROSTER_STATE_APPLIED', 'closed': '2', 'closeRefused': '1'}");
    assert_int_equal(house_count(house, "SELECT count(*) FROM roster_closing WHERE reason = 'HOLDS_OPEN'"), 1);
}

static void a_list_that_is_not_released_is_refused(void **state)
{
    CLEANUP(free_list) struct list *first = full(1);
    CLEANUP(free_list) struct list *second = full(2);

    (void)state;
    add_many(first, 1, 10, 5);
    add_up(first);
    stage(MACHINE, first);
    work_off(&first_server);
    add_many(second, 1, 1, 6);
    add_up(second);
    stage(ANN, second);
    work_off(&first_server);
    house_refused(house, MACHINE, "ReleaseRosterBatch", REASON_PERSON_NEEDED, NULL, "%s", release_of(second, true));
    house_expect(house_ask(house, ANN, "ReleaseRosterBatch", "%s", release_of(second, true)),
                 "{'state': 'ROSTER_STATE_REFUSED', 'reason': 'ROSTER_NOT_RELEASED'}");
    work_off(&first_server);
    assert_int_equal(house_count(house, "SELECT count(*) FROM account WHERE status = 3 OR credit_limit <> 5"), 0);
    house_refused(house, BEN, "ReleaseRosterBatch", REASON_ROSTER_BATCH_STATE, "batch_number", "%s",
                  release_of(second, false));
    stage(ANN, second); /* the number is free again */
}

static void a_bank_sees_only_its_own(void **state)
{
    (void)state;
    house_refused(house, "bank/bank-b", "GetRosterBatch", REASON_NOT_YOURS, "bank_id", "{'bankId': 'bank-a'}");
    house_refused(house, MACHINE, "GetRosterBatch", REASON_ROSTER_BATCH_NOT_FOUND, "batch_number",
                  "{'bankId': 'bank-a'}");
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_batch_is_applied_with_a_verdict_a_row),
        TEST(what_does_not_add_up_is_refused_whole_and_its_number_used_again),
        TEST(rows_out_of_order_end_the_stream),
        TEST(a_broken_stream_goes_on_where_it_stopped),
        TEST(two_streams_do_not_stage_one_batch),
        TEST(a_batch_again_changes_nothing_and_numbers_have_no_gaps),
        TEST(rows_that_name_one_member_are_all_refused),
        TEST(another_server_goes_on_after_a_crash),
        TEST(a_list_that_changes_nothing_waits_for_nobody),
        TEST(a_server_that_stood_still_writes_nothing),
        TEST(what_a_lane_tries_again_is_still_leased),
        TEST(a_turn_leaves_nothing_in_doubt),
        TEST(a_server_that_ends_gives_its_batches_back),
        TEST(a_full_list_closes_whom_it_lacks),
        TEST(another_server_goes_on_closing),
        TEST(a_list_that_closes_many_waits_for_a_second_person),
        TEST(a_list_that_is_not_released_is_refused),
        TEST(a_bank_sees_only_its_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
