/* tests/db/test_connection.c -- what a statement came to when PostgreSQL dies at the worst moment: a server of our own.
 */
#include "store/db.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

/* Speaks as much of the protocol as one connection needs; dies at the end of a statement when told to. */
struct fake {
    char folder[64];
    int listening;
    bool dies; /* says that the statement is complete, and no more */
    pthread_t thread;
};

static bool read_all(int fd, void *at, size_t size)
{
    for (size_t done = 0; done < size;) {
        ssize_t n = read(fd, (char *)at + done, size - done);
        if (n <= 0)
            return false;
        done += (size_t)n;
    }
    return true;
}

/* The next message of the client's; a start-up message has no type. */
static bool next(int fd, bool typed, char *type)
{
    char body[4096];
    uint32_t size;

    *type = 0;
    if ((typed && !read_all(fd, type, 1)) || !read_all(fd, &size, sizeof size))
        return false;
    size = ntohl(size) - 4;
    return size <= sizeof body && read_all(fd, body, size);
}

static void say(int fd, char type, const void *body, size_t size)
{
    char message[64] = { type };
    uint32_t length = htonl((uint32_t)size + 4);

    memcpy(message + 1, &length, sizeof length);
    memcpy(message + 5, body, size);
    assert_int_equal(write(fd, message, size + 5), (ssize_t)size + 5);
}

static void *serve(void *with)
{
    static const struct {
        char asked, said;
        const char *body;
        size_t size;
    } answers[] = {
        { 'P', '1', "", 0 },         { 'B', '2', "", 0 },  { 'D', 'n', "", 0 },
        { 'E', 'C', "UPDATE 1", 9 }, { 'S', 'Z', "I", 1 },
    };
    const struct fake *fake = with;
    int fd = accept(fake->listening, NULL, NULL);
    char type;

    if (fd >= 0 && next(fd, false, &type)) {
        say(fd, 'R', "\0\0\0", 4);
        say(fd, 'Z', "I", 1);
    }
    while (fd >= 0 && next(fd, true, &type)) {
        for (size_t i = 0; i < COUNT(answers); i++) {
            if (answers[i].asked == type)
                say(fd, answers[i].said, answers[i].body, answers[i].size);
        }
        if (type == 'Q') {
            say(fd, 'C', "SET", 4);
            say(fd, 'Z', "I", 1);
        }
        if (type == 'E' && fake->dies)
            break;
    }
    if (fd >= 0)
        close(fd);
    return NULL;
}

static void start(struct fake *fake)
{
    struct sockaddr_un name = { .sun_family = AF_UNIX };

    strcpy(fake->folder, "/tmp/alliance-fake-XXXXXX");
    assert_non_null(mkdtemp(fake->folder));
    snprintf(name.sun_path, sizeof name.sun_path, "%.60s/.s.PGSQL.5432", fake->folder);
    fake->listening = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(fake->listening, (struct sockaddr *)&name, sizeof name), 0);
    assert_int_equal(listen(fake->listening, 1), 0);
    assert_int_equal(pthread_create(&fake->thread, NULL, serve, fake), 0);
}

static void stop(struct fake *fake)
{
    char path[128];

    pthread_join(fake->thread, NULL);
    close(fake->listening);
    snprintf(path, sizeof path, "%s/.s.PGSQL.5432", fake->folder);
    unlink(path);
    rmdir(fake->folder);
}

static const struct statement change = { "test_change", "UPDATE something SET it = 1", NULL, 0, NULL, 0, 0 };

static bool run_once(bool dies, enum reason *reason)
{
    struct fake fake = { .dies = dies };
    struct error err = { 0 };
    char conninfo[256];
    struct db *db;

    start(&fake);
    snprintf(conninfo, sizeof conninfo, "host=%s port=5432 user=u dbname=d sslmode=disable gssencmode=disable",
             fake.folder);
    bool good = db_open(conninfo, &db, &err) && db_execute(db, &change, NULL, NULL, &err);
    *reason = err.reason;
    db_close(db);
    stop(&fake);
    return good;
}

static void complete_is_not_yet_committed(void **state)
{
    enum reason reason;

    (void)state;
    assert_true(run_once(false, &reason));
    assert_false(run_once(true, &reason));
    assert_int_equal(reason, REASON_DATABASE_UNREACHABLE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(complete_is_not_yet_committed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
