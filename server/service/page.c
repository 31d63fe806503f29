#include "service/page.h"

#include "base/text.h"
#include "io/crypto.h"

#include <stdio.h>
#include <string.h>

enum { SIGN = 8, TOKEN_BYTES_MAX = SIGN + PAGE_KEY_MAX };

static void sign(const struct call *call, const char *filters, const char *key, uint8_t out[CRYPTO_HASH])
{
    char who[ID_MAX + 80];
    uint8_t hash[CRYPTO_HASH];

    int n = snprintf(who, sizeof who, "%d/%s/%s", (int)call->principal.role, call->principal.id, call->method->name);
    crypto_sha256_two(who, (size_t)n + 1, filters, strlen(filters), hash);
    crypto_sha256_two(hash, sizeof hash, key, strlen(key), out);
}

static bool open_token(const struct call *call, const char *token, struct page *page)
{
    uint8_t bytes[TOKEN_BYTES_MAX], expected[CRYPTO_HASH];
    size_t size;

    if (!crypto_base64_decode(token, strlen(token), bytes, sizeof bytes, &size) || size <= SIGN)
        return false;
    if (!text_utf8(bytes + SIGN, size - SIGN))
        return false;
    memcpy(page->after, bytes + SIGN, size - SIGN);
    page->after[size - SIGN] = '\0';
    sign(call, page->filters, page->after, expected);
    return crypto_equal(bytes, expected, SIGN);
}

bool page_read(const struct call *call, int32_t page_size, const char *token, const char *filters, struct page *page,
               struct error *err)
{
    *page = (struct page){ .size = page_size ? page_size : PAGE_DEFAULT, .filters = filters };
    if (page->size < 1 || page->size > PAGE_MAX)
        return error_field(err, REASON_FIELD_INVALID, "page_size", "must be 1 to %d, or 0 for %d", PAGE_MAX,
                           PAGE_DEFAULT);
    if (text_empty(token) || open_token(call, token, page))
        return true;
    page->after[0] = '\0';
    return page_refuse_token(err);
}

bool page_refuse_token(struct error *err)
{
    return error_field(err, REASON_PAGE_TOKEN_INVALID, "page_token",
                       "must be empty or the next_page_token of a page with the same filters");
}

char *page_token(struct call *call, const struct page *page, const char *last_key)
{
    uint8_t bytes[TOKEN_BYTES_MAX], hash[CRYPTO_HASH];
    char text[CRYPTO_BASE64_SIZE(TOKEN_BYTES_MAX)];
    size_t n = strnlen(last_key, PAGE_KEY_MAX);

    sign(call, page->filters, last_key, hash);
    memcpy(bytes, hash, SIGN);
    memcpy(bytes + SIGN, last_key, n);
    size_t length = crypto_base64(bytes, SIGN + n, text);
    return arena_copy(&call->arena, text, length);
}
