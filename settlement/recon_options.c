#include "recon_options.h"

#include "base/limits.h"
#include "base/text.h"
#include "io/amount.h"

#include "recon_match.h"
#include "recon_read.h"

#include <stddef.h>
#include <string.h>

enum { FILE_MB = 2048, FILE_MB_MAX = 1024 * 1024, NOTE_MAX = 200, CORRECTION_REASON = 160 };

static const struct {
    const char *word, *second; /* second NULL: one word */
    const char *help, *example;
} commands[RECON_COMMANDS] = {
    [RECON_COMMAND_RECONCILE] = { "reconcile", NULL,
                                  "Compares a bank's or a merchant's file with the journal of a closed period.",
                                  "alliance-settle reconcile --programme demo --period 2017-01 --bank bank-a --file "
                                  "january.csv --report breaks.csv" },
    [RECON_COMMAND_LIST] = { "breaks", "list", "What does not agree and is not dealt with, by age.",
                             "alliance-settle breaks list --programme demo --bank bank-a" },
    [RECON_COMMAND_SHOW] = { "breaks", "show", "One of them with all there is to know.",
                             "alliance-settle breaks show --programme demo --break 7" },
    [RECON_COMMAND_COMPARE] = { "breaks", "compare",
                                "Three ways: the bank's file, the journal, the merchant's file, and who differs.",
                                "alliance-settle breaks compare --programme demo --period 2017-01 --bank bank-a "
                                "--merchant shop-1" },
    [RECON_COMMAND_RETRY] = { "breaks", "retry",
                              "Looks once more for breaks of one period that explain those of another.",
                              "alliance-settle breaks retry --programme demo --bank bank-a" },
    [RECON_COMMAND_ACCEPT] = { "breaks", "accept", "Ends a break that needs nothing done, and says why.",
                               "alliance-settle breaks accept --programme demo --break 7 --by ann --note \"booked a "
                               "day later\"" },
    [RECON_COMMAND_CORRECT] = { "breaks", "correct",
                                "Proposes the correcting entry of a break: its party pays or is paid the difference.",
                                "alliance-settle breaks correct --programme demo --break 7 --by ann --reason \"the "
                                "bank is right\"" },
    [RECON_COMMAND_APPROVE] = { "breaks", "approve", "Approves it, as another person; the next close takes it.",
                                "alliance-settle breaks approve --programme demo --break 7 --by bob" },
    [RECON_COMMAND_DISPUTE] = { "breaks", "dispute",
                                "Contests the statement's line that a DISPUTABLE break is about, for who is owed.",
                                "alliance-settle breaks dispute --programme demo --break 7 --by ann" },
};

enum {
    RECONCILE = 1 << RECON_COMMAND_RECONCILE,
    LIST = 1 << RECON_COMMAND_LIST,
    SHOW = 1 << RECON_COMMAND_SHOW,
    COMPARE = 1 << RECON_COMMAND_COMPARE,
    RETRY = 1 << RECON_COMMAND_RETRY,
    ACCEPT = 1 << RECON_COMMAND_ACCEPT,
    CORRECT = 1 << RECON_COMMAND_CORRECT,
    APPROVE = 1 << RECON_COMMAND_APPROVE,
    DISPUTE = 1 << RECON_COMMAND_DISPUTE,
    EVERY = RECONCILE | LIST | SHOW | COMPARE | RETRY | ACCEPT | CORRECT | APPROVE | DISPUTE,
    BY = ACCEPT | CORRECT | APPROVE | DISPUTE,
    ONE = SHOW | BY
};

enum value_kind { VALUE_TEXT, VALUE_ID, VALUE_PERIOD, VALUE_NUMBER, VALUE_FLAG };

