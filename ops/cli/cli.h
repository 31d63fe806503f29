/*
 * cli.h -- one run of the command line: what was typed, the connection, and how answers and errors are printed.
 *
 * Handlers read arguments, fill a request, call, and print: no rules of their own. What a function prints when it fails
 * is all there is to say; its caller only hands the outcome on.
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include "command.h"

#include "base/arena.h"
#include "base/error.h"
#include "base/uuid.h"
#include "client/client.h"

#include <protobuf-c/protobuf-c.h>
#include <stdint.h>
#include <stdio.h>

struct cli {
    struct arguments arguments;
    struct arena arena;    /* until the process ends */
    struct client *client; /* NULL until the first call; owned */
    int64_t timeout_ms;
    int attempts;               /* how often what may be repeated is sent again: BACKOFF_ATTEMPTS */
    FILE *out, *err;            /* borrowed */
    char request_id[UUID_TEXT]; /* of the write under way; empty for none */
};

/* The option's value, or NULL. */
const char *cli_option(const struct cli *cli, enum option option);
/* The option's value, or "". */
char *cli_text(const struct cli *cli, enum option option);
/* The option as a whole number; `absent` when it was not given. */
bool cli_whole(struct cli *cli, enum option option, int64_t least, int64_t most, int64_t absent, int64_t *out) MUST_USE;

/* Prints the error and what to do. Always OUTCOME_FAILED, or OUTCOME_USAGE for wrong usage. */
enum outcome cli_fail(const struct cli *cli, const struct error *err);
enum outcome cli_fail_status(const struct cli *cli, const struct client_status *status);
enum outcome cli_usage(const struct cli *cli, const struct error *err);

/* The client is there afterwards, though perhaps not connected. */
bool cli_open(struct cli *cli) MUST_USE;
bool cli_call(struct cli *cli, const ProtobufCServiceDescriptor *service, const char *method, const void *request,
              ProtobufCMessage **reply) MUST_USE;
/* The reply as JSON with --json, else for people. */
enum outcome cli_show(struct cli *cli, const ProtobufCMessage *reply);
/* cli_call and cli_show. */
enum outcome cli_unary(struct cli *cli, const ProtobufCServiceDescriptor *service, const char *method,
                       const void *request);
/* All pages of a List method as one table; columns as in show_table. */
enum outcome cli_list(struct cli *cli, const ProtobufCServiceDescriptor *service, const char *method, void *request,
                      const char *columns);

/* The option's value, else our own id, for which the server is asked whom the certificate names. role is "bank" or
 * "merchant". */
bool cli_party(struct cli *cli, enum option option, const char *role, char **id) MUST_USE;
/* --request-id, or a new one; printed on standard error before anything is sent. */
bool cli_request_id(struct cli *cli, char **request_id) MUST_USE;
/* A file of JSON, 1 MB at most, as a message of that type. */
bool cli_read_json(struct cli *cli, const char *path, const ProtobufCMessageDescriptor *type,
                   ProtobufCMessage **message) MUST_USE;
/* The text as an instant; `what` names it in the error. */
bool cli_instant(struct cli *cli, const char *text, const char *what, ProtobufCMessage **timestamp) MUST_USE;

/* Handlers, by who types them. */
enum outcome programme_create(struct cli *cli);
enum outcome programme_show(struct cli *cli);
enum outcome clock_advance(struct cli *cli);
enum outcome bank_register(struct cli *cli);
enum outcome merchant_register(struct cli *cli);
enum outcome merchants_import(struct cli *cli);
enum outcome merchants_list(struct cli *cli);
enum outcome terms_publish(struct cli *cli);
enum outcome good_register(struct cli *cli);
enum outcome carrier_register(struct cli *cli);
enum outcome shipments_list(struct cli *cli);
enum outcome members_check(struct cli *cli);
enum outcome members_push(struct cli *cli);
enum outcome roster_push_file(struct cli *cli);
/* members push with --batch. */
enum outcome roster_push_members(struct cli *cli);
enum outcome roster_show(struct cli *cli);
enum outcome roster_list(struct cli *cli);
enum outcome roster_verdicts(struct cli *cli);
enum outcome roster_closings(struct cli *cli);
enum outcome roster_release(struct cli *cli);
enum outcome roster_roll_back(struct cli *cli);
enum outcome accruals_check(struct cli *cli);
enum outcome accruals_push(struct cli *cli);
enum outcome balance_show(struct cli *cli);
enum outcome member_freeze(struct cli *cli);
enum outcome member_unfreeze(struct cli *cli);
enum outcome close_member(struct cli *cli);
enum outcome member_limit(struct cli *cli);
enum outcome member_tier(struct cli *cli);
enum outcome member_merge(struct cli *cli);
enum outcome member_show(struct cli *cli);
enum outcome find_members(struct cli *cli);
enum outcome member_changes(struct cli *cli);
enum outcome erase_member(struct cli *cli);
enum outcome split_member(struct cli *cli);
enum outcome accrual_mature(struct cli *cli);
enum outcome accrual_claw_back(struct cli *cli);
enum outcome points_transfer(struct cli *cli);
enum outcome points_adjust(struct cli *cli);
enum outcome approve_adjustment(struct cli *cli);
enum outcome points_reinstate(struct cli *cli);
enum outcome exposure_set(struct cli *cli);
enum outcome exposure_show(struct cli *cli);
enum outcome exposure_warnings(struct cli *cli);
enum outcome exposure_settled(struct cli *cli);
enum outcome funding_register(struct cli *cli);
enum outcome redeem_quote(struct cli *cli);
enum outcome redeem_hold(struct cli *cli);
enum outcome redeem_points(struct cli *cli);
enum outcome redeem_extend(struct cli *cli);
enum outcome redeem_confirm(struct cli *cli);
enum outcome redeem_cancel(struct cli *cli);
enum outcome redeem_reverse(struct cli *cli);
enum outcome redeem_show(struct cli *cli);
enum outcome redemptions_run(struct cli *cli);
enum outcome account_set(struct cli *cli);
enum outcome account_approve(struct cli *cli);
enum outcome account_show(struct cli *cli);
enum outcome statement_list(struct cli *cli);
enum outcome statement_show(struct cli *cli);
enum outcome statement_postings(struct cli *cli);
enum outcome statement_receivables(struct cli *cli);
enum outcome statement_confirm_issued(struct cli *cli);
enum outcome statement_prove(struct cli *cli);
enum outcome statement_verify(struct cli *cli);
enum outcome cards_tokenise(struct cli *cli);
enum outcome ping(struct cli *cli);
enum outcome health(struct cli *cli);

#endif
