#include "store/reference_store.h"

#define READ(name, sql, columns, type)                                                                                 \
    {                                                                                                                  \
        name, sql, NULL, 0, columns, COUNT(columns), sizeof(type)                                                      \
    }

static const struct column installation_columns[] = { COLUMN(struct installation_row, buckets),
                                                      COLUMN(struct installation_row, reference_version) };
const struct statement reference_installation =
    READ("reference_installation", "SELECT buckets, reference_version FROM installation", installation_columns,
         struct installation_row);

static const struct column programme_columns[] = {
    COLUMN(struct programme_row, programme_no),    COLUMN(struct programme_row, programme_id),
    COLUMN(struct programme_row, time_zone),       COLUMN(struct programme_row, sandbox),
    COLUMN(struct programme_row, cut_off_minutes),
};
const struct statement reference_programmes = READ("reference_programmes",
                                                   "SELECT programme_no, programme_id, time_zone, sandbox, "
                                                   "cut_off_minutes FROM programme ORDER BY programme_id COLLATE \"C\"",
                                                   programme_columns, struct programme_row);

static const struct column bank_columns[] = {
    COLUMN(struct bank_row, bank_no), COLUMN(struct bank_row, programme_no), COLUMN(struct bank_row, bank_id),
    COLUMN(struct bank_row, name),    COLUMN(struct bank_row, has_exposure),
};
const struct statement reference_banks =
    READ("reference_banks",
         "SELECT bank_no, programme_no, bank_id, name, EXISTS (SELECT FROM exposure e WHERE e.bucket = 0 AND "
         "e.bank_no = b.bank_no) AS has_exposure FROM bank b ORDER BY bank_id COLLATE \"C\"",
         bank_columns, struct bank_row);

static const struct column funding_columns[] = {
    COLUMN(struct funding_row, bank_no),
    COLUMN(struct funding_row, funding_no),
    COLUMN(struct funding_row, funding_id),
};
const struct statement reference_fundings =
    READ("reference_fundings",
         "SELECT bank_no, funding_no, funding_id FROM funding ORDER BY bank_no, funding_id COLLATE \"C\"",
         funding_columns, struct funding_row);

static const struct column rules_columns[] = {
    COLUMN(struct rules_row, bank_no),
    COLUMN(struct rules_row, version),
    COLUMN(struct rules_row, effective_from),
    COLUMN(struct rules_row, minimum_points),
    COLUMN(struct rules_row, expiry_months),
    COLUMN(struct rules_row, reinstate_grace_days),
    COLUMN(struct rules_row, accrual_num),
    COLUMN(struct rules_row, accrual_den),
    COLUMN(struct rules_row, expiry_kind),
    COLUMN(struct rules_row, expiry_month),
    COLUMN(struct rules_row, expiry_day),
    COLUMN(struct rules_row, pending_days),
    COLUMN(struct rules_row, member_window_us),
    COLUMN(struct rules_row, member_max_holds),
    COLUMN(struct rules_row, member_max_points),
    COLUMN(struct rules_row, card_window_us),
    COLUMN(struct rules_row, card_max_holds),
    COLUMN(struct rules_row, card_max_points),
    COLUMN(struct rules_row, by_set),
};
const struct statement reference_rules =
    READ("reference_rules",
         "SELECT bank_no, version, effective_from, minimum_points, expiry_months, reinstate_grace_days, accrual_num, "
         "accrual_den, expiry_kind, expiry_month, expiry_day, pending_days, member_window_us, member_max_holds, "
         "member_max_points, card_window_us, card_max_holds, card_max_points, EXISTS (SELECT FROM rule_set r WHERE "
         "r.bank_no = e.bank_no AND r.version = e.version AND r.state = 4) AS by_set FROM exchange_rules e "
         "WHERE NOT cancelled ORDER BY bank_no, version",
         rules_columns, struct rules_row);

static const struct column cap_columns[] = {
    COLUMN(struct cap_row, bank_no),        COLUMN(struct cap_row, version), COLUMN(struct cap_row, tier),
    COLUMN(struct cap_row, per_redemption), COLUMN(struct cap_row, per_day), COLUMN(struct cap_row, per_month),
};
const struct statement reference_caps =
    READ("reference_caps",
         "SELECT bank_no, version, tier, per_redemption, per_day, per_month FROM exchange_cap "
         "ORDER BY bank_no, version, tier",
         cap_columns, struct cap_row);

static const struct column tier_limit_columns[] = {
    COLUMN(struct tier_limit_row, bank_no),
    COLUMN(struct tier_limit_row, version),
    COLUMN(struct tier_limit_row, tier),
    COLUMN(struct tier_limit_row, points),
};
const struct statement reference_tier_limits =
    READ("reference_tier_limits",
         "SELECT bank_no, version, tier, points FROM exchange_tier_limit ORDER BY bank_no, version, tier",
         tier_limit_columns, struct tier_limit_row);

