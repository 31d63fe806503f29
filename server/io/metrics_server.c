#include "io/metrics_server.h"

#include "io/file.h"
#include "io/settings.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

enum { CONNECTIONS_MAX = 16, IDLE_SECONDS = 10, REQUEST_BYTES = 8192 };

struct metrics_server {
    const struct metrics *metrics;
    metrics_health *health;
    void *owner;
    struct MHD_Daemon *daemon;
};

/* text is freed by the response when it was made by malloc. */
static enum MHD_Result answer(struct MHD_Connection *connection, unsigned status, char *text, size_t size,
                              enum MHD_ResponseMemoryMode mode, const char *type)
{
    struct MHD_Response *response = MHD_create_response_from_buffer(size, text, mode);

    if (!response)
        return MHD_NO;
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
    enum MHD_Result result = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result answer_word(struct MHD_Connection *connection, unsigned status, char *word)
{
    return answer(connection, status, word, strlen(word), MHD_RESPMEM_PERSISTENT, "text/plain; charset=utf-8");
}

static enum MHD_Result show_metrics(struct metrics_server *server, struct MHD_Connection *connection)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    if (!out)
        return MHD_NO;
    metrics_print(server->metrics, out);
    if (fclose(out) != 0) {
        free(text);
        return MHD_NO;
    }
    return answer(connection, MHD_HTTP_OK, text, size, MHD_RESPMEM_MUST_FREE,
                  "text/plain; version=0.0.4; charset=utf-8");
}

static enum MHD_Result show_health(struct metrics_server *server, struct MHD_Connection *connection)
{
    static char ok[] = "ok\n", not_ready[] = "not ready\n";
    bool healthy = !server->health || server->health(server->owner);

    return answer_word(connection, healthy ? MHD_HTTP_OK : MHD_HTTP_SERVICE_UNAVAILABLE, healthy ? ok : not_ready);
}

static const struct {
    const char *path;
    enum MHD_Result (*show)(struct metrics_server *server, struct MHD_Connection *connection);
} pages[] = {
    { "/metrics", show_metrics },
    { "/healthz", show_health },
};

static enum MHD_Result handle(void *owner, struct MHD_Connection *connection, const char *path, const char *method,
                              const char *version, const char *body, size_t *body_size, void **state)
{
    static char not_found[] = "not found\n", only_get[] = "only GET\n";

    (void)version, (void)body, (void)state;
    if (strcmp(method, MHD_HTTP_METHOD_GET) != 0) {
        *body_size = 0;
        return answer_word(connection, MHD_HTTP_METHOD_NOT_ALLOWED, only_get);
    }
    for (size_t i = 0; i < COUNT(pages); i++) {
        if (strcmp(path, pages[i].path) == 0)
            return pages[i].show(owner, connection);
    }
    return answer_word(connection, MHD_HTTP_NOT_FOUND, not_found);
}

union any_address {
    struct sockaddr generic;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

static bool parse_listen(const char *listen, union any_address *address)
{
    char host[SETTINGS_HOST];
    uint16_t port;

    memset(address, 0, sizeof *address);
    if (!settings_split_address(listen, host, &port))
        return false;
    address->v4.sin_family = AF_INET;
    address->v4.sin_port = htons(port);
    if (inet_pton(AF_INET, host, &address->v4.sin_addr) == 1)
        return true;
    address->v6.sin6_family = AF_INET6;
    address->v6.sin6_port = htons(port);
    return inet_pton(AF_INET6, host, &address->v6.sin6_addr) == 1;
}

static struct MHD_Daemon *start(struct metrics_server *server, const union any_address *address)
{
    unsigned flags = MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL;

    if (address->generic.sa_family == AF_INET6)
        flags |= MHD_USE_IPv6;
    return MHD_start_daemon(flags, 0, NULL, NULL, handle, server, MHD_OPTION_SOCK_ADDR, &address->generic,
                            MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT,
                            (unsigned)IDLE_SECONDS, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)REQUEST_BYTES,
                            MHD_OPTION_END);
}

bool metrics_server_start(const struct metrics *metrics, const char *listen, const char *port_file,
                          metrics_health *health, void *owner, uint16_t *port, struct metrics_server **server,
                          struct error *err)
{
    union any_address address;

    if (!parse_listen(listen, &address))
        return error_set(err, REASON_SETTING_INVALID, "metrics_listen: %.60s is not an address and a port", listen);
    struct metrics_server *made = calloc(1, sizeof *made);
    if (!made)
        return error_set(err, REASON_INTERNAL, "no memory for the metrics server");
    *made = (struct metrics_server){ metrics, health, owner, NULL };
    made->daemon = start(made, &address);
    if (!made->daemon) {
        free(made);
        return error_set(err, REASON_SETTING_INVALID, "metrics_listen: cannot listen on %.60s", listen);
    }
    *server = made;
    *port = MHD_get_daemon_info(made->daemon, MHD_DAEMON_INFO_BIND_PORT)->port;
    return file_write_port(port_file, *port, err);
}

void metrics_server_stop(struct metrics_server *server)
{
    if (!server)
        return;
    MHD_stop_daemon(server->daemon);
    free(server);
}
