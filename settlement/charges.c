#include "charges.h"

#include "base/exact.h"
#include "money.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const struct party operator_party = { PARTY_OPERATOR, 0 };
static const struct party tax_party = { PARTY_TAX, 0 };

static bool too_large(const struct sheet *sheet, const char *what, struct error *err)
{
    return error_set(err, REASON_DOES_NOT_TIE, "%s of %s%s%s %s does not fit", what, sheet_type_name(sheet->type),
                     *sheet->merchant_id ? " " : "", sheet->merchant_id, sheet->currency);
}

static struct posting charge(int kind, const struct sheet *sheet, struct party to, int64_t amount_minor)
{
    struct posting posting = { .kind = (int16_t)kind,
                               .from = sheet_party(sheet),
                               .to = to,
                               .amount_minor = amount_minor,
                               .merchant_no = sheet->merchant_no,
                               .bank_no = sheet->bank_no,
                               .refers_to = "",
                               .note = "" };

    snprintf(posting.currency, sizeof posting.currency, "%s", sheet->currency);
    return posting;
}

int64_t charges_tier_bp(const struct settle_contract *contract, int64_t gross_minor)
{
    int64_t bp = -1;

    for (size_t i = 0; i < contract->tier_count && contract->tiers[i].from_minor <= gross_minor; i++)
        bp = contract->tiers[i].commission_bp;
    return bp;
}

/* Pairs take their parts in order: what the whole up to here is, less what it was before, less what was charged. */
static bool explain_tier(struct posting_list *postings, struct posting *posting, int64_t bp, int64_t gross_minor,
                         const int64_t until_before_charged[3], struct error *err)
{
    char percent[PERCENT_TEXT], gross[MONEY_TEXT], sums[3][MONEY_TEXT];

    percent_format(bp, percent);
    money_format(gross_minor, posting->currency, gross);
    for (size_t i = 0; i < COUNT(sums); i++)
        money_format(until_before_charged[i], posting->currency, sums[i]);
    if (until_before_charged[1] == 0)
        return posting_note(postings, posting, err, "%s of %s = %s, less %s charged", percent, gross, sums[0], sums[2]);
    return posting_note(postings, posting, err, "%s of %s = %s, less %s of the banks before, less %s charged", percent,
                        gross, sums[0], sums[1], sums[2]);
}

bool charges_tiers(const struct settle_contract *contract, const struct sheet_list *list, const struct sheet *merchant,
                   struct posting_list *postings, struct error *err)
{
    int64_t bp = charges_tier_bp(contract, merchant->totals.gross_minor), gross = 0, before = 0, until, difference;

    for (size_t i = 0; bp >= 0 && i < list->count && list->at[i].type == SHEET_PAIR; i++) {
        const struct sheet *pair = &list->at[i];
        if (!sheet_covers(merchant, pair))
            continue;
        if (!exact_add(gross, pair->totals.gross_minor, &gross) || !exact_ratio_half_even(gross, bp, 10000, &until) ||
            !exact_sub(until - before, pair->totals.commission_minor, &difference))
            return too_large(merchant, "the tier's commission", err);
        struct posting posting = charge(POSTING_COMMISSION_TIER, merchant, operator_party, difference);
        posting.bank_no = pair->bank_no;
        if (difference != 0 && (!explain_tier(postings, &posting, bp, gross,
                                              (const int64_t[]){ until, before, pair->totals.commission_minor }, err) ||
                                !posting_add(postings, &posting, err)))
            return false;
        before = until;
    }
    return true;
}

bool charges_fees(const struct settle_contract *contract, const struct sheet *sheet, struct posting_list *postings,
                  struct error *err)
{
    struct posting period = charge(POSTING_PARTNER_FEE, sheet, operator_party, contract->fee_period_minor);
    struct posting each = charge(POSTING_PARTNER_FEE, sheet, operator_party, 0);
    char fee[MONEY_TEXT];

    period.note = "for the period";
    if (!exact_ratio_floor(sheet->totals.confirmed_count, contract->fee_redemption_minor, 1, &each.amount_minor))
        return too_large(sheet, "the fee", err);
    money_format(contract->fee_redemption_minor, sheet->currency, fee);
    return posting_add(postings, &period, err) &&
           (each.amount_minor == 0 ||
            (posting_note(postings, &each, err, "%" PRId64 " redemptions at %s", sheet->totals.confirmed_count, fee) &&
             posting_add(postings, &each, err)));
}

static bool tax_of(const struct settle_contract *contract, int64_t base_minor, int64_t *tax_minor)
{
    return contract->tax_rounding == TAX_DOWN ? exact_ratio_floor(base_minor, contract->tax_bp, 10000, tax_minor)
           : contract->tax_rounding == TAX_UP ? exact_ratio_ceil(base_minor, contract->tax_bp, 10000, tax_minor)
                                              : exact_ratio_half_even(base_minor, contract->tax_bp, 10000, tax_minor);
}

