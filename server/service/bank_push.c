/*
 * bank_push.c -- PushAccruals: each row is checked by itself, so that a wrong one does not hinder the others.
 *
 * A message whose rows name members goes straight to the lanes. When some name a card, a clerk first finds whose it is,
 * and all rows of the message wait for that: their order is kept, so that a return stays behind its purchase.
 */
#include "service/bank_handlers.h"

#include "base/text.h"
#include "engine/clerks.h"
#include "io/crypto.h"
#include "io/log.h"
#include "service/check.h"
#include "service/errand.h"
#include "service/office.h"
#include "service/push.h"
#include "service/shape.h"
#include "service/spend_owner.h"

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

static bool check_who(const Accrual *accrual, struct error *err)
{
    if (text_empty(accrual->card_token))
        return check_member_ref("member_ref", accrual->member_ref, err) &&
               check_no_card_number("member_ref", accrual->member_ref, err);
    if (!text_empty(accrual->member_ref))
        return error_field(err, REASON_FIELD_INVALID, "member_ref", "must be empty when card_token is set");
    return check_card_token("card_token", accrual->card_token, err) &&
           check_no_card_number("card_token", accrual->card_token, err);
}

static bool check_accrual(const Accrual *accrual, struct instant *time, struct error *err)
{
    if (!text_is_ref(accrual->transaction_ref, TRANSACTION_REF_MAX, "._:-"))
        return error_field(err, REASON_FIELD_INVALID, "transaction_ref",
                           "must be 1 to %d letters, digits and \". _ : -\"", TRANSACTION_REF_MAX);
    return check_who(accrual, err) && check_money("amount", accrual->amount, AMOUNT_MINOR_MAX, err) &&
           check_set("transaction_time", accrual->transaction_time, err) &&
           check_timestamp("transaction_time", accrual->transaction_time, time, err) &&
           check_id_or_none("funding_id", accrual->funding_id, err) &&
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

/* Where the card was used. */
static bool check_where(const Accrual *accrual, int32_t *category, struct error *err)
{
    return check_category("merchant_category_code", accrual->merchant_category_code, category, err) &&
           check_text("merchant_name", accrual->merchant_name, 0, PLACE_MAX, err) &&
           check_no_card_number("merchant_name", accrual->merchant_name, err) &&
           check_id_or_none("merchant_id", accrual->merchant_id, err) &&
           check_id_or_none("channel", accrual->channel, err);
}

/* What a purchase says beyond what a reversal may say. */
static bool check_purchase(const Accrual *accrual, const struct bank *bank, struct accrue_order *order,
                           struct error *err)
{
    return check_pending(accrual, &order->pending_until, err) && find_funding(bank, accrual, &order->funding_no, err) &&
           check_range("fixed_points", accrual->fixed_points, 0, POINTS_MAX, err) &&
           check_where(accrual, &order->category, err) &&
           check_range("paid_with_points_minor", accrual->paid_with_points_minor, 0, accrual->amount->amount_minor,
                       err);
}

static bool must_be_empty(const char *field, bool empty, struct error *err)
{
    return empty || error_field(err, REASON_FIELD_INVALID, field, "must be empty when reversal_of is set");
}

/* Where it was a bank's file says of a return as of a purchase: the purchase's word counts. */
static bool check_reversal(const Accrual *accrual, struct error *err)
{
    int32_t ignored;

    if (!text_is_ref(accrual->reversal_of, TRANSACTION_REF_MAX, "._:-"))
        return error_field(err, REASON_FIELD_INVALID, "reversal_of", "must be a transaction_ref");
    if (strcmp(accrual->reversal_of, accrual->transaction_ref) == 0)
        return error_field(err, REASON_FIELD_INVALID, "reversal_of", "must be another than transaction_ref");
    return must_be_empty("funding_id", text_empty(accrual->funding_id), err) &&
           must_be_empty("pending_until", text_empty(accrual->pending_until), err) &&
           must_be_empty("pending_event", !accrual->pending_event, err) &&
           must_be_empty("fixed_points", accrual->fixed_points == 0, err) &&
           must_be_empty("paid_with_points_minor", accrual->paid_with_points_minor == 0, err) &&
           check_where(accrual, &ignored, err);
}

static void set_reversal(struct command *command, const Accrual *accrual, const char *bank_id)
{
    command->kind = COMMAND_REVERSE_ACCRUAL;
    command->accrual_id = command_accrual_id(bank_id, command->member_ref, accrual->reversal_of);
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
    command->accrue.merchant_id = accrual->merchant_id;
    command->accrue.channel = accrual->channel;
    command->accrue.paid_with_points_minor = accrual->paid_with_points_minor;
}

/* The command of a row that was checked, about that member. */
static void submit(struct push_row *row, const Accrual *accrual, const char *member_ref)
{
    struct command *command = &row->command;
    const char *bank_id = row->push->bank_id;

    command->member_ref = member_ref;
    command->request_id = command_accrual_id(bank_id, member_ref, accrual->transaction_ref);
    command->member_id = command_member_id(bank_id, member_ref);
    if (text_empty(accrual->reversal_of))
        set_purchase(command, accrual);
    else
        set_reversal(command, accrual, bank_id);
    push_submit(row);
}

/* The row's number in its file is not part of what it says. */
static bool hash_accrual(const struct call *call, const Accrual *accrual, uint8_t hash[CRYPTO_HASH], struct error *err)
{
    Accrual content = *accrual;

    content.row_number = 0;
    return shape_hash_call(call, &content.base, hash, err);
}

/* The good rows of one message, in the call's arena. */
struct spend {
    struct clerk_job job;
    struct push *push;
    struct push_row **rows;
    const Accrual **accruals;
    size_t count, by_card;
};

static void take_accrual(struct push_row *row, const Accrual *accrual, const struct bank *bank, struct spend *spend)
{
    struct command *command = &row->command;
    struct error wrong = { 0 };

    if (!check_accrual(accrual, &command->accrue.transaction_time, &wrong) ||
        !(text_empty(accrual->reversal_of) ? check_purchase(accrual, bank, &command->accrue, &wrong)
                                           : check_reversal(accrual, &wrong)) ||
        !hash_accrual(row->push->call, accrual, command->content_hash, &wrong)) {
        push_refuse(row, &wrong);
        return;
    }
    spend->by_card += !text_empty(accrual->card_token);
    spend->rows[spend->count] = row;
    spend->accruals[spend->count++] = accrual;
}

/* Rows that name their member go on whatever became of the cards. */
static void submit_all(const struct spend *spend, const struct error *no_cards)
{
    for (size_t i = 0; i < spend->count; i++) {
        const Accrual *accrual = spend->accruals[i];
        if (text_empty(accrual->card_token))
            submit(spend->rows[i], accrual, accrual->member_ref);
        else
            push_refuse(spend->rows[i], no_cards);
    }
}

static void submit_found(struct spend *spend, const struct spend_card *card)
{
    struct error unknown;

    error_field(&unknown, REASON_CARD_NOT_FOUND, "card_token", "%s", "");
    for (size_t i = 0; i < spend->count; i++) {
        const Accrual *accrual = spend->accruals[i];
        const char *member_ref = text_empty(accrual->card_token) ? accrual->member_ref : (card++)->member_ref;
        if (member_ref)
            submit(spend->rows[i], accrual, member_ref);
        else
            push_refuse(spend->rows[i], &unknown);
    }
}

static struct spend_card *list_cards(const struct spend *spend)
{
    struct spend_card *cards = arena_alloc(&spend->push->call->arena, spend->by_card * sizeof *cards);
    size_t count = 0;

    for (size_t i = 0; cards && i < spend->count; i++) {
        const Accrual *accrual = spend->accruals[i];
        if (!text_empty(accrual->card_token))
            cards[count++] = (struct spend_card){
                .token = accrual->card_token,
                .purchase = text_empty(accrual->reversal_of) ? accrual->transaction_ref : accrual->reversal_of,
            };
    }
    return cards;
}

/* On a clerk's thread. */
static void find_owners(struct clerk_job *job, struct db *db, struct error *err)
{
    struct spend *spend = (struct spend *)(void *)job;
    struct call *call = spend->push->call;
    const struct error inside = { .reason = REASON_INTERNAL };
    struct spend_card *cards = list_cards(spend);
    const struct reference *reference = reference_acquire(call->office->reference);
    int32_t buckets = reference->buckets;

    reference_release(reference);
    if (!db || !cards ||
        !spend_find_owners(db, buckets, spend->push->bank_id, cards, spend->by_card, &call->arena, err)) {
        LOG(LOG_WARN, "cards are not found", log_text("detail", error_text(err)));
        submit_all(spend, err->reason == REASON_INTERNAL || err->reason == REASON_OK ? &inside : err);
    } else {
        submit_found(spend, cards);
    }
    push_end(spend->push);
}

static void begin(struct spend *spend)
{
    struct error err = { 0 };

    if (spend->by_card == 0) {
        submit_all(spend, NULL);
        return;
    }
    spend->job = (struct clerk_job){ .run = find_owners };
    push_also(spend->push);
    if (clerks_submit(spend->push->call->office->clerks, &spend->job, &err))
        return;
    submit_all(spend, &err);
    push_end(spend->push);
}

static struct spend *make_spend(struct push *push)
{
    struct arena *arena = &push->call->arena;
    struct spend *spend = arena_alloc(arena, sizeof *spend);

    if (!spend)
        return NULL;
    spend->push = push;
    spend->rows = arena_alloc(arena, push->count * sizeof *spend->rows);
    spend->accruals = arena_alloc(arena, push->count * sizeof *spend->accruals);
    return spend->rows && spend->accruals ? spend : NULL;
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
    struct spend *spend = make_spend(push);
    for (size_t i = 0; i < asked->n_rows; i++) {
        struct push_row *row = push_row(push, i, asked->rows[i]->row_number);
        struct error full;
        if (spend)
            take_accrual(row, asked->rows[i], bank, spend);
        else if (!errand_no_room(&full))
            push_refuse(row, &full);
    }
    reference_release(reference);
    if (spend)
        begin(spend);
    push_end(push);
    return true;
}
