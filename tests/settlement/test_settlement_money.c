/* The pure rules of settlement money: tiers, fees, tax, positions. */
#include "charges.h"
#include "position.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const struct party shop = { PARTY_MERCHANT, 1 };

/* Two pairs of one merchant and what it is in all; figures are put in by each story. */
static struct sheet sheets[3] = {
    { SHEET_PAIR, 1, 1, "a", "m", "USD", { 0 }, 1, { 0 }, { 0 }, 0, "", { 0 }, "", 0 },
    { SHEET_PAIR, 2, 1, "b", "m", "USD", { 0 }, 1, { 0 }, { 0 }, 0, "", { 0 }, "", 0 },
    { SHEET_MERCHANT, 0, 1, "", "m", "USD", { 0 }, 2, { 0 }, { 0 }, 0, "", { 0 }, "", 0 },
};
static const struct sheet_list list = { sheets, 3, 3 };

static const struct sheet *merchant_of(int64_t gross_a, int64_t commission_a, int64_t gross_b, int64_t commission_b)
{
    sheets[0].totals = (struct totals){ 1, 1, 0, 0, gross_a, commission_a, gross_a - commission_a };
    sheets[1].totals = (struct totals){ 1, 1, 0, 0, gross_b, commission_b, gross_b - commission_b };
    sheets[2].totals = sheets[0].totals;
    assert_true(totals_add(&sheets[2].totals, &sheets[1].totals));
    return &sheets[2];
}

static const struct {
    int64_t gross, bp;
} reached[] = { { -1, -1 }, { 0, 300 }, { 999, 300 }, { 1000, 200 }, { 4999, 200 }, { 5000, 0 }, { INT64_MAX, 0 } };

static void a_volume_reaches_its_tier(void **state)
{
    struct settle_contract contract = settle_contract_none(shop, "USD");

    (void)state;
    assert_int_equal(charges_tier_bp(&contract, 100), -1);
    contract.tiers[0] = (struct volume_tier){ 0, 300 };
    contract.tiers[1] = (struct volume_tier){ 1000, 200 };
    contract.tiers[2] = (struct volume_tier){ 5000, 0 };
    contract.tier_count = 3;
    for (size_t i = 0; i < COUNT(reached); i++)
        assert_int_equal(charges_tier_bp(&contract, reached[i].gross), reached[i].bp);
}

/* What a tier of 1 percent gives two pairs; amounts as the merchant sees them. */
static const struct {
    int64_t gross_a, commission_a, gross_b, commission_b, to_a, to_b;
} tiers[] = {
    { 1000, 25, 2000, 50, 15, 30 },   { 1000, 5, 2000, 50, -5, 30 },
    { 1000, 10, 2000, 20, 0, 0 },     { 149, 0, 149, 0, -1, -2 }, /* 1.49 and 1.49 are 1 and 2: the whole, 2.98, is 3 */
    { 3000, 30, -1000, -25, 0, -15 }, { -1000, -25, 500, 5, 0, 0 }, /* less than nothing reaches no tier */
};

static void tiers_take_the_difference_pair_by_pair(void **state)
{
    struct settle_contract contract = settle_contract_none(shop, "USD");
    struct error err;

    (void)state;
    contract.tiers[0] = (struct volume_tier){ 0, 100 };
    contract.tier_count = 1;
    for (size_t i = 0; i < COUNT(tiers); i++) {
        CLEANUP(posting_list_release) struct posting_list postings = { 0 };
        const struct sheet *merchant =
            merchant_of(tiers[i].gross_a, tiers[i].commission_a, tiers[i].gross_b, tiers[i].commission_b);
        int64_t to[3] = { 0 };
        assert_true(charges_tiers(&contract, &list, merchant, &postings, &err));
        for (size_t k = 0; k < postings.count; k++)
            to[postings.at[k].bank_no] += posting_for(&postings.at[k], shop);
        assert_int_equal(to[1], tiers[i].to_a);
        assert_int_equal(to[2], tiers[i].to_b);
    }
}

/* Commissions of two pairs and a fee, taxed at 6 percent: what each is, what rounding the whole leaves. */
static const struct {
    int rounding;
    int64_t commission_a, commission_b, fee, tax, residue;
} taxes[] = {
    { TAX_HALF_EVEN, 100, 200, 0, 18, 0 },    { TAX_HALF_EVEN, 25, 25, 0, 4, -1 }, /* 1.5 and 1.5 are 2 and 2; 3 */
    { TAX_DOWN, 25, 25, 25, 3, 1 },           { TAX_UP, 10, 10, 10, 3, -1 },
    { TAX_HALF_EVEN, -100, -200, 0, -18, 0 }, { TAX_HALF_EVEN, 0, 0, 0, 0, 0 },
};

