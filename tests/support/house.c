#include "house.h"

#include "engine/clerks.h"
#include "engine/lanes.h"
#include "engine/reference.h"
#include "io/clock.h"
#include "io/pb_json.h"
#include "service/rules_document.h"
#include "service/services.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

enum { JSON_MAX = 256 * 1024 };

static void must(bool good, const struct error *err)
{
    if (!good)
        fail_msg("%s: %s: %s", reason_name(err->reason), err->field, error_text(err));
}

/* Server */

static void open_office(struct house *house)
{
    struct office *office = &house->office;
    struct error err = { 0 };

    must(reference_open(house->db, rules_document_compile, &office->reference, &err), &err);
    const struct lanes_options options = {
        .conninfo = house->conninfo, .buckets = TEST_BUCKETS, .lanes = 2, .reference = office->reference
    };
    must(lanes_open(&options, &office->lanes, &err), &err);
    must(clerks_open(house->conninfo, 2, &office->clerks, &err), &err);
    atomic_store(&office->open, true);
}

static void serve(struct house *house)
{
    struct rpc_options options = {
        .address = "127.0.0.1:0",
        .ca_file = house->files.ca,
        .cert_file = house->files.cert,
        .key_file = house->files.key,
    };
    struct error err = { 0 };

    must(rpc_server_open(&options, services, service_count, &house->office, &house->server, &err), &err);
    must(rpc_server_start(house->server, &err), &err);
    snprintf(house->target, sizeof house->target, "localhost:%d", rpc_server_port(house->server));
}

struct house *house_open_shut(void)
{
    struct house *house = calloc(1, sizeof *house);
    struct error err = { 0 };
    uint8_t secret[32];

    assert_non_null(house);
    strcpy(house->dir, "/tmp/house-XXXXXX");
    assert_non_null(mkdtemp(house->dir));
    pki_make(house->dir);
    house->files = pki_issue(house->dir, NULL);
    database_make(house->conninfo);
    must(db_open(house->conninfo, &house->db, &err), &err);
    must(db_script(house->db, "SET timezone = 'UTC'", &err), &err);
    memset(secret, 7, sizeof secret);
    crypto_key_init(&house->key, secret);
    house->office.data_key = &house->key;
    house->office.hold_default_us = INT64_C(900) * US_PER_SECOND;
    house->office.adjust_limit_points = 10000;
    house->office.rules_lead_s = 3600;
    house->office.allow_loopback_partners = true;
    house->kept = json_array();
    serve(house);
    return house;
}

struct house *house_open(void)
{
    struct house *house = house_open_shut();

    open_office(house);
    return house;
}

void house_close(struct house *house)
{
    for (size_t i = 0; i < house->client_count; i++)
        client_close(house->clients[i].client);
    rpc_server_drain(house->server, 10000);
    if (house->office.lanes)
        lanes_close(house->office.lanes);
    clerks_close(house->office.clerks);
    rpc_server_close(house->server);
    reference_close(house->office.reference);
    db_close(house->db);
    database_drop(house->conninfo);
    pki_remove(house->dir);
    json_decref(house->kept);
    arena_release(&house->arena);
    free(house);
}

/* Calls */

static struct client *client_of(struct house *house, const char *party)
{
    struct error err = { 0 };
    char uri[100];

    snprintf(uri, sizeof uri, "alliance://%s", party);
    for (size_t i = 0; i < house->client_count; i++) {
        if (strcmp(house->clients[i].uri, uri) == 0)
            return house->clients[i].client;
    }
    assert_true(house->client_count < HOUSE_CLIENTS);
    struct pki_files files = pki_issue(house->dir, uri);
    struct client_options options = {
        .target = house->target, .ca_file = files.ca, .cert_file = files.cert, .key_file = files.key
    };
    struct client **client = &house->clients[house->client_count].client;
    must(client_open(&options, client, &err), &err);
    strcpy(house->clients[house->client_count++].uri, uri);
    return *client;
}

