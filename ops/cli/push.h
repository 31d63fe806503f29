/*
 * push.h -- a CSV file sent as a stream of rows, each answered by a verdict: members and accruals.
 *
 * A message carries at most ROWS_MAX rows and is sent again, a bounded number of times, while the server cannot be
 * reached or has too much to do: a row that was taken already is UNCHANGED then.
 */
#ifndef CLI_PUSH_H
#define CLI_PUSH_H

#include "cli.h"
#include "rows.h"

#include <alliance/v1/types.pb-c.h>

/* What one kind of file is made of. */
struct push_kind {
    const char *what; /* "members" */
    const char *method;
    const struct row_column *columns;
    size_t column_count;
    /* The present row as a message in the arena, with that row_number; NULL with err when it is wrong. */
    void *(*read)(const struct rows *rows, int64_t row_number, struct arena *arena, struct error *err);
    /* One stream message of those rows, in the arena; NULL when memory is out. */
    ProtobufCMessage *(*request)(char *bank_id, void **rows, size_t count, struct arena *arena);
    const ProtobufCMessageDescriptor *response;
    Alliance__V1__RowVerdict **(*verdicts)(const ProtobufCMessage *response, size_t *count);
};

/* The file is the command's first argument. */
enum outcome push_file(struct cli *cli, const struct push_kind *kind);

#endif
