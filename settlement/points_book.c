#include "points_book.h"

#include "base/exact.h"
#include "points_book_store.h"

#include <stdio.h>
#include <string.h>

const int32_t points_lot_days[POINTS_AGES + 1] = { 0, 31, 91, 181, 366, 0 };
const int32_t points_drawn_days[POINTS_DRAWN_AGES + 1] = { 0, 31, 61, 91, 181, 366, 0 };

static bool no_room(struct error *err)
{
    return error_set(err, REASON_INTERNAL, "out of memory");
}

static bool does_not_fit(const struct points_page *page, struct error *err)
{
    return error_set(err, REASON_DOES_NOT_TIE, "the points of BANK %s do not fit", page->bank_id);
}

static struct points_page *page_of(struct points_book *book, int32_t bank_no)
{
    for (size_t i = 0; i < book->count; i++) {
        if (book->at[i].bank_no == bank_no)
            return &book->at[i];
    }
    return NULL;
}

void points_book_release(struct points_book *book)
{
    arena_release(&book->arena);
    *book = (struct points_book){ 0 };
}

/* Kinds. */

/* Points that lapsed or were redeemed in the last 365 days, less what came back. */
static bool add_year(struct points_page *page, const struct points_kind_row *row)
{
    enum points_line line = points_line_of(row->kind);
    bool lapsed =
        line == POINTS_EXPIRED || line == POINTS_FORFEITED || line == POINTS_CLOSED || line == POINTS_REINSTATED;
    int64_t left;

    if (!lapsed && line != POINTS_REDEEMED && line != POINTS_REVERSED)
        return true;
    if (!exact_sub(row->points_after, row->points_year_ago, &left))
        return false;
    left = points_effect(row->kind) < 0 ? left : -left;
    return (!lapsed || exact_add(page->lapsed_in_year, left, &page->lapsed_in_year)) &&
           exact_add(page->left_in_year, left, &page->left_in_year);
}

static bool add_kinds(struct points_book *book, const struct points_kind_row *rows, size_t count, struct error *err)
{
    book->at = arena_alloc(&book->arena, (count + 1) * sizeof *book->at);
    if (!book->at)
        return no_room(err);
    for (size_t i = 0; i < count; i++) {
        const struct points_kind_row *row = &rows[i];
        const struct points_kind kind = { row->kind, row->count_before, row->points_before, row->count_after,
                                          row->points_after };
        if (i == 0 || rows[i - 1].bank_no != row->bank_no)
            book->at[book->count++] =
                (struct points_page){ .bank_no = row->bank_no, .bank_id = row->bank_id, .currency = row->currency };
        struct points_page *page = &book->at[book->count - 1];
        if (!points_roll_add(&page->roll, &kind) || !add_year(page, row))
            return does_not_fit(page, err);
    }
    return true;
}

/* Funds. */

static struct points_fund own = { .funding_id = "", .currency = "", .cost_den = 1 };

const struct points_page *points_book_find(const struct points_book *book, int32_t bank_no)
{
    static const struct points_page empty = { .bank_id = "", .currency = "XXX", .funds = &own, .fund_count = 1 };

    for (size_t i = 0; i < book->count; i++) {
        if (book->at[i].bank_no == bank_no)
            return &book->at[i];
    }
    return &empty;
}

/* Rows come by bank and funding; the bank's own come first, and are always there. */
static bool add_fund(struct points_page *page, const struct points_fund_row *row)
{
    struct points_fund *fund = &page->funds[page->fund_count - 1];

    if (fund->funding_no != row->funding_no) {
        fund = &page->funds[page->fund_count++];
        *fund = (struct points_fund){ .funding_no = row->funding_no,
                                      .funding_id = row->funding_id,
                                      .currency = row->currency,
                                      .cost_num = row->cost_num,
                                      .cost_den = row->cost_den };
    }
    int64_t *sum = row->age_class < 0              ? &fund->lapsed
                   : row->age_class == 0           ? &fund->past
                   : row->age_class <= POINTS_AGES ? &fund->ages[row->age_class - 1]
                                                   : NULL;
    return sum && exact_add(*sum, row->points, sum);
}

static bool make_funds(struct points_book *book, const struct points_fund_row *rows, size_t count, struct error *err)
{
    for (size_t i = 0; i < book->count; i++) {
        struct points_page *page = &book->at[i];
        size_t mine = 1;
        for (size_t k = 0; k < count; k++)
            mine += rows[k].bank_no == page->bank_no;
        page->funds = arena_alloc(&book->arena, mine * sizeof *page->funds);
        if (!page->funds)
            return no_room(err);
        page->funds[page->fund_count++] = own;
        for (size_t k = 0; k < count; k++) {
            if (rows[k].bank_no == page->bank_no && !add_fund(page, &rows[k]))
                return does_not_fit(page, err);
        }
    }
    return true;
}

static bool make_rates(struct points_book *book, const struct points_rate_row *rows, size_t count, struct error *err)
{
    for (size_t i = 0; i < count; i++) {
        struct points_page *page = page_of(book, rows[i].bank_no);
        if (!page)
            continue;
        if (!page->rates && !(page->rates = arena_alloc(&book->arena, (count - i) * sizeof *page->rates)))
            return no_room(err);
        page->rates[page->rate_count++] = (struct points_rate){ rows[i].currency, rows[i].num, rows[i].den };
    }
    return true;
}

static bool load_drawn(struct points_book *book, struct db *db, int32_t programme_no, const struct period *period,
                       struct error *err)
{
    struct points_drawn_row *rows;
    size_t count;

