#include "store/lane_store.h"

#include "store/before_store.h"
#include "store/exposure_store.h"
#include "store/review_store.h"
#include "store/spend_store.h"

/*
 * A server that is stopped, or a machine that is gone, in the middle of a batch gives its locks back: PostgreSQL would
 * notice it after hours, or never, and the others would wait.
 */
const char lane_session_sql[] =
    "SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off; SET enable_hashjoin = off; "
    "SET enable_mergejoin = off; SET jit = off; SET lock_timeout = '10s'; SET timezone = 'UTC'; "
    "SET tcp_keepalives_idle = 5; SET tcp_keepalives_interval = 1; SET tcp_keepalives_count = 3; "
    "SET tcp_user_timeout = '8s'; SET idle_in_transaction_session_timeout = '5s'";

const struct statement lane_begin = { "lane_begin", "BEGIN", NULL, 0, NULL, 0, 0 };
const struct statement lane_commit = { "lane_commit", "COMMIT", NULL, 0, NULL, 0, 0 };

static const struct column fence_params[] = { COLUMN(struct fence_params, bucket),
                                              COLUMN(struct fence_params, programmes) };
static const struct column fence_columns[] = {
    COLUMN(struct fence_row, programme_no),
    COLUMN(struct fence_row, business_date),
    COLUMN(struct fence_row, now),
    COLUMN(struct fence_row, reference_version),
};
const struct statement lane_load_fences = STATEMENT(
    "lane_load_fences",
    "SELECT programme_no, business_date, CASE WHEN test_clock = 'epoch' THEN now() ELSE test_clock END AS now, "
    "reference_version FROM fence WHERE bucket = $1 AND programme_no = ANY ($2::int8[]) ORDER BY programme_no FOR "
    "SHARE",
    fence_params, fence_columns, sizeof(struct fence_row));

static const struct column accounts_params[] = { COLUMN(struct accounts_params, bucket),
                                                 COLUMN(struct accounts_params, members),
                                                 COLUMN(struct accounts_params, redemptions) };
/* All but the last are the composite type account_write. */
static const struct column account_columns[] = {
    COLUMN(struct account_row, member_id),    COLUMN(struct account_row, programme_no),
    COLUMN(struct account_row, bank_no),      COLUMN(struct account_row, member_ref),
    COLUMN(struct account_row, status),       COLUMN(struct account_row, tier),
    COLUMN(struct account_row, available),    COLUMN(struct account_row, held),
    COLUMN(struct account_row, pending),      COLUMN(struct account_row, expired),
    COLUMN(struct account_row, credit_limit), COLUMN(struct account_row, credit_used),
    COLUMN(struct account_row, counted_on),   COLUMN(struct account_row, day_points),
    COLUMN(struct account_row, month_points), COLUMN(struct account_row, next_due),
    COLUMN(struct account_row, journal_seq),  COLUMN(struct account_row, chain),
    COLUMN(struct account_row, profile_hash), COLUMN(struct account_row, lots),
    COLUMN(struct account_row, pending_lots), COLUMN(struct account_row, holds),
    COLUMN(struct account_row, recent),       COLUMN(struct account_row, credit),
    COLUMN(struct account_row, tier_due),     COLUMN(struct account_row, place),
};
/* What may change, in the order of the composite type account_change. */
static const struct column account_changed[] = {
    COLUMN(struct account_row, place),        COLUMN(struct account_row, member_id),
    COLUMN(struct account_row, status),       COLUMN(struct account_row, tier),
    COLUMN(struct account_row, available),    COLUMN(struct account_row, held),
    COLUMN(struct account_row, pending),      COLUMN(struct account_row, expired),
    COLUMN(struct account_row, credit_limit), COLUMN(struct account_row, credit_used),
    COLUMN(struct account_row, counted_on),   COLUMN(struct account_row, day_points),
    COLUMN(struct account_row, month_points), COLUMN(struct account_row, next_due),
    COLUMN(struct account_row, journal_seq),  COLUMN(struct account_row, chain),
    COLUMN(struct account_row, profile_hash), COLUMN(struct account_row, lots),
    COLUMN(struct account_row, pending_lots), COLUMN(struct account_row, holds),
    COLUMN(struct account_row, recent),       COLUMN(struct account_row, credit),
    COLUMN(struct account_row, tier_due),
};
#define ACCOUNT_COLUMNS                                                                                                \
    "member_id, programme_no, bank_no, member_ref, status, tier, available, held, pending, expired, credit_limit, "    \
    "credit_used, counted_on, day_points, month_points, next_due, journal_seq, chain, profile_hash, lots, "            \
    "pending_lots, holds, recent, credit, tier_due"
const struct statement lane_load_accounts = STATEMENT(
    "lane_load_accounts",
    "SELECT " ACCOUNT_COLUMNS ", ctid AS place FROM account WHERE bucket = $1 AND member_id = ANY ($2::uuid[] || "
    "ARRAY(SELECT r.member_id FROM redemption r WHERE r.bucket = $1 AND r.id = ANY ($3::uuid[]))) "
    "ORDER BY member_id FOR NO KEY UPDATE",
    accounts_params, account_columns, sizeof(struct account_row));

