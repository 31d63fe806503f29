#include "store/verify_store.h"

static const struct column bucket_params[] = { COLUMN(struct verify_bucket_params, bucket) };

static const struct column programme_row[] = { COLUMN(struct verify_programme_row, programme_no),
                                               COLUMN(struct verify_programme_row, open_from) };
const struct statement verify_programmes = { "verify_programmes",
                                             "SELECT programme_no, min(business_date) AS open_from FROM fence "
                                             "GROUP BY programme_no ORDER BY programme_no",
                                             NULL,
                                             0,
                                             programme_row,
                                             COUNT(programme_row),
                                             sizeof(struct verify_programme_row) };

static const struct column accounts_params[] = {
    COLUMN(struct verify_accounts_params, bucket),
    COLUMN(struct verify_accounts_params, after),
    COLUMN(struct verify_accounts_params, last),
    COLUMN(struct verify_accounts_params, limit),
};
static const struct column account_row[] = {
    COLUMN(struct verify_account_row, member_id),    COLUMN(struct verify_account_row, programme_no),
    COLUMN(struct verify_account_row, bank_no),      COLUMN(struct verify_account_row, member_ref),
    COLUMN(struct verify_account_row, available),    COLUMN(struct verify_account_row, held),
    COLUMN(struct verify_account_row, pending),      COLUMN(struct verify_account_row, credit_limit),
    COLUMN(struct verify_account_row, credit_used),  COLUMN(struct verify_account_row, journal_seq),
    COLUMN(struct verify_account_row, chain),        COLUMN(struct verify_account_row, lots),
    COLUMN(struct verify_account_row, pending_lots), COLUMN(struct verify_account_row, holds),
    COLUMN(struct verify_account_row, credit),
};
const struct statement verify_accounts =
    STATEMENT("verify_accounts",
              "SELECT member_id, programme_no, bank_no, member_ref, available, held, pending, credit_limit, "
              "credit_used, journal_seq, chain, lots, pending_lots, holds, credit FROM account "
              "WHERE bucket = $1 AND member_id > $2 AND member_id <= $3 ORDER BY member_id LIMIT $4",
              accounts_params, account_row, sizeof(struct verify_account_row));

static const struct column range_params[] = { COLUMN(struct verify_range_params, bucket),
                                              COLUMN(struct verify_range_params, after),
                                              COLUMN(struct verify_range_params, last) };
const struct statement verify_entries =
    STATEMENT("verify_entries",
              "SELECT " JOURNAL_COLUMNS " FROM journal WHERE bucket = $1 AND member_id > $2 AND member_id <= $3 "
              "ORDER BY member_id, seq, business_date",
              range_params, journal_row_columns, sizeof(struct journal_row));

static const struct column ids_params[] = { COLUMN(struct verify_ids_params, bucket),
                                            COLUMN(struct verify_ids_params, ids) };
static const struct column redemption_row[] = {
    COLUMN(struct verify_redemption_row, id),
    COLUMN(struct verify_redemption_row, member_id),
    COLUMN(struct verify_redemption_row, state),
    COLUMN(struct verify_redemption_row, points),
    COLUMN(struct verify_redemption_row, confirmed_points),
    COLUMN(struct verify_redemption_row, reversed_points),
    COLUMN(struct verify_redemption_row, gross_minor),
    COLUMN(struct verify_redemption_row, commission_minor),
    COLUMN(struct verify_redemption_row, reversed_gross_minor),
    COLUMN(struct verify_redemption_row, reversed_commission_minor),
    COLUMN(struct verify_redemption_row, draw_credit),
    COLUMN(struct verify_redemption_row, drawn),
    COLUMN(struct verify_redemption_row, cash_minor),
};
const struct statement verify_redemptions =
    STATEMENT("verify_redemptions",
              "SELECT id, member_id, state, points, confirmed_points, reversed_points, gross_minor, commission_minor, "
              "reversed_gross_minor, reversed_commission_minor, draw_credit, packed_points(draws) AS drawn, "
              "cash_minor FROM redemption WHERE bucket = $1 AND id = ANY ($2::uuid[])",
              ids_params, redemption_row, sizeof(struct verify_redemption_row));

static const struct column operation_row[] = {
    COLUMN(struct verify_operation_row, id),
    COLUMN(struct verify_operation_row, member_id),
    COLUMN(struct verify_operation_row, kind),
    COLUMN(struct verify_operation_row, reason),
    COLUMN(struct verify_operation_row, points),
    COLUMN(struct verify_operation_row, gross_minor),
    COLUMN(struct verify_operation_row, commission_minor),
    COLUMN(struct verify_operation_row, cash_minor),
};
const struct statement verify_operations =
    STATEMENT("verify_operations",
              "SELECT id, member_id, kind, reason, points, gross_minor, commission_minor, cash_minor FROM operation "
              "WHERE bucket = $1 AND id = ANY ($2::uuid[])",
              ids_params, operation_row, sizeof(struct verify_operation_row));

static const struct column accrual_row[] = { COLUMN(struct verify_accrual_row, id),
                                             COLUMN(struct verify_accrual_row, member_id),
                                             COLUMN(struct verify_accrual_row, points) };
const struct statement verify_accruals = STATEMENT(
    "verify_accruals", "SELECT id, member_id, points FROM accrual WHERE bucket = $1 AND id = ANY ($2::uuid[])",
    ids_params, accrual_row, sizeof(struct verify_accrual_row));

static const struct column walk_params[] = { COLUMN(struct verify_walk_params, bucket),
                                             COLUMN(struct verify_walk_params, after),
                                             COLUMN(struct verify_walk_params, limit) };
