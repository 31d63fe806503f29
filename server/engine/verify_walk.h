/*
 * verify_walk.h -- what the parts of a verification share; for verify*.c only.
 */
#ifndef ENGINE_VERIFY_WALK_H
#define ENGINE_VERIFY_WALK_H

#include "engine/verify.h"

#include "base/arena.h"
#include "domain/entry.h"
#include "io/crypto.h"
#include "store/verify_store.h"

/* Where is the thing with this name? Grows; a zeroed map is empty. */
struct verify_map {
    struct uuid *keys;
    uint32_t *places; /* place + 1; 0 is free */
    size_t slots, count;
};
void verify_map_clear(struct verify_map *map);
void verify_map_release(struct verify_map *map);
/* The place, or -1. */
int64_t verify_map_find(const struct verify_map *map, const struct uuid *key);
/* The key is new; false when out of memory. */
bool verify_map_add(struct verify_map *map, const struct uuid *key, size_t place) MUST_USE;

/* Sums that wrap instead of trapping: a row that was changed by hand can hold any number. */
static inline int64_t verify_sum(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a + (uint64_t)b);
}

static inline int64_t verify_less(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a - (uint64_t)b);
}

/* A business date of a programme in the bucket at hand. */
struct verify_day {
    int32_t programme_no;
    struct date date;
    int64_t entries, points;
    uint8_t hash[CRYPTO_HASH];  /* as the day's seal is made */
    int64_t sums[LEDGER_COUNT]; /* members' accounts by their balances, the others by what the entries say */
};

/* What a redemption's entries add up to. */
struct verify_hold {
    struct uuid id;
    size_t member; /* place in the range's accounts; SIZE_MAX when there is no account */
    int64_t seq;   /* of its first entry */
    int32_t holds, confirms, cancels, lapses;
    int64_t held, confirmed, returned, reversed;
    int64_t gross, commission, reversed_gross, reversed_commission;
    int64_t cash; /* beside all its points, as its row says */
};

/* What stands behind an entry that a request caused. */
enum verify_cause_table { CAUSE_NONE, CAUSE_OPERATION, CAUSE_ACCRUAL };
struct verify_cause {
    struct uuid ref;
    enum verify_cause_table table;
    size_t member;
    int64_t seq, points, gross, commission;
    enum entry_kind kind;              /* of its newest entry of a redemption, which is the place of it */
    size_t hold;                       /* SIZE_MAX: it is about none */
    int64_t reversed, reversed_before; /* of the redemption, with it and without it */
};

/* A member of the range while its entries come by. */
struct verify_member {
    const struct verify_account_row *account; /* NULL: there is none */
    size_t place;                             /* among the range's accounts */
    struct uuid member_id;
    struct entry last;  /* zeroed before the first */
    int64_t open_holds; /* left open by the journal */
    int64_t open_points;
    bool orphan_told;
};

struct verify_programme {
    int32_t programme_no;
    struct date open_from;
    int64_t walked;    /* what entries of closed days left in clearing.transfer */
    int64_t accounted; /* what transfers say of it */
};

enum verify_phase {
    PHASE_MEMBERS,
    PHASE_SEALS,
    PHASE_REDEMPTIONS,
    PHASE_OPERATIONS,
    PHASE_ACCRUALS,
    PHASE_TRANSFERS,
    PHASE_COUNT
};

struct verify {
    struct verify_scope scope;
    verify_found *found;
    void *owner;
    struct verify_progress progress, at_bucket; /* as it was when the bucket began */
    /* Where it is. */
    bool begun, finished;
    int32_t bucket;
    enum verify_phase phase;
    struct uuid after; /* within the phase */
    /* Of the whole walk. */
    struct verify_programme *programmes, *programmes_at_bucket;
    size_t programme_count;
    /* Of the bucket. */
    struct verify_day *days;
    size_t day_count, day_room;
    struct verify_map day_map;
    /* Of the range. */
    struct arena rows, each; /* the range's rows; one row of a stream */
    struct verify_account_row *accounts;
    struct verify_member *members;
    size_t account_count;
    struct verify_hold *holds;
    size_t hold_count, hold_room;
    struct verify_map hold_map;
    struct verify_cause *causes;
    size_t cause_count, cause_room;
    struct verify_map cause_map;
};

/* verify.c: finding something. account may be NULL. */
void verify_tell(struct verify *verify, enum verify_rule rule, const struct verify_account_row *account,
                 const struct uuid *member_id, int64_t seq, const char *format, ...)
    __attribute__((format(printf, 6, 7)));
bool verify_in_scope(const struct verify *verify, int32_t programme_no);
struct verify_programme *verify_programme_of(struct verify *verify, int32_t programme_no);
bool verify_no_memory(struct error *err);
/* Makes room for one more element; false when out of memory. */
bool verify_grow(void **at, size_t *room, size_t count, size_t size) MUST_USE;

/* verify_member.c: one member's entries in order, against each other and the account. Pure but for finding. */
bool verify_member_entry(struct verify *verify, struct verify_member *member, const struct journal_row *row,
                         const struct entry *entry) MUST_USE;
void verify_member_end(struct verify *verify, struct verify_member *member);
/* verify_day.c */
bool verify_day_add(struct verify *verify, const struct entry *before, const struct entry *entry) MUST_USE;
bool verify_seal_step(struct verify *verify, struct db *db, struct error *err) MUST_USE;
/* verify_cause.c: what entries say of redemptions and requests, and whether those agree. */
bool verify_cause_add(struct verify *verify, const struct verify_member *member, const struct entry *entry) MUST_USE;
bool verify_cause_check(struct verify *verify, struct db *db, struct error *err) MUST_USE;
/* verify_range.c: PHASE_MEMBERS; *more says that there are members left. */
bool verify_range_step(struct verify *verify, struct db *db, bool *more, struct error *err) MUST_USE;
/* verify_rows.c: the other phases. */
bool verify_rows_step(struct verify *verify, struct db *db, bool *more, struct error *err) MUST_USE;

#endif
