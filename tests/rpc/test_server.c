/* The server as a whole: what it refuses to start with, drain, certificates that change, descriptors used up. */
#include "toy.h"

#include "alliance/v1/bank_service.pb-c.h"
#include "alliance/v1/diagnostics_service.pb-c.h"
#include "grpc/health/v1/health.pb-c.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define TIMEOUT 10000

static int setup(void **state)
{
    *state = toy_start(NULL);
    return 0;
}

static int teardown(void **state)
{
    toy_stop(*state);
    return 0;
}

static bool never(struct call *call, const ProtobufCMessage *request, struct error *err)
{
    (void)call;
    (void)request;
    return error_set(err, REASON_INTERNAL, "%s", "");
}

/* What rpc_server_open says to one service with those rows, over the toy's files. */
static struct error open_with(struct toy *toy, const struct method *rows, size_t count)
{
    struct service service = { &alliance__v1__diagnostics_service__descriptor, rows, count };
    const struct service *services[] = { &service };
    struct rpc_options options = {
        .address = "127.0.0.1:0",
        .ca_file = toy->files.ca,
        .cert_file = toy->files.cert,
        .key_file = toy->files.key,
    };
    struct rpc_server *server;
    struct error err = { 0 };

    if (rpc_server_open(&options, services, 1, NULL, &server, &err))
        rpc_server_close(server); /* bound and never started */
    return err;
}

static void every_rpc_has_exactly_one_row(void **state)
{
    static const struct method row = { "Ping", ROLE_ANY, never, NULL };
    static const struct {
        const char *story;
        struct method rows[2];
        size_t count;
        const char *detail;
    } cases[] = {
        { "none", { { 0 } }, 0, "rpc alliance.v1.DiagnosticsService/Ping must have exactly one row" },
        { "twice",
          { { "Ping", ROLE_ANY, never, NULL }, { "Ping", ROLE_ANY, never, NULL } },
          2,
          "rpc alliance.v1.DiagnosticsService/Ping must have exactly one row" },
        { "no rpc of that name",
          { { "Ping", ROLE_ANY, never, NULL }, { "Pong", ROLE_ANY, never, NULL } },
          2,
          "row alliance.v1.DiagnosticsService/Pong has no rpc" },
        { "no handler",
          { { "Ping", ROLE_ANY, NULL, NULL } },
          1,
          "rpc alliance.v1.DiagnosticsService/Ping must have exactly one row" },
        { "nobody may call",
          { { "Ping", 0, never, NULL } },
          1,
          "rpc alliance.v1.DiagnosticsService/Ping must have exactly one row" },
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct error err = open_with(*state, cases[i].rows, cases[i].count);
        assert_int_equal(err.reason, REASON_SETTING_INVALID);
        assert_memory_equal(err.detail, cases[i].detail, strlen(cases[i].detail));
    }
    assert_int_equal(open_with(*state, &row, 1).reason, REASON_OK);
}

static void unusable_files_and_addresses_are_refused(void **state)
{
    struct toy *toy = *state;
    struct pki_files other = pki_issue(toy->dir, NULL);
    const struct rpc_options cases[] = {
        { .address = "127.0.0.1:0", .ca_file = "/no/ca", .cert_file = toy->files.cert, .key_file = toy->files.key },
        { .address = "127.0.0.1:0", .ca_file = toy->files.ca, .cert_file = NULL, .key_file = toy->files.key },
        { .address = "127.0.0.1:0", .ca_file = toy->files.ca, .cert_file = toy->files.cert, .key_file = other.key },
        { .address = "127.0.0.1:0", .ca_file = toy->files.ca, .cert_file = toy->files.key, .key_file = toy->files.key },
        { .address = toy->target, .ca_file = toy->files.ca, .cert_file = other.cert, .key_file = other.key },
        { .address = "nowhere", .ca_file = toy->files.ca, .cert_file = other.cert, .key_file = other.key },
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct rpc_server *server;
        struct error err = { 0 };
        assert_false(rpc_server_open(&cases[i], NULL, 0, NULL, &server, &err));
        assert_int_equal(err.reason, REASON_SETTING_INVALID);
        assert_null(server);
    }
}

struct tally {
    int good, bad;
    struct client_status last;
};

static void note(void *owner, const struct client_result *result)
{
    struct tally *tally = owner;

    if (result->status->code == STATUS_OK)
        tally->good++;
    else
        tally->bad++;
    tally->last = *result->status;
}