static void tax_is_rounded_and_its_residue_kept_apart(void **state)
{
    struct settle_contract contract = settle_contract_none(shop, "USD");
    struct party office = { PARTY_TAX, 0 };
    struct error err;

    (void)state;
    contract.tax_bp = 600;
    contract.residue_limit_minor = 1;
    for (size_t i = 0; i < COUNT(taxes); i++) {
        CLEANUP(posting_list_release) struct posting_list postings = { 0 };
        const struct sheet *merchant = merchant_of(10000, taxes[i].commission_a, 10000, taxes[i].commission_b);
        int64_t tax = 0, residue = 0;
        contract.fee_period_minor = taxes[i].fee;
        contract.tax_rounding = (int16_t)taxes[i].rounding;
        assert_true(charges_fees(&contract, merchant, &postings, &err));
        assert_true(charges_tax(&contract, &list, merchant, &postings, 0, &err));
        for (size_t k = 0; k < postings.count; k++)
            *(postings.at[k].kind == POSTING_TAX ? &tax : &residue) += posting_for(&postings.at[k], office);
        assert_int_equal(tax, taxes[i].tax);
        assert_int_equal(residue, taxes[i].residue);
    }
}

static void a_residue_past_its_limit_stops_and_is_named(void **state)
{
    CLEANUP(posting_list_release) struct posting_list postings = { 0 };
    struct settle_contract contract = settle_contract_none(shop, "USD");
    const struct sheet *merchant = merchant_of(10000, 25, 10000, 25);
    struct error err;

    (void)state;
    contract.tax_bp = 600;
    assert_false(charges_tax(&contract, &list, merchant, &postings, 0, &err));
    assert_int_equal(err.reason, REASON_DOES_NOT_TIE);
    assert_non_null(strstr(error_text(&err), "MERCHANT m USD leaves -1, its contract allows 0"));
}

static void whoever_bears_the_tax_gives_it(void **state)
{
    CLEANUP(posting_list_release) struct posting_list postings = { 0 };
    struct settle_contract contract = settle_contract_none(shop, "USD");
    const struct sheet *merchant = merchant_of(10000, 100, 10000, 0);
    struct error err;

    (void)state;
    contract.tax_bp = 600;
    contract.tax_bearer = PARTY_OPERATOR;
    assert_true(charges_tax(&contract, &list, merchant, &postings, 0, &err));
    assert_int_equal(postings.count, 1);
    assert_int_equal(posting_for(&postings.at[0], shop), 0);
    assert_int_equal(posting_for(&postings.at[0], (struct party){ PARTY_OPERATOR, 0 }), -6);
}

static void what_a_posting_is_worth_does_not_depend_on_how_it_was_put(void **state)
{
    CLEANUP(posting_list_release) struct posting_list postings = { 0 };
    struct posting back = { .kind = POSTING_ADJUSTMENT, .currency = "USD", .from = shop, .to = { PARTY_OPERATOR, 0 } };
    struct error err;

    (void)state;
    assert_true(posting_add(&postings, &back, &err)); /* nothing is no posting */
    assert_int_equal(postings.count, 0);
    back.amount_minor = -5;
    assert_true(posting_add(&postings, &back, &err));
    assert_int_equal(postings.at[0].amount_minor, 5);
    assert_int_equal(posting_for(&postings.at[0], shop), 5);
    back.amount_minor = INT64_MIN;
    assert_false(posting_add(&postings, &back, &err));
}

struct position_case {
    int party;
    int64_t minimum, opening, movement, held, disputed;
    int64_t payable, carried, closing;
};
static const struct position_case positions[] = {
    { PARTY_MERCHANT, 0, 0, 975, 0, 0, 975, 0, 0 },
    { PARTY_MERCHANT, 1000, 0, 975, 0, 0, 0, 975, 975 },  /* too little to be paid */
    { PARTY_MERCHANT, 1000, 975, 25, 0, 0, 1000, 0, 0 },  /* with what was carried it is enough */
    { PARTY_MERCHANT, 0, 0, -975, 0, 0, 0, -975, -975 },  /* only reversals: owed, not asked for */
    { PARTY_MERCHANT, 0, -975, 1000, 0, 0, 25, 0, 0 },    /* and taken off what comes next */
    { PARTY_MERCHANT, 0, 0, 1000, 100, 50, 850, 0, 150 }, /* kept back, contested */
    { PARTY_MERCHANT, 0, 150, 0, 0, 0, 150, 0, 0 },       /* released */
    { PARTY_MERCHANT, 0, 0, 100, 0, 150, 0, -50, 100 },   /* more is contested than there is */
    { PARTY_BANK, 0, 0, -1000, 0, 0, -1000, 0, 0 },       /* pays */
    { PARTY_BANK, 0, 0, 1000, 0, 0, 1000, 0, 0 },         /* is paid when only reversals came */
    { PARTY_OPERATOR, 0, 0, -5, 0, 0, -5, 0, 0 },
    { PARTY_CARRIER, 0, 0, 700, 0, 0, 700, 0, 0 },
    { PARTY_TAX, 0, 0, -7, 0, 0, 0, -7, -7 },
    { PARTY_MERCHANT, 0, INT64_MAX - 5, 5, 0, 0, INT64_MAX, 0, 0 },
};
/* The account does not go on. */
static const struct position_case over[] = {
    { PARTY_TAX, 0, 0, -7, 0, 0, 0, -7, -7 },
    { PARTY_MERCHANT, 0, 0, -975, 0, 0, -975, 0, 0 }, /* nothing later would set it off */
    { PARTY_CARRIER, 0, -5, 3, 0, 0, -2, 0, 0 },
    { PARTY_MERCHANT, 0, 0, 100, 0, 150, 0, -50, 100 }, /* what is only held is not asked for */
    { PARTY_MERCHANT, 0, 0, -30, 0, 150, -30, -150, 0 },
    { PARTY_MERCHANT, 0, 0, -30, -10, 0, -20, 0, -10 }, /* reversed before it was delivered */
    { PARTY_MERCHANT, 1000, 0, 975, 0, 0, 0, 975, 975 },
};

