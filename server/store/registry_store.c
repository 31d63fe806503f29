#include "store/registry_store.h"

/* Column tables: one for each struct of the header, in the order of its parameters or result columns. */
static const struct column version_row[] = {
    COLUMN(struct registry_version_row, buckets),
    COLUMN(struct registry_version_row, reference_version),
};
static const struct column fence_params[] = {
    COLUMN(struct registry_fence_params, bucket),
    COLUMN(struct registry_fence_params, reference_version),
};
static const struct column id_params[] = {
    COLUMN(struct registry_id_params, id),
};
static const struct column no_params[] = {
    COLUMN(struct registry_no_params, no),
};
static const struct column programme_row[] = {
    COLUMN(struct registry_programme_row, programme_no),   COLUMN(struct registry_programme_row, time_zone),
    COLUMN(struct registry_programme_row, sandbox),        COLUMN(struct registry_programme_row, business_date),
    COLUMN(struct registry_programme_row, programme_time), COLUMN(struct registry_programme_row, cut_off_minutes),
};
static const struct column zone_row[] = {
    COLUMN(struct registry_zone_row, known),
};
static const struct column day_params[] = {
    COLUMN(struct registry_day_params, time_zone),
    COLUMN(struct registry_day_params, at),
    COLUMN(struct registry_day_params, cut_off_minutes),
};
static const struct column day_row[] = {
    COLUMN(struct registry_day_row, day),
};
static const struct column midnight_params[] = {
    COLUMN(struct registry_midnight_params, time_zone),
    COLUMN(struct registry_midnight_params, day),
    COLUMN(struct registry_midnight_params, cut_off_minutes),
};
static const struct column midnight_row[] = {
    COLUMN(struct registry_midnight_row, midnight),
};
static const struct column new_programme_params[] = {
    COLUMN(struct registry_new_programme_params, programme_id),
    COLUMN(struct registry_new_programme_params, time_zone),
    COLUMN(struct registry_new_programme_params, sandbox),
    COLUMN(struct registry_new_programme_params, cut_off_minutes),
};
static const struct column number_row[] = {
    COLUMN(struct registry_number_row, no),
};
static const struct column new_fence_params[] = {
    COLUMN(struct registry_new_fence_params, bucket),
    COLUMN(struct registry_new_fence_params, programme_no),
    COLUMN(struct registry_new_fence_params, business_date),
    COLUMN(struct registry_new_fence_params, test_clock),
    COLUMN(struct registry_new_fence_params, reference_version),
};
static const struct column months_params[] = {
    COLUMN(struct registry_months_params, first),
    COLUMN(struct registry_months_params, months),
};
static const struct column clock_row[] = {
    COLUMN(struct registry_clock_row, test_clock),
};
static const struct column clock_params[] = {
    COLUMN(struct registry_clock_params, bucket),
    COLUMN(struct registry_clock_params, programme_no),
    COLUMN(struct registry_clock_params, test_clock),
};
static const struct column now_row[] = {
    COLUMN(struct registry_now_row, business_date),
    COLUMN(struct registry_now_row, now),
};
static const struct column bank_row[] = {
    COLUMN(struct registry_bank_row, bank_no),
    COLUMN(struct registry_bank_row, programme_no),
    COLUMN(struct registry_bank_row, name),
};
static const struct column new_bank_params[] = {
    COLUMN(struct registry_new_bank_params, bank_id),
    COLUMN(struct registry_new_bank_params, programme_no),
    COLUMN(struct registry_new_bank_params, name),
};
static const struct column version_params[] = {
    COLUMN(struct registry_version_params, owner),
    COLUMN(struct registry_version_params, request_id),
};
static const struct column published_row[] = {
    COLUMN(struct registry_published_row, version),
    COLUMN(struct registry_published_row, standing),
    COLUMN(struct registry_published_row, effective_from),
    COLUMN(struct registry_published_row, content_hash),
};
static const struct column rules_params[] = {
    COLUMN(struct registry_rules_params, bank_no),           COLUMN(struct registry_rules_params, version),
    COLUMN(struct registry_rules_params, effective_from),    COLUMN(struct registry_rules_params, minimum_points),
    COLUMN(struct registry_rules_params, expiry_months),     COLUMN(struct registry_rules_params, reinstate_grace_days),
    COLUMN(struct registry_rules_params, accrual_num),       COLUMN(struct registry_rules_params, accrual_den),
    COLUMN(struct registry_rules_params, request_id),        COLUMN(struct registry_rules_params, content_hash),
    COLUMN(struct registry_rules_params, expiry_kind),       COLUMN(struct registry_rules_params, expiry_month),
    COLUMN(struct registry_rules_params, expiry_day),        COLUMN(struct registry_rules_params, pending_days),
    COLUMN(struct registry_rules_params, member_window_us),  COLUMN(struct registry_rules_params, member_max_holds),
    COLUMN(struct registry_rules_params, member_max_points), COLUMN(struct registry_rules_params, card_window_us),
    COLUMN(struct registry_rules_params, card_max_holds),    COLUMN(struct registry_rules_params, card_max_points),
};
static const struct column tier_limit_params[] = {
    COLUMN(struct registry_tier_limit_params, bank_no),
    COLUMN(struct registry_tier_limit_params, version),
    COLUMN(struct registry_tier_limit_params, tier),
    COLUMN(struct registry_tier_limit_params, points),
};
static const struct column cap_params[] = {
    COLUMN(struct registry_cap_params, bank_no), COLUMN(struct registry_cap_params, version),
    COLUMN(struct registry_cap_params, tier),    COLUMN(struct registry_cap_params, per_redemption),
    COLUMN(struct registry_cap_params, per_day), COLUMN(struct registry_cap_params, per_month),
};
static const struct column rate_params[] = {
    COLUMN(struct registry_rate_params, bank_no),        COLUMN(struct registry_rate_params, version),
    COLUMN(struct registry_rate_params, currency),       COLUMN(struct registry_rate_params, conversion_num),
    COLUMN(struct registry_rate_params, conversion_den), COLUMN(struct registry_rate_params, settlement_num),
    COLUMN(struct registry_rate_params, settlement_den),
};
static const struct column merchant_row[] = {
    COLUMN(struct registry_merchant_row, merchant_no),
    COLUMN(struct registry_merchant_row, content_hash),
};
static const struct column merchant_params[] = {
    COLUMN(struct registry_merchant_params, merchant_id),    COLUMN(struct registry_merchant_params, programme_no),
    COLUMN(struct registry_merchant_params, name),           COLUMN(struct registry_merchant_params, webhook_url),
    COLUMN(struct registry_merchant_params, webhook_secret), COLUMN(struct registry_merchant_params, webhook_enabled),
    COLUMN(struct registry_merchant_params, content_hash),
};
static const struct column stores_params[] = {
    COLUMN(struct registry_stores_params, merchant_no),
    COLUMN(struct registry_stores_params, store_ids),
    COLUMN(struct registry_stores_params, names),
};
static const struct column terms_params[] = {
    COLUMN(struct registry_terms_params, merchant_no),
    COLUMN(struct registry_terms_params, version),
    COLUMN(struct registry_terms_params, effective_from),
    COLUMN(struct registry_terms_params, commission_bp),
    COLUMN(struct registry_terms_params, currency),
    COLUMN(struct registry_terms_params, request_id),
    COLUMN(struct registry_terms_params, content_hash),
    COLUMN(struct registry_terms_params, terminal_window_us),
    COLUMN(struct registry_terms_params, terminal_max_holds),
    COLUMN(struct registry_terms_params, terminal_max_points),
    COLUMN(struct registry_terms_params, merchant_window_us),
    COLUMN(struct registry_terms_params, merchant_max_holds),
    COLUMN(struct registry_terms_params, merchant_max_points),
    COLUMN(struct registry_terms_params, category),
};
static const struct column page_params[] = {
    COLUMN(struct registry_page_params, programme_no),
    COLUMN(struct registry_page_params, after),
    COLUMN(struct registry_page_params, limit),
};
static const struct column merchant_page_row[] = {
    COLUMN(struct registry_merchant_page_row, merchant_no), COLUMN(struct registry_merchant_page_row, merchant_id),
    COLUMN(struct registry_merchant_page_row, name),        COLUMN(struct registry_merchant_page_row, webhook_url),
    COLUMN(struct registry_merchant_page_row, store_count),
};
static const struct column merchants_params[] = {
    COLUMN(struct registry_merchants_params, merchants),
    COLUMN(struct registry_merchants_params, now),
};
static const struct column merchants_only[] = {
    COLUMN(struct registry_merchants_params, merchants),
};
static const struct column store_row[] = {
    COLUMN(struct registry_store_row, merchant_no),
    COLUMN(struct registry_store_row, store_id),
    COLUMN(struct registry_store_row, name),
};
static const struct column terms_row[] = {
    COLUMN(struct registry_terms_row, merchant_no),
    COLUMN(struct registry_terms_row, version),
    COLUMN(struct registry_terms_row, effective_from),
    COLUMN(struct registry_terms_row, commission_bp),
    COLUMN(struct registry_terms_row, currency),
    COLUMN(struct registry_terms_row, terminal_window_us),
    COLUMN(struct registry_terms_row, terminal_max_holds),
    COLUMN(struct registry_terms_row, terminal_max_points),
    COLUMN(struct registry_terms_row, merchant_window_us),
    COLUMN(struct registry_terms_row, merchant_max_holds),
    COLUMN(struct registry_terms_row, merchant_max_points),
    COLUMN(struct registry_terms_row, category),
};
static const struct column funding_id_params[] = {
    COLUMN(struct registry_funding_id_params, bank_no),
    COLUMN(struct registry_funding_id_params, funding_id),
};
static const struct column funding_row[] = {
    COLUMN(struct registry_funding_row, funding_no),
    COLUMN(struct registry_funding_row, content_hash),
};
static const struct column funding_params[] = {
    COLUMN(struct registry_funding_params, bank_no),  COLUMN(struct registry_funding_params, funding_id),
    COLUMN(struct registry_funding_params, cost_num), COLUMN(struct registry_funding_params, cost_den),
    COLUMN(struct registry_funding_params, currency), COLUMN(struct registry_funding_params, content_hash),
};
static const struct column share_params[] = {
    COLUMN(struct registry_share_params, funding_no),
    COLUMN(struct registry_share_params, funder),
    COLUMN(struct registry_share_params, merchant_no),
    COLUMN(struct registry_share_params, share_bp),
};
static const struct column carrier_row[] = {
    COLUMN(struct registry_carrier_row, carrier_no), COLUMN(struct registry_carrier_row, programme_no),
    COLUMN(struct registry_carrier_row, name),       COLUMN(struct registry_carrier_row, adapter),
    COLUMN(struct registry_carrier_row, base_url),
};
static const struct column carrier_params[] = {
    COLUMN(struct registry_carrier_params, carrier_id), COLUMN(struct registry_carrier_params, programme_no),
    COLUMN(struct registry_carrier_params, name),       COLUMN(struct registry_carrier_params, adapter),
    COLUMN(struct registry_carrier_params, base_url),
};
static const struct column good_id_params[] = {
    COLUMN(struct registry_good_id_params, programme_no),
    COLUMN(struct registry_good_id_params, goods_id),
};
static const struct column good_row[] = {
    COLUMN(struct registry_good_row, merchant_no), COLUMN(struct registry_good_row, carrier_no),
    COLUMN(struct registry_good_row, name),        COLUMN(struct registry_good_row, kind),
    COLUMN(struct registry_good_row, price_minor), COLUMN(struct registry_good_row, currency),
};
static const struct column good_params[] = {
    COLUMN(struct registry_good_params, programme_no), COLUMN(struct registry_good_params, goods_id),
    COLUMN(struct registry_good_params, merchant_no),  COLUMN(struct registry_good_params, name),
    COLUMN(struct registry_good_params, kind),         COLUMN(struct registry_good_params, price_minor),
    COLUMN(struct registry_good_params, currency),     COLUMN(struct registry_good_params, carrier_no),
};

