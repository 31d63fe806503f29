#include "doc.h"

#include "base/exact.h"

#include <inttypes.h>
#include <stdio.h>

/* By enum party_kind. */
static const char letters[] = "?BMCOT";

void doc_party_code(const struct doc_party *party, char text[DOC_ID_TEXT])
{
    snprintf(text, DOC_ID_TEXT, "%c%" PRId32,
             letters[party->type >= PARTY_BANK && party->type <= PARTY_TAX ? party->type : 0], party->no);
}

const char *doc_party_name(const struct doc_party *party)
{
    return *party->legal_name ? party->legal_name : *party->name ? party->name : party->id;
}

/* Lives in doc_each_booking's frame. */
struct bookings {
    const struct statement_doc *doc;
    doc_booking_handler *each;
    void *owner;
    int64_t sum;
};

static bool book(struct bookings *to, const struct doc_booking *booking, struct error *err)
{
    if (booking->amount_minor == 0)
        return true;
    if (!exact_add(to->sum, booking->amount_minor, &to->sum))
        return error_set(err, REASON_DOES_NOT_TIE, "the bookings of %.100s do not fit", to->doc->id);
    return to->each(to->owner, booking, err);
}

/* The sign a pair's gross and commission have for this statement's party; 0: they are not its business. */
static int gross_sign(int type)
{
    return type == SHEET_BANK ? -1 : type == SHEET_PAIR || type == SHEET_MERCHANT ? 1 : 0;
}

static int commission_sign(int type)
{
    return type == SHEET_OPERATOR ? 1 : type == SHEET_PAIR || type == SHEET_MERCHANT ? -1 : 0;
}

static bool book_day(struct bookings *to, const struct doc_sum *day, struct error *err)
{
    int type = to->doc->sheet->type;
    int64_t commission = day->confirmed_commission + day->reversed_commission;
    struct doc_booking confirmed = { "REDEMPTION",         day->day, gross_sign(type) * day->confirmed_gross,
                                     day->confirmed_count, false,    "" };
    struct doc_booking reversed = { "REVERSAL",          day->day, gross_sign(type) * day->reversed_gross,
                                    day->reversed_count, true,     "" };
    struct doc_booking kept = {
        "COMMISSION",   day->day, commission_sign(type) * commission, day->confirmed_count + day->reversed_count,
        commission < 0, ""
    };

    return book(to, &confirmed, err) && book(to, &reversed, err) && book(to, &kept, err);
}

static bool book_rest(struct bookings *to, struct error *err)
{
    const struct statement_doc *doc = to->doc;

    for (size_t i = 0; i < doc->posting_count; i++) {
        const struct doc_posting *posting = &doc->postings[i];
        struct doc_booking booking = { posting->kind, doc->period->last, posting->amount_minor, 1,
                                       false,         posting->refers_to };
        if (!book(to, &booking, err))
            return false;
    }
    struct doc_booking payment = { doc->position.payable_minor > 0 ? "PAYOUT" : "COLLECTION",
                                   doc->period->last,
                                   -doc->position.payable_minor,
                                   1,
                                   false,
                                   doc->number };
    return book(to, &payment, err);
}

bool doc_each_booking(const struct statement_doc *doc, doc_booking_handler *each, void *owner, struct error *err)
{
    struct bookings to = { doc, each, owner, doc->position.opening_minor };

    for (size_t i = 0; i < doc->days.count; i++) {
        if (!book_day(&to, &doc->days.at[i], err))
            return false;
    }
    if (!book_rest(&to, err))
        return false;
    return to.sum == doc->position.closing_minor ||
           error_set(err, REASON_DOES_NOT_TIE, "%.100s: its bookings lead to %" PRId64 ", its closing is %" PRId64,
                     doc->id, to.sum, doc->position.closing_minor);
}
