/*
 * settle_commands.c -- how parties are settled, and what is put right afterwards.
 */
#include "settle_commands.h"

#include "io/amount.h"

#include <alliance/v1/settlement_service.pb-c.h>
#include <stdio.h>
#include <string.h>

#define SERVICE &alliance__v1__settlement_service__descriptor

static char *argument(const struct cli *cli, int i)
{
    return (char *)(uintptr_t)cli->arguments.at[i];
}

/* "merchant:shop-1", "bank:bank-a", "carrier:swift", "operator" or "tax". */
bool settle_read_party(struct cli *cli, const char *what, const char *text, Alliance__V1__SettlementParty *party)
{
    static const char *const kinds[] = { "", "bank", "merchant", "carrier", "operator", "tax" };
    size_t length = strcspn(text, ":");
    struct error err;

    alliance__v1__settlement_party__init(party);
    for (size_t i = 1; i < COUNT(kinds); i++) {
        if (strlen(kinds[i]) == length && strncmp(kinds[i], text, length) == 0) {
            party->kind = (Alliance__V1__PartyKind)i;
            party->id = (char *)(uintptr_t)(text[length] ? text + length + 1 : "");
            return true;
        }
    }
    error_field(&err, REASON_FIELD_INVALID, what, "must be bank:ID, merchant:ID, carrier:ID, operator or tax");
    cli_usage(cli, &err);
    return false;
}

bool settle_read_amount(struct cli *cli, const char *text, const char *currency, int64_t *minor)
{
    struct error why, err;

    if (amount_parse(text, currency, minor, &why))
        return true;
    error_field(&err, why.reason, "AMOUNT", "%s", error_text(&why));
    cli_usage(cli, &err);
    return false;
}

enum outcome contract_publish(struct cli *cli)
{
    Alliance__V1__PublishSettlementContractRequest request = ALLIANCE__V1__PUBLISH_SETTLEMENT_CONTRACT_REQUEST__INIT;
    ProtobufCMessage *contract;

    if (!cli_read_json(cli, cli->arguments.at[0], &alliance__v1__settlement_contract__descriptor, &contract))
        return OUTCOME_FAILED;
    request.contract = (Alliance__V1__SettlementContract *)contract;
    if (!cli_request_id(cli, &request.request_id))
        return OUTCOME_USAGE;
    return cli_unary(cli, SERVICE, "PublishSettlementContract", &request);
}

enum outcome contract_show(struct cli *cli)
{
    Alliance__V1__ListSettlementContractsRequest request = ALLIANCE__V1__LIST_SETTLEMENT_CONTRACTS_REQUEST__INIT;
    Alliance__V1__SettlementParty party;

    if (!settle_read_party(cli, "PARTY", argument(cli, 1), &party))
        return OUTCOME_USAGE;
    request.programme_id = argument(cli, 0);
    request.party = &party;
    return cli_list(cli, SERVICE, "ListSettlementContracts", &request,
                    "version currency_code effective_from period_kind min_payout_minor hold_back_bp fee_period_minor "
                    "fee_redemption_minor tax_bp payment_days freight_minor published_by");
}

enum outcome correction_propose_it(struct cli *cli)
{
    Alliance__V1__ProposeCorrectionRequest request = ALLIANCE__V1__PROPOSE_CORRECTION_REQUEST__INIT;
    Alliance__V1__SettlementParty from, to;
    Alliance__V1__Money amount = ALLIANCE__V1__MONEY__INIT;

    amount.currency_code = cli_text(cli, OPTION_CURRENCY);
    if (!settle_read_party(cli, "FROM", argument(cli, 1), &from) ||
        !settle_read_party(cli, "TO", argument(cli, 2), &to) ||
        !settle_read_amount(cli, argument(cli, 3), amount.currency_code, &amount.amount_minor) ||
        !cli_request_id(cli, &request.request_id))
        return OUTCOME_USAGE;
    request.programme_id = argument(cli, 0);
    request.kind = cli_option(cli, OPTION_LATE_FEE) ? ALLIANCE__V1__POSTING_KIND__POSTING_KIND_LATE_FEE
                                                    : ALLIANCE__V1__POSTING_KIND__POSTING_KIND_ADJUSTMENT;
    request.from = &from;
    request.to = &to;
    request.amount = &amount;
    request.reason = cli_text(cli, OPTION_NOTE);
    request.refers_to = cli_text(cli, OPTION_REFERS_TO);
    return cli_unary(cli, SERVICE, "ProposeCorrection", &request);
}

enum outcome correction_approve_it(struct cli *cli)
{
    Alliance__V1__ApproveCorrectionRequest request = ALLIANCE__V1__APPROVE_CORRECTION_REQUEST__INIT;
    struct error err;

    if (!whole_parse(argument(cli, 1), "NUMBER", 1, INT64_MAX, &request.correction_number, &err)) {
        cli_usage(cli, &err);
        return OUTCOME_USAGE;
    }
    if (!settle_read_amount(cli, argument(cli, 2), argument(cli, 3), &request.amount_minor))
        return OUTCOME_USAGE;
    request.programme_id = argument(cli, 0);
    return cli_unary(cli, SERVICE, "ApproveCorrection", &request);
}

enum outcome correction_list_them(struct cli *cli)
{
    Alliance__V1__ListCorrectionsRequest request = ALLIANCE__V1__LIST_CORRECTIONS_REQUEST__INIT;

    request.programme_id = argument(cli, 0);
    return cli_list(cli, SERVICE, "ListCorrections", &request,
                    "correction_number state kind from.kind from.id to.kind to.id amount_minor currency_code "
                    "proposed_by approved_by taken_period reason");
}
