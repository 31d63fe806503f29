/*
 * charges.h -- what a merchant's, bank's or carrier's contract adds to a period: volume tiers, fees, tax. Pure. Each
 * posting's note says how its amount comes about.
 */
#ifndef SETTLEMENT_CHARGES_H
#define SETTLEMENT_CHARGES_H

#include "posting.h"
#include "sheet.h"

/* The commission that a whole period's gross has: its highest tier not above it; -1 when no tier is reached. */
int64_t charges_tier_bp(const struct settle_contract *contract, int64_t gross_minor);
/*
 * COMMISSION_TIER: what the merchant's pairs had as commission against what its tier says, a posting a pair. The tier's
 * commission of all pairs together is rounded half to even once; pairs take their parts of it in order.
 */
bool charges_tiers(const struct settle_contract *contract, const struct sheet_list *list, const struct sheet *merchant,
                   struct posting_list *postings, struct error *err) MUST_USE;
/* PARTNER_FEE: a posting for the period and one for the redemptions confirmed in it. */
bool charges_fees(const struct settle_contract *contract, const struct sheet *sheet, struct posting_list *postings,
                  struct error *err) MUST_USE;
/*
 * TAX on the commission of each pair (its tier's posting with it) and on fees, each rounded by the contract; what the
 * rounding of the whole would have given more or less is TAX_ROUNDING. DOES_NOT_TIE when that is past the contract's
 * limit. Looks at the merchant's postings from first on.
 */
bool charges_tax(const struct settle_contract *contract, const struct sheet_list *list, const struct sheet *merchant,
                 struct posting_list *postings, size_t first, struct error *err) MUST_USE;

#endif
