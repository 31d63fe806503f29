/*
 * recon_mt940.c -- records from MT940 account statements, several of them one after the other.
 *
 * Which fields may follow which is a table. Opening balance and movements must give the closing balance, to the minor
 * unit, statement by statement.
 */
#include "recon_lines.h"

#include "base/exact.h"
#include "io/amount.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { TEXT_MAX = 8 * 1024, SCALE_MAX = 4 };

/* Where in a statement we are: after which field. */
enum place { OUTSIDE, AFTER_20, AFTER_25, AFTER_28, AFTER_60, AFTER_61, AFTER_62, PLACES };

struct statement_in {
    struct recon_lines lines;
    enum place place;
    char currency[CURRENCY_TEXT];
    int64_t balance; /* as reckoned so far; negative: the account is overdrawn */
    bool waiting;    /* record is not given out yet: its text may follow */
    struct recon_record record;
    char text[TEXT_MAX]; /* :86: of it */
    size_t text_size;
    bool in_text; /* lines that follow belong to :86: */
};

static bool refuse(struct statement_in *in, size_t column, const char *sentence, struct error *err)
{
    return recon_lines_refuse(&in->lines, in->lines.lines.number, column, err, "%s", sentence);
}

/* ---- parts of fields ---- */

/* Digits, a comma, decimals as the currency has them or fewer; *used bytes. */
static bool read_amount(const char *text, const char *currency, int64_t *minor, size_t *used)
{
    size_t whole = strspn(text, "0123456789"), decimals;
    int exponent = amount_exponent(currency);

    if (whole == 0 || whole > 14 || text[whole] != ',')
        return false;
    decimals = strspn(text + whole + 1, "0123456789");
    if (decimals > SCALE_MAX || (int)decimals > exponent || !recon_digits(text, (int)whole, minor))
        return false;
    for (int i = 0; i < exponent; i++) {
        int digit = i < (int)decimals ? text[whole + 1 + (size_t)i] - '0' : 0;
        if (__builtin_mul_overflow(*minor, 10, minor) || __builtin_add_overflow(*minor, digit, minor))
            return false;
    }
    *used = whole + 1 + decimals;
    return *minor <= AMOUNT_MINOR_MAX;
}

/* "C170131USD12,34" after the tag, which ends at `from`. */
static bool read_balance(struct statement_in *in, size_t from, int64_t *balance, char currency[CURRENCY_TEXT],
                         struct error *err)
{
    const char *text = in->lines.lines.text + from;
    struct date date;
    size_t used;

