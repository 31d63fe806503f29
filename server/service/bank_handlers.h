/*
 * bank_handlers.h -- the handlers of BankService; bank_service.c has their table.
 */
#ifndef SERVICE_BANK_HANDLERS_H
#define SERVICE_BANK_HANDLERS_H

#include "service/call.h"

/* member_push.c, bank_push.c: streams */
method_handler bank_push_members, bank_push_accruals;
/* bank_rules.c */
method_handler bank_publish_rules, bank_get_rules;
/* bank_balance.c */
method_handler bank_get_balance;
/* journal_list.c, journal_balance.c, explain.c */
method_handler bank_list_journal, bank_get_balance_at, bank_explain_entry;
/* drawn_credit.c */
method_handler bank_report_drawn_credit;
/* drawn_credit_list.c */
method_handler bank_list_drawn_credit;
/* exposure_warnings.c */
method_handler bank_list_exposure_warnings;
/* forecast.c */
method_handler bank_forecast_expiry, bank_list_expiry_notices;
/* funding.c */
method_handler bank_register_funding;
/* member_write.c: every operation on one member */
method_handler bank_member_write;
/* transfer.c */
method_handler bank_transfer_points, bank_merge_members;
/* exposure.c */
method_handler bank_set_exposure_limit, bank_get_exposure;

#endif
