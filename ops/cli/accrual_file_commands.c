/*
 * accrual_file_commands.c -- a bank's card spend as a file: looked at, and sent.
 */
#include "bank_rows.h"
#include "cli.h"
#include "push.h"

#include "io/digest.h"

#include <alliance/v1/bank_service.pb-c.h>
#include <inttypes.h>
#include <string.h>

enum { CURRENCIES_MAX = 16 };

/* What a file adds up to. */
struct sums {
    int64_t rows, by_card, refused;
    uint8_t rows_sha256[CRYPTO_HASH];
    struct {
        char currency[4];
        int64_t minor;
    } of[CURRENCIES_MAX]; /* in the order in which they come */
    size_t count;
};

static bool check_file(struct cli *cli, struct row_source *source, struct error *err)
{
    (void)cli;
    return row_source_check(source, err);
}

static ProtobufCMessage *accruals_request(char *bank_id, void **rows, size_t count, struct arena *arena)
{
    Alliance__V1__PushAccrualsRequest *request = arena_alloc(arena, sizeof *request);

    if (!request)
        return NULL;
    alliance__v1__push_accruals_request__init(request);
    request->bank_id = bank_id;
    request->rows = (Alliance__V1__AccrualRow **)rows;
    request->n_rows = count;
    return &request->base;
}

static Alliance__V1__RowVerdict **accruals_verdicts(const ProtobufCMessage *response, size_t *count)
{
    const Alliance__V1__PushAccrualsResponse *answer = (const Alliance__V1__PushAccrualsResponse *)response;

    *count = answer->n_verdicts;
    return answer->verdicts;
}

enum outcome accruals_push(struct cli *cli)
{
    static const struct push_kind kind = {
        .what = "accruals",
        .method = "PushAccruals",
        .columns = accrual_columns,
        .column_count = ACCRUAL_COLUMNS,
        .read = accrual_read,
        .check = check_file,
        .request = accruals_request,
        .response = &alliance__v1__push_accruals_response__descriptor,
        .verdicts = accruals_verdicts,
    };

    return push_file(cli, &kind);
}

/* ---- accruals check ---- */

struct checking {
    struct row_source source;
    struct refusals refusals;
    struct arena arena; /* of one row */
    struct digest digest;
    struct sums sums;
};

static void release(struct checking *work)
{
    row_source_close(&work->source);
    refusals_close(&work->refusals);
    digest_release(&work->digest);
    arena_release(&work->arena);
}

static bool add(struct sums *sums, const Alliance__V1__Money *money, struct error *err)
{
    size_t i = 0;

    while (i < sums->count && strcmp(sums->of[i].currency, money->currency_code) != 0)
        i++;
    if (i == CURRENCIES_MAX)
        return error_field(err, REASON_FIELD_INVALID, "currency", "is the seventeenth of the file; it may have 16");
    if (__builtin_add_overflow(sums->of[i].minor, money->amount_minor, &sums->of[i].minor))
        return error_field(err, REASON_FIELD_INVALID, "amount", "makes the sum too large to be reckoned");
    if (i == sums->count) {
        snprintf(sums->of[i].currency, sizeof sums->of[i].currency, "%.3s", money->currency_code);
        sums->count++;
    }
    sums->rows++;
    return true;
}

/*
 * What a bank reckons for itself: SHA-256 over each good row's AccrualRow in canonical protobuf encoding, without its
 * number, each after its length as four bytes, most significant first.
 */
static bool add_row(struct checking *work, Alliance__V1__AccrualRow *row, struct error *err)
{
    row->row_number = 0;
    size_t size = protobuf_c_message_get_packed_size(&row->base);
    uint8_t *bytes = arena_alloc(&work->arena, size + 1);
    const uint8_t head[] = { (uint8_t)(size >> 24), (uint8_t)(size >> 16), (uint8_t)(size >> 8), (uint8_t)size };

    if (!bytes)
        return error_set(err, REASON_INTERNAL, "out of memory");
    if (!add(&work->sums, row->amount, err))
        return false;
    protobuf_c_message_pack(&row->base, bytes);
    digest_add(&work->digest, head, sizeof head);
    digest_add(&work->digest, bytes, size);
    work->sums.by_card += *row->card_token != '\0';
    return true;
}

static void take_row(struct checking *work, enum source_next next)
{
    struct source_row *row = work->source.row;

    if (next == SOURCE_ROW) {
        Alliance__V1__AccrualRow *made = accrual_read(row->values, work->sums.rows + 1, &work->arena, &row->err);
        if (made && add_row(work, made, &row->err))
            return;
        row_source_place(&work->source, &row->err);
    }
    work->sums.refused++;
    refusals_add_error(&work->refusals, &row->copy, row->text, &row->err);
}

static void print_sums(const struct cli *cli, const struct sums *sums)
{
    bool json = cli_option(cli, OPTION_JSON);
    char hash[2 * CRYPTO_HASH + 1];

    crypto_hex(sums->rows_sha256, CRYPTO_HASH, hash);
    fprintf(cli->out,
            json ? "{\"rows\":\"%" PRId64 "\",\"byCard\":\"%" PRId64 "\",\"refused\":\"%" PRId64
                   "\",\"rowsSha256\":\"%s\",\"amountMinorTotal\":{"
                 : "rows                %" PRId64 "\nby_card             %" PRId64 "\nrefused             %" PRId64
                   "\nrows_sha256         %s\n",
            sums->rows, sums->by_card, sums->refused, hash);
    for (size_t i = 0; i < sums->count; i++) {
        if (json)
            fprintf(cli->out, "%s\"%s\":\"%" PRId64 "\"", i ? "," : "", sums->of[i].currency, sums->of[i].minor);
        else
            fprintf(cli->out, "amount_minor_total  %" PRId64 " %s\n", sums->of[i].minor, sums->of[i].currency);
    }
    if (json)
        fputs("}}\n", cli->out);
}

enum outcome accruals_check(struct cli *cli)
{
    CLEANUP(release) struct checking work = { 0 };
    struct source_options options;
    enum source_next next;
    struct error err;

    if (!push_options(cli, "accruals", accrual_columns, ACCRUAL_COLUMNS, &options))
        return OUTCOME_USAGE;
    if (!push_open(cli, &options, &work.source, &work.refusals))
        return OUTCOME_FAILED;
    digest_begin(&work.digest);
    while ((next = row_source_next(&work.source)) == SOURCE_ROW || next == SOURCE_BAD) {
        take_row(&work, next);
        arena_reset(&work.arena);
    }
    if (next == SOURCE_BROKEN && !row_source_broken(&work.source, &err))
        return cli_fail(cli, &err);
    digest_end(&work.digest, work.sums.rows_sha256);
    print_sums(cli, &work.sums);
    if (!refusals_close(&work.refusals)) {
        fputs("error: the file of refused rows could not be written\n", cli->err);
        return OUTCOME_FAILED;
    }
    return work.sums.refused == 0 || cli_option(cli, OPTION_ALLOW_REFUSED) ? OUTCOME_DONE : OUTCOME_REFUSED;
}
