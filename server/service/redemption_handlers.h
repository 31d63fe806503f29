/*
 * redemption_handlers.h -- the handlers of RedemptionService; redemption_service.c has their table.
 *
 * A write comes alone (its own rpc) or among others (WriteRedemptions, StreamRedemptions). Either way it is made into a
 * command by the same function and has the same content hash, so that what came one way may be repeated the other way.
 */
#ifndef SERVICE_REDEMPTION_HANDLERS_H
#define SERVICE_REDEMPTION_HANDLERS_H

#include "engine/command.h"
#include "engine/reference.h"
#include "service/call.h"

#include <alliance/v1/redemption_service.pb-c.h>

/* redemption_write.c */
method_handler redemption_hold_handler, redemption_redeem_handler, redemption_confirm_handler,
    redemption_cancel_handler, redemption_reverse_handler, redemption_extend_handler;
/* redemption_batch.c */
method_handler redemption_batch_handler, redemption_stream_handler;
/* redemption_read.c */
method_handler redemption_quote_handler, redemption_get_handler;

enum { QUANTITY_MAX = 10000 };

/* What the writes of one message have in common. */
struct redemption_desk {
    struct call *call;
    const struct reference *reference; /* NULL until a write needs it; the desk's until it is closed */
};

/* A kind of write. */
struct redemption_kind {
    const char *method;        /* the rpc it has alone */
    enum command_kind command; /* what it becomes */
    /* Checks the request and fills the command; *err names the field as seen from the request. Nothing is queued. */
    bool (*fill)(struct redemption_desk *desk, const struct redemption_kind *kind, const ProtobufCMessage *request,
                 struct command *command, struct error *err);
};

/* redemption_write.c: by the case of RedemptionWrite's action; 0, for none, is empty. */
enum { REDEMPTION_KINDS = ALLIANCE__V1__REDEMPTION_WRITE__ACTION_EXTEND + 1 };
extern const struct redemption_kind redemption_kinds[REDEMPTION_KINDS];

/* redemption_hold.c: HoldRedemption and RedeemPoints. */
bool redemption_fill_hold(struct redemption_desk *desk, const struct redemption_kind *kind,
                          const ProtobufCMessage *request, struct command *command, struct error *err) MUST_USE;
/* What every write has: kind, deadline, request_id and content hash. */
bool redemption_begin(struct redemption_desk *desk, const struct redemption_kind *kind, const ProtobufCMessage *request,
                      const char *request_id, struct command *command, struct error *err) MUST_USE;
const struct reference *redemption_reference(struct redemption_desk *desk);
void redemption_close_desk(struct redemption_desk *desk);

/* An interval a hold may live. */
bool redemption_check_lapse(const Google__Protobuf__Duration *lapse_after, int64_t *out_us, struct error *err) MUST_USE;
/* Which store's redemptions the caller reaches, 0 for all; false for a certificate of a store that is not there. */
bool redemption_reach(const struct call *call, const struct merchant *merchant, int32_t *store_no) MUST_USE;
/* The merchant and the bank, of one programme: BANK_NOT_FOUND, MERCHANT_NOT_FOUND. */
bool redemption_parties(const struct reference *reference, const char *merchant_id, const char *bank_id,
                        const struct merchant **merchant, const struct bank **bank, struct error *err) MUST_USE;

#endif
