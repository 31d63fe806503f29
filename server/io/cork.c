#include "io/cork.h"

#include <dlfcn.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

enum { HELD_MAX = 64 }; /* sockets at a time; what goes to others is sent at once */

static _Thread_local struct {
    bool on;
    size_t count;
    int held[HELD_MAX];
} cork;

typedef ssize_t send_function(int fd, const struct msghdr *message, int flags);

static send_function *real_sendmsg(void)
{
    static _Atomic(send_function *) real;
    union {
        void *symbol;
        send_function *function;
    } found;

    found.function = real;
    if (!found.function) {
        found.symbol = dlsym(RTLD_NEXT, "sendmsg");
        real = found.function;
    }
    return found.function;
}

static bool hold(int fd)
{
    for (size_t i = cork.count; i > 0; i--) {
        if (cork.held[i - 1] == fd)
            return true;
    }
    if (cork.count == HELD_MAX)
        return false;
    cork.held[cork.count++] = fd;
    return true;
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
    return real_sendmsg()(fd, message, cork.on && hold(fd) ? flags | MSG_MORE : flags);
}

void cork_begin(void)
{
    cork.on = true;
}

/* Setting TCP_NODELAY again pushes what waits. A descriptor that was closed meanwhile, and is another's now, keeps its
 * nature: nothing else ever turns this off. */
void cork_end(void)
{
    const int yes = 1;

    cork.on = false;
    while (cork.count > 0)
        setsockopt(cork.held[--cork.count], IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
}
