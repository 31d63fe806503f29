/*
 * credit_commands.c -- what a bank's members have drawn ahead of earning.
 */
#include "credit_commands.h"

#include <alliance/v1/bank_service.pb-c.h>

enum outcome credit_drawn(struct cli *cli)
{
    Alliance__V1__ReportDrawnCreditRequest request = ALLIANCE__V1__REPORT_DRAWN_CREDIT_REQUEST__INIT;

    if (!cli_party(cli, OPTION_BANK, "bank", &request.bank_id))
        return OUTCOME_FAILED;
    return cli_unary(cli, &alliance__v1__bank_service__descriptor, "ReportDrawnCredit", &request);
}

enum outcome credit_list(struct cli *cli)
{
    Alliance__V1__ListDrawnCreditRequest request = ALLIANCE__V1__LIST_DRAWN_CREDIT_REQUEST__INIT;
    int64_t days;

    if (!cli_whole(cli, OPTION_MIN_AGE, 0, 100000, 0, &days))
        return OUTCOME_USAGE;
    request.min_age_days = (int32_t)days;
    if (!cli_party(cli, OPTION_BANK, "bank", &request.bank_id))
        return OUTCOME_FAILED;
    return cli_list(cli, &alliance__v1__bank_service__descriptor, "ListDrawnCredit", &request,
                    "member_ref status used_points over_limit_points oldest_days");
}
