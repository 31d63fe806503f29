/*
 * sheet.h -- the statements of a period in memory, without their lines, and whether they tie to one another. Pure but
 * for the list's own memory.
 *
 * "Sheet" is a statement here because `struct statement` is a query in store/db.h.
 */
#ifndef SETTLEMENT_SHEET_H
#define SETTLEMENT_SHEET_H

#include "base/error.h"
#include "base/limits.h"
#include "domain/rules.h"
#include "io/crypto.h"
#include "position.h"
#include "totals.h"

#include <stddef.h>
#include <stdint.h>

/* StatementType of settlement_service.proto. */
enum sheet_type {
    SHEET_PAIR = 1,
    SHEET_BANK = 2,
    SHEET_MERCHANT = 3,
    SHEET_OPERATOR = 4,
    SHEET_CARRIER = 5,
    SHEET_TAX = 6
};

enum {
    SHEETS_MAX = 250000, /* of one period: about 90 MB */
    SHEET_ID_TEXT = 160,
    SHEET_FILE_TEXT = 160,
    SHEET_NUMBER_TEXT = 36, /* 35 characters are what a payment can carry */
};

struct sheet {
    int16_t type;                 /* enum sheet_type */
    int32_t bank_no, merchant_no; /* 0 where the type has none */
    char bank_id[ID_MAX + 1];     /* "" where the type has none; the same for merchant_id */
    char merchant_id[ID_MAX + 1];
    char currency[CURRENCY_TEXT];
    struct totals totals;
    int64_t line_count;             /* PAIR: entries; roll-ups: pairs */
    uint8_t content[CRYPTO_HASH];   /* SHA-256 of its CSV file, once written */
    uint8_t rows_root[CRYPTO_HASH]; /* as io/merkle.h has it, over the rows of that file between header and totals,
                                       without CRLF */
    int32_t carrier_no;             /* 0 but for CARRIER, as is the next */
    char carrier_id[ID_MAX + 1];
    struct position position;       /* zero for a PAIR: its two parties have one */
    char number[SHEET_NUMBER_TEXT]; /* "M12-000001"; "" before numbers_give */
    unsigned documents;             /* bits of the doc_writers that made a file of it */
};

/* In order of type, bank_id, merchant_id, carrier_id, currency, so that the pairs come first. Zeroed is empty. */
struct sheet_list {
    struct sheet *at; /* the list's own */
    size_t count, room;
};

/* INTERNAL past SHEETS_MAX or when memory is short. */
bool sheet_list_add(struct sheet_list *list, const struct sheet *sheet, struct error *err) MUST_USE;
void sheet_list_release(struct sheet_list *list);

/* "PAIR"; "?" for a number that is no type. */
const char *sheet_type_name(int type);
/* "demo/2017-01/PAIR/bank-a/shop-1/USD": parts the type does not have are left out. */
void sheet_id(const struct sheet *sheet, const char *programme_id, const char *period, char text[SHEET_ID_TEXT]);
/* "pair_bank-a_shop-1_2017-01_USD.csv"; the operator's party is the programme. */
void sheet_file_name(const struct sheet *sheet, const char *programme_id, const char *period, const char *extension,
                     char text[SHEET_FILE_TEXT]);
/* Whose statement it is; a PAIR is nobody's. */
struct party sheet_party(const struct sheet *sheet);
/* The type of a party's own statements. */
int16_t sheet_type_of(int party);
/* Puts the list in its order again, after more were added. */
void sheet_list_sort(struct sheet_list *list);
/* < 0, 0, > 0 by bank_id, merchant_id and currency, as the pairs are ordered. */
int sheet_compare_pair(const struct sheet *pair, const char *bank_id, const char *merchant_id, const char *currency);
/* Is the pair one of those the roll-up is made of? */
bool sheet_covers(const struct sheet *roll_up, const struct sheet *pair);
/* What one of its pairs brings the party of a roll-up: a bank owes gross, a merchant is owed net, the rest stays. */
int64_t sheet_movement(const struct sheet *roll_up, const struct totals *totals);
/* Sets line_count: a pair's from its counts, a roll-up's from its pairs. */
void sheet_list_count_lines(struct sheet_list *list);
/*
 * Each roll-up is the sum of its pairs, net is gross less commission, and in each currency what the banks owe is what
 * the merchants are paid and the operator keeps; and what all positions move adds up to nothing. DOES_NOT_TIE names the
 * two figures and where.
 */
bool sheet_list_tie(const struct sheet_list *list, struct error *err) MUST_USE;
/* The lines written for a pair against its totals. */
bool sheet_tie_lines(const struct sheet *pair, const struct totals *lines, struct error *err) MUST_USE;

#endif
