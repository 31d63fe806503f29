#include "points_rows.h"

#include "base/exact.h"

#include <stdio.h>
#include <string.h>

static const char *const parts[POINTS_PARTS] = {
    [POINTS_PART_ROLL_FORWARD] = "ROLL_FORWARD", [POINTS_PART_OUTSTANDING] = "OUTSTANDING",
    [POINTS_PART_LIABILITY] = "LIABILITY",       [POINTS_PART_BREAKAGE] = "BREAKAGE",
    [POINTS_PART_DRAWN_CREDIT] = "DRAWN_CREDIT",
};

const char *points_part_name(enum points_part part)
{
    return part < POINTS_PARTS ? parts[part] : "?";
}

/* Where rows go; lives in points_rows_each's frame. */
struct rows {
    const struct points_page *page;
    const char *currency;
    points_row_handler *each;
    void *owner;
    int64_t points, amount_minor; /* of LIABILITY so far, amounts in the statement's currency only */
};

static bool plain(struct rows *to, enum points_part part, const char *item, int64_t points, struct error *err)
{
    struct points_row row = { .part = part, .item = item, .funding_id = "", .points = points };

    return to->each(to->owner, &row, err);
}

static bool roll_forward(struct rows *to, struct error *err)
{
    const struct points_roll *roll = &to->page->roll;

    if (!plain(to, POINTS_PART_ROLL_FORWARD, "OPENING", roll->opening, err))
        return false;
    for (int line = POINTS_NO_LINE + 1; line < POINTS_LINES; line++) {
        struct points_row row = { .part = POINTS_PART_ROLL_FORWARD,
                                  .item = points_line_name((enum points_line)line),
                                  .funding_id = "",
                                  .has_entries = true,
                                  .entries = roll->entries[line],
                                  .points = roll->lines[line] };
        if (!to->each(to->owner, &row, err))
            return false;
    }
    return plain(to, POINTS_PART_ROLL_FORWARD, "CLOSING", roll->closing, err);
}

static bool outstanding(struct rows *to, const struct points_outstanding *out, struct error *err)
{
    const enum points_part part = POINTS_PART_OUTSTANDING;

    return plain(to, part, "LOTS", out->lots, err) && plain(to, part, "PAST_NOT_BOOKED", out->past, err) &&
           (out->unlotted == 0 || plain(to, part, "NOT_IN_LOTS", out->unlotted, err)) &&
           plain(to, part, "HELD", out->held, err) && plain(to, part, "PENDING", out->pending, err) &&
           plain(to, part, "DRAWN_CREDIT", out->drawn, err) && plain(to, part, "CLOSING", to->page->roll.closing, err);
}

/* A row with what its points cost. */
static bool costed(struct rows *to, struct points_row *row, const struct points_fund *fund, struct error *err)
{
    struct points_cost cost = points_fund_cost(to->page, fund, to->currency);

    row->funding_id = fund->funding_id;
    memcpy(row->currency, cost.currency, sizeof row->currency);
    if (*cost.currency) {
        row->rate_num = cost.num;
        row->rate_den = cost.den;
    }
    if (!points_cost_of(&cost, row->points, &row->amount_minor, err))
        return false;
    if (row->part != POINTS_PART_LIABILITY)
        return to->each(to->owner, row, err);
    bool counts = strcmp(row->currency, to->currency) == 0;
    if (!exact_add(to->points, row->points, &to->points) ||
        (counts && !exact_add(to->amount_minor, row->amount_minor, &to->amount_minor)))
        return error_set(err, REASON_DOES_NOT_TIE, "the cost of BANK %s's points does not fit", to->page->bank_id);
    return to->each(to->owner, row, err);
}

static bool costed_other(struct rows *to, const char *item, int64_t points, struct error *err)
{
    struct points_row row = { .part = POINTS_PART_LIABILITY, .item = item, .points = points };

    return points == 0 || costed(to, &row, &to->page->funds[0], err);
}

/* Points that are in no lot, held ones among them, are taken for the bank's own. */
static bool liability(struct rows *to, const struct points_outstanding *out, struct error *err)
{
    for (size_t i = 0; i < to->page->fund_count; i++) {
        const struct points_fund *fund = &to->page->funds[i];
        for (size_t age = 0; age < POINTS_AGES; age++) {
            struct points_row row = { .part = POINTS_PART_LIABILITY,
                                      .item = "LOTS",
                                      .has_age = true,
                                      .from_days = points_lot_days[age],
                                      .to_days = age + 1 < POINTS_AGES ? points_lot_days[age + 1] - 1 : 0,
                                      .points = fund->ages[age] };
            if (row.points != 0 && !costed(to, &row, fund, err))
                return false;
        }
    }
    if (!costed_other(to, "NOT_IN_LOTS", out->unlotted, err) || !costed_other(to, "HELD", out->held, err) ||
        !costed_other(to, "PENDING", out->pending, err))
        return false;
    struct points_row total = { .part = POINTS_PART_LIABILITY,
                                .item = "TOTAL",
                                .funding_id = "",
                                .points = to->points,
                                .amount_minor = to->amount_minor };
    snprintf(total.currency, sizeof total.currency, "%s", to->currency);
    return to->each(to->owner, &total, err);
}

static bool breakage_of(struct rows *to, const struct points_fund *fund, struct error *err)
{
    const struct points_page *page = to->page;
    struct points_row realised = { .part = POINTS_PART_BREAKAGE, .item = "REALISED", .points = fund->lapsed };
    struct points_row expected = { .part = POINTS_PART_BREAKAGE, .item = "EXPECTED" };

    if (fund->funding_no == 0)
        realised.points += points_page_lapsed_rest(page);
    return (realised.points == 0 || costed(to, &realised, fund, err)) &&
           points_expected_lapse(page, points_fund_live(fund), &expected.points, err) &&
           (expected.points == 0 || costed(to, &expected, fund, err));
}

static bool breakage(struct rows *to, struct error *err)
{
    const struct points_page *page = to->page;
    struct points_row rate = { .part = POINTS_PART_BREAKAGE,
                               .item = "EXPECTED_RATE",
                               .funding_id = "",
                               .rate_num = page->lapsed_in_year,
                               .rate_den = page->left_in_year };

    for (size_t i = 0; i < page->fund_count; i++) {
        if (!breakage_of(to, &page->funds[i], err))
            return false;
    }
    return page->left_in_year <= 0 || to->each(to->owner, &rate, err);
}

static bool drawn_credit(struct rows *to, const struct points_outstanding *out, struct error *err)
{
    for (size_t age = 0; age < POINTS_DRAWN_AGES; age++) {
        struct points_row row = { .part = POINTS_PART_DRAWN_CREDIT,
                                  .item = "DRAWN",
                                  .funding_id = "",
                                  .has_age = true,
                                  .from_days = points_drawn_days[age],
                                  .to_days = age + 1 < POINTS_DRAWN_AGES ? points_drawn_days[age + 1] - 1 : 0,
                                  .points = to->page->drawn[age] };
        if (row.points != 0 && !to->each(to->owner, &row, err))
            return false;
    }
    return plain(to, POINTS_PART_DRAWN_CREDIT, "TOTAL", -out->drawn, err);
}

bool points_rows_each(const struct points_page *page, const char *currency, points_row_handler *each, void *owner,
                      struct error *err)
{
    struct rows to = { .page = page, .currency = currency, .each = each, .owner = owner };
    struct points_outstanding out = points_page_outstanding(page);

    return roll_forward(&to, err) && outstanding(&to, &out, err) && liability(&to, &out, err) && breakage(&to, err) &&
           drawn_credit(&to, &out, err);
}
