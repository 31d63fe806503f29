/*
 * credit_commands.h -- commands about credit limits; one row each in commands.c.
 */
#ifndef CLI_CREDIT_COMMANDS_H
#define CLI_CREDIT_COMMANDS_H

#include "cli.h"

enum outcome credit_drawn(struct cli *cli);
enum outcome credit_list(struct cli *cli);

#endif
