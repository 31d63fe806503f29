/*
 * contract_store.h -- settlement contracts: publishing a version, and reading those in force. Versions never change.
 */
#ifndef STORE_CONTRACT_STORE_H
#define STORE_CONTRACT_STORE_H

#include "store/db.h"

/* One version as stored; domain/settle_contract.h says what its numbers mean. */
struct contract_row {
    int32_t programme_no;
    int16_t party;
    int32_t party_no;
    const char *currency;
    int32_t version;
    struct date effective_from;
    int16_t period_kind;
    struct date_array custom_ends;
    struct int64_array tier_from, tier_bp;
    int64_t min_payout_minor;
    int32_t hold_back_bp, hold_back_periods;
    int64_t fee_period_minor, fee_redemption_minor;
    int32_t tax_bp;
    int16_t tax_rounding, tax_bearer;
    int64_t residue_limit_minor;
    int16_t eligibility;
    int32_t confirm_days, payment_days, late_fee_bp, dispute_days;
    int64_t freight_minor;
    struct uuid request_id;
    struct bytes content_hash;
    const char *published_by;
};
/* Does nothing when the request_id or the version is there. */
extern const struct statement contract_put;

/* All versions effective on that day or before, by party, number, currency and version. */
struct contract_until_params {
    int32_t programme_no;
    struct date on;
};
extern const struct statement contract_until; /* returns contract_row */

/* One party's, by currency and version. */
struct contract_list_params {
    int32_t programme_no;
    int16_t party;
    int32_t party_no;
    const char *after_currency; /* the last of the page before */
    int32_t after_version;
    int32_t limit;
};
extern const struct statement contract_list; /* returns contract_row */

struct contract_request_params {
    int32_t programme_no;
    struct uuid request_id;
};
extern const struct statement contract_by_request; /* returns contract_row */

/* What a new version must come after. */
struct contract_last_params {
    int32_t programme_no;
    int16_t party;
    int32_t party_no;
    const char *currency;
};
struct contract_last_row {
    int32_t version; /* 0: there is none */
    struct date effective_from;
    int16_t period_kind;
    struct date_array custom_ends;
    struct date open_date; /* the programme's business date */
};
extern const struct statement contract_last;

/* The number of a bank (1), merchant (2) or carrier (3) of the programme. */
struct settle_party_params {
    int32_t programme_no;
    int16_t party;
    const char *id;
};
struct settle_party_row {
    int32_t party_no;
};
extern const struct statement settle_party_find;

#endif
