/*
 * member.h -- what happens to a member without a redemption: earning, maturing, clawback, adjustment, transfer, expiry,
 * and the member's own state. Pure.
 *
 * Each function decides one command over state the lane has locked: REASON_OK and everything is changed and the entries
 * are written, or the first rule broken and nothing is.
 */
#ifndef DOMAIN_MEMBER_H
#define DOMAIN_MEMBER_H

#include "domain/redemption.h"

/* The next entry of the account's journal, with everything filled in but what belongs to a redemption. */
struct entry *member_entry(struct entries *entries, struct account *account, const struct moment *moment,
                           enum entry_kind kind, int64_t points);
/* Says which lots the newest entry is about; empty ones are left out. */
void entry_add_lots(struct entries *entries, struct entry *entry, const struct lot *lots, size_t count);

/* What the bank wants the member to be. */
struct member_wish {
    int16_t status; /* 0: as it is; of a new member ACTIVE */
    bool has_tier;  /* otherwise as it is; of a new member 0 */
    int16_t tier;
    struct credit_wish credit;
    uint8_t profile_hash[32];
};
/*
 * *changed says whether anything did (and entries were written). CLOSED closes as member_close does: *moved is what is
 * gone. A closed member stays as it is: wanted CLOSED it is unchanged, otherwise MEMBER_CLOSED. HOLDS_OPEN.
 */
enum reason member_set(struct account *account, const struct member_wish *wish, const struct moment *moment,
                       const struct uuid *ref, bool *changed, int64_t *moved, struct entries *entries) MUST_USE;

/*
 * A roster batch made it and was rolled back: closed, with nothing known of it, and member_set makes it as if it had
 * never been there.
 */
bool member_is_withdrawn(const struct account *account);
/*
 * What a member was before a roster batch changed or closed it. lots and pending_lots: what the closing took; NULL for
 * none.
 */
struct member_before {
    bool was_there; /* false: the batch made it, the rest is not looked at */
    int16_t status, tier;
    int64_t credit_limit;
    struct credit_plan plan;
    uint8_t profile_hash[32];
    const struct lots *lots;
    const struct pending_lots *pending_lots;
};
/*
 * The member is again as it was: nothing was built on what the batch made of it, which the caller has seen to. Points
 * that a closing took come back, and what time has done since is done to them. Never refused.
 */
void member_restore(struct account *account, const struct moment *moment, const struct member_before *before,
                    const struct uuid *ref, int64_t *moved, struct entries *entries);

/*
 * true: member_set with this wish would change nothing, on whatever day and under whatever rules. false: it may. Looks
 * at status, tier, profile_hash, credit_limit and plan only.
 */
bool member_is_so(const struct account *account, const struct member_wish *wish);

/* What is earned, and when it may be spent. */
struct earning {
    int64_t amount_minor;
    const char *currency;
    int64_t fixed_points; /* 1 to POINTS_MAX: what the bank says; 0: as the rules say */
    int32_t funding_no;
    bool by_event;             /* pending until the bank says so */
    struct date pending_until; /* 0: as the rules say; a day that is not after today: at once */
    /* What a rule set looks at, beside the member's tier. */
    const char *merchant_id, *channel; /* "": not known */
    int32_t category;                  /* CATEGORY_UNKNOWN: not known */
    struct date spent_on;              /* in the programme's time zone */
    int64_t paid_with_points_minor;    /* part of amount_minor */
    struct earn_counts *counts; /* the member's; brought up to date. NULL: the bank has no rule set, nor one to come */
};
/* How an accrual was booked: what is needed to take it back. */
struct earned {
    int64_t points;
    int64_t pending;         /* the part that is pending: all or nothing */
    struct date matures_on;  /* 0 when not pending */
    struct date lot_expires; /* of the lot it made or will make; 0 when the day it matures is not known */
    int32_t funding_no;
    const char *rule; /* of the set, that decided; NULL for none. Only member_earn says so */
};
/*
 * Points for spending in a currency the rules have a rate for; by the rule set, where there is one. What earns less
 * than a point, is excluded or beyond a cap earns 0, without an entry, for ever: another day's rules do not make it
 * more.
 */
enum reason member_earn(struct account *account, const struct moment *moment, const struct earning *earning,
                        const struct uuid *ref, struct earned *earned, struct entries *entries) MUST_USE;
/*
 * Points of an accrual that wait for an event (points 0: all of them). earned->pending, and lot_expires when it was not
 * known, are brought up to date. NOT_PENDING, BEYOND_ACCRUAL.
 */
