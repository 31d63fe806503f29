/*
 * bank_service.c -- BankService: who may call what. A bank acts for itself only.
 */
#include "service/bank_handlers.h"
#include "service/services.h"

#include <alliance/v1/bank_service.pb-c.h>

static const struct method methods[] = {
    /* rpc name               who may call               handler */
    { "PushMembers", ROLE_BANK, bank_push_members, NULL },
    { "PublishExchangeRules", ROLE_BANK, bank_publish_rules, NULL },
    { "GetExchangeRules", ROLE_BANK | ROLE_OPERATOR, bank_get_rules, NULL },
    { "PushAccruals", ROLE_BANK, bank_push_accruals, NULL },
    { "GetBalance", ROLE_BANK | ROLE_OPERATOR, bank_get_balance, NULL },
};
const struct service bank_service = { &alliance__v1__bank_service__descriptor, methods, COUNT(methods) };
