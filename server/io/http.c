#include "io/http.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

struct http_client {
    struct http_options options;
    CURL *curl;
    char *body; /* grows up to HTTP_BODY_MAX + 1 */
    size_t body_size, body_capacity;
    bool https;        /* of the exchange at hand */
    bool refused;      /* its address */
    bool body_refused; /* its answer */
};

struct http_client *http_new(const struct http_options *options)
{
    struct http_client *client = calloc(1, sizeof *client);

    if (!client || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        free(client);
        return NULL;
    }
    client->options = *options;
    client->curl = curl_easy_init();
    client->body = calloc(1, client->body_capacity = 4096);
    if (client->curl && client->body)
        return client;
    http_free(client);
    return NULL;
}

void http_free(struct http_client *client)
{
    if (!client)
        return;
    curl_easy_cleanup(client->curl);
    free(client->body);
    free(client);
    curl_global_cleanup();
}

static void header_list_free(struct curl_slist **list)
{
    curl_slist_free_all(*list);
}

static bool may_connect(const struct http_client *client, const struct sockaddr *address)
{
    switch (http_place_of(address)) {
    case HTTP_PUBLIC:
        return client->https;
    case HTTP_LOOPBACK:
        return client->options.allow_loopback;
    case HTTP_SPECIAL:
        return false;
    }
    return false;
}

/* libcurl's callback: after the name was resolved, before anything is sent. */
static curl_socket_t open_socket(void *owner, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct http_client *client = owner;

    (void)purpose;
    client->refused = !may_connect(client, &address->addr);
    if (client->refused)
        return CURL_SOCKET_BAD;
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static bool reserve(struct http_client *client, size_t size)
{
    size_t capacity = client->body_capacity;

    while (capacity < size)
        capacity *= 2;
    char *larger = capacity == client->body_capacity ? client->body : realloc(client->body, capacity);
    if (!larger)
        return false;
    client->body = larger;
    client->body_capacity = capacity;
    return true;
}

/* libcurl's callback: anything but size * count stops the exchange. */
static size_t take_body(char *bytes, size_t size, size_t count, void *owner)
{
    struct http_client *client = owner;
    size_t n = size * count;

    client->body_refused = n > HTTP_BODY_MAX - client->body_size;
    if (client->body_refused || !reserve(client, client->body_size + n + 1))
        return n + 1;
    memcpy(client->body + client->body_size, bytes, n);
    client->body_size += n;
    return n;
}

static bool header_is_clean(const char *header)
{
    for (const unsigned char *c = (const unsigned char *)header; *c; c++) {
        if (*c < 0x20 || *c == 0x7f)
            return false;
    }
    return true;
}

static bool make_headers(const struct http_request *request, struct curl_slist **list, struct error *err)
{
    *list = curl_slist_append(NULL, "Expect:"); /* do not wait for 100 Continue */
    for (size_t i = 0; *list && i < HTTP_HEADERS_MAX && request->headers[i]; i++) {
        if (!header_is_clean(request->headers[i]))
            return error_set(err, REASON_INTERNAL, "a header to a partner holds a control character");
        struct curl_slist *longer = curl_slist_append(*list, request->headers[i]);
        if (!longer)
            return error_set(err, REASON_INTERNAL, "no memory for headers");
        *list = longer;
    }
    return *list || error_set(err, REASON_INTERNAL, "no memory for headers");
}

static void set_rules(struct http_client *client)
{
    CURL *curl = client->curl;

    curl_easy_reset(curl);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, client->options.allow_loopback ? "https,http" : "https");
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl, CURLOPT_PROXY, ""); /* a proxy's address would be judged instead of the partner's */
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)HTTP_CONNECT_MS);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)client->options.timeout_ms);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "points-alliance/1");
    curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, client);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, client);
}

static void set_request(CURL *curl, const struct http_request *request, struct curl_slist *headers)
{
    curl_easy_setopt(curl, CURLOPT_URL, request->url);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    if (!request->body)
        return;
    curl_easy_setopt(curl, CURLOPT_POST, 1L);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request->body);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_size);
}

/* libcurl's texts for its codes quote nothing of the exchange. */
static const char *cause(const struct http_client *client, CURLcode code)
{
    if (client->refused)
        return "the address is not one a partner may have";
    if (client->body_refused)
        return "the answer is too large";
    return curl_easy_strerror(code);
}

static void read_answer(struct http_client *client, struct http_response *response)
{
    curl_off_t wait = 0;
    long status = 0;

    curl_easy_getinfo(client->curl, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(client->curl, CURLINFO_RETRY_AFTER, &wait);
    client->body[client->body_size] = '\0';
    *response = (struct http_response){ (int)status, client->body, client->body_size, wait };
}

bool http_exchange(struct http_client *client, const struct http_request *request, struct http_response *response,
                   struct error *err)
{
    CLEANUP(header_list_free) struct curl_slist *headers = NULL;

    if (!make_headers(request, &headers, err))
        return false;
    client->body_size = 0;
    client->refused = client->body_refused = false;
    client->https = strncasecmp(request->url, "https:", 6) == 0;
    set_rules(client);
    set_request(client->curl, request, headers);
    CURLcode code = curl_easy_perform(client->curl);
    if (code == CURLE_OK)
        read_answer(client, response);
    else
        error_set(err, REASON_PARTNER_UNREACHABLE, "%s", cause(client, code));
    curl_easy_setopt(client->curl, CURLOPT_HTTPHEADER, NULL); /* the list dies with this frame */
    return code == CURLE_OK;
}