static const struct column ids_params[] = { COLUMN(struct ids_params, bucket), COLUMN(struct ids_params, ids) };

/* In the order of the composite type redemption_write. */
static const struct column redemption_columns[] = {
    COLUMN(struct redemption_row, id),
    COLUMN(struct redemption_row, member_id),
    COLUMN(struct redemption_row, programme_no),
    COLUMN(struct redemption_row, bank_no),
    COLUMN(struct redemption_row, merchant_no),
    COLUMN(struct redemption_row, store_no),
    COLUMN(struct redemption_row, terminal_id),
    COLUMN(struct redemption_row, content_hash),
    COLUMN(struct redemption_row, reason),
    COLUMN(struct redemption_row, state),
    COLUMN(struct redemption_row, points),
    COLUMN(struct redemption_row, confirmed_points),
    COLUMN(struct redemption_row, reversed_points),
    COLUMN(struct redemption_row, currency),
    COLUMN(struct redemption_row, gross_minor),
    COLUMN(struct redemption_row, commission_minor),
    COLUMN(struct redemption_row, reversed_gross_minor),
    COLUMN(struct redemption_row, reversed_commission_minor),
    COLUMN(struct redemption_row, rules_version),
    COLUMN(struct redemption_row, terms_version),
    COLUMN(struct redemption_row, goods_no),
    COLUMN(struct redemption_row, quantity),
    COLUMN(struct redemption_row, ship_to),
    COLUMN(struct redemption_row, spendable_after),
    COLUMN(struct redemption_row, business_date),
    COLUMN(struct redemption_row, held_at),
    COLUMN(struct redemption_row, lapse_at),
    COLUMN(struct redemption_row, draw_credit),
    COLUMN(struct redemption_row, draws),
    COLUMN(struct redemption_row, lines),
    COLUMN(struct redemption_row, card),
    COLUMN(struct redemption_row, lapse_after_us),
    COLUMN(struct redemption_row, one_step),
    COLUMN(struct redemption_row, exposure_currency),
    COLUMN(struct redemption_row, exposure_minor),
    COLUMN(struct redemption_row, price_minor),
    COLUMN(struct redemption_row, price_currency),
    COLUMN(struct redemption_row, cash_minor),
};
const struct statement lane_load_redemptions = STATEMENT(
    "lane_load_redemptions",
    "SELECT id, member_id, programme_no, bank_no, merchant_no, store_no, terminal_id, content_hash, reason, "
    "state, points, confirmed_points, reversed_points, currency, gross_minor, commission_minor, "
    "reversed_gross_minor, reversed_commission_minor, rules_version, terms_version, goods_no, quantity, "
    "''::bytea AS ship_to, spendable_after, business_date, held_at, lapse_at, draw_credit, draws, lines, card, "
    "lapse_after_us, one_step, exposure_currency, exposure_minor, price_minor, price_currency, cash_minor FROM "
    "redemption WHERE bucket = $1 AND id = ANY "
    "($2::uuid[])",
    ids_params, redemption_columns, sizeof(struct redemption_row));

static const struct column operation_columns[] = {
    COLUMN(struct operation_row, id),
    COLUMN(struct operation_row, member_id),
    COLUMN(struct operation_row, redemption_id),
    COLUMN(struct operation_row, kind),
    COLUMN(struct operation_row, content_hash),
    COLUMN(struct operation_row, reason),
    COLUMN(struct operation_row, state_after),
    COLUMN(struct operation_row, points),
    COLUMN(struct operation_row, spendable_after),
    COLUMN(struct operation_row, currency),
    COLUMN(struct operation_row, gross_minor),
    COLUMN(struct operation_row, commission_minor),
    COLUMN(struct operation_row, business_date),
    COLUMN(struct operation_row, at),
    COLUMN(struct operation_row, lapse_at),
    COLUMN(struct operation_row, cash_minor),
};
const struct statement lane_load_operations =
    STATEMENT("lane_load_operations",
              "SELECT id, member_id, redemption_id, kind, content_hash, reason, state_after, points, spendable_after, "
              "currency, gross_minor, commission_minor, business_date, at, lapse_at, cash_minor FROM operation "
              "WHERE bucket = $1 AND id = ANY ($2::uuid[])",
              ids_params, operation_columns, sizeof(struct operation_row));

