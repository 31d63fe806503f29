/* alliance: the command line for banks, merchants and the operator. */
#include "backoff.h"
#include "cli.h"

#include <signal.h>

static void release(struct cli *cli)
{
    client_close(cli->client);
    arena_release(&cli->arena);
}

int main(int argc, char **argv)
{
    CLEANUP(release)
    struct cli cli = { .arena.limit = (size_t)1 << 30, .attempts = BACKOFF_ATTEMPTS, .out = stdout, .err = stderr };
    struct error err;
    int64_t timeout_s;

    signal(SIGPIPE, SIG_IGN);
    if (!arguments_parse(argc, argv, &cli.arguments, &err)) {
        if (argc == 1)
            help_write(stderr, &cli.arguments);
        return (int)cli_usage(&cli, &err);
    }
    if (cli_option(&cli, OPTION_HELP)) {
        help_write(stdout, &cli.arguments);
        return OUTCOME_DONE;
    }
    if (!cli_whole(&cli, OPTION_TIMEOUT, 1, 3600, 30, &timeout_s))
        return OUTCOME_USAGE;
    cli.timeout_ms = timeout_s * 1000;
    enum outcome outcome = cli.arguments.command->run(&cli);
    if (fflush(stdout) != 0 && outcome == OUTCOME_DONE)
        outcome = OUTCOME_FAILED;
    return (int)outcome;
}
