/*
 * recon_lines.h -- what the readers of banks' line formats share: the file, its present line, refusals that say where,
 * and the numbers and days of these formats.
 */
#ifndef SETTLEMENT_RECON_LINES_H
#define SETTLEMENT_RECON_LINES_H

#include "io/file_in.h"
#include "io/lines.h"
#include "recon_read.h"

struct recon_lines {
    const struct recon_file *file;
    struct file_in in;
    struct lines lines;
    recon_take *take;
    void *owner;
    int64_t records;
};

bool recon_lines_open(struct recon_lines *lines, const struct recon_file *file, recon_take *take, void *owner,
                      struct error *err) MUST_USE;
/* A zeroed one may be closed. */
void recon_lines_close(struct recon_lines *lines);
/* *more false at the end of the file; blank lines come too. False when the file is damaged, or the line is too long, or
 * no text. */
bool recon_lines_next(struct recon_lines *lines, bool *more, struct error *err) MUST_USE;
/* Always false: "FILE:LINE: column N: sentence"; column from 1, 0 for none. */
bool recon_lines_refuse(const struct recon_lines *lines, int64_t line, size_t column, struct error *err,
                        const char *format, ...) __attribute__((format(printf, 5, 6)));
/* Gives a record out, within the limit. */
bool recon_lines_take(struct recon_lines *lines, const struct recon_record *record, struct error *err) MUST_USE;

/* n digits at text; false when there are fewer. */
bool recon_digits(const char *text, int n, int64_t *value) MUST_USE;
/* "YYMMDD"; years 80 to 99 are of the last century. */
bool recon_short_date(const char *text, struct date *out) MUST_USE;
/*
 * What a text of a bank's says is the end-to-end reference: after "/EREF/" up to the next "/", or after "EREF+" up to
 * the next word that a "+" follows. False when there is none, or none that fits.
 */
bool recon_find_eref(const char *text, char key[RECON_KEY_MAX + 1]) MUST_USE;
/* Text without the blanks around it; "NONREF" and "NOTPROVIDED" are none. False when it does not fit. */
bool recon_copy_key(const char *text, size_t size, char key[RECON_KEY_MAX + 1]) MUST_USE;

#endif
