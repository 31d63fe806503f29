/*
 * position.h -- where a party stands after a period: what it had coming, what the period brought, what is to be paid
 * now, and what stays and why. Pure.
 *
 * Positive is owed to the party. Always opening + movement - payable = closing = carried + held back + disputed.
 */
#ifndef SETTLEMENT_POSITION_H
#define SETTLEMENT_POSITION_H

#include "base/error.h"
#include "base/when.h"
#include "domain/settle_contract.h"

struct position {
    int64_t opening_minor;
    int64_t movement_minor; /* its pairs and postings */
    int64_t payable_minor;  /* to be paid to the party; less than 0: by it */
    int64_t closing_minor;
    int64_t carried_minor;   /* too little to be paid, or owed by who is not asked to pay */
    int64_t held_back_minor; /* reserves not released, orders not delivered */
    int64_t disputed_minor;  /* contested, not decided */
    struct date due_on;      /* a business day */
};

/*
 * Opening, movement, held_back and disputed are given; sets the others. Banks pay and are paid whatever is not held;
 * nobody else is asked to pay while the account goes on: what they owe is carried, and so is less than the contract's
 * minimum. When it does not go on, nothing later would set it off: merchants and carriers are asked for what they owe,
 * but not for what is only held. DOES_NOT_TIE when a sum does not fit.
 */
bool position_settle(const struct settle_contract *contract, bool goes_on, struct position *position,
                     struct error *err) MUST_USE;
/* What is kept back of a period's movement: nothing of a negative one. Rounded down. */
int64_t position_hold_back(const struct settle_contract *contract, int64_t movement_minor);

#endif
