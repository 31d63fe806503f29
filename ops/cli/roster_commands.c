/*
 * roster_commands.c -- member lists in numbered batches: pushed, looked at, released.
 */
#include "cli.h"
#include "member_rows.h"
#include "member_source.h"
#include "push.h"
#include "roster_push.h"

#include "io/amount.h"

#include <inttypes.h>
#include <string.h>
#include <strings.h>

#define SERVICE &alliance__v1__roster_service__descriptor

enum { HEX = 2 * CRYPTO_HASH };

static bool read_batch(struct cli *cli, const char *text, int64_t *batch_number)
{
    struct error err;

    return whole_parse(text, "BATCH", 1, INT64_MAX, batch_number, &err) || cli_usage(cli, &err) == OUTCOME_DONE;
}

static bool read_hash(struct cli *cli, const char *text, const char *what, uint8_t hash[CRYPTO_HASH])
{
    struct error err;

    if (strlen(text) == HEX && crypto_hex_decode(text, CRYPTO_HASH, hash))
        return true;
    error_field(&err, REASON_FIELD_INVALID, what, "must be %d hexadecimal digits", HEX);
    return cli_usage(cli, &err) == OUTCOME_DONE;
}

/* Pushing */

struct pushing {
    struct row_source source;
    struct refusals refusals;
    struct arena answer;
};

static void release(struct pushing *work)
{
    row_source_close(&work->source);
    refusals_close(&work->refusals);
    arena_release(&work->answer);
}

static bool expect(const struct cli *cli, enum option option, const char *what, int64_t is, struct error *err)
{
    int64_t expected = is;

    if (cli_option(cli, option) && !whole_parse(cli_option(cli, option), what, 0, INT64_MAX, &expected, err))
        return false;
    return is == expected ||
           error_field(err, REASON_FIELD_INVALID, what,
                       "is %" PRId64 ", and the file has %" PRId64 "; nothing was sent", expected, is);
}

/* On a full list a row that is not sent would close its member. */
static bool check_totals(const struct cli *cli, const struct member_totals *totals, struct error *err)
{
    const char *hash = cli_option(cli, OPTION_EXPECT_HASH);
    char is[HEX + 1];

    if (totals->refused > 0 && (cli_option(cli, OPTION_FULL) || !cli_option(cli, OPTION_ALLOW_REFUSED)))
        return error_set(err, REASON_FIELD_INVALID,
                         "%" PRId64 " rows of the file are wrong, and a batch is whole or nothing; nothing was sent%s",
                         totals->refused, cli_option(cli, OPTION_FULL) ? "" : " (--allow-refused sends the others)");
    if (!expect(cli, OPTION_EXPECT_ROWS, "--expect-rows", totals->rows, err) ||
        !expect(cli, OPTION_EXPECT_LIMITS, "--expect-limits", totals->credit_limit_total, err))
        return false;
    crypto_hex(totals->rows_sha256, CRYPTO_HASH, is);
    return !hash || strcasecmp(hash, is) == 0 ||
           error_field(err, REASON_FIELD_INVALID, "--expect-hash", "is not that of the file's rows; nothing was sent");
}

/* Whoever releases it names what was looked at. */
static void say_waiting(const struct cli *cli, const Alliance__V1__RosterBatch *batch)
{
    const ProtobufCBinaryData *hash = &batch->header->rows_sha256;
    char hex[HEX + 1] = "";

    if (batch->state != ALLIANCE__V1__ROSTER_STATE__ROSTER_STATE_WAITING_RELEASE)
        return;
    if (hash->len == CRYPTO_HASH)
        crypto_hex(hash->data, CRYPTO_HASH, hex);
    fprintf(cli->err,
            "it would close %" PRId64 " of %" PRId64 " members and waits for a second person\n"
            "who they are: alliance roster closings %" PRId64 "\nto release it: alliance roster release %" PRId64
            " %s\n",
            batch->to_close, batch->members, batch->header->batch_number, batch->header->batch_number, hex);
}

static enum outcome outcome_of(const struct cli *cli, const Alliance__V1__RosterBatch *batch)
{
    if (batch->state == ALLIANCE__V1__ROSTER_STATE__ROSTER_STATE_REFUSED)
        return OUTCOME_FAILED;
    return batch->refused == 0 || cli_option(cli, OPTION_ALLOW_REFUSED) ? OUTCOME_DONE : OUTCOME_REFUSED;
}

static enum outcome send(struct cli *cli, struct pushing *work, Alliance__V1__RosterHeader *header)
{
    Alliance__V1__RosterBatch *batch;

    if (!cli_open(cli) || !cli_party(cli, OPTION_BANK, "bank", &header->bank_id) ||
        !roster_push(cli, &work->source, header, &work->refusals, &work->answer, &batch))
        return OUTCOME_FAILED;
    cli_show(cli, &batch->base);
    say_waiting(cli, batch);
    if (!refusals_close(&work->refusals)) {
        fputs("error: the file of refused rows could not be written\n", cli->err);
        return OUTCOME_FAILED;
    }
    return outcome_of(cli, batch);
}

static enum outcome push_batch(struct cli *cli, const char *batch, const char *business_date)
{
    CLEANUP(release) struct pushing work = { 0 };
    Alliance__V1__RosterHeader header = ALLIANCE__V1__ROSTER_HEADER__INIT;
    struct source_options options;
    struct member_totals totals;
    int64_t share;
    struct error err;

