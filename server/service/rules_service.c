/*
 * rules_service.c -- RulesService: who may call what. A bank acts for itself only.
 */
#include "service/rules_handlers.h"
#include "service/services.h"

static const struct method methods[] = {
    /* rpc name             who may call  handler */
    { "DraftRuleSet", ROLE_BANK, rules_draft, NULL },
    { "ValidateRuleSet", ROLE_BANK, rules_validate, NULL },
    { "ApproveRuleSet", ROLE_BANK, rules_approve, NULL },
    { "ScheduleRuleSet", ROLE_BANK, rules_schedule, NULL },
    { "CancelScheduledRuleSet", ROLE_BANK, rules_cancel, NULL },
    { "GetRuleSet", ROLE_BANK | ROLE_OPERATOR, rules_get, NULL },
    { "ListRuleSets", ROLE_BANK | ROLE_OPERATOR, rules_list, NULL },
    { "DiffRuleSets", ROLE_BANK | ROLE_OPERATOR, rules_diff, NULL },
    { "SimulateSpend", ROLE_BANK | ROLE_OPERATOR, rules_simulate_spend, NULL },
    { "SimulateRedemption", ROLE_BANK | ROLE_OPERATOR, rules_simulate_redemption, NULL },
    { "BackTest", ROLE_BANK | ROLE_OPERATOR, rules_back_test, rules_back_test_close },
};
const struct service rules_service = { &alliance__v1__rules_service__descriptor, methods, COUNT(methods) };
