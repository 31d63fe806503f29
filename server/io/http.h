/*
 * http.h -- one HTTP exchange with a partner, over libcurl: https to public addresses, and nothing that leads inside.
 *
 * Not a general client: no redirects, no proxies, no cookies, no compressed answers; an answer has a greatest size and
 * an exchange a greatest time. A partner's URL is chosen by somebody else, so the address it resolves to is judged when
 * the socket is made: private, link-local and other special ranges are refused, loopback too unless the installation
 * allows partners on this machine (then also without TLS, and only there). A client belongs to one thread at a time and
 * keeps its connections for the next exchange.
 */
#ifndef IO_HTTP_H
#define IO_HTTP_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

enum { HTTP_BODY_MAX = 1 << 20, HTTP_CONNECT_MS = 3000, HTTP_HEADERS_MAX = 16 };

struct http_client;

struct http_options {
    int64_t timeout_ms; /* of a whole exchange; more than 0 */
    bool allow_loopback;
};

struct http_request {
    const char *url;
    const char *headers[HTTP_HEADERS_MAX + 1]; /* "Name: value"; ends with NULL; borrowed */
    const void *body;                          /* NULL: GET, otherwise POST; borrowed */
    size_t body_size;
};

struct http_response {
    int status;            /* 100 to 599 */
    const char *body;      /* NUL-terminated; belongs to the client and lives until its next exchange */
    size_t body_size;      /* at most HTTP_BODY_MAX */
    int64_t retry_after_s; /* 0 when the partner asked for no wait */
};

/* NULL when there is no memory. Owned by the caller. */
struct http_client *http_new(const struct http_options *options);
/* NULL is fine. */
void http_free(struct http_client *client);

/*
 * true when the partner answered, with whatever status. Otherwise PARTNER_UNREACHABLE and a short cause without URL or
 * content; the request may or may not have been acted upon, so only what can be repeated may be sent.
 */
bool http_exchange(struct http_client *client, const struct http_request *request, struct http_response *response,
                   struct error *err) MUST_USE;

/* What kind of place an address is. */
enum http_place { HTTP_PUBLIC, HTTP_LOOPBACK, HTTP_SPECIAL };
enum http_place http_place_of(const struct sockaddr *address);

#endif
