#include "service/tier_standing.h"

#include "engine/review_record.h"
#include "service/shape.h"

typedef Alliance__V1__TierStanding Standing;
typedef Alliance__V1__TierProgress Progress;

/* The same as a lane does before it decides anything. */
static void apply_time(const struct review_found_row *row, struct tier_review *review, struct tier_standing *standing)
{
    const struct tier_rules rules = tier_rules_of(standing->rules);

    standing->tier = tier_review_time(review, &rules, row->tier, row->tier_due, row->business_date);
}

bool tier_standing_read(struct errand *errand, const struct bank *bank, const struct review_find_params *key,
                        struct tier_standing *standing, struct error *err)
{
    struct arena *arena = &errand->call->arena;
    struct tier_review *review = arena_alloc(arena, sizeof *review);
    struct review_found_row row;
    bool found;

    if (!review)
        return errand_no_room(err);
    if (!db_fetch_one(errand->db, &review_find, key, arena, &row, &found, err))
        return false;
    if (!found)
        return error_field(err, REASON_MEMBER_NOT_FOUND, "member_ref", "%s", "");
    const struct exchange_rules *rules = rules_in_force(bank->rules, bank->rules_count, row.now);
    *standing = (struct tier_standing){ .tier = row.tier };
    if (!rules || !tier_reviews(rules->set) || row.status == MEMBER_CLOSED)
        return true;
    if (row.review.rules_version != 0 && !review_from_row(&row.review, review))
        return error_set(err, REASON_INTERNAL, "a stored row is not possible: tier_review");
    standing->rules = rules;
    standing->review = review;
    apply_time(&row, review, standing);
    return true;
}

bool tier_standing_is_due(const struct account *account, struct date today)
{
    return account->tier_due.days != 0 && account->tier_due.days <= today.days;
}

bool tier_standing_apply(struct errand *errand, const struct bank *bank, int32_t bucket, const struct uuid *member_id,
                         struct account *account, struct error *err)
{
    const struct review_find_params key = { bucket, *member_id };
    struct tier_standing standing;

    if (!tier_standing_read(errand, bank, &key, &standing, err))
        return false;
    account->tier = (int16_t)standing.tier;
    return true;
}

static Progress *shape_progress(struct arena *arena, const struct tier_review *review, const struct tier *tier)
{
    Progress *progress = shape_new(arena, &alliance__v1__tier_progress__descriptor);
    int64_t spent = tier_review_spent(review, tier);
    int64_t missing = spent < tier->qualifying_minor ? tier->qualifying_minor - spent : 0;

    if (!progress)
        return NULL;
    progress->tier = tier->tier;
    progress->name = shape_text(arena, tier->name);
    progress->period_from = shape_date(arena, tier_month_start(review->month - tier->period_months + 1));
    progress->spent = shape_money(arena, tier->currency, spent);
    progress->needed = shape_money(arena, tier->currency, tier->qualifying_minor);
    progress->missing = shape_money(arena, tier->currency, missing);
    bool good = progress->name && progress->period_from && progress->spent && progress->needed && progress->missing;
    return good ? progress : NULL;
}

static const struct tier *next_tier(const struct rule_set *set, int32_t tier)
{
    for (int32_t i = 0; i < set->tier_count; i++) {
        if (set->tiers[i].tier > tier && set->tiers[i].qualifying_minor > 0)
            return &set->tiers[i];
    }
    return NULL;
}

static bool fill(struct arena *arena, const struct tier_standing *standing, Standing *shaped)
{
    const struct rule_set *set = standing->rules->set;
    const struct tier *next = next_tier(set, standing->tier);
    struct date lost_on = tier_review_lost_on(standing->review, set, standing->tier);

    shaped->tier = standing->tier;
    shaped->rules_version = standing->rules->version;
    if (next && !(shaped->next = shape_progress(arena, standing->review, next)))
        return false;
    if (lost_on.days == 0)
        return true;
    shaped->lost_on = shape_date(arena, lost_on);
    shaped->held = shape_progress(arena, standing->review, rule_set_tier(set, standing->tier));
    return shaped->lost_on && shaped->held;
}

Standing *tier_standing_shape(struct arena *arena, const struct tier_standing *standing, bool *good)
{
    *good = true;
    if (!standing->rules)
        return NULL;
    Standing *shaped = shape_new(arena, &alliance__v1__tier_standing__descriptor);
    *good = shaped && fill(arena, standing, shaped);
    return *good ? shaped : NULL;
}