static const struct option {
    const char *word, *value;
    unsigned of, required_by; /* commands, as bits */
    enum value_kind kind;
    size_t offset;
    int64_t least, most; /* of a number; of a text: bytes */
    const char *help;
} table[] = {
#define AT(field) offsetof(struct recon_options, field)
    { "--programme", "ID", EVERY, EVERY, VALUE_ID, AT(programme), 0, 0, "the programme" },
    { "--period", "YYYY-MM", RECONCILE | LIST | COMPARE, RECONCILE | COMPARE, VALUE_PERIOD, AT(period_text), 0, 0,
      "the month; or a week YYYY-Www, a day YYYY-MM-DD, or YYYY-MM-DD--YYYY-MM-DD" },
    { "--bank", "ID", RECONCILE | LIST | COMPARE | RETRY, COMPARE, VALUE_ID, AT(bank), 0, 0,
      "whose file it is: a bank's ..." },
    { "--merchant", "ID", RECONCILE | LIST | COMPARE | RETRY, COMPARE, VALUE_ID, AT(merchant), 0, 0,
      "... or a merchant's" },
    { "--file", "FILE", RECONCILE, RECONCILE, VALUE_TEXT, AT(file), 1, 4096, "the counterparty's file, plain or gzip" },
    { "--format", "csv|bai2|mt940|camt053", RECONCILE, 0, VALUE_TEXT, AT(format), 1, 32, "what it is written in; csv" },
    { "--mapping", "FILE", RECONCILE, 0, VALUE_TEXT, AT(mapping), 1, 4096,
      "for csv with other columns than ours; see ops/mappings" },
    { "--encoding", "UTF-8|GB18030", RECONCILE, 0, VALUE_TEXT, AT(encoding), 1, 32, "of csv" },
    { "--tolerance", "MINOR", RECONCILE, 0, VALUE_NUMBER, AT(tolerance), 0, RECON_TOLERANCE_MAX,
      "amounts of one record may differ by this; 0" },
    { "--days", "N", RECONCILE, 0, VALUE_NUMBER, AT(days), 0, RECON_DAYS_MAX, "dates may differ by this; 0" },
    { "--net", NULL, RECONCILE, 0, VALUE_FLAG, AT(net), 0, 0, "its amounts are less commission" },
    { "--debits-confirm", NULL, RECONCILE, 0, VALUE_FLAG, AT(debits_confirm), 0, 0,
      "account statements: a debit is a confirmation, a credit a reversal" },
    { "--max-mb", "MB", RECONCILE, 0, VALUE_NUMBER, AT(max_mb), 1, FILE_MB_MAX,
      "how large the file may be, inflated; 2048" },
    { "--report", "FILE", RECONCILE | LIST, 0, VALUE_TEXT, AT(report), 1, 4096, "breaks as CSV" },
    { "--class", "WORD", LIST, 0, VALUE_TEXT, AT(class), 1, 32,
      "only MISSING_HERE, MISSING_THERE, AMOUNT, STATE, LATE, DUPLICATE or ROUNDING" },
    { "--state", "WORD", LIST, 0, VALUE_TEXT, AT(state), 1, 32,
      "only OPEN, DISPUTABLE, DISPUTED, CORRECTING, CORRECTED, RESOLVED, ACCEPTED, REJECTED or EXPIRED" },
    { "--all", NULL, LIST, 0, VALUE_FLAG, AT(all), 0, 0, "those that are dealt with, too" },
    { "--break", "NUMBER", ONE, ONE, VALUE_NUMBER, AT(break_no), 1, INT64_MAX, "which one" },
    { "--by", "NAME", BY, BY, VALUE_TEXT, AT(by), 1, 64, "who does it" },
    { "--note", "TEXT", ACCEPT, ACCEPT, VALUE_TEXT, AT(note), 1, NOTE_MAX, "why" },
    { "--reason", "TEXT", CORRECT, CORRECT, VALUE_TEXT, AT(reason), 1, CORRECTION_REASON,
      "why; it stands on the statement" },
    { "--operator-bears", NULL, CORRECT, 0, VALUE_FLAG, AT(operator_bears), 0, 0,
      "the operator stands in for the other party of the pair" },
    { "--settings", "FILE", EVERY, 0, VALUE_TEXT, AT(settings), 1, 4096,
      "settings file; ALLIANCE_<NAME> in the environment wins" },
#undef AT
};
enum { OPTIONS = COUNT(table) };

bool recon_options_are(const char *word)
{
    for (size_t i = 0; i < RECON_COMMANDS; i++) {
        if (strcmp(commands[i].word, word) == 0)
            return true;
    }
    return false;
}

/* *used: words of argv that name the command. */
static bool find_command(int argc, char **argv, struct recon_options *options, int *used, struct error *err)
{
    for (int i = 0; i < RECON_COMMANDS; i++) {
        bool two = commands[i].second != NULL;
        if (strcmp(commands[i].word, argv[1]) != 0 || (two && (argc < 3 || strcmp(commands[i].second, argv[2]) != 0)))
            continue;
        options->command = (enum recon_command)i;
        *used = two ? 3 : 2;
        return true;
    }
    return error_set(err, REASON_FIELD_INVALID,
                     "breaks needs one of: list, show, compare, retry, accept, correct, approve, dispute");
}

