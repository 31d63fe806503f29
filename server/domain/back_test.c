#include "domain/back_test.h"

#include "base/exact.h"

#include <string.h>

static void add(int64_t *sum, int64_t value)
{
    if (__builtin_add_overflow(*sum, value, sum))
        *sum = value < 0 ? INT64_MIN : INT64_MAX;
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* -1: there are too many. */
static int32_t currency_of(struct back_test *test, const char *currency)
{
    for (int32_t i = 0; i < test->currency_count; i++) {
        if (strcmp(test->currencies[i], currency) == 0)
            return i;
    }
    if (test->currency_count == BACK_TEST_CURRENCIES || strlen(currency) >= CURRENCY_TEXT)
        return -1;
    strcpy(test->currencies[test->currency_count], currency);
    return test->currency_count++;
}

static struct back_test_group *count_member(const struct back_test *test, struct back_test_group *group)
{
    if (group && group->last_member != test->member) {
        group->last_member = test->member;
        group->members++;
    }
    return group;
}

/* The groups an event belongs to; the third may be NULL. */
struct places {
    struct back_test_group *at[3];
};

static struct places places_of(struct back_test *test, struct back_test_group *merchant)
{
    test->entries++;
    return (struct places){ { count_member(test, &test->total), count_member(test, &test->tiers[test->tier]),
                              count_member(test, merchant) } };
}

/* Members */

static int day_of_month(const struct back_test *test, struct date date)
{
    return date.days - test->first.days + 1;
}

static bool within_month(const struct back_test *test, struct date date)
{
    return date.days >= test->first.days && date.days <= test->last.days;
}

static void would_expire(struct back_test *test, int64_t points)
{
    add(&test->total.would.expired, points);
    add(&test->tiers[test->tier].would.expired, points);
}

/* What was saved and is gone by that day of the month. */
static void pass(struct back_test *test, int day)
{
    for (int i = 0; i <= day && i < BACK_TEST_DAYS; i++) {
        would_expire(test, test->saved[i]);
        add(&test->ahead, -test->saved[i]);
        test->saved[i] = 0;
    }
}

void back_test_end(struct back_test *test)
{
    pass(test, BACK_TEST_DAYS - 1);
}

void back_test_member(struct back_test *test, int32_t tier)
{
    back_test_end(test);
    test->member++;
    test->tier = tier;
    test->today = (struct date){ 0 };
    test->earned_today = test->earned_month = test->ahead = test->lacking = 0;
    memset(test->rule_today, 0, sizeof test->rule_today);
    memset(test->rule_month, 0, sizeof test->rule_month);
}

/* Earning */

/* What the spend would earn; what is taken back by hand is taken back in proportion. */
static int64_t would_earn(struct back_test *test, const struct back_test_spend *spend)
{
    const struct earn_rule *rule = rule_set_earn_rule(test->set, &spend->where);
    size_t place = rule ? (size_t)(rule - test->set->earn_rules) : 0;
    struct spend asked = {
        .where = spend->where,
        .amount_minor = spend->amount_minor,
        .paid_with_points_minor = spend->paid_with_points_minor,
        .earned_today = test->earned_today,
        .earned_this_month = test->earned_month,
        .rule_today = rule ? test->rule_today[place] : 0,
        .rule_this_month = rule ? test->rule_month[place] : 0,
    };
    struct rule_trace trace;
    int64_t points;

    if (rule_set_earn(test->set, &asked, &points, &trace) != REASON_OK)
        return 0;
    add(&test->earned_today, points);
    add(&test->earned_month, points);
    if (rule) {
        add(&test->rule_today[place], points);
        add(&test->rule_month[place], points);
    }
    return spend->kept == spend->of || exact_ratio_floor(points, spend->kept, spend->of, &points) ? points : 0;
}

static void begin_day(struct back_test *test, struct date day)
{
    if (test->today.days == day.days)
        return;
    test->today = day;
    test->earned_today = 0;
    memset(test->rule_today, 0, sizeof test->rule_today);
}

void back_test_spend(struct back_test *test, const struct back_test_spend *spend, struct back_test_group *merchant)
{
    struct places places = places_of(test, merchant);

    begin_day(test, spend->booked);
    int64_t would = spend->fixed ? spend->points : spend->amount_minor > 0 ? would_earn(test, spend) : 0;
    for (size_t i = 0; i < COUNT(places.at) && places.at[i]; i++) {
        places.at[i]->was.accruals += spend->points > 0;
        add(&places.at[i]->was.earned, spend->points);
        places.at[i]->would.accruals += would > 0;
        add(&places.at[i]->would.earned, would);
    }
    add(&test->ahead, would - spend->points);
}

/* Redeeming */

/* Points that stay: what lacked elsewhere is there again, the rest is kept, and expires within the month or later. */
static void save(struct back_test *test, struct date expires_on, int64_t points)
{
    int64_t back = least(test->lacking, points);

    test->lacking -= back;
    if (within_month(test, expires_on))
        add(&test->saved[day_of_month(test, expires_on)], points - back);
}

/*
 * First expire, first out: of what was saved before and of the lots it took then, whichever is gone sooner. What is
 * taken of neither would have come from the lots behind them.
 */
static void draw(struct back_test *test, const struct back_test_redemption *was, int64_t points)
{
    int64_t drawn = 0;
    int day = 0;

    for (size_t i = 0; i < was->lots->count; i++) {
        const struct lot *lot = &was->lots->at[i];
        int until = within_month(test, lot->expires_on) ? day_of_month(test, lot->expires_on) : BACK_TEST_DAYS - 1;
        for (; day <= until && day < BACK_TEST_DAYS; day++) {
            int64_t taken = least(test->saved[day], points);
            test->saved[day] -= taken;
            points -= taken;
        }
        int64_t taken = least(lot->points, points);
        points -= taken;
        drawn += lot->points;
        if (taken < lot->points)
            save(test, lot->expires_on, lot->points - taken);
    }
    for (; day < BACK_TEST_DAYS; day++) {
        int64_t taken = least(test->saved[day], points);
        test->saved[day] -= taken;
        points -= taken;
    }
    /* The rest it took on credit, as it would have as much. */
    int64_t credit = was->points - drawn;
    if (points > credit)
        add(&test->lacking, points - credit);
    else
        test->lacking -= least(test->lacking, credit - points);
}

static bool would_redeem(const struct back_test *test, const struct back_test_redemption *was,
                         struct redemption_price *price)
{
    const struct redemption_ask ask = { .where = was->where,
                                        .goods_id = was->goods_id,
                                        .price_minor = was->price_minor };
    struct rule_trace trace;

    return was->price_minor > 0 && rule_set_price(test->set, &ask, price, &trace) == REASON_OK &&
           price->points <= was->spendable + test->ahead;
}

static void redeem(struct back_test_sum *sum, int32_t currency, int64_t points, int64_t cost, int64_t commission)
{
    sum->redemptions++;
    add(&sum->redeemed, points);
    add(&sum->cost_minor[currency], cost);
    add(&sum->income_minor[currency], cost - commission);
}

bool back_test_redeem(struct back_test *test, const struct back_test_redemption *redemption,
                      struct back_test_group *merchant)
{
    struct places places = places_of(test, merchant);
    int32_t currency = currency_of(test, redemption->where.currency);
    struct redemption_price price = { 0 };
    int64_t commission = 0;

    if (currency < 0)
        return false;
    pass(test, day_of_month(test, redemption->where.date));
    bool would = would_redeem(test, redemption, &price) &&
                 exact_ratio_half_even(price.settled_minor, redemption->commission_bp, 10000, &commission);
    for (size_t i = 0; i < COUNT(places.at) && places.at[i]; i++) {
        struct back_test_sum *after = &places.at[i]->would;
        redeem(&places.at[i]->was, currency, redemption->points, redemption->cost_minor, redemption->commission_minor);
        after->refused += !would;
        if (!would)
            continue;
        redeem(after, currency, price.points, price.settled_minor, commission);
        add(&after->cash_minor[currency], price.cash_minor);
    }
    draw(test, redemption, would ? price.points : 0);
    add(&test->ahead, redemption->points - (would ? price.points : 0));
    return true;
}

/* Breakage */

void back_test_expire(struct back_test *test, struct date day, int64_t points, bool closed)
{
    struct places places = places_of(test, NULL);
    int64_t would;

    pass(test, day_of_month(test, day));
    would = points - least(test->lacking, points);
    if (closed) {
        would = points + test->ahead > 0 ? points + test->ahead : 0;
        test->ahead = test->lacking = 0;
        memset(test->saved, 0, sizeof test->saved);
    } else {
        test->lacking -= points - would;
        add(&test->ahead, points - would);
    }
    for (size_t i = 0; i < 2; i++)
        add(&places.at[i]->was.expired, points);
    would_expire(test, would);
}
