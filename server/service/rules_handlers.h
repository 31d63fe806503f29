/*
 * rules_handlers.h -- the handlers of RulesService; rules_service.c has their table. And what they have in common.
 */
#ifndef SERVICE_RULES_HANDLERS_H
#define SERVICE_RULES_HANDLERS_H

#include "domain/rule_set.h"
#include "service/errand.h"
#include "store/rule_set_store.h"

#include <alliance/v1/rules_service.pb-c.h>

/* rules_life.c */
method_handler rules_draft, rules_validate, rules_approve, rules_schedule, rules_cancel;
/* rules_read.c */
method_handler rules_get, rules_list;
/* rules_diff.c */
method_handler rules_diff;
/* rules_simulate.c */
method_handler rules_simulate_spend, rules_simulate_redemption;
/* rules_back_test.c */
method_handler rules_back_test;
method_close rules_back_test_close;

struct bank;

/* Which rule set is meant: by number, by version, or (both 0) the one in force now. */
struct rules_key {
    const char *bank_id;
    int32_t number, version;
};
/* One that was found, in the errand's call's arena. */
struct rules_found {
    const struct bank *bank;
    struct rule_set_row row;
    struct instant now; /* programme time */
    struct date business_date;
};

/* Shape of a key: the bank is the caller's own, at most one number is given. */
bool rules_check_key(const struct call *call, const struct rules_key *key, struct error *err) MUST_USE;
/* RULE_SET_NOT_FOUND, RULES_NOT_FOUND, NO_RULES_IN_FORCE, BANK_NOT_FOUND. */
bool rules_find(struct errand *errand, const struct rules_key *key, struct rules_found *found,
                struct error *err) MUST_USE;
/* Its document; of a version without one, what it stands for. NULL with *err set. */
Alliance__V1__RuleSetDocument *rules_document_of(struct errand *errand, const struct rules_found *found,
                                                 struct error *err);
/* The message without its document; NULL: the arena is full. */
Alliance__V1__RuleSet *rules_shape(struct arena *arena, const char *bank_id, const struct rule_set_row *row,
                                   struct instant now);

#endif
