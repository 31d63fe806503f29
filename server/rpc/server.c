#include "rpc/rpc.h"

#include "rpc/credentials.h"
#include "rpc/descriptors.h"
#include "rpc/health.h"
#include "rpc/internal.h"
#include "rpc/listener.h"

#include <grpc/grpc_security.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    IN_FLIGHT_DEFAULT = 8192,
    RECEIVE_MAX = 4 * MESSAGE_MAX, /* what is larger the core refuses without a reason word; up to here we do */
    SEND_MAX = 16 * MESSAGE_MAX,
    QUOTA_BYTES = 256 * 1024 * 1024,
};

static const struct {
    const char *key;
    int value;
} arguments[] = {
    { GRPC_ARG_ALLOW_REUSEPORT, 0 }, /* or a second server would take half of the connections, silently */
    { GRPC_ARG_MAX_CONCURRENT_STREAMS, STREAMS_MAX },
    { GRPC_ARG_MAX_METADATA_SIZE, METADATA_MAX },
    { GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH, RECEIVE_MAX },
    { GRPC_ARG_MAX_SEND_MESSAGE_LENGTH, SEND_MAX },
    { GRPC_ARG_ENABLE_PER_MESSAGE_DECOMPRESSION, 0 }, /* inflate.c does it with a bound */
    { GRPC_ARG_KEEPALIVE_TIME_MS, 30000 },
    { GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 10000 },
    { GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1 },
    { GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 10000 },
    { GRPC_ARG_HTTP2_MAX_PING_STRIKES, 2 },
    { GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, 10000 },
    { GRPC_ARG_MAX_CONNECTION_AGE_MS, 30 * 60 * 1000 }, /* so that a new certificate or CA reaches every caller */
    { GRPC_ARG_MAX_CONNECTION_AGE_GRACE_MS, 60 * 1000 },
    { GRPC_ARG_ENABLE_CHANNELZ, 0 },
};

static grpc_server *make_core(void)
{
    grpc_arg args[COUNT(arguments) + 1];
    grpc_resource_quota *quota = grpc_resource_quota_create("server");

    grpc_resource_quota_resize(quota, QUOTA_BYTES);
    for (size_t i = 0; i < COUNT(arguments); i++)
        args[i] = (grpc_arg){ .type = GRPC_ARG_INTEGER,
                              .key = (char *)(uintptr_t)arguments[i].key,
                              .value.integer = arguments[i].value };
    args[COUNT(arguments)] = (grpc_arg){ .type = GRPC_ARG_POINTER,
                                         .key = (char *)(uintptr_t)GRPC_ARG_RESOURCE_QUOTA,
                                         .value.pointer = { quota, grpc_resource_quota_arg_vtable() } };
    grpc_channel_args all = { COUNT(args), args };
    grpc_server *core = grpc_server_create(&all, NULL);
    grpc_resource_quota_unref(quota);
    return core;
}

static grpc_completion_queue *make_queue(grpc_server *core, grpc_cq_polling_type polling)
{
    grpc_completion_queue_attributes kind = { .version = GRPC_CQ_CURRENT_VERSION,
                                              .cq_completion_type = GRPC_CQ_NEXT,
                                              .cq_polling_type = polling };
    grpc_completion_queue *queue =
        grpc_completion_queue_create(grpc_completion_queue_factory_lookup(&kind), &kind, NULL);

    grpc_server_register_completion_queue(core, queue, NULL);
    return queue;
}

static void register_methods(struct rpc_server *server)
{
    for (size_t i = 0; i < server->method_count; i++) {
        struct rpc_method *method = &server->methods[i];
        bool payload = method->kind == RPC_UNARY || method->kind == RPC_SERVER_STREAM;
        method->handle =
            grpc_server_register_method(server->core, method->path, NULL,
                                        payload ? GRPC_SRM_PAYLOAD_READ_INITIAL_BYTE_BUFFER : GRPC_SRM_PAYLOAD_NONE, 0);
    }
}

static bool bind_port(struct rpc_server *server, struct error *err)
{
    const struct rpc_options *options = &server->options;

    if (!credentials_open(options->ca_file, options->cert_file, options->key_file, &server->credentials, err))
        return false;
    listener_limit(options->connections_per_address_max);
    grpc_server_credentials *credentials = credentials_make(server->credentials);
    server->port = grpc_server_add_http2_port(server->core, options->address, credentials);
    grpc_server_credentials_release(credentials);
    return server->port != 0 ||
           error_set(err, REASON_SETTING_INVALID, "cannot listen on %s: the address is taken, or %s and %s do not fit",
                     options->address, options->cert_file, options->key_file);
}

static void set_defaults(struct rpc_options *options)
{
    if (options->in_flight_max <= 0)
        options->in_flight_max = IN_FLIGHT_DEFAULT;
    if (options->connections_per_address_max <= 0)
        options->connections_per_address_max = CONNECTIONS_PER_ADDRESS_MAX;
}

static bool open_all(struct rpc_server *server, const struct service *const *services, size_t count, struct error *err)
{
    server->health = health_new();
    if (!server->health)
        return error_set(err, REASON_INTERNAL, "out of memory");
    if (!rpc_table_build(server, services, count, err))
        return false;
    server->core = make_core();
    server->io = make_queue(server->core, GRPC_CQ_DEFAULT_POLLING);
    server->streams = make_queue(server->core, GRPC_CQ_NON_POLLING);
    register_methods(server);
    return bind_port(server, err);
}

bool rpc_server_open(const struct rpc_options *options, const struct service *const *services, size_t count,
                     struct office *office, struct rpc_server **server, struct error *err)
{
    struct rpc_server *made = calloc(1, sizeof *made);
    pthread_condattr_t monotonic;

