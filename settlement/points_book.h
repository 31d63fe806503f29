/*
 * points_book.h -- each bank's points at the end of a period: roll-forward, what is outstanding and what it would cost,
 * breakage, drawn credit by age.
 *
 * A lot past its date stays outstanding until its expiry is booked, which is when the member is next touched, or the
 * sweeper's walk of the day comes by; the walk may end after the day is closed. So the page shows such points by
 * themselves, PAST_NOT_BOOKED, out of the liability; they are in EXPIRED of the day they are booked on.
 *
 * Age counts from the day points became available: earned, matured, adjusted up or reinstated. Of equal lots (same
 * bank, funding and expiry) the oldest points are taken first, over all members; what comes back joins the oldest left.
 *
 * Breakage expected: of the points that left in the 365 days until the last, redeemed or lapsed, what part lapsed; the
 * same part of the live lots. Realised: what expired, was forfeited or closed in the period, less what was reinstated.
 *
 * Read from what the days' POINTS kept, so a close that is repeated later finds the same. Costs: points of a funding at
 * its cost; the bank's own at its general settlement rate in the statement's currency that was in force when the period
 * ended. Each row is rounded half to even; a sum of rows is the sum of what they show.
 */
#ifndef SETTLEMENT_POINTS_BOOK_H
#define SETTLEMENT_POINTS_BOOK_H

#include "base/arena.h"
#include "domain/period.h"
#include "points_line.h"
#include "scope.h"
#include "sheet.h"

struct db;

/* Days of age from which on a class is the next; of lots and of drawn credit. */
enum { POINTS_AGES = 5, POINTS_DRAWN_AGES = 6 };
extern const int32_t points_lot_days[POINTS_AGES + 1], points_drawn_days[POINTS_DRAWN_AGES + 1];

/* Points that the same parties pay for. */
struct points_fund {
    int32_t funding_no;         /* 0: the bank's own */
    const char *funding_id;     /* "" for those, as is the currency */
    const char *currency;       /* of the cost */
    int64_t cost_num, cost_den; /* minor units a point */
    int64_t past;               /* past their date, not yet booked as expired */
    int64_t ages[POINTS_AGES];  /* outstanding in lots */
    int64_t lapsed;             /* in the period: expired or closed, less reinstated */
};

struct points_rate {
    const char *currency;
    int64_t num, den;
};

/* One bank's page; all pointers are the book's. */
struct points_page {
    int32_t bank_no;
    const char *bank_id;
    const char *currency; /* of its statement when it has none for its money */
    struct points_roll roll;
    struct points_fund *funds; /* by number; at least the bank's own */
    size_t fund_count;
    struct points_rate *rates;
    size_t rate_count;
    int64_t drawn[POINTS_DRAWN_AGES];
    int64_t lapsed_in_year,
        left_in_year; /* of the 365 days until the last: points that lapsed; and were redeemed, too */
};

/* Zeroed is empty. */
struct points_book {
    struct arena arena;
    struct points_page *at; /* by bank_id; banks without any entry are not there */
    size_t count;
};

bool points_book_load(struct points_book *book, struct db *db, int32_t programme_no, const struct period *period,
                      struct error *err) MUST_USE;
/*
 * DOES_NOT_TIE names the bank and the two figures: the days' points against their roll-ups, and what the journal leaves
 * outstanding against the members' accounts (and the bucket in which they differ).
 */
bool points_book_tie(struct db *db, int32_t programme_no, const struct period *period, struct error *err) MUST_USE;
void points_book_release(struct points_book *book);
/* Does the page stand in the statement? In those of the periods that the bank's own contract names. */
bool points_book_has(const struct scope *scope, const struct sheet *sheet);
/* A bank with points but no statement to have them gets one, with nothing else in it. */
bool points_book_need(const struct points_book *book, const struct scope *scope, struct sheet_list *list,
                      struct error *err) MUST_USE;
/* An empty page for a bank that has no points and never had. */
const struct points_page *points_book_find(const struct points_book *book, int32_t bank_no);

/* What closing consists of: all of it together, drawn with its sign, is the roll-forward's closing. */
struct points_outstanding {
    int64_t lots, past; /* within and past their date */
    int64_t unlotted;   /* available, but in no lot: 0 in a ledger that verifies */
    int64_t held, pending;
    int64_t drawn; /* 0 or less: credit used */
};
struct points_outstanding points_page_outstanding(const struct points_page *page);

/* What points of a fund cost in a statement's currency; *currency is "" when that is not known. */
struct points_cost {
    char currency[CURRENCY_TEXT];
    int64_t num, den;
};
struct points_cost points_fund_cost(const struct points_page *page, const struct points_fund *fund,
                                    const char *currency);
/* 0 without a cost; DOES_NOT_TIE when it does not fit. */
bool points_cost_of(const struct points_cost *cost, int64_t points, int64_t *minor, struct error *err) MUST_USE;
/* What lapsed in the period and is in no lot's row: forfeited, pending of closed members. */
int64_t points_page_lapsed_rest(const struct points_page *page);
/* The part of the fund's live points that will lapse if they go as those of the last year did. */
bool points_expected_lapse(const struct points_page *page, int64_t points, int64_t *lapse, struct error *err) MUST_USE;
/* Live points of a fund: all ages. */
int64_t points_fund_live(const struct points_fund *fund);

#endif
