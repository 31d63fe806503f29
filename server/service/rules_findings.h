/*
 * rules_findings.h -- what is wrong with a rule set, in words.
 */
#ifndef SERVICE_RULES_FINDINGS_H
#define SERVICE_RULES_FINDINGS_H

#include "domain/rule_set.h"
#include "service/errand.h"

#include <alliance/v1/rules_service.pb-c.h>

/* Proves the set and adds what is wrong to the answer. */
bool rules_findings(struct errand *errand, const struct rule_set *set, Alliance__V1__ValidateRuleSetResponse *answer,
                    struct error *err) MUST_USE;

#endif
