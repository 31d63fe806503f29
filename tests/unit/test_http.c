/* tests/unit/test_http.c -- exchanges with a server in this process, and the places that are never connected to. */
#include "io/clock.h"
#include "io/http.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <arpa/inet.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* The server: /echo gives the body back, /header the X-Test header, /status/NNN that status, /big/N that many bytes. */
struct server {
    struct MHD_Daemon *daemon;
    uint16_t port;
    _Atomic int requests;
};

struct upload {
    char bytes[4096];
    size_t size;
};

static enum MHD_Result respond(struct MHD_Connection *connection, unsigned status, const void *bytes, size_t size)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(size, (void *)(uintptr_t)bytes, MHD_RESPMEM_MUST_COPY);

    MHD_add_response_header(response, "Location", "/echo");
    if (status == 429)
        MHD_add_response_header(response, "Retry-After", "7");
    enum MHD_Result result = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result finish(struct MHD_Connection *connection, const char *path, const struct upload *upload)
{
    static char large[HTTP_BODY_MAX + 1];
    unsigned number;

    if (sscanf(path, "/status/%u", &number) == 1)
        return respond(connection, number, "", 0);
    if (sscanf(path, "/big/%u", &number) == 1)
        return respond(connection, 200, large, number);
    if (strcmp(path, "/header") == 0) {
        const char *seen = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "X-Test");
        return respond(connection, 200, seen ? seen : "", seen ? strlen(seen) : 0);
    }
    return respond(connection, 200, upload->bytes, upload->size);
}

static enum MHD_Result handle(void *owner, struct MHD_Connection *connection, const char *path, const char *method,
                              const char *version, const char *body, size_t *size, void **state)
{
    struct server *server = owner;
    struct upload *upload = *state;

    (void)method, (void)version;
    if (!upload) {
        *state = calloc(1, sizeof *upload);
        atomic_fetch_add(&server->requests, 1);
        return MHD_YES;
    }
    if (*size == 0)
        return finish(connection, path, upload);
    assert_true(upload->size + *size <= sizeof upload->bytes);
    memcpy(upload->bytes + upload->size, body, *size);
    upload->size += *size;
    *size = 0;
    return MHD_YES;
}

static void completed(void *owner, struct MHD_Connection *connection, void **state, enum MHD_RequestTerminationCode how)
{
    (void)owner, (void)connection, (void)how;
    free(*state);
}

static int start(void **state)
{
    static struct server server;
    struct sockaddr_in address = { .sin_family = AF_INET };

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    server.daemon =
        MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL, 0, NULL, NULL, handle, &server,
                         MHD_OPTION_SOCK_ADDR, &address, MHD_OPTION_NOTIFY_COMPLETED, completed, NULL, MHD_OPTION_END);
    if (!server.daemon)
        return -1;
    server.port = MHD_get_daemon_info(server.daemon, MHD_DAEMON_INFO_BIND_PORT)->port;
    *state = &server;
    return 0;
}

static int stop(void **state)
{
    MHD_stop_daemon(((struct server *)*state)->daemon);
    return 0;
}

static struct http_client *client_with(bool allow_loopback, int64_t timeout_ms)
{
    const struct http_options options = { .timeout_ms = timeout_ms, .allow_loopback = allow_loopback };
    struct http_client *client = http_new(&options);

    assert_non_null(client);
    return client;
}

static bool get(struct http_client *client, const struct server *server, const char *path,
                struct http_response *response, struct error *err)
{
    char url[128];
    struct http_request request = { .url = url };

    snprintf(url, sizeof url, "http://127.0.0.1:%u%s", server->port, path);
    *err = (struct error){ 0 };
    return http_exchange(client, &request, response, err);
}

static void a_post_is_answered(void **state)
{
    struct server *server = *state;
    struct http_client *client = client_with(true, 5000);
    struct http_response response;
    struct error err;
    char url[64];
    struct http_request request = { .url = url, .headers = { "Content-Type: application/json", "X-Test: 1" } };

    snprintf(url, sizeof url, "http://127.0.0.1:%u/echo", server->port);
    request.body = "{\"a\":1}";
    request.body_size = 7;
    assert_true(http_exchange(client, &request, &response, &err));
    assert_int_equal(response.status, 200);
    assert_string_equal(response.body, "{\"a\":1}");
    request.body_size = 0; /* an empty POST is still one */
    assert_true(http_exchange(client, &request, &response, &err));
    assert_int_equal(response.body_size, 0);
    snprintf(url, sizeof url, "http://127.0.0.1:%u/header", server->port);
    request.body = NULL;
    assert_true(http_exchange(client, &request, &response, &err));
    assert_string_equal(response.body, "1");
    http_free(client);
}

