/*
 * operator_handlers.h -- the handlers of OperatorService; operator_service.c has their table.
 */
#ifndef SERVICE_OPERATOR_HANDLERS_H
#define SERVICE_OPERATOR_HANDLERS_H

#include "service/call.h"

/* operator_programme.c */
method_handler operator_create_programme, operator_get_programme, operator_advance_clock;
/* operator_party.c */
method_handler operator_register_bank, operator_register_carrier, operator_register_good;
/* operator_merchant.c */
method_handler operator_register_merchant, operator_publish_terms;
/* operator_import.c: a client stream */
method_handler operator_import_merchants;
method_close operator_import_close;
/* operator_list.c */
method_handler operator_list_merchants, operator_list_shipments;
/* ledger.c: a bidirectional stream */
method_handler operator_verify_ledger;
method_close operator_verify_close;
/* adjustment.c */
method_handler operator_adjust_points, operator_approve_adjustment;
/* member_write.c */
method_handler operator_reinstate_points;
/* exposure.c */
method_handler operator_record_settled;

#endif
