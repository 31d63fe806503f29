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
#include "domain/credit.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* MemberStatus of bank_service.proto. */
enum member_status { MEMBER_ACTIVE = 1, MEMBER_FROZEN = 2, MEMBER_CLOSED = 3, MEMBER_DECEASED = 4 };

/* Points that expire on one day and that the same parties pay for. */
struct lot {
    struct date expires_on; /* the first business date on which they are no longer there */
    int32_t funding_no;     /* 0: the bank pays */
    int64_t points;         /* > 0 */
};

/* Ascending by expires_on, then funding_no; one lot each. */
struct lots {
    size_t count;
    struct lot at[LOTS_MAX];
};

/* What a hold took: first-expire-first-out from lots, then from the credit limit. */
struct draws {
    struct lots lots;
    int64_t credit;
};

/* Points that were earned and cannot be spent yet. */
struct pending_lot {
    struct date matures_on; /* MATURES_BY_EVENT: when the bank says so */
    struct date expires_on; /* of the lot they become; MATURES_BY_EVENT: found by the rules of the day they mature */
    int32_t funding_no;
    int64_t points; /* > 0 */
};
#define MATURES_BY_EVENT ((struct date){ 2932896 }) /* 9999-12-31 */

/* Ascending by matures_on, then expires_on, then funding_no; one lot each. */
struct pending_lots {
    size_t count;
    struct pending_lot at[PENDING_MAX];
};

/* Holds of late, for velocity; oldest first. */
struct recent_hold {
    struct instant held_at;
    int64_t points;
    uint64_t card; /* first 8 bytes of SHA-256 of the card token; 0 for none */
};
struct recent_holds {
    size_t count;
    struct recent_hold at[RECENT_MAX];
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
    int16_t tier;           /* 0 to TIER_MAX */
    int64_t available, held, pending, credit_limit, credit_used;
    int64_t expired;                  /* points that expired and were not reinstated */
    struct date counted_on;           /* the day, and its month, that the next two count */
    int64_t day_points, month_points; /* of holds made then, less what came back of them */
    int64_t journal_seq;              /* seq of the newest entry */
    uint8_t chain[32];                /* hash of the newest entry */
    uint8_t profile_hash[32];         /* of the card tokens */
    struct date tier_due;             /* from when on the tier is to be looked at again; 0: no day */
    struct credit_plan plan;          /* what credit_limit follows */
    struct drawn_days drawn;          /* what credit_used consists of */
    size_t hold_count;
    struct open_hold holds[OPEN_HOLDS_MAX];
    /* Last, and only the part that is used need ever be copied or cleared. */
    struct recent_holds recent;
    struct pending_lots pending_lots;
    struct lots lots;
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
/* The first day on which a lot expires, pending points mature, a temporary limit begins or has ended, or the tier is
 * to be looked at; 9999-12-31 when there is none. */
struct date account_next_due(const struct account *account);

/* Takes every lot that is over on that day into *gone (emptied first); returns their points. */
int64_t account_expire(struct account *account, struct date today, struct lots *gone);
/*
 * Adds earned points: credit used is repaid first, the rest becomes a lot: *made, points 0 when nothing was left.
 * AMOUNT_TOO_LARGE or TOO_MANY_LOTS: untouched.
 */
enum reason account_earn(struct account *account, int64_t points, struct date expires_on, int32_t funding_no,
                         struct lot *made) MUST_USE;
/* Adds points that mature later. AMOUNT_TOO_LARGE or TOO_MANY_PENDING: untouched. */
enum reason account_pend(struct account *account, const struct pending_lot *lot) MUST_USE;
/* What is pending in the lot of that day, expiry and funding; 0 when there is none. */
int64_t account_pending_of(const struct account *account, const struct pending_lot *like);
/* Takes points off such a lot; the caller has checked that they are there. */
void account_unpend(struct account *account, const struct pending_lot *like, int64_t points);
/* pending -> available: never refused; joins another lot when there are LOTS_MAX. Credit used is repaid first. */
struct lot account_mature(struct account *account, const struct pending_lot *like, int64_t points,
                          struct date expires_on);

/* available, then credit -> held. The caller has checked 0 < points <= account_spendable. */
void account_hold(struct account *account, int64_t points, struct draws *draws);
/*
 * Takes points for good: first from the lot `first` is like (points ignored; NULL for none), then
 * first-expire-first-out, then, beyond any limit, as credit used. *taken says from where.
 */
void account_take(struct account *account, int64_t points, const struct lot *first, struct draws *taken);
/* Gives whole lots: what was taken from another member, or back. Joins others when there are LOTS_MAX. */
void account_give(struct account *account, const struct lots *lots);
/* Gives whole pending lots; joins the one that matures last when there are PENDING_MAX. */
void account_give_pending(struct account *account, const struct pending_lots *lots);
/*
 * held -> available: the last `points` of the draws go back, credit first, then the lots that expire last. The draws
 * keep what is still drawn; *given has the lots that grew. The caller has checked points against the draws.
 */
struct give_back account_release(struct account *account, struct draws *draws, int64_t points,
                                 const struct give_back_terms *terms, struct lots *given);
/* redeemed -> available: as account_release, for points that are no longer held. */
struct give_back account_restore(struct account *account, struct draws *draws, int64_t points,
                                 const struct give_back_terms *terms, struct lots *given);
/* held -> redeemed. */
void account_spend(struct account *account, int64_t points);

/* Counters of the day and month of a hold: add, and take back what came back of a hold made on that day. */
void account_count(struct account *account, struct date today, int64_t points);
void account_uncount(struct account *account, struct date held_on, int64_t points);
/* What they stand at on that day. */
int64_t account_day_points(const struct account *account, struct date today);
int64_t account_month_points(const struct account *account, struct date today);

/*
 * Keeps the holds made after one instant and up to another. The second lies ahead: what was held by a clock that ran
 * far ahead and was set right must not count until that time has really come.
 */
void account_forget(struct account *account, struct instant before, struct instant ahead);
/* false when RECENT_MAX are remembered. */
bool account_remember(struct account *account, const struct recent_hold *hold) MUST_USE;

/* false when the member has OPEN_HOLDS_MAX already. */
bool account_open_hold(struct account *account, const struct uuid *id, struct instant lapse_at) MUST_USE;
void account_close_hold(struct account *account, const struct uuid *id);
/* NULL when it is not open. */
struct open_hold *account_find_hold(struct account *account, const struct uuid *id);
/* least to POINTS_MAX: POINTS_NOT_POSITIVE below, POINTS_TOO_MANY above. Callers have checked; this is the last
 * defence. */
enum reason points_in_range(int64_t points, int64_t least) MUST_USE;
/* The sum of the draws. */
int64_t draws_points(const struct draws *draws);
int64_t lots_points(const struct lots *lots);

#endif
