#include "store/party_account_store.h"

#define ROW                                                                                                            \
    "SELECT currency, version, legal_name, address, country, iban, account_number, bic, bank_name, files, set_by, "    \
    "approved_by FROM party_account WHERE programme_no = $1 AND party_type = $2 AND party_no = $3 "

static const struct column row[] = {
    COLUMN(struct party_account_row, currency),       COLUMN(struct party_account_row, version),
    COLUMN(struct party_account_row, legal_name),     COLUMN(struct party_account_row, address),
    COLUMN(struct party_account_row, country),        COLUMN(struct party_account_row, iban),
    COLUMN(struct party_account_row, account_number), COLUMN(struct party_account_row, bic),
    COLUMN(struct party_account_row, bank_name),      COLUMN(struct party_account_row, files),
    COLUMN(struct party_account_row, set_by),         COLUMN(struct party_account_row, approved_by),
};

static const struct column party[] = { COLUMN(struct party_account_party, programme_no),
                                       COLUMN(struct party_account_party, party_type),
                                       COLUMN(struct party_account_party, party_no) };
const struct statement party_account_list =
    STATEMENT("party_account_list", ROW "ORDER BY currency COLLATE \"C\", version DESC LIMIT 100", party, row,
              sizeof(struct party_account_row));

static const struct column key[] = { COLUMN(struct party_account_key, programme_no),
                                     COLUMN(struct party_account_key, party_type),
                                     COLUMN(struct party_account_key, party_no),
                                     COLUMN(struct party_account_key, currency) };
const struct statement party_account_newest =
    STATEMENT("party_account_newest", ROW "AND currency = $4 ORDER BY version DESC LIMIT 1", key, row,
              sizeof(struct party_account_row));

static const struct column add[] = {
    COLUMN(struct party_account_params, programme_no), COLUMN(struct party_account_params, party_type),
    COLUMN(struct party_account_params, party_no),     COLUMN(struct party_account_params, currency),
    COLUMN(struct party_account_params, version),      COLUMN(struct party_account_params, legal_name),
    COLUMN(struct party_account_params, address),      COLUMN(struct party_account_params, country),
    COLUMN(struct party_account_params, iban),         COLUMN(struct party_account_params, account_number),
    COLUMN(struct party_account_params, bic),          COLUMN(struct party_account_params, bank_name),
    COLUMN(struct party_account_params, files),        COLUMN(struct party_account_params, set_by),
};
const struct statement party_account_add =
    COMMAND_STATEMENT("party_account_add",
                      "INSERT INTO party_account (programme_no, party_type, party_no, currency, version, legal_name, "
                      "address, country, iban, account_number, bic, bank_name, files, set_by) VALUES ($1, $2, $3, $4, "
                      "$5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
                      add);

static const struct column approve[] = {
    COLUMN(struct party_account_approve_params, programme_no), COLUMN(struct party_account_approve_params, party_type),
    COLUMN(struct party_account_approve_params, party_no),     COLUMN(struct party_account_approve_params, currency),
    COLUMN(struct party_account_approve_params, version),      COLUMN(struct party_account_approve_params, approved_by),
};
const struct statement party_account_approve =
    COMMAND_STATEMENT("party_account_approve",
                      "UPDATE party_account SET approved_by = $6 WHERE programme_no = $1 AND party_type = $2 AND "
                      "party_no = $3 AND currency = $4 AND version = $5 AND approved_by = ''",
                      approve);
