#include "io/mapping_value.h"

#include "base/limits.h"
#include "base/text.h"
#include "base/when.h"
#include "io/amount.h"
#include "io/card_token.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

enum { MICRO_DIGITS = 6, MICRO = 1000000, WOMAN = 50, CENTURY = 1900 };

bool mapping_row_init(struct mapping_row *row, const struct mapping *mapping, const struct row_fields *fields,
                      const struct crypto_key *key, struct error *err)
{
    *row = (struct mapping_row){ .mapping = mapping, .row = fields, .key = key };
    for (size_t i = 0; i < mapping->lookup_count; i++) {
        const struct lookup *lookup = &mapping->lookups[i];
        row->found[i] = lookup_find(lookup, fields->at[lookup->by_place]);
        if (lookup->needed && !row->found[i])
            return error_field(err, REASON_FIELD_INVALID, lookup->by, "(column %d) is not in %.60s",
                               lookup->by_place + 1, lookup->file);
    }
    return true;
}

static bool out_of_memory(struct error *err)
{
    return error_set(err, REASON_INTERNAL, "out of memory");
}

/* Prefixed with where the value stands, so that a person finds it. */
static bool refuse(const struct mapping_value *value, enum reason reason, const char *sentence, struct error *err)
{
    if (value->from_count == 0)
        return error_field(err, reason, value->name, "%s", sentence);
    if (value->lookup >= 0)
        return error_field(err, reason, value->name, "(looked up in column %.40s) %s", value->from[0], sentence);
    return error_field(err, reason, value->name, "(column %d) %s", value->place[0] + 1, sentence);
}

static const char *part(const struct mapping_row *row, const struct mapping_value *value, size_t i)
{
    if (value->lookup < 0)
        return row->row->at[value->place[i]];
    const struct lookup_row *found = row->found[value->lookup];
    return found ? found->values[value->place[i]] : "";
}

/* The columns' values with `between` between them. */
static const char *gather(const struct mapping_row *row, const struct mapping_value *value, struct arena *arena)
{
    size_t size = 0, gap = strlen(value->between);

    if (value->from_count == 0)
        return value->constant;
    if (value->from_count == 1)
        return part(row, value, 0);
    for (size_t i = 0; i < value->from_count; i++)
        size += strlen(part(row, value, i)) + gap;
    char *text = arena_alloc(arena, size + 1), *end = text;
    for (size_t i = 0; text && i < value->from_count; i++)
        end = stpcpy(stpcpy(end, i ? value->between : ""), part(row, value, i));
    return text;
}

/* Takes digits with commas as separators; the number of digits, -1 when it does not fit. */
static int take_digits(const char **text, int most, int64_t *number)
{
    int digits = 0;

    for (; isdigit((unsigned char)**text) || (**text == ',' && digits && isdigit((unsigned char)(*text)[1]));
         (*text)++) {
        if (**text == ',')
            continue;
        if (digits == most || __builtin_mul_overflow(*number, 10, number) ||
            __builtin_add_overflow(*number, **text - '0', number))
            return -1;
        digits++;
    }
    return digits;
}

bool mapping_money(const struct mapping_value *value, const char *text, int64_t *points, struct error *err)
{
    static const char shape[] = "must be an amount such as 24295.50";
    size_t sign = strlen(value->money_sign);
    int64_t micro = 0, scaled;
    int decimals = 0;

    if (sign && strncmp(text, value->money_sign, sign) == 0)
        text += sign;
    int whole = take_digits(&text, 15, &micro);
    if (whole > 0 && *text == '.') {
        text++;
        decimals = take_digits(&text, MICRO_DIGITS, &micro);
    }
    if (whole <= 0 || decimals < 0 || *text)
        return refuse(value, REASON_FIELD_INVALID, shape, err);
    for (; decimals < MICRO_DIGITS; decimals++) {
        if (__builtin_mul_overflow(micro, 10, &micro))
            return refuse(value, REASON_FIELD_INVALID, "is too large", err);
    }
    if (__builtin_mul_overflow(micro, value->points, &scaled))
        return refuse(value, REASON_FIELD_INVALID, "is too large", err);
    int64_t divisor = value->units * MICRO;
    if (scaled % divisor && !value->round_down)
        return refuse(value, REASON_FIELD_INVALID, "is no whole number of points", err);
    *points = scaled / divisor;
    return true;
}

/* One digit of the pattern. */
static void take_digit(char kind, int digit, int *year, int *month, int *day)
{
    int *part = kind == 'Y' ? year : kind == 'M' ? month : kind == 'D' ? day : NULL;

    if (part)
        *part = *part * 10 + digit;
}

bool mapping_date(const char *format, const char *text, char out[11])
{
    int year = 0, month = 0, day = 0, years = 0;
    const char *at = format;
    bool woman = false, has_day = strchr(format, 'D');
    struct date date;

    for (; *at; at++) {
        if (strcmp(at, "+50") == 0) {
            woman = true;
            break;
        }
        if (!strchr("YMDhms", *at)) {
            if (*text++ != *at)
                return false;
            continue;
        }
        if (!isdigit((unsigned char)*text))
            return false;
        years += *at == 'Y';
        take_digit(*at, *text++ - '0', &year, &month, &day);
    }
    if (*text)
        return false;
    year += years == 2 ? CENTURY : 0;
    month -= woman && month > WOMAN ? WOMAN : 0;
    if (year < 1 || month < 1 || month > 12)
        return false;
    if (!has_day) {
        date = date_month_start(date_of(year, month, 1), 1);
        date.days--;
    } else {
        int same_year, same_month, same_day;
        date = date_of(year, month, day);
        date_split(date, &same_year, &same_month, &same_day);
        if (day < 1 || day > 31 || same_month != month || same_day != day)
            return false; /* a 30th of February */
    }
    date_format(date, out);
    return true;
}