    if (!points_book_store_drawn(db, programme_no, period, &book->arena, &rows, &count, err))
        return false;
    for (size_t i = 0; i < count; i++) {
        struct points_page *page = page_of(book, rows[i].bank_no);
        if (page && rows[i].age_class >= 1 && rows[i].age_class <= POINTS_DRAWN_AGES)
            page->drawn[rows[i].age_class - 1] = rows[i].points;
    }
    return true;
}

bool points_book_load(struct points_book *book, struct db *db, int32_t programme_no, const struct period *period,
                      struct error *err)
{
    struct arena *arena = &book->arena;
    struct points_kind_row *kinds;
    struct points_fund_row *funds;
    struct points_rate_row *rates;
    size_t kind_count, fund_count, rate_count;

    return points_book_store_kinds(db, programme_no, period, arena, &kinds, &kind_count, err) &&
           add_kinds(book, kinds, kind_count, err) &&
           points_book_store_funds(db, programme_no, period, arena, &funds, &fund_count, err) &&
           make_funds(book, funds, fund_count, err) &&
           points_book_store_rates(db, programme_no, period, arena, &rates, &rate_count, err) &&
           make_rates(book, rates, rate_count, err) && load_drawn(book, db, programme_no, period, err);
}

bool points_book_tie(struct db *db, int32_t programme_no, const struct period *period, struct error *err)
{
    return points_book_store_tie_days(db, programme_no, period, err) &&
           points_book_store_tie_accounts(db, programme_no, err);
}

/* Statements. */

bool points_book_has(const struct scope *scope, const struct sheet *sheet)
{
    return sheet->type == SHEET_BANK && scope_has(scope, sheet_party(sheet), sheet->currency, scope->period->last);
}

/* One that has the page. */
static bool has_statement(const struct sheet_list *list, const struct scope *scope, int32_t bank_no)
{
    for (size_t i = 0; i < list->count; i++) {
        if (list->at[i].bank_no == bank_no && points_book_has(scope, &list->at[i]))
            return true;
    }
    return false;
}

static bool is_empty(const struct points_roll *roll)
{
    bool moved = roll->opening != 0 || roll->closing != 0;

    for (int line = 0; line < POINTS_LINES; line++)
        moved |= roll->entries[line] != 0;
    return !moved;
}

bool points_book_need(const struct points_book *book, const struct scope *scope, struct sheet_list *list,
                      struct error *err)
{
    for (size_t i = 0; i < book->count; i++) {
        const struct points_page *page = &book->at[i];
        struct sheet sheet = { .type = SHEET_BANK, .bank_no = page->bank_no };
        if (is_empty(&page->roll) || has_statement(list, scope, page->bank_no))
            continue;
        snprintf(sheet.bank_id, sizeof sheet.bank_id, "%s", page->bank_id);
        snprintf(sheet.currency, sizeof sheet.currency, "%s", page->currency);
        if (points_book_has(scope, &sheet) && !sheet_list_add(list, &sheet, err))
            return false;
    }
    return true;
}

/* Figures. */

int64_t points_fund_live(const struct points_fund *fund)
{
    int64_t live = 0;

    for (size_t i = 0; i < POINTS_AGES; i++)
        live += fund->ages[i];
    return live;
}

struct points_outstanding points_page_outstanding(const struct points_page *page)
{
    struct points_outstanding out = { .held = page->roll.at_end.held, .pending = page->roll.at_end.pending };

    for (size_t i = 0; i < page->fund_count; i++) {
        out.lots += points_fund_live(&page->funds[i]);
        out.past += page->funds[i].past;
    }
    for (size_t i = 0; i < POINTS_DRAWN_AGES; i++)
        out.drawn -= page->drawn[i];
    out.unlotted = page->roll.at_end.spendable - out.lots - out.past - out.drawn;
    return out;
}

struct points_cost points_fund_cost(const struct points_page *page, const struct points_fund *fund,
                                    const char *currency)
{
    struct points_cost cost = { "", fund->cost_num, fund->cost_den };

    if (fund->funding_no != 0)
        snprintf(cost.currency, sizeof cost.currency, "%s", fund->currency);
    for (size_t i = 0; i < page->rate_count && fund->funding_no == 0; i++) {
        const struct points_rate *rate = &page->rates[i];
        if (strcmp(rate->currency, currency) != 0)
            continue;
        cost = (struct points_cost){ "", rate->num, rate->den };
        snprintf(cost.currency, sizeof cost.currency, "%s", currency);
    }
    return cost;
}

bool points_cost_of(const struct points_cost *cost, int64_t points, int64_t *minor, struct error *err)
{
    *minor = 0;
    return !*cost->currency || exact_ratio_half_even(points, cost->num, cost->den, minor) ||
           error_set(err, REASON_DOES_NOT_TIE, "the cost of points does not fit");
}

int64_t points_page_lapsed_rest(const struct points_page *page)
{
    const int64_t *lines = page->roll.lines;
    int64_t rest = -(lines[POINTS_EXPIRED] + lines[POINTS_FORFEITED] + lines[POINTS_CLOSED] + lines[POINTS_REINSTATED]);

    for (size_t i = 0; i < page->fund_count; i++)
        rest -= page->funds[i].lapsed;
    return rest;
}

bool points_expected_lapse(const struct points_page *page, int64_t points, int64_t *lapse, struct error *err)
{
    *lapse = 0;
    return page->lapsed_in_year <= 0 || page->left_in_year < page->lapsed_in_year ||
           exact_ratio_half_even(points, page->lapsed_in_year, page->left_in_year, lapse) ||
           error_set(err, REASON_DOES_NOT_TIE, "the expected breakage of BANK %s does not fit", page->bank_id);
}