static void start_hold(struct client *client, struct tally *tally)
{
    const struct client_method *ping;
    struct error err = { 0 };

    assert_true(client_method(client, "/alliance.v1.DiagnosticsService/Ping", &ping, &err));
    assert_true(client_start(client, ping, "\x0a\x04hold", 6, 60000, note, tally, &err));
}

struct draining {
    struct toy *toy;
    int64_t grace_ms;
    atomic_bool done;
};

static void *drain(void *argument)
{
    struct draining *draining = argument;

    rpc_server_drain(draining->toy->server, draining->grace_ms);
    draining->done = true;
    return NULL;
}

static void drain_lets_a_call_finish_and_refuses_new_ones(void **state)
{
    struct toy *toy = *state;
    struct draining draining = { .toy = toy, .grace_ms = 60000 };
    struct client *busy = toy_client(toy, "alliance://bank/a"), *late = toy_client(toy, "alliance://bank/b");
    struct tally tally = { 0 };
    pthread_t thread;

    start_hold(busy, &tally);
    client_poll(busy, 0);
    toy_wait_held(toy, 1);
    pthread_create(&thread, NULL, drain, &draining);
    struct client_status status = { 0 };
    for (int i = 0; i < 10000 && status.code != STATUS_UNAVAILABLE; i++)
        status = toy_ping(late, "x", TIMEOUT);
    assert_int_equal(status.code, STATUS_UNAVAILABLE);
    assert_false(draining.done);
    assert_int_equal(tally.good + tally.bad, 0);
    toy_answer(toy);
    pthread_join(thread, NULL);
    while (client_outstanding(busy))
        assert_true(client_poll(busy, TOY_WAIT_MS) > 0);
    assert_int_equal(tally.good, 1);
    assert_int_equal(rpc_server_stats(toy->server).in_flight, 0);
    client_close(busy);
    client_close(late);
}

static void drain_cancels_when_the_grace_is_over(void **state)
{
    struct toy *toy = *state;
    struct draining draining = { .toy = toy, .grace_ms = 10 };
    struct client *client = toy_client(toy, "alliance://bank/a");
    struct tally tally = { 0 };
    pthread_t thread;

    start_hold(client, &tally);
    client_poll(client, 0);
    struct call *call = toy_first_held(toy);
    pthread_create(&thread, NULL, drain, &draining);
    while (client_outstanding(client))
        assert_true(client_poll(client, TOY_WAIT_MS) > 0);
    assert_int_equal(tally.bad, 1);
    assert_int_equal(tally.last.code, STATUS_UNAVAILABLE);
    for (int i = 0; i < 1000000 && !call_cancelled(call); i++)
        sched_yield();
    assert_true(call_cancelled(call));
    assert_false(draining.done); /* the holder still has it */
    toy_answer(toy);
    pthread_join(thread, NULL);
    client_close(client);
}

static void drain_ends_streams_that_nobody_ends(void **state)
{
    struct toy *toy = *state;
    struct client *client = toy_client(toy, "alliance://bank/a");
    struct client_stream *stream;
    struct client_status status;
    struct error err = { 0 };

    assert_true(
        client_stream_open(client, &alliance__v1__bank_service__descriptor, "PushMembers", 60000, &stream, &err));
    Alliance__V1__PushMembersRequest request = ALLIANCE__V1__PUSH_MEMBERS_REQUEST__INIT;
    assert_true(client_stream_send(stream, &request.base));
    toy_wait_handled(toy, 1);
    rpc_server_drain(toy->server, 0);
    assert_int_equal(toy->closed, 1);
    assert_false(client_stream_finish(stream, &status));
    assert_int_equal(status.code, STATUS_UNAVAILABLE);
    client_close(client);
}

static void copy(const char *from, const char *to)
{
    char bytes[8192], temporary[PKI_PATH + 8];
    FILE *in = fopen(from, "r");
    snprintf(temporary, sizeof temporary, "%s.new", to);
    FILE *out = fopen(temporary, "w");

    assert_true(in && out);
    size_t size = fread(bytes, 1, sizeof bytes, in);
    assert_int_equal(fwrite(bytes, 1, size, out), size);
    fclose(in);
    fclose(out);
    assert_int_equal(rename(temporary, to), 0);
}

static int ping_trusting(struct toy *toy, const char *ca, const struct pki_files *files)
{
    struct client *client;
    struct error err = { 0 };
    struct client_options options = { toy->target, ca, files->cert, files->key, NULL, 0, 1 };

    assert_true(client_open(&options, &client, &err));
    int code = toy_ping(client, "x", TIMEOUT).code;
    client_close(client);
    return code;
}

