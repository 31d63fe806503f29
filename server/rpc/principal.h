/*
 * principal.h -- who a certificate speaks for, by its URI names. Pure: no gRPC, no OpenSSL; the chain is verified
 * already.
 */
#ifndef RPC_PRINCIPAL_H
#define RPC_PRINCIPAL_H

#include "base/error.h"
#include "service/call.h"

#include <stddef.h>

/* Not NUL-terminated; may hold anything. */
struct uri {
    const char *text;
    size_t size;
};

/*
 * alliance://bank/ID[/person/NAME], alliance://carrier/ID, alliance://operator/NAME, alliance://channel/ID or
 * alliance://merchant/ID[/store/STORE[/terminal/TERMINAL]]; nothing before, between or after.
 */
bool principal_parse(struct uri uri, struct principal *principal) MUST_USE;
/* Exactly one of the certificate's URIs must begin with alliance:// and be well-formed: else REASON_UNAUTHENTICATED. */
bool principal_of(const struct uri *uris, size_t count, struct principal *principal, struct error *err) MUST_USE;

#endif
