/*
 * party_account_store.h -- where parties are paid, as versions. A party is its type (1 bank, 2 merchant, 3 carrier, 4
 * operator) and its number.
 */
#ifndef STORE_PARTY_ACCOUNT_STORE_H
#define STORE_PARTY_ACCOUNT_STORE_H

#include "store/db.h"

enum { PARTY_ACCOUNTS_SHOWN = 100 };

struct party_account_row {
    const char *currency;
    int32_t version;
    const char *legal_name, *address, *country, *iban, *account_number, *bic, *bank_name;
    int32_t files; /* bits: 1 bill, 2 fixed width */
    const char *set_by, *approved_by;
};

struct party_account_party {
    int32_t programme_no;
    int16_t party_type;
    int32_t party_no;
};
extern const struct statement party_account_list; /* returns party_account_row, the newest first */

struct party_account_key {
    int32_t programme_no;
    int16_t party_type;
    int32_t party_no;
    const char *currency;
};
extern const struct statement party_account_newest; /* returns party_account_row */

struct party_account_params {
    int32_t programme_no;
    int16_t party_type;
    int32_t party_no;
    const char *currency;
    int32_t version;
    const char *legal_name, *address, *country, *iban, *account_number, *bic, *bank_name;
    int32_t files;
    const char *set_by;
};
extern const struct statement party_account_add;

struct party_account_approve_params {
    int32_t programme_no;
    int16_t party_type;
    int32_t party_no;
    const char *currency;
    int32_t version;
    const char *approved_by;
};
extern const struct statement party_account_approve;

#endif
