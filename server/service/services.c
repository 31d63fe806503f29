#include "service/services.h"

const struct service *const services[] = {
    &bank_service,       &diagnostics_service, &member_service, &operator_service,
    &redemption_service, &roster_service,      &rules_service,  &settlement_service,
};
const size_t service_count = COUNT(services);
