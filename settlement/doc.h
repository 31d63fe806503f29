/*
 * doc.h -- a statement as its documents show it: who, when, position, what was booked, and what it is made of.
 *
 * Filled once a statement by doc_fill (doc_fill.c) from the sheet and the roll-ups; the writers (doc_writer.h) take
 * nothing else, so that all documents of a statement say the same. Signs are those of the statement's own party:
 * positive is owed to it. A PAIR is seen by its merchant.
 */
#ifndef SETTLEMENT_DOC_H
#define SETTLEMENT_DOC_H

#include "base/arena.h"
#include "books.h"
#include "domain/bank_account.h"
#include "domain/period.h"
#include "files.h"
#include "points_book.h"
#include "sheet.h"

enum { DOC_ID_TEXT = 36 };

/* Extra files a party wants, as bits of party_account.files. */
enum { DOC_BILL = 1, DOC_FIXED_WIDTH = 2 };

struct doc_party {
    int16_t type; /* enum party_kind; 0 for none */
    int32_t no;
    char id[ID_MAX + 1];
    char name[PARTY_NAME_MAX + 1];
    /* the rest "" when no account is set */
    char legal_name[PARTY_NAME_MAX + 1], address[PARTY_ADDRESS_MAX + 1], country[3];
    char iban[IBAN_MAX + 1], account_number[ACCOUNT_NUMBER_MAX + 1], bic[BIC_MAX + 1], bank_name[PARTY_NAME_MAX + 1];
    int32_t account_version; /* 0: none */
    int32_t files;
};

/* One day's, or one store's, lines. */
struct doc_sum {
    struct date day;        /* of a day's sum */
    char label[ID_MAX + 1]; /* of a store's; "" for lines without one */
    int64_t confirmed_count, confirmed_points, confirmed_gross, confirmed_commission;
    int64_t reversed_count, reversed_points, reversed_gross, reversed_commission; /* amounts 0 or less */
};
struct doc_sums {
    struct doc_sum *at; /* borrowed */
    size_t count;
};

/* What the close itself added, from this party's side. */
struct doc_posting {
    int64_t no;
    const char *kind;  /* "COMMISSION_TIER", "TAX", ...; borrowed, as is the rest */
    const char *other; /* the other party's id */
    int64_t amount_minor;
    const char *refers_to, *note;
};

struct statement_doc {
    const char *programme_id;
    const struct period *period;
    const struct sheet *sheet; /* type, parties, currency, totals; content and rows_root once its CSV is written */
    const struct sheet_list *list;
    char id[SHEET_ID_TEXT], number[SHEET_NUMBER_TEXT];
    struct doc_party party, other; /* other: a PAIR's bank */
    struct doc_party operator_;
    struct position position; /* a PAIR's: movement = closing, for its two parties are paid, not it */
    struct doc_posting *postings;
    size_t posting_count;
    struct keep *kept; /* of a MERCHANT or CARRIER: what its closing position keeps, and what is let go */
    size_t kept_count;
    struct doc_sums days, stores;     /* a PAIR's are there at the end only */
    const struct points_page *points; /* of a BANK in periods of its own contract; NULL of others */
    struct doc_sums goods;            /* by merchant and good; at 0 when there are none, or too many to be told */
};

/* "M12": the party in at most 12 characters of A-Z and 0-9. */
void doc_party_code(const struct doc_party *party, char text[DOC_ID_TEXT]);
/* Legal name, else name, else id. */
const char *doc_party_name(const struct doc_party *party);

/* What is booked on a statement's account, in the order of the documents. */
struct doc_booking {
    const char *code; /* REDEMPTION, REVERSAL, COMMISSION, a posting's kind, PAYOUT or COLLECTION */
    struct date day;
    int64_t amount_minor; /* signed, never 0 */
    int64_t count;        /* of lines it sums up; 1 for a posting */
    bool reversal;        /* takes back what was booked with the other sign */
    const char *refers_to;
};
typedef bool doc_booking_handler(void *owner, const struct doc_booking *booking, struct error *err);
/* False when the handler says so, or when the bookings do not lead from opening to closing (DOES_NOT_TIE). */
bool doc_each_booking(const struct statement_doc *doc, doc_booking_handler *each, void *owner,
                      struct error *err) MUST_USE;

#endif