struct target {
    const ProtobufCServiceDescriptor *service;
    const ProtobufCMethodDescriptor *method;
};

/* No two services have a method of the same name. */
static struct target find(const char *method)
{
    for (size_t i = 0; i < service_count; i++) {
        const ProtobufCMethodDescriptor *found =
            protobuf_c_service_descriptor_get_method_by_name(services[i]->descriptor, method);
        if (found)
            return (struct target){ services[i]->descriptor, found };
    }
    fail_msg("no service has a method %s", method);
    return (struct target){ 0 };
}

static char *quoted(struct arena *arena, const char *format, va_list args)
{
    char *text = arena_alloc(arena, JSON_MAX);

    assert_non_null(text);
    assert_true(vsnprintf(text, JSON_MAX, format, args) < JSON_MAX);
    for (char *c = text; *c; c++)
        *c = *c == '\'' ? '"' : *c;
    return text;
}

static ProtobufCMessage *parse(struct arena *arena, const ProtobufCMessageDescriptor *type, const char *json)
{
    ProtobufCMessage *message;
    struct error err = { 0 };

    if (!pb_json_parse(type, json, strlen(json), arena, &message, &err))
        fail_msg("the test's own JSON: %s: %s", err.field, error_text(&err));
    return message;
}

static json_t *keep(struct house *house, const ProtobufCMessage *reply)
{
    struct error err = { 0 };
    json_error_t wrong;
    char *text;

    must(pb_json_format(reply, PB_JSON_DEFAULTS, &house->arena, &text, &err), &err);
    json_t *json = json_loads(text, 0, &wrong);
    assert_non_null(json);
    json_array_append_new(house->kept, json);
    return json;
}

static void assert_refused(const struct client_status *status, enum reason reason, const char *field)
{
    if (strcmp(status->reason, reason_name(reason)) != 0 || status->code != (int)reason_status(reason))
        fail_msg("expected %s, got %s (%s: %s: %s)", reason_name(reason), status->reason, status_name(status->code),
                 status->field, status->message);
    if (field)
        assert_string_equal(status->field, field);
}

json_t *house_ask(struct house *house, const char *party, const char *method, const char *format, ...)
{
    struct target target = find(method);
    struct client_status status;
    ProtobufCMessage *reply;
    va_list args;

    arena_reset(&house->arena);
    va_start(args, format);
    const char *json = quoted(&house->arena, format, args);
    va_end(args);
    if (!client_call_status(client_of(house, party), target.service, method,
                            parse(&house->arena, target.method->input, json), HOUSE_TIMEOUT_MS, &house->arena, &reply,
                            &status))
        fail_msg("%s by %s: %s: %s: %s", method, party, status.reason, status.field, status.message);
    return keep(house, reply);
}

void house_refused(struct house *house, const char *party, const char *method, enum reason reason, const char *field,
                   const char *format, ...)
{
    struct target target = find(method);
    struct client_status status;
    ProtobufCMessage *reply;
    va_list args;

    arena_reset(&house->arena);
    va_start(args, format);
    const char *json = quoted(&house->arena, format, args);
    va_end(args);
    if (client_call_status(client_of(house, party), target.service, method,
                           parse(&house->arena, target.method->input, json), HOUSE_TIMEOUT_MS, &house->arena, &reply,
                           &status))
        fail_msg("%s by %s should be refused with %s", method, party, reason_name(reason));
    assert_refused(&status, reason, field);
}

static struct client_stream *open_stream(struct house *house, const char *party, const struct target *target)
{
    struct client_stream *stream;
    struct error err = { 0 };

    must(client_stream_open(client_of(house, party), target->service, target->method->name, HOUSE_TIMEOUT_MS, &stream,
                            &err),
         &err);
    return stream;
}

/* Sends one message on a stream of its own; the answer, or NULL with the status. */
static ProtobufCMessage *exchange(struct house *house, const char *party, const char *method, const char *json,
                                  struct client_status *status)
{
    struct target target = find(method);
    struct client_stream *stream = open_stream(house, party, &target);
    ProtobufCMessage *reply = NULL;

