/*
 * statement_read.h -- settlement statements and their lines as a party may see them. Made by alliance-settle, not here.
 *
 * A bank sees the PAIR and BANK statements of its own, a merchant the PAIR and MERCHANT ones, a carrier the CARRIER
 * ones, the operator all: each statement takes who asks as its number, all 0 for the operator.
 */
#ifndef STORE_STATEMENT_READ_H
#define STORE_STATEMENT_READ_H

#include "store/db.h"

struct statement_page_params {
    int32_t programme_no;
    const char *period; /* "" for any */
    int16_t type;       /* 0 for any */
    int32_t bank_no, merchant_no;
    const char *after; /* statement_id */
    int32_t limit;
    int32_t carrier_no;
};
struct statement_row {
    int64_t statement_no;
    const char *statement_id;
    const char *programme_id, *period;
    int16_t type;
    const char *bank_id, *merchant_id; /* "" for none */
    const char *currency;
    int16_t state;
    int64_t confirmed_count, confirmed_points, reversed_count, reversed_points;
    int64_t gross_minor, commission_minor, net_minor, line_count;
    struct bytes content_sha256;
    struct bytes rows_root; /* empty: calculated before there were roots */
    struct instant calculated_at;
    const char *carrier_id;
    bool has_position; /* false for pairs, and for those calculated before there were positions */
    int64_t opening_minor, movement_minor, payable_minor, closing_minor, carried_minor, held_back_minor, disputed_minor;
    struct date due_on;
    const char *statement_number; /* "": calculated before there were numbers */
    const char *answered_by;
    struct date answered_on; /* 1970-01-01: no answer yet */
};
extern const struct statement statement_list; /* by statement_id in byte order */

struct statement_id_params {
    const char *statement_id;
    int32_t bank_no, merchant_no, carrier_no;
};
extern const struct statement statement_find; /* returns statement_row */

struct statement_lines_params {
    int64_t statement_no, after, until; /* line numbers: after < n <= until */
};
struct statement_line_row {
    int64_t line_number;
    struct date business_date;
    struct instant at;
    int16_t kind; /* enum entry_kind */
    struct uuid member_id, redemption_id, request_id;
    const char *store_id;
    int64_t points, gross_minor, commission_minor, net_minor;
    int32_t rules_version, terms_version;
};
extern const struct statement statement_list_lines;

/* Postings of a roll-up, by number. */
struct statement_postings_params {
    int64_t statement_no;
    int32_t after, limit;
};
struct statement_posting_row {
    int32_t posting_no;
    int16_t kind, from_party;
    const char *from_id;
    int16_t to_party;
    const char *to_id;
    int64_t amount_minor;                                 /* as the statement's party sees it: negative for who gives */
    const char *bank_id, *merchant_id, *refers_to, *note; /* "" for none */
};
extern const struct statement statement_list_postings;

#endif
