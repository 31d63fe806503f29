/*
 * The command line against a server that answers as told: what is sent, what is repeated, what is printed, and what the
 * process ends with. The server is the real transport over real mTLS; only its handlers are made up.
 */
#include "ops/cli/cli.h"
#include "pki.h"
#include "rpc/rpc.h"

#include <alliance/v1/bank_service.pb-c.h>
#include <alliance/v1/diagnostics_service.pb-c.h>
#include <alliance/v1/operator_service.pb-c.h>
#include <alliance/v1/redemption_service.pb-c.h>
#include <alliance/v1/settlement_service.pb-c.h>

#include <inttypes.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { SEEN_MAX = 4096, METHODS_MAX = 64, LINE = 8192 };

/* What the server saw, and how it shall answer. */
static struct world {
    char dir[64], home[96];
    struct rpc_server *server;
    pthread_mutex_t lock;
    char seen[SEEN_MAX][128]; /* "HoldRedemption m-1 REQUEST_ID", in order of arrival */
    int seen_count;
    int messages;    /* of PushMembers, or calls of WriteRedemptions */
    int failures;    /* so many more calls or messages are answered TRY_AGAIN */
    size_t room;     /* bytes of a call of WriteRedemptions; 0 for any */
    bool slow;       /* ... or rather writes of members "slow-..." */
    bool unfinished; /* PushMembers answers a verdict too few */
} world;

static bool fails_now(struct error *err)
{
    pthread_mutex_lock(&world.lock);
    bool fails = world.failures > 0;
    world.failures -= fails;
    pthread_mutex_unlock(&world.lock);
    return fails && !error_set(err, REASON_TRY_AGAIN, "%s", "");
}

static void see(const char *method, const char *what, const char *request_id)
{
    pthread_mutex_lock(&world.lock);
    assert_true(world.seen_count < SEEN_MAX);
    snprintf(world.seen[world.seen_count++], sizeof world.seen[0], "%s %.40s %s", method, what, request_id);
    pthread_mutex_unlock(&world.lock);
}

static bool ping_answer(struct call *call, const ProtobufCMessage *message, struct error *err)
{
    Alliance__V1__PingResponse response = ALLIANCE__V1__PING_RESPONSE__INIT;

    (void)message;
    (void)err;
    response.principal = call->principal.uri;
    call_reply(call, &response.base);
    return true;
}

/* "new-..." is created, "old-..." unchanged, "bad-..." refused. */
static void judge(Alliance__V1__RowVerdict *verdict, const char *ref)
{
    static char reason[] = "FIELD_INVALID", detail[] = "member_ref is bad";

    verdict->outcome = ALLIANCE__V1__ROW_OUTCOME__ROW_OUTCOME_CREATED;
    if (strncmp(ref, "old", 3) == 0)
        verdict->outcome = ALLIANCE__V1__ROW_OUTCOME__ROW_OUTCOME_UNCHANGED;
    if (strncmp(ref, "bad", 3) == 0) {
        verdict->outcome = ALLIANCE__V1__ROW_OUTCOME__ROW_OUTCOME_REFUSED;
        verdict->reason = reason;
        verdict->detail = detail;
    }
}

static void push_verdicts(struct call *call, const Alliance__V1__PushMembersRequest *request)
{
    Alliance__V1__PushMembersResponse response = ALLIANCE__V1__PUSH_MEMBERS_RESPONSE__INIT;

    response.verdicts = arena_alloc(&call->arena, request->n_rows * sizeof(void *));
    pthread_mutex_lock(&world.lock);
    size_t lacking = world.unfinished;
    pthread_mutex_unlock(&world.lock);
    for (size_t i = 0; i < request->n_rows - lacking; i++) {
        Alliance__V1__RowVerdict *verdict = arena_alloc(&call->arena, sizeof *verdict);
        alliance__v1__row_verdict__init(verdict);
        verdict->row_number = request->rows[i]->row_number;
        judge(verdict, request->rows[i]->member->member_ref);
        response.verdicts[response.n_verdicts++] = verdict;
    }
    call_write(call, &response.base);
}

static bool push_members(struct call *call, const ProtobufCMessage *message, struct error *err)
{
    const Alliance__V1__PushMembersRequest *request = (const void *)message;

    if (!request) {
        call_finish(call);
        return true;
    }
    pthread_mutex_lock(&world.lock);
    world.messages++;
    pthread_mutex_unlock(&world.lock);
    if (fails_now(err))
        return false;
    see("PushMembers", request->bank_id, request->rows[0]->member->member_ref);
    push_verdicts(call, request);
    return true;
}

