#include "rpc/listener.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { TRACKED_MAX = 65536 }; /* descriptors above that are not counted */

typedef int accept_function(int listener, struct sockaddr *address, socklen_t *size, int flags);

/* The peer of an accepted descriptor, until that number is accepted again. Port 0: none. */
struct peer {
    struct in6_addr address; /* IPv4 mapped */
    in_port_t port;
};

/* Guards all below. accept4 is called by one thread as a rule: the one that does the socket I/O. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct peer peers[TRACKED_MAX];
static int highest = -1; /* the highest tracked descriptor */
static int limit;        /* 0: none */
static int spare = -1;   /* given up for a moment, to take and close what cannot be served */

void listener_limit(int per_address)
{
    pthread_mutex_lock(&lock);
    limit = per_address;
    if (spare < 0)
        spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
    pthread_mutex_unlock(&lock);
}

static bool peer_of(int fd, struct peer *peer)
{
    struct sockaddr_storage raw = { 0 };
    socklen_t size = sizeof raw;

    *peer = (struct peer){ 0 };
    if (getpeername(fd, (struct sockaddr *)&raw, &size) != 0)
        return false;
    if (raw.ss_family == AF_INET6) {
        const struct sockaddr_in6 *six = (const void *)&raw;
        *peer = (struct peer){ six->sin6_addr, six->sin6_port };
        return true;
    }
    if (raw.ss_family != AF_INET)
        return false;
    const struct sockaddr_in *four = (const void *)&raw;
    peer->address.s6_addr[10] = peer->address.s6_addr[11] = 0xff;
    memcpy(&peer->address.s6_addr[12], &four->sin_addr, sizeof four->sin_addr);
    peer->port = four->sin_port;
    return true;
}

static bool same(const struct peer *a, const struct peer *b)
{
    return memcmp(&a->address, &b->address, sizeof a->address) == 0;
}

/* Nobody tells of a close, so what looks like too many is looked at again: is it still the same connection? */
static int count_alive(const struct peer *like)
{
    int count = 0;

    for (int fd = 0; fd <= highest; fd++) {
        struct peer now;
        if (!peers[fd].port || !same(&peers[fd], like))
            continue;
        if (peer_of(fd, &now) && same(&now, like) && now.port == peers[fd].port)
            count++;
        else
            peers[fd].port = 0;
    }
    return count;
}

static int count_noted(const struct peer *like)
{
    int count = 0;

    for (int fd = 0; fd <= highest; fd++)
        count += peers[fd].port && same(&peers[fd], like);
    return count;
}

/* Notes the new connection; false when its address has as many as it may. */
static bool admit(int fd)
{
    struct peer peer;
    bool room = true;

    if (fd >= TRACKED_MAX || !peer_of(fd, &peer))
        return true;
    pthread_mutex_lock(&lock);
    peers[fd].port = 0;
    if (limit && count_noted(&peer) >= limit)
        room = count_alive(&peer) < limit;
    if (room)
        peers[fd] = peer;
    if (fd > highest)
        highest = fd;
    pthread_mutex_unlock(&lock);
    return room;
}

/* One waiting connection is taken with the spare descriptor and closed; false when there is none. */
static bool turn_away(accept_function *real, int listener)
{
    pthread_mutex_lock(&lock);
    if (spare >= 0)
        close(spare);
    int fd = real(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd >= 0)
        close(fd);
    spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
    pthread_mutex_unlock(&lock);
    return fd >= 0;
}

static accept_function *real_accept4(void)
{
    static _Atomic(accept_function *) real;
    union {
        void *symbol;
        accept_function *function;
    } found;

    found.function = real;
    if (!found.function) {
        found.symbol = dlsym(RTLD_NEXT, "accept4");
        real = found.function;
    }
    return found.function;
}

int accept4(int listener, struct sockaddr *address, socklen_t *size, int flags)
{
    accept_function *real = real_accept4();
    socklen_t room = size ? *size : 0;

    for (;;) {
        if (size)
            *size = room;
        int fd = real(listener, address, size, flags);
        if (fd >= 0 && admit(fd))
            return fd;
        if (fd >= 0) {
            close(fd);
            continue;
        }
        if (errno == ECONNABORTED || errno == EPROTO)
            continue;
        bool full = errno == EMFILE || errno == ENFILE;
        if (full && turn_away(real, listener))
            continue;
        if (full || errno == ENOBUFS || errno == ENOMEM)
            errno = EAGAIN; /* the core waits for the next connection instead of giving up */
        return -1;
    }
}
