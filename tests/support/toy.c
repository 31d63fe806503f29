#include "toy.h"

#include "alliance/v1/bank_service.pb-c.h"
#include "alliance/v1/diagnostics_service.pb-c.h"
#include "alliance/v1/operator_service.pb-c.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

enum { ROWS_OF_SERVICE_MAX = 64 };

static struct toy *toy_of(struct call *call)
{
    return (struct toy *)(void *)call->office;
}

static void count(struct toy *toy, atomic_int *counter)
{
    pthread_mutex_lock(&toy->lock);
    ++*counter;
    pthread_cond_broadcast(&toy->changed);
    pthread_mutex_unlock(&toy->lock);
}

static void keep(struct call *call, void (*answer)(struct call *call))
{
    struct toy *toy = toy_of(call);

    call_hold(call);
    pthread_mutex_lock(&toy->lock);
    toy->held[toy->held_count++] = (struct toy_held){ call, answer };
    pthread_cond_broadcast(&toy->changed);
    pthread_mutex_unlock(&toy->lock);
}

static void answer_ping(struct call *call)
{
    Alliance__V1__PingResponse response = ALLIANCE__V1__PING_RESPONSE__INIT;

    response.principal = call->principal.uri;
    call_reply(call, &response.base);
}

void toy_let_go(struct toy *toy)
{
    pthread_mutex_lock(&toy->lock);
    toy->may_go++;
    pthread_cond_broadcast(&toy->changed);
    pthread_mutex_unlock(&toy->lock);
}

static void wait_to_go(struct toy *toy)
{
    pthread_mutex_lock(&toy->lock);
    while (toy->may_go == 0)
        pthread_cond_wait(&toy->changed, &toy->lock);
    toy->may_go--;
    pthread_mutex_unlock(&toy->lock);
}

static bool ping(struct call *call, const ProtobufCMessage *message, struct error *err)
{
    const Alliance__V1__PingRequest *request = (const void *)message;
    const ProtobufCBinaryData *payload = &request->payload;
    Alliance__V1__PingResponse response = ALLIANCE__V1__PING_RESPONSE__INIT;
    bool word = payload->len == 4;

    count(toy_of(call), &toy_of(call)->handled);
    if (word && memcmp(payload->data, "fail", 4) == 0)
        return error_field(err, REASON_FIELD_INVALID, "payload", "the payload is %s", "fail");
    if (word && memcmp(payload->data, "busy", 4) == 0)
        return error_set(err, REASON_OVERLOADED, "%s", "");
    if (word && memcmp(payload->data, "mute", 4) == 0)
        return false;
    if (word && memcmp(payload->data, "wait", 4) == 0)
        wait_to_go(toy_of(call));
    if (word && memcmp(payload->data, "hold", 4) == 0) {
        keep(call, answer_ping);
        return true;
    }
    response.payload = *payload;
    response.principal = call->principal.uri;
    call_reply(call, &response.base);
    return true;
}

static void answer_no_members(struct call *call)
{
    Alliance__V1__PushMembersResponse response = ALLIANCE__V1__PUSH_MEMBERS_RESPONSE__INIT;

    call_write(call, &response.base);
}

static void push_verdicts(struct call *call, const Alliance__V1__PushMembersRequest *request)
{
    Alliance__V1__PushMembersResponse response = ALLIANCE__V1__PUSH_MEMBERS_RESPONSE__INIT;

    response.verdicts = arena_alloc(&call->arena, request->n_rows * sizeof(void *));
    for (size_t i = 0; i < request->n_rows; i++) {
        Alliance__V1__RowVerdict *verdict = arena_alloc(&call->arena, sizeof *verdict);
        alliance__v1__row_verdict__init(verdict);
        verdict->row_number = request->rows[i]->row_number;
        response.verdicts[response.n_verdicts++] = verdict;
    }
    call_write(call, &response.base);
}

/* The state is there to be freed once: a leak or a second close shows under a sanitizer. */
static bool push_members(struct call *call, const ProtobufCMessage *message, struct error *err)
{
    const Alliance__V1__PushMembersRequest *request = (const void *)message;

    if (!call->state)
        call->state = malloc(16);
    count(toy_of(call), &toy_of(call)->handled);
    if (!request)
        call_finish(call);
    else if (strcmp(request->bank_id, "fail") == 0)
        return error_field(err, REASON_NOT_YOURS, "bank_id", "%s", "");
    else if (strcmp(request->bank_id, "hold") == 0)
        keep(call, answer_no_members);
    else
        push_verdicts(call, request);
    return true;
}

static void close_stream(struct call *call)
{
    free(call->state);
    count(toy_of(call), &toy_of(call)->closed);
}