const struct statement registry_lock = {
    "registry_lock",
    "SELECT buckets, reference_version FROM installation FOR UPDATE",
    NULL,
    0,
    version_row,
    COUNT(version_row),
    sizeof(struct registry_version_row),
};
const struct statement registry_bump = {
    "registry_bump",
    "UPDATE installation SET reference_version = reference_version + 1 RETURNING buckets, "
    "reference_version",
    NULL,
    0,
    version_row,
    COUNT(version_row),
    sizeof(struct registry_version_row),
};
const struct statement registry_bump_fences = COMMAND_STATEMENT(
    "registry_bump_fences",
    "WITH fences AS (SELECT programme_no FROM fence WHERE bucket = $1 ORDER BY programme_no FOR UPDATE) "
    "UPDATE fence f SET reference_version = $2 FROM fences WHERE f.bucket = $1 AND f.programme_no = "
    "fences.programme_no",
    fence_params);
const struct statement registry_find_programme = STATEMENT(
    "registry_find_programme",
    "SELECT p.programme_no, p.time_zone, p.sandbox, f.business_date, f.now AS programme_time, p.cut_off_minutes FROM "
    "programme p JOIN (SELECT programme_no, min(business_date) AS business_date, CASE WHEN "
    "min(test_clock) = 'epoch' THEN clock_timestamp() ELSE min(test_clock) END AS now FROM fence GROUP BY "
    "programme_no) f ON f.programme_no = p.programme_no WHERE p.programme_id = $1",
    id_params, programme_row, sizeof(struct registry_programme_row));
