/*
 * GetBalance under load: what waits is read together, and each call gets its own answer, whoever its neighbours are.
 *
 * The account table is locked while calls gather behind the first one, so that they are read in full batches.
 */
#include "house.h"

#include "base/limits.h"
#include "engine/clerks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <alliance/v1/bank_service.pb-c.h>
#include <cmocka.h>

enum { MIXED = 600, JOBS = 5000, TIMEOUT_MS = 60000, PACKED_MAX = 256 };

/* A certificate's party and what it may expect of one member. */
static const struct question {
    const char *story, *bank_id, *member_ref, *reason;
    int64_t available, held;
} questions[] = {
    { "points", "bank-a", "ann", "", 1000, 0 },
    { "an open hold", "bank-a", "bob", "", 600, 100 },
    { "a hold past its time, given back in the answer", "bank-a", "cat", "", 500, 0 },
    { "nobody", "bank-a", "nobody", "MEMBER_NOT_FOUND", 0, 0 },
    { "a member of another bank", "bank-b", "ann", "MEMBER_NOT_FOUND", 0, 0 },
    { "another bank's word for it", "bank-a", "ann-b", "MEMBER_NOT_FOUND", 0, 0 },
};

struct crowd {
    struct house *house;
    struct client *clients[2]; /* of bank-a and bank-b */
    const struct client_method *methods[2];
    size_t answered, wrong, refused, unreachable;
};

struct one {
    struct crowd *crowd;
    const struct question *question;
};

static int setup(void **state)
{
    struct house *house = house_open();

    *state = house;
    house_found(house);
    house_member(house, "ann", 1000);
    house_member(house, "bob", 700);
    house_member(house, "cat", 500);
    static const struct {
        const char *member_ref, *lapse_after;
    } holds[] = { { "bob", "86000s" }, { "cat", "60s" } };
    for (size_t i = 0; i < COUNT(holds); i++)
        house_ask(house, "merchant/shop-1", "HoldRedemption",
                  "{'requestId': '%s', 'merchantId': 'shop-1', 'bankId': 'bank-a', 'memberRef': '%s', 'points': 100, "
                  "'lapseAfter': '%s'}",
                  house_id(), holds[i].member_ref, holds[i].lapse_after);
    house_ask(house, "operator/olga", "AdvanceTestClock",
              "{'programmeId': 'demo', 'programmeTime': '2026-01-15T13:00:00Z'}");
    return 0;
}

static int teardown(void **state)
{
    house_close(*state);
    return 0;
}

static struct client *open_client(struct house *house, const char *uri)
{
    struct pki_files files = pki_issue(house->dir, uri);
    struct client_options options = {
        .target = house->target, .ca_file = files.ca, .cert_file = files.cert, .key_file = files.key, .channels = 8
    };
    struct client *client;
    struct error err = { 0 };

    assert_true(client_open(&options, &client, &err) && client_connect(client, TIMEOUT_MS, &err));
    return client;
}

static void open_crowd(struct crowd *crowd, struct house *house)
{
    static const char *const uris[] = { "alliance://bank/bank-a", "alliance://bank/bank-b" };
    struct error err = { 0 };

    *crowd = (struct crowd){ .house = house };
    for (size_t i = 0; i < COUNT(uris); i++) {
        crowd->clients[i] = open_client(house, uris[i]);
        assert_true(client_method(crowd->clients[i], "/alliance.v1.BankService/GetBalance", &crowd->methods[i], &err));
    }
}

static void close_crowd(struct crowd *crowd)
{
    client_close(crowd->clients[0]);
    client_close(crowd->clients[1]);
}

static bool as_expected(const struct question *question, const struct client_result *result)
{
    if (result->status->code != STATUS_OK || question->reason[0])
        return strcmp(result->status->reason, question->reason) == 0;
    Alliance__V1__Balance *balance = alliance__v1__balance__unpack(NULL, result->size, result->bytes);
    bool right = balance && strcmp(balance->member_ref, question->member_ref) == 0 &&
                 strcmp(balance->bank_id, question->bank_id) == 0 && balance->available_points == question->available &&
                 balance->held_points == question->held;
    if (balance)
        alliance__v1__balance__free_unpacked(balance, NULL);
    return right;
}

static void on_done(void *owner, const struct client_result *result)
{
    struct one *one = owner;
    struct crowd *crowd = one->crowd;
    const struct client_status *status = result->status;

    crowd->answered++;
    if (status->code == STATUS_RESOURCE_EXHAUSTED && strcmp(status->reason, "OVERLOADED") == 0 && status->retry_ms > 0)
        crowd->refused++;
    else if (status->code == STATUS_UNAVAILABLE && strcmp(status->reason, "DATABASE_UNREACHABLE") == 0 &&
             status->retry_ms > 0)
        crowd->unreachable++;
    else if (!as_expected(one->question, result)) {
        print_message("           %s: %s %s\n", one->question->story, status->reason, status->message);
        crowd->wrong++;
    }
    free(one);
}

static void ask(struct crowd *crowd, const struct question *question)
{
    Alliance__V1__GetBalanceRequest request = ALLIANCE__V1__GET_BALANCE_REQUEST__INIT;
    size_t of = strcmp(question->bank_id, "bank-b") == 0;
    struct one *one = malloc(sizeof *one);
    uint8_t packed[PACKED_MAX];
    struct error err = { 0 };

    assert_non_null(one);
    *one = (struct one){ crowd, question };
    request.bank_id = (char *)(uintptr_t)question->bank_id;
    request.member_ref = (char *)(uintptr_t)question->member_ref;
    size_t size = alliance__v1__get_balance_request__pack(&request, packed);
    assert_true(client_start(crowd->clients[of], crowd->methods[of], packed, size, TIMEOUT_MS, on_done, one, &err));
}

