/*
 * calendar_commands.h -- a programme's calendar of business days; one row each in commands.c.
 */
#ifndef CLI_CALENDAR_COMMANDS_H
#define CLI_CALENDAR_COMMANDS_H

#include "cli.h"

enum outcome calendar_publish(struct cli *cli);
enum outcome calendar_show(struct cli *cli);

#endif
