#include "rpc/health.h"

#include "grpc/health/v1/health.pb-c.h"

#include <stdlib.h>
#include <string.h>

enum {
    SERVING = GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVING,
    NOT_SERVING = GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__NOT_SERVING,
    SERVICE_UNKNOWN = GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVICE_UNKNOWN,
};

/* Its lock is taken before a call's, never while one is held. A watcher is listed, and held, until its call closes. */
struct health {
    pthread_mutex_t lock;
    bool serving, draining;
    struct rpc_call *watchers;
};

static bool known(const struct rpc_server *server, const char *service)
{
    size_t size = strlen(service);

    for (size_t i = 0; size && i < server->method_count; i++) {
        const char *path = server->methods[i].path + 1;
        if (strncmp(path, service, size) == 0 && path[size] == '/')
            return true;
    }
    return size == 0;
}

static Grpc__Health__V1__HealthCheckResponse response(int status)
{
    Grpc__Health__V1__HealthCheckResponse made = GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__INIT;

    made.status = (Grpc__Health__V1__HealthCheckResponse__ServingStatus)status;
    return made;
}

/* The lock is held. */
static int status_now(const struct health *health)
{
    return health->serving && !health->draining ? SERVING : NOT_SERVING;
}

static bool check(struct call *call, const ProtobufCMessage *message, struct error *err)
{
    const Grpc__Health__V1__HealthCheckRequest *request = (const void *)message;
    struct rpc_server *server = rpc_call_of(call)->server;

    if (!known(server, request->service))
        return error_set(err, REASON_SERVICE_NOT_FOUND, "%s", "");
    pthread_mutex_lock(&server->health->lock);
    Grpc__Health__V1__HealthCheckResponse answer = response(status_now(server->health));
    pthread_mutex_unlock(&server->health->lock);
    call_reply(call, &answer.base);
    return true;
}

static bool sending(struct rpc_call *call)
{
    pthread_mutex_lock(&call->lock);
    bool busy = call->run.sending;
    pthread_mutex_unlock(&call->lock);
    return busy;
}

/* What the watcher does not know yet, unless a message is on its way: then on_sent comes here again. Lock held. */
static void tell(struct health *health, struct rpc_call *call)
{
    int status = call->run.watched ? status_now(health) : SERVICE_UNKNOWN;

    if (sending(call))
        return;
    if (status != call->run.last_status) {
        Grpc__Health__V1__HealthCheckResponse answer = response(status);
        call->run.last_status = status;
        call_write(&call->call, &answer.base);
    }
    if (health->draining)
        call_finish(&call->call);
}

static void on_sent(struct rpc_call *call)
{
    struct health *health = call->server->health;

    pthread_mutex_lock(&health->lock);
    tell(health, call);
    pthread_mutex_unlock(&health->lock);
}

static void on_closed(struct rpc_call *call)
{
    struct health *health = call->server->health;

    pthread_mutex_lock(&health->lock);
    for (struct rpc_call **at = &health->watchers; *at; at = &(*at)->next) {
        if (*at == call) {
            *at = call->next;
            break;
        }
    }
    pthread_mutex_unlock(&health->lock);
    call_release(&call->call);
}

/* Never an error for a service that is not there: it might come. */
static bool watch(struct call *call, const ProtobufCMessage *message, struct error *err)
{
    const Grpc__Health__V1__HealthCheckRequest *request = (const void *)message;
    struct rpc_call *watcher = rpc_call_of(call);
    struct health *health = watcher->server->health;

    (void)err;
    call_hold(call);
    watcher->run.watched = known(watcher->server, request->service);
    watcher->run.last_status = -1;
    watcher->run.on_sent = on_sent;
    watcher->run.on_closed = on_closed;
    pthread_mutex_lock(&health->lock);
    watcher->next = health->watchers;
    health->watchers = watcher;
    tell(health, watcher);
    pthread_mutex_unlock(&health->lock);
    return true;
}

static const struct method methods[] = {
    { "Check", ROLE_ANY, check, NULL },
    { "Watch", ROLE_ANY, watch, NULL },
};
const struct service health_service = { &grpc__health__v1__health__descriptor, methods, COUNT(methods) };

struct health *health_new(void)
{
    struct health *health = calloc(1, sizeof *health);

    if (!health)
        return NULL;
    pthread_mutex_init(&health->lock, NULL);
    health->serving = true;
    return health;
}

void health_free(struct health *health)
{
    if (health)
        pthread_mutex_destroy(&health->lock);
    free(health);
}

static void change(struct health *health, bool serving, bool draining)
{
    pthread_mutex_lock(&health->lock);
    health->serving = serving;
    health->draining = health->draining || draining;
    for (struct rpc_call *call = health->watchers; call; call = call->next)
        tell(health, call);
    pthread_mutex_unlock(&health->lock);
}

void health_set(struct health *health, bool serving)
{
    change(health, serving, false);
}

void health_drain(struct health *health)
{
    change(health, false, true);
}
