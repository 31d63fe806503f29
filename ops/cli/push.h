/*
 * push.h -- a CSV file sent as a stream of rows, each answered by a verdict: members and accruals.
 *
 * A message carries at most ROWS_MAX rows and is sent again, a bounded number of times, while the server cannot be
 * reached or has too much to do: a row that was taken already is UNCHANGED then. The file is read once before anything
 * is sent: one that is damaged, cut or too large is refused whole.
 */
#ifndef CLI_PUSH_H
#define CLI_PUSH_H

#include "cli.h"

#include "io/row_source.h"

#include <alliance/v1/types.pb-c.h>

/* What one kind of file is made of. */
struct push_kind {
    const char *what; /* "members" */
    const char *method;
    const struct row_column *columns;
    size_t column_count;
    /* Those values as a message in the arena, with that row_number; NULL with err when one is wrong. */
    void *(*read)(const char *const *values, int64_t row_number, struct arena *arena, struct error *err);
    /* Reads the whole file and goes back to its first row; false when nothing of it should be sent. */
    bool (*check)(struct cli *cli, struct row_source *source, struct error *err);
    /* One stream message of those rows, in the arena; NULL when memory is out. */
    ProtobufCMessage *(*request)(char *bank_id, void **rows, size_t count, struct arena *arena);
    const ProtobufCMessageDescriptor *response;
    Alliance__V1__RowVerdict **(*verdicts)(const ProtobufCMessage *response, size_t *count);
};

/* What the command line says of the file, which is its first argument. */
bool push_options(struct cli *cli, const char *kind, const struct row_column *columns, size_t column_count,
                  struct source_options *options) MUST_USE;
/* Opens it and the file of refused rows; what is wrong is said. */
bool push_open(struct cli *cli, const struct source_options *options, struct row_source *source,
               struct refusals *refusals) MUST_USE;
enum outcome push_file(struct cli *cli, const struct push_kind *kind);

#endif
