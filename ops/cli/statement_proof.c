/*
 * statement_proof.c -- one row of a statement, proved without the others. Nothing is sent: prove reads the CSV file,
 * verify needs the proof and the root only.
 */
#include "cli.h"

#include "io/merkle.h"

#include <alliance/v1/settlement_service.pb-c.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_MAX_BYTES = 4096 };

typedef Alliance__V1__RowProof Proof;

/* A statement's CSV, row by row: header first, totals last. */
struct sheet_file {
    FILE *file;
    const char *path;
    char text[LINE_MAX_BYTES];
    size_t size; /* of the row at hand, without its line end */
};

static void close_sheet(struct sheet_file *sheet)
{
    if (sheet->file)
        fclose(sheet->file);
}

static bool open_sheet(struct sheet_file *sheet, const char *path, struct error *err)
{
    *sheet = (struct sheet_file){ .file = fopen(path, "rb"), .path = path };
    return sheet->file || error_set(err, REASON_FIELD_INVALID, "cannot read %s: %s", path, strerror(errno));
}

/* false with *end at the end of the file. */
static bool next_row(struct sheet_file *sheet, bool *end, struct error *err)
{
    *end = !fgets(sheet->text, sizeof sheet->text, sheet->file) && feof(sheet->file);
    if (*end)
        return false;
    sheet->size = strcspn(sheet->text, "\r");
    return (!ferror(sheet->file) && strcmp(sheet->text + sheet->size, "\r\n") == 0) ||
           error_set(err, REASON_FIELD_INVALID,
                     "%s is not a statement's CSV file as it was delivered: a line is too long or "
                     "does not end with CR LF",
                     sheet->path);
}

static bool is_totals(const struct sheet_file *sheet)
{
    return strncmp(sheet->text, "TOTAL,", 6) == 0;
}

typedef void each_row(struct sheet_file *sheet, void *owner);

/* The rows between header and totals; *count is how many. */
static bool walk(const char *path, each_row *each, void *owner, uint64_t *count, struct error *err)
{
    CLEANUP(close_sheet) struct sheet_file sheet = { 0 };
    bool end = false, there;

    *count = 0;
    if (!open_sheet(&sheet, path, err))
        return false;
    if (!next_row(&sheet, &end, err))
        return end ? error_set(err, REASON_FIELD_INVALID, "%s is empty", path) : false;
    while ((there = next_row(&sheet, &end, err)) && !is_totals(&sheet)) {
        each(&sheet, owner);
        ++*count;
    }
    if (end)
        return error_set(err, REASON_FIELD_INVALID, "%s has no totals row: it was cut", path);
    return there &&
           (fgetc(sheet.file) == EOF || error_set(err, REASON_FIELD_INVALID, "%s goes on after its totals", path));
}

static void skip(struct sheet_file *sheet, void *owner)
{
    (void)sheet;
    (void)owner;
}

struct proving {
    struct merkle_proof proof;
    char row[LINE_MAX_BYTES];
};

static void add(struct sheet_file *sheet, void *owner)
{
    struct proving *proving = owner;
    uint8_t leaf[CRYPTO_HASH];

    if (proving->proof.next == proving->proof.index)
        snprintf(proving->row, sizeof proving->row, "%.*s", (int)sheet->size, sheet->text);
    merkle_leaf(sheet->text, sheet->size, leaf);
    merkle_proof_add(&proving->proof, leaf);
}

static enum outcome show_proof(struct cli *cli, const struct proving *proving)
{
    Proof shown = ALLIANCE__V1__ROW_PROOF__INIT;
    uint8_t parts[MERKLE_DEPTH][CRYPTO_HASH];
    ProtobufCBinaryData path[MERKLE_DEPTH];

