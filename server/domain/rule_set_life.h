/*
 * rule_set_life.h -- the life of a rule set, as rows. Time alone makes what is scheduled active and superseded.
 */
#ifndef DOMAIN_RULE_SET_LIFE_H
#define DOMAIN_RULE_SET_LIFE_H

#include "base/error.h"
#include "base/when.h"

#include <stdint.h>

/* RuleSetState of rules_service.proto. */
enum rule_set_state {
    RULE_SET_DRAFT = 1,
    RULE_SET_VALIDATED,
    RULE_SET_APPROVED,
    RULE_SET_SCHEDULED,
    RULE_SET_ACTIVE,
    RULE_SET_SUPERSEDED,
    RULE_SET_CANCELLED,
};
enum rule_set_event { RULE_SET_VALIDATE = 1, RULE_SET_APPROVE, RULE_SET_SCHEDULE, RULE_SET_CANCEL };

/* What is kept as SCHEDULED, as it is now; any other state is what it is. It is in force from `from` to `until`. */
enum rule_set_state rule_set_state_at(enum rule_set_state kept, struct instant from, struct instant until,
                                      struct instant now);
/* RULE_SET_STATE, with a sentence that says what is to be done first, when the event may not happen in that state. */
bool rule_set_move(enum rule_set_state from, enum rule_set_event event, enum rule_set_state *to,
                   struct error *err) MUST_USE;

#endif
