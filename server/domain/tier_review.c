#include "domain/tier_review.h"

#include <string.h>

int32_t tier_month_of(struct date date)
{
    int year, month, day;

    date_split(date, &year, &month, &day);
    return 12 * year + month - 1;
}

struct date tier_month_start(int32_t month)
{
    return date_of(month / 12, month % 12 + 1, 1);
}

bool tier_reviews(const struct rule_set *set)
{
    for (int32_t i = 0; set && i < set->tier_count; i++) {
        if (set->tiers[i].qualifying_minor > 0)
            return true;
    }
    return false;
}

/* What counts */

static bool asks_for(const struct rule_set *set, const char *currency)
{
    for (int32_t i = 0; i < set->tier_count; i++) {
        if (set->tiers[i].qualifying_minor > 0 && strcmp(set->tiers[i].currency, currency) == 0)
            return true;
    }
    return false;
}

static bool excludes(const struct rule_set *set, const char *rule)
{
    for (int32_t i = 0; rule[0] && i < set->earn_rule_count; i++) {
        if (strcmp(set->earn_rules[i].name, rule) == 0)
            return set->earn_rules[i].excluded;
    }
    return false;
}

int64_t tier_qualifying(const struct rule_set *set, const struct tier_spend *spend)
{
    if (!set || !asks_for(set, spend->currency) || excludes(set, spend->earn_rule))
        return 0;
    return set->base == BASE_LESS_POINTS ? spend->amount_minor - spend->paid_with_points_minor : spend->amount_minor;
}

int32_t tier_spend_month(struct date spent_on, struct date booked_on)
{
    return tier_month_of(spent_on.days < booked_on.days ? spent_on : booked_on);
}

/* Sums */

/* At most PERIOD_MONTHS_MAX months of TIER_MONTH_MINOR_MAX: it fits. */
static int64_t spent_until(const struct tier_review *review, const struct tier *tier, int32_t month)
{
    int64_t sum = 0;

    for (int32_t i = 0; i < review->month_count; i++) {
        const struct tier_month *at = &review->months[i];
        if (at->month <= month && at->month > month - tier->period_months && strcmp(at->currency, tier->currency) == 0)
            sum += at->minor;
    }
    return sum;
}

int64_t tier_review_spent(const struct tier_review *review, const struct tier *tier)
{
    return spent_until(review, tier, review->month);
}

static int32_t newest_month(const struct tier_review *review)
{
    int32_t newest = 0;

    for (int32_t i = 0; i < review->month_count; i++) {
        if (review->months[i].month > newest)
            newest = review->months[i].month;
    }
    return newest;
}

/* The last month of those in which the tier is reached by what is spent so far; 0 for none of them. */
static int32_t last_reached(const struct tier_review *review, const struct tier *tier, int32_t first, int32_t last)
{
    int32_t newest = newest_month(review) + tier->period_months - 1;

    if (tier->qualifying_minor == 0)
        return 0;
    for (int32_t month = last < newest ? last : newest; month >= first; month--) {
        if (spent_until(review, tier, month) >= tier->qualifying_minor)
            return month;
    }
    return 0;
}

/* Marks */

static struct tier_mark *mark_of(struct tier_review *review, int32_t tier)
{
    for (int32_t i = 0; i < review->mark_count; i++) {
        if (review->marks[i].tier == tier)
            return &review->marks[i];
    }
    return NULL;
}

static int32_t marked(const struct tier_review *review, int32_t tier)
{
    const struct tier_mark *mark = mark_of((struct tier_review *)(uintptr_t)review, tier);

    return mark ? mark->month : 0;
}

static bool has_tier(const struct rule_set *set, int32_t tier)
{
    const struct tier *entry = rule_set_tier(set, tier);

    return entry && entry->tier == tier;
}

static void keep_marks_of(struct tier_review *review, const struct rule_set *set)
{
    int32_t kept = 0;

    for (int32_t i = 0; i < review->mark_count; i++) {
        if (has_tier(set, review->marks[i].tier))
            review->marks[kept++] = review->marks[i];
    }
    review->mark_count = kept;
}