static const struct column accrual_found[] = {
    COLUMN(struct accrual_row, id),
    COLUMN(struct accrual_row, member_id),
    COLUMN(struct accrual_row, content_hash),
    COLUMN(struct accrual_row, points),
    COLUMN(struct accrual_row, business_date),
    COLUMN(struct accrual_row, at),
    COLUMN(struct accrual_row, clawed_points),
    COLUMN(struct accrual_row, pending_points),
    COLUMN(struct accrual_row, lot_expires),
    COLUMN(struct accrual_row, matures_on),
    COLUMN(struct accrual_row, funding_no),
    COLUMN(struct accrual_row, amount_minor),
    COLUMN(struct accrual_row, currency),
    COLUMN(struct accrual_row, reversed_minor),
    COLUMN(struct accrual_row, spent_on),
    COLUMN(struct accrual_row, qualifying_minor),
};
const struct statement lane_load_accruals =
    STATEMENT("lane_load_accruals",
              "SELECT id, member_id, content_hash, points, business_date, at, clawed_points, pending_points, "
              "lot_expires, matures_on, funding_no, amount_minor, currency, reversed_minor, spent_on, "
              "qualifying_minor FROM accrual "
              "WHERE bucket = $1 AND id = ANY ($2::uuid[])",
              ids_params, accrual_found, sizeof(struct accrual_row));

/* The first eleven are the composite type transfer_write. */
static const struct column transfer_columns[] = {
    COLUMN(struct transfer_row, id),
    COLUMN(struct transfer_row, programme_no),
    COLUMN(struct transfer_row, bank_no),
    COLUMN(struct transfer_row, from_member_id),
    COLUMN(struct transfer_row, to_member_id),
    COLUMN(struct transfer_row, to_member_ref),
    COLUMN(struct transfer_row, merge),
    COLUMN(struct transfer_row, lots),
    COLUMN(struct transfer_row, pending_lots),
    COLUMN(struct transfer_row, credit),
    COLUMN(struct transfer_row, status_before),
    COLUMN(struct transfer_row, state),
    COLUMN(struct transfer_row, reason),
    COLUMN(struct transfer_row, split),
    COLUMN(struct transfer_row, hash_before),
    COLUMN(struct transfer_row, left_hash),
};
#define TRANSFER                                                                                                       \
    "SELECT t.id, t.programme_no, t.bank_no, t.from_member_id, t.to_member_id, t.to_member_ref, t.merge, t.lots, "     \
    "t.pending_lots, t.credit, t.status_before, t.state, t.reason, s.id IS NOT NULL AS split, "                        \
    "coalesce(s.hash_before, '') AS hash_before, coalesce(s.left_hash, '') AS left_hash "
const struct statement lane_load_transfers =
    STATEMENT("lane_load_transfers",
              TRANSFER "FROM transfer t LEFT JOIN transfer_split s ON s.bucket = t.bucket AND s.id = t.id "
                       "WHERE t.bucket = $1 AND t.id = ANY ($2::uuid[])",
              ids_params, transfer_columns, sizeof(struct transfer_row));

/* There are few splits under way at any time. */
const struct statement lane_load_open_splits =
    STATEMENT("lane_load_open_splits",
              TRANSFER "FROM transfer_split s JOIN transfer t ON t.bucket = s.bucket AND t.id = s.id "
                       "WHERE s.bucket = $1 AND t.from_member_id = ANY ($2::uuid[])",
              ids_params, transfer_columns, sizeof(struct transfer_row));

static const struct column exposures_params[] = { COLUMN(struct exposures_params, bucket),
                                                  COLUMN(struct exposures_params, banks),
                                                  COLUMN(struct exposures_params, needed) };
static const struct column exposure_columns[] = {
    COLUMN(struct exposure_row, bucket),         COLUMN(struct exposure_row, bank_no),
    COLUMN(struct exposure_row, currency),       COLUMN(struct exposure_row, limit_minor),
    COLUMN(struct exposure_row, allotted_minor), COLUMN(struct exposure_row, used_minor),
};
const struct statement lane_load_exposures =
    STATEMENT("lane_load_exposures",
              "SELECT bucket, bank_no, currency, limit_minor, allotted_minor, used_minor FROM exposure "
              "WHERE bank_no = ANY ($2::int8[]) AND (bucket = $1 OR bank_no = ANY ($3::int8[])) "
              "ORDER BY bank_no, currency, bucket FOR NO KEY UPDATE",
              exposures_params, exposure_columns, sizeof(struct exposure_row));

static const struct record_type account_write = { "account_write", account_columns, COUNT(account_columns) - 1,
                                                  sizeof(struct account_row) };
static const struct record_type account_change = { "account_change", account_changed, COUNT(account_changed),
                                                   sizeof(struct account_row) };
static const struct column account_change_params[] = { COLUMN(struct write_params, bucket),
                                                       RECORDS(struct write_params, rows, &account_change) };
static const struct column account_params[] = { COLUMN(struct write_params, bucket),
                                                RECORDS(struct write_params, rows, &account_write) };
const struct statement lane_insert_accounts = COMMAND_STATEMENT("lane_insert_accounts",
                                                                "INSERT INTO account (bucket, " ACCOUNT_COLUMNS
                                                                ") SELECT $1, u.* FROM unnest($2::account_write[]) u",
                                                                account_params);