static bool import_merchants(struct call *call, const ProtobufCMessage *message, struct error *err)
{
    const Alliance__V1__RegisterMerchantRequest *request = (const void *)message;
    Alliance__V1__ImportMerchantsResponse response = ALLIANCE__V1__IMPORT_MERCHANTS_RESPONSE__INIT;

    if (fails_now(err))
        return false;
    if (request) {
        see("ImportMerchants", request->merchant->merchant_id, "");
        call_next(call);
        return true;
    }
    response.created = 2;
    call_reply(call, &response.base);
    return true;
}

/* Pages of one merchant: shop-0, shop-1, shop-2. */
static bool list_merchants(struct call *call, const ProtobufCMessage *message, struct error *err)
{
    const Alliance__V1__ListMerchantsRequest *request = (const void *)message;
    Alliance__V1__ListMerchantsResponse response = ALLIANCE__V1__LIST_MERCHANTS_RESPONSE__INIT;
    Alliance__V1__Merchant merchant = ALLIANCE__V1__MERCHANT__INIT, *page[] = { &merchant };
    char id[16], token[16] = "";
    int at = (int)strtol(request->page_token, NULL, 10);

    (void)err;
    assert_int_equal(request->page_size, PAGE_MAX);
    snprintf(id, sizeof id, "shop-%d", at);
    if (at < 2)
        snprintf(token, sizeof token, "%d", at + 1);
    merchant.merchant_id = id;
    response.merchants = page;
    response.n_merchants = 1;
    response.next_page_token = token;
    call_reply(call, &response.base);
    return true;
}

/* What becomes of one write; redemption_id points to a text that lives as long as the answer. */
static bool judge_hold(struct call *call, const Alliance__V1__HoldRedemptionRequest *request, char redemption_id[64],
                       struct error *err)
{
    if (strcmp(call->principal.id, request->merchant_id) != 0)
        return error_set(err, REASON_NOT_YOURS, "%s", "");
    see("Hold", request->member_ref, request->request_id);
    if (strncmp(request->member_ref, "poor", 4) == 0)
        return error_set(err, REASON_INSUFFICIENT_POINTS, "%s", "");
    if (strncmp(request->member_ref, "slow", 4) == 0 && fails_now(err))
        return false;
    snprintf(redemption_id, 64, "%s.00ff", request->request_id);
    return true;
}

static bool hold_redemption(struct call *call, const ProtobufCMessage *message, struct error *err)
{
    const Alliance__V1__HoldRedemptionRequest *request = (const void *)message;
    Alliance__V1__RedemptionReceipt receipt = ALLIANCE__V1__REDEMPTION_RECEIPT__INIT;
    char id[64];

    if (fails_now(err) || !judge_hold(call, request, id, err))
        return false;
    receipt.redemption_id = id;
    receipt.points = request->points;
    call_reply(call, &receipt.base);
    return true;
}

static bool redeem_in_one_step(struct call *call, const ProtobufCMessage *message, struct error *err)
{
    const Alliance__V1__HoldRedemptionRequest *request = (const void *)message;
    char lines[128] = "";

    for (size_t i = 0; i < request->n_lines; i++)
        snprintf(lines + strlen(lines), sizeof lines - strlen(lines), "%s:%" PRId64 " ", request->lines[i]->line_id,
                 request->lines[i]->points);
    see("RedeemPoints", lines, request->card_token);
    return hold_redemption(call, message, err);
}

static bool extend_hold(struct call *call, const ProtobufCMessage *message, struct error *err)
{
    const Alliance__V1__ExtendHoldRequest *request = (const void *)message;
    Alliance__V1__RedemptionReceipt receipt = ALLIANCE__V1__REDEMPTION_RECEIPT__INIT;
    char seconds[32];

    (void)err;
    snprintf(seconds, sizeof seconds, "%" PRId64, request->lapse_after->seconds);
    see("ExtendHold", request->redemption_id, seconds);
    receipt.redemption_id = request->redemption_id;
    call_reply(call, &receipt.base);
    return true;
}

static bool reverse_redemption(struct call *call, const ProtobufCMessage *message, struct error *err)
{
    const Alliance__V1__ReverseRedemptionRequest *request = (const void *)message;
    Alliance__V1__RedemptionReceipt receipt = ALLIANCE__V1__REDEMPTION_RECEIPT__INIT;

    (void)err;
    see("Reverse", request->redemption_id, request->line_id);
    receipt.redemption_id = request->redemption_id;
    call_reply(call, &receipt.base);
    return true;
}

struct written {
    Alliance__V1__RedemptionVerdict verdict;
    Alliance__V1__RedemptionReceipt receipt;
    char redemption_id[64];
};

static bool judge_write(struct call *call, const Alliance__V1__RedemptionWrite *write, struct written *written,
                        struct error *err)
{
    char *id = written->redemption_id;

