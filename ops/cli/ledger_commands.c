#include "ledger_commands.h"

#include "progress.h"

#include "io/amount.h"

#include <alliance/v1/bank_service.pb-c.h>
#include <alliance/v1/operator_service.pb-c.h>
#include <inttypes.h>
#include <stdio.h>

#define BANK     &alliance__v1__bank_service__descriptor
#define OPERATOR &alliance__v1__operator_service__descriptor

typedef Alliance__V1__VerifyLedgerRequest Verify;
typedef Alliance__V1__VerifyLedgerResponse Verified;

enum { VERIFY_TIMEOUT_MS = 24 * 3600 * 1000 };

static char *argument(const struct cli *cli, size_t i)
{
    return (char *)(uintptr_t)cli->arguments.at[i];
}

enum outcome journal_list(struct cli *cli)
{
    Alliance__V1__ListJournalRequest request = ALLIANCE__V1__LIST_JOURNAL_REQUEST__INIT;

    if (!cli_party(cli, OPTION_BANK, "bank", &request.bank_id))
        return OUTCOME_FAILED;
    request.member_ref = argument(cli, 0);
    request.newest_first = cli_option(cli, OPTION_NEWEST_FIRST) != NULL;
    return cli_list(cli, BANK, "ListJournal", &request,
                    "seq business_date time kind points from to available_after held_after pending_after "
                    "credit_used_after redemption_id request_id merchant_id store_id gross.currency_code "
                    "gross.amount_minor commission.amount_minor rules_version terms_version");
}

enum outcome journal_explain(struct cli *cli)
{
    Alliance__V1__ExplainEntryRequest request = ALLIANCE__V1__EXPLAIN_ENTRY_REQUEST__INIT;
    ProtobufCMessage *reply;
    struct error err;

    if (!whole_parse(cli->arguments.at[1], "SEQ", 1, INT64_MAX, &request.seq, &err))
        return cli_usage(cli, &err);
    if (!cli_party(cli, OPTION_BANK, "bank", &request.bank_id))
        return OUTCOME_FAILED;
    request.member_ref = argument(cli, 0);
    if (!cli_call(cli, BANK, "ExplainEntry", &request, &reply))
        return OUTCOME_FAILED;
    if (cli_option(cli, OPTION_JSON))
        return cli_show(cli, reply);
    const Alliance__V1__EntryExplanation *explanation = (const Alliance__V1__EntryExplanation *)reply;
    fprintf(cli->out, "Entry %" PRId64 ", %s, %s:\n", explanation->entry->seq, explanation->entry->kind,
            explanation->entry->business_date);
    for (size_t i = 0; i < explanation->n_steps; i++)
        fprintf(cli->out, "  %s\n", explanation->steps[i]);
    return OUTCOME_DONE;
}

enum outcome journal_balance(struct cli *cli)
{
    Alliance__V1__GetBalanceAtRequest request = ALLIANCE__V1__GET_BALANCE_AT_REQUEST__INIT;
    ProtobufCMessage *time;

    if (!cli_instant(cli, argument(cli, 1), "INSTANT", &time))
        return OUTCOME_USAGE;
    if (!cli_party(cli, OPTION_BANK, "bank", &request.bank_id))
        return OUTCOME_FAILED;
    request.member_ref = argument(cli, 0);
    request.time = (Google__Protobuf__Timestamp *)time;
    return cli_unary(cli, BANK, "GetBalanceAt", &request);
}

enum outcome expiry_forecast(struct cli *cli)
{
    Alliance__V1__ForecastExpiryRequest request = ALLIANCE__V1__FORECAST_EXPIRY_REQUEST__INIT;
    int64_t days;

    if (!cli_whole(cli, OPTION_DAYS, 1, 1830, 366, &days))
        return OUTCOME_USAGE;
    if (!cli_party(cli, OPTION_BANK, "bank", &request.bank_id))
        return OUTCOME_FAILED;
    request.member_ref = cli_text(cli, OPTION_MEMBER);
    request.days = (int32_t)days;
    return cli_unary(cli, BANK, "ForecastExpiry", &request);
}

