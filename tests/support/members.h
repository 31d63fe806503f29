/*
 * members.h -- a small alliance in a test database and a way to run commands through real lanes, one after another.
 */
#ifndef SUPPORT_MEMBERS_H
#define SUPPORT_MEMBERS_H

#include "database.h"
#include "engine/command.h"
#include "engine/lanes.h"
#include "engine/reference.h"
#include "store/db.h"

/* Programme 1 (sandbox, 2026-01-15T12:00:00Z), bank "bank-a" with rules, merchants "shop-1" (1 %, CNY) and "shop-2". */
struct alliance {
    char conninfo[TEST_CONNINFO];
    struct db *db; /* the test's own connection */
    struct reference_source *reference;
    struct lanes *lanes;
    int32_t bank_no, shop_1, shop_2, good; /* numbers in the database; the good is shop-1's, 500 fen */
};

void alliance_open(struct alliance *alliance);
/* The same, with lanes that look for overdue holds that often. */
void alliance_open_sweeping(struct alliance *alliance, int64_t sweep_every_us);
void alliance_close(struct alliance *alliance);
/* Runs one command and waits for its answer. */
void alliance_run(struct alliance *alliance, struct command *command);
/* Queues all at once and waits for all: as many as fit come in one batch. */
void alliance_run_all(struct alliance *alliance, struct command *commands, size_t count);
/* The same on other lanes of the same database, as a second server would. */
void alliance_run_on(struct lanes *lanes, struct command *commands, size_t count);
/* Moves the test clock; the business date stays. */
void alliance_clock(struct alliance *alliance, const char *instant);
/* What a day close does to the fences. */
void alliance_business_date(struct alliance *alliance, const char *date);
/* One number from SQL without parameters; fails the test when there is none. */
int64_t alliance_count(struct alliance *alliance, const char *sql);
/* Fails the test unless lots = balance, holds = held, chains and sums hold in the whole database. */
void alliance_check(struct alliance *alliance);

/* Commands as a service would make them; request ids are fresh unless given. */
struct command command_set_member(const struct alliance *alliance, const char *member_ref, int64_t credit_limit);
struct command command_accrue(const struct alliance *alliance, const char *member_ref, const char *transaction_ref,
                              int64_t amount_minor);
struct command command_hold(const struct alliance *alliance, const char *member_ref, int64_t points);
struct command command_redeem(const struct alliance *alliance, const char *member_ref, int64_t points);
/* MATURE to SETTLE and TIDY: who it is about; the order is for the caller to fill in. */
struct command command_of_member(const struct alliance *alliance, enum command_kind kind, const char *member_ref);
/* CONFIRM, CANCEL or REVERSE of what that hold made. */
struct command command_on(const struct command *hold, enum command_kind kind, int64_t points);

#endif
