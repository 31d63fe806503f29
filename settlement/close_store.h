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
/* Tries once. The lock belongs to the connection, not to a transaction. */
bool close_store_lock(struct db *db, int32_t programme_no, const char *programme_id, bool *taken,
                      struct lock_holder *holder, struct error *err) MUST_USE;
void close_store_unlock(struct db *db, int32_t programme_no);

/* To be called in the step's transaction; a step that is there already stays as it is. */
bool close_store_record(struct db *db, int32_t programme_no, const char *step, struct date date, int32_t bucket,
                        struct error *err) MUST_USE;
bool close_store_recorded(struct db *db, int32_t programme_no, const char *step, struct date date, bool *there,
                          struct error *err) MUST_USE;

/* The seals of one day as the journal is now, by bucket: seals has BUCKETS_MAX elements. Reads that day only. */
bool close_store_seal_day(struct db *db, int32_t programme_no, struct date date, struct seal *seals,
                          struct error *err) MUST_USE;

#endif
