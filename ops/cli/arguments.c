#include "command.h"

#include <string.h>

static const struct {
    const char *id, *written, *value;
} options[] = {
#define OPTION(name, written, value, text) { #name, written, value },
#include "option.def"
#undef OPTION
};

bool option_is_common(enum option option)
{
    return option <= OPTION_HELP;
}

bool option_of_command(const struct command *command, enum option option, bool *required)
{
    const char *id = options[option].id;
    size_t n = strlen(id);

    *required = false;
    for (const char *at = command->options; *at; at += strspn(at, " ")) {
        size_t length = strcspn(at, " ");
        *required = at[length - 1] == '!';
        if (length - *required == n && strncmp(at, id, n) == 0)
            return true;
        at += length;
    }
    *required = false;
    return false;
}

/* OPTION_COUNT for an unknown one; written is what follows the dashes, up to n characters. */
static enum option option_named(const char *written, size_t n)
{
    size_t i = 0;

    while (i < OPTION_COUNT && (strlen(options[i].written) != n || strncmp(options[i].written, written, n) != 0))
        i++;
    return (enum option)i;
}

static bool take_option(int argc, char *const *argv, int *i, struct arguments *out, struct error *err)
{
    const char *written = argv[*i] + 2;
    size_t n = strcspn(written, "=");
    enum option option = option_named(written, n);

    if (option == OPTION_COUNT)
        return error_set(err, REASON_FIELD_INVALID, "there is no option --%.*s", (int)(n < 40 ? n : 40), written);
    if (out->option[option])
        return error_set(err, REASON_FIELD_INVALID, "--%s is given twice", options[option].written);
    if (!options[option].value) {
        out->option[option] = "";
        return !written[n] || error_set(err, REASON_FIELD_INVALID, "--%s takes no value", options[option].written);
    }
    if (written[n])
        out->option[option] = written + n + 1;
    else if (*i + 1 < argc)
        out->option[option] = argv[++*i];
    else
        return error_set(err, REASON_FIELD_INVALID, "--%s needs a value: %s", options[option].written,
                         options[option].value);
    return true;
}

/* How many of the words typed are the command's; 0 when it is another command. */
static size_t words_match(const struct command *command, const struct arguments *typed)
{
    const char *at = command->words;
    size_t n = 0;

    for (; *at; n++) {
        size_t length = strcspn(at, " ");
        if (n == typed->word_count || strlen(typed->words[n]) != length || strncmp(typed->words[n], at, length) != 0)
            return 0;
        at += length;
        at += *at == ' ';
    }
    return n;
}

static size_t find_command(struct arguments *out)
{
    for (size_t i = 0; i < command_count; i++) {
        size_t n = words_match(&commands[i], out);
        if (n > 0) {
            out->command = &commands[i];
            return n;
        }
    }
    return 0;
}

static bool place_arguments(struct arguments *out, size_t from, struct error *err)
{
    const char *wanted = out->command->arguments;
    size_t n = 0;

    for (; *wanted; n++) {
        size_t length = strcspn(wanted, " ");
        if (from + n < out->word_count)
            out->at[n] = out->words[from + n];
        else if (*wanted != '[')
            return error_set(err, REASON_FIELD_INVALID, "%s is missing", wanted);
        wanted += length;
        wanted += *wanted == ' ';
    }
    return from + n >= out->word_count ||
           error_set(err, REASON_FIELD_INVALID, "too many words; a name with blanks needs quotes");
}

static bool check_options(const struct arguments *out, struct error *err)
{
    for (enum option option = 0; option < OPTION_COUNT; option++) {
        bool required, takes = option_of_command(out->command, option, &required);
        if (out->option[option] && !takes && !option_is_common(option))
            return error_set(err, REASON_FIELD_INVALID, "%s takes no --%s", out->command->words,
                             options[option].written);
        if (required && !out->option[option])
            return error_set(err, REASON_FIELD_INVALID, "--%s %s is missing", options[option].written,
                             options[option].value);
    }
    return true;
}

static bool split(int argc, char *const *argv, struct arguments *out, struct error *err)
{
    bool only_words = false;

    for (int i = 1; i < argc; i++) {
        if (!only_words && strcmp(argv[i], "--") == 0)
            only_words = true;
        else if (!only_words && strcmp(argv[i], "-h") == 0)
            out->option[OPTION_HELP] = "";
        else if (!only_words && strncmp(argv[i], "--", 2) == 0) {
            if (!take_option(argc, argv, &i, out, err))
                return false;
        } else if (out->word_count == WORDS_MAX)
            return error_set(err, REASON_FIELD_INVALID, "too many words");
        else
            out->words[out->word_count++] = argv[i];
    }
    return true;
}

bool arguments_parse(int argc, char *const *argv, struct arguments *out, struct error *err)
{
    *out = (struct arguments){ 0 };
    if (!split(argc, argv, out, err))
        return false;
    size_t matched = find_command(out);
    if (out->option[OPTION_HELP])
        return true;
    if (!out->command)
        return out->word_count == 0 ? error_set(err, REASON_FIELD_INVALID, "no command")
                                    : error_set(err, REASON_FIELD_INVALID, "there is no such command: %.40s %.40s",
                                                out->words[0], out->word_count > 1 ? out->words[1] : "");
    return place_arguments(out, matched, err) && check_options(out, err);
}
