/*
 * explain_steps.h -- why an entry is what it is, as sentences with the numbers in them: inputs, rates of the version,
 * exact product, rounding, result, lots. Pure: every fact arrives as an argument.
 */
#ifndef SERVICE_EXPLAIN_STEPS_H
#define SERVICE_EXPLAIN_STEPS_H

#include "base/arena.h"
#include "domain/account.h"
#include "domain/entry.h"
#include "domain/rule_set.h"

enum { EXPLAIN_STEPS_MAX = LOTS_MAX + 16, EXPLAIN_FRACTION = 96 };

/* What is known. Pointers may be NULL where it says so. */
struct explain_facts {
    const struct entry *entry;
    const struct entry *before;              /* the one before it; seq 0 when it is the first */
    const struct lots *lots;                 /* of the entry */
    const struct exchange_rules *rules;      /* the version it was decided under; NULL: none, or no longer known */
    const struct exchange_rules *rules_then; /* in force at its time: they say what becomes of expired lots */
    const struct terms *terms;               /* as rules */
    /* "" for the bank. */
    const char *(*funding_name)(const void *owner, int32_t funding_no);
    const void *owner;
    struct {
        bool known;
        const char *transaction_ref, *currency;
        int64_t amount_minor, points;
        struct date matures_on;
        bool fixed_points;
        const struct rule_set *set; /* that decided; NULL: the general rate did */
        struct spend spend;         /* without what was earned before, which is not kept */
    } accrual;                      /* of ACCRUE and PEND */
    struct {
        bool known, one_step, has_lines;
        int64_t points, confirmed_points;
        int64_t gross_minor, commission_minor;
        int64_t reversed_before; /* points earlier entries reversed */
        struct instant lapse_at;
        const struct rule_set *set; /* of the version, where it is a confirmation; NULL otherwise */
        struct rule_case where;     /* tier: the member's now */
    } redemption;                   /* of what belongs to one */
    struct {
        bool known;
        int32_t before, after; /* tiers */
        int32_t judged;        /* the tier that was reached, or is no longer */
        const char *name;      /* its own; "" when it is not known */
        const char *currency;
        int64_t spent_minor, needed_minor;
        struct date first_day; /* of the period */
    } review;                  /* of MEMBER, where a tier review made it */
};

struct explain_steps {
    struct arena *arena;
    char *at[EXPLAIN_STEPS_MAX];
    size_t count;
    bool failed; /* the arena is full */
};

/* Fills steps, whose arena is set; steps->failed when there was no room. */
void explain_entry(const struct explain_facts *facts, struct explain_steps *steps);
/* value * num / den, exactly: "12", "12.345" or, when the decimals do not end soon, "12 1/3". */
void explain_fraction(int64_t value, int64_t num, int64_t den, char text[EXPLAIN_FRACTION]);

#endif
