/*
 * exposure_commands.c -- what a bank is good for and who pays for its points.
 */
#include "cli.h"

#include "io/amount.h"

#include <alliance/v1/bank_service.pb-c.h>
#include <alliance/v1/operator_service.pb-c.h>
#include <string.h>

#define SERVICE &alliance__v1__bank_service__descriptor

/* AMOUNT and CURRENCY, the first two arguments. */
static bool read_money(struct cli *cli, bool zero_allowed, Alliance__V1__Money *money)
{
    const char *amount = cli->arguments.at[0];
    struct error why, err;

    alliance__v1__money__init(money);
    money->currency_code = (char *)(uintptr_t)cli->arguments.at[1];
    if ((zero_allowed && strcmp(amount, "0") == 0) ||
        amount_parse(amount, money->currency_code, &money->amount_minor, &why))
        return true;
    error_field(&err, why.reason, "AMOUNT", "%s", error_text(&why));
    cli_usage(cli, &err);
    return false;
}

enum outcome exposure_set(struct cli *cli)
{
    Alliance__V1__SetExposureLimitRequest request = ALLIANCE__V1__SET_EXPOSURE_LIMIT_REQUEST__INIT;
    Alliance__V1__Money limit;

    if (!read_money(cli, true, &limit))
        return OUTCOME_USAGE;
    if (!cli_party(cli, OPTION_BANK, "bank", &request.bank_id))
        return OUTCOME_FAILED;
    request.limit = &limit;
    return cli_unary(cli, SERVICE, "SetExposureLimit", &request);
}

enum outcome exposure_show(struct cli *cli)
{
    Alliance__V1__GetExposureRequest request = ALLIANCE__V1__GET_EXPOSURE_REQUEST__INIT;

    if (!cli_party(cli, OPTION_BANK, "bank", &request.bank_id))
        return OUTCOME_FAILED;
    request.currency_code = (char *)(uintptr_t)cli->arguments.at[0];
    return cli_unary(cli, SERVICE, "GetExposure", &request);
}

enum outcome exposure_warnings(struct cli *cli)
{
    Alliance__V1__ListExposureWarningsRequest request = ALLIANCE__V1__LIST_EXPOSURE_WARNINGS_REQUEST__INIT;

    if (!cli_party(cli, OPTION_BANK, "bank", &request.bank_id))
        return OUTCOME_FAILED;
    return cli_list(cli, SERVICE, "ListExposureWarnings", &request, "level used limit business_date");
}

enum outcome exposure_settled(struct cli *cli)
{
    Alliance__V1__RecordSettledExposureRequest request = ALLIANCE__V1__RECORD_SETTLED_EXPOSURE_REQUEST__INIT;
    Alliance__V1__Money amount;

    if (!read_money(cli, false, &amount) || !cli_request_id(cli, &request.request_id))
        return OUTCOME_USAGE;
    request.bank_id = cli_text(cli, OPTION_BANK);
    request.amount = &amount;
    return cli_unary(cli, &alliance__v1__operator_service__descriptor, "RecordSettledExposure", &request);
}

enum outcome funding_register(struct cli *cli)
{
    Alliance__V1__RegisterFundingRequest request = ALLIANCE__V1__REGISTER_FUNDING_REQUEST__INIT;
    ProtobufCMessage *funding;

    if (!cli_read_json(cli, cli->arguments.at[0], &alliance__v1__funding__descriptor, &funding))
        return OUTCOME_FAILED;
    request.funding = (Alliance__V1__Funding *)funding;
    if (!*request.funding->bank_id && !cli_party(cli, OPTION_BANK, "bank", &request.funding->bank_id))
        return OUTCOME_FAILED;
    return cli_unary(cli, SERVICE, "RegisterFunding", &request);
}