/* The rows are locked, so they still lie where they were read; bucket and member only make sure of it. */
const struct statement lane_update_accounts = COMMAND_STATEMENT(
    "lane_update_accounts",
    "UPDATE account a SET status = u.status, tier = u.tier, available = u.available, held = u.held, "
    "pending = u.pending, expired = u.expired, credit_limit = u.credit_limit, credit_used = u.credit_used, "
    "counted_on = u.counted_on, day_points = u.day_points, month_points = u.month_points, next_due = u.next_due, "
    "journal_seq = u.journal_seq, chain = u.chain, profile_hash = u.profile_hash, lots = u.lots, "
    "pending_lots = u.pending_lots, holds = u.holds, recent = u.recent, credit = u.credit, tier_due = u.tier_due "
    "FROM unnest($2::account_change[]) u WHERE a.ctid = u.place AND a.bucket = $1 AND a.member_id = u.member_id",
    account_change_params);

static const struct column profile_columns[] = {
    COLUMN(struct profile_row, member_id), COLUMN(struct profile_row, card_tokens),
    COLUMN(struct profile_row, facts),     COLUMN(struct profile_row, sealed),
    COLUMN(struct profile_row, phone_mac), COLUMN(struct profile_row, email_mac)
};
static const struct record_type profile_write = { "profile_write", profile_columns, COUNT(profile_columns),
                                                  sizeof(struct profile_row) };
static const struct column profile_params[] = { COLUMN(struct write_params, bucket),
                                                RECORDS(struct write_params, rows, &profile_write) };
const struct statement lane_put_profiles = COMMAND_STATEMENT(
    "lane_put_profiles",
    "INSERT INTO member_profile (bucket, member_id, card_tokens, facts, sealed, phone_mac, email_mac) "
    "SELECT $1, u.* FROM unnest($2::profile_write[]) u "
    "ON CONFLICT (bucket, member_id) DO UPDATE SET card_tokens = excluded.card_tokens, facts = excluded.facts, "
    "sealed = excluded.sealed, phone_mac = excluded.phone_mac, email_mac = excluded.email_mac",
    profile_params);

static const struct column change_row_columns[] = {
    COLUMN(struct change_row, member_id),      COLUMN(struct change_row, seq),
    COLUMN(struct change_row, bank_no),        COLUMN(struct change_row, at),
    COLUMN(struct change_row, business_date),  COLUMN(struct change_row, changed_by),
    COLUMN(struct change_row, batch_number),   COLUMN(struct change_row, account_before),
    COLUMN(struct change_row, account_after),  COLUMN(struct change_row, profile_known),
    COLUMN(struct change_row, profile_before), COLUMN(struct change_row, profile_after),
    COLUMN(struct change_row, sealed_before),
};
static const struct record_type member_change_write = { "member_change_write", change_row_columns,
                                                        COUNT(change_row_columns), sizeof(struct change_row) };
static const struct column change_row_params[] = { COLUMN(struct write_params, bucket),
                                                   RECORDS(struct write_params, rows, &member_change_write) };
/* OFFSET 0: a look-up a row that needs one, and never a bucket of profiles read at once, as few as there may be. */
const struct statement lane_insert_changes = COMMAND_STATEMENT(
    "lane_insert_changes",
    "INSERT INTO member_change (bucket, member_id, seq, bank_no, at, business_date, changed_by, batch_number, "
    "account_before, account_after, profile_before, profile_after, sealed_before) "
    "SELECT $1, u.member_id, u.seq, u.bank_no, u.at, u.business_date, u.changed_by, u.batch_number, u.account_before, "
    "u.account_after, coalesce(p.facts, u.profile_before), u.profile_after, coalesce(p.sealed, u.sealed_before) "
    "FROM unnest($2::member_change_write[]) u LEFT JOIN LATERAL (SELECT facts, sealed FROM member_profile "
    "WHERE u.profile_after <> '' AND NOT u.profile_known AND bucket = $1 AND member_id = u.member_id OFFSET 0) p ON "
    "true",
    change_row_params);

#define WITHOUT_CONTACT(facts)                                                                                         \
    "CASE WHEN " facts " = '' THEN '{}' ELSE (" facts "::jsonb || '{\"contactFields\": []}'::jsonb)::text END"
const struct statement lane_erase_log = COMMAND_STATEMENT(
    "lane_erase_log",
    "UPDATE member_change SET sealed_before = '', profile_after = CASE WHEN profile_after = '" ERASED_PROFILE
    "' THEN " WITHOUT_CONTACT("profile_before") " ELSE profile_after END WHERE bucket = $1 AND member_id = ANY ($2) "
                                                "AND (sealed_before <> '' OR profile_after = '" ERASED_PROFILE "')",
    ids_params);
