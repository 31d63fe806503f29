/*
 * log.h -- one line an event on standard error, in logfmt:
 *
 *     LOG(LOG_INFO, "call", log_text("method", name), log_int("us", elapsed_us));
 *     time=2026-11-22T04:05:06.789Z level=info event=call method=HoldRedemption us=1234
 *
 * Not a place for names, phones, addresses, card data, balances or secrets. Keys are literals of ours: a-z and "_".
 * Any thread; a line is one write(2). The least level is the one setting a process has, like standard error itself.
 */
#ifndef IO_LOG_H
#define IO_LOG_H

#include "base/error.h"
#include "base/uuid.h"
#include "base/when.h"

#include <stddef.h>
#include <stdint.h>

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

enum {
    LOG_VALUE_MAX = 256, /* bytes of one value as written; what is beyond is cut and marked "..." */
    LOG_LINE_MAX = 4096, /* bytes of a line; fields that do not fit are left out and cut=true is added */
};

struct log_field {
    const char *key;
    enum { LOG_FIELD_TEXT, LOG_FIELD_INT, LOG_FIELD_BOOL, LOG_FIELD_UUID } kind;
    union {
        const char *text; /* NULL is written as "" */
        int64_t number;
        bool truth;
        const struct uuid *uuid;
    };
};

static inline struct log_field log_text(const char *key, const char *text)
{
    return (struct log_field){ .key = key, .kind = LOG_FIELD_TEXT, .text = text };
}

static inline struct log_field log_int(const char *key, int64_t number)
{
    return (struct log_field){ .key = key, .kind = LOG_FIELD_INT, .number = number };
}

static inline struct log_field log_bool(const char *key, bool truth)
{
    return (struct log_field){ .key = key, .kind = LOG_FIELD_BOOL, .truth = truth };
}

static inline struct log_field log_uuid(const char *key, const struct uuid *uuid)
{
    return (struct log_field){ .key = key, .kind = LOG_FIELD_UUID, .uuid = uuid };
}

/* reason=... */
static inline struct log_field log_reason(const struct error *err)
{
    return log_text("reason", reason_name(err->reason));
}

/* The event is the first field, so that a line without further fields is well-formed C. */
#define LOG_FIELDS(event_name, ...)                                                                                    \
    (const struct log_field[])                                                                                         \
    {                                                                                                                  \
        log_text("event", event_name), __VA_ARGS__                                                                     \
    }
#define LOG(level, event_name, ...)                                                                                    \
    (log_enabled(level) ? log_write(level, LOG_FIELDS(event_name, __VA_ARGS__),                                        \
                                    sizeof(LOG_FIELDS(event_name, __VA_ARGS__)) / sizeof(struct log_field))            \
                        : (void)0)

/* "debug", "info", "warn", "error"; false for another word. */
bool log_level_parse(const char *word, enum log_level *level) MUST_USE;
/* Events below it are not written; info at the start. */
void log_set_level(enum log_level least);
bool log_enabled(enum log_level level);
void log_write(enum log_level level, const struct log_field *fields, size_t count);
/* The line as it would be written, newline included, NUL-terminated; returns its length. */
size_t log_format(char line[LOG_LINE_MAX + 1], struct instant time, enum log_level level,
                  const struct log_field *fields, size_t count);

#endif
