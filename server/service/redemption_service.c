/*
 * redemption_service.c -- RedemptionService: who may call what. A merchant acts for itself only.
 */
#include "service/redemption_handlers.h"
#include "service/services.h"

#include <alliance/v1/redemption_service.pb-c.h>

static const struct method methods[] = {
    /* rpc name           who may call   handler */
    { "QuoteRedemption", ROLE_MERCHANT, redemption_quote_handler, NULL },
    { "HoldRedemption", ROLE_MERCHANT, redemption_hold_handler, NULL },
    { "RedeemPoints", ROLE_MERCHANT, redemption_redeem_handler, NULL },
    { "ConfirmRedemption", ROLE_MERCHANT, redemption_confirm_handler, NULL },
    { "CancelRedemption", ROLE_MERCHANT, redemption_cancel_handler, NULL },
    { "ReverseRedemption", ROLE_MERCHANT, redemption_reverse_handler, NULL },
    { "ExtendHold", ROLE_MERCHANT, redemption_extend_handler, NULL },
    { "WriteRedemptions", ROLE_MERCHANT, redemption_batch_handler, NULL },
    { "StreamRedemptions", ROLE_MERCHANT, redemption_stream_handler, NULL },
    { "GetRedemption", ROLE_MERCHANT, redemption_get_handler, NULL },
};
const struct service redemption_service = { &alliance__v1__redemption_service__descriptor, methods, COUNT(methods) };
