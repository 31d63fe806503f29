/*
 * rule_set_proof.h -- what is wrong with a rule set, all of it: rules that contradict each other, rules that never
 * decide, amounts that do not fit.
 *
 * Not a sample of cases but all of them: two cases that the conditions of a kind tell apart in no way are one. Of each
 * kind of condition only the sets of rules that some value satisfies are kept, as bit sets; a case is one of each, and
 * the rules that match it are what they have in common. Pure.
 */
#ifndef DOMAIN_RULE_SET_PROOF_H
#define DOMAIN_RULE_SET_PROOF_H

#include "domain/rule_set.h"

enum finding_kind {
    FINDING_CONFLICT = 1,  /* two rules of one priority match one case */
    FINDING_UNREACHABLE,   /* wherever it matches, a rule of higher priority does too */
    FINDING_NEVER_MATCHES, /* its conditions contradict each other */
    FINDING_OVERFLOW,      /* an amount the set allows leads to more than fits */
    FINDING_ENTANGLED,     /* too many combinations to prove anything: say it with fewer rules */
};
enum finding_about { ABOUT_EARN_RULE = 1, ABOUT_RATE_RULE, ABOUT_EARNING, ABOUT_PRICE, ABOUT_SETTLEMENT };

struct rule_finding {
    enum finding_kind kind;
    enum finding_about about; /* of an overflow: ABOUT_EARNING, ABOUT_PRICE, ABOUT_SETTLEMENT */
    int32_t rule, other;      /* indexes; -1: the general rate, or none */
    int32_t tier, currency;   /* of an overflow: indexes into tiers and rates; -1: none */
};

/* Every pair of each kind of rule, and every rule with every tier, finds room. */
enum { FINDINGS_MAX = 8192, PROOF_SETS_MAX = 4096 };
struct rule_findings {
    size_t count;
    struct rule_finding at[FINDINGS_MAX];
};

/* Room to work in; nothing of it is kept. */
struct rule_proof {
    uint64_t sets[RULE_CONDITIONS][PROOF_SETS_MAX];
    size_t set_count[RULE_CONDITIONS];
    uint64_t cases[2][PROOF_SETS_MAX];
    int64_t steps;
};

/* Adds what is wrong with amounts: the largest that the set allows, with every rate and every tier. */
void rule_set_find_overflows(const struct rule_set *set, struct rule_findings *findings);
/* Fills findings, in the order of rules; none: the set may be used. */
void rule_set_prove(const struct rule_set *set, struct rule_proof *room, struct rule_findings *findings);

#endif
