/*
 * program.h -- what the main of every program does in the same way: its command line, its settings, being asked to
 * stop.
 *
 * Not for the command line tool. One struct program in main; start it before any thread, so that all threads leave
 * SIGTERM and SIGINT to it.
 */
#ifndef IO_PROGRAM_H
#define IO_PROGRAM_H

#include "io/settings.h"

struct program {
    struct settings settings;
    int signals; /* a signalfd */
};

enum program_start {
    PROGRAM_RUN,    /* go on */
    PROGRAM_DONE,   /* --help or --sample was printed: exit 0 */
    PROGRAM_FAILED, /* a sentence was written to standard error: exit 2 */
};

/* NAME [--settings FILE] | --help | --sample; purpose is a sentence for --help. Sets the log level. */
enum program_start program_start(struct program *program, enum settings_program self, const char *purpose, int argc,
                                 char *const *argv);
void program_end(struct program *program);
/* Waits up to ms milliseconds; true when the program was asked to stop. Call it from one thread. 0 only looks. */
bool program_stopping(struct program *program, int64_t ms);

#endif