static bool set_value(const struct option *option, const char *value, struct recon_options *options)
{
    char *at = (char *)options + option->offset;
    struct error ignored;

    switch (option->kind) {
    case VALUE_FLAG:
        *(bool *)at = true;
        return true;
    case VALUE_NUMBER:
        return whole_parse(value, option->word, option->least, option->most, (int64_t *)(void *)at, &ignored);
    case VALUE_ID:
        *(const char **)(void *)at = value;
        return text_is_id(value, ID_MAX);
    case VALUE_PERIOD:
        *(const char **)(void *)at = value;
        return period_parse(value, &options->period);
    case VALUE_TEXT:
        *(const char **)(void *)at = value;
        return *value && strlen(value) <= (size_t)option->most && text_utf8(value, strlen(value));
    }
    return false;
}

/* Finds the option in argv[*i], as "--name value" or "--name=value", and steps over it. */
static bool read_option(int argc, char **argv, int *i, struct recon_options *options, bool seen[OPTIONS],
                        struct error *err)
{
    const char *word = argv[*i];
    size_t length = strcspn(word, "=");

    for (size_t k = 0; k < OPTIONS; k++) {
        const struct option *option = &table[k];
        if (strlen(option->word) != length || strncmp(option->word, word, length) != 0 ||
            !(option->of & 1u << options->command))
            continue;
        const char *value = option->kind == VALUE_FLAG ? (word[length] ? NULL : "")
                            : word[length] == '='      ? word + length + 1
                            : *i + 1 < argc            ? argv[++*i]
                                                       : NULL;
        if (seen[k] || !value || !set_value(option, value, options))
            return error_field(err, REASON_FIELD_INVALID, option->word, "%s must be given once%s%s", option->word,
                               option->value ? ", as " : ", without a value", option->value ? option->value : "");
        seen[k] = true;
        return true;
    }
    return error_set(err, REASON_FIELD_INVALID, "\"%.40s\" is no option of this command; see alliance-settle --help",
                     word);
}

static bool check_required(const struct recon_options *options, const bool seen[OPTIONS], struct error *err)
{
    bool one_party = options->command == RECON_COMMAND_RECONCILE || options->command == RECON_COMMAND_RETRY;

    for (size_t k = 0; k < OPTIONS; k++) {
        if (!seen[k] && (table[k].required_by & 1u << options->command))
            return error_field(err, REASON_FIELD_INVALID, table[k].word, "%s %s is missing", table[k].word,
                               table[k].value);
    }
    if (one_party && !options->bank == !options->merchant)
        return error_field(err, REASON_FIELD_INVALID, "--bank", "either --bank or --merchant says whose file it is");
    if (options->command == RECON_COMMAND_LIST && options->bank && options->merchant)
        return error_field(err, REASON_FIELD_INVALID, "--bank", "--bank or --merchant, not both");
    if (options->command == RECON_COMMAND_RECONCILE && !recon_reader_named(options->format))
        return error_field(err, REASON_FIELD_INVALID, "--format", "--format must be one of %s", recon_reader_names());
    if ((options->mapping || options->encoding) && strcmp(options->format, "csv") != 0)
        return error_field(err, REASON_FIELD_INVALID, "--mapping", "--mapping and --encoding are for csv");
    return true;
}

bool recon_options_parse(int argc, char **argv, struct recon_options *options, struct error *err)
{
    bool seen[OPTIONS] = { false };
    int at = 0;

    *options = (struct recon_options){ .format = "csv", .max_mb = FILE_MB };
    if (!find_command(argc, argv, options, &at, err))
        return false;
    for (; at < argc && !options->help; at++) {
        if (strcmp(argv[at], "--help") == 0 || strcmp(argv[at], "-h") == 0)
            options->help = true;
        else if (!read_option(argc, argv, &at, options, seen, err))
            return false;
    }
    return options->help || check_required(options, seen, err);
}

void recon_options_help(FILE *out)
{
    for (size_t i = 0; i < RECON_COMMANDS; i++)
        fprintf(out, "  %s%s%-*s %s\n      %s\n", commands[i].word, commands[i].second ? " " : "",
                commands[i].second ? 6 : 4, commands[i].second ? commands[i].second : "", commands[i].help,
                commands[i].example);
    fputs("\nOptions of reconcile and breaks\n", out);
    for (size_t k = 0; k < OPTIONS; k++)
        fprintf(out, "  %s %-*s %s\n", table[k].word, (int)(26 - strlen(table[k].word)),
                table[k].value ? table[k].value : "", table[k].help);
    fputc('\n', out);
}
