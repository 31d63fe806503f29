#include "cli.h"

#include "io/amount.h"

#include <alliance/v1/bank_service.pb-c.h>

#define SERVICE &alliance__v1__bank_service__descriptor

enum outcome rules_publish(struct cli *cli)
{
    Alliance__V1__PublishExchangeRulesRequest request = ALLIANCE__V1__PUBLISH_EXCHANGE_RULES_REQUEST__INIT;
    ProtobufCMessage *rules;

    if (!cli_read_json(cli, cli->arguments.at[0], &alliance__v1__exchange_rules__descriptor, &rules))
        return OUTCOME_FAILED;
    request.rules = (Alliance__V1__ExchangeRules *)rules;
    if (!*request.rules->bank_id && !cli_party(cli, OPTION_BANK, "bank", &request.rules->bank_id))
        return OUTCOME_FAILED;
    if (!cli_request_id(cli, &request.request_id))
        return OUTCOME_USAGE;
    return cli_unary(cli, SERVICE, "PublishExchangeRules", &request);
}

enum outcome rules_show(struct cli *cli)
{
    Alliance__V1__GetExchangeRulesRequest request = ALLIANCE__V1__GET_EXCHANGE_RULES_REQUEST__INIT;
    const char *version = cli->arguments.at[0];
    int64_t number = 0;
    struct error err;

    if (version && !whole_parse(version, "VERSION", 1, INT32_MAX, &number, &err))
        return cli_usage(cli, &err);
    if (!cli_party(cli, OPTION_BANK, "bank", &request.bank_id))
        return OUTCOME_FAILED;
    request.version = (int32_t)number;
    return cli_unary(cli, SERVICE, "GetExchangeRules", &request);
}

enum outcome balance_show(struct cli *cli)
{
    Alliance__V1__GetBalanceRequest request = ALLIANCE__V1__GET_BALANCE_REQUEST__INIT;

    if (!cli_party(cli, OPTION_BANK, "bank", &request.bank_id))
        return OUTCOME_FAILED;
    request.member_ref = (char *)(uintptr_t)cli->arguments.at[0];
    return cli_unary(cli, SERVICE, "GetBalance", &request);
}
