/*
 * ledger_commands.h -- reading a member's journal, what expires, and proof that the ledger is right.
 */
#ifndef CLI_LEDGER_COMMANDS_H
#define CLI_LEDGER_COMMANDS_H

#include "cli.h"

enum outcome journal_list(struct cli *cli);
enum outcome journal_explain(struct cli *cli);
enum outcome journal_balance(struct cli *cli);
enum outcome expiry_forecast(struct cli *cli);
enum outcome expiry_notices(struct cli *cli);
/* Ends with OUTCOME_FAILED when something was found. */
enum outcome ledger_verify(struct cli *cli);

#endif
