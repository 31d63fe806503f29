/*
 * account.h -- one member's points: what is there, what is held, what the bank lent, and the lots it all consists of.
 *
 * Pure: no I/O, no clock, no heap. The lane has locked the row this was read from; nothing here may be called on state
 * that was read without that lock, except account_view. Invariant after every function: available = sum of lots.
 */
#ifndef DOMAIN_ACCOUNT_H
#define DOMAIN_ACCOUNT_H

#include "base/error.h"
#include "base/limits.h"
#include "base/uuid.h"
#include "base/when.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* MemberStatus of bank_service.proto. */
enum member_status { MEMBER_ACTIVE = 1, MEMBER_FROZEN = 2, MEMBER_CLOSED = 3 };

/* Points that expire on one day. */
struct lot {
    struct date expires_on; /* the first business date on which they are no longer there */
    int64_t points;         /* > 0 */
};

/* Ascending by expires_on; one lot a date. */
struct lots {
    size_t count;
    struct lot at[LOTS_MAX];
};

/* What a hold took: first-expire-first-out from lots, then from the credit limit. */
struct draws {
    struct lots lots;
    int64_t credit;
};

struct open_hold {
    struct uuid id;
    struct instant lapse_at;
};

struct account {
    struct uuid member_id;
    int32_t programme_no, bank_no;
    const char *member_ref; /* borrowed from the batch's arena */
    int16_t status;         /* enum member_status */
    int64_t available, held, credit_limit, credit_used;
    int64_t journal_seq;      /* seq of the newest entry */
    uint8_t chain[32];        /* hash of the newest entry */
    uint8_t profile_hash[32]; /* of the card tokens */
    size_t hold_count;
    struct open_hold holds[OPEN_HOLDS_MAX];
    struct lots lots; /* last: only the part that is used need ever be copied */
};

/* What became of points that were given back. */
struct give_back {
    int64_t returned;  /* all of them */
    int64_t forfeited; /* the part that had expired and got no grace; already taken off available again */
};

/* How the bank treats points given back. */
struct give_back_terms {
    struct date today;      /* business date */
    int32_t grace_days;     /* 0: what has expired is forfeited */
    struct date new_expiry; /* for points that were drawn on credit which has been repaid meanwhile */
};

/* Available plus the unused part of the credit limit; never negative (the limit may be below what is used). */
int64_t account_spendable(const struct account *account);
/* Takes every lot that is over on that day; returns its points. */
int64_t account_expire(struct account *account, struct date today);
/* Adds earned points: credit used is repaid first, the rest becomes a lot. AMOUNT_TOO_LARGE or TOO_MANY_LOTS:
 * untouched. */
enum reason account_earn(struct account *account, int64_t points, struct date expires_on) MUST_USE;
/* available, then credit -> held. The caller has checked 0 < points <= account_spendable. */
void account_hold(struct account *account, int64_t points, struct draws *draws);
/*
 * held -> available: the last `points` of the draws go back, credit first, then the lots that expire last. The draws
 * keep what is still drawn. The caller has checked points against the draws.
 */
struct give_back account_release(struct account *account, struct draws *draws, int64_t points,
                                 const struct give_back_terms *terms);
/* redeemed -> available: as account_release, for points that are no longer held. */
struct give_back account_restore(struct account *account, struct draws *draws, int64_t points,
                                 const struct give_back_terms *terms);
/* held -> redeemed. */
void account_spend(struct account *account, int64_t points);

/* false when the member has OPEN_HOLDS_MAX already. */
bool account_open_hold(struct account *account, const struct uuid *id, struct instant lapse_at) MUST_USE;
void account_close_hold(struct account *account, const struct uuid *id);
/* The sum of the draws. */
int64_t draws_points(const struct draws *draws);

#endif
