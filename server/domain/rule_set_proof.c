#include "domain/rule_set_proof.h"

#include <stdlib.h>

enum { FOUR_YEARS = 1461, PRUNE_MAX = 512 };
static const int64_t STEPS_MAX = 20000000;

_Static_assert(EARN_RULES_MAX <= 64 && RATE_RULES_MAX <= 64, "a set of rules is 64 bits");

/* One of the two lists of rules. */
struct rules_view {
    const struct rule_set *set;
    enum finding_about about;
    int32_t count;
    const struct rule_match *match[64];
    int32_t priority[64];
};

static void find(struct rule_findings *findings, struct rule_finding finding)
{
    if (findings->count < FINDINGS_MAX)
        findings->at[findings->count++] = finding;
}

/* Sets of rules */

static int by_bits(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

static size_t unique(uint64_t *sets, size_t count)
{
    size_t kept = 0;

    qsort(sets, count, sizeof *sets, by_bits);
    for (size_t i = 0; i < count; i++) {
        if (kept == 0 || sets[kept - 1] != sets[i])
            sets[kept++] = sets[i];
    }
    return kept;
}

/* false: there are too many different ones. */
static bool add(uint64_t *sets, size_t *count, uint64_t set)
{
    if (*count > 0 && sets[*count - 1] == set)
        return true;
    if (*count == PROOF_SETS_MAX)
        *count = unique(sets, *count);
    if (*count == PROOF_SETS_MAX)
        return false;
    sets[(*count)++] = set;
    return true;
}

/* Adds the rules whose condition of that kind the case satisfies. */
static bool add_case(const struct rules_view *view, struct rule_proof *room, int kind, const struct rule_case *where)
{
    uint64_t set = 0;

    for (int32_t i = 0; i < view->count; i++)
        set |= (uint64_t)rule_conditions[kind](view->match[i], &view->set->rules, where) << i;
    return add(room->sets[kind], &room->set_count[kind], set);
}

/* Every value a condition can tell from others, by kind */

static bool add_small_numbers(const struct rules_view *view, struct rule_proof *room)
{
    struct rule_case where = { 0 };

    for (where.tier = 0; where.tier <= TIER_MAX; where.tier++) {
        if (!add_case(view, room, CONDITION_TIER, &where))
            return false;
    }
    for (where.goods_kind = 0; where.goods_kind < 32; where.goods_kind++) {
        if (!add_case(view, room, CONDITION_KIND, &where))
            return false;
    }
    for (where.category = CATEGORY_UNKNOWN; where.category <= CATEGORY_MAX; where.category++) {
        if (!add_case(view, room, CONDITION_CATEGORY, &where))
            return false;
    }
    for (int32_t i = 0; i < view->set->rules.rate_count; i++) {
        where.currency = view->set->rules.rates[i].currency;
        if (!add_case(view, room, CONDITION_CURRENCY, &where))
            return false;
    }
    return true;
}

/* Those that are named, and one that is not. */
static bool add_names(const struct rules_view *view, struct rule_proof *room)
{
    struct rule_case where = { .merchant_id = "", .channel = "" };

    if (!add_case(view, room, CONDITION_MERCHANT, &where) || !add_case(view, room, CONDITION_CHANNEL, &where))
        return false;
    for (int32_t i = 0; i < view->count; i++) {
        const struct rule_match *match = view->match[i];
        for (int32_t k = 0; k < match->merchant_count; k++) {
            where.merchant_id = match->merchants[k];
            if (!add_case(view, room, CONDITION_MERCHANT, &where))
                return false;
        }
        for (int32_t k = 0; k < match->channel_count; k++) {
            where.channel = match->channels[k];
            if (!add_case(view, room, CONDITION_CHANNEL, &where))
                return false;
        }
    }
    return true;
}

static int by_number(const void *a, const void *b)
{
    int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;

    return (x > y) - (x < y);
}

/* Between two bounds only the day of the month and the weekday matter, and in four years each pair comes up. */
static bool add_dates(const struct rules_view *view, struct rule_proof *room)
{
    int32_t starts[2 * 64 + 2], count = 0;

    starts[count++] = RULE_DATE_FIRST;
    for (int32_t i = 0; i < view->count; i++) {
        starts[count++] = view->match[i]->first_date.days;
        starts[count++] = view->match[i]->last_date.days + 1;
    }
    starts[count++] = RULE_DATE_LAST + 1;
    qsort(starts, (size_t)count, sizeof starts[0], by_number);
    for (int32_t i = 0; i + 1 < count; i++) {
        for (int32_t day = starts[i]; day < starts[i + 1] && day < starts[i] + FOUR_YEARS; day++) {
            struct rule_case where = { .date = { day } };
            if (!add_case(view, room, CONDITION_DATE, &where))
                return false;
        }
    }
    return true;
}

static bool add_sets(const struct rules_view *view, struct rule_proof *room)
{
    for (int kind = 0; kind < RULE_CONDITIONS; kind++)
        room->set_count[kind] = 0;
    if (!add_small_numbers(view, room) || !add_names(view, room) || !add_dates(view, room))
        return false;
    for (int kind = 0; kind < RULE_CONDITIONS; kind++)
        room->set_count[kind] = unique(room->sets[kind], room->set_count[kind]);
    return true;
}

/* Conflicts */

/* Conditions of different kinds are independent, so two rules meet when they do in each kind. */
static bool meet(const struct rule_proof *room, uint64_t rules)
{
    for (int kind = 0; kind < RULE_CONDITIONS; kind++) {
        size_t i = 0;
        while (i < room->set_count[kind] && (room->sets[kind][i] & rules) != rules)
            i++;
        if (i == room->set_count[kind])
            return false;
    }
    return true;
}

static void find_conflicts(const struct rules_view *view, const struct rule_proof *room, struct rule_findings *findings)
{
    for (int32_t i = 0; i < view->count; i++) {
        for (int32_t k = i + 1; k < view->count; k++) {
            if (view->priority[i] == view->priority[k] && meet(room, UINT64_C(1) << i | UINT64_C(1) << k))
                find(findings, (struct rule_finding){ FINDING_CONFLICT, view->about, i, k, -1, -1 });
        }
    }
}

/* Rules that never decide */

enum reach { REACHED, COVERED, TOO_MANY };

/* A set that holds another one is of no use: whoever covers a case of the other covers one of it. */
static size_t keep_smallest(uint64_t *sets, size_t count)
{
    size_t kept = 0;

    /* Ascending and different: what a set holds has a smaller number, so it lies before and was looked at. */
    for (size_t i = 0; i < count && count <= PRUNE_MAX; i++) {
        size_t k = 0;
        while (k < kept && (sets[k] & sets[i]) != sets[k])
            k++;
        if (k == kept)
            sets[kept++] = sets[i];
    }
    return count <= PRUNE_MAX ? kept : count;
}

/* Which of the rules above match together with it, in all cases that conditions of the kinds so far tell apart. */
static enum reach reach(struct rule_proof *room, uint64_t rule, uint64_t above)
{
    uint64_t *now = room->cases[0], *next = room->cases[1];
    size_t count = 1;

    now[0] = above;
    for (int kind = 0; kind < RULE_CONDITIONS; kind++) {
        size_t found = 0;
        for (size_t s = 0; s < room->set_count[kind]; s++) {
            uint64_t set = room->sets[kind][s];
            for (size_t i = 0; (set & rule) != 0 && i < count; i++) {
                if (++room->steps > STEPS_MAX || !add(next, &found, now[i] & set))
                    return TOO_MANY;
            }
        }
        count = keep_smallest(next, unique(next, found));
        uint64_t *swap = now;
        now = next;
        next = swap;
    }
    return count > 0 && now[0] == 0 ? REACHED : COVERED;
}

static void find_unreachable(const struct rules_view *view, struct rule_proof *room, struct rule_findings *findings)
{
    for (int32_t i = 0; i < view->count; i++) {
        uint64_t above = 0;
        if (!meet(room, UINT64_C(1) << i)) {
            find(findings, (struct rule_finding){ FINDING_NEVER_MATCHES, view->about, i, -1, -1, -1 });
            continue;
        }
        for (int32_t k = 0; k < view->count; k++)
            above |= (uint64_t)(view->priority[k] > view->priority[i]) << k;
        enum reach answer = reach(room, UINT64_C(1) << i, above);
        if (answer != REACHED)
            find(findings, (struct rule_finding){ answer == COVERED ? FINDING_UNREACHABLE : FINDING_ENTANGLED,
                                                  view->about, i, -1, -1, -1 });
    }
}

static void prove_view(const struct rules_view *view, struct rule_proof *room, struct rule_findings *findings)
{
    room->steps = 0;
    if (!add_sets(view, room)) {
        find(findings, (struct rule_finding){ FINDING_ENTANGLED, view->about, -1, -1, -1, -1 });
        return;
    }
    find_conflicts(view, room, findings);
    find_unreachable(view, room, findings);
}

void rule_set_prove(const struct rule_set *set, struct rule_proof *room, struct rule_findings *findings)
{
    struct rules_view earn = { .set = set, .about = ABOUT_EARN_RULE, .count = set->earn_rule_count };
    struct rules_view rate = { .set = set, .about = ABOUT_RATE_RULE, .count = set->rate_rule_count };

    findings->count = 0;
    for (int32_t i = 0; i < earn.count; i++) {
        earn.match[i] = &set->earn_rules[i].match;
        earn.priority[i] = set->earn_rules[i].priority;
    }
    for (int32_t i = 0; i < rate.count; i++) {
        rate.match[i] = &set->rate_rules[i].match;
        rate.priority[i] = set->rate_rules[i].priority;
    }
    prove_view(&earn, room, findings);
    prove_view(&rate, room, findings);
    rule_set_find_overflows(set, findings);
}
