/*
 * member_file_commands.c -- a bank's member list as a file: looked at, and sent.
 */
#include "cli.h"
#include "member_rows.h"
#include "member_source.h"
#include "push.h"

#include "base/limits.h"
#include "io/amount.h"

#include <inttypes.h>
#include <string.h>
#include <strings.h>

enum { HEX = 2 * CRYPTO_HASH };

static void print_totals(const struct cli *cli, const struct member_totals *totals)
{
    char hash[HEX + 1];

    crypto_hex(totals->rows_sha256, CRYPTO_HASH, hash);
    fprintf(cli->out,
            cli_option(cli, OPTION_JSON) ? "{\"rows\":\"%" PRId64 "\",\"refused\":\"%" PRId64
                                           "\",\"creditLimitTotal\":\"%" PRId64 "\",\"rowsSha256\":\"%s\"}\n"
                                         : "rows                %" PRId64 "\nrefused             %" PRId64
                                           "\ncredit_limit_total  %" PRId64 "\nrows_sha256         %s\n",
            totals->rows, totals->refused, totals->credit_limit_total, hash);
}

static bool expect_number(const struct cli *cli, enum option option, const char *what, int64_t is, struct error *err)
{
    const char *text = cli_option(cli, option);
    int64_t expected;

    if (!text)
        return true;
    if (!whole_parse(text, what, 0, INT64_MAX, &expected, err))
        return false;
    return is == expected || error_field(err, REASON_FIELD_INVALID, what,
                                         "is %" PRId64 ", and the file has %" PRId64
                                         ": rows lack, are there twice, or were changed or refused",
                                         expected, is);
}

/* Whether the file adds up to what the bank says. */
static bool check_totals(const struct cli *cli, const struct member_totals *totals, struct error *err)
{
    const char *hash = cli_option(cli, OPTION_EXPECT_HASH);
    char is[HEX + 1];

    if (!expect_number(cli, OPTION_EXPECT_ROWS, "--expect-rows", totals->rows, err) ||
        !expect_number(cli, OPTION_EXPECT_LIMITS, "--expect-limits", totals->credit_limit_total, err))
        return false;
    crypto_hex(totals->rows_sha256, CRYPTO_HASH, is);
    return !hash || strcasecmp(hash, is) == 0 ||
           error_field(err, REASON_FIELD_INVALID, "--expect-hash", "is not that of the file's rows: one was changed");
}

static bool expects_totals(const struct cli *cli)
{
    return cli_option(cli, OPTION_EXPECT_ROWS) || cli_option(cli, OPTION_EXPECT_LIMITS) ||
           cli_option(cli, OPTION_EXPECT_HASH);
}

static bool check_file(struct cli *cli, struct row_source *source, struct error *err)
{
    struct member_totals totals;

    if (!expects_totals(cli))
        return row_source_check(source, err);
    return member_source_totals(source, NULL, &totals, err) && check_totals(cli, &totals, err);
}

static ProtobufCMessage *members_request(char *bank_id, void **rows, size_t count, struct arena *arena)
{
    Alliance__V1__PushMembersRequest *request = arena_alloc(arena, sizeof *request);

    if (!request)
        return NULL;
    alliance__v1__push_members_request__init(request);
    request->bank_id = bank_id;
    request->rows = (Alliance__V1__MemberRow **)rows;
    request->n_rows = count;
    return &request->base;
}

static Alliance__V1__RowVerdict **members_verdicts(const ProtobufCMessage *response, size_t *count)
{
    const Alliance__V1__PushMembersResponse *answer = (const Alliance__V1__PushMembersResponse *)response;

    *count = answer->n_verdicts;
    return answer->verdicts;
}

enum outcome members_push(struct cli *cli)
{
    static const struct push_kind kind = {
        .what = "members",
        .method = "PushMembers",
        .columns = member_columns,
        .column_count = MEMBER_COLUMNS,
        .read = member_read,
        .check = check_file,
        .request = members_request,
        .response = &alliance__v1__push_members_response__descriptor,
        .verdicts = members_verdicts,
    };

    static const enum option of_a_batch[] = { OPTION_BATCH, OPTION_DATE, OPTION_FULL, OPTION_DELTA,
                                              OPTION_CLOSE_SHARE };

    for (size_t i = 0; i < COUNT(of_a_batch); i++) {
        if (cli_option(cli, of_a_batch[i]))
            return roster_push_members(cli);
    }
    return push_file(cli, &kind);
}

/* ---- members check ---- */

struct checking {
    struct row_source source;
    struct refusals refusals;
};

static void release(struct checking *work)
{
    row_source_close(&work->source);
    refusals_close(&work->refusals);
}

enum outcome members_check(struct cli *cli)
{
    CLEANUP(release) struct checking work = { 0 };
    struct source_options options;
    struct member_totals totals;
    struct error err;

    if (!push_options(cli, "members", member_columns, MEMBER_COLUMNS, &options))
        return OUTCOME_USAGE;
    if (!push_open(cli, &options, &work.source, &work.refusals))
        return OUTCOME_FAILED;
    if (!member_source_totals(&work.source, &work.refusals, &totals, &err))
        return cli_fail(cli, &err);
    print_totals(cli, &totals);
    if (!refusals_close(&work.refusals)) {
        fputs("error: the file of refused rows could not be written\n", cli->err);
        return OUTCOME_FAILED;
    }
    if (!check_totals(cli, &totals, &err))
        return cli_fail(cli, &err);
    return totals.refused == 0 || cli_option(cli, OPTION_ALLOW_REFUSED) ? OUTCOME_DONE : OUTCOME_REFUSED;
}
