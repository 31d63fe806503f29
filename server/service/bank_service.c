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
    { "RegisterFunding", ROLE_BANK, bank_register_funding, NULL },
    { "FreezeMember", ROLE_BANK, bank_member_write, NULL },
    { "UnfreezeMember", ROLE_BANK, bank_member_write, NULL },
    { "CloseMember", ROLE_BANK, bank_member_write, NULL },
    { "SetCreditLimit", ROLE_BANK, bank_member_write, NULL },
    { "SetTier", ROLE_BANK, bank_member_write, NULL },
    { "MatureAccrual", ROLE_BANK, bank_member_write, NULL },
    { "ClawBackAccrual", ROLE_BANK, bank_member_write, NULL },
    { "TransferPoints", ROLE_BANK, bank_transfer_points, NULL },
    { "MergeMembers", ROLE_BANK, bank_merge_members, NULL },
    { "SetExposureLimit", ROLE_BANK, bank_set_exposure_limit, NULL },
    { "GetExposure", ROLE_BANK | ROLE_OPERATOR, bank_get_exposure, NULL },
    { "GetBalance", ROLE_BANK | ROLE_OPERATOR, bank_get_balance, NULL },
    { "GetBalanceAt", ROLE_BANK | ROLE_OPERATOR, bank_get_balance_at, NULL },
    { "ListJournal", ROLE_BANK | ROLE_OPERATOR, bank_list_journal, NULL },
    { "ExplainEntry", ROLE_BANK | ROLE_OPERATOR, bank_explain_entry, NULL },
    { "ReportDrawnCredit", ROLE_BANK | ROLE_OPERATOR, bank_report_drawn_credit, NULL },
    { "ListDrawnCredit", ROLE_BANK | ROLE_OPERATOR, bank_list_drawn_credit, NULL },
    { "ListExposureWarnings", ROLE_BANK | ROLE_OPERATOR, bank_list_exposure_warnings, NULL },
    { "ForecastExpiry", ROLE_BANK | ROLE_OPERATOR, bank_forecast_expiry, NULL },
    { "ListExpiryNotices", ROLE_BANK | ROLE_OPERATOR, bank_list_expiry_notices, NULL },
};
const struct service bank_service = { &alliance__v1__bank_service__descriptor, methods, COUNT(methods) };