const struct statement lane_erase_profiles =
    COMMAND_STATEMENT("lane_erase_profiles",
                      "UPDATE member_profile SET sealed = '', phone_mac = '', email_mac = '', facts = CASE WHEN facts "
                      "= '' THEN '' ELSE " WITHOUT_CONTACT("facts") " END WHERE bucket = $1 AND member_id = ANY ($2)",
                      ids_params);

/*
 * By the journal, which is in order of member: redemptions are not. One that is held or confirmed keeps its address
 * until its parcel is delivered, back or refused for good (6, 8, 9 of ShipmentState); one that ended otherwise, unless
 * a parcel is on its way all the same.
 */
const struct statement lane_erase_addresses = COMMAND_STATEMENT(
    "lane_erase_addresses",
    "UPDATE redemption r SET ship_to = '' FROM (SELECT DISTINCT j.redemption_id AS id FROM unnest($2::uuid[]) m (id) "
    "JOIN journal j ON j.bucket = $1 AND j.member_id = m.id AND j.redemption_id <> "
    "'00000000-0000-0000-0000-000000000000') of_member WHERE r.bucket = $1 AND r.id = of_member.id AND r.ship_to <> '' "
    "AND NOT EXISTS (SELECT FROM shipment s WHERE s.bucket = $1 AND s.id = r.id AND s.state NOT IN (6, 8, 9)) "
    "AND (r.state NOT IN (1, 2) OR EXISTS (SELECT FROM shipment s WHERE s.bucket = $1 AND s.id = r.id))",
    ids_params);

static const struct record_type redemption_write = { "redemption_write", redemption_columns, COUNT(redemption_columns),
                                                     sizeof(struct redemption_row) };
static const struct column redemption_params[] = { COLUMN(struct write_params, bucket),
                                                   RECORDS(struct write_params, rows, &redemption_write) };
const struct statement lane_insert_redemptions =
    COMMAND_STATEMENT("lane_insert_redemptions",
                      "INSERT INTO redemption SELECT $1, u.* FROM unnest($2::redemption_write[]) u", redemption_params);

/* What may change after the hold. Field order is that of the composite type redemption_change. */
static const struct column change_columns[] = {
    COLUMN(struct redemption_row, id),
    COLUMN(struct redemption_row, state),
    COLUMN(struct redemption_row, confirmed_points),
    COLUMN(struct redemption_row, reversed_points),
    COLUMN(struct redemption_row, currency),
    COLUMN(struct redemption_row, gross_minor),
    COLUMN(struct redemption_row, commission_minor),
    COLUMN(struct redemption_row, reversed_gross_minor),
    COLUMN(struct redemption_row, reversed_commission_minor),
    COLUMN(struct redemption_row, rules_version),
    COLUMN(struct redemption_row, terms_version),
    COLUMN(struct redemption_row, lapse_at),
    COLUMN(struct redemption_row, draw_credit),
    COLUMN(struct redemption_row, draws),
    COLUMN(struct redemption_row, lines),
    COLUMN(struct redemption_row, exposure_currency),
    COLUMN(struct redemption_row, exposure_minor),
};
static const struct record_type redemption_change = { "redemption_change", change_columns, COUNT(change_columns),
                                                      sizeof(struct redemption_row) };
static const struct column change_params[] = { COLUMN(struct write_params, bucket),
                                               RECORDS(struct write_params, rows, &redemption_change) };
const struct statement lane_update_redemptions =
    COMMAND_STATEMENT("lane_update_redemptions",
                      "UPDATE redemption r SET state = u.state, confirmed_points = u.confirmed_points, "
                      "reversed_points = u.reversed_points, currency = u.currency, gross_minor = u.gross_minor, "
                      "commission_minor = u.commission_minor, reversed_gross_minor = u.reversed_gross_minor, "
                      "reversed_commission_minor = u.reversed_commission_minor, rules_version = u.rules_version, "
                      "terms_version = u.terms_version, lapse_at = u.lapse_at, draw_credit = u.draw_credit, "
                      "draws = u.draws, lines = u.lines, exposure_currency = u.exposure_currency, "
                      "exposure_minor = u.exposure_minor "
                      "FROM unnest($2::redemption_change[]) u WHERE r.bucket = $1 AND r.id = u.id",
                      change_params);

static const struct record_type operation_write = { "operation_write", operation_columns, COUNT(operation_columns),
                                                    sizeof(struct operation_row) };
static const struct column operation_params[] = { COLUMN(struct write_params, bucket),
                                                  RECORDS(struct write_params, rows, &operation_write) };
const struct statement lane_insert_operations =
    COMMAND_STATEMENT("lane_insert_operations",
                      "INSERT INTO operation SELECT $1, u.* FROM unnest($2::operation_write[]) u", operation_params);

