/* alliance-settle: closes days and periods. One command a run; started by a timer or a person. */
#include "day_close.h"
#include "due.h"
#include "io/crypto.h"
#include "io/settings.h"
#include "issue.h"
#include "options.h"
#include "pay_commands.h"
#include "period_close.h"
#include "progress.h"
#include "recon_commands.h"
#include "show.h"
#include "store/db.h"

#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

enum { EXIT_DONE = 0, EXIT_REFUSED = 1, EXIT_USAGE = 2 };

/* What the commands work with; main's frame owns it. */
struct program {
    struct options options;
    struct settings settings;
    struct progress progress;
    struct db *db;
};

static void program_release(struct program *program)
{
    db_close(program->db);
}

static void tell_day(void *owner, const struct day_closed *day)
{
    struct program *program = owner;
    char date[DATE_TEXT];

    date_format(day->date, date);
    progress_wipe(&program->progress);
    printf("%s %s: %" PRId64 " entries sealed\n", date, day->already ? "was closed before" : "closed",
           day->entry_count);
    fflush(stdout);
}

static bool run_day_close(struct program *program, struct close_run *run, struct error *err)
{
    struct day_order order = { program->options.date, program->options.until, program->options.due, tell_day, program };

    return day_close(run, &order, err);
}

static bool run_period_close(struct program *program, struct close_run *run, struct error *err)
{
    const char *out = program->options.out ? program->options.out : program->settings.statements_dir;
    const struct passwd *user = getpwuid(geteuid());
    char hash[2 * CRYPTO_HASH + 1];
    struct period_closed closed;

    run->maker = program->options.by ? program->options.by : user ? user->pw_name : "unknown";
    if (!period_close(run, &program->options.period, out, &closed, err))
        return false;
    printf("%s closed: %" PRId64 " statements, %" PRId64 " lines, all tie\n%s/%s/%s/manifest.json\n",
           program->options.period.text, closed.statement_count, closed.line_count, out, run->programme_id,
           program->options.period.text);
    crypto_hex(closed.manifest_sha256, CRYPTO_HASH, hash);
    printf("for somebody other than %s: alliance settlement approve %s %s %s\n", run->maker, run->programme_id,
           program->options.period.text, hash);
    return true;
}

static bool need_signer(const struct settings *settings, struct error *err)
{
    const struct {
        const char *name, *value;
    } needed[] = { { "signing_certificate", settings->signing_certificate },
                   { "signing_key", settings->signing_key },
                   { "signing_chain", settings->signing_chain } };

    for (size_t i = 0; i < COUNT(needed); i++) {
        if (!*needed[i].value)
            return error_field(err, REASON_SETTING_INVALID, needed[i].name,
                               "%s is missing; without it nothing can be "
                               "issued",
                               needed[i].name);
    }
    return true;
}

static bool run_issue(struct program *program, struct close_run *run, struct error *err)
{
    const struct settings *settings = &program->settings;
    const char *out = program->options.out ? program->options.out : settings->statements_dir;
    struct cms_signer signer = { settings->signing_certificate, settings->signing_key, settings->signing_chain };
    struct period_issued issued;

    if (!need_signer(settings, err) || !period_issue(run, &program->options.period, out, &signer, &issued, err))
        return false;
    printf("%s %s: %" PRId64 " files are as approved\n%s/%s/%s/manifest.json.p7s\n", program->options.period.text,
           issued.already ? "was issued before" : "issued", issued.file_count, out, run->programme_id,
           program->options.period.text);
    return true;
}

static bool run_show(struct program *program, struct close_run *run, struct error *err)
{
    (void)run;
    return show_period(program->db, program->options.programme, &program->options.period, stdout, err);
}

static bool run_due(struct program *program, struct close_run *run, struct error *err)
{
    (void)run;
    return due_show(program->db, program->options.programme, stdout, err);
}

static const struct {
    bool (*run)(struct program *program, struct close_run *run, struct error *err);
    bool writes; /* under the programme's lock */
} commands[] = {
    [COMMAND_DAY_CLOSE] = { run_day_close, true },
    [COMMAND_PERIOD_CLOSE] = { run_period_close, true },
    [COMMAND_ISSUE] = { run_issue, true },
    [COMMAND_SHOW] = { run_show, false },
    [COMMAND_DUE] = { run_due, false },
};

