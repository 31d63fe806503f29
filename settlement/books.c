#include "books.h"

#include "base/exact.h"
#include "books_store.h"
#include "charges.h"
#include "facts_store.h"

#include <stdio.h>
#include <string.h>

void books_release(struct books *books)
{
    posting_list_release(&books->postings);
    arena_release(&books->arena);
}

bool books_load(struct books *books, struct db *db, int32_t programme_no, const struct scope *scope, struct error *err)
{
    books->scope = scope;
    books->period = scope->period;
    return calendar_load(db, programme_no, &books->arena, &books->calendar, err) &&
           books_store_openings(db, programme_no, books, err) && books_store_ids(db, programme_no, books, err) &&
           books_store_corrections(db, programme_no, books, err) && books_store_holds(db, programme_no, books, err) &&
           facts_store_undelivered(db, programme_no, books, err) && facts_store_freight(db, programme_no, books, err) &&
           facts_store_campaigns(db, programme_no, books, err);
}

const char *books_id(const struct books *books, struct party party)
{
    for (size_t i = 0; i < books->id_count && party.no != 0; i++) {
        if (party_is(books->ids[i].party, party))
            return books->ids[i].id;
    }
    return "";
}

/* Statements of parties without pairs. */

static const struct sheet *find(const struct sheet_list *list, struct party party, const char *currency)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct sheet *sheet = &list->at[i];
        if (sheet->type != SHEET_PAIR && party_is(sheet_party(sheet), party) && strcmp(sheet->currency, currency) == 0)
            return sheet;
    }
    return NULL;
}

static bool name(const struct books *books, struct party party, struct sheet *sheet, struct error *err)
{
    char *room = party.kind == PARTY_BANK       ? sheet->bank_id
                 : party.kind == PARTY_MERCHANT ? sheet->merchant_id
                                                : sheet->carrier_id;

    snprintf(room, ID_MAX + 1, "%s", books_id(books, party));
    if (*room)
        return true;
    return party.no == 0 || error_set(err, REASON_DOES_NOT_TIE, "%s number %d has money but is not registered",
                                      party_name(party.kind), (int)party.no);
}

/* At the end of the list, which is put in order when all are there. */
static bool need(const struct books *books, struct sheet_list *list, struct party party, const char *currency,
                 struct error *err)
{
    struct sheet sheet = { .type = sheet_type_of(party.kind),
                           .bank_no = party.kind == PARTY_BANK ? party.no : 0,
                           .merchant_no = party.kind == PARTY_MERCHANT ? party.no : 0,
                           .carrier_no = party.kind == PARTY_CARRIER ? party.no : 0 };

    if (find(list, party, currency))
        return true;
    snprintf(sheet.currency, sizeof sheet.currency, "%s", currency);
    return name(books, party, &sheet, err) && sheet_list_add(list, &sheet, err);
}

/* Those known before anything is posted; a contract's fee is due from a party without redemptions, too. */
static bool need_known(const struct books *books, struct sheet_list *list, struct error *err)
{
    for (size_t i = 0; i < books->opening_count; i++) {
        if (books->openings[i].closing_minor != 0 &&
            !scope_skips(books->scope, books->openings[i].party, books->openings[i].currency) &&
            !need(books, list, books->openings[i].party, books->openings[i].currency, err))
            return false;
    }
    for (size_t i = 0; i < books->keep_count; i++) {
        const struct keep *keep = &books->keeps[i];
        if (!scope_skips(books->scope, keep_party(keep), keep->currency) &&
            !need(books, list, keep_party(keep), keep->currency, err))
            return false;
    }
    for (size_t i = 0; i < books->scope->contract_count; i++) {
        const struct settle_contract *any = &books->scope->contracts[i];
        if (any->fee_period_minor > 0 && scope_contract(books->scope, any->party, any->currency).fee_period_minor > 0 &&
            !need(books, list, any->party, any->currency, err))
            return false;
    }
    return true;
}

static bool need_posted(const struct books *books, struct sheet_list *list, struct error *err)
{
    for (size_t i = 0; i < books->postings.count; i++) {
        const struct posting *posting = &books->postings.at[i];
        if (!need(books, list, posting->from, posting->currency, err) ||
            !need(books, list, posting->to, posting->currency, err))
            return false;
    }
    return true;
}

/* One for each currency in which anybody has a statement: it is where the currency is held against itself. */
static bool need_operators(const struct books *books, struct sheet_list *list, struct error *err)
{
    for (size_t i = 0, count = list->count; i < count; i++) {
        char currency[CURRENCY_TEXT];
        snprintf(currency, sizeof currency, "%s", list->at[i].currency);
        if (!need(books, list, (struct party){ PARTY_OPERATOR, 0 }, currency, err))
            return false;
    }
    return true;
}

/* Postings. */

static bool post_corrections(struct books *books, struct error *err)
{
    for (size_t i = 0; i < books->taken_count; i++) {
        if (!posting_add(&books->postings, &books->taken[i].posting, err))
            return false;
    }
    return true;
}

static bool post_charges(struct books *books, const struct sheet_list *list, const struct sheet *sheet,
                         struct error *err)
{
    struct settle_contract contract = scope_contract(books->scope, sheet_party(sheet), sheet->currency);
    size_t first = books->postings.count;

    if (contract.version == 0)
        return true;
    if (sheet->type != SHEET_MERCHANT)
        return sheet->type == SHEET_PAIR || charges_fees(&contract, sheet, &books->postings, err);
    return charges_tiers(&contract, list, sheet, &books->postings, err) &&
           charges_fees(&contract, sheet, &books->postings, err) &&
           charges_tax(&contract, list, sheet, &books->postings, first, err);
}