    shown.row_number = (int64_t)proving->proof.index + 1;
    shown.row_count = (int64_t)proving->proof.count;
    shown.row = (char *)(uintptr_t)proving->row;
    shown.path = path;
    shown.n_path = proving->proof.size;
    for (size_t i = 0; i < proving->proof.size; i++) {
        merkle_proof_part(&proving->proof, i, parts[i]);
        path[i] = (ProtobufCBinaryData){ CRYPTO_HASH, parts[i] };
    }
    cli->arguments.option[OPTION_JSON] = "";
    return cli_show(cli, &shown.base);
}

enum outcome statement_prove(struct cli *cli)
{
    const char *path = cli->arguments.at[0];
    struct proving *proving = arena_alloc(&cli->arena, sizeof *proving);
    char *rest;
    struct error err = { 0 };
    uint64_t count, again;

    errno = 0;
    long long number = strtoll(cli->arguments.at[1], &rest, 10);
    if (errno || *rest || number < 1) {
        error_field(&err, REASON_FIELD_INVALID, "ROW", "must be a number from 1");
        return cli_usage(cli, &err);
    }
    if (!proving || !walk(path, skip, NULL, &count, &err))
        return cli_fail(cli, &err);
    if ((uint64_t)number > count) {
        error_field(&err, REASON_FIELD_INVALID, "ROW", "must be at most %" PRIu64 ": so many rows the statement has",
                    count);
        return cli_usage(cli, &err);
    }
    merkle_proof_begin(&proving->proof, (uint64_t)number - 1, count);
    if (!walk(path, add, proving, &again, &err))
        return cli_fail(cli, &err);
    if (again != count) {
        error_set(&err, REASON_FIELD_INVALID, "%s was changed while it was read", path);
        return cli_fail(cli, &err);
    }
    return show_proof(cli, proving);
}

/* The path as hashes; false when it has a part that is none. */
static bool take_path(const Proof *proof, uint8_t parts[MERKLE_DEPTH][CRYPTO_HASH])
{
    if (proof->n_path > MERKLE_DEPTH - 1)
        return false;
    for (size_t i = 0; i < proof->n_path; i++) {
        if (proof->path[i].len != CRYPTO_HASH)
            return false;
        memcpy(parts[i], proof->path[i].data, CRYPTO_HASH);
    }
    return true;
}

static bool holds(const Proof *proof, const uint8_t root[CRYPTO_HASH])
{
    uint8_t parts[MERKLE_DEPTH][CRYPTO_HASH], leaf[CRYPTO_HASH];

    merkle_leaf(proof->row, strlen(proof->row), leaf);
    return proof->row_number >= 1 && proof->row_count >= proof->row_number && take_path(proof, parts) &&
           merkle_verify(leaf, (uint64_t)proof->row_number - 1, (uint64_t)proof->row_count,
                         (const uint8_t(*)[CRYPTO_HASH])parts, proof->n_path, root);
}

enum outcome statement_verify(struct cli *cli)
{
    const char *text = cli->arguments.at[1];
    uint8_t root[CRYPTO_HASH];
    ProtobufCMessage *message;
    struct error err;

    if (strlen(text) != 2 * CRYPTO_HASH || !crypto_hex_decode(text, CRYPTO_HASH, root)) {
        error_field(&err, REASON_FIELD_INVALID, "ROOT", "must be the statement's rows_root, %d hexadecimal digits",
                    2 * CRYPTO_HASH);
        return cli_usage(cli, &err);
    }
    if (!cli_read_json(cli, cli->arguments.at[0], &alliance__v1__row_proof__descriptor, &message))
        return OUTCOME_FAILED;
    const Proof *proof = (const Proof *)message;
    if (!holds(proof, root)) {
        error_set(&err, REASON_DOES_NOT_TIE,
                  "the proof does not lead to this root: row, proof or root are not those of the "
                  "statement");
        return cli_fail(cli, &err);
    }
    fprintf(cli->out, "row %" PRId64 " of %" PRId64 " is in the statement of this root:\n%s\n", proof->row_number,
            proof->row_count, proof->row);
    return OUTCOME_DONE;
}
