/*
 * tables.h -- every table that commands write, row by row, against what the model says there is.
 */
#ifndef TESTS_TABLES_H
#define TESTS_TABLES_H

#include "model.h"
#include "store/db.h"

/* Fails the test at the first row that differs, is missing or is one too many. */
void tables_compare(struct model *model, const char *conninfo);

#endif
