/*
 * redemption_handlers.h -- the handlers of RedemptionService; redemption_service.c has their table.
 */
#ifndef SERVICE_REDEMPTION_HANDLERS_H
#define SERVICE_REDEMPTION_HANDLERS_H

#include "engine/reference.h"
#include "service/call.h"

/* redemption_hold.c, redemption_write.c */
method_handler redemption_hold_handler, redemption_confirm_handler, redemption_cancel_handler,
    redemption_reverse_handler;
/* redemption_read.c */
method_handler redemption_quote_handler, redemption_get_handler;

enum { QUANTITY_MAX = 10000 };

struct command;

/* A command of the caller's, in the call's arena, that answers the call with a receipt; NULL with *err set. */
struct command *redemption_command(struct call *call, const ProtobufCMessage *request, const char *request_id,
                                   struct error *err);
/* Gives it to its lane. The call is held until it is answered. */
bool redemption_submit(struct call *call, struct command *command, struct error *err) MUST_USE;
/* Which store's redemptions the caller reaches, 0 for all; false for a certificate of a store that is not there. */
bool redemption_reach(const struct call *call, const struct merchant *merchant, int32_t *store_no) MUST_USE;
/* The merchant and the bank, of one programme: BANK_NOT_FOUND, MERCHANT_NOT_FOUND. */
bool redemption_parties(const struct reference *reference, const char *merchant_id, const char *bank_id,
                        const struct merchant **merchant, const struct bank **bank, struct error *err) MUST_USE;

#endif
