#include "options.h"

#include "base/text.h"

#include <string.h>

static const struct {
    const char *word;
    enum command command;
    const char *help, *example;
} commands[] = {
    { "day-close", COMMAND_DAY_CLOSE,
      "Ends the open business date: nothing is written for it any more; sums and seals it.",
      "alliance-settle day-close --programme demo\n"
      "      alliance-settle day-close --programme demo --until 2017-01-31\n"
      "      alliance-settle day-close --programme demo --until due" },
    { "period-close", COMMAND_PERIOD_CLOSE,
      "Makes the statements and their files of a period from its closed days. May be repeated.",
      "alliance-settle period-close --programme demo --period 2017-01 --out var/statements\n"
      "      alliance-settle period-close --programme demo --period 2017-W05" },
    { "issue", COMMAND_ISSUE, "Signs an approved period and makes it final; checks every file first.",
      "alliance-settle issue --programme demo --period 2017-01" },
    { "due", COMMAND_DUE,
      "Lists the periods to be closed next: their days are closed, contracts ask for them or something is left in "
      "them.",
      "alliance-settle due --programme demo" },
    { "show", COMMAND_SHOW, "Prints a period's totals.", "alliance-settle show --programme demo --period 2017-01" },
};

typedef bool option_reader(struct options *options, const char *value);

static bool read_programme(struct options *options, const char *value)
{
    options->programme = value;
    return text_is_id(value, ID_MAX);
}

static bool read_date(struct options *options, const char *value)
{
    return date_parse(value, &options->date);
}

static bool read_until(struct options *options, const char *value)
{
    options->due = strcmp(value, "due") == 0;
    return options->due || date_parse(value, &options->until);
}

static bool read_period(struct options *options, const char *value)
{
    return period_parse(value, &options->period);
}

static bool read_out(struct options *options, const char *value)
{
    options->out = value;
    return *value != '\0';
}

static bool read_by(struct options *options, const char *value)
{
    options->by = value;
    return text_is_ref(value, ID_MAX, "-._");
}

static bool read_progress(struct options *options, const char *value)
{
    (void)value;
    return options->progress = true;
}

static bool read_settings(struct options *options, const char *value)
{
    options->settings = value;
    return *value != '\0';
}

enum { ISSUE = 1 << COMMAND_ISSUE };
enum {
    DAY = 1 << COMMAND_DAY_CLOSE,
    PERIOD = 1 << COMMAND_PERIOD_CLOSE,
    SHOW = 1 << COMMAND_SHOW,
    DUE = 1 << COMMAND_DUE
};

static const struct {
    const char *word, *value;
    unsigned of, required_by; /* commands, as bits */
    option_reader *read;
    const char *help;
} table[] = {
    { "--programme", "ID", DAY | PERIOD | ISSUE | SHOW | DUE, DAY | PERIOD | ISSUE | SHOW | DUE, read_programme,
      "the programme" },
    { "--date", "YYYY-MM-DD", DAY, 0, read_date, "the day that is expected to be open" },
    { "--until", "YYYY-MM-DD|due", DAY, 0, read_until,
      "closes one day after another up to this one; due: every day that is over, which may be none" },
    { "--period", "YYYY-MM", PERIOD | ISSUE | SHOW, PERIOD | ISSUE | SHOW, read_period,
      "the month; or a week YYYY-Www, a day YYYY-MM-DD, or YYYY-MM-DD--YYYY-MM-DD" },
    { "--out", "DIR", PERIOD | ISSUE, 0, read_out, "where files are, below DIR/PROGRAMME/PERIOD; else the setting" },
    { "--by", "NAME", PERIOD, 0, read_by,
      "who makes the statements, and so may not approve them; the user of the operating system when not given" },
    { "--progress", "", DAY | PERIOD | ISSUE, 0, read_progress,
      "says every two seconds on standard error how far it is and what time is left; a terminal shows it anyway" },
    { "--settings", "FILE", DAY | PERIOD | ISSUE | SHOW | DUE, 0, read_settings,
      "settings file; ALLIANCE_<NAME> in the environment wins" },
};
enum { OPTIONS = COUNT(table) };

