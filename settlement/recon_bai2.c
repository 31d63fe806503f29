/*
 * recon_bai2.c -- records from BAI2 balance reports: a file of groups of accounts of transactions.
 *
 * Each level ends with what it adds up to (49, 98, 99): sums of amounts without regard to their sign, and how many
 * records and parts there are. All of them must be right. The sign lies in the type: 100 to 399 are credits, 400 to 699
 * debits.
 */
#include "recon_lines.h"

#include "base/exact.h"
#include "base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIELDS_MAX = 256, RECORD_MAX = 16 * 1024, AMOUNT_DIGITS = 15, NO_MONEY = 890 };

enum level { LEVEL_NONE, LEVEL_FILE, LEVEL_GROUP, LEVEL_ACCOUNT, LEVEL_DONE };

/* What one level adds up to so far. */
struct sums {
    int64_t total, parts, records;
};

struct report {
    struct recon_lines lines;
    enum level level;
    struct sums file, group, account;
    struct date as_of;
    char group_currency[CURRENCY_TEXT], currency[CURRENCY_TEXT];
    char text[RECORD_MAX]; /* the present record, with what continues it */
    size_t size;
    int64_t line, physical; /* where it begins, and how many lines it has */
    bool slash;             /* the last of them ended with one */
    char *fields[FIELDS_MAX];
    size_t field_count;
};

static bool refuse(const struct report *report, size_t field, struct error *err, const char *sentence)
{
    if (field == 0)
        return recon_lines_refuse(&report->lines, report->line, 0, err, "%s", sentence);
    return recon_lines_refuse(&report->lines, report->line, 0, err, "field %zu: %s", field, sentence);
}

/* ---- fields ---- */

static const char *field(const struct report *report, size_t n)
{
    return n <= report->field_count ? report->fields[n - 1] : "";
}

/* Cuts the record at its commas; the last field keeps what is beyond the most there may be. */
static void split(struct report *report)
{
    char *at = report->text, *comma;

    report->field_count = 0;
    while (report->field_count < FIELDS_MAX) {
        report->fields[report->field_count++] = at;
        comma = report->field_count < FIELDS_MAX ? strchr(at, ',') : NULL;
        if (!comma)
            break;
        *comma = '\0';
        at = comma + 1;
    }
}

/* A sign, and digits; nothing is 0. */
static bool read_number(const struct report *report, size_t n, int64_t *number, struct error *err)
{
    const char *text = field(report, n);
    bool minus = *text == '-';
    size_t digits;

    text += minus || *text == '+';
    digits = strlen(text);
    if (digits > AMOUNT_DIGITS || !recon_digits(text, (int)digits, number))
        return refuse(report, n, err, "a whole number must stand here");
    if (minus)
        *number = -*number;
    return true;
}

static bool add(const struct report *report, int64_t *total, int64_t amount, struct error *err)
{
    return exact_add(*total, amount, total) || refuse(report, 0, err, "the amounts add up to more than fits");
}

/* How many fields a type of funds takes after itself. */
static bool skip_funds(const struct report *report, size_t *at, struct error *err)
{
    const char *type = field(report, *at);
    int64_t days;

    switch (*type) {
    case 'S':
        *at += 4;
        return true;
    case 'V':
        *at += 3;
        return true;
    case 'D':
        if (!read_number(report, *at + 1, &days, err))
            return false;
        if (days < 0 || days > FIELDS_MAX / 2)
            return refuse(report, *at + 1, err, "so many days of funds do not fit");
        *at += 2 + 2 * (size_t)days;
        return true;
    case '\0':
    case 'Z':
    case '0':
    case '1':
    case '2':
        (*at)++;
        return true;
    default:
        return refuse(report, *at, err, "a type of funds must stand here: Z, 0, 1, 2, S, V, D or nothing");
    }
}

/* ---- records ---- */

static bool take_currency(const struct report *report, size_t n, char currency[CURRENCY_TEXT], struct error *err)
{
    const char *text = field(report, n);

    if (!*text)
        return true;
    if (!text_is_currency(text))
        return refuse(report, n, err, "a currency must stand here, as three capital letters");
    memcpy(currency, text, CURRENCY_TEXT);
    return true;
}

static bool take_file(struct report *report, struct error *err)
{
    (void)err;
    report->file = (struct sums){ .records = report->physical };
    return true;
}

