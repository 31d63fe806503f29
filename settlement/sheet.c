#include "sheet.h"

#include "base/exact.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name, *file;
} types[] = {
    [SHEET_PAIR] = { "PAIR", "pair" },
    [SHEET_BANK] = { "BANK", "bank" },
    [SHEET_MERCHANT] = { "MERCHANT", "merchant" },
    [SHEET_OPERATOR] = { "OPERATOR", "operator" },
    [SHEET_CARRIER] = { "CARRIER", "carrier" },
    [SHEET_TAX] = { "TAX", "tax" },
};

bool sheet_list_add(struct sheet_list *list, const struct sheet *sheet, struct error *err)
{
    if (list->count == SHEETS_MAX)
        return error_set(err, REASON_INTERNAL, "a period can have at most %d statements", SHEETS_MAX);
    if (list->count == list->room) {
        size_t room = list->room ? list->room * 2 : 64;
        struct sheet *at = realloc(list->at, room * sizeof *at);
        if (!at)
            return error_set(err, REASON_INTERNAL, "out of memory");
        list->at = at;
        list->room = room;
    }
    list->at[list->count++] = *sheet;
    return true;
}

void sheet_list_release(struct sheet_list *list)
{
    free(list->at);
    *list = (struct sheet_list){ 0 };
}

const char *sheet_type_name(int type)
{
    return type >= SHEET_PAIR && type <= SHEET_TAX ? types[type].name : "?";
}

/* The party's part of a name: each id with the mark in front of it. */
static void party(const struct sheet *sheet, char mark, char text[2 * ID_MAX + 3])
{
    int n = 0;

    text[0] = '\0';
    if (*sheet->bank_id)
        n = snprintf(text, 2 * ID_MAX + 3, "%c%s", mark, sheet->bank_id);
    if (*sheet->merchant_id)
        snprintf(text + n, 2 * ID_MAX + 3 - (size_t)n, "%c%s", mark, sheet->merchant_id);
    if (*sheet->carrier_id)
        snprintf(text, 2 * ID_MAX + 3, "%c%s", mark, sheet->carrier_id);
}

void sheet_id(const struct sheet *sheet, const char *programme_id, const char *period, char text[SHEET_ID_TEXT])
{
    char who[2 * ID_MAX + 3];

    party(sheet, '/', who);
    snprintf(text, SHEET_ID_TEXT, "%s/%s/%s%s/%s", programme_id, period, sheet_type_name(sheet->type), who,
             sheet->currency);
}

void sheet_file_name(const struct sheet *sheet, const char *programme_id, const char *period, const char *extension,
                     char text[SHEET_FILE_TEXT])
{
    char who[2 * ID_MAX + 3];

    party(sheet, '_', who);
    if (sheet->type == SHEET_OPERATOR || sheet->type == SHEET_TAX)
        snprintf(who, sizeof who, "_%s", programme_id);
    snprintf(text, SHEET_FILE_TEXT, "%s%s_%s_%s.%s", types[sheet->type].file, who, period, sheet->currency, extension);
}

int sheet_compare_pair(const struct sheet *pair, const char *bank_id, const char *merchant_id, const char *currency)
{
    int order = strcmp(pair->bank_id, bank_id);

    if (order == 0)
        order = strcmp(pair->merchant_id, merchant_id);
    return order != 0 ? order : strcmp(pair->currency, currency);
}

bool sheet_covers(const struct sheet *roll_up, const struct sheet *pair)
{
    return roll_up->type >= SHEET_BANK && roll_up->type <= SHEET_OPERATOR && pair->type == SHEET_PAIR &&
           (roll_up->bank_no == 0 || roll_up->bank_no == pair->bank_no) &&
           (roll_up->merchant_no == 0 || roll_up->merchant_no == pair->merchant_no) &&
           strcmp(roll_up->currency, pair->currency) == 0;
}

static const int16_t parties[] = { [SHEET_PAIR] = 0,
                                   [SHEET_BANK] = PARTY_BANK,
                                   [SHEET_MERCHANT] = PARTY_MERCHANT,
                                   [SHEET_OPERATOR] = PARTY_OPERATOR,
                                   [SHEET_CARRIER] = PARTY_CARRIER,
                                   [SHEET_TAX] = PARTY_TAX };

struct party sheet_party(const struct sheet *sheet)
{
    return (struct party){ parties[sheet->type], sheet->type == SHEET_PAIR ? 0
                                                 : sheet->bank_no          ? sheet->bank_no
                                                 : sheet->merchant_no      ? sheet->merchant_no
                                                                           : sheet->carrier_no };
}

int16_t sheet_type_of(int party)
{
    int16_t type = SHEET_BANK;

    while (type < SHEET_TAX && parties[type] != party)
        type++;
    return type;
}

static int in_order(const void *left, const void *right)
{
    const struct sheet *a = left, *b = right;
    int order = a->type - b->type;

    if (order == 0)
        order = strcmp(a->carrier_id, b->carrier_id);
    return order != 0 ? order : sheet_compare_pair(a, b->bank_id, b->merchant_id, b->currency);
}

void sheet_list_sort(struct sheet_list *list)
{
    if (list->count > 0)
        qsort(list->at, list->count, sizeof *list->at, in_order);
}

int64_t sheet_movement(const struct sheet *roll_up, const struct totals *totals)
{
    return roll_up->type == SHEET_BANK       ? -totals->gross_minor
           : roll_up->type == SHEET_MERCHANT ? totals->net_minor
           : roll_up->type == SHEET_OPERATOR ? totals->commission_minor
                                             : 0;
}

