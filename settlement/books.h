/*
 * books.h -- what a close adds to the frozen facts: postings by contract, corrections, what is held, and where each
 * party stands afterwards.
 *
 * books_load reads what it needs, books_post and books_settle only calculate: the same input gives the same postings in
 * the same order.
 */
#ifndef SETTLEMENT_BOOKS_H
#define SETTLEMENT_BOOKS_H

#include "base/arena.h"
#include "calendar.h"
#include "domain/period.h"
#include "posting.h"
#include "scope.h"
#include "sheet.h"

struct db;

/* What a party had before. */
struct opening {
    struct party party;
    const char *currency;
    int64_t closing_minor; /* of its statement before */
};

/* Kept for a while, by a row of settlement_hold or by this close. */
enum keep_kind {
    KEEP_RESERVE = 1,
    KEEP_DISPUTE = 2,
    KEEP_UNDELIVERED = 3,
    KEEP_DISPUTE_RELEASED = 4,
    KEEP_RESERVE_RELEASED = 5,
    KEEP_KINDS
};
struct keep {
    int16_t kind;                    /* enum keep_kind */
    int32_t merchant_no, carrier_no; /* whose money it is; the other is 0 */
    const char *currency;
    /* More than 0; of UNDELIVERED any, as more may have been reversed than is left; of those RELEASED less than 0: in
     * the period in which a dispute ends or a reserve is free it takes back what the statements before kept. */
    int64_t amount_minor;
    const char *refers_to;
    bool new;               /* this close keeps it back for the first time */
    struct date release_on; /* of a new one */
};

struct party_id {
    struct party party;
    const char *id;
};

/* A correction that the period takes. */
struct taken {
    int64_t correction_no;
    struct posting posting;
};

/* Zeroed is empty. All pointers are the arena's. */
struct books {
    struct arena arena;
    const struct scope *scope;
    const struct period *period; /* the scope's */
    struct calendar calendar;
    struct opening *openings;
    size_t opening_count;
    struct party_id *ids;
    size_t id_count;
    struct taken *taken;
    size_t taken_count;
    struct keep *keeps;
    size_t keep_count, keep_room;
    struct posting_list postings;
};

void books_release(struct books *books);
bool books_load(struct books *books, struct db *db, int32_t programme_no, const struct scope *scope,
                struct error *err) MUST_USE;
/* The postings; statements of parties that have no pairs but postings, money kept or an opening are added, in order. */
bool books_post(struct books *books, struct sheet_list *list, struct error *err) MUST_USE;
/* The positions of all statements. */
bool books_settle(struct books *books, struct sheet_list *list, struct error *err) MUST_USE;
/* "HELD_BACK", "DISPUTED", "UNDELIVERED", "DISPUTE_RELEASED", "HELD_BACK_RELEASED" */
const char *keep_name(int kind);
bool keep_is_release(int kind);
/* Whose money it is. */
struct party keep_party(const struct keep *keep);
/* Is it of that statement? */
bool keep_is_of(const struct keep *keep, const struct sheet *sheet);
/* For what reads the holds. */
bool books_keep(struct books *books, const struct keep *keep, struct error *err) MUST_USE;
/* "" for the operator, tax, and a number that is nobody's. */
const char *books_id(const struct books *books, struct party party);
#endif
