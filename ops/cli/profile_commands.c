/* profile_commands.c -- what a member is beside its points: shown, found, the log of its changes, dropped. */
#include "cli.h"

#include <alliance/v1/member_service.pb-c.h>

#define MEMBERS &alliance__v1__member_service__descriptor

static char *argument(const struct cli *cli, size_t i)
{
    return (char *)(uintptr_t)cli->arguments.at[i];
}

enum outcome member_show(struct cli *cli)
{
    Alliance__V1__GetMemberRequest request = ALLIANCE__V1__GET_MEMBER_REQUEST__INIT;

    if (!cli_party(cli, OPTION_BANK, "bank", &request.bank_id))
        return OUTCOME_FAILED;
    request.member_ref = argument(cli, 0);
    request.with_contact = cli_option(cli, OPTION_CONTACT) != NULL;
    return cli_unary(cli, MEMBERS, "GetMember", &request);
}

enum outcome find_members(struct cli *cli)
{
    Alliance__V1__FindMemberRequest request = ALLIANCE__V1__FIND_MEMBER_REQUEST__INIT;

    if (!cli_party(cli, OPTION_BANK, "bank", &request.bank_id))
        return OUTCOME_FAILED;
    request.phone = cli_text(cli, OPTION_PHONE);
    request.email = cli_text(cli, OPTION_EMAIL);
    request.card_token = cli_text(cli, OPTION_CARD_TOKEN);
    return cli_unary(cli, MEMBERS, "FindMember", &request);
}

enum outcome member_changes(struct cli *cli)
{
    Alliance__V1__ListMemberChangesRequest request = ALLIANCE__V1__LIST_MEMBER_CHANGES_REQUEST__INIT;

    if (!cli_party(cli, OPTION_BANK, "bank", &request.bank_id))
        return OUTCOME_FAILED;
    request.member_ref = argument(cli, 0);
    return cli_list(cli, MEMBERS, "ListMemberChanges", &request,
                    "seq business_date time changed_by batch_number before.status after.status before.credit_limit "
                    "after.credit_limit before.tier after.tier profile_changed");
}

enum outcome erase_member(struct cli *cli)
{
    Alliance__V1__EraseMemberRequest request = ALLIANCE__V1__ERASE_MEMBER_REQUEST__INIT;

    request.member_ref = argument(cli, 0);
    if (!cli_party(cli, OPTION_BANK, "bank", &request.bank_id))
        return OUTCOME_FAILED;
    if (!cli_request_id(cli, &request.request_id))
        return OUTCOME_USAGE;
    return cli_unary(cli, MEMBERS, "EraseMember", &request);
}
