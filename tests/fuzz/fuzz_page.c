/*
 * Page tokens. Lines: the filters, a key that a list could have gone on after, a token from who knows where.
 *
 * A token that is taken names a key that makes the same token again. The token of a key goes on at that key, for the
 * same caller, method and filters; with any of them changed, or one character of the token, it is refused.
 */
#include "fuzz.h"

#include "base/text.h"
#include "service/page.h"

static const struct method list = { .name = "ListMerchants" }, other_list = { .name = "ListShipments" };

static struct call caller(const struct method *method, enum role role, const char *id)
{
    struct call call = { .method = method, .principal = { .role = role } };

    snprintf(call.principal.id, sizeof call.principal.id, "%s", id);
    return call;
}

static bool taken(const struct call *call, const char *token, const char *filters, struct page *page)
{
    struct error err = { 0 };

    if (page_read(call, 0, token, filters, page, &err))
        return true;
    CLAIM(err.reason == REASON_PAGE_TOKEN_INVALID && page->after[0] == '\0');
    return false;
}

static void any_token(struct call *call, const char *filters, const char *token)
{
    struct page page;

    if (!*token || !taken(call, token, filters, &page))
        return;
    CLAIM(text_utf8(page.after, strlen(page.after)));
    const char *again = page_token(call, &page, page.after);
    CLAIM(again && strcmp(again, token) == 0);
}

static void nobody_elses(const struct call *call, const char *filters, const char *token)
{
    struct call others[] = { caller(&other_list, call->principal.role, call->principal.id),
                             caller(&list, ROLE_BANK, call->principal.id),
                             caller(&list, call->principal.role, "another") };
    char longer[256];
    struct page page;

    for (size_t i = 0; i < COUNT(others); i++)
        CLAIM(!taken(&others[i], token, filters, &page));
    snprintf(longer, sizeof longer, "%.200s/", filters);
    CLAIM(strlen(filters) > 200 || !taken(call, token, longer, &page));
}

static void token_of_key(struct call *call, const char *filters, const char *key, uint8_t flip)
{
    struct page page = { .filters = filters }, read;
    char *token = page_token(call, &page, key);

    CLAIM(token != NULL);
    if (!*key || strlen(key) > PAGE_KEY_MAX || !text_utf8(key, strlen(key)))
        return;
    CLAIM(taken(call, token, filters, &read) && strcmp(read.after, key) == 0);
    nobody_elses(call, filters, token);
    char *at = token + flip % strlen(token);
    *at = *at == 'A' ? 'B' : 'A';
    CLAIM(!taken(call, token, filters, &read));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct call call = caller(&list, ROLE_OPERATOR, "demo");
    struct feed feed = { bytes, size };
    uint8_t flip = feed_byte(&feed);
    const char *filters = feed_text(&feed, &call.arena), *key = feed_text(&feed, &call.arena);

    token_of_key(&call, filters, key, flip);
    any_token(&call, filters, feed_text(&feed, &call.arena));
    arena_release(&call.arena);
    return 0;
}
