/*
 * services.h -- the services of the contract, each a table of handlers; one file a proto service defines it.
 */
#ifndef SERVICE_SERVICES_H
#define SERVICE_SERVICES_H

#include "service/call.h"

extern const struct service bank_service, diagnostics_service, member_service, operator_service, redemption_service,
    roster_service, rules_service, settlement_service;

/* All of them, for the transport. */
extern const struct service *const services[];
extern const size_t service_count;

#endif