    bool answered = client_stream_send(stream, parse(&house->arena, target.method->input, json)) &&
                    client_stream_receive(stream, target.method->output, &house->arena, &reply);
    client_stream_half_close(stream);
    return client_stream_finish(stream, status) && answered ? reply : NULL;
}

json_t *house_push(struct house *house, const char *party, const char *method, const char *format, ...)
{
    struct client_status status;
    va_list args;

    arena_reset(&house->arena);
    va_start(args, format);
    const char *json = quoted(&house->arena, format, args);
    va_end(args);
    ProtobufCMessage *reply = exchange(house, party, method, json, &status);
    if (!reply)
        fail_msg("%s by %s: %s: %s: %s", method, party, status.reason, status.field, status.message);
    return keep(house, reply);
}

void house_push_refused(struct house *house, const char *party, const char *method, enum reason reason,
                        const char *field, const char *format, ...)
{
    struct client_status status;
    va_list args;

    arena_reset(&house->arena);
    va_start(args, format);
    const char *json = quoted(&house->arena, format, args);
    va_end(args);
    assert_null(exchange(house, party, method, json, &status));
    assert_refused(&status, reason, field);
}

static ProtobufCMessage *send_all(struct house *house, const char *party, const char *method, const char *messages,
                                  struct client_status *status)
{
    struct target target = find(method);
    struct client_stream *stream = open_stream(house, party, &target);
    ProtobufCMessage *reply = NULL;
    char *text = arena_copy(&house->arena, messages, strlen(messages));

    for (char *c = text; *c; c++)
        *c = *c == '\'' ? '"' : *c;
    json_t *list = json_loads(text, 0, NULL);
    assert_non_null(list);
    for (size_t i = 0; i < json_array_size(list); i++) {
        char *one = json_dumps(json_array_get(list, i), 0);
        bool sent = client_stream_send(stream, parse(&house->arena, target.method->input, one));
        free(one);
        if (!sent)
            break;
    }
    json_decref(list);
    client_stream_half_close(stream);
    bool answered = client_stream_receive(stream, target.method->output, &house->arena, &reply);
    return client_stream_finish(stream, status) && answered ? reply : NULL;
}

json_t *house_send(struct house *house, const char *party, const char *method, const char *messages)
{
    struct client_status status;

    arena_reset(&house->arena);
    ProtobufCMessage *reply = send_all(house, party, method, messages, &status);
    if (!reply)
        fail_msg("%s by %s: %s: %s: %s", method, party, status.reason, status.field, status.message);
    return keep(house, reply);
}

void house_send_refused(struct house *house, const char *party, const char *method, enum reason reason,
                        const char *field, const char *messages)
{
    struct client_status status;

    arena_reset(&house->arena);
    assert_null(send_all(house, party, method, messages, &status));
    assert_refused(&status, reason, field);
}

/* Looking at what came */

static bool covers(const json_t *reply, const json_t *expected)
{
    const char *key;
    json_t *value;
    size_t i;

    if (json_is_object(expected)) {
        json_object_foreach((json_t *)(uintptr_t)expected, key, value)
        {
            if (!covers(json_object_get(reply, key), value))
                return false;
        }
        return json_is_object(reply);
    }
    if (!json_is_array(expected))
        return json_equal(reply, expected);
    if (json_array_size(reply) != json_array_size(expected))
        return false;
    json_array_foreach(expected, i, value)
    {
        if (!covers(json_array_get(reply, i), value))
            return false;
    }
    return json_is_array(reply);
}

void house_expect(const json_t *reply, const char *format, ...)
{
    CLEANUP(arena_release) struct arena arena = { 0 };
    json_error_t wrong;
    va_list args;

    va_start(args, format);
    const char *text = quoted(&arena, format, args);
    va_end(args);
    json_t *expected = json_loads(text, 0, &wrong);
    if (!expected)
        fail_msg("the test's own JSON: %s: %s", wrong.text, text);
    if (!covers(reply, expected))
        fail_msg("expected %s\ngot      %s", text, json_dumps(reply, 0));
    json_decref(expected);
}

