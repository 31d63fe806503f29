/* The caller's certificate as the core saw it, to a principal. */
#include "rpc/internal.h"

#include "rpc/principal.h"

#include <grpc/grpc_security.h>

enum { URIS_MAX = 16 };

static bool from_context(const grpc_auth_context *context, struct principal *principal, struct error *err)
{
    struct uri uris[URIS_MAX];
    size_t count = 0;
    const grpc_auth_property *property;

    if (!context || !grpc_auth_context_peer_is_authenticated(context))
        return error_set(err, REASON_UNAUTHENTICATED, "the caller showed no certificate");
    grpc_auth_property_iterator at = grpc_auth_context_find_properties_by_name(context, GRPC_PEER_URI_PROPERTY_NAME);
    while ((property = grpc_auth_property_iterator_next(&at))) {
        if (count == URIS_MAX)
            return error_set(err, REASON_UNAUTHENTICATED, "the client certificate has too many names");
        uris[count++] = (struct uri){ property->value, property->value_length };
    }
    return principal_of(uris, count, principal, err);
}

bool rpc_identity(grpc_call *core, struct principal *principal, struct error *err)
{
    grpc_auth_context *context = grpc_call_auth_context(core);
    bool known = from_context(context, principal, err);

    grpc_auth_context_release(context);
    return known;
}