const struct statement registry_find_zone =
    STATEMENT("registry_find_zone", "SELECT EXISTS (SELECT FROM pg_timezone_names WHERE name = $1) AS known", id_params,
              zone_row, sizeof(struct registry_zone_row));
const struct statement registry_day_in_zone =
    STATEMENT("registry_day_in_zone",
              "SELECT ((CASE WHEN $2 = 'epoch'::timestamptz THEN now() ELSE $2 END - $3 * interval '1 minute') AT TIME "
              "ZONE $1)::date AS day",
              day_params, day_row, sizeof(struct registry_day_row));
const struct statement registry_midnight_in_zone = STATEMENT(
    "registry_midnight_in_zone", "SELECT $2::timestamp AT TIME ZONE $1 + $3 * interval '1 minute' AS midnight",
    midnight_params, midnight_row, sizeof(struct registry_midnight_row));
const struct statement registry_add_programme =
    STATEMENT("registry_add_programme",
              "INSERT INTO programme (programme_id, time_zone, sandbox, cut_off_minutes) VALUES ($1, $2, $3, $4) "
              "RETURNING programme_no "
              "AS no",
              new_programme_params, number_row, sizeof(struct registry_number_row));
const struct statement registry_add_fence = COMMAND_STATEMENT(
    "registry_add_fence",
    "INSERT INTO fence (bucket, programme_no, business_date, test_clock, reference_version) VALUES ($1, "
    "$2, $3, $4, $5)",
    new_fence_params);
