/*
 * settle_contract.h -- how a party is settled: the words of settlement money, and one version of a settlement contract.
 *
 * Pure. The server checks and keeps contracts, the close applies them. All amounts are minor units of one currency.
 */
#ifndef DOMAIN_SETTLE_CONTRACT_H
#define DOMAIN_SETTLE_CONTRACT_H

#include "base/error.h"
#include "base/when.h"
#include "domain/period.h"
#include "domain/rules.h"

#include <stddef.h>
#include <stdint.h>

/* Stored: numbers are for ever. OPERATOR and TAX are one each a programme, with the number 0. */
enum party_kind { PARTY_BANK = 1, PARTY_MERCHANT = 2, PARTY_CARRIER = 3, PARTY_OPERATOR = 4, PARTY_TAX = 5 };
enum tax_rounding { TAX_DOWN = 1, TAX_UP = 2, TAX_HALF_EVEN = 3 };
enum eligibility { ELIGIBLE_AT_CONFIRM = 1, ELIGIBLE_AT_DELIVERY = 2 };

/* What a close, or a correction, moves between two parties. Stored. */
enum posting_kind {
    POSTING_COMMISSION_TIER = 1,
    POSTING_TAX = 2,
    POSTING_TAX_ROUNDING = 3,
    POSTING_PARTNER_FEE = 4,
    POSTING_FREIGHT = 5,
    POSTING_CAMPAIGN_SHARE = 6,
    POSTING_ADJUSTMENT = 7,
    POSTING_LATE_FEE = 8,
    POSTING_KIND_COUNT
};

struct party {
    int16_t kind; /* enum party_kind */
    int32_t no;
};

struct volume_tier {
    int64_t from_minor;    /* of the whole period's gross */
    int64_t commission_bp; /* of all of it */
};

enum { TIERS_MAX = 8, CUSTOM_ENDS_MAX = 400, SETTLE_DAYS_MAX = 400, HOLD_BACK_PERIODS_MAX = 60 };

/* One version. Its first version has the number 1; 0 stands for "none was published". */
struct settle_contract {
    struct party party;
    char currency[CURRENCY_TEXT];
    int32_t version;
    struct date effective_from;
    struct date until;              /* the last day before the next version, for who reads versions in a row */
    int16_t period_kind;            /* enum period_kind */
    const struct date *custom_ends; /* PERIOD_CUSTOM: ascending, the last one ends a month; borrowed */
    size_t custom_end_count;
    struct volume_tier tiers[TIERS_MAX]; /* ascending */
    size_t tier_count;
    int64_t min_payout_minor;
    int32_t hold_back_bp, hold_back_periods;
    int64_t fee_period_minor, fee_redemption_minor;
    int32_t tax_bp;
    int16_t tax_rounding; /* enum tax_rounding */
    int16_t tax_bearer;   /* PARTY_MERCHANT or PARTY_OPERATOR */
    int64_t residue_limit_minor;
    int16_t eligibility; /* enum eligibility */
    int32_t confirm_days, payment_days, late_fee_bp, dispute_days;
    int64_t freight_minor; /* PARTY_CARRIER: for each delivered shipment */
};

/* What holds for a party that has none: nothing is added, a month, 15 days. */
struct settle_contract settle_contract_none(struct party party, const char *currency);
/* FIELD_INVALID names the first field, as in PublishSettlementContractRequest, that is wrong. */
bool settle_contract_check(const struct settle_contract *contract, struct error *err) MUST_USE;
/*
 * May it follow the version before, when `open` is the business date? Before the first there is settle_contract_none.
 * EFFECTIVE_TOO_EARLY, and FIELD_INVALID for another kind of period in the middle of a month. A bank's page of points
 * goes from period to period, so the periods of a bank are never cut: its new kind, or other custom_ends, must begin
 * where a period of the version before begins and where one of its own does.
 */
bool settle_contract_follows(const struct settle_contract *contract, const struct settle_contract *before,
                             struct date open, struct error *err) MUST_USE;
/*
 * The period of the contract that a date is in, whether the version is in force then or not. A CUSTOM period begins
 * after the end before it, the first one on effective_from when no end lies before that; after the last end there are
 * months.
 */
struct period settle_contract_period(const struct settle_contract *contract, struct date date);
/* The first day of the period that is n later than the one that ends on `last`; n is 1 or more. */
struct date settle_contract_later(const struct settle_contract *contract, struct date last, int n);
/* "MERCHANT"; "?" for a number that is no party. */
const char *party_name(int kind);
/* "COMMISSION_TIER"; "?" for a number that is no kind. */
const char *posting_name(int kind);

#endif
