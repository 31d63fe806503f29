/*
 * options.h -- the command line of alliance-settle, checked. Pure but for printing help.
 */
#ifndef SETTLEMENT_OPTIONS_H
#define SETTLEMENT_OPTIONS_H

#include "base/limits.h"
#include "domain/period.h"

#include <stdio.h>

enum command { COMMAND_HELP, COMMAND_DAY_CLOSE, COMMAND_PERIOD_CLOSE, COMMAND_ISSUE, COMMAND_SHOW, COMMAND_DUE };

struct options {
    enum command command;
    const char *settings; /* path or NULL; borrowed from argv, as is every pointer here */
    const char *programme;
    struct date date, until; /* zero: not given */
    bool due;                /* --until due */
    bool progress;           /* --progress */
    struct period period;
    const char *out; /* NULL: the setting statements_dir */
    const char *by;  /* NULL: the user of the operating system */
};

/* FIELD_INVALID says which option is wrong and how a right one looks. */
bool options_parse(int argc, char **argv, struct options *options, struct error *err) MUST_USE;
void options_help(FILE *out);

#endif
