#include "settle_commands.h"

#include <stdlib.h>
#include <string.h>

#define SERVICE &alliance__v1__settlement_service__descriptor

static char *argument(const struct cli *cli, size_t i)
{
    return (char *)(uintptr_t)cli->arguments.at[i];
}

enum outcome account_set(struct cli *cli)
{
    Alliance__V1__SetPartyAccountRequest request = ALLIANCE__V1__SET_PARTY_ACCOUNT_REQUEST__INIT;
    ProtobufCMessage *account;

    if (!cli_read_json(cli, argument(cli, 0), &alliance__v1__party_account__descriptor, &account))
        return OUTCOME_FAILED;
    request.account = (Alliance__V1__PartyAccount *)account;
    return cli_unary(cli, SERVICE, "SetPartyAccount", &request);
}

enum outcome account_approve(struct cli *cli)
{
    Alliance__V1__ApprovePartyAccountRequest request = ALLIANCE__V1__APPROVE_PARTY_ACCOUNT_REQUEST__INIT;
    Alliance__V1__SettlementParty party;
    const char *version = argument(cli, 2);
    struct error err;

    if (strspn(version, "0123456789") != strlen(version) || strlen(version) > 9 || *version == '\0') {
        error_field(&err, REASON_FIELD_INVALID, "VERSION", "must be a whole number");
        return cli_usage(cli, &err);
    }
    request.programme_id = argument(cli, 0);
    if (!settle_read_party(cli, "PARTY", argument(cli, 1), &party))
        return OUTCOME_USAGE;
    request.party = &party;
    request.currency_code = cli_text(cli, OPTION_CURRENCY);
    request.version = (int32_t)strtol(version, NULL, 10);
    return cli_unary(cli, SERVICE, "ApprovePartyAccount", &request);
}

enum outcome account_show(struct cli *cli)
{
    Alliance__V1__ListPartyAccountsRequest request = ALLIANCE__V1__LIST_PARTY_ACCOUNTS_REQUEST__INIT;
    Alliance__V1__SettlementParty party;

    request.programme_id = argument(cli, 0);
    if (!settle_read_party(cli, "PARTY", argument(cli, 1), &party))
        return OUTCOME_USAGE;
    request.party = &party;
    return cli_unary(cli, SERVICE, "ListPartyAccounts", &request);
}
