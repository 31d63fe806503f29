/*
 * dispute_commands.c -- lines of statements that are contested: opened, answered, agreed, decided.
 */
#include "dispute_commands.h"

#include "settle_commands.h"

#include "io/amount.h"

#include <alliance/v1/settlement_service.pb-c.h>

#define SERVICE &alliance__v1__settlement_service__descriptor

static char *argument(const struct cli *cli, int i)
{
    return (char *)(uintptr_t)cli->arguments.at[i];
}

static bool read_number(struct cli *cli, int i, const char *what, int64_t *number)
{
    struct error err;

    if (whole_parse(argument(cli, i), what, 1, INT64_MAX, number, &err))
        return true;
    cli_usage(cli, &err);
    return false;
}

static enum outcome contest(struct cli *cli, bool posting)
{
    Alliance__V1__DisputeStatementRequest request = ALLIANCE__V1__DISPUTE_STATEMENT_REQUEST__INIT;

    request.statement_id = argument(cli, 0);
    request.reason_code = cli_text(cli, OPTION_REASON_CODE);
    request.evidence = cli_text(cli, OPTION_NOTE);
    request.evidence_sha256 = cli_text(cli, OPTION_EVIDENCE_HASH);
    if (!read_number(cli, 1, posting ? "POSTING" : "LINE", posting ? &request.posting_number : &request.line_number) ||
        !settle_read_amount(cli, argument(cli, 2), argument(cli, 3), &request.amount_minor) ||
        !cli_request_id(cli, &request.request_id))
        return OUTCOME_USAGE;
    return cli_unary(cli, SERVICE, "DisputeStatement", &request);
}

enum outcome dispute_open_it(struct cli *cli)
{
    return contest(cli, false);
}

enum outcome dispute_open_posting(struct cli *cli)
{
    return contest(cli, true);
}

static enum outcome step(struct cli *cli, Alliance__V1__DisputeStep what, const char *amount, const char *currency)
{
    Alliance__V1__StepDisputeRequest request = ALLIANCE__V1__STEP_DISPUTE_REQUEST__INIT;

    request.step = what;
    request.note = cli_text(cli, OPTION_NOTE);
    if (!read_number(cli, 0, "NUMBER", &request.dispute_number) ||
        (amount && !settle_read_amount(cli, amount, currency, &request.amount_minor)))
        return OUTCOME_USAGE;
    return cli_unary(cli, SERVICE, "StepDispute", &request);
}

enum outcome dispute_answer(struct cli *cli)
{
    return step(cli, ALLIANCE__V1__DISPUTE_STEP__DISPUTE_STEP_ANSWER, cli_option(cli, OPTION_OFFER),
                cli_text(cli, OPTION_CURRENCY));
}

enum outcome dispute_agree(struct cli *cli)
{
    return step(cli, ALLIANCE__V1__DISPUTE_STEP__DISPUTE_STEP_AGREE, argument(cli, 1), argument(cli, 2));
}

enum outcome dispute_reject(struct cli *cli)
{
    return step(cli, ALLIANCE__V1__DISPUTE_STEP__DISPUTE_STEP_REJECT, NULL, "");
}

enum outcome dispute_escalate(struct cli *cli)
{
    return step(cli, ALLIANCE__V1__DISPUTE_STEP__DISPUTE_STEP_ESCALATE, NULL, "");
}

enum outcome dispute_decide(struct cli *cli)
{
    return step(cli, ALLIANCE__V1__DISPUTE_STEP__DISPUTE_STEP_DECIDE, cli_option(cli, OPTION_OFFER),
                cli_text(cli, OPTION_CURRENCY));
}

enum outcome dispute_show(struct cli *cli)
{
    Alliance__V1__GetDisputeRequest request = ALLIANCE__V1__GET_DISPUTE_REQUEST__INIT;

    if (!read_number(cli, 0, "NUMBER", &request.dispute_number))
        return OUTCOME_USAGE;
    return cli_unary(cli, SERVICE, "GetDispute", &request);
}

enum outcome dispute_list_them(struct cli *cli)
{
    Alliance__V1__ListDisputesRequest request = ALLIANCE__V1__LIST_DISPUTES_REQUEST__INIT;

    request.programme_id = argument(cli, 0);
    return cli_list(
        cli, SERVICE, "ListDisputes", &request,
        "dispute_number state statement_id line_number posting_number opener amount_minor currency_code offered_minor "
        "agreed_minor expires_date ended_date correction_number");
}
