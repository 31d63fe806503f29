#include "service/redemption_receipt.h"

#include "service/shape.h"

static bool makes_redemption(const struct command *command)
{
    return command->kind == COMMAND_HOLD || command->kind == COMMAND_REDEEM;
}

static void add_money(struct receipt *receipt, struct answer *answer)
{
    alliance__v1__money__init(&receipt->gross);
    alliance__v1__money__init(&receipt->commission);
    receipt->gross.currency_code = receipt->commission.currency_code = answer->currency;
    receipt->gross.amount_minor = answer->gross_minor;
    receipt->commission.amount_minor = answer->commission_minor;
    receipt->message.gross = &receipt->gross;
    receipt->message.commission = &receipt->commission;
}

void receipt_write(struct receipt *receipt, struct command *command)
{
    struct answer *answer = &command->answer;
    const struct uuid *redemption = makes_redemption(command) ? &command->request_id : &command->redemption_id;

    alliance__v1__redemption_receipt__init(&receipt->message);
    redemption_id_format(redemption, command->hash16, receipt->redemption_id);
    date_format(answer->business_date, receipt->business_date);
    receipt->time = shape_timestamp(answer->time);
    receipt->message.redemption_id = receipt->redemption_id;
    receipt->message.state = (Alliance__V1__RedemptionState)answer->state;
    receipt->message.points = answer->points;
    receipt->message.spendable_points = answer->spendable;
    receipt->message.business_date = receipt->business_date;
    receipt->message.time = &receipt->time;
    if (command->kind == COMMAND_HOLD || command->kind == COMMAND_EXTEND) {
        receipt->lapse_time = shape_timestamp(answer->lapse_at);
        receipt->message.lapse_time = &receipt->lapse_time;
    }
    if (answer->currency[0])
        add_money(receipt, answer);
    if (answer->cash_minor) {
        alliance__v1__money__init(&receipt->cash);
        receipt->cash.currency_code = answer->cash_currency;
        receipt->cash.amount_minor = answer->cash_minor;
        receipt->message.cash = &receipt->cash;
    }
}