static void every_status_is_an_answer_and_redirects_are_not_followed(void **state)
{
    static const int statuses[] = { 201, 302, 404, 410, 429, 503 };
    struct server *server = *state;
    struct http_client *client = client_with(true, 5000);
    struct http_response response;
    struct error err;
    char path[32];

    for (size_t i = 0; i < COUNT(statuses); i++) {
        int before = atomic_load(&server->requests);
        snprintf(path, sizeof path, "/status/%d", statuses[i]);
        assert_true(get(client, server, path, &response, &err));
        assert_int_equal(response.status, statuses[i]);
        assert_int_equal(response.retry_after_s, statuses[i] == 429 ? 7 : 0);
        assert_int_equal(atomic_load(&server->requests), before + 1);
    }
    http_free(client);
}

static void an_answer_has_a_greatest_size(void **state)
{
    struct http_client *client = client_with(true, 5000);
    struct http_response response;
    struct error err;
    char path[32];

    snprintf(path, sizeof path, "/big/%d", HTTP_BODY_MAX);
    assert_true(get(client, *state, path, &response, &err));
    assert_int_equal(response.body_size, HTTP_BODY_MAX);
    snprintf(path, sizeof path, "/big/%d", HTTP_BODY_MAX + 1);
    assert_false(get(client, *state, path, &response, &err));
    assert_int_equal(err.reason, REASON_PARTNER_UNREACHABLE);
    assert_string_equal(error_text(&err), "the answer is too large");
    assert_true(get(client, *state, "/status/200", &response, &err));
    http_free(client);
}

static void a_silent_partner_is_given_up(void **state)
{
    struct server server = { 0 };
    struct sockaddr_in address = { .sin_family = AF_INET };
    socklen_t size = sizeof address;
    struct http_client *client = client_with(true, 200);
    struct http_response response;
    struct error err;
    int listener = socket(AF_INET, SOCK_STREAM, 0);

    (void)state; /* a socket nobody accepts from: the connection is made, the answer never comes */
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(listener, 1), 0);
    getsockname(listener, (struct sockaddr *)&address, &size);
    server.port = ntohs(address.sin_port);
    int64_t before = clock_monotonic_us();
    assert_false(get(client, &server, "/", &response, &err));
    assert_true(clock_monotonic_us() - before < 5 * US_PER_SECOND);
    assert_int_equal(err.reason, REASON_PARTNER_UNREACHABLE);
    shutdown(listener, SHUT_RDWR);
    close(listener);
    assert_false(get(client, &server, "/", &response, &err));
    assert_int_equal(err.reason, REASON_PARTNER_UNREACHABLE);
    http_free(client);
}

static void a_header_cannot_be_smuggled_in(void **state)
{
    struct server *server = *state;
    struct http_client *client = client_with(true, 1000);
    struct http_response response;
    struct error err;
    struct http_request request = { .url = "http://127.0.0.1:1/", .headers = { "X-A: 1\r\nX-B: 2" } };
    int before = atomic_load(&server->requests);

    assert_false(http_exchange(client, &request, &response, &err));
    assert_int_equal(err.reason, REASON_INTERNAL);
    assert_int_equal(atomic_load(&server->requests), before);
    http_free(client);
}

static const struct {
    const char *story, *url;
    bool allow_loopback;
} refusals[] = {
    { "loopback is not allowed", "https://127.0.0.1:1/", false },
    { "loopback by IPv6", "https://[::1]:1/", false },
    { "loopback in disguise", "https://[::ffff:127.0.0.1]:1/", false },
    { "loopback as one number", "https://2130706433:1/", false },
    { "plain http anywhere", "http://127.0.0.1:1/", false },
    { "plain http to the public", "http://192.0.33.8/", true },
    { "private", "https://10.1.2.3/", true },
    { "cloud metadata", "http://169.254.169.254/latest/meta-data/", true },
    { "this host", "http://0.0.0.0/", true },
    { "a file", "file:///etc/passwd", true },
    { "another protocol", "gopher://127.0.0.1/", true },
    { "no URL", "", true },
};