static bool take_group(struct report *report, struct error *err)
{
    report->group = (struct sums){ .records = report->physical };
    report->file.parts++;
    memcpy(report->group_currency, "USD", CURRENCY_TEXT);
    if (strlen(field(report, 5)) != 6 || !recon_short_date(field(report, 5), &report->as_of))
        return refuse(report, 5, err, "the day of the group must stand here, as YYMMDD");
    return take_currency(report, 7, report->group_currency, err);
}

/* Summaries: type, amount, count, funds, over and over. */
static bool take_account(struct report *report, struct error *err)
{
    report->account = (struct sums){ .records = report->physical };
    report->group.parts++;
    memcpy(report->currency, report->group_currency, CURRENCY_TEXT);
    if (!take_currency(report, 3, report->currency, err))
        return false;
    for (size_t at = 4; at <= report->field_count;) {
        int64_t amount;
        if (!*field(report, at) && at == report->field_count)
            break;
        if (!read_number(report, at + 1, &amount, err) || !add(report, &report->account.total, amount, err))
            return false;
        at += 3;
        if (!skip_funds(report, &at, err))
            return false;
    }
    return true;
}

/* The reference: what the text says is one, the customer's, the bank's. */
static bool take_key(const struct report *report, size_t at, struct recon_record *record, struct error *err)
{
    const char *customer = field(report, at + 1), *bank = field(report, at);
    const char *text = *customer ? customer : bank;

    if (at + 2 <= report->field_count && recon_find_eref(field(report, at + 2), record->key))
        return true;
    return recon_copy_key(text, strlen(text), record->key) ||
           refuse(report, at + 1, err, "the reference is longer than 64 bytes");
}

/* The text is all that follows the references, commas too. */
static void join_text(struct report *report, size_t first)
{
    for (size_t i = first; i < report->field_count; i++)
        *(report->fields[i] - 1) = ',';
    if (report->field_count > first)
        report->field_count = first;
}

static bool take_transaction(struct report *report, struct error *err)
{
    struct recon_record record = { .line = report->line, .points = -1, .date = report->as_of };
    int64_t type, amount;
    size_t at = 4;

    if (!read_number(report, 2, &type, err) || !read_number(report, 3, &amount, err))
        return false;
    if (type == NO_MONEY)
        return true;
    if (type < 100 || type > 699)
        return refuse(report, 2, err, "a type from 100 to 699 must stand here: a credit, or a debit");
    if (*field(report, 4) == 'V' && *field(report, 5) &&
        (strlen(field(report, 5)) != 6 || !recon_short_date(field(report, 5), &record.date)))
        return refuse(report, 5, err, "a day must stand here, as YYMMDD");
    if (!skip_funds(report, &at, err))
        return false;
    if (amount < 0 || amount > AMOUNT_MINOR_MAX)
        return refuse(report, 3, err, "an amount has no sign here and at most 100,000,000,000,000 minor units");
    join_text(report, at + 2);
    record.amount_minor = amount;
    record.state = (type < 400) != report->lines.file->confirm_debits ? RECON_CONFIRM : RECON_REVERSE;
    memcpy(record.currency, report->currency, CURRENCY_TEXT);
    return add(report, &report->account.total, amount, err) && take_key(report, at, &record, err) &&
           recon_lines_take(&report->lines, &record, err);
}

static bool check(const struct report *report, size_t n, int64_t is, const char *what, struct error *err)
{
    int64_t said;

    if (!read_number(report, n, &said, err))
        return false;
    return said == is || recon_lines_refuse(&report->lines, report->line, 0, err,
                                            "field %zu: the %s is %" PRId64 ", but what came before gives %" PRId64, n,
                                            what, said, is);
}

static bool end_account(struct report *report, struct error *err)
{
    report->group.records += report->account.records;
    return check(report, 2, report->account.total, "account's control total", err) &&
           check(report, 3, report->account.records, "number of the account's records", err) &&
           add(report, &report->group.total, report->account.total, err);
}

static bool end_group(struct report *report, struct error *err)
{
    report->file.records += report->group.records;
    return check(report, 2, report->group.total, "group's control total", err) &&
           check(report, 3, report->group.parts, "number of accounts", err) &&
           check(report, 4, report->group.records, "number of the group's records", err) &&
           add(report, &report->file.total, report->group.total, err);
}

