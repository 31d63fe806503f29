/*
 * migrate.h -- the schema's history, applied in order and never edited.
 */
#ifndef STORE_MIGRATE_H
#define STORE_MIGRATE_H

#include "base/error.h"

struct db;

struct migration {
    int number;       /* 1, 2, 3, ... */
    const char *name; /* the file's name without .sql */
    const char *sql;
};

/* Generated from server/schema/migrations; the last row has name NULL. */
extern const struct migration migrations[];

/*
 * Applies what is missing, each migration in its own transaction, under a lock so that two may start at once.
 * buckets is written on the first run (1 to BUCKETS_MAX) and must agree with what is there later. An applied migration
 * whose text has changed since is refused with SETTING_INVALID.
 */
bool migrate(struct db *db, int buckets, struct error *err) MUST_USE;
/* Only those up to that number, and nothing is said of buckets: for tests that begin with an old database. */
bool migrate_to(struct db *db, int number, struct error *err) MUST_USE;

#endif
