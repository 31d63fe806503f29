/*
 * encoding.h -- one line of a file as UTF-8, from what it was written in. GB18030 has no byte of a line end, comma or
 * quote inside a character, so a file is cut into lines before it is decoded. Not for UTF-16.
 */
#ifndef IO_ENCODING_H
#define IO_ENCODING_H

#include "base/error.h"

#include <stddef.h>

enum encoding { ENCODING_UTF_8, ENCODING_GB18030 };

/* The name as people write it, in either case, with or without dashes: "UTF-8", "gb18030"; false for another. */
bool encoding_named(const char *name, enum encoding *out) MUST_USE;
/* From 1, where the first byte stands that no UTF-8 has there (a NUL included); 0 when all is well. */
size_t encoding_utf8_bad(const char *text, size_t size);

/* What one line after the other is decoded with; a zeroed one may be closed. */
struct decoder {
    void *state; /* iconv's; NULL until opened */
};

bool decoder_open(struct decoder *decoder, struct error *err) MUST_USE;
void decoder_close(struct decoder *decoder);
/* GB18030 to UTF-8, at most room bytes; *bad as of encoding_utf8_bad when false. */
bool decoder_line(struct decoder *decoder, const char *text, size_t size, char *out, size_t room, size_t *out_size,
                  size_t *bad) MUST_USE;

#endif
