#include "command.h"

#include <string.h>

static const struct {
    const char *written, *value, *text;
} options[] = {
#define OPTION(name, written, value, text) { written, value, text },
#include "option.def"
#undef OPTION
};

static void write_option(FILE *out, enum option option, bool required)
{
    char head[64];

    snprintf(head, sizeof head, "--%s%s%s", options[option].written, options[option].value ? " " : "",
             options[option].value ? options[option].value : "");
    fprintf(out, "  %-26s %s%s\n", head, options[option].text, required ? "; required" : "");
}

static void write_common(FILE *out)
{
    fputs("\nOptions of every command:\n", out);
    for (enum option option = 0; option < OPTION_COUNT; option++) {
        if (option_is_common(option))
            write_option(out, option, false);
    }
}

static void write_command(FILE *out, const struct command *command)
{
    fprintf(out, "alliance %s%s%s: %s\n\nExample:\n  %s\n", command->words, *command->arguments ? " " : "",
            command->arguments, command->summary, command->example);
    if (*command->options)
        fputs("\nOptions:\n", out);
    for (enum option option = 0; option < OPTION_COUNT; option++) {
        bool required;
        if (option_of_command(command, option, &required))
            write_option(out, option, required);
    }
    write_common(out);
}

static bool first_word_is(const struct command *command, const char *word)
{
    size_t n = strcspn(command->words, " ");

    return strlen(word) == n && strncmp(command->words, word, n) == 0;
}

/* word NULL: all. Returns how many there are. */
static size_t write_list(FILE *out, const char *word)
{
    const char *who = "";
    size_t n = 0;

    for (size_t i = 0; i < command_count; i++) {
        if (word && !first_word_is(&commands[i], word))
            continue;
        if (strcmp(who, commands[i].who) != 0)
            fprintf(out, "\n%s\n", who = commands[i].who);
        fprintf(out, "  %s%s%s\n      %s\n      $ %s\n", commands[i].words, *commands[i].arguments ? " " : "",
                commands[i].arguments, commands[i].summary, commands[i].example);
        n++;
    }
    return n;
}

void help_write(FILE *out, const struct arguments *arguments)
{
    if (arguments->command) {
        write_command(out, arguments->command);
        return;
    }
    fputs("alliance: the command line of a points alliance, for banks, merchants and the operator\n", out);
    if (arguments->word_count == 0 || write_list(out, arguments->words[0]) == 0)
        write_list(out, NULL);
    write_common(out);
    fputs("\nExit status: 0 done, 1 a call failed, 2 typed wrongly, 3 some rows were refused.\n", out);
}
