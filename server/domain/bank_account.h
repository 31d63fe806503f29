/*
 * bank_account.h -- where a party is paid: are an IBAN and a BIC possible at all? Pure.
 */
#ifndef DOMAIN_BANK_ACCOUNT_H
#define DOMAIN_BANK_ACCOUNT_H

#include "base/error.h"

enum {
    IBAN_MAX = 34,           /* characters */
    ACCOUNT_NUMBER_MAX = 34, /* characters of an account number that is no IBAN */
    BIC_MAX = 11,            /* characters; 8 or 11 */
    PARTY_NAME_MAX = 140,    /* bytes; ISO 20022 has room for as many characters */
    PARTY_ADDRESS_MAX = 140,
};

/* ISO 13616: country, check digits, up to 30 of A-Z and 0-9, remainder 1 modulo 97. Without blanks. */
bool iban_valid(const char *iban) MUST_USE;
/* ISO 9362: 4 letters or digits, country, 2 of place, 3 of branch or none; capital letters. */
bool bic_valid(const char *bic) MUST_USE;

#endif