const struct statement registry_open_months = COMMAND_STATEMENT(
    "registry_open_months",
    "SELECT journal_open_month(($1 + make_interval(months => i))::date) FROM generate_series(0, $2 - 1) i",
    months_params);
const struct statement registry_lock_clock =
    STATEMENT("registry_lock_clock", "SELECT test_clock FROM fence WHERE bucket = 0 AND programme_no = $1 FOR UPDATE",
              no_params, clock_row, sizeof(struct registry_clock_row));
const struct statement registry_set_clock = COMMAND_STATEMENT(
    "registry_set_clock", "UPDATE fence SET test_clock = $3 WHERE bucket = $1 AND programme_no = $2", clock_params);
const struct statement registry_now =
    STATEMENT("registry_now",
              "SELECT min(business_date) AS business_date, CASE WHEN min(test_clock) = 'epoch' THEN "
              "clock_timestamp() ELSE min(test_clock) END AS now FROM fence WHERE programme_no = $1",
              no_params, now_row, sizeof(struct registry_now_row));
const struct statement registry_find_bank =
    STATEMENT("registry_find_bank", "SELECT bank_no, programme_no, name FROM bank WHERE bank_id = $1", id_params,
              bank_row, sizeof(struct registry_bank_row));
const struct statement registry_add_bank = COMMAND_STATEMENT(
    "registry_add_bank", "INSERT INTO bank (bank_id, programme_no, name) VALUES ($1, $2, $3)", new_bank_params);
