/*
 * member_commands.c -- operations on members: what a bank does to one, or to two, and what an operator corrects.
 */
#include "cli.h"

#include "base/limits.h"
#include "io/amount.h"

#include <alliance/v1/bank_service.pb-c.h>
#include <alliance/v1/operator_service.pb-c.h>
#include <string.h>

#define BANK_SERVICE     &alliance__v1__bank_service__descriptor
#define OPERATOR_SERVICE &alliance__v1__operator_service__descriptor

static char *argument(const struct cli *cli, size_t i)
{
    return (char *)(uintptr_t)cli->arguments.at[i];
}

/* An argument that is a whole number; `what` names it. */
static bool whole_argument(struct cli *cli, size_t i, const char *what, int64_t least, int64_t most, int64_t *out)
{
    struct error err;

    if (whole_parse(argument(cli, i), what, least, most, out, &err))
        return true;
    cli_usage(cli, &err);
    return false;
}

/* Whose bank, then the request's name: nothing is named that will not be sent. */
static bool take_names(struct cli *cli, char **bank_id, char **request_id, enum outcome *failed)
{
    *failed = OUTCOME_FAILED;
    if (!cli_party(cli, OPTION_BANK, "bank", bank_id))
        return false;
    *failed = OUTCOME_USAGE;
    return cli_request_id(cli, request_id);
}

/* One member, and no more than its name */

static enum outcome on_member(struct cli *cli, const char *method)
{
    Alliance__V1__MemberRequest request = ALLIANCE__V1__MEMBER_REQUEST__INIT;
    enum outcome failed;

    request.member_ref = argument(cli, 0);
    if (!take_names(cli, &request.bank_id, &request.request_id, &failed))
        return failed;
    return cli_unary(cli, BANK_SERVICE, method, &request);
}

enum outcome member_freeze(struct cli *cli)
{
    return on_member(cli, "FreezeMember");
}

enum outcome member_unfreeze(struct cli *cli)
{
    return on_member(cli, "UnfreezeMember");
}

enum outcome close_member(struct cli *cli)
{
    return on_member(cli, "CloseMember");
}

enum outcome member_limit(struct cli *cli)
{
    Alliance__V1__SetCreditLimitRequest request = ALLIANCE__V1__SET_CREDIT_LIMIT_REQUEST__INIT;
    Alliance__V1__TemporaryLimit temporary = ALLIANCE__V1__TEMPORARY_LIMIT__INIT;
    enum outcome failed;

    request.member_ref = argument(cli, 0);
    if (!whole_argument(cli, 1, "POINTS", 0, POINTS_MAX, &request.credit_limit))
        return OUTCOME_USAGE;
    request.end_temporary_limit = cli_option(cli, OPTION_END_TEMPORARY) != NULL;
    if (cli_option(cli, OPTION_UNTIL) || cli_option(cli, OPTION_FROM)) {
        temporary.points = request.credit_limit;
        temporary.first_date = cli_text(cli, OPTION_FROM);
        temporary.last_date = cli_text(cli, OPTION_UNTIL);
        request.credit_limit = 0;
        request.temporary_limit = &temporary;
    }
    if (!take_names(cli, &request.bank_id, &request.request_id, &failed))
        return failed;
    return cli_unary(cli, BANK_SERVICE, "SetCreditLimit", &request);
}

enum outcome member_tier(struct cli *cli)
{
    Alliance__V1__SetTierRequest request = ALLIANCE__V1__SET_TIER_REQUEST__INIT;
    enum outcome failed;
    int64_t tier;

    request.member_ref = argument(cli, 0);
    if (!whole_argument(cli, 1, "TIER", 0, TIER_MAX, &tier))
        return OUTCOME_USAGE;
    request.tier = (int32_t)tier;
    if (!take_names(cli, &request.bank_id, &request.request_id, &failed))
        return failed;
    return cli_unary(cli, BANK_SERVICE, "SetTier", &request);
}

/* One accrual */

static enum outcome on_accrual(struct cli *cli, const char *method)
{
    Alliance__V1__AccrualRequest request = ALLIANCE__V1__ACCRUAL_REQUEST__INIT;
    enum outcome failed;

