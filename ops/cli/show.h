/*
 * show.h -- any message for people: aligned "name value" lines, and lists as tables. Made for terminals; programs ask
 * for --json.
 */
#ifndef CLI_SHOW_H
#define CLI_SHOW_H

#include <protobuf-c/protobuf-c.h>
#include <stddef.h>
#include <stdio.h>

/* Fields that are set, one a line; messages in it as "terms.commission_bp"; lists of messages as tables below. */
void show_message(FILE *out, const ProtobufCMessage *message);
/*
 * A line a message. columns are paths separated by blanks, such as "statement_id totals.gross_minor"; NULL means every
 * field that is no list. A column in which nothing is set is left out.
 */
void show_table(FILE *out, const ProtobufCMessageDescriptor *type, ProtobufCMessage *const *messages, size_t count,
                const char *columns);
/* A table of texts: rows of `columns` cells, the first row being the header. Numbers are aligned to the right. */
void show_cells(FILE *out, const char *const *cells, size_t rows, size_t columns);

#endif