/* What the merchant owes the operator by the postings from first to end, for a pair or, with bank_no 0, for none. */
static bool charged(const struct posting_list *postings, size_t first, size_t end, struct party merchant,
                    const char *currency, int32_t bank_no, int64_t *sum)
{
    for (size_t i = first; i < end; i++) {
        const struct posting *posting = &postings->at[i];
        bool taxed = posting->kind == POSTING_COMMISSION_TIER || posting->kind == POSTING_PARTNER_FEE;
        if (taxed && posting->bank_no == bank_no && strcmp(posting->currency, currency) == 0 &&
            !exact_sub(*sum, posting_for(posting, merchant), sum))
            return false;
    }
    return true;
}

/* One tax line, and what it adds to the whole. */
struct taxing {
    const struct settle_contract *contract;
    const struct sheet *merchant;
    struct posting_list *postings;
    int64_t bases, taxes;
};

static struct posting tax_line(const struct taxing *taxing, int kind, int32_t bank_no, int64_t amount_minor)
{
    struct posting posting = charge(kind, taxing->merchant, tax_party, amount_minor);

    posting.bank_no = bank_no;
    if (taxing->contract->tax_bearer == PARTY_OPERATOR)
        posting.from = operator_party;
    return posting;
}

static const char *const roundings[] = { [TAX_DOWN] = "down", [TAX_UP] = "up", [TAX_HALF_EVEN] = "half to even" };

static bool explain_tax(const struct taxing *taxing, struct posting *posting, int64_t base_minor, struct error *err)
{
    char percent[PERCENT_TEXT], base[MONEY_TEXT];

    percent_format(taxing->contract->tax_bp, percent);
    money_format(base_minor, posting->currency, base);
    return posting_note(taxing->postings, posting, err, "%s of %s, rounded %s", percent, base,
                        roundings[taxing->contract->tax_rounding]);
}

static bool explain_residue(const struct taxing *taxing, struct posting *posting, int64_t whole_minor,
                            struct error *err)
{
    char percent[PERCENT_TEXT], bases[MONEY_TEXT], whole[MONEY_TEXT], taxes[MONEY_TEXT];

    percent_format(taxing->contract->tax_bp, percent);
    money_format(taxing->bases, posting->currency, bases);
    money_format(whole_minor, posting->currency, whole);
    money_format(taxing->taxes, posting->currency, taxes);
    return posting_note(taxing->postings, posting, err, "%s of %s = %s, less %s above", percent, bases, whole, taxes);
}

static bool add_tax(struct taxing *taxing, int32_t bank_no, int64_t base, struct error *err)
{
    int64_t tax;

    if (!exact_add(taxing->bases, base, &taxing->bases) || !tax_of(taxing->contract, base, &tax) ||
        !exact_add(taxing->taxes, tax, &taxing->taxes))
        return too_large(taxing->merchant, "the tax", err);
    struct posting posting = tax_line(taxing, POSTING_TAX, bank_no, tax);
    return tax == 0 || (explain_tax(taxing, &posting, base, err) && posting_add(taxing->postings, &posting, err));
}

static bool add_residue(struct taxing *taxing, struct error *err)
{
    int64_t whole, residue, limit = taxing->contract->residue_limit_minor;

    if (!tax_of(taxing->contract, taxing->bases, &whole) || !exact_sub(whole, taxing->taxes, &residue))
        return too_large(taxing->merchant, "the tax", err);
    if (residue > limit || residue < -limit)
        return error_set(err, REASON_DOES_NOT_TIE,
                         "the rounding of tax of MERCHANT %s %s leaves %" PRId64 ", its contract allows %" PRId64
                         "; find out why, or publish a contract with a higher residue_limit_minor",
                         taxing->merchant->merchant_id, taxing->merchant->currency, residue, limit);
    struct posting posting = tax_line(taxing, POSTING_TAX_ROUNDING, 0, residue);
    return residue == 0 ||
           (explain_residue(taxing, &posting, whole, err) && posting_add(taxing->postings, &posting, err));
}

bool charges_tax(const struct settle_contract *contract, const struct sheet_list *list, const struct sheet *merchant,
                 struct posting_list *postings, size_t first, struct error *err)
{
    struct taxing taxing = { contract, merchant, postings, 0, 0 };
    struct party party = sheet_party(merchant);
    size_t end = postings->count;
    int64_t base = 0;

    if (contract->tax_bp == 0)
        return true;
    for (size_t i = 0; i < list->count && list->at[i].type == SHEET_PAIR; i++) {
        const struct sheet *pair = &list->at[i];
        base = pair->totals.commission_minor;
        if (!sheet_covers(merchant, pair))
            continue;
        if (!charged(postings, first, end, party, merchant->currency, pair->bank_no, &base))
            return too_large(merchant, "the tax", err);
        if (!add_tax(&taxing, pair->bank_no, base, err))
            return false;
    }
    base = 0;
    if (!charged(postings, first, end, party, merchant->currency, 0, &base))
        return too_large(merchant, "the tax", err);
    return add_tax(&taxing, 0, base, err) && add_residue(&taxing, err);
}
