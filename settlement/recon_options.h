/*
 * recon_options.h -- the command line of reconciliation: `reconcile` and `breaks ...`. Pure but for printing help.
 */
#ifndef SETTLEMENT_RECON_OPTIONS_H
#define SETTLEMENT_RECON_OPTIONS_H

#include "base/error.h"
#include "domain/period.h"

#include <stdint.h>
#include <stdio.h>

enum recon_command {
    RECON_COMMAND_RECONCILE,
    RECON_COMMAND_LIST,
    RECON_COMMAND_SHOW,
    RECON_COMMAND_COMPARE,
    RECON_COMMAND_RETRY,
    RECON_COMMAND_ACCEPT,
    RECON_COMMAND_CORRECT,
    RECON_COMMAND_APPROVE,
    RECON_COMMAND_DISPUTE,
    RECON_COMMANDS
};

/* Texts are borrowed from argv; NULL and 0: not given. */
struct recon_options {
    enum recon_command command;
    bool help;
    const char *settings, *programme, *bank, *merchant, *file, *format, *mapping, *encoding, *report;
    const char *class, *state, *note, *by, *reason;
    const char *period_text;
    struct period period;
    int64_t tolerance, days, max_mb, break_no;
    bool net, debits_confirm, all, operator_bears;
};

/* Does the first word belong here? */
bool recon_options_are(const char *word);
/* FIELD_INVALID says which option is wrong and how a right one looks. */
bool recon_options_parse(int argc, char **argv, struct recon_options *options, struct error *err) MUST_USE;
void recon_options_help(FILE *out);

#endif
