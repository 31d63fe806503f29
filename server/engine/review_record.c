#include "engine/review_record.h"

#include <string.h>

static bool take_month(const struct review_row *row, size_t i, struct tier_month *out)
{
    size_t length = strnlen(row->currencies.at[i], CURRENCY_TEXT);

    *out = (struct tier_month){ .month = tier_month_of(row->months.at[i]), .minor = row->amounts.at[i] };
    if (length >= CURRENCY_TEXT || out->minor <= 0)
        return false;
    memcpy(out->currency, row->currencies.at[i], length);
    return true;
}

bool review_from_row(const struct review_row *row, struct tier_review *review)
{
    size_t months = row->months.count, marks = row->mark_tiers.count;
    bool good = months <= TIER_MONTHS_MAX && row->currencies.count == months && row->amounts.count == months &&
                marks <= TIERS_MAX && row->mark_months.count == marks && row->mark_aheads.count == marks;

    *review = (struct tier_review){ .rules_version = row->rules_version, .month = tier_month_of(row->month) };
    for (size_t i = 0; good && i < months; i++)
        good = take_month(row, i, &review->months[review->month_count++]);
    for (size_t i = 0; good && i < marks; i++)
        review->marks[review->mark_count++] =
            (struct tier_mark){ (int32_t)row->mark_tiers.at[i], tier_month_of(row->mark_months.at[i]),
                                tier_month_of(row->mark_aheads.at[i]) };
    return good;
}

bool review_to_row(struct arena *arena, const struct uuid *member_id, const struct tier_review *review,
                   struct review_row *row)
{
    size_t months = (size_t)review->month_count, marks = (size_t)review->mark_count;
    struct date *at = arena_alloc(arena, months * sizeof *at), *marked = arena_alloc(arena, 2 * marks * sizeof *marked);
    int64_t *amounts = arena_alloc(arena, months * sizeof *amounts), *tiers = arena_alloc(arena, marks * sizeof *tiers);
    const char **currencies = arena_alloc(arena, months * sizeof *currencies);

    if (!at || !marked || !amounts || !tiers || !currencies)
        return false;
    for (size_t i = 0; i < months; i++) {
        at[i] = tier_month_start(review->months[i].month);
        amounts[i] = review->months[i].minor;
        currencies[i] = review->months[i].currency;
    }
    for (size_t i = 0; i < marks; i++) {
        tiers[i] = review->marks[i].tier;
        marked[i] = tier_month_start(review->marks[i].month);
        marked[marks + i] = tier_month_start(review->marks[i].ahead);
    }
    *row = (struct review_row){ .member_id = *member_id,
                                .rules_version = review->rules_version,
                                .month = tier_month_start(review->month),
                                .months = { at, months },
                                .currencies = { currencies, months },
                                .amounts = { amounts, months },
                                .mark_tiers = { tiers, marks },
                                .mark_months = { marked, marks },
                                .mark_aheads = { marked + marks, marks } };
    return true;
}
