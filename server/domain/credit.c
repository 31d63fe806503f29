#include "domain/credit.h"

#include "domain/account.h"
#include "domain/rules.h"

#include <string.h>

bool credit_same_plan(const struct credit_plan *a, const struct credit_plan *b)
{
    return a->by_tier == b->by_tier && a->begun == b->begun && a->base == b->base &&
           a->temporary.points == b->temporary.points && a->temporary.first.days == b->temporary.first.days &&
           a->temporary.last.days == b->temporary.last.days;
}

static bool has_temporary(const struct credit_plan *plan)
{
    return plan->temporary.last.days != 0;
}

bool credit_set(struct account *account, const struct credit_wish *wish, struct date today, int64_t tier_limit)
{
    const struct credit_plan before = account->plan;
    int64_t limit_before = account->credit_limit, lasting = wish->by_tier ? tier_limit : wish->limit;
    struct credit_plan *plan = &account->plan;

    *plan = (struct credit_plan){ .by_tier = wish->by_tier };
    if (wish->temporary.last.days != 0 && wish->temporary.last.days >= today.days) {
        plan->temporary = wish->temporary;
        plan->begun = wish->temporary.first.days <= today.days;
        plan->base = wish->by_tier ? 0 : wish->limit;
    }
    account->credit_limit = plan->begun ? plan->temporary.points : lasting;
    return account->credit_limit != limit_before || !credit_same_plan(plan, &before);
}

bool credit_set_own(struct account *account, int64_t limit)
{
    struct credit_plan *plan = &account->plan;
    int64_t own = has_temporary(plan) ? plan->base : account->credit_limit;

    if (!plan->by_tier && own == limit)
        return false;
    plan->by_tier = false;
    plan->base = has_temporary(plan) ? limit : 0;
    if (!plan->begun)
        account->credit_limit = limit;
    return true;
}

bool credit_set_temporary(struct account *account, const struct temporary_limit *temporary, struct date today,
                          int64_t tier_limit)
{
    const struct credit_plan *plan = &account->plan;
    const struct credit_wish wish = { .by_tier = plan->by_tier,
                                      .limit = has_temporary(plan) ? plan->base : account->credit_limit,
                                      .temporary = *temporary };

    return credit_set(account, &wish, today, tier_limit);
}

int64_t credit_tier_limit(const struct account *account, const struct exchange_rules *rules, int32_t tier)
{
    const struct credit_plan *plan = &account->plan;

    if (rules)
        return rules_tier_limit(rules, tier);
    return plan->by_tier && !plan->begun ? account->credit_limit : 0;
}

bool credit_follow(struct account *account, struct date today, int64_t tier_limit)
{
    const struct credit_plan before = account->plan;
    int64_t limit_before = account->credit_limit;
    struct credit_plan *plan = &account->plan;

    if (account->status == MEMBER_CLOSED)
        return false;
    if (has_temporary(plan) && plan->temporary.last.days < today.days) {
        account->credit_limit = plan->base;
        *plan = (struct credit_plan){ .by_tier = plan->by_tier };
    }
    plan->begun = has_temporary(plan) && plan->temporary.first.days <= today.days;
    if (plan->begun)
        account->credit_limit = plan->temporary.points;
    else if (plan->by_tier)
        account->credit_limit = tier_limit;
    return account->credit_limit != limit_before || !credit_same_plan(plan, &before);
}

struct date credit_next_due(const struct account *account)
{
    const struct credit_plan *plan = &account->plan;

    if (!has_temporary(plan) || account->status == MEMBER_CLOSED)
        return MATURES_BY_EVENT;
    struct date due = plan->temporary.first;
    if (plan->begun)
        due.days = plan->temporary.last.days + 1;
    return due;
}

/* Since when */

int64_t drawn_points(const struct drawn_days *drawn)
{
    int64_t points = 0;

    for (size_t i = 0; i < drawn->count; i++)
        points += drawn->at[i].points;
    return points;
}

static void remove_days(struct drawn_days *drawn, size_t from, size_t n)
{
    memmove(&drawn->at[from], &drawn->at[from + n], (drawn->count - from - n) * sizeof drawn->at[0]);
    drawn->count -= n;
}

static void add_drawn(struct drawn_days *drawn, struct date today, int64_t points)
{
    if (drawn->count > 0 && drawn->at[drawn->count - 1].drawn_on.days == today.days) {
        drawn->at[drawn->count - 1].points += points;
        return;
    }
    if (drawn->count == DRAWN_DAYS_MAX) {
        drawn->at[0].points += drawn->at[1].points;
        remove_days(drawn, 1, 1);
    }
    drawn->at[drawn->count++] = (struct drawn_day){ today, points };
}

static void take_drawn(struct drawn_days *drawn, int64_t points, bool newest_first)
{
    while (points > 0 && drawn->count > 0) {
        size_t place = newest_first ? drawn->count - 1 : 0;
        struct drawn_day *day = &drawn->at[place];
        int64_t taken = points < day->points ? points : day->points;
        day->points -= taken;
        points -= taken;
        if (day->points == 0)
            remove_days(drawn, place, 1);
    }
}

void credit_note(struct account *account, struct date today, bool given_back)
{
    int64_t more = account->credit_used - drawn_points(&account->drawn);

    if (more > 0)
        add_drawn(&account->drawn, today, more);
    else if (more < 0)
        take_drawn(&account->drawn, -more, given_back);
}