    if (write->action_case == ALLIANCE__V1__REDEMPTION_WRITE__ACTION_HOLD) {
        written->receipt.points = write->hold->points;
        return judge_hold(call, write->hold, id, err);
    }
    if (write->action_case == ALLIANCE__V1__REDEMPTION_WRITE__ACTION_REDEEM) {
        see("Redeem", write->redeem->card_token, write->redeem->member_ref);
        snprintf(id, 64, "%s.00ff", write->redeem->request_id);
        return true;
    }
    if (write->action_case == ALLIANCE__V1__REDEMPTION_WRITE__ACTION_CONFIRM) {
        see("Confirm", write->confirm->redemption_id, write->confirm->request_id);
        written->receipt.points = write->confirm->points;
        snprintf(id, 64, "%s", write->confirm->redemption_id);
        return true;
    }
    assert_int_equal(write->action_case, ALLIANCE__V1__REDEMPTION_WRITE__ACTION_CANCEL);
    see("Cancel", write->cancel->redemption_id, write->cancel->request_id);
    snprintf(id, 64, "%s", write->cancel->redemption_id);
    return true;
}

static bool write_redemptions(struct call *call, const ProtobufCMessage *message, struct error *err)
{
    const Alliance__V1__WriteRedemptionsRequest *request = (const void *)message;
    Alliance__V1__WriteRedemptionsResponse response = ALLIANCE__V1__WRITE_REDEMPTIONS_RESPONSE__INIT;

    pthread_mutex_lock(&world.lock);
    bool slow = world.slow;
    size_t room = world.room;
    pthread_mutex_unlock(&world.lock);
    if (!slow && fails_now(err))
        return false;
    if (room > 0 && protobuf_c_message_get_packed_size(message) > room)
        return error_set(err, REASON_MESSAGE_TOO_LARGE, "%s", "");
    response.verdicts = arena_alloc(&call->arena, request->n_writes * sizeof(void *));
    for (size_t i = 0; i < request->n_writes; i++) {
        struct written *written = arena_alloc(&call->arena, sizeof *written);
        struct error wrong = { 0 };
        alliance__v1__redemption_verdict__init(&written->verdict);
        alliance__v1__redemption_receipt__init(&written->receipt);
        written->receipt.redemption_id = written->redemption_id;
        if (judge_write(call, request->writes[i], written, &wrong)) {
            written->verdict.receipt = &written->receipt;
        } else {
            written->verdict.reason = (char *)(uintptr_t)reason_name(wrong.reason);
            written->verdict.detail = (char *)(uintptr_t)reason_text(wrong.reason);
            written->verdict.retry = reason_retryable(wrong.reason);
        }
        response.verdicts[response.n_verdicts++] = &written->verdict;
    }
    pthread_mutex_lock(&world.lock);
    world.messages++;
    pthread_mutex_unlock(&world.lock);
    call_reply(call, &response.base);
    return true;
}

static bool not_here(struct call *call, const ProtobufCMessage *message, struct error *err)
{
    (void)call;
    (void)message;
    return error_set(err, REASON_STATEMENT_NOT_FOUND, "%s", "");
}

static const struct method rows[] = {
    { "Ping", ROLE_ANY, ping_answer, NULL },
    { "PushMembers", ROLE_BANK, push_members, NULL },
    { "ImportMerchants", ROLE_OPERATOR, import_merchants, NULL },
    { "ListMerchants", ROLE_OPERATOR, list_merchants, NULL },
    { "HoldRedemption", ROLE_MERCHANT, hold_redemption, NULL },
    { "RedeemPoints", ROLE_MERCHANT, redeem_in_one_step, NULL },
    { "ExtendHold", ROLE_MERCHANT, extend_hold, NULL },
    { "ReverseRedemption", ROLE_MERCHANT, reverse_redemption, NULL },
    { "WriteRedemptions", ROLE_MERCHANT, write_redemptions, NULL },
};

static struct method row_for(const char *name)
{
    for (size_t i = 0; i < COUNT(rows); i++) {
        if (strcmp(rows[i].name, name) == 0)
            return rows[i];
    }
    return (struct method){ name, ROLE_ANY, not_here, NULL };
}

static size_t make_services(const struct service *const **out)
{
    static const ProtobufCServiceDescriptor *const descriptors[] = {
        &alliance__v1__diagnostics_service__descriptor, &alliance__v1__bank_service__descriptor,
        &alliance__v1__operator_service__descriptor,    &alliance__v1__redemption_service__descriptor,
        &alliance__v1__settlement_service__descriptor,
    };
    static struct method methods[COUNT(descriptors)][METHODS_MAX];
    static struct service services[COUNT(descriptors)];
    static const struct service *list[COUNT(descriptors)];

    for (size_t i = 0; i < COUNT(descriptors); i++) {
        for (unsigned k = 0; k < descriptors[i]->n_methods; k++)
            methods[i][k] = row_for(descriptors[i]->methods[k].name);
        services[i] = (struct service){ descriptors[i], methods[i], descriptors[i]->n_methods };
        list[i] = &services[i];
    }
    *out = list;
    return COUNT(descriptors);
}

