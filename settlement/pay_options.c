#include "base/limits.h"
#include "base/text.h"
#include "pay_commands.h"

#include <stddef.h>
#include <string.h>

static const struct {
    const char *word, *help, *example;
} commands[PAY_COMMANDS] = {
    [PAY_PAYOUT] = { "payout",
                     "Asks the bank, by a pain.001, to pay what an issued period's statements ask for, each once.",
                     "alliance-settle payout --programme demo --period 2017-01 --on 2017-02-15" },
    [PAY_READ] = { "payments-read", "Reads what a bank says of payments: pain.002, camt.053, camt.054.",
                   "alliance-settle payments-read --programme demo --file status.xml" },
    [PAY_AGEING] = { "ageing", "What issued statements ask for and has not come in, by how late it is.",
                     "alliance-settle ageing --programme demo --on 2017-03-31" },
    [PAY_LATE_FEES] = { "late-fees",
                        "What paying late costs by the contracts; with --propose as corrections for a second person.",
                        "alliance-settle late-fees --programme demo --as-of 2017-03-31 --propose --by ann" },
};

static bool read_programme(struct pay_options *options, const char *value)
{
    options->programme = value;
    return text_is_id(value, ID_MAX);
}

static bool read_period(struct pay_options *options, const char *value)
{
    return period_parse(value, &options->period);
}

static bool read_on(struct pay_options *options, const char *value)
{
    return date_parse(value, &options->on);
}

static bool read_file(struct pay_options *options, const char *value)
{
    options->file = value;
    return *value != '\0';
}

static bool read_out(struct pay_options *options, const char *value)
{
    options->out = value;
    return *value != '\0';
}

static bool read_by(struct pay_options *options, const char *value)
{
    options->by = value;
    return text_is_ref(value, ID_MAX, "-._");
}

static bool read_propose(struct pay_options *options, const char *value)
{
    (void)value;
    options->propose = true;
    return true;
}

static bool read_settings(struct pay_options *options, const char *value)
{
    options->settings = value;
    return *value != '\0';
}

enum {
    PAYOUT = 1 << PAY_PAYOUT,
    READ = 1 << PAY_READ,
    AGEING = 1 << PAY_AGEING,
    LATE_FEES = 1 << PAY_LATE_FEES,
    EVERY = PAYOUT | READ | AGEING | LATE_FEES
};

static const struct {
    const char *word, *value; /* value NULL: a switch */
    unsigned of, required_by; /* commands, as bits */
    bool (*read)(struct pay_options *options, const char *value);
    const char *help;
} table[] = {
    { "--programme", "ID", EVERY, EVERY, read_programme, "the programme" },
    { "--period", "PERIOD", PAYOUT, PAYOUT, read_period, "the period that was issued" },
    { "--on", "YYYY-MM-DD", PAYOUT | AGEING, PAYOUT | AGEING, read_on,
      "the business day to pay on, what is due by then; the day ages are counted to" },
    { "--file", "FILE", READ, READ, read_file, "the bank's file" },
    { "--as-of", "YYYY-MM-DD", LATE_FEES, LATE_FEES, read_on, "the day until which people may have been late" },
    { "--propose", NULL, LATE_FEES, 0, read_propose, "propose what was not proposed before" },
    { "--by", "NAME", PAYOUT | LATE_FEES, 0, read_by, "who asks; the operating system's user when not given" },
    { "--out", "DIR", PAYOUT, 0, read_out, "where the file goes, below DIR/PROGRAMME/PERIOD; else the setting" },
    { "--settings", "FILE", EVERY, 0, read_settings, "settings file; ALLIANCE_<NAME> in the environment wins" },
};
enum { OPTIONS = COUNT(table) };

static bool find_command(const char *word, enum pay_command *command)
{
    for (size_t i = 0; i < PAY_COMMANDS; i++) {
        if (strcmp(commands[i].word, word) == 0) {
            *command = (enum pay_command)i;
            return true;
        }
    }
    return false;
}

bool pay_options_are(const char *word)
{
    enum pay_command ignored;

    return find_command(word, &ignored);
}

/* Finds the option in argv[*i], as "--name value" or "--name=value", and steps over it. */
static bool read_option(int argc, char **argv, int *i, struct pay_options *options, bool seen[OPTIONS],
                        struct error *err)
{
    const char *word = argv[*i];
    size_t length = strcspn(word, "=");

    for (size_t k = 0; k < OPTIONS; k++) {
        if (strlen(table[k].word) != length || strncmp(table[k].word, word, length) != 0 ||
            !(table[k].of & 1u << options->command))
            continue;
        const char *value = word[length] == '=' ? word + length + 1 : NULL;
        if (!value && table[k].value)
            value = *i + 1 < argc ? argv[++*i] : NULL;
        if (seen[k] || !value != !table[k].value || !table[k].read(options, value))
            return error_field(err, REASON_FIELD_INVALID, table[k].word, "%s must be given once, %s%s", table[k].word,
                               table[k].value ? "as " : "without a value", table[k].value ? table[k].value : "");
        seen[k] = true;
        return true;
    }
    return error_set(err, REASON_FIELD_INVALID, "\"%.40s\" is no option of this command; see alliance-settle --help",
                     word);
}

bool pay_options_parse(int argc, char **argv, struct pay_options *options, struct error *err)
{
    bool seen[OPTIONS] = { false };

    *options = (struct pay_options){ 0 };
    if (argc < 2 || !find_command(argv[1], &options->command))
        return error_set(err, REASON_FIELD_INVALID, "there is no such command; alliance-settle --help lists them");
    for (int i = 2; i < argc && !options->help; i++) {
        options->help = strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0;
        if (!options->help && !read_option(argc, argv, &i, options, seen, err))
            return false;
    }
    for (size_t k = 0; k < OPTIONS && !options->help; k++) {
        if (!seen[k] && (table[k].required_by & 1u << options->command))
            return error_field(err, REASON_FIELD_INVALID, table[k].word, "%s %s is missing", table[k].word,
                               table[k].value);
    }
    return true;
}

void pay_options_help(FILE *out)
{
    fputs("Payments\n", out);
    for (size_t i = 0; i < PAY_COMMANDS; i++)
        fprintf(out, "  %-13s %s\n      %s\n", commands[i].word, commands[i].help, commands[i].example);
    for (size_t k = 0; k < OPTIONS; k++) {
        fprintf(out, "  %s %-*s %s (", table[k].word, (int)(23 - strlen(table[k].word)),
                table[k].value ? table[k].value : "", table[k].help);
        const char *comma = "";
        for (size_t i = 0; i < PAY_COMMANDS; i++) {
            if (table[k].of & 1u << i) {
                fprintf(out, "%s%s", comma, commands[i].word);
                comma = ", ";
            }
        }
        fputs(")\n", out);
    }
    fputs("\n", out);
}
