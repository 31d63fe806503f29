/*
 * due_store.h -- SQL of what is due.
 */
#ifndef SETTLEMENT_DUE_STORE_H
#define SETTLEMENT_DUE_STORE_H

#include "due.h"

/* What the facts point to is in the arena. */
bool due_store_facts(struct db *db, int32_t programme_no, struct arena *arena, struct due_facts *facts,
                     struct error *err) MUST_USE;
/*
 * The first day before the scope's period, and after the latest calculated one of its kind before it, with a redemption
 * that such periods settle.
 */
bool due_store_left_out(struct db *db, int32_t programme_no, const struct scope *scope, struct date *day, bool *found,
                        struct error *err) MUST_USE;

#endif
