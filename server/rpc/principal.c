#include "rpc/principal.h"

#include "base/text.h"

#include <stddef.h>
#include <string.h>

#define SCHEME "alliance://"

enum { PARTS_MAX = 6 };

static const struct {
    const char *name;
    enum role role;
} roles[] = {
    { "bank", ROLE_BANK },         { "merchant", ROLE_MERCHANT }, { "carrier", ROLE_CARRIER },
    { "operator", ROLE_OPERATOR }, { "channel", ROLE_CHANNEL },
};

/* What may follow the id, each behind the one before it of the same role. */
static const struct {
    enum role role;
    size_t at; /* its place among the parts */
    const char *name;
    size_t id; /* where it goes */
} deeper[] = {
    { ROLE_BANK, 2, "person", offsetof(struct principal, person) },
    { ROLE_MERCHANT, 2, "store", offsetof(struct principal, store_id) },
    { ROLE_MERCHANT, 4, "terminal", offsetof(struct principal, terminal_id) },
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

/* parts: role, id, then pairs of a name and an id. */
static bool take_parts(char *const parts[], size_t count, struct principal *principal)
{
    size_t taken = 2;

    if (!take_id(parts[1], principal->id))
        return false;
    for (size_t i = 0; i < COUNT(deeper) && taken + 1 < count; i++) {
        if (deeper[i].role != principal->role || deeper[i].at != taken || strcmp(parts[taken], deeper[i].name) != 0)
            continue;
        if (!take_id(parts[taken + 1], (char *)principal + deeper[i].id))
            return false;
        taken += 2;
    }
    return taken == count;
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
        if (strcmp(parts[0], roles[i].name) != 0)
            continue;
        found.role = roles[i].role;
        if (!take_parts(parts, count, &found))
            return false;
        *principal = found;
        return true;
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