/* Tiers the set does not have make room, so there always is some. */
static void put_mark(struct tier_review *review, const struct rule_set *set, int32_t tier, int32_t month)
{
    struct tier_mark *mark = mark_of(review, tier);

    if (!mark) {
        if (review->mark_count == TIERS_MAX)
            keep_marks_of(review, set);
        mark = &review->marks[review->mark_count++];
        *mark = (struct tier_mark){ .tier = tier };
    }
    if (month > mark->month)
        mark->month = month;
    if (month > mark->ahead)
        mark->ahead = month;
}

static void mark_reached(struct tier_review *review, const struct rule_set *set, int32_t first)
{
    for (int32_t i = 0; i < set->tier_count; i++) {
        int32_t month = last_reached(review, &set->tiers[i], first, review->month);
        if (month > 0)
            put_mark(review, set, set->tiers[i].tier, month);
    }
}

/* How long it goes on by what is spent so far. */
static void look_ahead(struct tier_review *review, const struct rule_set *set)
{
    for (int32_t i = 0; i < review->mark_count; i++) {
        struct tier_mark *mark = &review->marks[i];
        const struct tier *entry = rule_set_tier(set, mark->tier);
        int32_t ahead = entry && entry->tier == mark->tier
                            ? last_reached(review, entry, review->month, review->month + PERIOD_MONTHS_MAX)
                            : 0;
        mark->ahead = ahead > mark->month ? ahead : mark->month;
    }
}

/* What was reached under an earlier version is so up to the month in which it ended. */
static void end_version(struct tier_review *review, int32_t month)
{
    for (int32_t i = 0; i < review->mark_count; i++) {
        struct tier_mark *mark = &review->marks[i];
        int32_t reached = mark->ahead < month ? mark->ahead : month;
        if (reached > mark->month)
            mark->month = reached;
    }
}

/* The last month of a whole period that begins now. */
static int32_t end_of_period(const struct tier_review *review, const struct tier *tier)
{
    return tier->qualifying_minor > 0 ? review->month + tier->period_months - 1 : TIER_FOR_GOOD;
}

/* A tier of the bank's word for which spend is asked from now on is kept for one period. */
static void end_for_good(struct tier_review *review, const struct rule_set *set)
{
    for (int32_t i = 0; i < review->mark_count; i++) {
        struct tier_mark *mark = &review->marks[i];
        const struct tier *entry = rule_set_tier(set, mark->tier);
        if (mark->month == TIER_FOR_GOOD && entry && entry->tier == mark->tier && entry->qualifying_minor > 0)
            mark->month = end_of_period(review, entry);
    }
}

static void forget_old_months(struct tier_review *review)
{
    int32_t kept = 0;

    for (int32_t i = 0; i < review->month_count; i++) {
        if (review->months[i].month > review->month - PERIOD_MONTHS_MAX)
            review->months[kept++] = review->months[i];
    }
    review->month_count = kept;
}

struct tier_rules tier_rules_of(const struct exchange_rules *rules)
{
    const int64_t day_us = INT64_C(86400) * US_PER_SECOND;
    int64_t days = rules->effective_from.us / day_us;

    return (struct tier_rules){ rules->set, rules->version, { (int32_t)days } };
}

void tier_review_look(struct tier_review *review, const struct tier_rules *rules, int32_t tier, struct date today)
{
    const struct tier *entry = rule_set_tier(rules->set, tier);
    int32_t first = review->month, month = tier_month_of(today), since = tier_month_of(rules->since);

    if (month > review->month)
        review->month = month;
    if (review->rules_version != rules->version) {
        end_version(review, since < review->month ? since : review->month);
        first = first && first < since ? since : first;
    }
    mark_reached(review, rules->set, first ? first : review->month);
    forget_old_months(review);
    end_for_good(review, rules->set);
    if (entry && entry->tier > 0 && marked(review, entry->tier) == 0)
        put_mark(review, rules->set, entry->tier, end_of_period(review, entry));
    look_ahead(review, rules->set);
    review->rules_version = rules->version;
}

int32_t tier_review_time(struct tier_review *review, const struct tier_rules *rules, int32_t tier, struct date due,
                         struct date today)
{
    bool lost = review->rules_version != rules->version && due.days != 0 && due.days <= rules->since.days;

    tier_review_look(review, rules, tier, today);
    due = tier_review_lost_on(review, rules->set, tier);
    if (lost || (due.days != 0 && due.days <= today.days))
        return tier_review_next(review, rules->set, tier, today);
    return tier;
}

