/* Which addresses are nobody's public server: the special-purpose registries of IANA (RFC 6890) as one table. */
#include "io/http.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

static const struct range {
    const char *network;
    unsigned bits;
    enum http_place place;
} ranges[] = {
    { "0.0.0.0", 8, HTTP_SPECIAL },                                            /* this host */
    { "10.0.0.0", 8, HTTP_SPECIAL },                                           /* private */
    { "100.64.0.0", 10, HTTP_SPECIAL },                                        /* carrier-grade NAT */
    { "127.0.0.0", 8, HTTP_LOOPBACK },                                         /* this machine */
    { "169.254.0.0", 16, HTTP_SPECIAL },                                       /* link-local; cloud metadata */
    { "172.16.0.0", 12, HTTP_SPECIAL },                                        /* private */
    { "192.0.0.0", 24, HTTP_SPECIAL },                                         /* protocol assignments */
    { "192.0.2.0", 24, HTTP_SPECIAL },                                         /* documentation */
    { "192.88.99.0", 24, HTTP_SPECIAL },                                       /* 6to4 relays */
    { "192.168.0.0", 16, HTTP_SPECIAL },                                       /* private */
    { "198.18.0.0", 15, HTTP_SPECIAL },                                        /* benchmarks */
    { "198.51.100.0", 24, HTTP_SPECIAL }, { "203.0.113.0", 24, HTTP_SPECIAL }, /* documentation */
    { "224.0.0.0", 4, HTTP_SPECIAL },                                          /* multicast */
    { "240.0.0.0", 4, HTTP_SPECIAL },                                          /* reserved, broadcast */
    { "::1", 128, HTTP_LOOPBACK },        { "::", 96, HTTP_SPECIAL },          /* unspecified, IPv4-compatible */
    { "64:ff9b::", 96, HTTP_SPECIAL },                                         /* NAT64: may lead to any IPv4 address */
    { "64:ff9b:1::", 48, HTTP_SPECIAL },                                       /* local NAT64 */
    { "100::", 64, HTTP_SPECIAL },                                             /* discard */
    { "2001::", 23, HTTP_SPECIAL },                                            /* protocol assignments, Teredo */
    { "2001:db8::", 32, HTTP_SPECIAL },                                        /* documentation */
    { "2002::", 16, HTTP_SPECIAL },                                            /* 6to4: may lead to any IPv4 address */
    { "fc00::", 7, HTTP_SPECIAL },                                             /* unique local */
    { "fe80::", 10, HTTP_SPECIAL },                                            /* link-local */
    { "fec0::", 10, HTTP_SPECIAL },                                            /* site-local */
    { "ff00::", 8, HTTP_SPECIAL },                                             /* multicast */
};

static bool same_bits(const uint8_t *a, const uint8_t *b, unsigned bits)
{
    unsigned whole = bits / 8, rest = bits % 8;

    if (memcmp(a, b, whole) != 0)
        return false;
    return rest == 0 || (a[whole] ^ b[whole]) >> (8 - rest) == 0;
}

/* The first range that holds the address decides. */
static enum http_place place_in(int family, const uint8_t *address)
{
    uint8_t network[16];

    for (size_t i = 0; i < COUNT(ranges); i++) {
        if (inet_pton(family, ranges[i].network, network) == 1 && same_bits(address, network, ranges[i].bits))
            return ranges[i].place;
    }
    return HTTP_PUBLIC;
}

enum http_place http_place_of(const struct sockaddr *address)
{
    static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff }; /* ::ffff:a.b.c.d is IPv4 in disguise */
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;

    if (address->sa_family == AF_INET) {
        memcpy(&v4, address, sizeof v4);
        return place_in(AF_INET, (const uint8_t *)&v4.sin_addr);
    }
    if (address->sa_family != AF_INET6)
        return HTTP_SPECIAL;
    memcpy(&v6, address, sizeof v6);
    const uint8_t *bytes = v6.sin6_addr.s6_addr;
    if (memcmp(bytes, mapped, sizeof mapped) == 0)
        return place_in(AF_INET, bytes + sizeof mapped);
    return place_in(AF_INET6, bytes);
}
