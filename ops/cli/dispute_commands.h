/*
 * dispute_commands.h -- commands about contested lines; one row each in commands.c.
 */
#ifndef CLI_DISPUTE_COMMANDS_H
#define CLI_DISPUTE_COMMANDS_H

#include "cli.h"

enum outcome dispute_open_it(struct cli *cli);
enum outcome dispute_open_posting(struct cli *cli);
enum outcome dispute_answer(struct cli *cli);
enum outcome dispute_agree(struct cli *cli);
enum outcome dispute_reject(struct cli *cli);
enum outcome dispute_escalate(struct cli *cli);
enum outcome dispute_decide(struct cli *cli);
enum outcome dispute_show(struct cli *cli);
enum outcome dispute_list_them(struct cli *cli);

#endif