/* What is spent, and what comes back */

static void keep_currencies_of(struct tier_review *review, const struct rule_set *set)
{
    int32_t kept = 0;

    for (int32_t i = 0; i < review->month_count; i++) {
        if (asks_for(set, review->months[i].currency))
            review->months[kept++] = review->months[i];
    }
    review->month_count = kept;
}

static int32_t find_month(const struct tier_review *review, int32_t month, const char *currency)
{
    int32_t i = 0;

    while (i < review->month_count &&
           (review->months[i].month != month || strcmp(review->months[i].currency, currency) != 0))
        i++;
    return i;
}

static void spend_more(struct tier_review *review, const struct rule_set *set, int32_t month, const char *currency,
                       int64_t minor)
{
    int32_t i = find_month(review, month, currency);

    if (i == review->month_count) {
        if (review->month_count == TIER_MONTHS_MAX)
            keep_currencies_of(review, set);
        i = review->month_count++;
        review->months[i] = (struct tier_month){ .month = month };
        memcpy(review->months[i].currency, currency, strnlen(currency, CURRENCY_TEXT - 1));
    }
    struct tier_month *at = &review->months[i];
    at->minor = minor < TIER_MONTH_MINOR_MAX - at->minor ? at->minor + minor : TIER_MONTH_MINOR_MAX;
}

static void spend_less(struct tier_review *review, int32_t month, const char *currency, int64_t minor)
{
    int32_t i = find_month(review, month, currency);

    if (i == review->month_count)
        return;
    review->months[i].minor -= minor;
    if (review->months[i].minor <= 0)
        review->months[i] = review->months[--review->month_count];
}

void tier_review_add(struct tier_review *review, const struct rule_set *set, int32_t month, const char *currency,
                     int64_t minor)
{
    if (month <= review->month - PERIOD_MONTHS_MAX || month > review->month)
        return;
    if (minor > 0)
        spend_more(review, set, month, currency, minor);
    else if (minor < 0)
        spend_less(review, month, currency, -minor);
    if (!set)
        return;
    mark_reached(review, set, review->month);
    look_ahead(review, set);
}

void tier_review_say(struct tier_review *review, const struct rule_set *set, int32_t tier)
{
    const struct tier *entry = rule_set_tier(set, tier);
    int32_t kept = 0;

    for (int32_t i = 0; i < review->mark_count; i++) {
        if (review->marks[i].tier <= tier)
            review->marks[kept++] = review->marks[i];
    }
    review->mark_count = kept;
    if (entry && entry->tier > 0)
        put_mark(review, set, entry->tier, end_of_period(review, entry));
}

/* What it comes to */

const struct tier *tier_review_reached(const struct tier_review *review, const struct rule_set *set)
{
    for (int32_t i = set->tier_count; i-- > 0;) {
        if (last_reached(review, &set->tiers[i], review->month, review->month) > 0)
            return &set->tiers[i];
    }
    return NULL;
}

static struct date lost_on(const struct tier_review *review, const struct tier *entry)
{
    int32_t reached = last_reached(review, entry, review->month, review->month + PERIOD_MONTHS_MAX);
    int32_t mark = marked(review, entry->tier);

    if (mark > reached)
        reached = mark;
    return tier_month_start(reached ? reached + entry->grace_months + 1 : review->month);
}

struct date tier_review_lost_on(const struct tier_review *review, const struct rule_set *set, int32_t tier)
{
    const struct tier *entry = rule_set_tier(set, tier);

    return entry && entry->tier > 0 && entry->qualifying_minor > 0 ? lost_on(review, entry) : (struct date){ 0 };
}

static bool is_kept(const struct tier_review *review, const struct tier *entry, struct date today)
{
    if (entry->qualifying_minor == 0)
        return marked(review, entry->tier) == TIER_FOR_GOOD;
    return lost_on(review, entry).days > today.days;
}

int32_t tier_review_next(const struct tier_review *review, const struct rule_set *set, int32_t tier, struct date today)
{
    const struct tier *entry = rule_set_tier(set, tier);

    for (int32_t i = set->tier_count; i-- > 0;) {
        const struct tier *lower = &set->tiers[i];
        if (entry && lower->tier < entry->tier && is_kept(review, lower, today))
            return lower->tier;
    }
    return 0;
}
