/*
 * recon_store.h -- SQL of one reconciliation: both sides staged in tables of the session, compared in sets, the rest
 * given out redemption by redemption. All within one transaction of the caller's; what is staged goes with it.
 *
 * Memory is bounded by a page, whatever the file's size. Breaks, which stay, are in recon_break_store.h.
 */
#ifndef SETTLEMENT_RECON_STORE_H
#define SETTLEMENT_RECON_STORE_H

#include "base/arena.h"
#include "recon_match.h"
#include "recon_record.h"

#include <stddef.h>

struct db;

enum {
    RECON_CHUNK = 2000,  /* records a statement */
    RECON_GROUPS = 128,  /* redemptions a page */
    RECON_LUMPS = 10000, /* records without a key of ours, of one file */
};

/* Whose file, of which days. */
struct recon_scope {
    int32_t programme_no;
    int16_t party_type; /* enum recon_side */
    int32_t party_no;
    struct date first, last; /* of the period */
    bool net;                /* amounts are gross less commission */
};

/* NOT_FOUND of its kind when the programme has no such party. */
bool recon_store_party(struct db *db, int32_t programme_no, enum recon_side side, const char *id, int32_t *party_no,
                       struct error *err) MUST_USE;
/* Keeps a second reconciliation of the same party away until the transaction ends. */
bool recon_store_lock(struct db *db, const struct recon_scope *scope, bool *taken, struct error *err) MUST_USE;

/* ---- staging ---- */

bool recon_store_stage(struct db *db, struct error *err) MUST_USE;
/* first_no + i names records[i] from here on; at most RECON_CHUNK. */
bool recon_store_add_theirs(struct db *db, const struct recon_record *records, int64_t first_no, size_t count,
                            struct error *err) MUST_USE;
/* The line of the first record that names a party that there is none; 0 when all are known. */
bool recon_store_unknown_party(struct db *db, const struct recon_scope *scope, int64_t *line,
                               struct error *err) MUST_USE;
/* The journal's side, and which redemption each of theirs is about. */
bool recon_store_prepare(struct db *db, const struct recon_scope *scope, struct error *err) MUST_USE;

/* ---- comparing ---- */

/* One record of a redemption that sets cannot decide. */
struct recon_member {
    int64_t group; /* ascending, from 1 */
    bool ours;
    struct recon_item item; /* no is 1, 2, ... within its side */
};
/* Everything of up to RECON_GROUPS redemptions after that group, each side at most RECON_GROUP_MAX; NULL and 0 at the
 * end. In the arena. */
bool recon_store_page(struct db *db, int64_t after, struct arena *arena, struct recon_member **members, size_t *count,
                      struct error *err) MUST_USE;

struct recon_found {
    int16_t class;
    int64_t our_no, their_no; /* 0: none */
};
bool recon_store_put_found(struct db *db, const struct recon_found *found, size_t count, struct error *err) MUST_USE;

/* ---- records without a key of ours ---- */

struct recon_lump {
    int64_t no;
    struct date day;
    int16_t state;
    int64_t amount;
    const char *currency;
    int32_t other_no; /* the other party of the pair; 0: not said */
};
/* All of them in the file's order, at most RECON_LUMPS + 1; in the arena. */
bool recon_store_lumps(struct db *db, const struct recon_scope *scope, struct arena *arena, struct recon_lump **lumps,
                       size_t *count, struct error *err) MUST_USE;
/* Sets aside what is still missing there, for the lumps to be tried on. */
bool recon_store_leave(struct db *db, const struct recon_scope *scope, struct error *err) MUST_USE;
/* Takes all of the day when it adds up to the lump: of the lump's state only, or confirmed less reversed. */
bool recon_store_take_day(struct db *db, const struct recon_lump *lump, struct date day, bool net, bool *taken,
                          struct error *err) MUST_USE;
/* What of the day could be part of the lump: numbers and amounts, at most RECON_SUM_MAX + 1. */
struct recon_part {
    int64_t no, amount;
};
bool recon_store_parts(struct db *db, const struct recon_lump *lump, struct date day, struct arena *arena,
                       struct recon_part **parts, size_t *count, struct error *err) MUST_USE;
bool recon_store_take_parts(struct db *db, const struct recon_lump *lump, const int64_t *numbers, size_t count,
                            struct error *err) MUST_USE;
/* The lumps that were taken are matches, the others are missing here. */
bool recon_store_end_lumps(struct db *db, struct error *err) MUST_USE;

/* ---- the outcome ---- */

/* Records without a partner here that were already matched in another period become duplicates. */
bool recon_store_said_elsewhere(struct db *db, const struct recon_scope *scope, struct error *err) MUST_USE;
/* How many records each class has. DOES_NOT_TIE unless every record is in exactly one. */
bool recon_store_counts(struct db *db, int64_t ours[RECON_CLASS_COUNT], int64_t theirs[RECON_CLASS_COUNT],
                        struct error *err) MUST_USE;

#endif
