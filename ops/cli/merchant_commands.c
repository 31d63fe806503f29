#include "cli.h"

#include "base/limits.h"
#include "io/amount.h"

#include <alliance/v1/redemption_service.pb-c.h>
#include <string.h>

#define SERVICE &alliance__v1__redemption_service__descriptor

enum { QUANTITY_MAX = 10000, LAPSE_MAX_S = 30 * 86400 };

static char *argument(const struct cli *cli, size_t i)
{
    return (char *)(uintptr_t)cli->arguments.at[i];
}

static bool read_money(struct cli *cli, enum option option, const char *name, Alliance__V1__Money *money)
{
    struct error why, err;

    money->currency_code = cli_text(cli, OPTION_CURRENCY);
    if (amount_parse(cli_text(cli, option), money->currency_code, &money->amount_minor, &why))
        return true;
    error_field(&err, why.reason, name, "%s", error_text(&why));
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
        if (!read_money(cli, OPTION_PRICE, "--price", &price))
            return OUTCOME_USAGE;
        request.price = &price;
    }
    if (!cli_whole(cli, OPTION_POINTS, 1, POINTS_MAX, 0, &request.points) ||
        !cli_whole(cli, OPTION_QUANTITY, 1, QUANTITY_MAX, 0, &request.quantity))
        return OUTCOME_USAGE;
    if (!cli_party(cli, OPTION_MERCHANT, "merchant", &request.merchant_id))
        return OUTCOME_FAILED;
    request.bank_id = cli_text(cli, OPTION_BANK);
    request.goods_id = cli_text(cli, OPTION_GOODS);
    request.member_ref = cli_text(cli, OPTION_MEMBER);
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

static bool bad_lines(struct cli *cli)
{
    struct error err;

    error_set(&err, REASON_FIELD_INVALID,
              "--line must be LINE=POINTS, such as tea=60,cup=40: at most %d, each of whole points", LINES_MAX);
    return cli_usage(cli, &err) == OUTCOME_DONE;
}

/* "tea=60,cup=40" */
static bool read_lines(struct cli *cli, Alliance__V1__HoldRedemptionRequest *request)
{
    const char *given = cli_option(cli, OPTION_LINE);
    char *rest = given ? arena_copy(&cli->arena, given, strlen(given)) : NULL, *one;
    Alliance__V1__OrderLine *lines = arena_alloc(&cli->arena, LINES_MAX * sizeof *lines);
    struct error why;

    request->lines = arena_alloc(&cli->arena, LINES_MAX * sizeof(void *));
    while (lines && request->lines && (one = strsep(&rest, ",")) != NULL) {
        char *points = strchr(one, '=');
        Alliance__V1__OrderLine *line = &lines[request->n_lines];
        if (!points || request->n_lines == LINES_MAX)
            return bad_lines(cli);
        *points++ = '\0';
        alliance__v1__order_line__init(line);
        line->line_id = one;
        if (!whole_parse(points, "--line", 1, POINTS_MAX, &line->points, &why))
            return bad_lines(cli);
        request->lines[request->n_lines++] = line;
    }
    return true;
}

static bool read_payment(struct cli *cli, Alliance__V1__Money *price, Alliance__V1__Money *cash,
                         Alliance__V1__HoldRedemptionRequest *request)
{
    request->price = cli_option(cli, OPTION_PRICE) ? price : NULL;
    request->cash = cli_option(cli, OPTION_CASH) ? cash : NULL;
    return (!request->price || read_money(cli, OPTION_PRICE, "--price", price)) &&
           (!request->cash || read_money(cli, OPTION_CASH, "--cash", cash));
}

/* What holding and redeeming ask for in common. */
static enum outcome redeem(struct cli *cli, const char *method, Google__Protobuf__Duration *lapse_after)
{
    Alliance__V1__HoldRedemptionRequest request = ALLIANCE__V1__HOLD_REDEMPTION_REQUEST__INIT;
    Alliance__V1__Money price = ALLIANCE__V1__MONEY__INIT, cash = ALLIANCE__V1__MONEY__INIT;

    if (!read_payment(cli, &price, &cash, &request) ||
        !cli_whole(cli, OPTION_POINTS, 1, POINTS_MAX, 0, &request.points) ||
        !cli_whole(cli, OPTION_QUANTITY, 1, QUANTITY_MAX, 0, &request.quantity) || !read_lines(cli, &request))
        return OUTCOME_USAGE;
    if (!read_ship_to(cli, &request) || !cli_party(cli, OPTION_MERCHANT, "merchant", &request.merchant_id))
        return OUTCOME_FAILED;
    request.bank_id = cli_text(cli, OPTION_BANK);
    request.member_ref = cli_text(cli, OPTION_MEMBER);
    request.store_id = cli_text(cli, OPTION_STORE);
    request.terminal_id = cli_text(cli, OPTION_TERMINAL);
    request.card_token = cli_text(cli, OPTION_CARD_TOKEN);
    request.goods_id = cli_text(cli, OPTION_GOODS);
    request.lapse_after = lapse_after;
    if (!cli_request_id(cli, &request.request_id))
        return OUTCOME_USAGE;
    return cli_unary(cli, SERVICE, method, &request);
}

enum outcome redeem_hold(struct cli *cli)
{
    Google__Protobuf__Duration lapse_after = GOOGLE__PROTOBUF__DURATION__INIT;

    if (!cli_whole(cli, OPTION_LAPSE_AFTER, 1, LAPSE_MAX_S, 0, &lapse_after.seconds))
        return OUTCOME_USAGE;
    return redeem(cli, "HoldRedemption", lapse_after.seconds ? &lapse_after : NULL);
}

enum outcome redeem_points(struct cli *cli)
{
    return redeem(cli, "RedeemPoints", NULL);
}

enum outcome redeem_extend(struct cli *cli)
{
    Alliance__V1__ExtendHoldRequest request = ALLIANCE__V1__EXTEND_HOLD_REQUEST__INIT;
    Google__Protobuf__Duration lapse_after = GOOGLE__PROTOBUF__DURATION__INIT;

    request.redemption_id = argument(cli, 0);
    request.lapse_after = &lapse_after;
    if (!cli_whole(cli, OPTION_LAPSE_AFTER, 1, LAPSE_MAX_S, 0, &lapse_after.seconds) ||
        !cli_request_id(cli, &request.request_id))
        return OUTCOME_USAGE;
    return cli_unary(cli, SERVICE, "ExtendHold", &request);
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
    request.line_id = cli_text(cli, OPTION_LINE);
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