    if (*text != 'C' && *text != 'D')
        return refuse(in, from + 1, "a balance begins with C or D", err);
    if (!recon_short_date(text + 1, &date))
        return refuse(in, from + 2, "a day must stand here, as YYMMDD", err);
    snprintf(currency, CURRENCY_TEXT, "%.3s", text + 7);
    if (strlen(currency) != 3 || strspn(currency, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != 3)
        return refuse(in, from + 8, "a currency must stand here, as three capital letters", err);
    if (!read_amount(text + 10, currency, balance, &used) || text[10 + used])
        return refuse(in, from + 11, "an amount such as 12,34 must stand here and end the line", err);
    if (*text == 'D')
        *balance = -*balance;
    return true;
}

/* ---- records ---- */

/* "?20" and the like are marks of a place in the text, not text. */
static void drop_marks(char *text)
{
    char *to = text;

    for (const char *from = text; *from;) {
        if (*from == '?' && isdigit((unsigned char)from[1]) && isdigit((unsigned char)from[2]))
            from += 3;
        else
            *to++ = *from++;
    }
    *to = '\0';
}

static bool give_out(struct statement_in *in, struct error *err)
{
    if (!in->waiting)
        return true;
    in->waiting = in->in_text = false;
    in->text[in->text_size] = '\0';
    drop_marks(in->text);
    char found[RECON_KEY_MAX + 1];
    if (recon_find_eref(in->text, found))
        memcpy(in->record.key, found, sizeof found);
    return recon_lines_take(&in->lines, &in->record, err);
}

/* The mark: C, D, RC, RD, and EC, ED for expected ones, which are none yet. */
static bool read_mark(struct statement_in *in, const char *text, size_t *at, bool *credit, struct error *err)
{
    bool reversal = text[*at] == 'R';

    *at += reversal;
    if (text[*at] != 'C' && text[*at] != 'D')
        return refuse(in, *at + 1, "C, D, RC or RD must stand here", err);
    *credit = (text[*at] == 'C') != reversal;
    (*at)++;
    return true;
}

static bool add(struct statement_in *in, bool credit, struct error *err)
{
    int64_t signed_amount = credit ? in->record.amount_minor : -in->record.amount_minor;

    if (!exact_add(in->balance, signed_amount, &in->balance))
        return refuse(in, 0, "the movements add up to more than fits", err);
    in->record.state = credit != in->lines.file->confirm_debits ? RECON_CONFIRM : RECON_REVERSE;
    return true;
}

/* :61:YYMMDD[MMDD]mark[funds]amount,Nxxxreference[//bank's reference] */
static bool take_61(struct statement_in *in, size_t from, struct error *err)
{
    const char *text = in->lines.lines.text;
    size_t at = from + 6, used;
    int64_t ignored;
    bool credit = false;

    if (!give_out(in, err))
        return false;
    in->record = (struct recon_record){ .line = in->lines.lines.number, .points = -1 };
    memcpy(in->record.currency, in->currency, sizeof in->currency);
    if (!recon_short_date(text + from, &in->record.date))
        return refuse(in, from + 1, "a day must stand here, as YYMMDD", err);
    at += isdigit((unsigned char)text[at]) && recon_digits(text + at, 4, &ignored) ? 4 : 0;
    if (!read_mark(in, text, &at, &credit, err))
        return false;
    at += isupper((unsigned char)text[at]) != 0;
    if (!read_amount(text + at, in->currency, &in->record.amount_minor, &used))
        return refuse(in, at + 1, "an amount such as 12,34 must stand here", err);
    at += used;
    if (!isupper((unsigned char)text[at]) || strlen(text + at) < 5)
        return refuse(in, at + 1, "a type such as NTRF and a reference must stand here", err);
    at += 4;
    const char *bank = strstr(text + at, "//");
    if (!recon_copy_key(text + at, bank ? (size_t)(bank - text) - at : strlen(text + at), in->record.key))
        return refuse(in, at + 1, "the reference is longer than 64 bytes", err);
    in->waiting = true;
    in->text_size = 0;
    return add(in, credit, err);
}

static bool add_text(struct statement_in *in, const char *text, struct error *err)
{
    size_t size = strlen(text);

    if (!in->waiting)
        return true; /* of the statement as a whole */
    if (size >= sizeof in->text - in->text_size)
        return refuse(in, 0, "the text of one movement is longer than 8 KiB", err);
    memcpy(in->text + in->text_size, text, size);
    in->text_size += size;
    return true;
}

/* ---- fields ---- */

static bool take_nothing(struct statement_in *in, size_t from, struct error *err)
{
    (void)in, (void)from, (void)err;
    return true;
}

static bool take_60(struct statement_in *in, size_t from, struct error *err)
{
    return read_balance(in, from, &in->balance, in->currency, err);
}

static bool take_86(struct statement_in *in, size_t from, struct error *err)
{
    in->in_text = true;
    return add_text(in, in->lines.lines.text + from, err);
}

static bool take_62(struct statement_in *in, size_t from, struct error *err)
{
    char currency[CURRENCY_TEXT], is[AMOUNT_TEXT], said[AMOUNT_TEXT];
    int64_t closing;

    if (!give_out(in, err) || !read_balance(in, from, &closing, currency, err))
        return false;
    if (strcmp(currency, in->currency) != 0)
        return refuse(in, from + 8, "the closing balance is in another currency than the opening one", err);
    if (closing == in->balance)
        return true;
    amount_format(in->balance, currency, is);
    amount_format(closing, currency, said);
    return recon_lines_refuse(&in->lines, in->lines.lines.number, from + 11, err,
                              "the closing balance is %s, but opening balance and movements give %s", said, is);
}

enum { IN = 1 }; /* a bit each place, shifted */
#define AT(place) (IN << (place))

static const struct {
    const char *tag;
    int after; /* places, as bits */
    enum place then;
    bool (*take)(struct statement_in *in, size_t from, struct error *err);
} fields[] = {
    { ":20:", AT(OUTSIDE) | AT(AFTER_62), AFTER_20, take_nothing },
    { ":21:", AT(AFTER_20), AFTER_20, take_nothing },
    { ":25:", AT(AFTER_20), AFTER_25, take_nothing },
    { ":25P:", AT(AFTER_20), AFTER_25, take_nothing },
    { ":28C:", AT(AFTER_25), AFTER_28, take_nothing },
    { ":28:", AT(AFTER_25), AFTER_28, take_nothing },
    { ":60F:", AT(AFTER_28), AFTER_60, take_60 },
    { ":60M:", AT(AFTER_28), AFTER_60, take_60 },
    { ":61:", AT(AFTER_60) | AT(AFTER_61), AFTER_61, take_61 },
    { ":86:", AT(AFTER_61), AFTER_61, take_86 },
    { ":86:", AT(AFTER_62), AFTER_62, take_nothing },
    { ":62F:", AT(AFTER_60) | AT(AFTER_61), AFTER_62, take_62 },
    { ":62M:", AT(AFTER_60) | AT(AFTER_61), AFTER_62, take_62 },
    { ":64:", AT(AFTER_62), AFTER_62, take_nothing },
    { ":65:", AT(AFTER_62), AFTER_62, take_nothing },
};

static bool take_field(struct statement_in *in, struct error *err)
{
    const char *text = in->lines.lines.text;
    bool known = false;

    in->in_text = false;
    for (size_t i = 0; i < COUNT(fields); i++) {
        size_t n = strlen(fields[i].tag);
        if (strncmp(text, fields[i].tag, n) != 0)
            continue;
        known = true;
        if (!(fields[i].after & AT(in->place)))
            continue;
        in->place = fields[i].then;
        return fields[i].take(in, n, err);
    }
    return refuse(in, 1, known ? "this field may not stand here" : "this is no field of an MT940", err);
}

/* What begins with a colon and a digit is a field; else the line goes on with the one before. */
static bool take_line(struct statement_in *in, struct error *err)
{
    const char *text = in->lines.lines.text;

    if (text[0] == ':' && isdigit((unsigned char)text[1]))
        return take_field(in, err);
    if (!*text || *text == '{' || strcmp(text, "-") == 0 || strncmp(text, "-}", 2) == 0) {
        if ((*text == '-' || *text == '{') && in->place != OUTSIDE && in->place != AFTER_62)
            return refuse(in, 1, "the statement ends without a closing balance (:62F:)", err);
        in->in_text = false;
        return true;
    }
    if (in->in_text)
        return add_text(in, text, err);
    return in->place == AFTER_61 || in->place == AFTER_62 || refuse(in, 1, "a field such as :20: must begin here", err);
}

static void close_statement(struct statement_in *in)
{
    recon_lines_close(&in->lines);
}

bool recon_read_mt940(const struct recon_file *file, recon_take *take, void *owner, struct error *err)
{
    CLEANUP(close_statement) struct statement_in in = { 0 };
    bool more = true, any = false;

    if (!recon_lines_open(&in.lines, file, take, owner, err))
        return false;
    while (more) {
        if (!recon_lines_next(&in.lines, &more, err) || (more && !take_line(&in, err)))
            return false;
        any |= in.place != OUTSIDE;
    }
    if (!any)
        return refuse(&in, 0, "there is no statement in the file; the first field is :20:", err);
    return in.place == AFTER_62 ||
           refuse(&in, 0, "the file ends within a statement: there is no closing balance (:62F:)", err);
}
