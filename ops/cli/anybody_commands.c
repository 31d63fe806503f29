#include "cli.h"

#include "io/card_token.h"
#include "io/clock.h"
#include "io/crypto.h"
#include "io/rows.h"

#include <alliance/v1/diagnostics_service.pb-c.h>
#include <grpc/health/v1/health.pb-c.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

enum outcome ping(struct cli *cli)
{
    Alliance__V1__PingRequest request = ALLIANCE__V1__PING_REQUEST__INIT;
    int64_t from_us = clock_monotonic_us();
    ProtobufCMessage *reply;

    if (!cli_call(cli, &alliance__v1__diagnostics_service__descriptor, "Ping", &request, &reply))
        return OUTCOME_FAILED;
    int64_t took_us = clock_monotonic_us() - from_us;
    if (cli_option(cli, OPTION_JSON))
        return cli_show(cli, reply);
    fprintf(cli->out, "principal  %s\ntook       %" PRId64 ".%03" PRId64 " ms\n",
            ((Alliance__V1__PingResponse *)reply)->principal, took_us / 1000, took_us % 1000);
    return OUTCOME_DONE;
}

enum outcome health(struct cli *cli)
{
    Grpc__Health__V1__HealthCheckRequest request = GRPC__HEALTH__V1__HEALTH_CHECK_REQUEST__INIT;
    ProtobufCMessage *reply;

    if (!cli_call(cli, &grpc__health__v1__health__descriptor, "Check", &request, &reply))
        return OUTCOME_FAILED;
    bool serves = ((Grpc__Health__V1__HealthCheckResponse *)reply)->status ==
                  GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVING;
    if (cli_option(cli, OPTION_JSON))
        cli_show(cli, reply);
    else
        fprintf(cli->out, "status  %s\n", serves ? "SERVING" : "NOT_SERVING");
    return serves ? OUTCOME_DONE : OUTCOME_FAILED;
}

/* ---- cards tokenise ---- */

struct tokenising {
    struct cli *cli;
    struct crypto_key key;
    struct rows rows;
    size_t column; /* of the card number */
    int64_t written, refused;
};

static void release(struct tokenising *work)
{
    crypto_key_clear(&work->key);
    rows_close(&work->rows);
}

static bool is_cvv(const char *name)
{
    return strcasecmp(name, "cvv") == 0;
}

static void write_row(const struct tokenising *work, const struct row_fields *row)
{
    const char *fields[ROWS_COLUMNS_MAX];
    size_t n = 0;

    for (size_t i = 0; i < row->count; i++) {
        if (!is_cvv(work->rows.header.at[i]))
            fields[n++] = row->at[i];
    }
    rows_write(work->cli->out, fields, n);
}

static void refuse(struct tokenising *work, const struct error *err)
{
    work->refused++;
    fprintf(work->cli->err, "%s:%" PRId64 ": %s: %s\n", work->cli->arguments.at[0], work->rows.lines.number,
            reason_name(err->reason), error_text(err));
}

static void tokenise_rows(struct tokenising *work)
{
    struct error err = { 0 };
    enum rows_next next;

    while ((next = rows_read(&work->rows, &err)) != ROWS_END) {
        char token[CARD_TOKEN];
        if (next == ROWS_BAD ||
            !card_token(work->rows.row.at[work->column], work->key.secret, sizeof work->key.secret, token, &err)) {
            refuse(work, &err);
            continue;
        }
        work->rows.row.at[work->column] = token;
        write_row(work, &work->rows.row);
        work->written++;
    }
}

static bool find_column(struct tokenising *work, struct error *err)
{
    const char *name = cli_option(work->cli, OPTION_COLUMN) ? cli_option(work->cli, OPTION_COLUMN) : "card_number";
    const struct row_fields *header = &work->rows.header;

    for (work->column = 0; work->column < header->count; work->column++) {
        if (strcmp(header->at[work->column], name) == 0)
            return true;
    }
    return error_set(err, REASON_FIELD_INVALID, "the header has no column %.100s; name it with --column", name);
}

static void close_file(FILE **file)
{
    if (*file)
        fclose(*file);
}

enum outcome cards_tokenise(struct cli *cli)
{
    CLEANUP(release) struct tokenising work = { .cli = cli };
    CLEANUP(close_file) FILE *file = fopen(cli->arguments.at[0], "re");
    struct error err = { 0 };

    if (!file) {
        error_set(&err, REASON_FIELD_INVALID, "%.150s cannot be read", cli->arguments.at[0]);
        return cli_fail(cli, &err);
    }
    if (!crypto_key_load(cli_option(cli, OPTION_KEY_FILE), &work.key, &err) ||
        !rows_open(&work.rows, file, NULL, 0, &err) || !find_column(&work, &err))
        return cli_fail(cli, &err);
    write_row(&work, &work.rows.header);
    tokenise_rows(&work);
    fprintf(cli->err, "written %" PRId64 " refused %" PRId64 "\n", work.written, work.refused);
    return work.refused ? OUTCOME_REFUSED : OUTCOME_DONE;
}
