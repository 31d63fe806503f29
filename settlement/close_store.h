/*
 * close_store.h -- SQL shared by the closes: the programme, its lock, and settlement_step. Rules live elsewhere.
 */
#ifndef SETTLEMENT_CLOSE_STORE_H
#define SETTLEMENT_CLOSE_STORE_H

#include "base/error.h"
#include "base/when.h"
#include "domain/entry.h"
#include "seal.h"

struct db;
struct progress;
struct rows_ahead;

/* Who has a programme's lock, as PostgreSQL knows it; pid 0 when it has just ended. */
struct lock_holder {
    int32_t pid; /* of the database session */
    char name[96];
};

/* Words of settlement_step.step. */
#define STEP_FENCE      "FENCE"
#define STEP_ROLL_UP    "ROLL_UP"
#define STEP_SEAL       "SEAL"
#define STEP_POINTS     "POINTS"
#define STEP_DAY        "DAY"
#define STEP_STATEMENTS "STATEMENTS"
#define STEP_FILES      "FILES"
enum { NO_BUCKET = -1 };

/* PROGRAMME_NOT_FOUND when there is none of that id. */
bool close_store_programme(struct db *db, const char *programme_id, int32_t *programme_no, struct error *err) MUST_USE;
/* What people see of a session, and how it works. */
bool close_store_name_session(struct db *db, const char *programme_id, struct error *err) MUST_USE;
/* Tries once. The lock belongs to the connection, not to a transaction. */
bool close_store_lock(struct db *db, int32_t programme_no, const char *programme_id, bool *taken,
                      struct lock_holder *holder, struct error *err) MUST_USE;
void close_store_unlock(struct db *db, int32_t programme_no);

/* To be called in the step's transaction; a step that is there already stays as it is. `period`: "" of a day's step. */
bool close_store_record(struct db *db, int32_t programme_no, const char *step, struct date date, int32_t bucket,
                        const char *period, struct error *err) MUST_USE;
bool close_store_recorded(struct db *db, int32_t programme_no, const char *step, struct date date, bool *there,
                          struct error *err) MUST_USE;

/*
 * The seals of one day as the journal is now, by bucket: seals has BUCKETS_MAX elements. Reads that day only, and
 * counts its entries for progress, which may be NULL.
 */
bool close_store_seal_day(struct db *db, int32_t programme_no, struct date date, struct seal *seals,
                          struct progress *progress, struct error *err) MUST_USE;
/* The same in two parts: its entries begin to be read on db, and are waited for. */
bool close_store_seal_ahead(struct db *db, int32_t programme_no, struct date date, struct rows_ahead **ahead,
                            struct error *err) MUST_USE;
bool close_store_seal_rows(struct rows_ahead *ahead, struct seal *seals, struct progress *progress,
                           struct error *err) MUST_USE;

#endif
