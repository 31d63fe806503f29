/*
 * rules_commands.c -- a rule set's life from the command line. The document is a file of proto3 JSON, and what is shown
 * of a rule set is that file again, so that the next one is made of it.
 */
#include "rules_commands.h"

#include "show.h"

#include "io/amount.h"
#include "io/pb_json.h"

#include <alliance/v1/bank_service.pb-c.h>
#include <alliance/v1/rules_service.pb-c.h>
#include <string.h>

#define SERVICE &alliance__v1__rules_service__descriptor

typedef Alliance__V1__RuleSet RuleSet;
typedef Alliance__V1__RuleFinding Finding;

enum { FINDING_PREFIX = sizeof "RULE_FINDING_KIND_" - 1, STATE_PREFIX = sizeof "RULE_SET_STATE_" - 1 };

bool rules_read_which(struct cli *cli, const char *text, const char *what, struct rules_which *which)
{
    int64_t number = 0;
    struct error err;

    *which = (struct rules_which){ 0 };
    if (!text || strcmp(text, "now") == 0)
        return true;
    bool version = *text == 'v';
    if (!whole_parse(text + version, what, 1, INT32_MAX, &number, &err)) {
        error_field(&err, REASON_FIELD_INVALID, what,
                    "must be a rule set's number, a version such as v3, or now for what is in force");
        return cli_usage(cli, &err) == OUTCOME_DONE;
    }
    *(version ? &which->version : &which->number) = (int32_t)number;
    return true;
}

/* NUMBER, the first argument of whatever changes a rule set. */
static bool read_number(struct cli *cli, int32_t *number)
{
    int64_t read;
    struct error err;

    if (!whole_parse(cli->arguments.at[0], "NUMBER", 1, INT32_MAX, &read, &err))
        return cli_usage(cli, &err) == OUTCOME_DONE;
    *number = (int32_t)read;
    return true;
}

/* The short way */

enum outcome rules_publish(struct cli *cli)
{
    Alliance__V1__PublishExchangeRulesRequest request = ALLIANCE__V1__PUBLISH_EXCHANGE_RULES_REQUEST__INIT;
    ProtobufCMessage *rules;

    if (!cli_read_json(cli, cli->arguments.at[0], &alliance__v1__exchange_rules__descriptor, &rules))
        return OUTCOME_FAILED;
    request.rules = (Alliance__V1__ExchangeRules *)rules;
    if (!*request.rules->bank_id && !cli_party(cli, OPTION_BANK, "bank", &request.rules->bank_id))
        return OUTCOME_FAILED;
    if (!cli_request_id(cli, &request.request_id))
        return OUTCOME_USAGE;
    return cli_unary(cli, &alliance__v1__bank_service__descriptor, "PublishExchangeRules", &request);
}

/* Life */

enum outcome rules_draft(struct cli *cli)
{
    Alliance__V1__DraftRuleSetRequest request = ALLIANCE__V1__DRAFT_RULE_SET_REQUEST__INIT;
    ProtobufCMessage *document;

    if (!cli_read_json(cli, cli->arguments.at[0], &alliance__v1__rule_set_document__descriptor, &document) ||
        !cli_party(cli, OPTION_BANK, "bank", &request.bank_id))
        return OUTCOME_FAILED;
    if (!cli_request_id(cli, &request.request_id))
        return OUTCOME_USAGE;
    request.document = (Alliance__V1__RuleSetDocument *)document;
    return cli_unary(cli, SERVICE, "DraftRuleSet", &request);
}

static const char *enum_name(const ProtobufCEnumDescriptor *type, int number, size_t prefix)
{
    const ProtobufCEnumValue *value = protobuf_c_enum_descriptor_get_value(type, number);

    return value && strlen(value->name) > prefix ? value->name + prefix : "?";
}

static const char *state_name(const RuleSet *set)
{
    return enum_name(&alliance__v1__rule_set_state__descriptor, (int)set->state, STATE_PREFIX);
}

/* "accrual_rules[a], accrual_rules[b]: CONFLICT: both match ..." */
static void print_finding(FILE *out, const Finding *finding)
{
    const char *kind = enum_name(&alliance__v1__rule_finding_kind__descriptor, (int)finding->kind, FINDING_PREFIX);

    fprintf(out, "%s", finding->path);
    if (*finding->other_rule)
        fprintf(out, " and %.*s[%s]", (int)strcspn(finding->path, "["), finding->path, finding->other_rule);
    fprintf(out, ": %s: %s\n", kind, finding->text);
}

enum outcome rules_validate(struct cli *cli)
{
    Alliance__V1__ValidateRuleSetRequest request = ALLIANCE__V1__VALIDATE_RULE_SET_REQUEST__INIT;
    ProtobufCMessage *reply;

    if (!read_number(cli, &request.number))
        return OUTCOME_USAGE;
    if (!cli_party(cli, OPTION_BANK, "bank", &request.bank_id) ||
        !cli_call(cli, SERVICE, "ValidateRuleSet", &request, &reply))
        return OUTCOME_FAILED;
    const Alliance__V1__ValidateRuleSetResponse *answer = (const Alliance__V1__ValidateRuleSetResponse *)reply;
    enum outcome outcome = answer->findings_total ? OUTCOME_FAILED : OUTCOME_DONE;
    if (cli_option(cli, OPTION_JSON))
        return cli_show(cli, reply) == OUTCOME_DONE ? outcome : OUTCOME_FAILED;
    for (size_t i = 0; i < answer->n_findings; i++)
        print_finding(cli->out, answer->findings[i]);
    if (answer->findings_total)
        fprintf(cli->out, "rule set %d: %d findings; draft another one without them\n", (int)request.number,
                (int)answer->findings_total);
    else
        fprintf(cli->out, "rule set %d: %s, nothing is wrong with it\n", (int)request.number,
                state_name(answer->rule_set));
    return outcome;
}

