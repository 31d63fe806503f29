#include "service/rules_findings.h"

#include "domain/rule_set_proof.h"
#include "service/shape.h"

#include <stdio.h>

typedef Alliance__V1__RuleFinding Finding;

enum { FINDINGS_SHOWN = 1000 };

static bool about_rates(const struct rule_finding *finding)
{
    return finding->about == ABOUT_RATE_RULE || finding->about == ABOUT_PRICE || finding->about == ABOUT_SETTLEMENT;
}

static const char *rule_of(const struct rule_set *set, const struct rule_finding *finding, int32_t index)
{
    if (index < 0)
        return "";
    return about_rates(finding) ? set->rate_rules[index].name : set->earn_rules[index].name;
}

/* Where in the document, named as a difference is. */
static const char *path_of(const struct rule_set *set, const struct rule_finding *finding, char *path, size_t size)
{
    static const char *const fields[] = { [ABOUT_EARN_RULE] = "",
                                          [ABOUT_RATE_RULE] = "",
                                          [ABOUT_EARNING] = ".rate",
                                          [ABOUT_PRICE] = ".conversion_rate",
                                          [ABOUT_SETTLEMENT] = ".settlement_rate" };
    const char *field = finding->kind == FINDING_NEVER_MATCHES ? ".match" : fields[finding->about];
    const char *list = about_rates(finding) ? "rate_rules" : "accrual_rules";

    if (finding->rule >= 0)
        snprintf(path, size, "%s[%s]%s", list, rule_of(set, finding, finding->rule), field);
    else if (finding->currency >= 0)
        snprintf(path, size, "rules.rates[%s]%s", set->rules.rates[finding->currency].currency, field);
    else
        snprintf(path, size, "%s", finding->about == ABOUT_EARNING ? "rules.accrual_rate" : list);
    return path;
}

static const char *overflow_text(const struct rule_set *set, const struct rule_finding *finding, char *text,
                                 size_t size)
{
    const char *tier = finding->tier < 0 ? "no tier" : set->tiers[finding->tier].name;
    const char *currency = finding->currency < 0 ? "" : set->rules.rates[finding->currency].currency;

    if (finding->about == ABOUT_SETTLEMENT)
        snprintf(text, size,
                 "maximum_points at the settlement rate%s%s is more than 10^14 minor units: lower maximum_points or "
                 "the rate",
                 *currency ? " of " : "", currency);
    else if (finding->about == ABOUT_PRICE)
        snprintf(text, size,
                 "a price of largest_amount_minor%s%s costs more than 10^12 points with %s: lower "
                 "largest_amount_minor or the rate",
                 *currency ? " in " : "", currency, tier);
    else
        snprintf(text, size,
                 "a spend of largest_amount_minor earns more than 10^12 points with %s: lower largest_amount_minor, "
                 "the rate or the multiplier",
                 tier);
    return text;
}

static const char *text_of(const struct rule_set *set, const struct rule_finding *finding, char *text, size_t size)
{
    static const char *const texts[] = {
        [FINDING_CONFLICT] =
            "both match some case with one priority: give them different ones or part their conditions",
        [FINDING_UNREACHABLE] = "wherever it matches, rules of higher priority do too: it never decides",
        [FINDING_NEVER_MATCHES] = "its conditions contradict each other: it never matches",
        [FINDING_ENTANGLED] = "the rules make too many combinations to prove anything: say it with fewer conditions",
    };

    return finding->kind == FINDING_OVERFLOW ? overflow_text(set, finding, text, size) : texts[finding->kind];
}

static Finding *shape(struct arena *arena, const struct rule_set *set, const struct rule_finding *finding)
{
    Finding *shaped = shape_new(arena, &alliance__v1__rule_finding__descriptor);
    char text[200], path[2 * ID_MAX + 32];

    if (!shaped)
        return NULL;
    shaped->kind = (Alliance__V1__RuleFindingKind)finding->kind;
    shaped->rule = shape_text(arena, rule_of(set, finding, finding->rule));
    shaped->other_rule = shape_text(arena, rule_of(set, finding, finding->other));
    shaped->text = shape_text(arena, text_of(set, finding, text, sizeof text));
    shaped->path = shape_text(arena, path_of(set, finding, path, sizeof path));
    return shaped->rule && shaped->other_rule && shaped->text && shaped->path ? shaped : NULL;
}

bool rules_findings(struct errand *errand, const struct rule_set *set, Alliance__V1__ValidateRuleSetResponse *answer,
                    struct error *err)
{
    struct arena *arena = &errand->call->arena;
    struct rule_proof *room = arena_alloc(arena, sizeof *room);
    struct rule_findings *findings = arena_alloc(arena, sizeof *findings);

    if (!room || !findings)
        return errand_no_room(err);
    rule_set_prove(set, room, findings);
    answer->findings_total = (int32_t)findings->count;
    size_t shown = findings->count < FINDINGS_SHOWN ? findings->count : FINDINGS_SHOWN;
    answer->findings = arena_alloc(arena, (shown + 1) * sizeof(Finding *));
    for (size_t i = 0; answer->findings && i < shown; i++) {
        Finding *shaped = shape(arena, set, &findings->at[i]);
        if (!shaped)
            return errand_no_room(err);
        answer->findings[answer->n_findings++] = shaped;
    }
    return answer->findings || errand_no_room(err);
}
