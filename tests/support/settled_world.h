/*
 * settled_world.h -- a database with a sandbox programme, two banks, three merchants and journal entries as a test
 * writes them, for the tests of settlement. Failing anywhere fails the test.
 *
 * The programme is "demo" (number 1), Asia/Shanghai, from 2017-01-01, with its clock far ahead, so that every day is
 * over. Banks 1 "bank-a" and 2 "bank-b"; merchants 1 "shop-1", 2 "shop-2", 3 "=shop"; stores 1 "s1" of merchant 1, 2
 * "s,2" of merchant 2 and 3 "@3" of merchant 3.
 */
#ifndef SUPPORT_SETTLED_WORLD_H
#define SUPPORT_SETTLED_WORLD_H

#include "database.h"

#include "base/error.h"
#include "close.h"

#include <libpq-fe.h>
#include <stdint.h>

struct world {
    char conninfo[TEST_CONNINFO];
    char dir[64];    /* for files; removed with the world */
    PGconn *sql;     /* the test's own eyes and hands */
    bool unbalanced; /* closes leave the accounts as the test made them */
};

void world_make(struct world *world);
void world_drop(struct world *world);
/* Another world like that one: its database and its files. */
void world_copy(struct world *world, struct world *of);

/* Runs SQL made as by printf. */
void world_do(struct world *world, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* All rows as text, columns by "|", rows by newline; the caller's to free. */
char *world_ask(struct world *world, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The one value. */
int64_t world_number(struct world *world, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* One journal entry; what is not given is 0. seq must be new within the member. */
struct world_entry {
    int bucket, member;
    int64_t seq;
    const char *date, *at; /* at: NULL for noon UTC of the date */
    int kind;
    int64_t points;
    int bank, merchant, store;
    const char *currency; /* NULL: USD */
    int64_t gross, commission;
};
void world_put(struct world *world, const struct world_entry *entries, size_t count);
/* Two days of January 2017 with a bit of everything, used by several stories. */
void world_put_usual(struct world *world);
/* n entries all over a month, chosen by the seed: confirmations and reversals in three currencies, and other kinds. */
void world_put_random(struct world *world, const char *month, int n, unsigned seed);

/*
 * Makes the members' accounts what the journal leaves outstanding, one account a bucket and bank; closes of a period do
 * it first, for entries put by a test have no lane that would.
 */
void world_balance(struct world *world);

/* What the step POINTS writes: to be emptied with settlement_step. */
#define POINTS_TABLES "day_points, point_lot, day_lot_age, day_lapsed, member_drawn, drawn_day, day_drawn_age"

/* One settlement contract of a party; what is not given is as without a contract. */
struct world_contract {
    int party, no;        /* enum party_kind, and its number */
    const char *currency; /* NULL: USD */
    const char *from;     /* effective; NULL: 2017-01-01 */
    const char *tiers;    /* "from:bp from:bp"; NULL: none */
    int kind;             /* enum period_kind; 0: MONTH */
    const char *ends;     /* of CUSTOM: an SQL array's inside */
    int64_t min_payout, fee_period, fee_redemption, residue_limit, freight;
    int hold_back_bp, hold_back_periods, tax_bp, tax_rounding, tax_bearer, eligibility;
    int payment_days; /* 0: 15 */
};
void world_contract(struct world *world, const struct world_contract *contract);

/* The commands, each on a connection of its own; the answer is the reason, the sentence is in err. */
enum reason world_close_day(struct world *world, const char *date, struct error *err);
enum reason world_close_until(struct world *world, const char *until, struct error *err);
enum reason world_close_period(struct world *world, const char *period, struct error *err);
/* Closes all days and the month; must succeed. */
void world_settle(struct world *world, const char *last_day, const char *period);

/* Everything settlement keeps, but for times and statement numbers, as text; the caller's to free. */
char *world_kept(struct world *world);
/* Names and SHA-256 of all files, sorted; the caller's to free. */
char *world_files(struct world *world);

/* A piece of work in a process of its own that kills itself with SIGKILL after that many steps; 0: never. */
typedef enum reason world_work(struct world *world, struct close_run *run, struct error *err);
/* true when it was killed, false when it came to its end before; then its work must have succeeded. */
bool world_killed_after(struct world *world, int steps, world_work *work);
/* The same, killed when so many microseconds of it are over, wherever it is. */
bool world_killed_at(struct world *world, int64_t us, world_work *work);
enum reason world_day_work(struct world *world, struct close_run *run, struct error *err);    /* until 2017-01-31 */
enum reason world_period_work(struct world *world, struct close_run *run, struct error *err); /* 2017-01 */

#endif