bool books_post(struct books *books, struct sheet_list *list, struct error *err)
{
    if (!need_known(books, list, err))
        return false;
    sheet_list_sort(list);
    for (size_t i = 0; i < list->count; i++) {
        if (!post_charges(books, list, &list->at[i], err))
            return false;
    }
    if (!post_corrections(books, err) || !need_posted(books, list, err) || !need_operators(books, list, err))
        return false;
    sheet_list_sort(list);
    return true;
}

/* Positions. */

static int64_t opening_of(const struct books *books, struct party party, const char *currency)
{
    for (size_t i = 0; i < books->opening_count; i++) {
        if (party_is(books->openings[i].party, party) && strcmp(books->openings[i].currency, currency) == 0)
            return books->openings[i].closing_minor;
    }
    return 0;
}

static bool sum_movement(const struct books *books, const struct sheet *sheet, int64_t *sum)
{
    *sum = sheet_movement(sheet, &sheet->totals);
    for (size_t i = 0; i < books->postings.count; i++) {
        const struct posting *posting = &books->postings.at[i];
        if (strcmp(posting->currency, sheet->currency) == 0 &&
            !exact_add(*sum, posting_for(posting, sheet_party(sheet)), sum))
            return false;
    }
    return true;
}

const char *keep_name(int kind)
{
    static const char *const names[] = { [KEEP_RESERVE] = "HELD_BACK",
                                         [KEEP_DISPUTE] = "DISPUTED",
                                         [KEEP_UNDELIVERED] = "UNDELIVERED",
                                         [KEEP_DISPUTE_RELEASED] = "DISPUTE_RELEASED",
                                         [KEEP_RESERVE_RELEASED] = "HELD_BACK_RELEASED" };

    return kind > 0 && kind < KEEP_KINDS ? names[kind] : "?";
}

bool keep_is_release(int kind)
{
    return kind == KEEP_DISPUTE_RELEASED || kind == KEEP_RESERVE_RELEASED;
}

struct party keep_party(const struct keep *keep)
{
    return (struct party){ keep->carrier_no ? PARTY_CARRIER : PARTY_MERCHANT, keep->merchant_no + keep->carrier_no };
}

bool keep_is_of(const struct keep *keep, const struct sheet *sheet)
{
    return (sheet->type == SHEET_MERCHANT || sheet->type == SHEET_CARRIER) && keep->merchant_no == sheet->merchant_no &&
           keep->carrier_no == sheet->carrier_no && strcmp(keep->currency, sheet->currency) == 0;
}

static bool sum_kept(const struct books *books, const struct sheet *sheet, struct position *position)
{
    for (size_t i = 0; i < books->keep_count; i++) {
        const struct keep *keep = &books->keeps[i];
        bool contested = keep->kind == KEEP_DISPUTE || keep->kind == KEEP_DISPUTE_RELEASED;
        int64_t *sum = contested ? &position->disputed_minor : &position->held_back_minor;
        if (keep_is_of(keep, sheet) && !exact_add(*sum, keep->amount_minor, sum))
            return false;
    }
    return true;
}

bool books_keep(struct books *books, const struct keep *keep, struct error *err)
{
    if (books->keep_count == books->keep_room) {
        size_t room = books->keep_room ? 2 * books->keep_room : 64;
        struct keep *keeps = arena_alloc(&books->arena, room * sizeof *keeps);
        if (!keeps)
            return error_set(err, REASON_INTERNAL, "out of memory");
        if (books->keep_count > 0)
            memcpy(keeps, books->keeps, books->keep_count * sizeof *keeps);
        books->keeps = keeps;
        books->keep_room = room;
    }
    books->keeps[books->keep_count++] = *keep;
    return true;
}

/* Released on the first day of the contract's period that is so many later. */
static bool hold_back(struct books *books, const struct settle_contract *contract, const struct sheet *sheet,
                      struct error *err)
{
    struct keep keep = {
        .kind = KEEP_RESERVE,
        .merchant_no = sheet->merchant_no,
        .currency = sheet->currency,
        .amount_minor = position_hold_back(contract, sheet->position.movement_minor),
        .refers_to = books->period->text,
        .new = true,
        .release_on = settle_contract_later(contract, books->period->last, contract->hold_back_periods),
    };

    return keep.amount_minor == 0 || books_keep(books, &keep, err);
}

static bool settle(struct books *books, struct sheet *sheet, struct error *err)
{
    struct settle_contract contract = scope_contract(books->scope, sheet_party(sheet), sheet->currency);
    struct position *position = &sheet->position;

    *position = (struct position){ .opening_minor = opening_of(books, sheet_party(sheet), sheet->currency) };
    if (!business_day_from(&books->calendar.days, (struct date){ books->period->last.days + contract.payment_days },
                           &position->due_on, err))
        return false;
    if (!sum_movement(books, sheet, &position->movement_minor))
        return error_set(err, REASON_DOES_NOT_TIE, "the movements of %s %s do not fit", sheet_type_name(sheet->type),
                         sheet->currency);
    if (sheet->type == SHEET_MERCHANT && !hold_back(books, &contract, sheet, err))
        return false;
    if (!sum_kept(books, sheet, position))
        return error_set(err, REASON_DOES_NOT_TIE, "what %s %s%s %s is not paid yet does not fit",
                         sheet_type_name(sheet->type), sheet->merchant_id, sheet->carrier_id, sheet->currency);
    return position_settle(&contract, scope_goes_on(books->scope, sheet_party(sheet), sheet->currency), position, err);
}

bool books_settle(struct books *books, struct sheet_list *list, struct error *err)
{
    for (size_t i = 0; i < list->count; i++) {
        if (list->at[i].type != SHEET_PAIR && !settle(books, &list->at[i], err))
            return false;
    }
    return true;
}
