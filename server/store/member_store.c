#include "store/member_store.h"

#define PROGRAMME_TIME "CASE WHEN f.test_clock = 'epoch' THEN now() ELSE f.test_clock END AS now"

const struct statement member_begin_snapshot = {
    "member_begin_snapshot", "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", NULL, 0, NULL, 0, 0
};

static const struct column key_params[] = { COLUMN(struct member_key_params, bucket),
                                            COLUMN(struct member_key_params, member_id) };
/* The same columns, of a member by itself or as one of many. */
#define ACCOUNT_COLUMN(record, inside, field)                                                                          \
    {                                                                                                                  \
#field, KIND_OF(struct member_account_row, field), offsetof(record, inside field), NULL                        \
    }
#define ACCOUNT_COLUMNS(record, inside)                                                                                \
    ACCOUNT_COLUMN(record, inside, programme_no), ACCOUNT_COLUMN(record, inside, bank_no),                             \
        ACCOUNT_COLUMN(record, inside, status), ACCOUNT_COLUMN(record, inside, tier),                                  \
        ACCOUNT_COLUMN(record, inside, available), ACCOUNT_COLUMN(record, inside, held),                               \
        ACCOUNT_COLUMN(record, inside, pending), ACCOUNT_COLUMN(record, inside, credit_limit),                         \
        ACCOUNT_COLUMN(record, inside, credit_used), ACCOUNT_COLUMN(record, inside, lots),                             \
        ACCOUNT_COLUMN(record, inside, pending_lots), ACCOUNT_COLUMN(record, inside, holds),                           \
        ACCOUNT_COLUMN(record, inside, credit), ACCOUNT_COLUMN(record, inside, tier_due),                              \
        ACCOUNT_COLUMN(record, inside, business_date), ACCOUNT_COLUMN(record, inside, now)
#define ACCOUNT_SQL                                                                                                    \
    "a.programme_no, a.bank_no, a.status, a.tier, a.available, a.held, a.pending, a.credit_limit, a.credit_used, "     \
    "a.lots, "                                                                                                         \
    "a.pending_lots, a.holds, a.credit, a.tier_due, f.business_date, " PROGRAMME_TIME " FROM account a "               \
    "JOIN fence f ON f.bucket = a.bucket AND f.programme_no = a.programme_no "

static const struct column account_row[] = { ACCOUNT_COLUMNS(struct member_account_row, ) };
const struct statement member_find_account =
    STATEMENT("member_find_account", "SELECT " ACCOUNT_SQL "WHERE a.bucket = $1 AND a.member_id = $2", key_params,
              account_row, sizeof(struct member_account_row));

static const struct column keys_params[] = { COLUMN(struct member_keys_params, bucket),
                                             COLUMN(struct member_keys_params, member_ids) };
static const struct column found_row[] = { COLUMN(struct member_found_row, member_id),
                                           ACCOUNT_COLUMNS(struct member_found_row, account.) };
const struct statement member_find_accounts = STATEMENT(
    "member_find_accounts", "SELECT a.member_id, " ACCOUNT_SQL "WHERE a.bucket = $1 AND a.member_id = ANY ($2)",
    keys_params, found_row, sizeof(struct member_found_row));

static const struct column holds_params[] = { COLUMN(struct member_holds_params, bucket),
                                              COLUMN(struct member_holds_params, ids) };
static const struct column hold_row[] = {
    COLUMN(struct member_hold_row, id),
    COLUMN(struct member_hold_row, points),
    COLUMN(struct member_hold_row, draws),
    COLUMN(struct member_hold_row, draw_credit),
};
const struct statement member_find_holds =
    STATEMENT("member_find_holds",
              "SELECT id, points, draws, draw_credit FROM redemption WHERE bucket = $1 AND id = ANY ($2::uuid[])",
              holds_params, hold_row, sizeof(struct member_hold_row));

static const struct column redemption_params[] = { COLUMN(struct member_redemption_params, bucket),
                                                   COLUMN(struct member_redemption_params, id) };
static const struct column redemption_row[] = {
    COLUMN(struct member_redemption_row, member_id),
    COLUMN(struct member_redemption_row, bank_no),
    COLUMN(struct member_redemption_row, member_ref),
    COLUMN(struct member_redemption_row, merchant_no),
    COLUMN(struct member_redemption_row, store_no),
    COLUMN(struct member_redemption_row, state),
    COLUMN(struct member_redemption_row, points),
    COLUMN(struct member_redemption_row, confirmed_points),
    COLUMN(struct member_redemption_row, reversed_points),
    COLUMN(struct member_redemption_row, currency),
    COLUMN(struct member_redemption_row, gross_minor),
    COLUMN(struct member_redemption_row, commission_minor),
    COLUMN(struct member_redemption_row, reversed_gross_minor),
    COLUMN(struct member_redemption_row, reversed_commission_minor),
    COLUMN(struct member_redemption_row, rules_version),
    COLUMN(struct member_redemption_row, terms_version),
    COLUMN(struct member_redemption_row, goods_no),
    COLUMN(struct member_redemption_row, quantity),
    COLUMN(struct member_redemption_row, lines),
    COLUMN(struct member_redemption_row, held_at),
    COLUMN(struct member_redemption_row, lapse_at),
    COLUMN(struct member_redemption_row, price_minor),
    COLUMN(struct member_redemption_row, price_currency),
    COLUMN(struct member_redemption_row, cash_minor),
    COLUMN(struct member_redemption_row, now),
};
const struct statement member_find_redemption = STATEMENT(
    "member_find_redemption",
    "SELECT r.member_id, r.bank_no, a.member_ref, r.merchant_no, r.store_no, r.state, r.points, r.confirmed_points, "
    "r.reversed_points, r.currency, r.gross_minor, r.commission_minor, r.reversed_gross_minor, "
    "r.reversed_commission_minor, r.rules_version, r.terms_version, r.goods_no, r.quantity, r.lines, "
    "r.held_at, r.lapse_at, r.price_minor, r.price_currency, r.cash_minor, " PROGRAMME_TIME " FROM redemption r "
    "JOIN account a ON a.bucket = r.bucket AND a.member_id = r.member_id "
    "JOIN fence f ON f.bucket = r.bucket AND f.programme_no = r.programme_no WHERE r.bucket = $1 AND r.id = $2",
    redemption_params, redemption_row, sizeof(struct member_redemption_row));
