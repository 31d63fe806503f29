#include "client/internal.h"

#include <dlfcn.h>
#include <grpc/grpc_security.h>
#include <grpc/support/time.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PEM_MAX = 256 * 1024, REPLY_MAX = 16 * 1024 * 1024, TARGET_MAX = 256 };

/*
 * Debian builds absl with its lock-order detector on: a tenth of every call's time, and an abort for a mere suspicion.
 * C cannot include its header, so the switch is looked up by its mangled name, and left alone where there is none.
 */
static void quiet_deadlock_detector(void)
{
    union {
        void *symbol;
        void (*set)(int mode);
    } detector = { dlsym(RTLD_DEFAULT, "_ZN4absl7debian329SetMutexDeadlockDetectionModeENS0_15OnDeadlockCycleE") };

    if (detector.symbol)
        detector.set(0);
}

static void close_file(FILE **file)
{
    if (*file)
        fclose(*file);
}

/* The whole file with a NUL after it, in the arena. A name of NULL gives NULL and is no error. */
static bool read_pem(const char *name, struct arena *arena, char **text, struct error *err)
{
    *text = NULL;
    if (!name)
        return true;
    CLEANUP(close_file) FILE *file = fopen(name, "re");
    char *buffer = arena_alloc(arena, PEM_MAX);
    if (!file || !buffer)
        return error_set(err, REASON_SETTING_INVALID, "cannot read %s", name);
    size_t size = fread(buffer, 1, PEM_MAX - 1, file);
    if (ferror(file) || size == 0 || size == PEM_MAX - 1)
        return error_set(err, REASON_SETTING_INVALID, "%s is empty, too long or cannot be read", name);
    *text = buffer;
    return true;
}

static void drop_credentials(grpc_channel_credentials **credentials)
{
    if (*credentials)
        grpc_channel_credentials_release(*credentials);
}

static bool make_credentials(const struct client_options *options, grpc_channel_credentials **credentials,
                             struct error *err)
{
    CLEANUP(arena_release) struct arena arena = { 0 };
    char *ca, *cert, *key;

    if (!options->ca_file) {
        *credentials = grpc_insecure_credentials_create();
        return true;
    }
    if (!read_pem(options->ca_file, &arena, &ca, err) || !read_pem(options->cert_file, &arena, &cert, err) ||
        !read_pem(options->key_file, &arena, &key, err))
        return false;
    grpc_ssl_pem_key_cert_pair pair = { .private_key = key, .cert_chain = cert };
    *credentials = grpc_ssl_credentials_create_ex(ca, key && cert ? &pair : NULL, NULL, NULL);
    return *credentials || error_set(err, REASON_SETTING_INVALID, "%s and %s are no usable certificates",
                                     options->ca_file, options->cert_file ? options->cert_file : "-");
}

static grpc_arg number(const char *key, int value)
{
    return (grpc_arg){ .type = GRPC_ARG_INTEGER, .key = (char *)(uintptr_t)key, .value.integer = value };
}

/* Where to connect, and the name the certificate must have there; NULL when the target says that already. */
struct place {
    char target[TARGET_MAX];
    const char *name;
};

/* c-ares, which the core would ask for localhost, tries ::1 first and forgets to free a little memory each time. */
static struct place place_of(const struct client_options *options)
{
    static const char local[] = "localhost:";
    struct place place = { .name = options->target_name };

    snprintf(place.target, sizeof place.target, "%s", options->target);
    if (strncmp(options->target, local, strlen(local)) == 0) {
        snprintf(place.target, sizeof place.target, "ipv4:127.0.0.1:%.5s", options->target + strlen(local));
        place.name = place.name ? place.name : "localhost";
    }
    return place;
}

