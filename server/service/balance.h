/*
 * balance.h -- a member's account as it would be if time had been applied to it: holds past their time given back,
 * lots that are over gone. Pure.
 *
 * The same steps in the same order as a lane takes before it decides anything, on state nobody has locked: for showing
 * only, nothing of it is ever written.
 */
#ifndef SERVICE_BALANCE_H
#define SERVICE_BALANCE_H

#include "domain/account.h"
#include "domain/rules.h"

/* An open hold and what it has drawn. */
struct balance_hold {
    struct uuid id;
    int64_t points;
    struct draws draws;
};

/* true when some open hold is past its time, so that balance_apply needs to know what it has drawn. */
bool balance_overdue(const struct account *account, struct instant now);
/*
 * Applies programme time and business date. holds has the overdue ones at least; an overdue hold that is not among
 * them stays held. rules are those in force, or NULL.
 */
void balance_apply(struct account *account, struct balance_hold *holds, size_t hold_count, struct instant now,
                   struct date business_date, const struct exchange_rules *rules);

#endif