static const struct column walk_row[] = {
    COLUMN(struct verify_walk_row, id),
    COLUMN(struct verify_walk_row, member_id),
    COLUMN(struct verify_walk_row, programme_no),
    COLUMN(struct verify_walk_row, bank_no),
    COLUMN(struct verify_walk_row, business_date),
    COLUMN(struct verify_walk_row, wanted),
};
const struct statement verify_walk_redemptions =
    STATEMENT("verify_walk_redemptions",
              "SELECT id, member_id, programme_no, bank_no, business_date, state <> 0 AS wanted FROM redemption "
              "WHERE bucket = $1 AND id > $2 ORDER BY id LIMIT $3",
              walk_params, walk_row, sizeof(struct verify_walk_row));
/* A merge's later steps move the points of their own rows; what changed a member without points may change nothing. */
const struct statement verify_walk_operations =
    STATEMENT("verify_walk_operations",
              "SELECT id, member_id, 0 AS programme_no, 0 AS bank_no, business_date, "
              "reason = 'OK' AND points > 0 AS wanted FROM operation "
              "WHERE bucket = $1 AND id > $2 ORDER BY id LIMIT $3",
              walk_params, walk_row, sizeof(struct verify_walk_row));

static const struct column booked_params[] = {
    COLUMN(struct verify_booked_params, bucket),
    COLUMN(struct verify_booked_params, members),
    COLUMN(struct verify_booked_params, first),
    COLUMN(struct verify_booked_params, last),
};
static const struct column booked_row[] = { COLUMN(struct verify_booked_row, ref),
                                            COLUMN(struct verify_booked_row, redemption_id) };
const struct statement verify_booked =
    STATEMENT("verify_booked",
              "SELECT ref, redemption_id FROM journal WHERE bucket = $1 AND member_id = ANY ($2::uuid[]) "
              "AND business_date BETWEEN $3 AND $4",
              booked_params, booked_row, sizeof(struct verify_booked_row));

static const struct column accrual_walk_row[] = {
    COLUMN(struct verify_accrual_walk_row, id),
    COLUMN(struct verify_accrual_walk_row, member_id),
    COLUMN(struct verify_accrual_walk_row, bank_no),
    COLUMN(struct verify_accrual_walk_row, booked),
};
const struct statement verify_walk_accruals = STATEMENT(
    "verify_walk_accruals",
    "SELECT a.id, a.member_id, a.bank_no, a.points = 0 OR EXISTS (SELECT FROM journal j WHERE j.bucket = a.bucket "
    "AND j.member_id = a.member_id AND j.business_date = a.business_date AND j.ref = a.id) AS booked "
    "FROM accrual a WHERE a.bucket = $1 AND a.id > $2 ORDER BY a.id LIMIT $3",
    walk_params, accrual_walk_row, sizeof(struct verify_accrual_walk_row));

static const struct column transfer_row[] = {
    COLUMN(struct verify_transfer_row, id),           COLUMN(struct verify_transfer_row, from_member_id),
    COLUMN(struct verify_transfer_row, to_member_id), COLUMN(struct verify_transfer_row, programme_no),
    COLUMN(struct verify_transfer_row, bank_no),      COLUMN(struct verify_transfer_row, state),
    COLUMN(struct verify_transfer_row, lots),         COLUMN(struct verify_transfer_row, pending_lots),
    COLUMN(struct verify_transfer_row, credit),
};
const struct statement verify_walk_transfers =
    STATEMENT("verify_walk_transfers",
              "SELECT id, from_member_id, to_member_id, programme_no, bank_no, state, lots, pending_lots, credit "
              "FROM transfer WHERE bucket = $1 AND id > $2 ORDER BY id LIMIT $3",
              walk_params, transfer_row, sizeof(struct verify_transfer_row));

static const struct column moved_params[] = { COLUMN(struct verify_moved_params, bucket),
                                              COLUMN(struct verify_moved_params, member_id),
                                              COLUMN(struct verify_moved_params, ref) };
static const struct column moved_row[] = { COLUMN(struct verify_moved_row, kind),
                                           COLUMN(struct verify_moved_row, business_date),
                                           COLUMN(struct verify_moved_row, points) };
const struct statement verify_moved =
    STATEMENT("verify_moved",
              "SELECT kind, business_date, sum(points)::int8 AS points FROM journal "
              "WHERE bucket = $1 AND member_id = $2 AND ref = $3 GROUP BY kind, business_date",
              moved_params, moved_row, sizeof(struct verify_moved_row));

static const struct column seal_row[] = {
    COLUMN(struct verify_seal_row, programme_no), COLUMN(struct verify_seal_row, business_date),
    COLUMN(struct verify_seal_row, entry_count),  COLUMN(struct verify_seal_row, points),
    COLUMN(struct verify_seal_row, hash),
};
const struct statement verify_seals =
    STATEMENT("verify_seals",
              "SELECT programme_no, business_date, entry_count, points, hash FROM day_seal WHERE bucket = $1 "
              "ORDER BY programme_no, business_date",
              bucket_params, seal_row, sizeof(struct verify_seal_row));

static const struct column member_params[] = { COLUMN(struct verify_member_params, bucket),
                                               COLUMN(struct verify_member_params, member_id) };
static const struct column member_row[] = { COLUMN(struct verify_member_row, programme_no),
                                            COLUMN(struct verify_member_row, bank_no),
                                            COLUMN(struct verify_member_row, member_ref) };
const struct statement verify_member = STATEMENT(
    "verify_member", "SELECT programme_no, bank_no, member_ref FROM account WHERE bucket = $1 AND member_id = $2",
    member_params, member_row, sizeof(struct verify_member_row));
