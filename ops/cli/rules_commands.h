/*
 * rules_commands.h -- a bank's exchange rules: versions published the short way, and rule sets as documents.
 */
#ifndef CLI_RULES_COMMANDS_H
#define CLI_RULES_COMMANDS_H

#include "cli.h"

/* rules_commands.c */
enum outcome rules_publish(struct cli *cli);
enum outcome rules_draft(struct cli *cli);
enum outcome rules_validate(struct cli *cli);
enum outcome rules_approve(struct cli *cli);
enum outcome rules_schedule(struct cli *cli);
enum outcome rules_cancel(struct cli *cli);
enum outcome rules_list(struct cli *cli);
enum outcome rules_show(struct cli *cli);
enum outcome rules_diff(struct cli *cli);
/* rules_simulate.c */
enum outcome rules_simulate_spend(struct cli *cli);
enum outcome rules_simulate_redemption(struct cli *cli);
/* rules_back_test.c */
enum outcome rules_back_test(struct cli *cli);

/* Which rule set is meant, as it is typed: "7" by its number, "v3" by version, "now" or nothing: the one in force. */
struct rules_which {
    int32_t number, version;
};
/* False after saying what is wrong; `what` names the argument. */
bool rules_read_which(struct cli *cli, const char *text, const char *what, struct rules_which *which) MUST_USE;

#endif
