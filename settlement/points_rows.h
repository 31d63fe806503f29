/*
 * points_rows.h -- a bank's points page as rows, in the order of the documents: CSV, JSON and PDF show the same. Pure.
 *
 * Points cost what their funding says. What is held, pending or in no lot is taken for the bank's own.
 * Expected breakage is what is live in lots times EXPECTED_RATE, which is of the 365
 * days until the period's last: points that lapsed, of all that lapsed or were redeemed; rounded half to even.
 */
#ifndef SETTLEMENT_POINTS_ROWS_H
#define SETTLEMENT_POINTS_ROWS_H

#include "points_book.h"

enum points_part {
    POINTS_PART_ROLL_FORWARD, /* OPENING, a row a line of points_line.h, CLOSING */
    POINTS_PART_OUTSTANDING,  /* what CLOSING consists of, and CLOSING again */
    POINTS_PART_LIABILITY,    /* lots by funding and age, held and pending points, each with its cost; TOTAL */
    POINTS_PART_BREAKAGE,     /* REALISED in the period and EXPECTED of what is left, by funding, each with its cost */
    POINTS_PART_DRAWN_CREDIT, /* by age; TOTAL */
    POINTS_PARTS
};
/* "ROLL_FORWARD". */
const char *points_part_name(enum points_part part);

struct points_row {
    enum points_part part;
    const char *item;
    const char *funding_id; /* "": the bank's own, or none */
    bool has_age;
    int32_t from_days, to_days; /* of age; to_days 0: and more */
    bool has_entries;
    int64_t entries, points;
    int64_t rate_num, rate_den;   /* minor units a point; of EXPECTED_RATE points of points; den 0: none */
    char currency[CURRENCY_TEXT]; /* of the amount; "": none is known */
    int64_t amount_minor;
};
typedef bool points_row_handler(void *owner, const struct points_row *row, struct error *err);
/* currency: the statement's. False when the handler says so, or when a cost does not fit. */
bool points_rows_each(const struct points_page *page, const char *currency, points_row_handler *each, void *owner,
                      struct error *err) MUST_USE;

#endif