static void write_file(const char *name, const char *text)
{
    char path[160];

    snprintf(path, sizeof path, "%s/%s", world.home, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void make_profile(const char *name, const char *uri)
{
    struct pki_files files = pki_issue(world.dir, uri);
    char text[LINE], path[64];

    snprintf(path, sizeof path, "profiles/%s", name);
    snprintf(text, sizeof text, "server=localhost:%d\nca=%s\ncert=%s\nkey=%s\n", rpc_server_port(world.server),
             files.ca, files.cert, files.key);
    write_file(path, text);
}

static int start(void **state)
{
    const struct service *const *services;
    size_t count = make_services(&services);
    struct error err;
    char command[128];

    (void)state;
    strcpy(world.home, "/tmp/cli-home.XXXXXX");
    assert_non_null(mkdtemp(world.home));
    snprintf(command, sizeof command, "mkdir %s/profiles", world.home);
    assert_int_equal(system(command), 0);
    snprintf(world.dir, sizeof world.dir, "/tmp/cli-pki-%d", (int)getpid());
    pki_make(world.dir);
    struct pki_files files = pki_issue(world.dir, NULL);
    struct rpc_options options = {
        .address = "127.0.0.1:0", .ca_file = files.ca, .cert_file = files.cert, .key_file = files.key
    };
    pthread_mutex_init(&world.lock, NULL);
    if (!rpc_server_open(&options, services, count, NULL, &world.server, &err) || !rpc_server_start(world.server, &err))
        fail_msg("%s", error_text(&err));
    make_profile("operator", "alliance://operator/op");
    make_profile("bank-a", "alliance://bank/bank-a");
    make_profile("merchant-shop-1", "alliance://merchant/shop-1");
    make_profile("merchant-shop-2", "alliance://merchant/shop-2");
    setenv("ALLIANCE_HOME", world.home, 1);
    return chdir(world.home);
}

static int stop(void **state)
{
    char command[128];

    (void)state;
    rpc_server_drain(world.server, 1000);
    rpc_server_close(world.server);
    pki_remove(world.dir);
    snprintf(command, sizeof command, "rm -r %s", world.home);
    return chdir("/") != 0 || system(command) != 0;
}

static int clean(void **state)
{
    (void)state;
    pthread_mutex_lock(&world.lock);
    world.seen_count = world.messages = world.failures = 0;
    world.unfinished = world.slow = false;
    world.room = 0;
    pthread_mutex_unlock(&world.lock);
    return 0;
}

/* ---- typing ---- */

static char out[LINE], errors[LINE];

/* What we told the handlers is theirs to read, and what they wrote before they answered ours. */
static void meet(void)
{
    pthread_mutex_lock(&world.lock);
    pthread_mutex_unlock(&world.lock);
}

/* Runs a command line of words separated by single blanks. What it printed is in out and errors. */
static int type(const char *line)
{
    struct cli cli = { .timeout_ms = 10000, .attempts = 3 };
    char copy[512], *argv[24], *rest = copy;
    struct error err;
    int argc = 0, outcome;

    meet();
    snprintf(copy, sizeof copy, "%s", line);
    while (rest && argc < 24)
        argv[argc++] = strsep(&rest, " ");
    memset(out, 0, sizeof out);
    memset(errors, 0, sizeof errors);
    cli.out = fmemopen(out, sizeof out - 1, "w");
    cli.err = fmemopen(errors, sizeof errors - 1, "w");
    if (arguments_parse(argc, argv, &cli.arguments, &err))
        outcome = (int)cli.arguments.command->run(&cli);
    else
        outcome = (int)cli_usage(&cli, &err);
    client_close(cli.client);
    arena_release(&cli.arena);
    fclose(cli.out);
    fclose(cli.err);
    meet();
    return outcome;
}

#define assert_says(text, part)                                                                                        \
    do {                                                                                                               \
        if (!strstr((text), (part)))                                                                                   \
            fail_msg("\"%s\" is not in: %s", (part), (text));                                                          \
    } while (0)

static void test_ping_says_who(void **state)
{
    (void)state;
    assert_int_equal(type("alliance ping --profile bank-a"), OUTCOME_DONE);
    assert_says(out, "principal  alliance://bank/bank-a\n");
    assert_int_equal(type("alliance ping --profile bank-a --json"), OUTCOME_DONE);
    assert_says(out, "\"principal\": \"alliance://bank/bank-a\"");
    assert_int_equal(type("alliance health --profile bank-a"), OUTCOME_DONE);
    assert_says(out, "SERVING");
}

static void test_errors_say_what_to_do(void **state)
{
    (void)state;
    assert_int_equal(type("alliance members push none.csv --profile bank-a"), OUTCOME_FAILED);
    assert_says(errors, "none.csv cannot be read");
    write_file("m.csv", "member_ref,credit_limit\nnew-1,5\n");
    assert_int_equal(type("alliance members push m.csv --bank bank-a --profile operator"), OUTCOME_FAILED);
    assert_says(errors, "error: ROLE_NOT_ALLOWED: ");
    assert_says(errors, "what to do: run it with the certificate of the right party");
    assert_int_equal(type("alliance statement show x --profile bank-a"), OUTCOME_FAILED);
    assert_says(errors, "error: STATEMENT_NOT_FOUND: there is no such statement\n");
    assert_int_equal(type("alliance ping --profile bank-a --server localhost:1"), OUTCOME_FAILED);
    assert_says(errors, "error: UNAVAILABLE: ");
    assert_says(errors, "what to do: see that the server runs");
    assert_int_equal(type("alliance redeem hold --bank b --member m --points x --profile merchant-shop-1"),
                     OUTCOME_USAGE);
    assert_says(errors, "--points must be a whole number");
}

static void test_rows_are_counted_and_refused_one_by_one(void **state)
{
    (void)state;
    write_file("m.csv", "member_ref,credit_limit\nnew-1,5\nbad-1,5\nnew-2,x\nold-1,0\nnew-3\n");
    assert_int_equal(type("alliance members push m.csv --profile bank-a"), OUTCOME_REFUSED);
    assert_string_equal(out, "created 1 changed 0 unchanged 1 refused 3\n");
    assert_says(errors, "m.csv:3: FIELD_INVALID: member_ref is bad\n");
    assert_says(errors, "m.csv:4: FIELD_INVALID: credit_limit (column 2) must be a whole number");
    assert_says(errors, "m.csv:6: MESSAGE_MALFORMED: the line has 1 columns, the header 2\n");
    assert_string_equal(world.seen[0], "PushMembers bank-a new-1"); /* its own bank, from its certificate */
    assert_int_equal(type("alliance members push m.csv --profile bank-a --allow-refused --json"), OUTCOME_DONE);
    assert_string_equal(out, "{\"created\":\"1\",\"changed\":\"0\",\"unchanged\":\"1\",\"refused\":\"3\"}\n");
    /* The refused rows are a file of the same kind. */
    assert_int_equal(type("alliance members push m.csv.refused.csv --profile bank-a"), OUTCOME_REFUSED);
    assert_string_equal(out, "created 0 changed 0 unchanged 0 refused 3\n");
}

static void test_long_files_go_in_messages_of_500(void **state)
{
    FILE *file = fopen("long.csv", "w");

    (void)state;
    fputs("member_ref,credit_limit\n", file);
    for (int i = 0; i < 1234; i++)
        fprintf(file, "new-%d,5\n", i);
    fclose(file);
    assert_int_equal(type("alliance members push long.csv --profile bank-a"), OUTCOME_DONE);
    assert_string_equal(out, "created 1234 changed 0 unchanged 0 refused 0\n");
    assert_int_equal(world.messages, 3);
    assert_string_equal(world.seen[2], "PushMembers bank-a new-1000");
}

static void test_a_message_is_sent_again(void **state)
{
    (void)state;
    write_file("m.csv", "member_ref,credit_limit\nnew-1,5\n");
    world.failures = 2;
    assert_int_equal(type("alliance members push m.csv --profile bank-a"), OUTCOME_DONE);
    assert_string_equal(out, "created 1 changed 0 unchanged 0 refused 0\n");
    assert_int_equal(world.messages, 3);
}

static void test_verdicts_that_lack_are_an_error(void **state)
{
    (void)state;
    write_file("m.csv", "member_ref,credit_limit\nnew-1,5\n");
    world.unfinished = true;
    assert_int_equal(type("alliance members push m.csv --profile bank-a"), OUTCOME_FAILED);
    assert_says(errors, "1 rows were sent and 0 verdicts came back");
}

static void test_merchants_are_imported_whole(void **state)
{
    (void)state;
    write_file("m.jsonl", "{\"merchantId\":\"s1\",\"terms\":{\"commissionBp\":1}}\n\n{\"merchantId\":\"s2\"}\n");
    world.failures = 1;
    assert_int_equal(type("alliance merchants import m.jsonl --profile operator"), OUTCOME_DONE);
    assert_string_equal(out, "created 2 changed 0 unchanged 0 refused 0\n");
    assert_string_equal(world.seen[world.seen_count - 1], "ImportMerchants s2 ");
    clean(NULL);
    write_file("m.jsonl", "{\"merchantId\":\"s1\"}\n{\"merchantId\":3}\n{\"terms\":{\"commissionBp\":1.5}}\n");
    assert_int_equal(type("alliance merchants import m.jsonl --profile operator"), OUTCOME_REFUSED);
    assert_says(errors, "m.jsonl:2: FIELD_INVALID: merchantId must be text in quotes\n");
    assert_says(errors, "m.jsonl:3: FIELD_INVALID: terms.commissionBp must be a whole number");
    assert_int_equal(world.seen_count, 0);
}

static void test_all_pages_are_one_list(void **state)
{
    (void)state;
    assert_int_equal(type("alliance merchants list demo --profile operator"), OUTCOME_DONE);
    assert_says(out, "shop-0");
    assert_says(out, "shop-1");
    assert_says(out, "shop-2");
    assert_int_equal(type("alliance merchants list demo --profile operator --json"), OUTCOME_DONE);
    assert_says(out, "\"merchantId\": \"shop-0\"");
    assert_says(out, "\"merchantId\": \"shop-2\"");
    assert_says(out, "\"nextPageToken\": \"\"");
}

static void test_a_request_id_is_shown_before_the_call(void **state)
{
    char again[256], id[UUID_TEXT];

    (void)state;
    world.failures = 1;
    assert_int_equal(type("alliance redeem hold --bank b --member m --points 5 --profile merchant-shop-1"),
                     OUTCOME_FAILED);
    assert_int_equal(sscanf(errors, "request_id %36s", id), 1);
    snprintf(again, sizeof again, "what to do: repeat with --request-id %s\n", id);
    assert_says(errors, again);
    snprintf(again, sizeof again,
             "alliance redeem hold --bank b --member m --points 5 --profile merchant-shop-1 "
             "--request-id %s",
             id);
    assert_int_equal(type(again), OUTCOME_DONE);
    snprintf(again, sizeof again, "Hold m %s", id);
    assert_string_equal(world.seen[0], again);
}

static void test_lines_cards_and_one_step(void **state)
{
    static const char profile[] = "--profile merchant-shop-1";
    static const char *const wrong[] = { "tea", "tea=", "tea=0", "tea=6,", "tea=6,cup", "tea=1e3" };
    char line[256];

    (void)state;
    snprintf(line, sizeof line,
             "alliance redeem points --bank b --member m --points 10 --line tea=6,cup=4 --card-token tok_0001 %s",
             profile);
    assert_int_equal(type(line), OUTCOME_DONE);
    assert_string_equal(world.seen[0], "RedeemPoints tea:6 cup:4  tok_0001");
    snprintf(line, sizeof line, "alliance redeem extend r-1 --lapse-after 1800 %s", profile);
    assert_int_equal(type(line), OUTCOME_DONE);
    assert_string_equal(world.seen[2], "ExtendHold r-1 1800");
    snprintf(line, sizeof line, "alliance redeem reverse r-1 --line cup %s", profile);
    assert_int_equal(type(line), OUTCOME_DONE);
    assert_string_equal(world.seen[3], "Reverse r-1 cup");
    for (size_t i = 0; i < COUNT(wrong); i++) {
        snprintf(line, sizeof line, "alliance redeem hold --bank b --member m --points 10 --line %s %s", wrong[i],
                 profile);
        assert_int_equal(type(line), OUTCOME_USAGE);
        assert_says(errors, "--line must be LINE=POINTS");
    }
    assert_int_equal(world.seen_count, 4);
}

/* ---- redemptions run ---- */

static const char batch_file[] = "action,key,member_bank,member_ref,merchant,store,points,goods_id\n"
                                 "hold,k1,b,m-1,shop-1,,10,\n"
                                 "hold,k2,b,poor-1,shop-2,,10,\n"
                                 "confirm,k1,,,,,,\n"
                                 "confirm,k2,,,,,,\n"
                                 "hold,k3,b,m-1,shop-2,,20,\n"
                                 "cancel,k3,,,,,,\n"
                                 "hold,k4,b,m-2,shop-9,,20,\n"
                                 "refund,k1,,,,,,\n";

static int compare_lines(const void *a, const void *b)
{
    return strcmp(a, b);
}

static void test_a_batch_and_the_same_again(void **state)
{
    static char first[SEEN_MAX][128];
    int count;

    (void)state;
    write_file("r.csv", batch_file);
    assert_int_equal(type("alliance redemptions run r.csv --receipts got.csv"), OUTCOME_REFUSED);
    assert_says(out, "hold     OK                        2\n");
    assert_says(out, "hold     INSUFFICIENT_POINTS       1\n");
    assert_says(out, "hold     SETTING_INVALID           1\n"); /* there is no profile of shop-9 */
    assert_says(out, "confirm  REDEMPTION_NOT_FOUND      1\n");
    assert_says(out, "?        FIELD_INVALID             1\n");
    assert_says(errors, "r.csv:3: INSUFFICIENT_POINTS: not enough points\n");
    assert_says(errors, "r.csv:9: FIELD_INVALID: action must be hold, redeem, confirm, cancel or reverse\n");
    count = world.seen_count;
    assert_int_equal(count, 5);
    memcpy(first, world.seen, sizeof first);

    clean(NULL);
    assert_int_equal(type("alliance redemptions run r.csv"), OUTCOME_REFUSED);
    assert_says(errors, "the same requests are repeated");
    assert_int_equal(world.seen_count, count);
    qsort(first, (size_t)count, sizeof first[0], compare_lines);
    qsort(world.seen, (size_t)count, sizeof first[0], compare_lines);
    for (int i = 0; i < count; i++)
        assert_string_equal(world.seen[i], first[i]);

    write_file("r.csv", "action,key,member_bank,member_ref,merchant,store,points,goods_id\n");
    assert_int_equal(type("alliance redemptions run r.csv"), OUTCOME_FAILED);
    assert_says(errors, "the file changed since");
}

enum { MEMBERS = 20, EACH = 10 };

/* Holds and confirms of one member take turns, and each confirm is of the hold before it. */
static void check_turns(void)
{
    char held[MEMBERS][UUID_TEXT] = { "" }, id[UUID_TEXT];

    for (int i = 0; i < world.seen_count; i++) {
        int member = 0;
        if (sscanf(world.seen[i], "Hold m%d %36s", &member, id) == 2) {
            assert_string_equal(held[member], "");
            memcpy(held[member], id, sizeof id);
            continue;
        }
        assert_int_equal(sscanf(world.seen[i], "Confirm %36s", id), 1);
        while (member < MEMBERS && strcmp(held[member], id) != 0)
            member++;
        assert_true(member < MEMBERS);
        held[member][0] = '\0';
    }
}

static void test_a_members_rows_arrive_in_order(void **state)
{
    FILE *file = fopen("many.csv", "w");
    char line[256];
    int lines = 0;

    (void)state;
    fputs("action,key,member_bank,member_ref,merchant,store,points,goods_id\n", file);
    for (int i = 0; i < MEMBERS * EACH; i++)
        fprintf(file, "hold,k%d,b,m%d,shop-%d,,10,\nconfirm,k%d,,,,,1,\n", i, i % MEMBERS, 1 + i % 2, i);
    fclose(file);
    world.failures = 2;
    assert_int_equal(type("alliance redemptions run many.csv --receipts many.receipts.csv"), OUTCOME_DONE);
    assert_says(out, "hold     OK        200\n");
    assert_says(out, "confirm  OK        200\n");
    assert_int_equal(world.seen_count, 2 * MEMBERS * EACH);
    check_turns();
    file = fopen("many.receipts.csv", "r");
    while (fgets(line, sizeof line, file))
        lines++;
    fclose(file);
    assert_int_equal(lines, 1 + 2 * MEMBERS * EACH);
}

static void write_holds(const char *name, const char *member, int count, const char *more)
{
    FILE *file = fopen(name, "w");

    fputs("action,key,member_bank,member_ref,merchant,store,points,goods_id\n", file);
    for (int i = 0; i < count; i++)
        fprintf(file, "hold,k%d,b,%s%d,shop-1,,10,\n", i, member, i);
    fputs(more, file);
    fclose(file);
}

static void test_a_file_redeems_in_one_step(void **state)
{
    (void)state;
    write_file("o.csv", "action,key,member_bank,member_ref,merchant,store,points,goods_id,card_token\n"
                        "redeem,k1,b,m-1,shop-1,,10,,tok_0001\n"
                        "hold,k2,b,poor-2,shop-1,,10,,tok_0002\n");
    assert_int_equal(type("alliance redemptions run o.csv"), OUTCOME_REFUSED);
    assert_says(out, "redeem  OK                       1\n");
    assert_true(strcmp(world.seen[0], "Redeem tok_0001 m-1") == 0 || strcmp(world.seen[1], "Redeem tok_0001 m-1") == 0);
    assert_int_equal(type("alliance redemptions run o.csv.refused.csv"), OUTCOME_REFUSED);
    assert_says(errors, "o.csv.refused.csv:2: INSUFFICIENT_POINTS");
    assert_int_equal(world.seen_count, 3);
}

static void test_many_rows_go_in_one_call(void **state)
{
    (void)state;
    write_holds("bulk.csv", "m-", 1000, "");
    assert_int_equal(type("alliance redemptions run bulk.csv --parallel 1"), OUTCOME_DONE);
    assert_says(out, "hold    OK       1000\n");
    assert_int_equal(world.seen_count, 1000);
    assert_int_equal(world.messages, 4);
}

/* A verdict that says "not now" is asked for again, and that row only. */
static void test_a_row_is_sent_again_by_itself(void **state)
{
    (void)state;
    write_holds("slow.csv", "slow-", 1, "hold,k,b,m-1,shop-1,,10,\n");
    world.slow = true;
    world.failures = 2;
    assert_int_equal(type("alliance redemptions run slow.csv --parallel 1"), OUTCOME_DONE);
    assert_says(out, "hold    OK          2\n");
    assert_int_equal(world.messages, 3);
    assert_int_equal(world.seen_count, 4);
    assert_string_equal(world.seen[0], world.seen[2]);
    assert_string_equal(world.seen[0], world.seen[3]);
    clean(NULL);
    world.slow = true;
    world.failures = 1000;
    assert_int_equal(type("alliance redemptions run slow.csv --parallel 1"), OUTCOME_FAILED);
    assert_says(errors, "error: TRY_AGAIN: ");
    assert_says(errors, "run the same command again");
    assert_says(out, "hold    OK          1\n"); /* the other was answered all the same */
}

/* A message too large to be sent goes in two; a row that is too large by itself is refused, and no other. */
static void test_large_rows_go_in_smaller_calls(void **state)
{
    static char more[64 * 1024];
    int n = 0;

    (void)state;
    for (int i = 0; i < 3; i++)
        n += snprintf(more + n, sizeof more - (size_t)n, "hold,x%d,b,big-%d,shop-1,%0*d,10,\n", i, i, 20000, 0);
    write_holds("large.csv", "m-", 97, more);
    world.room = 50000;
    assert_int_equal(type("alliance redemptions run large.csv --parallel 1"), OUTCOME_DONE);
    assert_says(out, "hold    OK        100\n");
    assert_int_equal(world.messages, 7); /* of 50, 25, 12, 6, 3, 2 and 2 rows */
    assert_int_equal(world.seen_count, 100);
    clean(NULL);
    world.room = 15000;
    assert_int_equal(type("alliance redemptions run large.csv --parallel 1"), OUTCOME_REFUSED);
    assert_says(out, "hold    OK                    97\n");
    assert_says(out, "hold    MESSAGE_TOO_LARGE      3\n");
    assert_int_equal(world.seen_count, 97);
}

static void test_a_server_that_stays_away_stops_the_run(void **state)
{
    (void)state;
    write_file("gone.csv", "action,key,member_bank,member_ref,merchant,store,points,goods_id\n"
                           "hold,k1,b,m-1,shop-1,,10,\n");
    world.failures = 1000;
    assert_int_equal(type("alliance redemptions run gone.csv"), OUTCOME_FAILED);
    assert_says(errors, "error: TRY_AGAIN: ");
    assert_says(errors, "run the same command again");
    world.failures = 0;
    assert_int_equal(type("alliance redemptions run gone.csv"), OUTCOME_DONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_ping_says_who, clean),
        cmocka_unit_test_setup(test_errors_say_what_to_do, clean),
        cmocka_unit_test_setup(test_rows_are_counted_and_refused_one_by_one, clean),
        cmocka_unit_test_setup(test_long_files_go_in_messages_of_500, clean),
        cmocka_unit_test_setup(test_a_message_is_sent_again, clean),
        cmocka_unit_test_setup(test_verdicts_that_lack_are_an_error, clean),
        cmocka_unit_test_setup(test_merchants_are_imported_whole, clean),
        cmocka_unit_test_setup(test_all_pages_are_one_list, clean),
        cmocka_unit_test_setup(test_a_request_id_is_shown_before_the_call, clean),
        cmocka_unit_test_setup(test_lines_cards_and_one_step, clean),
        cmocka_unit_test_setup(test_a_batch_and_the_same_again, clean),
        cmocka_unit_test_setup(test_a_members_rows_arrive_in_order, clean),
        cmocka_unit_test_setup(test_a_file_redeems_in_one_step, clean),
        cmocka_unit_test_setup(test_many_rows_go_in_one_call, clean),
        cmocka_unit_test_setup(test_a_row_is_sent_again_by_itself, clean),
        cmocka_unit_test_setup(test_large_rows_go_in_smaller_calls, clean),
        cmocka_unit_test_setup(test_a_server_that_stays_away_stops_the_run, clean),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
