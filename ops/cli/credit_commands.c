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