static const struct column rate_columns[] = {
    COLUMN(struct rate_row, bank_no),        COLUMN(struct rate_row, version),
    COLUMN(struct rate_row, currency),       COLUMN(struct rate_row, conversion_num),
    COLUMN(struct rate_row, conversion_den), COLUMN(struct rate_row, settlement_num),
    COLUMN(struct rate_row, settlement_den),
};
const struct statement reference_rates =
    READ("reference_rates",
         "SELECT bank_no, version, currency, conversion_num, conversion_den, settlement_num, settlement_den "
         "FROM exchange_rate ORDER BY bank_no, version, currency",
         rate_columns, struct rate_row);

static const struct column rule_document_columns[] = {
    COLUMN(struct rule_document_row, bank_no),
    COLUMN(struct rule_document_row, version),
    COLUMN(struct rule_document_row, document),
};
/* State 4 is SCHEDULED, which is in force or over by time alone. A day more than needed, for a clock that is set back.
 */
const struct statement reference_rule_documents =
    READ("reference_rule_documents",
         "SELECT r.bank_no, r.version, r.document FROM rule_set r JOIN bank b USING (bank_no) WHERE r.state = 4 AND "
         "r.effective_from >= COALESCE((SELECT max(e.effective_from) FROM exchange_rules e WHERE e.bank_no = r.bank_no "
         "AND NOT e.cancelled AND e.effective_from <= (SELECT min(CASE WHEN f.test_clock = 'epoch' THEN now() ELSE "
         "f.test_clock END) FROM fence f WHERE f.programme_no = b.programme_no) - interval '1 day'), 'epoch') ORDER BY "
         "r.bank_no, r.version",
         rule_document_columns, struct rule_document_row);

static const struct column merchant_columns[] = {
    COLUMN(struct merchant_row, merchant_no), COLUMN(struct merchant_row, programme_no),
    COLUMN(struct merchant_row, merchant_id), COLUMN(struct merchant_row, name),
    COLUMN(struct merchant_row, has_webhook),
};
const struct statement reference_merchants =
    READ("reference_merchants",
         "SELECT merchant_no, programme_no, merchant_id, name, webhook_enabled AS has_webhook FROM merchant "
         "ORDER BY merchant_id COLLATE \"C\"",
         merchant_columns, struct merchant_row);

static const struct column store_columns[] = { COLUMN(struct store_row, merchant_no),
                                               COLUMN(struct store_row, store_no), COLUMN(struct store_row, store_id) };
const struct statement reference_stores =
    READ("reference_stores",
         "SELECT merchant_no, store_no, store_id FROM store ORDER BY merchant_no, store_id COLLATE \"C\"",
         store_columns, struct store_row);

static const struct column terms_columns[] = {
    COLUMN(struct terms_row, merchant_no),
    COLUMN(struct terms_row, version),
    COLUMN(struct terms_row, effective_from),
    COLUMN(struct terms_row, commission_bp),
    COLUMN(struct terms_row, currency),
    COLUMN(struct terms_row, terminal_window_us),
    COLUMN(struct terms_row, terminal_max_holds),
    COLUMN(struct terms_row, terminal_max_points),
    COLUMN(struct terms_row, merchant_window_us),
    COLUMN(struct terms_row, merchant_max_holds),
    COLUMN(struct terms_row, merchant_max_points),
    COLUMN(struct terms_row, category),
};
const struct statement reference_terms =
    READ("reference_terms",
         "SELECT merchant_no, version, effective_from, commission_bp, currency, terminal_window_us, "
         "terminal_max_holds, terminal_max_points, merchant_window_us, merchant_max_holds, merchant_max_points, "
         "category FROM terms ORDER BY merchant_no, version",
         terms_columns, struct terms_row);

static const struct column goods_columns[] = {
    COLUMN(struct goods_row, goods_no),    COLUMN(struct goods_row, programme_no),
    COLUMN(struct goods_row, merchant_no), COLUMN(struct goods_row, carrier_no),
    COLUMN(struct goods_row, goods_id),    COLUMN(struct goods_row, kind),
    COLUMN(struct goods_row, price_minor), COLUMN(struct goods_row, currency),
};
const struct statement reference_goods =
    READ("reference_goods",
         "SELECT goods_no, programme_no, merchant_no, carrier_no, goods_id, kind, price_minor, currency FROM goods "
         "ORDER BY programme_no, goods_id COLLATE \"C\"",
         goods_columns, struct goods_row);