const struct statement registry_find_rules =
    STATEMENT("registry_find_rules",
              "SELECT version, version AS standing, effective_from, content_hash FROM exchange_rules "
              "WHERE bank_no = $1 AND request_id = $2",
              version_params, published_row, sizeof(struct registry_published_row));
const struct statement registry_find_terms =
    STATEMENT("registry_find_terms",
              "SELECT version, version AS standing, effective_from, content_hash FROM terms "
              "WHERE merchant_no = $1 AND request_id = $2",
              version_params, published_row, sizeof(struct registry_published_row));
const struct statement registry_last_rules =
    STATEMENT("registry_last_rules",
              "SELECT max(version) AS version, coalesce(max(version) FILTER (WHERE NOT cancelled), 0) AS standing, "
              "coalesce(max(effective_from) FILTER (WHERE NOT cancelled), '0001-01-01Z') AS effective_from, ''::bytea "
              "AS content_hash FROM exchange_rules WHERE bank_no = $1 "
              "HAVING count(*) > 0",
              no_params, published_row, sizeof(struct registry_published_row));
const struct statement registry_last_terms =
    STATEMENT("registry_last_terms",
              "SELECT version, version AS standing, effective_from, content_hash FROM terms "
              "WHERE merchant_no = $1 ORDER BY version DESC LIMIT 1",
              no_params, published_row, sizeof(struct registry_published_row));
const struct statement registry_add_rules = COMMAND_STATEMENT(
    "registry_add_rules",
    "INSERT INTO exchange_rules (bank_no, version, effective_from, minimum_points, expiry_months, "
    "reinstate_grace_days, accrual_num, accrual_den, request_id, content_hash, expiry_kind, expiry_month, expiry_day, "
    "pending_days, member_window_us, member_max_holds, member_max_points, card_window_us, card_max_holds, "
    "card_max_points) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, "
    "$20)",
    rules_params);
const struct statement registry_add_rate =
    COMMAND_STATEMENT("registry_add_rate",
                      "INSERT INTO exchange_rate (bank_no, version, currency, conversion_num, conversion_den, "
                      "settlement_num, settlement_den) VALUES ($1, $2, $3, $4, $5, $6, $7)",
                      rate_params);
const struct statement registry_add_cap =
    COMMAND_STATEMENT("registry_add_cap",
                      "INSERT INTO exchange_cap (bank_no, version, tier, per_redemption, per_day, per_month) "
                      "VALUES ($1, $2, $3, $4, $5, $6)",
                      cap_params);
const struct statement registry_add_tier_limit = COMMAND_STATEMENT(
    "registry_add_tier_limit",
    "INSERT INTO exchange_tier_limit (bank_no, version, tier, points) VALUES ($1, $2, $3, $4)", tier_limit_params);
const struct statement registry_find_merchant =
    STATEMENT("registry_find_merchant", "SELECT merchant_no, content_hash FROM merchant WHERE merchant_id = $1",
              id_params, merchant_row, sizeof(struct registry_merchant_row));
const struct statement registry_add_merchant =
    STATEMENT("registry_add_merchant",
              "INSERT INTO merchant (merchant_id, programme_no, name, webhook_url, webhook_secret, webhook_enabled, "
              "content_hash) VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING merchant_no AS no",
              merchant_params, number_row, sizeof(struct registry_number_row));
