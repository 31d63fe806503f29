#include "show.h"

#include "close_store.h"
#include "money.h"
#include "period_store.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { MERCHANTS_SHOWN = 10 };

/* Operator, banks, merchants; within a type the largest gross first, then by name. Pairs last: they are not shown. */
static int for_people(const void *left, const void *right)
{
    const struct sheet *a = left, *b = right;
    static const int rank[] = { [SHEET_OPERATOR] = 0, [SHEET_BANK] = 1,     [SHEET_CARRIER] = 2,
                                [SHEET_TAX] = 3,      [SHEET_MERCHANT] = 4, [SHEET_PAIR] = 5 };

    if (a->type != b->type)
        return rank[a->type] - rank[b->type];
    if (a->totals.gross_minor != b->totals.gross_minor)
        return a->totals.gross_minor < b->totals.gross_minor ? 1 : -1;
    return sheet_compare_pair(a, b->bank_id, b->merchant_id, b->currency);
}

static void show_row(const struct sheet *sheet, FILE *out)
{
    const struct totals *t = &sheet->totals;
    const char *party = *sheet->bank_id       ? sheet->bank_id
                        : *sheet->merchant_id ? sheet->merchant_id
                        : *sheet->carrier_id  ? sheet->carrier_id
                                              : "all";
    char gross[MONEY_TEXT], commission[MONEY_TEXT], net[MONEY_TEXT];

    money_format(t->gross_minor, sheet->currency, gross);
    money_format(t->commission_minor, sheet->currency, commission);
    money_format(t->net_minor, sheet->currency, net);
    fprintf(out, "%-8s  %-24s  %9" PRId64 "  %8" PRId64 "  %14s  %12s  %14s  %s\n", sheet_type_name(sheet->type), party,
            t->confirmed_count, t->reversed_count, gross, commission, net, sheet->currency);
}

void show_table(struct sheet_list *list, size_t most, FILE *out)
{
    size_t merchants = 0;

    if (list->count > 0)
        qsort(list->at, list->count, sizeof *list->at, for_people);
    fprintf(out, "%-8s  %-24s  %9s  %8s  %14s  %12s  %14s  %s\n", "TYPE", "PARTY", "CONFIRMED", "REVERSED", "GROSS",
            "COMMISSION", "NET", "CUR");
    for (size_t i = 0; i < list->count && list->at[i].type != SHEET_PAIR; i++) {
        merchants += list->at[i].type == SHEET_MERCHANT;
        if (merchants <= most)
            show_row(&list->at[i], out);
    }
    if (merchants > most)
        fprintf(out, "... and %zu merchants more\n", merchants - most);
}

bool show_period(struct db *db, const char *programme_id, const struct period *period, FILE *out, struct error *err)
{
    CLEANUP(sheet_list_release) struct sheet_list list = { 0 };
    int32_t programme_no;

    if (!close_store_programme(db, programme_id, &programme_no, err) ||
        !period_store_stored(db, programme_no, period, &list, err))
        return false;
    if (list.count == 0)
        return error_set(err, REASON_STATEMENT_NOT_FOUND, "%s has no statements yet; run period-close first",
                         period->text);
    show_table(&list, MERCHANTS_SHOWN, out);
    return true;
}
