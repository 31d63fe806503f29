/*
 * settle_commands.h -- commands of the operator about settlement contracts, corrections and periods; one row each in
 * commands.c.
 */
#ifndef CLI_SETTLE_COMMANDS_H
#define CLI_SETTLE_COMMANDS_H

#include "cli.h"

#include <alliance/v1/settlement_service.pb-c.h>

enum outcome contract_publish(struct cli *cli);
enum outcome contract_show(struct cli *cli);
enum outcome correction_propose_it(struct cli *cli);
enum outcome correction_approve_it(struct cli *cli);
enum outcome correction_list_them(struct cli *cli);
enum outcome settlement_approve(struct cli *cli);
enum outcome settlement_periods(struct cli *cli);

/* In minor units; false likewise. */
bool settle_read_amount(struct cli *cli, const char *text, const char *currency, int64_t *minor) MUST_USE;
/* "merchant:shop-1"; false when it was said what is wrong with it. */
bool settle_read_party(struct cli *cli, const char *what, const char *text,
                       Alliance__V1__SettlementParty *party) MUST_USE;

#endif