    request.member_ref = argument(cli, 0);
    request.transaction_ref = argument(cli, 1);
    if (!cli_whole(cli, OPTION_POINTS, 1, POINTS_MAX, 0, &request.points))
        return OUTCOME_USAGE;
    if (!take_names(cli, &request.bank_id, &request.request_id, &failed))
        return failed;
    return cli_unary(cli, BANK_SERVICE, method, &request);
}

enum outcome accrual_mature(struct cli *cli)
{
    return on_accrual(cli, "MatureAccrual");
}

enum outcome accrual_claw_back(struct cli *cli)
{
    return on_accrual(cli, "ClawBackAccrual");
}

/* Two members */

enum outcome points_transfer(struct cli *cli)
{
    Alliance__V1__TransferPointsRequest request = ALLIANCE__V1__TRANSFER_POINTS_REQUEST__INIT;
    enum outcome failed;

    request.from_member_ref = argument(cli, 0);
    request.to_member_ref = argument(cli, 1);
    if (!whole_argument(cli, 2, "POINTS", 1, POINTS_MAX, &request.points))
        return OUTCOME_USAGE;
    if (!take_names(cli, &request.bank_id, &request.request_id, &failed))
        return failed;
    return cli_unary(cli, BANK_SERVICE, "TransferPoints", &request);
}

enum outcome member_merge(struct cli *cli)
{
    Alliance__V1__MergeMembersRequest request = ALLIANCE__V1__MERGE_MEMBERS_REQUEST__INIT;
    enum outcome failed;

    request.from_member_ref = argument(cli, 0);
    request.into_member_ref = argument(cli, 1);
    if (!take_names(cli, &request.bank_id, &request.request_id, &failed))
        return failed;
    return cli_unary(cli, BANK_SERVICE, "MergeMembers", &request);
}

/* Corrections by an operator */

/* Points that may be negative. */
static bool signed_argument(struct cli *cli, const char *text, const char *what, int64_t *out)
{
    bool negative = *text == '-';
    struct error err;

    if (!whole_parse(text + negative, what, 1, POINTS_MAX, out, &err)) {
        error_field(&err, REASON_FIELD_INVALID, what, "must be a whole number, not 0, at most %lld either way",
                    (long long)POINTS_MAX);
        cli_usage(cli, &err);
        return false;
    }
    *out = negative ? -*out : *out;
    return true;
}

enum outcome points_adjust(struct cli *cli)
{
    Alliance__V1__AdjustPointsRequest request = ALLIANCE__V1__ADJUST_POINTS_REQUEST__INIT;

    request.bank_id = cli_text(cli, OPTION_BANK);
    request.member_ref = argument(cli, 0);
    request.reason_code = cli_text(cli, OPTION_REASON_CODE);
    request.note = cli_text(cli, OPTION_NOTE);
    request.funding_id = cli_text(cli, OPTION_FUNDING);
    if (!signed_argument(cli, argument(cli, 1), "POINTS", &request.points) || !cli_request_id(cli, &request.request_id))
        return OUTCOME_USAGE;
    return cli_unary(cli, OPERATOR_SERVICE, "AdjustPoints", &request);
}

enum outcome approve_adjustment(struct cli *cli)
{
    Alliance__V1__ApproveAdjustmentRequest request = ALLIANCE__V1__APPROVE_ADJUSTMENT_REQUEST__INIT;

    request.adjustment_id = argument(cli, 0);
    request.bank_id = cli_text(cli, OPTION_BANK);
    request.member_ref = cli_text(cli, OPTION_MEMBER);
    if (!signed_argument(cli, cli_text(cli, OPTION_POINTS), "--points", &request.points))
        return OUTCOME_USAGE;
    return cli_unary(cli, OPERATOR_SERVICE, "ApproveAdjustment", &request);
}

enum outcome points_reinstate(struct cli *cli)
{
    Alliance__V1__ReinstatePointsRequest request = ALLIANCE__V1__REINSTATE_POINTS_REQUEST__INIT;

    request.bank_id = cli_text(cli, OPTION_BANK);
    request.member_ref = argument(cli, 0);
    request.expires_on = argument(cli, 2);
    if (!whole_argument(cli, 1, "POINTS", 1, POINTS_MAX, &request.points) || !cli_request_id(cli, &request.request_id))
        return OUTCOME_USAGE;
    return cli_unary(cli, OPERATOR_SERVICE, "ReinstatePoints", &request);
}
