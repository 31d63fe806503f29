/*
 * diagnostics_service.c -- is the server there? Needs neither the database nor reference data.
 */
#include "service/services.h"

#include <alliance/v1/diagnostics_service.pb-c.h>

static bool ping(struct call *call, const ProtobufCMessage *request, struct error *err)
{
    const Alliance__V1__PingRequest *asked = (const Alliance__V1__PingRequest *)request;
    Alliance__V1__PingResponse pong = ALLIANCE__V1__PING_RESPONSE__INIT;

    (void)err;
    pong.payload = asked->payload;
    pong.principal = call->principal.uri;
    call_reply(call, &pong.base);
    return true;
}

static const struct method methods[] = {
    { "Ping", ROLE_ANY, ping, NULL },
};
const struct service diagnostics_service = { &alliance__v1__diagnostics_service__descriptor, methods, COUNT(methods) };
