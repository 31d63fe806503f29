/* IBANs and BICs that can be, and those that cannot. */
#include "domain/bank_account.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const struct {
    const char *iban;
    bool good;
} ibans[] = {
    { "DE02120300000000202051", true },
    { "GB82WEST12345698765432", true },
    { "NO9386011117947", true },
    { "MT84MALT011000012345MTLCAST001S", true },
    { "DE02120300000000202052", false }, /* one digit */
    { "DE02120300000000022051", false }, /* two changed places */
    { "GB82west12345698765432", false },
    { "DE0212030000000020205 1", false },
    { "0202120300000000202051", false },
    { "DEX2120300000000202051", false },
    { "DE021203000000", false },
    { "", false },
    { "MT84MALT011000012345MTLCAST001S0000", false },
};

static void ibans_have_check_digits(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(ibans); i++) {
        if (iban_valid(ibans[i].iban) != ibans[i].good)
            fail_msg("%s", ibans[i].iban);
    }
}

static const struct {
    const char *bic;
    bool good;
} bics[] = {
    { "ICBKCNBJ", true },  { "BYLADEM1001", true }, { "icbkcnbj", false },     { "ICBKCNB", false },
    { "ICBK1NBJ", false }, { "ICBKCNBJX", false },  { "ICBKCNBJXXXX", false }, { "", false },
};

static void bics_have_a_shape(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(bics); i++) {
        if (bic_valid(bics[i].bic) != bics[i].good)
            fail_msg("%s", bics[i].bic);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ibans_have_check_digits),
        cmocka_unit_test(bics_have_a_shape),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
