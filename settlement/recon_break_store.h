/*
 * recon_break_store.h -- SQL of what does not agree: kept from run to run, looked for in later periods, listed, closed.
 */
#ifndef SETTLEMENT_RECON_BREAK_STORE_H
#define SETTLEMENT_RECON_BREAK_STORE_H

#include "recon_store.h"

#include "store/db.h"

/* Stored: numbers are for ever. */
enum recon_break_state {
    BREAK_OPEN = 1,
    BREAK_DISPUTABLE = 2, /* looked for in a later period's file too, in vain */
    BREAK_CORRECTING = 3, /* a correction is proposed */
    BREAK_CORRECTED = 4,  /* and approved */
    BREAK_RESOLVED = 5,   /* found in another period, or no longer in a corrected file */
    BREAK_ACCEPTED = 6,   /* nothing is to be done: within the tolerance, or somebody said so */
    BREAK_DISPUTED = 7,   /* a dispute of the line it is about is open */
    BREAK_REJECTED = 8,   /* which was rejected */
    BREAK_EXPIRED = 9,    /* or expired; agreed to it is CORRECTED */
    BREAK_STATE_COUNT
};
const char *recon_break_state_name(int state); /* "OPEN"; "?" for none */
int recon_break_state_named(const char *word); /* 0 for none */

/* ---- runs ---- */

struct recon_run_row {
    int64_t run_no;
    const char *period, *file_name, *settings;
    struct bytes file_sha256;
    struct int64_array our_counts, their_counts;
};
/* The newest run of the scope's party and period; run_no 0 when there is none. */
bool recon_store_last_run(struct db *db, const struct recon_scope *scope, const char *period, struct arena *arena,
                          struct recon_run_row *run, struct error *err) MUST_USE;
/* Sets run->run_no. */
bool recon_store_put_run(struct db *db, const struct recon_scope *scope, struct recon_run_row *run,
                         struct error *err) MUST_USE;
/* What the session has found becomes breaks of the run; those of an older file that are not among them are resolved. */
bool recon_store_put_breaks(struct db *db, const struct recon_scope *scope, const struct recon_run_row *run,
                            int64_t *breaks, struct error *err) MUST_USE;

/* ---- from period to period ---- */

/* Pairs what one period misses with what another has too much; *paired breaks are resolved. */
bool recon_store_retry(struct db *db, const struct recon_scope *scope, int64_t *paired, struct error *err) MUST_USE;
/* Breaks of periods before the scope's were looked for in vain in its file: once each period. */
bool recon_store_age(struct db *db, const struct recon_scope *scope, struct error *err) MUST_USE;

/* ---- for people ---- */

struct recon_break_row {
    int64_t break_no;
    int16_t party_type;
    int32_t party_no, bank_no, merchant_no; /* 0: not known */
    const char *party_id, *period, *key, *bank_id, *merchant_id;
    int16_t class, state;
    struct date our_date;
    int16_t our_state;
    int64_t our_minor, our_points;
    const char *our_currency;
    struct date their_date;
    int16_t their_state;
    int64_t their_minor, their_points;
    const char *their_currency;
    int64_t their_line, run_no;
    int32_t retries, age_days; /* from the period's end to the programme's open day */
    int64_t pair_break_no, correction_no;
    int64_t dispute_no;
    const char *note, *file_name;
    struct uuid redemption_id, ref; /* zero: nothing of ours */
    int32_t hash16;                 /* of the member; -1: not known */
    struct bytes file_sha256;
};
/* What is not given is 0 or "". */
struct recon_break_filter {
    int32_t programme_no;
    int64_t break_no;
    int16_t party_type;
    int32_t party_no;
    const char *period;
    int16_t class, state;
    bool all; /* also those that are settled: CORRECTED, RESOLVED, ACCEPTED, REJECTED, EXPIRED */
};
bool recon_store_each_break(struct db *db, const struct recon_break_filter *filter, db_row_handler *each, void *owner,
                            struct error *err) MUST_USE;
/* One, whose texts live in the arena. */
bool recon_store_break(struct db *db, int32_t programme_no, int64_t break_no, struct arena *arena,
                       struct recon_break_row *row, bool *found, struct error *err) MUST_USE;
/* One of an OPEN or DISPUTABLE break's ways to end; *done false when it is in another state. */
bool recon_store_end_break(struct db *db, int32_t programme_no, int64_t break_no, enum recon_break_state state,
                           const char *note, bool *done, struct error *err) MUST_USE;

/* A correction is proposed for a break, or approved: OPEN, DISPUTABLE or CORRECTING before. */
bool recon_store_correct_break(struct db *db, int64_t break_no, int64_t correction_no, enum recon_break_state state,
                               const char *note, bool *done, struct error *err) MUST_USE;

#endif
