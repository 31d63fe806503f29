#include "io/log.h"

#include "base/text.h"
#include "io/clock.h"

#include <errno.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char *const level_words[] = { "debug", "info", "warn", "error" };
static _Atomic enum log_level least_level = LOG_INFO;

/* Text that never grows past its buffer: what does not fit is not written at all. */
struct writer {
    char *at;
    size_t used, limit;
};

static bool put(struct writer *writer, const char *text, size_t n)
{
    if (n > writer->limit - writer->used)
        return false;
    memcpy(writer->at + writer->used, text, n);
    writer->used += n;
    return true;
}

static bool put_text(struct writer *writer, const char *text)
{
    return put(writer, text, strlen(text));
}

/* Bytes of the UTF-8 character at s, or 0 when it is malformed. */
static size_t character(const char *s, size_t left)
{
    for (size_t n = 1; n <= 4 && n <= left; n++) {
        if (text_utf8(s, n))
            return n;
    }
    return 0;
}

/* C0, DEL and C1: what could move a terminal's cursor. */
static bool is_control(const char *s, size_t n)
{
    unsigned char first = (unsigned char)s[0];

    return n == 1 ? first < 0x20 || first == 0x7f : first == 0xc2 && (unsigned char)s[1] < 0xa0;
}

/* One character of a value, escaped where it must be; *read says how many bytes it took. */
static void escape(const char *s, size_t left, char out[8], size_t *read)
{
    static const char plain[] = "\"\\\n\r\t", letters[] = "\"\\nrt";
    size_t n = character(s, left);
    const char *known = n == 1 ? memchr(plain, s[0], sizeof plain - 1) : NULL;

    *read = n ? n : 1;
    if (n == 0)
        snprintf(out, 8, "\\ufffd");
    else if (known)
        snprintf(out, 8, "\\%c", letters[known - plain]);
    else if (is_control(s, n))
        snprintf(out, 8, "\\u%04x", (unsigned)(unsigned char)s[n - 1]);
    else
        snprintf(out, 8, "%.*s", (int)n, s);
}

static bool needs_quotes(const char *text)
{
    size_t left = strlen(text);

    if (left == 0)
        return true;
    for (size_t n; left > 0; text += n, left -= n) {
        n = character(text, left);
        if (n == 0 || is_control(text, n) || strchr(" =\"\\", *text))
            return true;
    }
    return false;
}

/* What nearly every value is: printable ASCII that stands for itself. Looked at byte by byte, since each call logs. */
static bool is_plain(const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (text[i] <= ' ' || text[i] > '~' || text[i] == '=' || text[i] == '"' || text[i] == '\\')
            return false;
    }
    return n > 0 && n <= LOG_VALUE_MAX;
}

/* The value as it stands in the line; cut at a character's end. */
static void format_value(const char *text, char value[LOG_VALUE_MAX + 8])
{
    struct writer out = { value, 0, LOG_VALUE_MAX };
    bool quoted = needs_quotes(text);
    size_t left = strlen(text), read;
    char one[8];

    out.used = quoted ? 1 : 0;
    value[0] = '"';
    for (; left > 0; text += read, left -= read) {
        escape(text, left, one, &read);
        if (!put_text(&out, one))
            break;
    }
    sprintf(value + out.used, "%s%s", left ? "..." : "", quoted ? "\"" : "");
}

static bool put_text_value(struct writer *line, const char *text)
{
    char value[LOG_VALUE_MAX + 8];
    size_t n = strlen(text);

    if (is_plain(text, n))
        return put(line, text, n);
    format_value(text, value);
    return put_text(line, value);
}

static bool put_value(struct writer *line, const struct log_field *field)
{
    char value[UUID_TEXT];

    switch (field->kind) {
    case LOG_FIELD_TEXT:
        return put_text_value(line, field->text ? field->text : "");
    case LOG_FIELD_INT:
        snprintf(value, sizeof value, "%" PRId64, field->number);
        break;
    case LOG_FIELD_BOOL:
        snprintf(value, sizeof value, "%s", field->truth ? "true" : "false");
        break;
    case LOG_FIELD_UUID:
        uuid_format(field->uuid, value);
        break;
    }
    return put_text(line, value);
}

/* The whole field or nothing of it. */
static bool put_field(struct writer *line, const struct log_field *field)
{
    size_t before = line->used;
    bool whole = put(line, " ", 1) && put_text(line, field->key) && put(line, "=", 1) && put_value(line, field);

    if (!whole)
        line->used = before;
    return whole;
}

size_t log_format(char line[LOG_LINE_MAX + 1], struct instant time, enum log_level level,
                  const struct log_field *fields, size_t count)
{
    static const char cut[] = " cut=true";
    struct writer out = { line, 0, LOG_LINE_MAX - sizeof cut };
    char when[INSTANT_TEXT];
    bool whole = true;

    instant_format(time, when);
    put_text(&out, "time=");
    put_text(&out, when);
    put_text(&out, " level=");
    put_text(&out, level_words[level]);
    for (size_t i = 0; i < count; i++)
        whole = put_field(&out, &fields[i]) && whole;
    out.limit = LOG_LINE_MAX;
    if (!whole)
        put_text(&out, cut);
    put(&out, "\n", 1);
    line[out.used] = '\0';
    return out.used;
}

bool log_level_parse(const char *word, enum log_level *level)
{
    for (size_t i = 0; i < COUNT(level_words); i++) {
        if (strcmp(word, level_words[i]) == 0) {
            *level = (enum log_level)i;
            return true;
        }
    }
    return false;
}

void log_set_level(enum log_level least)
{
    atomic_store_explicit(&least_level, least, memory_order_relaxed);
}

bool log_enabled(enum log_level level)
{
    return level >= atomic_load_explicit(&least_level, memory_order_relaxed);
}

void log_write(enum log_level level, const struct log_field *fields, size_t count)
{
    char line[LOG_LINE_MAX + 1];
    size_t n = log_format(line, clock_now(), level, fields, count);
    ssize_t written;

    /* A log that cannot be written is lost: there is nobody left to tell. */
    do
        written = write(STDERR_FILENO, line, n);
    while (written < 0 && errno == EINTR);
}