    *server = NULL;
    if (!made)
        return error_set(err, REASON_INTERNAL, "out of memory");
    rpc_core_init(options->on_core_log);
    made->options = *options;
    made->office = office;
    set_defaults(&made->options);
    rpc_outbox_init(made);
    pthread_mutex_init(&made->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&made->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    bool good = open_all(made, services, count, err);
    made->options.address = made->options.ca_file = made->options.cert_file = made->options.key_file = NULL;
    if (!good) {
        rpc_server_close(made);
        return false;
    }
    *server = made;
    return true;
}

int rpc_server_port(const struct rpc_server *server)
{
    return server->port;
}

static void *run_queue(grpc_completion_queue *queue)
{
    for (;;) {
        grpc_event event = grpc_completion_queue_next(queue, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL);
        if (event.type == GRPC_QUEUE_SHUTDOWN)
            return NULL;
        if (event.type == GRPC_OP_COMPLETE) {
            struct rpc_tag *tag = event.tag;
            atomic_load_explicit(&tag->complete, memory_order_acquire)(tag, event.success != 0);
        }
    }
}

static void *run_io(void *argument)
{
    struct rpc_server *server = argument;

    rpc_outbox_serve(server);
    return run_queue(server->io);
}

static void *run_streams(void *argument)
{
    return run_queue(((struct rpc_server *)argument)->streams);
}

static bool run(struct rpc_server *server, pthread_t *thread, bool *running, void *(*of)(void *server),
                const char *name, struct error *err)
{
    *running = pthread_create(thread, NULL, of, server) == 0;
    if (!*running)
        return error_set(err, REASON_INTERNAL, "cannot make a thread");
    pthread_setname_np(*thread, name);
    return true;
}

bool rpc_server_start(struct rpc_server *server, struct error *err)
{
    grpc_server_start(server->core);
    rpc_accept_all(server);
    return run(server, &server->io_thread, &server->io_running, run_io, "rpc-io", err) &&
           run(server, &server->streams_thread, &server->streams_running, run_streams, "rpc-streams", err);
}

struct rpc_stats rpc_server_stats(struct rpc_server *server)
{
    pthread_mutex_lock(&server->lock);
    struct rpc_stats stats = { .calls = server->calls, .in_flight = server->live };
    pthread_mutex_unlock(&server->lock);
    return stats;
}

void rpc_server_set_serving(struct rpc_server *server, bool serving)
{
    health_set(server->health, serving);
}

static void on_shut_down(struct rpc_tag *tag, bool ok)
{
    struct rpc_server *server = (struct rpc_server *)(void *)((char *)tag - offsetof(struct rpc_server, shutdown));

    (void)ok;
    pthread_mutex_lock(&server->lock);
    server->shut_down = true;
    pthread_cond_broadcast(&server->changed);
    pthread_mutex_unlock(&server->lock);
}

static struct timespec after_ms(int64_t ms)
{
    struct timespec at;

    clock_gettime(CLOCK_MONOTONIC, &at);
    at.tv_sec += ms / 1000;
    at.tv_nsec += ms % 1000 * 1000000;
    if (at.tv_nsec >= 1000000000) {
        at.tv_sec++;
        at.tv_nsec -= 1000000000;
    }
    return at;
}

/* Until the core is done with every call and so are we; false when that takes longer. */
static bool wait_quiet(struct rpc_server *server, const struct timespec *until)
{
    bool quiet = false, late = false;

    pthread_mutex_lock(&server->lock);
    while (!(quiet = server->shut_down && server->live == 0) && !late)
        late = (until ? pthread_cond_timedwait(&server->changed, &server->lock, until)
                      : pthread_cond_wait(&server->changed, &server->lock)) != 0;
    pthread_mutex_unlock(&server->lock);
    return quiet;
}

static void begin_shutdown(struct rpc_server *server)
{
    atomic_store(&server->draining, true);
    rpc_tag_set(&server->shutdown, on_shut_down);
    grpc_server_shutdown_and_notify(server->core, server->io, &server->shutdown);
}

void rpc_server_drain(struct rpc_server *server, int64_t grace_ms)
{
    struct timespec until = after_ms(grace_ms);

    server->drained = true;
    health_drain(server->health);
    begin_shutdown(server);
    if (!wait_quiet(server, &until)) {
        grpc_server_cancel_all_calls(server->core);
        wait_quiet(server, NULL);
    }
}

/* After the last call: a batch on a queue that was shut down aborts the process. */
static void stop_queue(grpc_completion_queue *queue, pthread_t thread, bool running)
{
    grpc_completion_queue_shutdown(queue);
    if (running)
        pthread_join(thread, NULL);
    else
        run_queue(queue);
}

static void close_core(struct rpc_server *server)
{
    if (server->streams_running && !server->drained)
        rpc_server_drain(server, 0);
    else if (!server->drained)
        begin_shutdown(server); /* bound but never ran: nobody is served */
    stop_queue(server->io, server->io_thread, server->io_running);
    stop_queue(server->streams, server->streams_thread, server->streams_running);
    grpc_server_destroy(server->core);
    grpc_completion_queue_destroy(server->io);
    grpc_completion_queue_destroy(server->streams);
}

void rpc_server_close(struct rpc_server *server)
{
    if (!server)
        return;
    if (server->core)
        close_core(server);
    rpc_pool_release(server);
    credentials_close(server->credentials);
    descriptors_free(server->descriptors);
    health_free(server->health);
    pthread_cond_destroy(&server->changed);
    pthread_mutex_destroy(&server->lock);
    free(server->methods);
    free(server);
    rpc_core_shutdown();
}