    if (!read_batch(cli, batch, &header.batch_number) || !cli_whole(cli, OPTION_CLOSE_SHARE, 1, 10000, 0, &share) ||
        !push_options(cli, "members", member_columns, MEMBER_COLUMNS, &options))
        return OUTCOME_USAGE;
    if (!push_open(cli, &options, &work.source, &work.refusals))
        return OUTCOME_FAILED;
    if (!member_source_totals(&work.source, &work.refusals, &totals, &err) || !check_totals(cli, &totals, &err))
        return cli_fail(cli, &err);
    header.business_date = (char *)(uintptr_t)business_date;
    header.kind = cli_option(cli, OPTION_FULL) ? ALLIANCE__V1__ROSTER_KIND__ROSTER_KIND_FULL
                                               : ALLIANCE__V1__ROSTER_KIND__ROSTER_KIND_DELTA;
    header.row_count = totals.rows;
    header.credit_limit_total = totals.credit_limit_total;
    header.rows_sha256 = (ProtobufCBinaryData){ CRYPTO_HASH, totals.rows_sha256 };
    header.max_close_share_bp = (int32_t)share;
    return send(cli, &work, &header);
}

enum outcome roster_push_file(struct cli *cli)
{
    return push_batch(cli, cli->arguments.at[1], cli->arguments.at[2]);
}

/* Which of the two lists it is must be said here: what is left out closes members, or does not. */
enum outcome roster_push_members(struct cli *cli)
{
    const char *date = cli_option(cli, OPTION_DATE);
    struct error err;

    if (cli_option(cli, OPTION_BATCH) && date && !cli_option(cli, OPTION_FULL) != !cli_option(cli, OPTION_DELTA))
        return push_batch(cli, cli_option(cli, OPTION_BATCH), date);
    error_set(&err, REASON_FIELD_INVALID, "a batch needs --batch, --date, and --full or --delta");
    return cli_usage(cli, &err);
}

/* Looking */

enum outcome roster_show(struct cli *cli)
{
    Alliance__V1__GetRosterBatchRequest request = ALLIANCE__V1__GET_ROSTER_BATCH_REQUEST__INIT;
    ProtobufCMessage *reply;

    if (!read_batch(cli, cli->arguments.at[0], &request.batch_number))
        return OUTCOME_USAGE;
    if (!cli_party(cli, OPTION_BANK, "bank", &request.bank_id))
        return OUTCOME_FAILED;
    if (!cli_call(cli, SERVICE, "GetRosterBatch", &request, &reply))
        return OUTCOME_FAILED;
    enum outcome outcome = cli_show(cli, reply);
    say_waiting(cli, (const Alliance__V1__RosterBatch *)reply);
    return outcome;
}

enum outcome roster_list(struct cli *cli)
{
    Alliance__V1__ListRosterBatchesRequest request = ALLIANCE__V1__LIST_ROSTER_BATCHES_REQUEST__INIT;

    if (!cli_party(cli, OPTION_BANK, "bank", &request.bank_id))
        return OUTCOME_FAILED;
    return cli_list(cli, SERVICE, "ListRosterBatches", &request,
                    "header.batch_number header.business_date header.kind state header.row_count created changed "
                    "unchanged refused closed roll_back.released_by");
}

enum outcome roster_verdicts(struct cli *cli)
{
    Alliance__V1__ListRosterVerdictsRequest request = ALLIANCE__V1__LIST_ROSTER_VERDICTS_REQUEST__INIT;

    if (!read_batch(cli, cli->arguments.at[0], &request.batch_number))
        return OUTCOME_USAGE;
    if (!cli_party(cli, OPTION_BANK, "bank", &request.bank_id))
        return OUTCOME_FAILED;
    request.refused_only = cli_option(cli, OPTION_REFUSED_ONLY) != NULL;
    return cli_list(cli, SERVICE, "ListRosterVerdicts", &request, "row_number outcome reason detail");
}

enum outcome roster_closings(struct cli *cli)
{
    Alliance__V1__ListRosterClosingsRequest request = ALLIANCE__V1__LIST_ROSTER_CLOSINGS_REQUEST__INIT;

    if (!read_batch(cli, cli->arguments.at[0], &request.batch_number))
        return OUTCOME_USAGE;
    if (!cli_party(cli, OPTION_BANK, "bank", &request.bank_id))
        return OUTCOME_FAILED;
    return cli_list(cli, SERVICE, "ListRosterClosings", &request, "member_ref done reason");
}

enum outcome roster_release(struct cli *cli)
{
    Alliance__V1__ReleaseRosterBatchRequest request = ALLIANCE__V1__RELEASE_ROSTER_BATCH_REQUEST__INIT;
    uint8_t hash[CRYPTO_HASH];

    if (!read_batch(cli, cli->arguments.at[0], &request.batch_number) ||
        !read_hash(cli, cli->arguments.at[1], "HASH", hash))
        return OUTCOME_USAGE;
    if (!cli_party(cli, OPTION_BANK, "bank", &request.bank_id))
        return OUTCOME_FAILED;
    request.rows_sha256 = (ProtobufCBinaryData){ CRYPTO_HASH, hash };
    request.refuse = cli_option(cli, OPTION_REFUSE) != NULL;
    return cli_unary(cli, SERVICE, "ReleaseRosterBatch", &request);
}
