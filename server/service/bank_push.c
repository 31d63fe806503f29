/* bank_push.c -- PushAccruals: each row is checked by itself, so that a wrong one does not hinder the others. */
#include "service/bank_handlers.h"

#include "base/text.h"
#include "io/crypto.h"
#include "service/check.h"
#include "service/office.h"
#include "service/push.h"
#include "service/shape.h"

#include <alliance/v1/bank_service.pb-c.h>
#include <stdlib.h>
#include <string.h>

typedef Alliance__V1__AccrualRow Accrual;

/* Reference numbers of banks have 12 digits, of which one in ten would pass for a card number; cards have 13 and more.
 */
enum { CARD_NUMBER_MIN = 13, PLACE_MAX = 64 /* bytes */ };

/* A day that can be written down, and so can be the day five years later on which the points expire. */
static bool check_pending(const Accrual *accrual, struct date *until, struct error *err)
{
    static const struct date last = { 376199 }; /* 2999-12-31 */

    until->days = 0;
    if (text_empty(accrual->pending_until))
        return true;
    if (accrual->pending_event)
        return error_field(err, REASON_FIELD_INVALID, "pending_until", "must be empty when pending_event is set");
    return check_date("pending_until", accrual->pending_until, until, err) &&
           ((until->days > 0 && until->days <= last.days) ||
            error_field(err, REASON_FIELD_INVALID, "pending_until", "must be 1970-01-02 to 2999-12-31"));
}

static bool check_accrual(const Accrual *accrual, struct instant *time, struct error *err)
{
    if (!text_is_ref(accrual->transaction_ref, TRANSACTION_REF_MAX, "._:-"))
        return error_field(err, REASON_FIELD_INVALID, "transaction_ref",
                           "must be 1 to %d letters, digits and \". _ : -\"", TRANSACTION_REF_MAX);
    return check_member_ref("member_ref", accrual->member_ref, err) &&
           check_money("amount", accrual->amount, AMOUNT_MINOR_MAX, err) &&
           check_set("transaction_time", accrual->transaction_time, err) &&
           check_timestamp("transaction_time", accrual->transaction_time, time, err) &&
           check_id_or_none("funding_id", accrual->funding_id, err) &&
           check_no_card_number("member_ref", accrual->member_ref, err) &&
           (strlen(accrual->transaction_ref) < CARD_NUMBER_MIN ||
            check_no_card_number("transaction_ref", accrual->transaction_ref, err));
}

static bool find_funding(const struct bank *bank, const Accrual *accrual, int32_t *funding_no, struct error *err)
{
    const struct funding *funding = bank ? reference_funding(bank, accrual->funding_id) : NULL;

    *funding_no = funding ? funding->no : 0;
    return funding || text_empty(accrual->funding_id) ||
           error_field(err, REASON_FUNDING_NOT_FOUND, "funding_id", "%s", "");
}

static bool check_category(const char *code, int32_t *category, struct error *err)
{
    size_t digits = strspn(code, "0123456789");

    *category = (int32_t)strtol(code, NULL, 10);
    return text_empty(code) || (digits == 4 && code[4] == '\0') ||
           error_field(err, REASON_FIELD_INVALID, "merchant_category_code", "must be four digits");
}

/* What a purchase says beyond what a reversal may say. */
static bool check_purchase(const Accrual *accrual, const struct bank *bank, struct accrue_order *order,
                           struct error *err)
{
    return check_pending(accrual, &order->pending_until, err) && find_funding(bank, accrual, &order->funding_no, err) &&
           check_range("fixed_points", accrual->fixed_points, 0, POINTS_MAX, err) &&
           check_category(accrual->merchant_category_code, &order->category, err) &&
           check_text("merchant_name", accrual->merchant_name, 0, PLACE_MAX, err) &&
           check_no_card_number("merchant_name", accrual->merchant_name, err);
}

static bool must_be_empty(const char *field, bool empty, struct error *err)
{
    return empty || error_field(err, REASON_FIELD_INVALID, field, "must be empty when reversal_of is set");
}

