#include "cli.h"

#include "io/amount.h"

#include <alliance/v1/bank_service.pb-c.h>

#define SERVICE &alliance__v1__bank_service__descriptor

enum outcome balance_show(struct cli *cli)
{
    Alliance__V1__GetBalanceRequest request = ALLIANCE__V1__GET_BALANCE_REQUEST__INIT;

    if (!cli_party(cli, OPTION_BANK, "bank", &request.bank_id))
        return OUTCOME_FAILED;
    request.member_ref = (char *)(uintptr_t)cli->arguments.at[0];
    return cli_unary(cli, SERVICE, "GetBalance", &request);
}
