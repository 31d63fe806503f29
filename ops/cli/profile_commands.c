/* profile_commands.c -- what a member is beside its points: shown, found, the log of its changes, dropped. */
#include "cli.h"

#include "base/limits.h"
#include "io/amount.h"

#include <alliance/v1/member_service.pb-c.h>
#include <string.h>

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

/* Tokens with commas between, in place; true when there are no more than a member may have. */
static bool list_tokens(struct cli *cli, char *text, Alliance__V1__Member *second)
{
    struct error err;
    char *rest;

    second->card_tokens = arena_alloc(&cli->arena, CARD_TOKENS_MAX * sizeof *second->card_tokens);
    for (char *token = strtok_r(text, ",", &rest); second->card_tokens && token; token = strtok_r(NULL, ",", &rest)) {
        if (second->n_card_tokens == CARD_TOKENS_MAX) {
            error_field(&err, REASON_FIELD_INVALID, "--card-tokens", "must be at most %d", CARD_TOKENS_MAX);
            cli_usage(cli, &err);
            return false;
        }
        second->card_tokens[second->n_card_tokens++] = token;
    }
    return second->card_tokens != NULL;
}

enum outcome split_member(struct cli *cli)
{
    Alliance__V1__SplitMemberRequest request = ALLIANCE__V1__SPLIT_MEMBER_REQUEST__INIT;
    Alliance__V1__Member second = ALLIANCE__V1__MEMBER__INIT;
    Alliance__V1__Contact contact = ALLIANCE__V1__CONTACT__INIT;
    const char *tokens = cli_text(cli, OPTION_CARD_TOKENS);
    struct error err;

    request.from_member_ref = argument(cli, 0);
    request.second = &second;
    second.member_ref = argument(cli, 1);
    contact.name = cli_text(cli, OPTION_NAME);
    contact.phone = cli_text(cli, OPTION_PHONE);
    contact.email = cli_text(cli, OPTION_EMAIL);
    second.contact = contact.name[0] || contact.phone[0] || contact.email[0] ? &contact : NULL;
    if (!whole_parse(argument(cli, 2), "POINTS", 0, POINTS_MAX, &request.points, &err))
        return cli_usage(cli, &err);
    if (!cli_whole(cli, OPTION_CREDIT_LIMIT, 0, POINTS_MAX, 0, &second.credit_limit) ||
        !list_tokens(cli, arena_copy(&cli->arena, tokens, strlen(tokens)), &second))
        return OUTCOME_USAGE;
    if (!cli_party(cli, OPTION_BANK, "bank", &request.bank_id))
        return OUTCOME_FAILED;
    if (!cli_request_id(cli, &request.request_id))
        return OUTCOME_USAGE;
    return cli_unary(cli, MEMBERS, "SplitMember", &request);
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