static void check_positions(const struct position_case *cases, size_t count, bool goes_on)
{
    struct error err;

    for (size_t i = 0; i < count; i++) {
        const struct position_case *c = &cases[i];
        struct settle_contract contract = settle_contract_none((struct party){ (int16_t)c->party, 1 }, "USD");
        struct position p = { .opening_minor = c->opening,
                              .movement_minor = c->movement,
                              .held_back_minor = c->held,
                              .disputed_minor = c->disputed };
        contract.min_payout_minor = c->minimum;
        assert_true(position_settle(&contract, goes_on, &p, &err));
        assert_int_equal(p.payable_minor, c->payable);
        assert_int_equal(p.carried_minor, c->carried);
        assert_int_equal(p.closing_minor, c->closing);
        assert_int_equal(p.opening_minor + p.movement_minor - p.payable_minor, p.closing_minor);
        assert_int_equal(p.carried_minor + p.held_back_minor + p.disputed_minor, p.closing_minor);
    }
}

static void a_position_says_what_is_paid_and_what_stays_why(void **state)
{
    (void)state;
    check_positions(positions, COUNT(positions), true);
    check_positions(over, COUNT(over), false);
}

static void a_position_never_wraps(void **state)
{
    struct settle_contract contract = settle_contract_none(shop, "USD");
    struct position p = { .opening_minor = INT64_MAX, .movement_minor = 1 };
    struct error err;

    (void)state;
    assert_false(position_settle(&contract, true, &p, &err));
    assert_int_equal(err.reason, REASON_DOES_NOT_TIE);
}

static void a_part_of_what_came_in_is_kept_back(void **state)
{
    struct settle_contract contract = settle_contract_none(shop, "USD");

    (void)state;
    assert_int_equal(position_hold_back(&contract, 1000), 0);
    contract.hold_back_bp = 1000;
    assert_int_equal(position_hold_back(&contract, 1009), 100);
    assert_int_equal(position_hold_back(&contract, 0), 0);
    assert_int_equal(position_hold_back(&contract, -1000), 0);
}

/* Each wrong in one field, which is named. */
static const char *const wrong[] = { "period_kind", "tiers",       "tiers.from_minor", "hold_back_periods",
                                     "tax_bearer",  "custom_ends", "freight_minor",    "tiers.commission_bp" };

static void spoil(struct settle_contract *c, size_t how)
{
    static const struct date ends[] = { { 20 }, { 10 } };

    c->tiers[0] = (struct volume_tier){ 10, 100 };
    c->tiers[1] = (struct volume_tier){ 10, how == 7 ? 10001 : 50 };
    c->tiers[0].commission_bp = how == 7 ? -1 : 100;
    c->tier_count = how == 1 ? TIERS_MAX + 1 : how == 2 || how == 7 ? 2 : 0;
    c->period_kind = how == 0 ? 9 : how == 5 ? PERIOD_CUSTOM : PERIOD_MONTH;
    c->hold_back_bp = how == 3;
    c->tax_bearer = how == 4 ? PARTY_BANK : PARTY_MERCHANT;
    c->custom_ends = ends;
    c->custom_end_count = how == 5 ? 2 : 0;
    c->freight_minor = how == 6;
}

static void a_wrong_contract_is_refused_by_field(void **state)
{
    struct settle_contract right = settle_contract_none(shop, "USD");
    struct error err;

    (void)state;
    assert_true(settle_contract_check(&right, &err));
    for (size_t i = 0; i < COUNT(wrong); i++) {
        struct settle_contract contract = right;
        spoil(&contract, i);
        assert_false(settle_contract_check(&contract, &err));
        assert_string_equal(err.field, wrong[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_volume_reaches_its_tier),
        cmocka_unit_test(tiers_take_the_difference_pair_by_pair),
        cmocka_unit_test(tax_is_rounded_and_its_residue_kept_apart),
        cmocka_unit_test(a_residue_past_its_limit_stops_and_is_named),
        cmocka_unit_test(whoever_bears_the_tax_gives_it),
        cmocka_unit_test(what_a_posting_is_worth_does_not_depend_on_how_it_was_put),
        cmocka_unit_test(a_position_says_what_is_paid_and_what_stays_why),
        cmocka_unit_test(a_position_never_wraps),
        cmocka_unit_test(a_part_of_what_came_in_is_kept_back),
        cmocka_unit_test(a_wrong_contract_is_refused_by_field),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