enum outcome expiry_notices(struct cli *cli)
{
    Alliance__V1__ListExpiryNoticesRequest request = ALLIANCE__V1__LIST_EXPIRY_NOTICES_REQUEST__INIT;

    if (!cli_party(cli, OPTION_BANK, "bank", &request.bank_id))
        return OUTCOME_FAILED;
    request.business_date = argument(cli, 0);
    return cli_list(cli, BANK, "ListExpiryNotices", &request, "member_ref expires_on days_ahead points");
}

/* Verification: a message asks for the next piece, so that a slow reader is not overrun. */

static void print_findings(struct cli *cli, const Verified *piece)
{
    for (size_t i = 0; i < piece->n_findings; i++) {
        const Alliance__V1__LedgerFinding *finding = piece->findings[i];
        if (cli_option(cli, OPTION_JSON)) {
            cli_show(cli, &finding->base);
            continue;
        }
        fprintf(cli->out, "%s", finding->rule);
        if (*finding->member_ref)
            fprintf(cli->out, " %s/%s", finding->bank_id, finding->member_ref);
        if (finding->seq)
            fprintf(cli->out, " entry %" PRId64, finding->seq);
        fprintf(cli->out, ": %s\n", finding->detail);
    }
}

static void print_outcome(const struct cli *cli, const Verified *last)
{
    if (cli_option(cli, OPTION_JSON))
        fprintf(cli->out, "{\"members\":\"%" PRId64 "\",\"entries\":\"%" PRId64 "\",\"findings\":\"%" PRId64 "\"}\n",
                last->members, last->entries, last->findings_total);
    else
        fprintf(cli->out, "verified %" PRId64 " members, %" PRId64 " entries: %" PRId64 " findings\n", last->members,
                last->entries, last->findings_total);
}

/* Asks for piece after piece; *last is the final one, in the arena. */
static bool read_pieces(struct cli *cli, struct client_stream *stream, Verify *request, Verified **last)
{
    struct progress progress;
    ProtobufCMessage *piece;

    progress_start(&progress, "members verified", 0, cli_option(cli, OPTION_PROGRESS) != NULL);
    for (*last = NULL; !*last || !(*last)->finished;) {
        arena_reset(&cli->arena);
        *last = NULL;
        if (!client_stream_send(stream, &request->base) ||
            !client_stream_receive(stream, &alliance__v1__verify_ledger_response__descriptor, &cli->arena, &piece))
            break;
        *last = (Verified *)piece;
        print_findings(cli, *last);
        progress_step(&progress, 0, (*last)->members);
        *request = (Verify)ALLIANCE__V1__VERIFY_LEDGER_REQUEST__INIT;
    }
    progress_end(&progress, *last ? (*last)->members : 0);
    return *last != NULL;
}

static enum outcome verify(struct cli *cli, struct client_stream *stream, Verify *request)
{
    struct client_status status;
    Verified *last;
    bool whole = read_pieces(cli, stream, request, &last);

    client_stream_half_close(stream);
    if (!client_stream_finish(stream, &status) || !whole)
        return cli_fail_status(cli, &status);
    print_outcome(cli, last);
    return last->findings_total == 0 ? OUTCOME_DONE : OUTCOME_FAILED;
}

enum outcome ledger_verify(struct cli *cli)
{
    Verify request = ALLIANCE__V1__VERIFY_LEDGER_REQUEST__INIT;
    struct client_stream *stream;
    struct error err = { 0 };

    request.programme_id = argument(cli, 0);
    request.bank_id = cli_text(cli, OPTION_BANK);
    request.member_ref = cli_text(cli, OPTION_MEMBER);
    if (!cli_open(cli))
        return OUTCOME_FAILED;
    if (!client_stream_open(cli->client, OPERATOR, "VerifyLedger", VERIFY_TIMEOUT_MS, &stream, &err))
        return cli_fail(cli, &err);
    return verify(cli, stream, &request);
}