static bool import_merchants(struct call *call, const ProtobufCMessage *message, struct error *err)
{
    const Alliance__V1__RegisterMerchantRequest *request = (const void *)message;
    Alliance__V1__ImportMerchantsResponse response = ALLIANCE__V1__IMPORT_MERCHANTS_RESPONSE__INIT;

    if (!call->state)
        call->state = calloc(1, sizeof(int64_t));
    int64_t *created = call->state;
    count(toy_of(call), &toy_of(call)->handled);
    response.created = *created;
    if (!request) {
        call_reply(call, &response.base);
        return true;
    }
    const char *id = request->merchant ? request->merchant->merchant_id : "";
    if (strcmp(id, "fail") == 0)
        return error_set(err, REASON_MERCHANT_NOT_FOUND, "%s", "");
    ++*created;
    if (strcmp(id, "hold") == 0)
        keep(call, call_next);
    else
        call_next(call);
    return true;
}

static bool not_here(struct call *call, const ProtobufCMessage *message, struct error *err)
{
    (void)call;
    (void)message;
    return error_set(err, REASON_INTERNAL, "not a method of the toy");
}

static const struct method own_rows[] = {
    { "Ping", ROLE_ANY, ping, NULL },
    { "PushMembers", ROLE_BANK, push_members, close_stream },
    { "ImportMerchants", ROLE_OPERATOR, import_merchants, close_stream },
};

static const struct {
    const ProtobufCServiceDescriptor *descriptor;
    uint32_t roles;
} offered[] = {
    { &alliance__v1__diagnostics_service__descriptor, ROLE_ANY },
    { &alliance__v1__bank_service__descriptor, ROLE_BANK },
    { &alliance__v1__operator_service__descriptor, ROLE_OPERATOR },
};

static struct method row_for(const char *name, uint32_t roles)
{
    for (size_t i = 0; i < COUNT(own_rows); i++) {
        if (strcmp(own_rows[i].name, name) == 0)
            return own_rows[i];
    }
    return (struct method){ name, roles, not_here, NULL };
}

size_t toy_services(const struct service *const **services)
{
    static struct method rows[COUNT(offered)][ROWS_OF_SERVICE_MAX];
    static struct service made[COUNT(offered)];
    static const struct service *list[COUNT(offered)];

    for (size_t i = 0; i < COUNT(offered); i++) {
        const ProtobufCServiceDescriptor *descriptor = offered[i].descriptor;
        for (unsigned k = 0; k < descriptor->n_methods; k++)
            rows[i][k] = row_for(descriptor->methods[k].name, offered[i].roles);
        made[i] = (struct service){ descriptor, rows[i], descriptor->n_methods };
        list[i] = &made[i];
    }
    *services = list;
    return COUNT(offered);
}

static void on_done(void *owner, const struct rpc_done *done)
{
    struct toy *toy = owner;

    pthread_mutex_lock(&toy->lock);
    if (toy->done_count < TOY_DONE_MAX)
        toy->done[toy->done_count++] = done->reason;
    snprintf(toy->done_method, sizeof toy->done_method, "%s", done->method);
    snprintf(toy->done_principal, sizeof toy->done_principal, "%s", done->principal);
    snprintf(toy->done_peer, sizeof toy->done_peer, "%s", done->peer);
    pthread_cond_broadcast(&toy->changed);
    pthread_mutex_unlock(&toy->lock);
}

struct toy *toy_start(const struct rpc_options *changes)
{
    struct toy *toy = calloc(1, sizeof *toy);
    struct rpc_options options = changes ? *changes : (struct rpc_options){ 0 };
    const struct service *const *services;
    struct error err = { 0 };

    strcpy(toy->dir, "/tmp/toy-XXXXXX");
    assert_non_null(mkdtemp(toy->dir));
    pki_make(toy->dir);
    toy->files = pki_issue(toy->dir, NULL);
    pthread_mutex_init(&toy->lock, NULL);
    pthread_cond_init(&toy->changed, NULL);
    if (!options.address)
        options.address = "127.0.0.1:0";
    options.ca_file = toy->files.ca;
    options.cert_file = toy->files.cert;
    options.key_file = toy->files.key;
    options.on_done = on_done;
    options.owner = toy;
    size_t count_of_services = toy_services(&services);
    if (!rpc_server_open(&options, services, count_of_services, (struct office *)(void *)toy, &toy->server, &err) ||
        !rpc_server_start(toy->server, &err))
        fail_msg("%s: %s", reason_name(err.reason), error_text(&err));
    snprintf(toy->target, sizeof toy->target, "localhost:%d", rpc_server_port(toy->server));
    return toy;
}

