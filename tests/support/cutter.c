#include "cutter.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

enum { CUTS_MAX = 16, PIECE = 16384 };

struct cutter {
    pthread_t thread;
    int listener, to_port, stop[2];
    int64_t cuts[CUTS_MAX], passed;
    size_t count, connections, done;
};

static struct sockaddr_in here(int port)
{
    return (struct sockaddr_in){ .sin_family = AF_INET,
                                 .sin_port = htons((uint16_t)port),
                                 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
}

/* With what was on its way. */
static void pull(int socket)
{
    const struct linger at_once = { 1, 0 };

    setsockopt(socket, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close(socket);
}

static bool pass(int from, int to, int64_t most, int64_t *passed)
{
    char piece[PIECE];
    ssize_t n = read(from, piece, most < PIECE ? (size_t)most : PIECE);

    for (ssize_t at = 0; at < n;) {
        ssize_t sent = send(to, piece + at, (size_t)(n - at), MSG_NOSIGNAL);
        if (sent <= 0)
            return false;
        at += sent;
    }
    *passed += n > 0 ? n : 0;
    return n > 0;
}

/* false when it is to stop. */
static bool serve(struct cutter *cutter, int client, int server)
{
    int64_t cut = cutter->connections < cutter->count ? cutter->cuts[cutter->connections] : INT64_MAX;
    int64_t sent = 0, answered = 0;
    struct pollfd wait[] = { { client, POLLIN, 0 }, { server, POLLIN, 0 }, { cutter->stop[0], POLLIN, 0 } };
    bool open = true;

    while (open && sent < cut && poll(wait, 3, -1) > 0 && !wait[2].revents) {
        if (wait[0].revents)
            open = pass(client, server, cut - sent, &sent);
        if (open && wait[1].revents)
            open = pass(server, client, PIECE, &answered);
    }
    cutter->passed += sent;
    cutter->done += sent >= cut;
    return !wait[2].revents;
}

static void *run(void *argument)
{
    struct cutter *cutter = argument;
    struct pollfd wait[] = { { cutter->listener, POLLIN, 0 }, { cutter->stop[0], POLLIN, 0 } };
    bool go_on = true;

    while (go_on && poll(wait, 2, -1) > 0 && !wait[1].revents) {
        struct sockaddr_in to = here(cutter->to_port);
        int client = accept(cutter->listener, NULL, NULL), server = socket(AF_INET, SOCK_STREAM, 0);
        if (connect(server, (const struct sockaddr *)&to, sizeof to) == 0)
            go_on = serve(cutter, client, server);
        cutter->connections++;
        pull(client);
        pull(server);
    }
    return NULL;
}

struct cutter *cutter_open(int to_port, const int64_t *cuts, size_t count)
{
    struct cutter *cutter = calloc(1, sizeof *cutter);
    struct sockaddr_in any = here(0);

    assert_non_null(cutter);
    assert_true(count <= CUTS_MAX);
    memcpy(cutter->cuts, cuts, count * sizeof *cuts);
    cutter->count = count;
    cutter->to_port = to_port;
    assert_int_equal(pipe(cutter->stop), 0);
    cutter->listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(cutter->listener, (const struct sockaddr *)&any, sizeof any), 0);
    assert_int_equal(listen(cutter->listener, 8), 0);
    assert_int_equal(pthread_create(&cutter->thread, NULL, run, cutter), 0);
    return cutter;
}

int cutter_port(const struct cutter *cutter)
{
    struct sockaddr_in at;
    socklen_t size = sizeof at;

    assert_int_equal(getsockname(cutter->listener, (struct sockaddr *)&at, &size), 0);
    return ntohs(at.sin_port);
}

size_t cutter_close(struct cutter *cutter, int64_t *passed)
{
    assert_int_equal(write(cutter->stop[1], "", 1), 1);
    pthread_join(cutter->thread, NULL);
    close(cutter->listener);
    close(cutter->stop[0]);
    close(cutter->stop[1]);
    size_t done = cutter->done;
    *passed = cutter->passed;
    free(cutter);
    return done;
}