static void poll(struct crowd *crowd)
{
    client_poll(crowd->clients[0], 1);
    client_poll(crowd->clients[1], 1);
}

/* The first call waits for the table, and all that come now wait behind it. */
static void gather(struct crowd *crowd, int count)
{
    struct house *house = crowd->house;

    house_sql(house, "BEGIN");
    house_sql(house, "LOCK TABLE account IN ACCESS EXCLUSIVE MODE");
    ask(crowd, &questions[0]);
    while (house_count(house, "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'account'::regclass AND "
                              "database = (SELECT oid FROM pg_database WHERE datname = current_database())") == 0)
        poll(crowd);
    for (int i = 0; i < count; i++)
        ask(crowd, &questions[(size_t)i % COUNT(questions)]);
    while (rpc_server_stats(house->server).in_flight + (int)crowd->answered < count + 1)
        poll(crowd);
}

static void await(struct crowd *crowd, size_t count)
{
    while (crowd->answered < count)
        poll(crowd);
    assert_int_equal(crowd->answered, count);
    assert_int_equal(crowd->wrong, 0);
}

static void each_gets_its_own_answer(void **state)
{
    struct crowd crowd;

    open_crowd(&crowd, *state);
    gather(&crowd, MIXED);
    house_sql(*state, "COMMIT");
    await(&crowd, MIXED + 1);
    assert_int_equal(crowd.refused + crowd.unreachable, 0);
    close_crowd(&crowd);
}

#define CUT_SQL                                                                                                        \
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> "            \
    "pg_backend_pid()"

static void a_connection_cut_in_the_middle_is_not_noticed(void **state)
{
    struct crowd crowd;

    open_crowd(&crowd, *state);
    gather(&crowd, MIXED);
    house_sql(*state, CUT_SQL);
    house_sql(*state, "COMMIT");
    await(&crowd, MIXED + 1);
    assert_int_equal(crowd.refused + crowd.unreachable, 0);
    close_crowd(&crowd);
}

/* From another database of the cluster: one cannot shut the door behind oneself. */
static void let_in(const struct house *house, bool open)
{
    char conninfo[TEST_CONNINFO + 32], sql[200];
    const char *name = strstr(house->conninfo, "dbname=");
    struct error err = { 0 };
    struct db *db;

    assert_non_null(name);
    snprintf(conninfo, sizeof conninfo, "%s dbname=postgres", house->conninfo);
    name += strlen("dbname=");
    snprintf(sql, sizeof sql, "ALTER DATABASE %.*s ALLOW_CONNECTIONS %s", (int)strcspn(name, " "), name,
             open ? "true" : "false");
    assert_true(db_open(conninfo, &db, &err) && db_script(db, sql, &err));
    db_close(db);
}

static void a_database_lost_in_the_middle_is_said(void **state)
{
    struct crowd crowd;

    open_crowd(&crowd, *state);
    gather(&crowd, MIXED);
    let_in(*state, false);
    house_sql(*state, CUT_SQL);
    house_sql(*state, "COMMIT");
    await(&crowd, MIXED + 1);
    assert_int_equal(crowd.unreachable, MIXED + 1);
    let_in(*state, true);
    crowd.answered = 0;
    ask(&crowd, &questions[0]);
    await(&crowd, 1);
    assert_int_equal(crowd.unreachable, MIXED + 1);
    close_crowd(&crowd);
}

static atomic_int idle_jobs_run;

static void run_idle(struct clerk_job *const *jobs, size_t count, struct db *db, struct error *err)
{
    (void)jobs;
    (void)db;
    (void)err;
    atomic_fetch_add(&idle_jobs_run, (int)count);
}

/* Others fill the queue behind a call that waits for the table. */
static void one_too_many_is_refused_at_once(void **state)
{
    static struct clerk_job jobs[JOBS];
    struct house *house = *state;
    struct crowd crowd;
    struct error err = { 0 };
    int room = 0;

    open_crowd(&crowd, house);
    gather(&crowd, 0);
    atomic_store(&idle_jobs_run, 0);
    for (; room < JOBS; room++) {
        jobs[room].run_together = run_idle;
        if (!clerks_submit_together(house->office.clerks, &jobs[room], &err))
            break;
    }
    assert_in_range(room, BATCH_MAX, JOBS - 1);
    assert_int_equal(err.reason, REASON_OVERLOADED);
    ask(&crowd, &questions[0]);
    await(&crowd, 1);
    assert_int_equal(crowd.refused, 1);
    assert_int_equal(idle_jobs_run, 0);
    house_sql(house, "COMMIT");
    await(&crowd, 2);
    while (atomic_load(&idle_jobs_run) < room)
        poll(&crowd);
    ask(&crowd, &questions[0]);
    await(&crowd, 3);
    assert_int_equal(crowd.refused + crowd.unreachable, 1);
    assert_int_equal(idle_jobs_run, room);
    close_crowd(&crowd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_gets_its_own_answer, setup, teardown),
        cmocka_unit_test_setup_teardown(a_connection_cut_in_the_middle_is_not_noticed, setup, teardown),
        cmocka_unit_test_setup_teardown(a_database_lost_in_the_middle_is_said, setup, teardown),
        cmocka_unit_test_setup_teardown(one_too_many_is_refused_at_once, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
