#include "amount.h"
#include "cli.h"

#include "base/limits.h"

#include <alliance/v1/redemption_service.pb-c.h>

#define SERVICE &alliance__v1__redemption_service__descriptor

enum { QUANTITY_MAX = 10000, LAPSE_MAX_S = 30 * 86400 };

static char *argument(const struct cli *cli, size_t i)
{
    return (char *)(uintptr_t)cli->arguments.at[i];
}

static bool read_price(struct cli *cli, Alliance__V1__Money *price)
{
    struct error why, err;

    price->currency_code = cli_text(cli, OPTION_CURRENCY);
    if (amount_parse(cli_text(cli, OPTION_PRICE), price->currency_code, &price->amount_minor, &why))
        return true;
    error_field(&err, why.reason, "--price", "%s", error_text(&why));
    return cli_usage(cli, &err) == OUTCOME_DONE;
}

enum outcome redeem_quote(struct cli *cli)
{
    Alliance__V1__QuoteRedemptionRequest request = ALLIANCE__V1__QUOTE_REDEMPTION_REQUEST__INIT;
    Alliance__V1__Money price = ALLIANCE__V1__MONEY__INIT;
    struct error err;

    if (!cli_option(cli, OPTION_PRICE) == !cli_option(cli, OPTION_GOODS)) {
        error_set(&err, REASON_FIELD_INVALID, "give either --price with --currency, or --goods");
        return cli_usage(cli, &err);
    }
    if (cli_option(cli, OPTION_PRICE)) {
        if (!read_price(cli, &price))
            return OUTCOME_USAGE;
        request.price = &price;
    }
    if (!cli_whole(cli, OPTION_QUANTITY, 1, QUANTITY_MAX, 0, &request.quantity))
        return OUTCOME_USAGE;
    if (!cli_party(cli, OPTION_MERCHANT, "merchant", &request.merchant_id))
        return OUTCOME_FAILED;
    request.bank_id = cli_text(cli, OPTION_BANK);
    request.goods_id = cli_text(cli, OPTION_GOODS);
    return cli_unary(cli, SERVICE, "QuoteRedemption", &request);
}

/* --ship-to names a file, never an address: what is typed stays in the shell's history. */
static bool read_ship_to(struct cli *cli, Alliance__V1__HoldRedemptionRequest *request)
{
    ProtobufCMessage *address = NULL;
    const char *path = cli_option(cli, OPTION_SHIP_TO);

    if (path && !cli_read_json(cli, path, &alliance__v1__postal_address__descriptor, &address))
        return false;
    request->ship_to = (Alliance__V1__PostalAddress *)address;
    return true;
}

enum outcome redeem_hold(struct cli *cli)
{
    Alliance__V1__HoldRedemptionRequest request = ALLIANCE__V1__HOLD_REDEMPTION_REQUEST__INIT;
    Google__Protobuf__Duration lapse_after = GOOGLE__PROTOBUF__DURATION__INIT;

    if (!cli_whole(cli, OPTION_POINTS, 1, POINTS_MAX, 0, &request.points) ||
        !cli_whole(cli, OPTION_QUANTITY, 1, QUANTITY_MAX, 0, &request.quantity) ||
        !cli_whole(cli, OPTION_LAPSE_AFTER, 1, LAPSE_MAX_S, 0, &lapse_after.seconds))
        return OUTCOME_USAGE;
    if (!read_ship_to(cli, &request) || !cli_party(cli, OPTION_MERCHANT, "merchant", &request.merchant_id))
        return OUTCOME_FAILED;
    request.bank_id = cli_text(cli, OPTION_BANK);
    request.member_ref = cli_text(cli, OPTION_MEMBER);
    request.store_id = cli_text(cli, OPTION_STORE);
    request.terminal_id = cli_text(cli, OPTION_TERMINAL);
    request.goods_id = cli_text(cli, OPTION_GOODS);
    request.lapse_after = lapse_after.seconds ? &lapse_after : NULL;
    if (!cli_request_id(cli, &request.request_id))
        return OUTCOME_USAGE;
    return cli_unary(cli, SERVICE, "HoldRedemption", &request);
}

enum outcome redeem_confirm(struct cli *cli)
{
    Alliance__V1__ConfirmRedemptionRequest request = ALLIANCE__V1__CONFIRM_REDEMPTION_REQUEST__INIT;

    request.redemption_id = argument(cli, 0);
    if (!cli_whole(cli, OPTION_POINTS, 1, POINTS_MAX, 0, &request.points) || !cli_request_id(cli, &request.request_id))
        return OUTCOME_USAGE;
    return cli_unary(cli, SERVICE, "ConfirmRedemption", &request);
}

enum outcome redeem_cancel(struct cli *cli)
{
    Alliance__V1__CancelRedemptionRequest request = ALLIANCE__V1__CANCEL_REDEMPTION_REQUEST__INIT;

    request.redemption_id = argument(cli, 0);
    if (!cli_request_id(cli, &request.request_id))
        return OUTCOME_USAGE;
    return cli_unary(cli, SERVICE, "CancelRedemption", &request);
}

enum outcome redeem_reverse(struct cli *cli)
{
    Alliance__V1__ReverseRedemptionRequest request = ALLIANCE__V1__REVERSE_REDEMPTION_REQUEST__INIT;

    request.redemption_id = argument(cli, 0);
    if (!cli_whole(cli, OPTION_POINTS, 1, POINTS_MAX, 0, &request.points) || !cli_request_id(cli, &request.request_id))
        return OUTCOME_USAGE;
    return cli_unary(cli, SERVICE, "ReverseRedemption", &request);
}

enum outcome redeem_show(struct cli *cli)
{
    Alliance__V1__GetRedemptionRequest request = ALLIANCE__V1__GET_REDEMPTION_REQUEST__INIT;

    request.redemption_id = argument(cli, 0);
    return cli_unary(cli, SERVICE, "GetRedemption", &request);
}
