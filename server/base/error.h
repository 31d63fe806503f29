/*
 * error.h -- a function that can fail returns bool and fills the error in its caller's frame.
 *
 * The error is set where it happens and logged once, at the edge. `detail` may be sent to the caller, so it never
 * holds names, phones, addresses, card data, codes or secrets, and never text from PostgreSQL.
 */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include "base/reason.h"

#include <stdbool.h>

#define MUST_USE         __attribute__((warn_unused_result))
#define CLEANUP(release) __attribute__((cleanup(release)))
#define COUNT(array)     (sizeof(array) / sizeof((array)[0]))

enum { ERROR_DETAIL_MAX = 200, ERROR_FIELD_MAX = 64 };

struct error {
    enum reason reason;
    char field[ERROR_FIELD_MAX];   /* path of the wrong field, such as "rows[3].member_ref"; empty for none */
    char detail[ERROR_DETAIL_MAX]; /* what is wrong here and what to do; the reason's own text when empty */
};

/* Always false, so that the caller can write: return error_set(err, ...). */
bool error_set(struct error *err, enum reason reason, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* The same for one wrong field. */
bool error_field(struct error *err, enum reason reason, const char *field, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* The sentence to show: detail, or the reason's text; never NULL. */
const char *error_text(const struct error *err);

#endif