static bool find_command(const char *word, struct options *options, struct error *err)
{
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "help") == 0)
        return true;
    for (size_t i = 0; i < COUNT(commands); i++) {
        if (strcmp(commands[i].word, word) == 0) {
            options->command = commands[i].command;
            return true;
        }
    }
    return error_set(err, REASON_FIELD_INVALID, "there is no command \"%.40s\"; alliance-settle --help lists them",
                     word);
}

/* Finds the option in argv[*i], as "--name value" or "--name=value", and steps over it. */
static bool read_option(int argc, char **argv, int *i, struct options *options, bool seen[OPTIONS], struct error *err)
{
    const char *word = argv[*i];
    size_t length = strcspn(word, "=");

    for (size_t k = 0; k < OPTIONS; k++) {
        if (strlen(table[k].word) != length || strncmp(table[k].word, word, length) != 0 ||
            !(table[k].of & 1u << options->command))
            continue;
        if (!*table[k].value && (seen[k] || word[length] == '='))
            return error_field(err, REASON_FIELD_INVALID, table[k].word, "%s is given once, without a value",
                               table[k].word);
        const char *value = !*table[k].value      ? ""
                            : word[length] == '=' ? word + length + 1
                            : *i + 1 < argc       ? argv[++*i]
                                                  : NULL;
        if (seen[k] || !value || !table[k].read(options, value))
            return error_field(err, REASON_FIELD_INVALID, table[k].word, "%s must be given once, as %s", table[k].word,
                               table[k].value);
        seen[k] = true;
        return true;
    }
    return error_set(err, REASON_FIELD_INVALID, "\"%.40s\" is no option of this command; see alliance-settle --help",
                     word);
}

static bool check_required(const struct options *options, const bool seen[OPTIONS], struct error *err)
{
    for (size_t k = 0; k < OPTIONS; k++) {
        if (!seen[k] && (table[k].required_by & 1u << options->command))
            return error_field(err, REASON_FIELD_INVALID, table[k].word, "%s %s is missing", table[k].word,
                               table[k].value);
    }
    if (options->date.days != 0 && (options->until.days != 0 || options->due))
        return error_field(err, REASON_FIELD_INVALID, "--until", "give --date or --until, not both");
    return true;
}

bool options_parse(int argc, char **argv, struct options *options, struct error *err)
{
    bool seen[OPTIONS] = { false };

    *options = (struct options){ .command = COMMAND_HELP };
    if (argc < 2)
        return error_set(err, REASON_FIELD_INVALID, "a command is missing; alliance-settle --help lists them");
    if (!find_command(argv[1], options, err))
        return false;
    for (int i = 2; i < argc && options->command != COMMAND_HELP; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            options->command = COMMAND_HELP;
        else if (!read_option(argc, argv, &i, options, seen, err))
            return false;
    }
    return options->command == COMMAND_HELP || check_required(options, seen, err);
}

void options_help(FILE *out)
{
    fputs("alliance-settle COMMAND OPTIONS -- closes days and settlement periods of a programme.\n"
          "Safe to kill and to repeat at any moment; two at once on one programme do not disturb each other.\n\n",
          out);
    for (size_t i = 0; i < COUNT(commands); i++)
        fprintf(out, "  %-13s %s\n      %s\n", commands[i].word, commands[i].help, commands[i].example);
    fputs("\nOptions\n", out);
    for (size_t k = 0; k < OPTIONS; k++) {
        fprintf(out, "  %s %-*s %s (", table[k].word, (int)(23 - strlen(table[k].word)), table[k].value, table[k].help);
        const char *comma = "";
        for (size_t i = 0; i < COUNT(commands); i++) {
            if (table[k].of & 1u << commands[i].command) {
                fprintf(out, "%s%s", comma, commands[i].word);
                comma = ", ";
            }
        }
        fputs(")\n", out);
    }
    fputs("\nExit status: 0 done or done before, 1 not done (the reason is on standard error), 2 wrong use.\n\n", out);
}