/*
 * A close gives way to calls. Most of its time is rows on their way here, so that its database session waits as long as
 * this process does; on a machine that has nothing else to do it is as fast as ever.
 */
static void give_way(void)
{
    enum { NICE = 10 };

    if (getpriority(PRIO_PROCESS, 0) < NICE)
        setpriority(PRIO_PROCESS, 0, NICE);
}

static bool run_command(struct program *program, struct error *err)
{
    struct close_run run = { .progress = &program->progress };
    bool good;

    give_way();
    if (!db_open(program->settings.database, &program->db, err))
        return false;
    if (!commands[program->options.command].writes)
        return commands[program->options.command].run(program, &run, err);
    if (!close_begin(&run, program->db, program->options.programme, err))
        return false;
    good = commands[program->options.command].run(program, &run, err);
    close_end(&run);
    return good;
}

static int complain(struct program *program, const struct error *err, int status)
{
    progress_wipe(&program->progress);
    fprintf(stderr, "error: %s: %s\n", reason_name(err->reason), error_text(err));
    return status;
}

/* Reconciliation reads its own words and takes no programme's lock: closes go on beside it. */
static int run_reconciliation(struct program *program, int argc, char **argv, struct error *err)
{
    struct recon_options options;

    if (!recon_options_parse(argc, argv, &options, err))
        return complain(program, err, EXIT_USAGE);
    if (options.help) {
        recon_options_help(stdout);
        return EXIT_DONE;
    }
    if (!settings_load(&program->settings, SETTINGS_SETTLE, options.settings, err))
        return complain(program, err, EXIT_USAGE);
    if (!db_open(program->settings.database, &program->db, err) ||
        !recon_command_run(program->db, &options, stdout, err))
        return complain(program, err, EXIT_REFUSED);
    return EXIT_DONE;
}

/* Payments read their own words, too, and hold the programme's lock. */
static int run_payments(struct program *program, int argc, char **argv, struct error *err)
{
    struct close_run run = { .progress = &program->progress };
    struct pay_options options;
    bool good;

    if (!pay_options_parse(argc, argv, &options, err))
        return complain(program, err, EXIT_USAGE);
    if (options.help) {
        pay_options_help(stdout);
        return EXIT_DONE;
    }
    if (!settings_load(&program->settings, SETTINGS_SETTLE, options.settings, err))
        return complain(program, err, EXIT_USAGE);
    if (!db_open(program->settings.database, &program->db, err) ||
        !close_begin(&run, program->db, options.programme, err))
        return complain(program, err, EXIT_REFUSED);
    good = pay_command_run(&run, &options, program->settings.statements_dir, stdout, err);
    close_end(&run);
    return good ? EXIT_DONE : complain(program, err, EXIT_REFUSED);
}

int main(int argc, char **argv)
{
    CLEANUP(program_release) struct program program = { .progress = progress_on_terminal() };
    struct error err = { 0 };

    if (argc > 1 && recon_options_are(argv[1]))
        return run_reconciliation(&program, argc, argv, &err);
    if (argc > 1 && pay_options_are(argv[1]))
        return run_payments(&program, argc, argv, &err);
    if (!options_parse(argc, argv, &program.options, &err))
        return complain(&program, &err, EXIT_USAGE);
    if (program.options.command == COMMAND_HELP) {
        options_help(stdout);
        recon_options_help(stdout);
        pay_options_help(stdout);
        fputs("Settings\n", stdout);
        settings_help(stdout, SETTINGS_SETTLE);
        return EXIT_DONE;
    }
    if (!settings_load(&program.settings, SETTINGS_SETTLE, program.options.settings, &err))
        return complain(&program, &err, EXIT_USAGE);
    if (program.options.progress)
        program.progress = progress_in_lines();
    return run_command(&program, &err) ? EXIT_DONE : complain(&program, &err, EXIT_REFUSED);
}
