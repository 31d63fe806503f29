/*
 * member_write.h -- what operations on a member have in common: a command to the member's lane, its answer out as a
 * MemberReceipt. Whether it may be done the lane decides.
 */
#ifndef SERVICE_MEMBER_WRITE_H
#define SERVICE_MEMBER_WRITE_H

#include "engine/command.h"
#include "engine/reference.h"
#include "service/errand.h"

#include <alliance/v1/bank_service.pb-c.h>

/* How all these requests begin; of a transfer or merge, member_ref is the member that gives. */
struct member_request {
    ProtobufCMessage base;
    char *request_id, *bank_id, *member_ref;
};

/*
 * Checks those three fields, the caller's right to the bank, and makes a command in the call's arena with its ids and
 * content hash; member_aim does the rest. member_field is what the member's field is called. NULL with *err set.
 */
struct command *member_command(struct call *call, const ProtobufCMessage *request, const char *member_field,
                               struct error *err);
/* Bank, programme and lane. BANK_NOT_FOUND. */
bool member_aim(const struct reference *reference, const struct member_request *asked, struct command *command,
                struct error *err) MUST_USE;

/* Is there what that statement of store/member_operation_store.h looks for? On a clerk's thread. */
struct statement;
bool member_look_up(struct errand *errand, const struct statement *statement, uint16_t hash16, const struct uuid *id,
                    bool *there, struct error *err) MUST_USE;

/* The answer as a receipt in an arena; NULL when it is full. */
Alliance__V1__MemberReceipt *member_shape_receipt(struct arena *arena, char *member_ref, const struct answer *answer);
/* Answers the call: a receipt, or the refusal. */
void member_answer(struct call *call, char *member_ref, const struct answer *answer);

#endif