enum outcome rules_approve(struct cli *cli)
{
    Alliance__V1__ApproveRuleSetRequest request = ALLIANCE__V1__APPROVE_RULE_SET_REQUEST__INIT;

    if (!read_number(cli, &request.number))
        return OUTCOME_USAGE;
    if (!cli_party(cli, OPTION_BANK, "bank", &request.bank_id))
        return OUTCOME_FAILED;
    return cli_unary(cli, SERVICE, "ApproveRuleSet", &request);
}

enum outcome rules_schedule(struct cli *cli)
{
    Alliance__V1__ScheduleRuleSetRequest request = ALLIANCE__V1__SCHEDULE_RULE_SET_REQUEST__INIT;
    ProtobufCMessage *from;

    if (!read_number(cli, &request.number) || !cli_instant(cli, cli->arguments.at[1], "INSTANT", &from))
        return OUTCOME_USAGE;
    if (!cli_party(cli, OPTION_BANK, "bank", &request.bank_id))
        return OUTCOME_FAILED;
    request.effective_from = (Google__Protobuf__Timestamp *)from;
    return cli_unary(cli, SERVICE, "ScheduleRuleSet", &request);
}

enum outcome rules_cancel(struct cli *cli)
{
    Alliance__V1__CancelScheduledRuleSetRequest request = ALLIANCE__V1__CANCEL_SCHEDULED_RULE_SET_REQUEST__INIT;

    if (!read_number(cli, &request.number))
        return OUTCOME_USAGE;
    if (!cli_party(cli, OPTION_BANK, "bank", &request.bank_id))
        return OUTCOME_FAILED;
    return cli_unary(cli, SERVICE, "CancelScheduledRuleSet", &request);
}

/* Looking */

enum outcome rules_list(struct cli *cli)
{
    Alliance__V1__ListRuleSetsRequest request = ALLIANCE__V1__LIST_RULE_SETS_REQUEST__INIT;

    if (!cli_party(cli, OPTION_BANK, "bank", &request.bank_id))
        return OUTCOME_FAILED;
    return cli_list(cli, SERVICE, "ListRuleSets", &request,
                    "number version state effective_from drafted_by drafted_at approved_by approved_at scheduled_by "
                    "cancelled_by cancelled_at");
}

/* The document alone goes to standard output: it is the file that `rules draft` reads. */
static enum outcome show_document(const struct cli *cli, const RuleSet *set, struct arena *arena)
{
    struct error err;
    char *text;

    if (!set->document || !pb_json_format(&set->document->base, PB_JSON_INDENT, arena, &text, &err)) {
        if (!set->document)
            error_set(&err, REASON_INTERNAL, "the server sent no document");
        return cli_fail(cli, &err);
    }
    fprintf(cli->out, "%s\n", text);
    fprintf(cli->err, "rule set %d, version %d: %s", (int)set->number, (int)set->version, state_name(set));
    if (*set->drafted_by)
        fprintf(cli->err, ", drafted by %s", set->drafted_by);
    if (*set->approved_by)
        fprintf(cli->err, ", approved by %s", set->approved_by);
    fputc('\n', cli->err);
    return OUTCOME_DONE;
}

enum outcome rules_show(struct cli *cli)
{
    Alliance__V1__GetRuleSetRequest request = ALLIANCE__V1__GET_RULE_SET_REQUEST__INIT;
    struct rules_which which;
    ProtobufCMessage *reply;

    if (!rules_read_which(cli, cli->arguments.at[0], "RULE_SET", &which))
        return OUTCOME_USAGE;
    request.number = which.number;
    request.version = which.version;
    if (!cli_party(cli, OPTION_BANK, "bank", &request.bank_id) ||
        !cli_call(cli, SERVICE, "GetRuleSet", &request, &reply))
        return OUTCOME_FAILED;
    return cli_option(cli, OPTION_JSON) ? cli_show(cli, reply)
                                        : show_document(cli, (const RuleSet *)reply, &cli->arena);
}

enum outcome rules_diff(struct cli *cli)
{
    Alliance__V1__DiffRuleSetsRequest request = ALLIANCE__V1__DIFF_RULE_SETS_REQUEST__INIT;
    struct rules_which before, after;
    ProtobufCMessage *reply;

    if (!rules_read_which(cli, cli->arguments.at[0], "BEFORE", &before) ||
        !rules_read_which(cli, cli->arguments.at[1], "AFTER", &after))
        return OUTCOME_USAGE;
    request.before_number = before.number;
    request.before_version = before.version;
    request.after_number = after.number;
    request.after_version = after.version;
    if (!cli_party(cli, OPTION_BANK, "bank", &request.bank_id) ||
        !cli_call(cli, SERVICE, "DiffRuleSets", &request, &reply))
        return OUTCOME_FAILED;
    if (cli_option(cli, OPTION_JSON))
        return cli_show(cli, reply);
    const Alliance__V1__DiffRuleSetsResponse *diff = (const Alliance__V1__DiffRuleSetsResponse *)reply;
    if (diff->n_differences == 0)
        fputs("they say the same\n", cli->out);
    else
        show_table(cli->out, &alliance__v1__rule_difference__descriptor, (ProtobufCMessage **)diff->differences,
                   diff->n_differences, "path before after");
    return OUTCOME_DONE;
}
