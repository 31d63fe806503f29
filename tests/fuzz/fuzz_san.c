/*
 * The names in a caller's certificate. The first byte says how they come: a URI a line, or the bytes of a
 * certificate's subjectAltName as OpenSSL reads them.
 *
 * Whoever is let in is named by exactly one URI of ours, and that URI spelled anew from role, id, store and terminal
 * is the very one in the certificate.
 */
#include "fuzz.h"

#include "base/text.h"
#include "rpc/principal.h"

#include <openssl/x509v3.h>

enum { URIS_MAX = 16 };

static const char scheme[] = "alliance://";

static const char *role_name(enum role role)
{
    switch (role) {
    case ROLE_BANK:
        return "bank";
    case ROLE_MERCHANT:
        return "merchant";
    case ROLE_CARRIER:
        return "carrier";
    case ROLE_OPERATOR:
        return "operator";
    case ROLE_CHANNEL:
        return "channel";
    case ROLE_ANY:
        break;
    }
    return "nobody";
}

static void spelled_anew(const struct principal *principal, char text[256])
{
    const char *store = principal->store_id, *terminal = principal->terminal_id;

    snprintf(text, 256, "%s%s/%s%s%s%s%s%s%s", scheme, role_name(principal->role), principal->id,
             *store ? "/store/" : "", store, *terminal ? "/terminal/" : "", terminal,
             *principal->person ? "/person/" : "", principal->person);
}

static void let_in(const struct principal *principal, const struct uri *uris, size_t count)
{
    size_t ours = 0, same = 0;
    char text[256];

    spelled_anew(principal, text);
    for (size_t i = 0; i < count; i++) {
        ours += uris[i].size >= strlen(scheme) && memcmp(uris[i].text, scheme, strlen(scheme)) == 0;
        same += uris[i].size == strlen(text) && memcmp(uris[i].text, text, strlen(text)) == 0;
    }
    CLAIM(ours == 1 && same == 1 && strcmp(principal->uri, text) == 0);
    CLAIM(text_is_id(principal->id, ID_MAX));
    CLAIM(principal->role == ROLE_MERCHANT || !principal->store_id[0]);
    CLAIM(principal->store_id[0] || !principal->terminal_id[0]);
    CLAIM(principal->role == ROLE_BANK || !principal->person[0]);
}

static void judge(const struct uri *uris, size_t count)
{
    struct principal principal = { 0 };
    struct error err = { 0 };

    if (principal_of(uris, count, &principal, &err))
        let_in(&principal, uris, count);
    else
        CLAIM(err.reason == REASON_UNAUTHENTICATED && principal.role == 0);
}

static void from_lines(struct feed feed)
{
    struct uri uris[URIS_MAX];
    size_t count = 0;

    while (feed.size > 0 && count < URIS_MAX) {
        struct feed line = feed_line(&feed);
        uris[count++] = (struct uri){ (const char *)line.at, line.size };
    }
    judge(uris, count);
}

static void from_extension(struct feed feed)
{
    const unsigned char *at = feed.at;
    GENERAL_NAMES *names = feed.size ? d2i_GENERAL_NAMES(NULL, &at, (long)feed.size) : NULL;
    struct uri uris[URIS_MAX];
    size_t count = 0;

    for (int i = 0; names && i < sk_GENERAL_NAME_num(names) && count < URIS_MAX; i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        if (name->type != GEN_URI)
            continue;
        const ASN1_IA5STRING *text = name->d.uniformResourceIdentifier;
        uris[count++] = (struct uri){ (const char *)ASN1_STRING_get0_data(text), (size_t)ASN1_STRING_length(text) };
    }
    if (names)
        judge(uris, count);
    GENERAL_NAMES_free(names);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct feed feed = { bytes, size };

    if (feed_byte(&feed) % 2)
        from_extension(feed);
    else
        from_lines(feed);
    return 0;
}
