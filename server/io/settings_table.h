/*
 * settings_table.h -- a row a setting. Only settings*.c read it; everything else uses struct settings.
 */
#ifndef IO_SETTINGS_TABLE_H
#define IO_SETTINGS_TABLE_H

#include "io/settings.h"

#include <stddef.h>

enum setting_kind {
    SETTING_TEXT,
    SETTING_PATH,
    SETTING_INT,
    SETTING_DURATION_MS,
    SETTING_BOOL,
    SETTING_ADDRESS,
    SETTING_LEVEL,
};

struct setting {
    const char *name; /* a-z and "_"; the struct's field has the same name */
    enum setting_kind kind;
    size_t offset;        /* of the field: char[SETTINGS_TEXT], int64_t or bool, as the kind says */
    const char *initial;  /* the default, as it would be written in the file */
    int64_t min, max;     /* numbers only */
    bool secret;          /* never shown in an error */
    unsigned programs;    /* who reads it: SETTINGS_... or-ed */
    unsigned required_by; /* who refuses to start when it is empty */
    const char *help;     /* one sentence */
};

enum { SETTINGS_MAX = 64 };

extern const struct setting settings_table[];
extern const size_t settings_count; /* at most SETTINGS_MAX */

/* "milliseconds", as --help names the kind. */
const char *setting_kind_word(enum setting_kind kind);

#endif
