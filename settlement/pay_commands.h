/*
 * pay_commands.h -- `alliance-settle payout`, `payments-read`, `ageing` and `late-fees`: their words, and doing them.
 */
#ifndef SETTLEMENT_PAY_COMMANDS_H
#define SETTLEMENT_PAY_COMMANDS_H

#include "base/error.h"
#include "close.h"
#include "domain/period.h"

#include <stdio.h>

enum pay_command { PAY_PAYOUT, PAY_READ, PAY_AGEING, PAY_LATE_FEES, PAY_COMMANDS };

/* Texts are borrowed from argv; NULL and zero: not given. */
struct pay_options {
    enum pay_command command;
    bool help, propose;
    const char *settings, *programme, *file, *out, *by;
    struct period period;
    struct date on;
};

/* Does the first word belong here? */
bool pay_options_are(const char *word);
/* FIELD_INVALID says which option is wrong and how a right one looks. */
bool pay_options_parse(int argc, char **argv, struct pay_options *options, struct error *err) MUST_USE;
void pay_options_help(FILE *out);

/* Under the programme's lock, which the run has; statements_dir is that of the settings. */
bool pay_command_run(struct close_run *run, const struct pay_options *options, const char *statements_dir, FILE *out,
                     struct error *err) MUST_USE;

#endif
