#include "io/program.h"

#include "io/log.h"

#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

static void print_help(const char *name, enum settings_program self, const char *purpose)
{
    printf("%s -- %s\n\n  %s [--settings FILE]\n  %s --help\n  %s --sample    prints a settings file\n\n", name,
           purpose, name, name, name);
    settings_help(stdout, self);
}

/* What is asked for: PROGRAM_RUN with *file set or NULL, or nothing more to do. */
static enum program_start read_arguments(enum settings_program self, const char *purpose, int argc, char *const *argv,
                                         const char **file)
{
    *file = NULL;
    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        print_help(argv[0], self, purpose);
        return PROGRAM_DONE;
    }
    if (argc == 2 && strcmp(argv[1], "--sample") == 0) {
        settings_sample(stdout);
        return PROGRAM_DONE;
    }
    if (argc == 3 && strcmp(argv[1], "--settings") == 0)
        *file = argv[2];
    if (argc == 1 || *file)
        return PROGRAM_RUN;
    fprintf(stderr, "%s: only --settings FILE, --help or --sample can be given\n", argv[0]);
    return PROGRAM_FAILED;
}

static bool take_signals(struct program *program)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    signal(SIGPIPE, SIG_IGN);
    if (sigprocmask(SIG_BLOCK, &set, NULL) != 0)
        return false;
    program->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return program->signals >= 0;
}

enum program_start program_start(struct program *program, enum settings_program self, const char *purpose, int argc,
                                 char *const *argv)
{
    struct error err = { 0 };
    enum log_level level = LOG_INFO;
    const char *file;

    program->signals = -1;
    enum program_start start = read_arguments(self, purpose, argc, argv, &file);
    if (start != PROGRAM_RUN)
        return start;
    if (!settings_load(&program->settings, self, file, &err)) {
        fprintf(stderr, "%s: %s\n", argv[0], error_text(&err));
        return PROGRAM_FAILED;
    }
    if (log_level_parse(program->settings.log_level, &level))
        log_set_level(level);
    if (take_signals(program))
        return PROGRAM_RUN;
    fprintf(stderr, "%s: signals cannot be received\n", argv[0]);
    return PROGRAM_FAILED;
}

void program_end(struct program *program)
{
    if (program->signals >= 0)
        close(program->signals);
    program->signals = -1;
}

bool program_stopping(struct program *program, int64_t ms)
{
    struct pollfd wait = { .fd = program->signals, .events = POLLIN };

    return poll(&wait, 1, (int)ms) > 0;
}