static void a_new_certificate_serves_the_next_connection(void **state)
{
    struct toy *toy = *state;
    char dir[] = "/tmp/toy-next-XXXXXX";

    assert_non_null(mkdtemp(dir));
    pki_make(dir);
    struct pki_files next = pki_issue(dir, NULL), ours = pki_issue(toy->dir, "alliance://bank/a");
    struct client *before = toy_client(toy, "alliance://bank/a");
    assert_int_equal(ping_trusting(toy, next.ca, &ours), STATUS_UNAVAILABLE);

    copy(next.cert, toy->files.cert); /* half of a change: the old pair stays in use */
    assert_int_equal(ping_trusting(toy, toy->files.ca, &ours), STATUS_OK);
    copy(next.key, toy->files.key);
    assert_int_equal(ping_trusting(toy, next.ca, &ours), STATUS_OK);
    assert_int_equal(ping_trusting(toy, toy->files.ca, &ours), STATUS_UNAVAILABLE);
    assert_int_equal(toy_ping(before, "x", TIMEOUT).code, STATUS_OK); /* connections live on */
    client_close(before);
    pki_remove(dir);
}

static int port_of(const struct toy *toy)
{
    return rpc_server_port(toy->server);
}

static bool connect_socket(int fd, int port)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return connect(fd, (struct sockaddr *)&address, sizeof address) == 0;
}

/* The server closed it, or never answered within the wait. */
static bool turned_away(int fd)
{
    struct pollfd wait = { .fd = fd, .events = POLLIN };
    char byte;

    return poll(&wait, 1, TOY_WAIT_MS) == 1 && recv(fd, &byte, 1, 0) <= 0;
}

static void the_listener_survives_running_out_of_descriptors(void **state)
{
    enum { WAITING = 50 };
    struct toy *toy = *state;
    int sockets[WAITING];
    struct rlimit before, none;

    for (size_t i = 0; i < WAITING; i++)
        sockets[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int last = dup(sockets[0]); /* the lowest free one: below it all are used */
    getrlimit(RLIMIT_NOFILE, &before);
    none = before;
    none.rlim_cur = (rlim_t)last + 1;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    assert_int_equal(dup(0), -1);
    for (size_t i = 0; i < WAITING; i++)
        assert_true(connect_socket(sockets[i], port_of(toy)));
    for (size_t i = 0; i < WAITING; i++)
        assert_true(turned_away(sockets[i]));
    setrlimit(RLIMIT_NOFILE, &before);
    for (size_t i = 0; i < WAITING; i++)
        close(sockets[i]);
    close(last);
    struct client *client = toy_client(toy, "alliance://bank/a");
    assert_int_equal(toy_ping(client, "x", TIMEOUT).code, STATUS_OK);
    client_close(client);
}

static void an_address_has_so_many_connections_and_no_more(void **state)
{
    struct toy *toy = toy_start(&(struct rpc_options){ .connections_per_address_max = 2 });
    struct client *one = toy_client(toy, "alliance://bank/a"), *two = toy_client(toy, "alliance://bank/a");
    int third = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    (void)state;
    assert_true(connect_socket(third, port_of(toy)));
    assert_true(turned_away(third));
    close(third);
    assert_int_equal(toy_ping(two, "x", TIMEOUT).code, STATUS_OK);
    client_close(one);
    bool again = false; /* once the server has noticed that the first one is gone */
    for (int i = 0; i < 1000 && !again; i++) {
        int fourth = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        struct pollfd wait = { .fd = fourth, .events = POLLIN };
        assert_true(connect_socket(fourth, port_of(toy)));
        again = poll(&wait, 1, 20) == 0 || recv(fourth, &(char){ 0 }, 1, MSG_PEEK) > 0;
        close(fourth);
    }
    assert_true(again);
    client_close(two);
    toy_stop(toy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(every_rpc_has_exactly_one_row),
        TEST(unusable_files_and_addresses_are_refused),
        TEST(drain_lets_a_call_finish_and_refuses_new_ones),
        TEST(drain_cancels_when_the_grace_is_over),
        TEST(drain_ends_streams_that_nobody_ends),
        TEST(a_new_certificate_serves_the_next_connection),
        TEST(the_listener_survives_running_out_of_descriptors),
        cmocka_unit_test(an_address_has_so_many_connections_and_no_more),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
