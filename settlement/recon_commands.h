/*
 * recon_commands.h -- `alliance-settle reconcile` and `alliance-settle breaks ...`, one a run.
 */
#ifndef SETTLEMENT_RECON_COMMANDS_H
#define SETTLEMENT_RECON_COMMANDS_H

#include "recon_options.h"

struct db;

/* The command itself, on the caller's connection. */
bool recon_command_run(struct db *db, const struct recon_options *options, FILE *out, struct error *err) MUST_USE;

#endif
