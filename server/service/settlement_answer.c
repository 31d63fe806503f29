/*
 * settlement_answer.c -- ConfirmStatement: a bank, a merchant or a carrier agrees to what was issued to it.
 */
#include "domain/settle_contract.h"
#include "service/check.h"
#include "service/settlement_handlers.h"
#include "store/statement_answer_store.h"

typedef Alliance__V1__ConfirmStatementRequest Confirm;

bool settlement_is_roll_up(const struct statement_row *row, int party_kind)
{
    static const int types[] = { [PARTY_BANK] = ALLIANCE__V1__STATEMENT_TYPE__STATEMENT_TYPE_BANK,
                                 [PARTY_MERCHANT] = ALLIANCE__V1__STATEMENT_TYPE__STATEMENT_TYPE_MERCHANT,
                                 [PARTY_CARRIER] = ALLIANCE__V1__STATEMENT_TYPE__STATEMENT_TYPE_CARRIER };

    return party_kind > 0 && party_kind < (int)COUNT(types) && row->type == types[party_kind];
}

/* What has an answer keeps it: agreeing again is answered as it is. */
static bool may_confirm(struct errand *errand, const struct statement_row *row, struct error *err)
{
    int16_t kind;
    int32_t no;

    if (!settlement_find_caller(errand, &kind, &no, err))
        return false;
    if (!settlement_is_roll_up(row, kind))
        return error_field(
            err, REASON_FIELD_INVALID, "statement_id",
            "must be that of the caller's roll-up: a PAIR is confirmed with the roll-ups of its parties");
    if (row->state < ALLIANCE__V1__STATEMENT_STATE__STATEMENT_STATE_ISSUED)
        return error_field(err, REASON_STATEMENT_NOT_ISSUED, "statement_id", "%s", "");
    return row->state != ALLIANCE__V1__STATEMENT_STATE__STATEMENT_STATE_DISPUTED ||
           error_field(err, REASON_STATEMENT_DISPUTED, "statement_id", "%s", "");
}

static bool confirm_work(struct errand *errand, struct error *err)
{
    const Confirm *asked = (const Confirm *)errand->request;
    struct statement_row row;

    if (!settlement_find_statement(errand, asked->statement_id, &row, err) || !may_confirm(errand, &row, err))
        return false;
    const struct statement_confirm_params params = { row.statement_no, errand->call->principal.uri };
    if (!db_execute(errand->db, &statement_confirm, &params, NULL, err) ||
        !settlement_find_statement(errand, asked->statement_id, &row, err) || !may_confirm(errand, &row, err))
        return false;
    if (row.answered_on.days == 0) /* it is paid, and a part of it contested */
        return error_field(err, REASON_STATEMENT_DISPUTED, "statement_id", "%s", "");
    return settlement_reply_statement(errand, &row, err);
}

bool settlement_confirm_statement(struct call *call, const ProtobufCMessage *request, struct error *err)
{
    return settlement_check_statement_id(((const Confirm *)request)->statement_id, err) &&
           errand_read(call, request, confirm_work, err);
}