static grpc_channel *open_channel(const struct client_options *options, grpc_channel_credentials *credentials)
{
    struct place place = place_of(options);
    int most = options->message_max ? options->message_max : REPLY_MAX;
    grpc_arg args[] = {
        number(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1), /* or the channels would share one connection */
        number(GRPC_ARG_ENABLE_RETRIES, 0),
        number(GRPC_ARG_ENABLE_CHANNELZ, 0),
        number(GRPC_ARG_ENABLE_HTTP_PROXY, 0),
        number(GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH, most),
        number(GRPC_ARG_MAX_SEND_MESSAGE_LENGTH, -1),
        number(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 200),
        number(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 5000),
        number(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 5000),
        { .type = GRPC_ARG_STRING, .key = (char *)(uintptr_t)GRPC_SSL_TARGET_NAME_OVERRIDE_ARG },
    };
    grpc_channel_args all = { COUNT(args) - (place.name ? 0 : 1), args };

    args[COUNT(args) - 1].value.string = (char *)(uintptr_t)place.name;
    return grpc_channel_create(place.target, credentials, &all);
}

bool client_open(const struct client_options *options, struct client **client, struct error *err)
{
    CLEANUP(drop_credentials) grpc_channel_credentials *credentials = NULL;
    struct client *made = calloc(1, sizeof *made);

    *client = NULL;
    if (!made)
        return error_set(err, REASON_INTERNAL, "out of memory");
    quiet_deadlock_detector();
    grpc_init();
    made->queue = grpc_completion_queue_create_for_next(NULL);
    if (!make_credentials(options, &credentials, err)) {
        client_close(made);
        return false;
    }
    size_t wanted = options->channels > 0 ? (size_t)options->channels : 1;
    while (made->channel_count < wanted && made->channel_count < CLIENT_CHANNELS_MAX)
        made->channels[made->channel_count++] = open_channel(options, credentials);
    *client = made;
    return true;
}

void client_close(struct client *client)
{
    if (!client)
        return;
    client_load_close(client);
    for (size_t i = 0; i < client->channel_count; i++)
        grpc_channel_destroy(client->channels[i]);
    for (size_t i = 0; i < client->method_count; i++)
        free(client->methods[i]);
    grpc_completion_queue_shutdown(client->queue);
    while (grpc_completion_queue_next(client->queue, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL).type !=
           GRPC_QUEUE_SHUTDOWN)
        ;
    grpc_completion_queue_destroy(client->queue);
    grpc_shutdown();
    free(client);
}

gpr_timespec client_deadline(int64_t timeout_ms)
{
    if (timeout_ms <= 0)
        return gpr_inf_past(GPR_CLOCK_MONOTONIC);
    return gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_millis(timeout_ms, GPR_TIMESPAN));
}

static bool wait_ready(grpc_channel *channel, grpc_completion_queue *queue, gpr_timespec deadline)
{
    for (;;) {
        grpc_connectivity_state state = grpc_channel_check_connectivity_state(channel, 1);
        if (state == GRPC_CHANNEL_READY)
            return true;
        grpc_channel_watch_connectivity_state(channel, state, deadline, queue, NULL);
        if (!grpc_completion_queue_next(queue, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL).success)
            return false;
    }
}

bool client_connect(struct client *client, int64_t timeout_ms, struct error *err)
{
    gpr_timespec deadline = client_deadline(timeout_ms);
    grpc_completion_queue *queue = grpc_completion_queue_create_for_next(NULL);
    bool ready = true;

    for (size_t i = 0; ready && i < client->channel_count; i++)
        ready = wait_ready(client->channels[i], queue, deadline);
    grpc_completion_queue_shutdown(queue);
    grpc_completion_queue_destroy(queue);
    return ready || error_set(err, REASON_TRY_AGAIN, "the server cannot be reached");
}

grpc_channel *client_next_channel(struct client *client)
{
    return client->channels[client->turn++ % client->channel_count];
}

bool client_path(const ProtobufCServiceDescriptor *service, const char *method, char path[CLIENT_PATH_MAX])
{
    int length = snprintf(path, CLIENT_PATH_MAX, "/%s/%s", service->name, method);

    return length > 0 && length < CLIENT_PATH_MAX;
}
