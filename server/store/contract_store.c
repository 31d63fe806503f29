#include "store/contract_store.h"

#define CONTRACT_COLUMNS                                                                                               \
    "programme_no, party, party_no, currency, version, effective_from, period_kind, custom_ends, tier_from, tier_bp, " \
    "min_payout_minor, hold_back_bp, hold_back_periods, fee_period_minor, fee_redemption_minor, tax_bp, "              \
    "tax_rounding, tax_bearer, residue_limit_minor, eligibility, confirm_days, payment_days, late_fee_bp, "            \
    "dispute_days, freight_minor, request_id, content_hash, published_by"

static const struct column contract_row[] = {
    COLUMN(struct contract_row, programme_no),
    COLUMN(struct contract_row, party),
    COLUMN(struct contract_row, party_no),
    COLUMN(struct contract_row, currency),
    COLUMN(struct contract_row, version),
    COLUMN(struct contract_row, effective_from),
    COLUMN(struct contract_row, period_kind),
    COLUMN(struct contract_row, custom_ends),
    COLUMN(struct contract_row, tier_from),
    COLUMN(struct contract_row, tier_bp),
    COLUMN(struct contract_row, min_payout_minor),
    COLUMN(struct contract_row, hold_back_bp),
    COLUMN(struct contract_row, hold_back_periods),
    COLUMN(struct contract_row, fee_period_minor),
    COLUMN(struct contract_row, fee_redemption_minor),
    COLUMN(struct contract_row, tax_bp),
    COLUMN(struct contract_row, tax_rounding),
    COLUMN(struct contract_row, tax_bearer),
    COLUMN(struct contract_row, residue_limit_minor),
    COLUMN(struct contract_row, eligibility),
    COLUMN(struct contract_row, confirm_days),
    COLUMN(struct contract_row, payment_days),
    COLUMN(struct contract_row, late_fee_bp),
    COLUMN(struct contract_row, dispute_days),
    COLUMN(struct contract_row, freight_minor),
    COLUMN(struct contract_row, request_id),
    COLUMN(struct contract_row, content_hash),
    COLUMN(struct contract_row, published_by),
};
const struct statement contract_put = COMMAND_STATEMENT(
    "contract_put",
    "INSERT INTO settlement_contract (" CONTRACT_COLUMNS ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, "
    "$13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28) ON CONFLICT DO NOTHING",
    contract_row);

static const struct column until_params[] = { COLUMN(struct contract_until_params, programme_no),
                                              COLUMN(struct contract_until_params, on) };
const struct statement contract_until =
    STATEMENT("contract_until",
              "SELECT " CONTRACT_COLUMNS " FROM settlement_contract WHERE programme_no = $1 AND effective_from <= $2 "
              "ORDER BY party, party_no, currency COLLATE \"C\", version",
              until_params, contract_row, sizeof(struct contract_row));

static const struct column list_params[] = {
    COLUMN(struct contract_list_params, programme_no),  COLUMN(struct contract_list_params, party),
    COLUMN(struct contract_list_params, party_no),      COLUMN(struct contract_list_params, after_currency),
    COLUMN(struct contract_list_params, after_version), COLUMN(struct contract_list_params, limit),
};
const struct statement contract_list = STATEMENT(
    "contract_list",
    "SELECT " CONTRACT_COLUMNS " FROM settlement_contract WHERE programme_no = $1 AND party = $2 AND party_no = $3 AND "
    "(currency, version) > ($4, $5) ORDER BY currency, version LIMIT $6",
    list_params, contract_row, sizeof(struct contract_row));

static const struct column last_params[] = { COLUMN(struct contract_last_params, programme_no),
                                             COLUMN(struct contract_last_params, party),
                                             COLUMN(struct contract_last_params, party_no),
                                             COLUMN(struct contract_last_params, currency) };
static const struct column last_row[] = { COLUMN(struct contract_last_row, version),
                                          COLUMN(struct contract_last_row, effective_from),
                                          COLUMN(struct contract_last_row, period_kind),
                                          COLUMN(struct contract_last_row, custom_ends),
                                          COLUMN(struct contract_last_row, open_date) };
/* No day ends before the version is there: its periods could be calculated without it. */
const struct statement contract_last = STATEMENT(
    "contract_last",
    "SELECT COALESCE(c.version, 0) AS version, COALESCE(c.effective_from, '1970-01-01') AS effective_from, "
    "COALESCE(c.period_kind, 3::int2) AS period_kind, COALESCE(c.custom_ends, '{}') AS custom_ends, "
    "f.open_date FROM (SELECT min(business_date) AS open_date FROM (SELECT business_date FROM fence WHERE programme_no "
    "= "
    "$1 ORDER BY bucket FOR SHARE) o) f LEFT JOIN LATERAL (SELECT version, effective_from, "
    "period_kind, custom_ends FROM settlement_contract WHERE programme_no = $1 AND party = $2 AND party_no = $3 AND "
    "currency = $4 ORDER BY version DESC LIMIT 1) c ON true",
    last_params, last_row, sizeof(struct contract_last_row));

static const struct column party_params[] = { COLUMN(struct settle_party_params, programme_no),
                                              COLUMN(struct settle_party_params, party),
                                              COLUMN(struct settle_party_params, id) };
static const struct column party_row[] = { COLUMN(struct settle_party_row, party_no) };
const struct statement settle_party_find =
    STATEMENT("settle_party_find",
              "SELECT bank_no AS party_no FROM bank WHERE $2 = 1 AND programme_no = $1 AND bank_id = $3 UNION ALL "
              "SELECT merchant_no FROM merchant WHERE $2 = 2 AND programme_no = $1 AND merchant_id = $3 UNION ALL "
              "SELECT carrier_no FROM carrier WHERE $2 = 3 AND programme_no = $1 AND carrier_id = $3",
              party_params, party_row, sizeof(struct settle_party_row));

static const struct column request_params[] = { COLUMN(struct contract_request_params, programme_no),
                                                COLUMN(struct contract_request_params, request_id) };
const struct statement contract_by_request =
    STATEMENT("contract_by_request",
              "SELECT " CONTRACT_COLUMNS " FROM settlement_contract WHERE programme_no = $1 AND request_id = $2",
              request_params, contract_row, sizeof(struct contract_row));