static const struct column accrual_columns[] = {
    COLUMN(struct accrual_row, id),
    COLUMN(struct accrual_row, member_id),
    COLUMN(struct accrual_row, bank_no),
    COLUMN(struct accrual_row, transaction_ref),
    COLUMN(struct accrual_row, content_hash),
    COLUMN(struct accrual_row, amount_minor),
    COLUMN(struct accrual_row, currency),
    COLUMN(struct accrual_row, transaction_time),
    COLUMN(struct accrual_row, points),
    COLUMN(struct accrual_row, rules_version),
    COLUMN(struct accrual_row, business_date),
    COLUMN(struct accrual_row, at),
    COLUMN(struct accrual_row, clawed_points),
    COLUMN(struct accrual_row, pending_points),
    COLUMN(struct accrual_row, lot_expires),
    COLUMN(struct accrual_row, matures_on),
    COLUMN(struct accrual_row, funding_no),
    COLUMN(struct accrual_row, reversed_minor),
    COLUMN(struct accrual_row, fixed_points),
    COLUMN(struct accrual_row, category),
    COLUMN(struct accrual_row, place),
    COLUMN(struct accrual_row, merchant_id),
    COLUMN(struct accrual_row, channel),
    COLUMN(struct accrual_row, paid_with_points_minor),
    COLUMN(struct accrual_row, spent_on),
    COLUMN(struct accrual_row, tier),
    COLUMN(struct accrual_row, earn_rule),
    COLUMN(struct accrual_row, qualifying_minor),
};
static const struct record_type accrual_write = { "accrual_write", accrual_columns, COUNT(accrual_columns),
                                                  sizeof(struct accrual_row) };
static const struct column accrual_params[] = { COLUMN(struct write_params, bucket),
                                                RECORDS(struct write_params, rows, &accrual_write) };
const struct statement lane_insert_accruals = COMMAND_STATEMENT(
    "lane_insert_accruals", "INSERT INTO accrual SELECT $1, u.* FROM unnest($2::accrual_write[]) u", accrual_params);

static const struct column accrual_changed[] = {
    COLUMN(struct accrual_row, id),
    COLUMN(struct accrual_row, clawed_points),
    COLUMN(struct accrual_row, pending_points),
    COLUMN(struct accrual_row, lot_expires),
    COLUMN(struct accrual_row, reversed_minor),
};
static const struct record_type accrual_change = { "accrual_change", accrual_changed, COUNT(accrual_changed),
                                                   sizeof(struct accrual_row) };
static const struct column accrual_change_params[] = { COLUMN(struct write_params, bucket),
                                                       RECORDS(struct write_params, rows, &accrual_change) };
const struct statement lane_update_accruals =
    COMMAND_STATEMENT("lane_update_accruals",
                      "UPDATE accrual a SET clawed_points = u.clawed_points, pending_points = u.pending_points, "
                      "lot_expires = u.lot_expires, reversed_minor = u.reversed_minor "
                      "FROM unnest($2::accrual_change[]) u WHERE a.bucket = $1 AND a.id = u.id",
                      accrual_change_params);

static const struct record_type transfer_write = { "transfer_write", transfer_columns, 11,
                                                   sizeof(struct transfer_row) };
static const struct column transfer_params[] = { COLUMN(struct write_params, bucket),
                                                 RECORDS(struct write_params, rows, &transfer_write) };
const struct statement lane_insert_transfers = COMMAND_STATEMENT(
    "lane_insert_transfers",
    "INSERT INTO transfer (bucket, id, programme_no, bank_no, from_member_id, to_member_id, to_member_ref, merge, "
    "lots, pending_lots, credit, status_before, state, reason) "
    "SELECT $1, u.*, 1, 'OK' FROM unnest($2::transfer_write[]) u",
    transfer_params);

static const struct column transfer_changed[] = {
    COLUMN(struct transfer_row, id),
    COLUMN(struct transfer_row, state),
    COLUMN(struct transfer_row, reason),
};
static const struct record_type transfer_change = { "transfer_change", transfer_changed, COUNT(transfer_changed),
                                                    sizeof(struct transfer_row) };
static const struct column transfer_change_params[] = { COLUMN(struct write_params, bucket),
                                                        RECORDS(struct write_params, rows, &transfer_change) };
const struct statement lane_update_transfers =
    COMMAND_STATEMENT("lane_update_transfers",
                      "UPDATE transfer t SET state = u.state, reason = u.reason "
                      "FROM unnest($2::transfer_change[]) u WHERE t.bucket = $1 AND t.id = u.id",
                      transfer_change_params);

static const struct column split_columns[] = {
    COLUMN(struct split_row, id),
    COLUMN(struct split_row, changed_by),
    COLUMN(struct split_row, tier),
    COLUMN(struct split_row, by_tier),
    COLUMN(struct split_row, credit_limit),
    COLUMN(struct split_row, temporary_points),
    COLUMN(struct split_row, temporary_first),
    COLUMN(struct split_row, temporary_last),
    COLUMN(struct split_row, card_tokens),
    COLUMN(struct split_row, facts),
    COLUMN(struct split_row, sealed),
    COLUMN(struct split_row, phone_mac),
    COLUMN(struct split_row, email_mac),
    COLUMN(struct split_row, profile_hash),
    COLUMN(struct split_row, hash_before),
    COLUMN(struct split_row, left_sealed),
    COLUMN(struct split_row, left_hash),
};
static const struct record_type transfer_split_write = { "transfer_split_write", split_columns, COUNT(split_columns),
                                                         sizeof(struct split_row) };
