/*
 * settlement_handlers.h -- SettlementService's handlers that have a file of their own.
 */
#ifndef SERVICE_SETTLEMENT_HANDLERS_H
#define SERVICE_SETTLEMENT_HANDLERS_H

#include "service/call.h"
#include "service/errand.h"
#include "store/statement_read.h"

#include <alliance/v1/settlement_service.pb-c.h>

bool settlement_publish_contract(struct call *call, const ProtobufCMessage *request, struct error *err);
bool settlement_list_contracts(struct call *call, const ProtobufCMessage *request, struct error *err);
bool settlement_propose_correction(struct call *call, const ProtobufCMessage *request, struct error *err);
bool settlement_approve_correction(struct call *call, const ProtobufCMessage *request, struct error *err);
bool settlement_list_corrections(struct call *call, const ProtobufCMessage *request, struct error *err);
bool settlement_set_account(struct call *call, const ProtobufCMessage *request, struct error *err);
bool settlement_approve_account(struct call *call, const ProtobufCMessage *request, struct error *err);
bool settlement_list_accounts(struct call *call, const ProtobufCMessage *request, struct error *err);
bool settlement_approve_period(struct call *call, const ProtobufCMessage *request, struct error *err);
bool settlement_list_periods(struct call *call, const ProtobufCMessage *request, struct error *err);
bool settlement_confirm_statement(struct call *call, const ProtobufCMessage *request, struct error *err);

bool settlement_dispute_statement(struct call *call, const ProtobufCMessage *request, struct error *err);
bool settlement_step_dispute(struct call *call, const ProtobufCMessage *request, struct error *err);
bool settlement_get_dispute(struct call *call, const ProtobufCMessage *request, struct error *err);
bool settlement_list_postings(struct call *call, const ProtobufCMessage *request, struct error *err);
bool settlement_publish_calendar(struct call *call, const ProtobufCMessage *request, struct error *err);
bool settlement_get_calendar(struct call *call, const ProtobufCMessage *request, struct error *err);
bool settlement_list_receivables(struct call *call, const ProtobufCMessage *request, struct error *err);
struct dispute_row;
/* As the call's answer, with its steps. */
bool settlement_reply_dispute(struct errand *errand, const struct dispute_row *row, struct error *err) MUST_USE;
bool settlement_list_disputes(struct call *call, const ProtobufCMessage *request, struct error *err);

/* Which party the caller is, enum party_kind and its number; both 0 for the operator, who sees all. */
bool settlement_find_caller(struct errand *errand, int16_t *kind, int32_t *no, struct error *err) MUST_USE;
bool settlement_check_statement_id(const char *statement_id, struct error *err) MUST_USE;
/* STATEMENT_NOT_FOUND, also when it is not the caller's. */
bool settlement_find_statement(struct errand *errand, const char *statement_id, struct statement_row *row,
                               struct error *err) MUST_USE;
/* Is it the roll-up of a party of that kind: what the party itself agrees to? */
bool settlement_is_roll_up(const struct statement_row *row, int party_kind);
bool settlement_reply_statement(struct errand *errand, const struct statement_row *row, struct error *err) MUST_USE;

/* Shape only: a kind, and an id where the kind has one. */
bool settlement_check_party(const char *field, const Alliance__V1__SettlementParty *party, struct error *err) MUST_USE;
/* Its number; BANK_NOT_FOUND and the like. */
bool settlement_find_party(struct errand *errand, int32_t programme_no, const char *field,
                           const Alliance__V1__SettlementParty *party, int32_t *party_no, struct error *err) MUST_USE;
Alliance__V1__SettlementParty *settlement_shape_party(struct arena *arena, int16_t kind, const char *id);
/* PROGRAMME_NOT_FOUND */
bool settlement_find_programme(struct errand *errand, const char *programme_id, int32_t *programme_no,
                               struct error *err) MUST_USE;

#endif
