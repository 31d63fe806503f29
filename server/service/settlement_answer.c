/*
 * settlement_answer.c -- ConfirmStatement: a bank or a merchant agrees to what was issued to it.
 */
#include "service/check.h"
#include "service/settlement_handlers.h"
#include "store/statement_answer_store.h"

typedef Alliance__V1__ConfirmStatementRequest Confirm;

static bool is_its_own(const struct call *call, const struct statement_row *row)
{
    return row->type == (call->principal.role == ROLE_BANK ? ALLIANCE__V1__STATEMENT_TYPE__STATEMENT_TYPE_BANK
                                                           : ALLIANCE__V1__STATEMENT_TYPE__STATEMENT_TYPE_MERCHANT);
}

/* What has an answer keeps it: agreeing again is answered as it is. */
static bool may_confirm(const struct call *call, const struct statement_row *row, struct error *err)
{
    if (!is_its_own(call, row))
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

    if (!settlement_find_statement(errand, asked->statement_id, &row, err) || !may_confirm(errand->call, &row, err))
        return false;
    const struct statement_confirm_params params = { row.statement_no, errand->call->principal.uri };
    return db_execute(errand->db, &statement_confirm, &params, NULL, err) &&
           settlement_find_statement(errand, asked->statement_id, &row, err) && may_confirm(errand->call, &row, err) &&
           settlement_reply_statement(errand, &row, err);
}

bool settlement_confirm_statement(struct call *call, const ProtobufCMessage *request, struct error *err)
{
    return settlement_check_statement_id(((const Confirm *)request)->statement_id, err) &&
           errand_read(call, request, confirm_work, err);
}
