#include "recon_lines.h"

#include "io/encoding.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool recon_lines_open(struct recon_lines *lines, const struct recon_file *file, recon_take *take, void *owner,
                      struct error *err)
{
    *lines = (struct recon_lines){ .file = file, .take = take, .owner = owner };
    if (!file_in_open(&lines->in, file->path, file->max_mb << 20, err) ||
        !lines_init(&lines->lines, lines->in.stream, RECON_LINE_MAX, err))
        return false;
    lines->lines.give_up = true;
    return true;
}

void recon_lines_close(struct recon_lines *lines)
{
    lines_release(&lines->lines);
    file_in_close(&lines->in);
}

bool recon_lines_refuse(const struct recon_lines *lines, int64_t line, size_t column, struct error *err,
                        const char *format, ...)
{
    char sentence[130], place[32] = "";
    va_list args;

    va_start(args, format);
    vsnprintf(sentence, sizeof sentence, format, args);
    va_end(args);
    if (column > 0)
        snprintf(place, sizeof place, "column %zu: ", column);
    return error_set(err, REASON_MESSAGE_MALFORMED, "%.50s:%" PRId64 ": %s%s", lines->file->path, line, place,
                     sentence);
}

/* Control characters would let a line pretend to be another. */
static size_t bad_character(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (iscntrl((unsigned char)text[i]))
            return i + 1;
    }
    return encoding_utf8_bad(text, size);
}

bool recon_lines_next(struct recon_lines *lines, bool *more, struct error *err)
{
    const struct lines *now = &lines->lines;

    *more = lines_next(&lines->lines);
    if (file_in_failed(&lines->in))
        return recon_lines_refuse(lines, now->number, 0, err, "%s", error_text(&lines->in.failure));
    if (!*more)
        return true;
    if (now->too_long)
        return recon_lines_refuse(lines, now->number, 0, err, "the line is longer than 16 KiB");
    size_t bad = bad_character(now->text, now->size);
    return !bad || recon_lines_refuse(lines, now->number, bad, err, "a character that is no text stands here");
}

bool recon_lines_take(struct recon_lines *lines, const struct recon_record *record, struct error *err)
{
    if (++lines->records > RECON_RECORDS_MAX)
        return recon_lines_refuse(lines, record->line, 0, err, "there are more than 5,000,000 records");
    return lines->take(lines->owner, record, err);
}

bool recon_digits(const char *text, int n, int64_t *value)
{
    *value = 0;
    for (int i = 0; i < n; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        *value = *value * 10 + (text[i] - '0');
    }
    return true;
}

bool recon_short_date(const char *text, struct date *out)
{
    enum { PIVOT = 80, LAST_CENTURY = 1900, THIS_CENTURY = 2000 };
    char whole[DATE_TEXT + 8];
    int64_t year, month, day;

    if (!recon_digits(text, 2, &year) || !recon_digits(text + 2, 2, &month) || !recon_digits(text + 4, 2, &day))
        return false;
    year += year >= PIVOT ? LAST_CENTURY : THIS_CENTURY;
    snprintf(whole, sizeof whole, "%04d-%02d-%02d", (int)year, (int)month, (int)day);
    return date_parse(whole, out);
}

bool recon_copy_key(const char *text, size_t size, char key[RECON_KEY_MAX + 1])
{
    while (size > 0 && *text == ' ') {
        text++;
        size--;
    }
    while (size > 0 && text[size - 1] == ' ')
        size--;
    if (size > RECON_KEY_MAX)
        return false;
    memcpy(key, text, size);
    key[size] = '\0';
    if (strcmp(key, "NONREF") == 0 || strcmp(key, "NOTPROVIDED") == 0)
        *key = '\0';
    return true;
}

/* Where the next "WORD+" begins, or the end. */
static size_t before_next_word(const char *text)
{
    const char *plus = strchr(text, '+');

    if (!plus)
        return strlen(text);
    while (plus > text && isupper((unsigned char)plus[-1]))
        plus--;
    return (size_t)(plus - text);
}

bool recon_find_eref(const char *text, char key[RECON_KEY_MAX + 1])
{
    static const char slash[] = "/EREF/", plus[] = "EREF+";
    const char *at = strstr(text, slash);

    if (at) {
        at += sizeof slash - 1;
        return recon_copy_key(at, strcspn(at, "/"), key) && *key;
    }
    at = strstr(text, plus);
    if (!at)
        return false;
    at += sizeof plus - 1;
    return recon_copy_key(at, before_next_word(at), key) && *key;
}
