#include "goods_store.h"

#include "base/exact.h"
#include "domain/entry.h"
#include "scope_store.h"
#include "store/db.h"

#include <stdio.h>
#include <string.h>

_Static_assert(ENTRY_CONFIRM == 4 && ENTRY_REVERSE == 8, "the queries below name these numbers");

struct span_params {
    int32_t programme_no;
    struct date first, last;
    int64_t limit;
    struct scope_params scope;
};
static const struct column programme_params[] = { COLUMN(struct span_params, programme_no) };
static const struct column span_params[] = { COLUMN(struct span_params, programme_no),
                                             COLUMN(struct span_params, first),
                                             COLUMN(struct span_params, last),
                                             COLUMN(struct span_params, limit),
                                             RECORDS(struct span_params, scope.spans, &scope_span_type),
                                             COLUMN(struct span_params, scope.taken) };

struct any_row {
    bool any;
};
static const struct column any_columns[] = { COLUMN(struct any_row, any) };
static const struct statement any_goods =
    STATEMENT("goods_any", "SELECT EXISTS (SELECT FROM goods WHERE programme_no = $1) AS any", programme_params,
              any_columns, sizeof(struct any_row));

struct goods_row {
    int32_t bank_no, merchant_no;
    const char *currency, *goods_id;
    int64_t confirmed_count, confirmed_points, confirmed_gross, confirmed_commission;
    int64_t reversed_count, reversed_points, reversed_gross, reversed_commission;
};
static const struct column row_columns[] = {
    COLUMN(struct goods_row, bank_no),         COLUMN(struct goods_row, merchant_no),
    COLUMN(struct goods_row, currency),        COLUMN(struct goods_row, goods_id),
    COLUMN(struct goods_row, confirmed_count), COLUMN(struct goods_row, confirmed_points),
    COLUMN(struct goods_row, confirmed_gross), COLUMN(struct goods_row, confirmed_commission),
    COLUMN(struct goods_row, reversed_count),  COLUMN(struct goods_row, reversed_points),
    COLUMN(struct goods_row, reversed_gross),  COLUMN(struct goods_row, reversed_commission),
};
/* Redemptions held so many days before the period or later are read with it; older ones are looked up one by one. */
#define NEWLY "31"
static const struct statement sum_goods = STATEMENT(
    "goods_sums",
    "SELECT j.bank_no, j.merchant_no, j.currency, g.goods_id, COALESCE(count(*) FILTER (WHERE j.kind = 4), "
    "0)::int8 AS confirmed_count, COALESCE(sum(j.points) FILTER (WHERE j.kind = 4), 0)::int8 AS confirmed_points, "
    "COALESCE(sum(j.gross_minor) FILTER (WHERE j.kind = 4), 0)::int8 AS confirmed_gross, "
    "COALESCE(sum(j.commission_minor) FILTER (WHERE j.kind = 4), 0)::int8 AS confirmed_commission, "
    "COALESCE(count(*) FILTER (WHERE j.kind = 8), 0)::int8 AS reversed_count, COALESCE(sum(j.points) FILTER "
    "(WHERE j.kind = 8), 0)::int8 AS reversed_points, COALESCE(sum(j.gross_minor) FILTER (WHERE j.kind = 8), "
    "0)::int8 AS reversed_gross, COALESCE(sum(j.commission_minor) FILTER (WHERE j.kind = 8), 0)::int8 AS "
    "reversed_commission FROM journal j LEFT JOIN redemption r ON r.bucket = j.bucket AND r.id = j.redemption_id AND "
    "r.business_date >= $2 - " NEWLY " JOIN goods g ON g.goods_no = COALESCE(r.goods_no, (SELECT o.goods_no FROM "
    "redemption o WHERE o.bucket = j.bucket AND o.id = j.redemption_id)) AND g.merchant_no = j.merchant_no " SCOPE_JOIN(
        "$5", "2", "j.merchant_no", "j.currency",
        "j.business_date") "WHERE j.programme_no = $1 AND "
                           "j.business_date BETWEEN $2 AND $3 AND " SCOPE_TAKES(
                               "$6") "AND j.kind IN (4, 8) AND j.merchant_no IN (SELECT "
                                     "merchant_no FROM goods WHERE programme_no = $1) GROUP BY j.bank_no, "
                                     "j.merchant_no, j.currency, g.goods_id ORDER "
                                     "BY j.merchant_no, j.currency COLLATE \"C\", g.goods_id COLLATE \"C\", j.bank_no "
                                     "LIMIT $4",
    span_params, row_columns, sizeof(struct goods_row));