static void some_places_are_never_connected_to(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(refusals); i++) {
        struct http_client *client = client_with(refusals[i].allow_loopback, 1000);
        const struct http_request request = { .url = refusals[i].url };
        struct http_response response;
        struct error err = { 0 };
        int64_t before = clock_monotonic_us();
        if (http_exchange(client, &request, &response, &err))
            fail_msg("%s: was connected to", refusals[i].story);
        assert_int_equal(err.reason, REASON_PARTNER_UNREACHABLE);
        assert_null(strstr(error_text(&err), "169.254"));
        assert_true(clock_monotonic_us() - before < US_PER_SECOND / 2); /* refused, not timed out */
        http_free(client);
    }
}

static const struct {
    const char *address;
    enum http_place place;
} places[] = {
    { "8.8.8.8", HTTP_PUBLIC },
    { "9.255.255.255", HTTP_PUBLIC },
    { "10.0.0.0", HTTP_SPECIAL },
    { "10.255.255.255", HTTP_SPECIAL },
    { "11.0.0.0", HTTP_PUBLIC },
    { "100.63.255.255", HTTP_PUBLIC },
    { "100.64.0.0", HTTP_SPECIAL },
    { "100.127.255.255", HTTP_SPECIAL },
    { "100.128.0.0", HTTP_PUBLIC },
    { "126.255.255.255", HTTP_PUBLIC },
    { "127.0.0.1", HTTP_LOOPBACK },
    { "127.255.255.255", HTTP_LOOPBACK },
    { "128.0.0.0", HTTP_PUBLIC },
    { "169.254.169.254", HTTP_SPECIAL },
    { "172.15.255.255", HTTP_PUBLIC },
    { "172.16.0.0", HTTP_SPECIAL },
    { "172.31.255.255", HTTP_SPECIAL },
    { "172.32.0.0", HTTP_PUBLIC },
    { "192.168.0.1", HTTP_SPECIAL },
    { "192.169.0.0", HTTP_PUBLIC },
    { "198.17.255.255", HTTP_PUBLIC },
    { "198.19.255.255", HTTP_SPECIAL },
    { "223.255.255.255", HTTP_PUBLIC },
    { "224.0.0.1", HTTP_SPECIAL },
    { "255.255.255.255", HTTP_SPECIAL },
    { "0.0.0.0", HTTP_SPECIAL },
    { "::1", HTTP_LOOPBACK },
    { "::", HTTP_SPECIAL },
    { "::7f00:1", HTTP_SPECIAL },
    { "::ffff:127.0.0.1", HTTP_LOOPBACK },
    { "::ffff:10.0.0.1", HTTP_SPECIAL },
    { "::ffff:8.8.8.8", HTTP_PUBLIC },
    { "64:ff9b::a00:1", HTTP_SPECIAL },
    { "2001:4860:4860::8888", HTTP_PUBLIC },
    { "2002:a00:1::", HTTP_SPECIAL },
    { "fbff::1", HTTP_PUBLIC },
    { "fc00::1", HTTP_SPECIAL },
    { "fdff::1", HTTP_SPECIAL },
    { "fe80::1", HTTP_SPECIAL },
    { "febf::1", HTTP_SPECIAL },
    { "ff02::1", HTTP_SPECIAL },
};

static void addresses_are_judged_at_their_edges(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(places); i++) {
        struct sockaddr_storage storage = { 0 };
        struct sockaddr_in *v4 = (struct sockaddr_in *)&storage;
        struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&storage;
        bool is_v6 = strchr(places[i].address, ':');
        storage.ss_family = is_v6 ? AF_INET6 : AF_INET;
        void *to = is_v6 ? (void *)&v6->sin6_addr : (void *)&v4->sin_addr;
        assert_int_equal(inet_pton(storage.ss_family, places[i].address, to), 1);
        if (http_place_of((struct sockaddr *)&storage) != places[i].place)
            fail_msg("%s is misjudged", places[i].address);
    }
    assert_int_equal(http_place_of(&(struct sockaddr){ .sa_family = AF_UNIX }), HTTP_SPECIAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_post_is_answered),
        cmocka_unit_test(every_status_is_an_answer_and_redirects_are_not_followed),
        cmocka_unit_test(an_answer_has_a_greatest_size),
        cmocka_unit_test(a_silent_partner_is_given_up),
        cmocka_unit_test(a_header_cannot_be_smuggled_in),
        cmocka_unit_test(some_places_are_never_connected_to),
        cmocka_unit_test(addresses_are_judged_at_their_edges),
    };

    return cmocka_run_group_tests(tests, start, stop);
}
