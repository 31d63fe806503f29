#include "rpc/principal.h"

#include "base/text.h"

#include <string.h>

#define SCHEME "alliance://"

enum { PARTS_MAX = 6 };

static const struct {
    const char *name;
    enum role role;
    bool has_stores;
} roles[] = {
    { "bank", ROLE_BANK, false },         { "merchant", ROLE_MERCHANT, true }, { "carrier", ROLE_CARRIER, false },
    { "operator", ROLE_OPERATOR, false }, { "channel", ROLE_CHANNEL, false },
};

static bool ours(struct uri uri)
{
    return uri.size >= strlen(SCHEME) && memcmp(uri.text, SCHEME, strlen(SCHEME)) == 0;
}

/* Cuts the text at its slashes, in place; 0 when there are more than fit. */
static size_t split(char *text, char *parts[PARTS_MAX])
{
    size_t count = 0;

    for (char *rest = text; rest;) {
        if (count == PARTS_MAX)
            return 0;
        parts[count++] = strsep(&rest, "/");
    }
    return count;
}

static bool take_id(const char *part, char id[ID_MAX + 1])
{
    if (!text_is_id(part, ID_MAX))
        return false;
    strcpy(id, part);
    return true;
}

/* parts: role, id, "store", store, "terminal", terminal. */
static bool take_parts(char *const parts[], size_t count, bool has_stores, struct principal *principal)
{
    bool store = count >= 4, terminal = count == 6;

    if (count != 2 && !(has_stores && (count == 4 || count == 6)))
        return false;
    return take_id(parts[1], principal->id) &&
           (!store || (strcmp(parts[2], "store") == 0 && take_id(parts[3], principal->store_id))) &&
           (!terminal || (strcmp(parts[4], "terminal") == 0 && take_id(parts[5], principal->terminal_id)));
}

bool principal_parse(struct uri uri, struct principal *principal)
{
    char text[sizeof principal->uri] = { 0 }, *parts[PARTS_MAX];
    struct principal found = { 0 };

    if (!ours(uri) || uri.size >= sizeof found.uri || memchr(uri.text, '\0', uri.size))
        return false;
    memcpy(found.uri, uri.text, uri.size);
    memcpy(text, uri.text + strlen(SCHEME), uri.size - strlen(SCHEME));
    size_t count = split(text, parts);
    for (size_t i = 0; count >= 2 && i < COUNT(roles); i++) {
        if (strcmp(parts[0], roles[i].name) == 0 && take_parts(parts, count, roles[i].has_stores, &found)) {
            found.role = roles[i].role;
            *principal = found;
            return true;
        }
    }
    return false;
}

bool principal_of(const struct uri *uris, size_t count, struct principal *principal, struct error *err)
{
    const struct uri *found = NULL;

    for (size_t i = 0; i < count; i++) {
        if (!ours(uris[i]))
            continue;
        if (found)
            return error_set(err, REASON_UNAUTHENTICATED, "the client certificate names more than one party");
        found = &uris[i];
    }
    if (!found)
        return error_set(err, REASON_UNAUTHENTICATED, "the client certificate has no URI beginning with " SCHEME);
    return principal_parse(*found, principal) ||
           error_set(err, REASON_UNAUTHENTICATED, "the client certificate's " SCHEME " URI is malformed");
}