const char *house_text(const json_t *reply, const char *path)
{
    const json_t *at = reply;
    char step[64];

    while (at && *path) {
        size_t n = strcspn(path, ".");
        snprintf(step, sizeof step, "%.*s", (int)n, path);
        at = json_is_array(at) ? json_array_get(at, strtoul(step, NULL, 10)) : json_object_get(at, step);
        path += n + (path[n] == '.');
    }
    if (!json_is_string(at))
        fail_msg("no text there in %s", json_dumps(reply, 0));
    return json_string_value(at);
}

const char *house_id(void)
{
    static char texts[64][UUID_TEXT];
    static size_t next;
    struct uuid id = crypto_uuid_v7(clock_now());
    char *text = texts[next++ % COUNT(texts)];

    uuid_format(&id, text);
    return text;
}

/* The database */

struct number_row {
    int64_t number;
};

/* A connection of its own, since a statement's name is its identity and this one differs every time. */
int64_t house_count(struct house *house, const char *sql)
{
    static const struct column columns[] = { COLUMN(struct number_row, number) };
    CLEANUP(arena_release) struct arena arena = { 0 };
    struct error err = { 0 };
    struct db *db;
    struct number_row row;
    bool found;
    char whole[2048];

    snprintf(whole, sizeof whole, "SELECT coalesce((%s)::int8, -1) AS number", sql);
    struct statement statement = { "house_count", whole, NULL, 0, columns, COUNT(columns), sizeof row };
    must(db_open(house->conninfo, &db, &err), &err);
    must(db_fetch_one(db, &statement, NULL, &arena, &row, &found, &err), &err);
    db_close(db);
    return row.number;
}

int64_t house_rows(struct house *house)
{
    return house_count(
        house,
        "SELECT (SELECT count(*) FROM programme) + (SELECT count(*) FROM bank) + (SELECT count(*) FROM merchant) "
        "+ (SELECT count(*) FROM store) + (SELECT count(*) FROM terms) + (SELECT count(*) FROM exchange_rules) "
        "+ (SELECT count(*) FROM exchange_rate) + (SELECT count(*) FROM carrier) + (SELECT count(*) FROM goods) "
        "+ (SELECT count(*) FROM account) + (SELECT count(*) FROM member_profile) "
        "+ (SELECT count(*) FROM member_change) + (SELECT count(*) FROM card) + (SELECT count(*) FROM journal) "
        "+ (SELECT count(*) FROM redemption) + (SELECT count(*) FROM operation) + (SELECT count(*) FROM accrual) "
        "+ (SELECT count(*) FROM outbox) + (SELECT reference_version FROM installation)");
}

void house_sql(struct house *house, const char *sql)
{
    struct error err = { 0 };

    must(db_script(house->db, sql, &err), &err);
}

/* The alliance of house_found */

