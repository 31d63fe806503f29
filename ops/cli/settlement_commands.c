#include "settle_commands.h"
#include "show.h"

#include <alliance/v1/settlement_service.pb-c.h>
#include <stdio.h>

#define SERVICE &alliance__v1__settlement_service__descriptor

static bool read_type(struct cli *cli, Alliance__V1__StatementType *type)
{
    const char *word = cli_option(cli, OPTION_TYPE);
    char name[64];
    struct error err;

    if (!word)
        return true;
    snprintf(name, sizeof name, "STATEMENT_TYPE_%s", word);
    const ProtobufCEnumValue *value =
        protobuf_c_enum_descriptor_get_value_by_name(&alliance__v1__statement_type__descriptor, name);
    if (!value || value->value == 0) {
        error_field(&err, REASON_FIELD_INVALID, "--type", "must be PAIR, BANK, MERCHANT, OPERATOR, CARRIER or TAX");
        return cli_usage(cli, &err) == OUTCOME_DONE;
    }
    *type = (Alliance__V1__StatementType)value->value;
    return true;
}

enum outcome statement_list(struct cli *cli)
{
    Alliance__V1__ListStatementsRequest request = ALLIANCE__V1__LIST_STATEMENTS_REQUEST__INIT;

    if (!read_type(cli, &request.type))
        return OUTCOME_USAGE;
    request.programme_id = (char *)(uintptr_t)cli->arguments.at[0];
    request.period = cli_text(cli, OPTION_PERIOD);
    return cli_list(
        cli, SERVICE, "ListStatements", &request,
        "statement_id statement_number state line_count totals.confirmed_points totals.reversed_points currency_code "
        "totals.gross_minor totals.commission_minor totals.net_minor");
}

static enum outcome show_lines(struct cli *cli, char *statement_id)
{
    Alliance__V1__ListStatementLinesRequest request = ALLIANCE__V1__LIST_STATEMENT_LINES_REQUEST__INIT;

    request.statement_id = statement_id;
    return cli_list(cli, SERVICE, "ListStatementLines", &request,
                    "line_number business_date time kind redemption_id store_id points gross_minor commission_minor "
                    "net_minor rules_version terms_version");
}

enum outcome statement_show(struct cli *cli)
{
    Alliance__V1__GetStatementRequest request = ALLIANCE__V1__GET_STATEMENT_REQUEST__INIT;
    ProtobufCMessage *statement;

    request.statement_id = (char *)(uintptr_t)cli->arguments.at[0];
    if (!cli_call(cli, SERVICE, "GetStatement", &request, &statement))
        return OUTCOME_FAILED;
    enum outcome shown = cli_show(cli, statement);
    if (shown != OUTCOME_DONE || !cli_option(cli, OPTION_LINES))
        return shown;
    if (!cli_option(cli, OPTION_JSON))
        fputs("\n", cli->out);
    return show_lines(cli, request.statement_id);
}

enum outcome statement_postings(struct cli *cli)
{
    Alliance__V1__ListStatementPostingsRequest request = ALLIANCE__V1__LIST_STATEMENT_POSTINGS_REQUEST__INIT;

    request.statement_id = (char *)(uintptr_t)cli->arguments.at[0];
    return cli_list(cli, SERVICE, "ListStatementPostings", &request,
                    "posting_number kind amount_minor bank_id merchant_id refers_to note");
}

/* The totals stand in every page: the first row's page will do. */
static enum outcome show_totals(struct cli *cli, Alliance__V1__ListReceivablesRequest *request)
{
    const Alliance__V1__ListReceivablesResponse *totals;
    ProtobufCMessage *reply;

    request->page_size = 1;
    request->page_token = (char[]){ "" };
    if (!cli_call(cli, SERVICE, "ListReceivables", request, &reply))
        return OUTCOME_FAILED;
    totals = (const Alliance__V1__ListReceivablesResponse *)reply;
    if (totals->n_totals == 0)
        return OUTCOME_DONE;
    fprintf(cli->out, "\nopen on %s\n", totals->on_date);
    show_table(cli->out, &alliance__v1__receivable_total__descriptor, (ProtobufCMessage **)totals->totals,
               totals->n_totals, "currency_code age open_minor");
    return OUTCOME_DONE;
}

enum outcome statement_receivables(struct cli *cli)
{
    Alliance__V1__ListReceivablesRequest request = ALLIANCE__V1__LIST_RECEIVABLES_REQUEST__INIT;

    request.programme_id = (char *)(uintptr_t)cli->arguments.at[0];
    request.on_date = cli_text(cli, OPTION_DATE);
    enum outcome shown = cli_list(cli, SERVICE, "ListReceivables", &request,
                                  "statement_number party.kind party.id due_date days_late age asked_minor open_minor "
                                  "currency_code statement_id");
    return shown != OUTCOME_DONE || cli_option(cli, OPTION_JSON) ? shown : show_totals(cli, &request);
}

enum outcome statement_confirm_issued(struct cli *cli)
{
    Alliance__V1__ConfirmStatementRequest request = ALLIANCE__V1__CONFIRM_STATEMENT_REQUEST__INIT;

    request.statement_id = (char *)(uintptr_t)cli->arguments.at[0];
    return cli_unary(cli, SERVICE, "ConfirmStatement", &request);
}

enum outcome settlement_approve(struct cli *cli)
{
    Alliance__V1__ApprovePeriodRequest request = ALLIANCE__V1__APPROVE_PERIOD_REQUEST__INIT;

    request.programme_id = (char *)(uintptr_t)cli->arguments.at[0];
    request.period = (char *)(uintptr_t)cli->arguments.at[1];
    request.manifest_sha256 = (char *)(uintptr_t)cli->arguments.at[2];
    return cli_unary(cli, SERVICE, "ApprovePeriod", &request);
}

enum outcome settlement_periods(struct cli *cli)
{
    Alliance__V1__ListPeriodsRequest request = ALLIANCE__V1__LIST_PERIODS_REQUEST__INIT;

    request.programme_id = (char *)(uintptr_t)cli->arguments.at[0];
    return cli_list(cli, SERVICE, "ListPeriods", &request,
                    "period first_date last_date state statement_count calculated_by approved_by manifest_sha256");
}