static bool apply_word(const struct mapping_value *value, const char **text, struct error *err)
{
    if (value->word_count == 0)
        return true;
    for (size_t i = 0; i < value->word_count; i++) {
        if (strcmp(value->words[i].from, *text) == 0) {
            *text = value->words[i].to;
            return true;
        }
    }
    *text = value->other_word;
    return *text || refuse(value, REASON_FIELD_INVALID, "is none of the words that the mapping knows", err);
}

/* What card_token made earlier, as in a file of refused rows. */
static bool is_token(const char *text)
{
    return strlen(text) == CARD_TOKEN - 1 && strncmp(text, "tok_", 4) == 0 &&
           strspn(text + 4, "abcdefghijklmnopqrstuvwxyz234567") == CARD_TOKEN - 5;
}

static bool apply_token(const struct mapping_row *row, const struct mapping_value *value, struct arena *arena,
                        const char **text, struct error *err)
{
    struct error why;

    if (!value->tokenise || !**text || is_token(*text))
        return true;
    char *token = arena_alloc(arena, CARD_TOKEN);
    if (!token)
        return out_of_memory(err);
    if (!card_token(*text, row->key->secret, sizeof row->key->secret, token, &why))
        return refuse(value, why.reason, error_text(&why), err);
    *text = token;
    return true;
}

static bool apply_affixes(const struct mapping_value *value, struct arena *arena, const char **text, struct error *err)
{
    if (!**text || (!*value->prefix && !*value->suffix))
        return true;
    char *whole = arena_alloc(arena, strlen(value->prefix) + strlen(*text) + strlen(value->suffix) + 1);
    if (!whole)
        return out_of_memory(err);
    stpcpy(stpcpy(stpcpy(whole, value->prefix), *text), value->suffix);
    *text = whole;
    return true;
}

static bool apply_date(const struct mapping_value *value, struct arena *arena, const char **text, struct error *err)
{
    char sentence[80], *date;

    if (!value->date || !**text)
        return true;
    date = arena_alloc(arena, DATE_TEXT);
    if (!date)
        return out_of_memory(err);
    if (!mapping_date(value->date, *text, date)) {
        snprintf(sentence, sizeof sentence, "must be a day written as %.30s", value->date);
        return refuse(value, REASON_FIELD_INVALID, sentence, err);
    }
    *text = date;
    return true;
}

static bool apply_money(const struct mapping_value *value, struct arena *arena, const char **text, struct error *err)
{
    int64_t points;

    if (!value->money || !**text)
        return true;
    if (!mapping_money(value, *text, &points, err))
        return false;
    char *digits = arena_alloc(arena, 24);
    if (!digits)
        return out_of_memory(err);
    snprintf(digits, 24, "%" PRId64, points);
    *text = digits;
    return true;
}

bool mapping_value_make(const struct mapping_row *row, const struct mapping_value *value, struct arena *arena,
                        const char **out, struct error *err)
{
    const char *text = gather(row, value, arena);

    if (!text)
        return out_of_memory(err);
    if (!*text)
        text = value->empty;
    if (!apply_money(value, arena, &text, err) || !apply_date(value, arena, &text, err) ||
        !apply_word(value, &text, err) || !apply_token(row, value, arena, &text, err) ||
        !apply_affixes(value, arena, &text, err))
        return false;
    *out = value->from_count ? arena_copy(arena, text, strlen(text)) : text;
    return *out || out_of_memory(err);
}

/* ---- several lines ---- */

/* Empty values keep their places: lists stand beside each other. */
static const char *join(struct arena *arena, const char *one, const char *other)
{
    char *text = arena_alloc(arena, strlen(one) + strlen(other) + 2);

    if (text)
        stpcpy(stpcpy(stpcpy(text, one), "|"), other);
    return text;
}

/* The larger of two whole numbers, or their sum. */
static const char *reckon(const struct mapping_value *value, const char *one, const char *other, struct arena *arena,
                          struct error *err)
{
    int64_t a, b;

    if (!whole_parse(one, value->name, 0, POINTS_MAX, &a, err) ||
        !whole_parse(other, value->name, 0, POINTS_MAX, &b, err))
        return NULL;
    char *text = arena_alloc(arena, 24);
    if (text)
        snprintf(text, 24, "%" PRId64, value->combine == COMBINE_SUM ? a + b : a > b ? a : b);
    return text;
}

const char *mapping_combine(const struct mapping_value *value, const char *one, const char *other, struct arena *arena,
                            struct error *err)
{
    switch (value->combine) {
    case COMBINE_SAME:
        if (strcmp(one, other) != 0)
            error_field(err, REASON_FIELD_INVALID, value->name, "must be the same on all lines of one row");
        return one;
    case COMBINE_FIRST:
        return one;
    case COMBINE_LIST:
        return join(arena, one, other);
    case COMBINE_SUM:
    case COMBINE_MOST:
        return reckon(value, one, other, arena, err);
    }
    return one;
}