bool goods_store_load(struct goods_sums *goods, struct db *db, int32_t programme_no, const struct scope *scope,
                      struct error *err)
{
    struct span_params params = { programme_no, scope->period->first, scope->period->last, GOODS_ROWS_MAX + 1,
                                  scope_params(scope) };
    struct any_row row;
    void *rows;
    bool found;

    if (!db_fetch_one(db, &any_goods, &params, &goods->arena, &row, &found, err))
        return false;
    if (!found || !row.any)
        return true;
    if (!db_fetch(db, &sum_goods, &params, &goods->arena, &rows, &goods->count, err))
        return false;
    goods->at = rows;
    goods->left_out = goods->count > GOODS_ROWS_MAX;
    if (goods->left_out)
        goods->count = 0;
    goods->room = arena_alloc(&goods->arena, (goods->count + 1) * sizeof *goods->room);
    return goods->room || error_set(err, REASON_INTERNAL, "out of memory");
}

void goods_sums_release(struct goods_sums *goods)
{
    arena_release(&goods->arena);
    *goods = (struct goods_sums){ 0 };
}

static size_t first_of(const struct goods_sums *goods, int32_t merchant_no)
{
    size_t low = 0, high = goods->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (goods->at[middle].merchant_no < merchant_no)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool add(struct doc_sum *sum, const struct goods_row *row)
{
    sum->confirmed_count += row->confirmed_count;
    sum->reversed_count += row->reversed_count;
    return exact_add(sum->confirmed_points, row->confirmed_points, &sum->confirmed_points) &&
           exact_add(sum->confirmed_gross, row->confirmed_gross, &sum->confirmed_gross) &&
           exact_add(sum->confirmed_commission, row->confirmed_commission, &sum->confirmed_commission) &&
           exact_add(sum->reversed_points, row->reversed_points, &sum->reversed_points) &&
           exact_add(sum->reversed_gross, row->reversed_gross, &sum->reversed_gross) &&
           exact_add(sum->reversed_commission, row->reversed_commission, &sum->reversed_commission);
}

/* A good is of one merchant, so all banks' rows of it stand together. */
bool goods_sums_of(struct goods_sums *goods, const struct sheet *sheet, struct doc_sums *sums, struct error *err)
{
    *sums = (struct doc_sums){ goods->room, 0 };
    if (sheet->type > SHEET_OPERATOR)
        return true;
    for (size_t i = sheet->merchant_no ? first_of(goods, sheet->merchant_no) : 0; i < goods->count; i++) {
        const struct goods_row *row = &goods->at[i];
        if (sheet->merchant_no && row->merchant_no != sheet->merchant_no)
            break;
        if ((sheet->bank_no && row->bank_no != sheet->bank_no) || strcmp(row->currency, sheet->currency) != 0)
            continue;
        if (sums->count == 0 || strcmp(sums->at[sums->count - 1].label, row->goods_id) != 0) {
            struct doc_sum *sum = &sums->at[sums->count++];
            *sum = (struct doc_sum){ 0 };
            snprintf(sum->label, sizeof sum->label, "%s", row->goods_id);
        }
        if (!add(&sums->at[sums->count - 1], row))
            return error_set(err, REASON_DOES_NOT_TIE, "the sums of goods do not fit");
    }
    return true;
}