void toy_stop(struct toy *toy)
{
    toy_answer(toy);
    rpc_server_close(toy->server);
    pki_remove(toy->dir);
    pthread_cond_destroy(&toy->changed);
    pthread_mutex_destroy(&toy->lock);
    free(toy);
}

struct client *toy_client_files(struct toy *toy, const struct pki_files *files, int channels)
{
    struct client *client;
    struct error err = { 0 };
    struct client_options options = {
        .target = toy->target,
        .ca_file = toy->files.ca,
        .cert_file = files ? files->cert : NULL,
        .key_file = files ? files->key : NULL,
        .channels = channels,
    };

    if (!client_open(&options, &client, &err))
        fail_msg("%s: %s", reason_name(err.reason), error_text(&err));
    return client;
}

struct client *toy_client(struct toy *toy, const char *uri)
{
    struct pki_files files = pki_issue(toy->dir, uri);
    struct client *client = toy_client_files(toy, &files, 1);
    struct error err = { 0 };

    if (!client_connect(client, TOY_WAIT_MS, &err))
        fail_msg("%s: %s", reason_name(err.reason), error_text(&err));
    return client;
}

static void wait_for(struct toy *toy, const atomic_int *counter, int wanted, const char *what)
{
    struct timespec until;
    bool late = false;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += TOY_WAIT_MS / 1000;
    pthread_mutex_lock(&toy->lock);
    while (*counter < wanted && !late)
        late = pthread_cond_timedwait(&toy->changed, &toy->lock, &until) != 0;
    int got = *counter;
    pthread_mutex_unlock(&toy->lock);
    if (got < wanted)
        fail_msg("waited for %d %s, saw %d", wanted, what, got);
}

void toy_wait_held(struct toy *toy, int wanted)
{
    wait_for(toy, &toy->held_count, wanted, "held calls");
}

void toy_wait_handled(struct toy *toy, int wanted)
{
    wait_for(toy, &toy->handled, wanted, "handled messages");
}

void toy_wait_closed(struct toy *toy, int wanted)
{
    wait_for(toy, &toy->closed, wanted, "closed streams");
}

void toy_wait_done(struct toy *toy, int wanted)
{
    wait_for(toy, &toy->done_count, wanted, "finished calls");
}

void toy_wait_reason(struct toy *toy, enum reason reason)
{
    for (int i = 0; i < TOY_DONE_MAX; i++) {
        toy_wait_done(toy, i + 1);
        pthread_mutex_lock(&toy->lock);
        enum reason got = toy->done[i];
        pthread_mutex_unlock(&toy->lock);
        if (got == reason)
            return;
    }
    fail_msg("no call ended with %s", reason_name(reason));
}

void toy_answer(struct toy *toy)
{
    for (int left = toy->held_count; left > 0; left--) {
        struct toy_held held = { 0 };
        pthread_mutex_lock(&toy->lock);
        if (toy->held_count)
            held = toy->held[--toy->held_count];
        pthread_mutex_unlock(&toy->lock);
        if (!held.call)
            return;
        held.answer(held.call);
        call_release(held.call);
    }
}

struct call *toy_first_held(struct toy *toy)
{
    toy_wait_held(toy, 1);
    pthread_mutex_lock(&toy->lock);
    struct call *call = toy->held[0].call;
    pthread_mutex_unlock(&toy->lock);
    return call;
}

struct client_status toy_ping(struct client *client, const char *payload, int64_t timeout_ms)
{
    CLEANUP(arena_release) struct arena arena = { 0 };
    Alliance__V1__PingRequest request = ALLIANCE__V1__PING_REQUEST__INIT;
    ProtobufCMessage *reply = NULL;
    struct client_status status;

    request.payload.data = (uint8_t *)(uintptr_t)payload;
    request.payload.len = strlen(payload);
    bool good = client_call_status(client, &alliance__v1__diagnostics_service__descriptor, "Ping", &request.base,
                                   timeout_ms, &arena, &reply, &status);
    assert_int_equal(good, status.code == STATUS_OK);
    return status;
}

void toy_check_reason(const struct client_status *status, enum reason wanted, const char *file, int line)
{
    const char *word = wanted == REASON_OK ? "" : reason_name(wanted);

    if (status->code == (int)reason_status(wanted) && strcmp(status->reason, word) == 0)
        return;
    print_error("wanted %s, got %s %s \"%s\"\n", reason_name(wanted), status_name(status->code), status->reason,
                status->message);
    _fail(file, line);
}

#ifdef __SANITIZE_THREAD__
/* What uninstrumented libraries do with memory is not looked at; tsan.supp names the rest. Asked by the sanitizer. */
const char *__tsan_default_options(void);
const char *__tsan_default_options(void)
{
    return "ignore_noninstrumented_modules=1";
}
#endif
