/*
 * database.h -- a real PostgreSQL for tests: one cluster a test run, one database a test, cloned from a migrated
 * template.
 *
 * The cluster is the one ops/test started (ALLIANCE_TEST_CLUSTER holds its conninfo); without that, the first caller
 * starts one under var/test and leaves it running for the next test.
 */
#ifndef SUPPORT_DATABASE_H
#define SUPPORT_DATABASE_H

#include <stddef.h>

enum { TEST_CONNINFO = 512, TEST_BUCKETS = 4 };

/* Makes a fresh database with the whole schema and writes its conninfo. Fails the test when it cannot. */
void database_make(char conninfo[TEST_CONNINFO]);
/* The same of a database that nobody is connected to. */
void database_copy(const char *of, char conninfo[TEST_CONNINFO]);
/* Drops it, whoever is connected. */
void database_drop(const char *conninfo);

#endif