/* Pairs come first in the list. */
static size_t pair_count(const struct sheet_list *list)
{
    size_t n = 0;

    while (n < list->count && list->at[n].type == SHEET_PAIR)
        n++;
    return n;
}

void sheet_list_count_lines(struct sheet_list *list)
{
    size_t pairs = pair_count(list);

    for (size_t i = 0; i < list->count; i++) {
        struct sheet *sheet = &list->at[i];
        sheet->line_count =
            sheet->type == SHEET_PAIR ? sheet->totals.confirmed_count + sheet->totals.reversed_count : 0;
        for (size_t k = 0; k < pairs && sheet->type != SHEET_PAIR; k++)
            sheet->line_count += sheet_covers(sheet, &list->at[k]);
    }
}

/* "what of PAIR bank-a shop-1 USD: 12 against 13" */
static bool apart(const struct sheet *sheet, const char *what, const char *left, int64_t in_left, const char *right,
                  int64_t in_right, struct error *err)
{
    char who[2 * ID_MAX + 3];

    party(sheet, ' ', who);
    return error_set(err, REASON_DOES_NOT_TIE, "%s of %s%s %s: %s %" PRId64 ", %s %" PRId64, what,
                     sheet_type_name(sheet->type), who, sheet->currency, left, in_left, right, in_right);
}

bool sheet_tie_lines(const struct sheet *pair, const struct totals *lines, struct error *err)
{
    int64_t in_lines, in_totals;
    const char *what = totals_difference(lines, &pair->totals, &in_lines, &in_totals);

    return !what || apart(pair, what, "journal lines give", in_lines, "daily roll-ups give", in_totals, err);
}

static bool ties_to_pairs(const struct sheet_list *list, const struct sheet *roll_up, size_t pairs, struct error *err)
{
    struct totals sum = { 0 };
    int64_t in_sum, in_roll_up;

    for (size_t i = 0; i < pairs; i++) {
        if (sheet_covers(roll_up, &list->at[i]) && !totals_add(&sum, &list->at[i].totals))
            return error_set(err, REASON_DOES_NOT_TIE, "the pairs of %s %s add up to more than fits",
                             sheet_type_name(roll_up->type), roll_up->currency);
    }
    const char *what = totals_difference(&sum, &roll_up->totals, &in_sum, &in_roll_up);
    return !what || apart(roll_up, what, "its pairs give", in_sum, "its roll-up gives", in_roll_up, err);
}

/* What all statements of a type say in one currency. */
static bool sum_of_type(const struct sheet_list *list, int type, const char *currency, struct totals *sum)
{
    *sum = (struct totals){ 0 };
    for (size_t i = 0; i < list->count; i++) {
        const struct sheet *sheet = &list->at[i];
        if (sheet->type == type && strcmp(sheet->currency, currency) == 0 && !totals_add(sum, &sheet->totals))
            return false;
    }
    return true;
}

/* What one party's statement brings it another's takes away. */
static bool movements_are_even(const struct sheet_list *list, const struct sheet *operator, struct error * err)
{
    int64_t sum = 0;

    for (size_t i = 0; i < list->count; i++) {
        if (strcmp(list->at[i].currency, operator->currency) == 0 &&
            !exact_add(sum, list->at[i].position.movement_minor, &sum))
            return error_set(err, REASON_DOES_NOT_TIE, "the movements in %s do not fit", operator->currency);
    }
    return sum == 0 || apart(operator, "all parties' movements", "they add up to", sum, "must be", 0, err);
}

/* Whatever the banks owe goes to the merchants or stays with the operator. */
static bool nothing_left_over(const struct sheet_list *list, const struct sheet *operator, struct error * err)
{
    struct totals banks, merchants;
    int64_t paid;

    if (!sum_of_type(list, SHEET_BANK, operator->currency, &banks) ||
        !sum_of_type(list, SHEET_MERCHANT, operator->currency, &merchants) ||
        !exact_add(merchants.net_minor, operator->totals.commission_minor, &paid))
        return error_set(err, REASON_DOES_NOT_TIE, "the totals in %s do not fit", operator->currency);
    return banks.gross_minor == paid || apart(operator, "the whole", "banks owe", banks.gross_minor,
                                              "merchants' net and the commission are", paid, err);
}

static bool net_is_right(const struct sheet *sheet, struct error *err)
{
    int64_t net;

    if (!exact_sub(sheet->totals.gross_minor, sheet->totals.commission_minor, &net))
        return error_set(err, REASON_DOES_NOT_TIE, "gross less commission in %s does not fit", sheet->currency);
    return net == sheet->totals.net_minor ||
           apart(sheet, "net", "gross less commission is", net, "the statement says", sheet->totals.net_minor, err);
}

bool sheet_list_tie(const struct sheet_list *list, struct error *err)
{
    size_t pairs = pair_count(list);

    for (size_t i = 0; i < list->count; i++) {
        const struct sheet *sheet = &list->at[i];
        if (!net_is_right(sheet, err) || (i >= pairs && !ties_to_pairs(list, sheet, pairs, err)) ||
            (sheet->type == SHEET_OPERATOR &&
             (!nothing_left_over(list, sheet, err) || !movements_are_even(list, sheet, err))))
            return false;
    }
    return true;
}