static bool end_file(struct report *report, struct error *err)
{
    return check(report, 2, report->file.total, "file's control total", err) &&
           check(report, 3, report->file.parts, "number of groups", err) &&
           check(report, 4, report->file.records, "number of the file's records", err);
}

/* ---- the file ---- */

static const struct {
    char code[3];
    enum level in, then;
    size_t counted; /* the sums its lines are counted in: offset in a report */
    bool (*take)(struct report *report, struct error *err);
} kinds[] = {
    { "01", LEVEL_NONE, LEVEL_FILE, offsetof(struct report, file), take_file },
    { "02", LEVEL_FILE, LEVEL_GROUP, offsetof(struct report, group), take_group },
    { "03", LEVEL_GROUP, LEVEL_ACCOUNT, offsetof(struct report, account), take_account },
    { "16", LEVEL_ACCOUNT, LEVEL_ACCOUNT, offsetof(struct report, account), take_transaction },
    { "49", LEVEL_ACCOUNT, LEVEL_GROUP, offsetof(struct report, account), end_account },
    { "98", LEVEL_GROUP, LEVEL_FILE, offsetof(struct report, group), end_group },
    { "99", LEVEL_FILE, LEVEL_DONE, offsetof(struct report, file), end_file },
};

/* The record that has been gathered, whole now. */
static bool take_record(struct report *report, struct error *err)
{
    if (report->physical == 0)
        return true;
    split(report);
    for (size_t i = 0; i < COUNT(kinds); i++) {
        if (strcmp(kinds[i].code, field(report, 1)) != 0)
            continue;
        if (kinds[i].in != report->level)
            return refuse(report, 1, err, "this record may not stand here");
        ((struct sums *)(void *)((char *)report + kinds[i].counted))->records += report->physical;
        report->level = kinds[i].then;
        return kinds[i].take(report, err);
    }
    return refuse(report, 1, err, "this is no record of a BAI2 file: 01, 02, 03, 16, 49, 88, 98, 99");
}

/* Adds a line's text without its end: blanks that fill it up, and the slash. */
static bool gather(struct report *report, const char *text, size_t size, struct error *err)
{
    while (size > 0 && text[size - 1] == ' ')
        size--;
    report->slash = size > 0 && text[size - 1] == '/';
    size -= report->slash;
    if (size >= sizeof report->text - report->size)
        return refuse(report, 0, err, "the record is longer than 16 KiB");
    memcpy(report->text + report->size, text, size);
    report->size += size;
    report->text[report->size] = '\0';
    report->physical++;
    return true;
}

static bool take_line(struct report *report, struct error *err)
{
    const char *text = report->lines.lines.text;
    size_t size = report->lines.lines.size;

    if (size == 0)
        return true;
    if (strncmp(text, "88,", 3) != 0) {
        if (!take_record(report, err))
            return false;
        report->line = report->lines.lines.number;
        report->physical = 0;
        report->size = 0;
        return gather(report, text, size, err);
    }
    if (report->physical == 0)
        return recon_lines_refuse(&report->lines, report->lines.lines.number, 0, err,
                                  "field 1: there is no record that this one continues");
    /* Where the record had ended, fields follow; else its text goes on. */
    const char *from = text + (report->slash ? 2 : 3);
    return gather(report, from, size - (size_t)(from - text), err);
}

static void close_report(struct report **report)
{
    if (*report)
        recon_lines_close(&(*report)->lines);
    free(*report);
}

bool recon_read_bai2(const struct recon_file *file, recon_take *take, void *owner, struct error *err)
{
    CLEANUP(close_report) struct report *report = calloc(1, sizeof *report);
    bool more = true;

    if (!report)
        return error_set(err, REASON_INTERNAL, "out of memory");
    if (!recon_lines_open(&report->lines, file, take, owner, err))
        return false;
    while (more) {
        if (!recon_lines_next(&report->lines, &more, err) || (more && !take_line(report, err)))
            return false;
    }
    report->line = report->line ? report->line : 1;
    if (!take_record(report, err))
        return false;
    return report->level == LEVEL_DONE ||
           refuse(report, 0, err, "the file ends too early: there is no file trailer (99)");
}