static bool check_reversal(const Accrual *accrual, struct error *err)
{
    if (!text_is_ref(accrual->reversal_of, TRANSACTION_REF_MAX, "._:-"))
        return error_field(err, REASON_FIELD_INVALID, "reversal_of", "must be a transaction_ref");
    if (strcmp(accrual->reversal_of, accrual->transaction_ref) == 0)
        return error_field(err, REASON_FIELD_INVALID, "reversal_of", "must be another than transaction_ref");
    return must_be_empty("funding_id", text_empty(accrual->funding_id), err) &&
           must_be_empty("pending_until", text_empty(accrual->pending_until), err) &&
           must_be_empty("pending_event", !accrual->pending_event, err) &&
           must_be_empty("fixed_points", accrual->fixed_points == 0, err) &&
           must_be_empty("merchant_category_code", text_empty(accrual->merchant_category_code), err) &&
           must_be_empty("merchant_name", text_empty(accrual->merchant_name), err);
}

static void set_reversal(struct command *command, const Accrual *accrual, const char *bank_id)
{
    command->kind = COMMAND_REVERSE_ACCRUAL;
    command->accrual_id = command_accrual_id(bank_id, accrual->member_ref, accrual->reversal_of);
    command->spend_back = (struct spend_back_order){ .amount_minor = accrual->amount->amount_minor };
    memcpy(command->spend_back.currency, accrual->amount->currency_code, CURRENCY_TEXT - 1);
}

static void set_purchase(struct command *command, const Accrual *accrual)
{
    command->kind = COMMAND_ACCRUE;
    command->accrue.transaction_ref = accrual->transaction_ref;
    command->accrue.amount_minor = accrual->amount->amount_minor;
    memcpy(command->accrue.currency, accrual->amount->currency_code, CURRENCY_TEXT - 1);
    command->accrue.by_event = accrual->pending_event;
    command->accrue.fixed_points = accrual->fixed_points;
    command->accrue.place = accrual->merchant_name;
}

static void set_accrual(struct command *command, const Accrual *accrual, const char *bank_id)
{
    command->request_id = command_accrual_id(bank_id, accrual->member_ref, accrual->transaction_ref);
    command->member_ref = accrual->member_ref;
    command->member_id = command_member_id(bank_id, accrual->member_ref);
    if (text_empty(accrual->reversal_of))
        set_purchase(command, accrual);
    else
        set_reversal(command, accrual, bank_id);
}

/* The row's number in its file is not part of what it says. */
static bool hash_accrual(const struct call *call, const Accrual *accrual, uint8_t hash[CRYPTO_HASH], struct error *err)
{
    Accrual content = *accrual;

    content.row_number = 0;
    return shape_hash_call(call, &content.base, hash, err);
}

static void take_accrual(struct push_row *row, const Accrual *accrual, const struct bank *bank)
{
    struct command *command = &row->command;
    struct push *push = row->push;
    struct error wrong = { 0 };

    if (!check_accrual(accrual, &command->accrue.transaction_time, &wrong) ||
        !(text_empty(accrual->reversal_of) ? check_purchase(accrual, bank, &command->accrue, &wrong)
                                           : check_reversal(accrual, &wrong)) ||
        !hash_accrual(push->call, accrual, command->content_hash, &wrong)) {
        push_refuse(row, &wrong);
        return;
    }
    set_accrual(command, accrual, push->bank_id);
    push_submit(row);
}

static void answer_accruals(struct call *call, Alliance__V1__RowVerdict **verdicts, size_t count)
{
    Alliance__V1__PushAccrualsResponse response = ALLIANCE__V1__PUSH_ACCRUALS_RESPONSE__INIT;

    response.verdicts = verdicts;
    response.n_verdicts = count;
    call_write(call, &response.base);
}

bool bank_push_accruals(struct call *call, const ProtobufCMessage *request, struct error *err)
{
    const Alliance__V1__PushAccrualsRequest *asked = (const Alliance__V1__PushAccrualsRequest *)request;
    struct push *push;

    if (!asked) {
        call_finish(call);
        return true;
    }
    if (!push_begin(call, asked->bank_id, asked->n_rows, answer_accruals, &push, err))
        return false;
    const struct reference *reference = reference_acquire(call->office->reference);
    const struct bank *bank = reference_bank(reference, push->bank_id);
    for (size_t i = 0; i < asked->n_rows; i++)
        take_accrual(push_row(push, i, asked->rows[i]->row_number), asked->rows[i], bank);
    reference_release(reference);
    push_end(push);
    return true;
}