static const struct column split_params[] = { COLUMN(struct write_params, bucket),
                                              RECORDS(struct write_params, rows, &transfer_split_write) };
const struct statement lane_insert_splits = COMMAND_STATEMENT(
    "lane_insert_splits", "INSERT INTO transfer_split SELECT $1, u.* FROM unnest($2::transfer_split_write[]) u",
    split_params);

static const struct column split_end_columns[] = {
    COLUMN(struct split_end_row, id),
    COLUMN(struct split_end_row, member_id),
    COLUMN(struct split_end_row, received),
    COLUMN(struct split_end_row, same),
};
static const struct record_type transfer_split_end = { "transfer_split_end", split_end_columns,
                                                       COUNT(split_end_columns), sizeof(struct split_end_row) };
static const struct column split_end_params[] = { COLUMN(struct write_params, bucket),
                                                  RECORDS(struct write_params, rows, &transfer_split_end) };
/* A profile from before there was more than tokens gets the text it lacks; one that has no cards stays as it is. */
#define PROFILE_FACTS                                                                                                  \
    "CASE WHEN p.facts <> '' THEN p.facts::jsonb WHEN p.card_tokens = '{}' THEN '{}'::jsonb ELSE "                     \
    "jsonb_build_object('cards', (SELECT jsonb_agg(jsonb_build_object('token', t, 'status', 'CARD_STATUS_ACTIVE') "    \
    "ORDER BY t) FROM unnest(p.card_tokens) t), 'consents', '[]'::jsonb, 'contactFields', '[]'::jsonb) END"
const struct statement lane_split_profiles =
    COMMAND_STATEMENT("lane_split_profiles",
                      "UPDATE member_profile p SET "
                      "card_tokens = ARRAY(SELECT t FROM unnest(p.card_tokens) t WHERE t <> ALL (s.card_tokens)), "
                      "facts = CASE WHEN p.facts = '' AND p.card_tokens = '{}' THEN '' ELSE ((" PROFILE_FACTS
                      ") || jsonb_build_object('cards', coalesce((SELECT jsonb_agg(c.card ORDER BY c.n) FROM "
                      "jsonb_array_elements((" PROFILE_FACTS ") -> 'cards') WITH ORDINALITY c (card, n) "
                      "WHERE c.card ->> 'token' <> ALL (s.card_tokens)), '[]')))::text END, "
                      "sealed = CASE WHEN u.same THEN s.left_sealed ELSE p.sealed END "
                      "FROM unnest($2::transfer_split_end[]) u JOIN transfer_split s ON s.bucket = $1 AND s.id = u.id "
                      "WHERE u.received AND p.bucket = $1 AND p.member_id = u.member_id",
                      split_end_params);
const struct statement lane_split_log = COMMAND_STATEMENT(
    "lane_split_log",
    "UPDATE member_change c SET profile_after = coalesce((SELECT facts FROM member_profile p WHERE p.bucket = $1 AND "
    "p.member_id = u.member_id), '') FROM unnest($2::transfer_split_end[]) u "
    "WHERE u.received AND c.bucket = $1 AND c.member_id = u.member_id AND c.profile_after = '" SPLIT_PROFILE "'",
    split_end_params);
const struct statement lane_delete_splits =
    COMMAND_STATEMENT("lane_delete_splits",
                      "DELETE FROM transfer_split s USING unnest($2::transfer_split_end[]) u "
                      "WHERE s.bucket = $1 AND s.id = u.id",
                      split_end_params);

static const struct column exposure_changed[] = {
    COLUMN(struct exposure_row, bank_no),
    COLUMN(struct exposure_row, currency),
    COLUMN(struct exposure_row, used_minor),
};
static const struct record_type exposure_change = { "exposure_change", exposure_changed, COUNT(exposure_changed),
                                                    sizeof(struct exposure_row) };
static const struct column exposure_change_params[] = { COLUMN(struct write_params, bucket),
                                                        RECORDS(struct write_params, rows, &exposure_change) };
const struct statement lane_update_exposures =
    COMMAND_STATEMENT("lane_update_exposures",
                      "UPDATE exposure e SET used_minor = u.used_minor FROM unnest($2::exposure_change[]) u "
                      "WHERE e.bucket = $1 AND e.bank_no = u.bank_no AND e.currency = u.currency",
                      exposure_change_params);

