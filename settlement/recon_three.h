/*
 * recon_three.h -- the bank's file, the journal and the merchant's file side by side: where one of them differs, which.
 */
#ifndef SETTLEMENT_RECON_THREE_H
#define SETTLEMENT_RECON_THREE_H

#include "recon_record.h"

#include <stdio.h>

struct db;

/* What one of the three says of a redemption; state 0: nothing. */
struct recon_word {
    int16_t state; /* enum recon_state */
    int64_t minor;
    const char *currency;
    struct date date;
};

enum recon_verdict {
    VERDICT_DAYS_DIFFER, /* all say the same, of different days */
    VERDICT_BANK_DIFFERS,
    VERDICT_MERCHANT_DIFFERS,
    VERDICT_JOURNAL_DIFFERS, /* bank and merchant say the same, we do not */
    VERDICT_ALL_DIFFER,
};
/* Two against one: state, amount and currency count, the day does not. Pure. */
enum recon_verdict recon_verdict(const struct recon_word *bank, const struct recon_word *journal,
                                 const struct recon_word *merchant);
const char *recon_verdict_name(enum recon_verdict verdict);

struct recon_three_scope {
    int32_t programme_no;
    const char *period;
    int32_t bank_no, merchant_no;
};
/* A line for each redemption of the pair on which they do not agree. FIELD_INVALID until both files were compared. */
bool recon_three_report(struct db *db, const struct recon_three_scope *scope, FILE *out, struct error *err) MUST_USE;

#endif