const struct statement registry_add_stores =
    COMMAND_STATEMENT("registry_add_stores",
                      "INSERT INTO store (merchant_no, store_id, name) SELECT $1, s.store_id, s.name FROM "
                      "unnest($2::text[], $3::text[]) s (store_id, name)",
                      stores_params);
const struct statement registry_add_terms =
    COMMAND_STATEMENT("registry_add_terms",
                      "INSERT INTO terms (merchant_no, version, effective_from, commission_bp, currency, request_id, "
                      "content_hash, terminal_window_us, terminal_max_holds, terminal_max_points, merchant_window_us, "
                      "merchant_max_holds, merchant_max_points, category) "
                      "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
                      terms_params);
const struct statement registry_list_merchants =
    STATEMENT("registry_list_merchants",
              "SELECT m.merchant_no, m.merchant_id, m.name, m.webhook_url, (SELECT count(*) FROM store s WHERE "
              "s.merchant_no = m.merchant_no) AS store_count FROM merchant m WHERE m.programme_no = $1 AND "
              "m.merchant_id COLLATE \"C\" > $2 ORDER BY m.merchant_id COLLATE \"C\" LIMIT $3",
              page_params, merchant_page_row, sizeof(struct registry_merchant_page_row));
const struct statement registry_list_stores =
    STATEMENT("registry_list_stores",
              "SELECT merchant_no, store_id, name FROM store WHERE merchant_no = ANY ($1::int8[]) "
              "ORDER BY merchant_no, store_id COLLATE \"C\"",
              merchants_only, store_row, sizeof(struct registry_store_row));
const struct statement registry_list_terms = STATEMENT(
    "registry_list_terms",
    "SELECT DISTINCT ON (merchant_no) merchant_no, version, effective_from, commission_bp, currency, "
    "terminal_window_us, terminal_max_holds, terminal_max_points, merchant_window_us, merchant_max_holds, "
    "merchant_max_points, category FROM terms WHERE merchant_no = ANY ($1::int8[]) AND effective_from <= $2 ORDER BY "
    "merchant_no, version "
    "DESC",
    merchants_params, terms_row, sizeof(struct registry_terms_row));
const struct statement registry_find_funding = STATEMENT(
    "registry_find_funding", "SELECT funding_no, content_hash FROM funding WHERE bank_no = $1 AND funding_id = $2",
    funding_id_params, funding_row, sizeof(struct registry_funding_row));
const struct statement registry_add_funding =
    STATEMENT("registry_add_funding",
              "INSERT INTO funding (bank_no, funding_id, cost_num, cost_den, currency, content_hash) "
              "VALUES ($1, $2, $3, $4, $5, $6) RETURNING funding_no AS no",
              funding_params, number_row, sizeof(struct registry_number_row));
const struct statement registry_add_share = COMMAND_STATEMENT(
    "registry_add_share",
    "INSERT INTO funding_share (funding_no, funder, merchant_no, share_bp) VALUES ($1, $2, $3, $4)", share_params);
const struct statement registry_find_carrier =
    STATEMENT("registry_find_carrier",
              "SELECT carrier_no, programme_no, name, adapter, base_url FROM carrier WHERE carrier_id = $1", id_params,
              carrier_row, sizeof(struct registry_carrier_row));
const struct statement registry_add_carrier = COMMAND_STATEMENT(
    "registry_add_carrier",
    "INSERT INTO carrier (carrier_id, programme_no, name, adapter, base_url) VALUES ($1, $2, $3, $4, $5)",
    carrier_params);
const struct statement registry_find_good =
    STATEMENT("registry_find_good",
              "SELECT merchant_no, carrier_no, name, kind, price_minor, currency FROM goods WHERE programme_no = $1 "
              "AND goods_id = $2",
              good_id_params, good_row, sizeof(struct registry_good_row));
const struct statement registry_add_good =
    COMMAND_STATEMENT("registry_add_good",
                      "INSERT INTO goods (programme_no, goods_id, merchant_no, name, kind, price_minor, currency, "
                      "carrier_no) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
                      good_params);
