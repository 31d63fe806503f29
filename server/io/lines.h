/*
 * lines.h -- a text file line by line, each within a limit, so that no file can fill the memory.
 */
#ifndef IO_LINES_H
#define IO_LINES_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct lines {
    FILE *file;     /* borrowed */
    char *text;     /* the present line without its end, NUL-terminated; owned */
    size_t size;    /* bytes of it, cut at the limit */
    size_t limit;   /* most bytes of a line */
    int64_t number; /* of the present line, from 1 */
    int64_t offset; /* bytes read so far */
    bool give_up;   /* set by the owner: do not look for the end of a line that is too long */
    bool too_long;  /* the line is cut at the limit; the rest of it was skipped */
    bool ended;     /* the line had a newline; false only for the last */
    bool marked;    /* the file began with a byte order mark of UTF-8 */
};

bool lines_init(struct lines *lines, FILE *file, size_t limit, struct error *err) MUST_USE;
void lines_release(struct lines *lines);
/* The next line; CRLF ends one too, and a byte order mark before the first is skipped. False at the end. */
bool lines_next(struct lines *lines) MUST_USE;

#endif
