/*
 * operator_service.c -- OperatorService: the operator alone may call it.
 */
#include "service/operator_handlers.h"
#include "service/services.h"

#include <alliance/v1/operator_service.pb-c.h>

static const struct method methods[] = {
    /* rpc name            who may call   handler */
    { "CreateProgramme", ROLE_OPERATOR, operator_create_programme, NULL },
    { "GetProgramme", ROLE_OPERATOR, operator_get_programme, NULL },
    { "AdvanceTestClock", ROLE_OPERATOR, operator_advance_clock, NULL },
    { "RegisterBank", ROLE_OPERATOR, operator_register_bank, NULL },
    { "RegisterMerchant", ROLE_OPERATOR, operator_register_merchant, NULL },
    { "ImportMerchants", ROLE_OPERATOR, operator_import_merchants, operator_import_close },
    { "PublishTerms", ROLE_OPERATOR, operator_publish_terms, NULL },
    { "ListMerchants", ROLE_OPERATOR, operator_list_merchants, NULL },
    { "RegisterGood", ROLE_OPERATOR, operator_register_good, NULL },
    { "RegisterCarrier", ROLE_OPERATOR, operator_register_carrier, NULL },
    { "AdjustPoints", ROLE_OPERATOR, operator_adjust_points, NULL },
    { "ApproveAdjustment", ROLE_OPERATOR, operator_approve_adjustment, NULL },
    { "ReinstatePoints", ROLE_OPERATOR, operator_reinstate_points, NULL },
    { "RecordSettledExposure", ROLE_OPERATOR, operator_record_settled, NULL },
    { "VerifyLedger", ROLE_OPERATOR, operator_verify_ledger, operator_verify_close },
    { "ListShipments", ROLE_OPERATOR, operator_list_shipments, NULL },
};
const struct service operator_service = { &alliance__v1__operator_service__descriptor, methods, COUNT(methods) };