static const struct column journal_columns[] = {
    COLUMN(struct journal_row, member_id),
    COLUMN(struct journal_row, seq),
    COLUMN(struct journal_row, business_date),
    COLUMN(struct journal_row, at),
    COLUMN(struct journal_row, kind),
    COLUMN(struct journal_row, points),
    COLUMN(struct journal_row, available_after),
    COLUMN(struct journal_row, held_after),
    COLUMN(struct journal_row, credit_used_after),
    COLUMN(struct journal_row, credit_limit_after),
    COLUMN(struct journal_row, ref),
    COLUMN(struct journal_row, redemption_id),
    COLUMN(struct journal_row, programme_no),
    COLUMN(struct journal_row, bank_no),
    COLUMN(struct journal_row, merchant_no),
    COLUMN(struct journal_row, store_no),
    COLUMN(struct journal_row, rules_version),
    COLUMN(struct journal_row, terms_version),
    COLUMN(struct journal_row, currency),
    COLUMN(struct journal_row, gross_minor),
    COLUMN(struct journal_row, commission_minor),
    COLUMN(struct journal_row, hash),
    COLUMN(struct journal_row, pending_after),
    COLUMN(struct journal_row, lots),
};
static const struct record_type journal_write = { "journal_write", journal_columns, COUNT(journal_columns),
                                                  sizeof(struct journal_row) };
static const struct column journal_params[] = { COLUMN(struct write_params, bucket),
                                                RECORDS(struct write_params, rows, &journal_write) };
const struct statement lane_insert_journal = COMMAND_STATEMENT(
    "lane_insert_journal", "INSERT INTO journal SELECT $1, u.* FROM unnest($2::journal_write[]) u", journal_params);

static const struct column outbox_columns[] = {
    COLUMN(struct outbox_row, id),
    COLUMN(struct outbox_row, topic),
    COLUMN(struct outbox_row, programme_no),
    COLUMN(struct outbox_row, merchant_no),
    COLUMN(struct outbox_row, redemption_id),
};
static const struct record_type outbox_write = { "outbox_write", outbox_columns, COUNT(outbox_columns),
                                                 sizeof(struct outbox_row) };
static const struct column outbox_params[] = { COLUMN(struct write_params, bucket),
                                               RECORDS(struct write_params, rows, &outbox_write) };
const struct statement lane_insert_outbox =
    COMMAND_STATEMENT("lane_insert_outbox",
                      "INSERT INTO outbox (bucket, id, topic, programme_no, merchant_no, redemption_id) "
                      "SELECT $1, u.id, u.topic, u.programme_no, u.merchant_no, u.redemption_id "
                      "FROM unnest($2::outbox_write[]) u",
                      outbox_params);

static const struct column overdue_params[] = { COLUMN(struct overdue_params, bucket),
                                                COLUMN(struct overdue_params, limit) };
static const struct column overdue_columns[] = {
    COLUMN(struct overdue_row, id),
    COLUMN(struct overdue_row, member_id),
    COLUMN(struct overdue_row, programme_no),
    COLUMN(struct overdue_row, bank_no),
};
/* Each programme's clock first: then the index is read up to that time, and not all holds that are open. */
const struct statement lane_find_overdue =
    STATEMENT("lane_find_overdue",
              "SELECT r.id, r.member_id, r.programme_no, r.bank_no FROM fence f CROSS JOIN LATERAL ("
              "SELECT id, member_id, programme_no, bank_no, lapse_at FROM redemption WHERE bucket = $1 AND state = 1 "
              "AND programme_no = f.programme_no "
              "AND lapse_at <= CASE WHEN f.test_clock = 'epoch' THEN now() ELSE f.test_clock END "
              "ORDER BY lapse_at LIMIT $2) r WHERE f.bucket = $1 ORDER BY r.lapse_at LIMIT $2",
              overdue_params, overdue_columns, sizeof(struct overdue_row));

const struct statement *const lane_statements[] = {
    &lane_begin,
    &lane_load_fences,
    &lane_load_accounts,
    &lane_load_redemptions,
    &lane_load_operations,
    &lane_load_accruals,
    &lane_load_transfers,
    &lane_load_open_splits,
    &lane_load_exposures,
    &lane_load_spend_days,
    &lane_load_earn_counts,
    &lane_load_reviews,
    &exposure_set_part,
    &lane_insert_accounts,
    &lane_update_accounts,
    &lane_put_profiles,
    &lane_insert_changes,
    &lane_insert_befores,
    &lane_erase_befores,
    &lane_erase_log,
    &lane_erase_profiles,
    &lane_erase_addresses,
    &lane_insert_redemptions,
    &lane_update_redemptions,
    &lane_insert_operations,
    &lane_insert_accruals,
    &lane_update_accruals,
    &lane_insert_journal,
    &lane_insert_outbox,
    &lane_insert_transfers,
    &lane_update_transfers,
    &lane_insert_splits,
    &lane_split_profiles,
    &lane_split_log,
    &lane_delete_splits,
    &lane_update_exposures,
    &lane_put_earn_counts,
    &lane_put_reviews,
    &lane_insert_tier_changes,
    &lane_find_overdue,
    &lane_commit,
};
const size_t lane_statement_count = COUNT(lane_statements);