enum reason member_mature(struct account *account, const struct moment *moment, struct earned *earned, int64_t points,
                          const struct uuid *ref, int64_t *moved, struct entries *entries) MUST_USE;
/*
 * Takes back points of an accrual (points 0: all that `left` says): what is pending of it, then its own lot, then the
 * others, first to expire first, then as credit used: never silently lost. BEYOND_ACCRUAL.
 */
enum reason member_claw_back(struct account *account, const struct moment *moment, struct earned *earned, int64_t left,
                             int64_t points, const struct uuid *ref, int64_t *moved, struct entries *entries) MUST_USE;

/* points < 0 takes: lots, then credit used. A closed member is refused. */
enum reason member_adjust(struct account *account, const struct moment *moment, int64_t points, int32_t funding_no,
                          const struct uuid *ref, struct entries *entries) MUST_USE;
/* Gives expired points back, to live until expires_on. BEYOND_EXPIRED. */
enum reason member_reinstate(struct account *account, const struct moment *moment, int64_t points,
                             struct date expires_on, const struct uuid *ref, struct entries *entries) MUST_USE;

/* ACTIVE or FROZEN; a closed member stays closed, a deceased one deceased. */
enum reason member_set_status(struct account *account, const struct moment *moment, int16_t status,
                              const struct uuid *ref, struct entries *entries) MUST_USE;
/* Refused while holds are open. What is available and pending is gone; credit used stays owed. *moved is what is gone.
 */
enum reason member_close(struct account *account, const struct moment *moment, const struct uuid *ref, int64_t *moved,
                         struct entries *entries) MUST_USE;
/* The member's profile is another one now. */
void member_set_profile(struct account *account, const struct moment *moment, const uint8_t profile_hash[32],
                        const struct uuid *ref, struct entries *entries);
/* The bank has nothing personal of the member any more; whatever the next push says of its profile is new. */
void member_erase(struct account *account, const struct moment *moment, const struct uuid *ref,
                  struct entries *entries);
/* A limit of the member's own; a temporary one stays in force for its time. */
enum reason member_set_credit_limit(struct account *account, const struct moment *moment, int64_t credit_limit,
                                    const struct uuid *ref, struct entries *entries) MUST_USE;
/* For a time, beside the member's own or its tier's, which stays; a last date of 0 ends the one there is. */
enum reason member_set_temporary_limit(struct account *account, const struct moment *moment,
                                       const struct temporary_limit *temporary, const struct uuid *ref,
                                       struct entries *entries) MUST_USE;
/* The credit limit follows when it is by tier. */
enum reason member_set_tier(struct account *account, const struct moment *moment, int16_t tier, const struct uuid *ref,
                            struct entries *entries) MUST_USE;

/* What is on its way from one member to another. */
struct parcel {
    struct lots lots;
    struct pending_lots pending_lots; /* merge only */
    int64_t credit;                   /* credit used, merge only */
    int16_t status_before;            /* of the giver */
    bool merge;
};
/* Takes points (merge: everything) off the giver into *parcel. A merge closes the giver; it must have no open holds. */
enum reason member_send(struct account *account, const struct moment *moment, int64_t points, bool merge,
                        const struct uuid *ref, struct parcel *parcel, int64_t *moved,
                        struct entries *entries) MUST_USE;
/*
 * Takes points, 0 or more, for a second member that is made of this one. Held points do not move: HOLDS_OPEN when it
 * would take some of them.
 */
enum reason member_split(struct account *account, const struct moment *moment, int64_t points, const struct uuid *ref,
                         struct parcel *parcel, int64_t *moved, struct entries *entries) MUST_USE;
/* Gives them to the receiver; refused when it is closed or deceased. */
enum reason member_receive(struct account *account, const struct moment *moment, const struct parcel *parcel,
                           const struct uuid *ref, int64_t *moved, struct entries *entries) MUST_USE;
/* Gives them back to the giver, who is as before. Never refused. */
void member_take_back(struct account *account, const struct moment *moment, const struct parcel *parcel,
                      const struct uuid *ref, int64_t *moved, struct entries *entries);

/*
 * What time alone does: pending points that are due mature, lots that are over expire, the credit limit follows its
 * plan. true when something did (at most three entries are written).
 */
bool member_catch_up(struct account *account, const struct moment *moment, struct entries *entries);

#endif
