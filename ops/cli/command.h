/*
 * command.h -- the commands, a row each: what is typed, what it takes, an example, and who does it.
 *
 * The parser, --help at every level and the tests read the same rows.
 */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum option {
#define OPTION(name, written, value, text) OPTION_##name,
#include "option.def"
#undef OPTION
    OPTION_COUNT
};

enum { ARGUMENTS_MAX = 4, WORDS_MAX = 8 };

/* What the process ends with. */
enum outcome {
    OUTCOME_DONE = 0,
    OUTCOME_FAILED = 1,  /* a call failed, or something of ours did */
    OUTCOME_USAGE = 2,   /* typed wrongly; nothing was sent */
    OUTCOME_REFUSED = 3, /* some rows were refused, the rest is done */
};

struct cli;

struct command {
    const char *who;       /* heading in --help: which party types it */
    const char *words;     /* "redeem hold" */
    const char *arguments; /* "PROGRAMME INSTANT"; those in [] may be left out */
    const char *options;   /* names as enum option without prefix, blank between; "!" after one that is required */
    const char *summary;   /* one sentence, no full stop */
    const char *example;   /* a command line that parses */
    enum outcome (*run)(struct cli *cli);
};

extern const struct command commands[];
extern const size_t command_count;

/* A command line taken apart. Everything points into argv. */
struct arguments {
    const struct command *command; /* NULL: only --help or nothing was typed */
    const char *words[WORDS_MAX];  /* all that is no option */
    size_t word_count;
    const char *at[ARGUMENTS_MAX];    /* the command's arguments; NULL for one left out */
    const char *option[OPTION_COUNT]; /* NULL when not given; "" for a switch */
};

/* False with FIELD_INVALID and a sentence about what was typed wrongly. With --help no more than the words is checked.
 */
bool arguments_parse(int argc, char *const *argv, struct arguments *out, struct error *err) MUST_USE;
/* The options of every command: connection, --json, ... */
bool option_is_common(enum option option);
/* Does the command take it, and must it be there? */
bool option_of_command(const struct command *command, enum option option, bool *required);

/* The help for what was typed so far: all commands, those of one first word, or one. */
void help_write(FILE *out, const struct arguments *arguments);

#endif
