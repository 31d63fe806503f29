/*
 * settle_commands.h -- commands of the operator about settlement contracts and corrections; one row each in commands.c.
 */
#ifndef CLI_SETTLE_COMMANDS_H
#define CLI_SETTLE_COMMANDS_H

#include "cli.h"

enum outcome contract_publish(struct cli *cli);
enum outcome contract_show(struct cli *cli);
enum outcome correction_propose_it(struct cli *cli);
enum outcome correction_approve_it(struct cli *cli);
enum outcome correction_list_them(struct cli *cli);

#endif