static const struct {
    const char *party, *method, *request;
} founding[] = {
    { "operator/olga", "CreateProgramme",
      "{'programme': {'programmeId': 'demo', 'timeZone': 'UTC', 'sandbox': true, 'businessDate': '2026-01-15', "
      "'programmeTime': '2026-01-15T12:00:00Z'}}" },
    { "operator/olga", "CreateProgramme",
      "{'programme': {'programmeId': 'other', 'timeZone': 'UTC', 'sandbox': true, 'businessDate': '2026-01-15'}}" },
    { "operator/olga", "RegisterBank", "{'bank': {'bankId': 'bank-a', 'programmeId': 'demo', 'name': 'Bank A'}}" },
    { "operator/olga", "RegisterBank", "{'bank': {'bankId': 'bank-b', 'programmeId': 'demo', 'name': 'Bank B'}}" },
    { "operator/olga", "RegisterBank", "{'bank': {'bankId': 'bank-x', 'programmeId': 'other', 'name': 'Bank X'}}" },
    { "operator/olga", "RegisterMerchant",
      "{'merchant': {'merchantId': 'shop-1', 'programmeId': 'demo', 'name': 'Shop 1', 'stores': [{'storeId': 's-1', "
      "'name': 'One'}, {'storeId': 's-2', 'name': 'Two'}], 'terms': {'commissionBp': 100, 'settlementCurrency': "
      "'CNY'}}}" },
    { "operator/olga", "RegisterMerchant",
      "{'merchant': {'merchantId': 'shop-2', 'programmeId': 'demo', 'name': 'Shop 2', 'terms': {'commissionBp': 250, "
      "'settlementCurrency': 'CNY'}}}" },
    { "operator/olga", "RegisterMerchant",
      "{'merchant': {'merchantId': 'shop-x', 'programmeId': 'other', 'name': 'Shop X', 'terms': {'commissionBp': 0, "
      "'settlementCurrency': 'CNY'}}}" },
    { "operator/olga", "RegisterCarrier",
      "{'carrier': {'carrierId': 'swift', 'programmeId': 'demo', 'name': 'Swift', 'adapter': 'generic-json', "
      "'baseUrl': "
      "'http://127.0.0.1:9'}}" },
    { "operator/olga", "RegisterGood",
      "{'good': {'goodsId': 'kettle', 'merchantId': 'shop-1', 'name': 'Kettle', 'kind': 'GOODS_KIND_PHYSICAL', "
      "'price': "
      "{'currencyCode': 'CNY', 'amountMinor': '500'}, 'carrierId': 'swift'}}" },
};

void house_found(struct house *house)
{
    for (size_t i = 0; i < COUNT(founding); i++)
        house_ask(house, founding[i].party, founding[i].method, "%s", founding[i].request);
    house_ask(house, "bank/bank-a", "PublishExchangeRules",
              "{'requestId': '%s', 'rules': {'bankId': 'bank-a', 'rates': [{'currencyCode': 'CNY', 'conversionRate': "
              "{'num': 1, 'den': 1}, 'settlementRate': {'num': 7, 'den': 10}}], 'expiryMonths': 12, 'accrualRate': "
              "{'num': 1, 'den': 10}}}",
              house_id());
}

void house_member(struct house *house, const char *member_ref, int64_t points)
{
    static int count;
    json_t *reply =
        house_push(house, "bank/bank-a", "PushMembers",
                   "{'bankId': 'bank-a', 'rows': [{'rowNumber': 1, 'member': {'memberRef': '%s'}}]}", member_ref);

    house_expect(reply, "{'verdicts': [{'outcome': 'ROW_OUTCOME_CREATED'}]}");
    if (points == 0)
        return;
    reply =
        house_push(house, "bank/bank-a", "PushAccruals",
                   "{'bankId': 'bank-a', 'rows': [{'rowNumber': 1, 'transactionRef': 'start:%d', 'memberRef': '%s', "
                   "'amount': {'currencyCode': 'CNY', 'amountMinor': '%lld'}, 'transactionTime': "
                   "'2026-01-14T08:00:00Z'}]}",
                   ++count, member_ref, (long long)points * 10);
    house_expect(reply, "{'verdicts': [{'outcome': 'ROW_OUTCOME_CREATED', 'points': '%lld'}]}", (long long)points);
}

int house_type(struct house *house, const char *party, const char *line, char *printed, size_t room)
{
    char uri[100], whole[4096];

    snprintf(uri, sizeof uri, "alliance://%s", party);
    struct pki_files files = pki_issue(house->dir, uri);
    int n = snprintf(whole, sizeof whole, BINARY_DIR "/bin/%s --server %s --ca %s --cert %s --key %s 2>&1", line,
                     house->target, files.ca, files.cert, files.key);
    assert_in_range(n, 1, sizeof whole - 1);
    FILE *output = popen(whole, "r");
    assert_non_null(output);
    printed[fread(printed, 1, room - 1, output)] = '\0';
    int status = pclose(output);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}
