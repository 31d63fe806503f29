/*
 * sweep_store.h -- the daily walk over a bucket's accounts: how far it has come, what it looks at, the notices it
 * writes.
 *
 * One transaction a chunk: the claim locks the walk's row, so that of two servers one works on it; the other finds
 * nothing to claim and goes elsewhere. Nothing but that row is locked.
 */
#ifndef STORE_SWEEP_STORE_H
#define STORE_SWEEP_STORE_H

#include "store/db.h"

/* A sweeper that stops in the middle of a chunk must not keep the others from it for long. */
extern const char sweep_session_sql[];

/* A bucket in which some programme's walk is not over for the open business date. */
struct sweep_behind {
    int32_t bucket;
    int32_t days; /* business dates that are not finished; 1: the open one */
};
bool sweep_store_behind(struct db *db, struct arena *arena, struct sweep_behind **rows, size_t *count,
                        struct error *err) MUST_USE;

/* The walk of a programme that has something to do and that nobody else works on. */
struct sweep_claim {
    int32_t programme_no;
    struct date business_date; /* the day the walk is about, or was */
    struct uuid after_member_id;
    bool finished;      /* with that day */
    struct date today;  /* the open business date: later than business_date when finished */
    struct instant now; /* programme time */
};
bool sweep_store_claim(struct db *db, int32_t bucket, struct sweep_claim *claim, bool *found,
                       struct error *err) MUST_USE;
/* How far the claimed walk is now. */
bool sweep_store_move(struct db *db, int32_t bucket, const struct sweep_claim *claim, struct error *err) MUST_USE;

/* The bucket's accounts behind that one, of all programmes, in order of their ids. */
struct sweep_member {
    struct uuid member_id;
    int32_t programme_no, bank_no;
    struct date next_due;
    int16_t status, tier;
    int32_t reviewed_by; /* version by whose tiers the member was looked at last; 0: there is no review */
};
bool sweep_store_members(struct db *db, int32_t bucket, const struct uuid *after, int32_t limit, struct arena *arena,
                         struct sweep_member **rows, size_t *count, struct error *err) MUST_USE;

/* Those of the claim's programme behind claim->after_member_id up to `last` to whom something happens by that day. */
struct sweep_lots {
    struct uuid member_id;
    int32_t bank_no;
    const char *member_ref;
    struct bytes lots; /* domain/packed.h */
};
bool sweep_store_lots(struct db *db, int32_t bucket, const struct sweep_claim *claim, const struct uuid *last,
                      struct date due_by, struct arena *arena, struct sweep_lots **rows, size_t *count,
                      struct error *err) MUST_USE;

/* Points of a member that expire together. */
struct sweep_notice {
    int32_t bank_no;
    struct uuid member_id;
    const char *member_ref;
    struct date expires_on;
    int32_t days_ahead; /* 30, 7 or 1 */
    int64_t points;
};
/* Each (member, expires_on, days_ahead) is written once; *written counts the new ones. */
bool sweep_store_notices(struct db *db, int32_t bucket, struct date today, const struct sweep_notice *notices,
                         size_t count, int64_t *written, struct error *err) MUST_USE;
/* Deletes up to limit notices of the programme's banks that were made before that day. */
bool sweep_store_prune(struct db *db, int32_t bucket, int32_t programme_no, struct date before, int32_t limit,
                       struct error *err) MUST_USE;

#endif
