/*
 * reference_store.h -- all reference data as rows, for one snapshot. Read inside one transaction (REPEATABLE READ).
 */
#ifndef STORE_REFERENCE_STORE_H
#define STORE_REFERENCE_STORE_H

#include "store/db.h"

struct installation_row {
    int32_t buckets;
    int64_t reference_version;
};
struct programme_row {
    int32_t programme_no;
    const char *programme_id, *time_zone;
    bool sandbox;
    int32_t cut_off_minutes;
};
struct bank_row {
    int32_t bank_no, programme_no;
    const char *bank_id, *name;
    bool has_exposure;
};
struct funding_row {
    int32_t bank_no, funding_no;
    const char *funding_id;
};
struct rules_row {
    int32_t bank_no, version;
    struct instant effective_from;
    int64_t minimum_points;
    int32_t expiry_months, reinstate_grace_days;
    int64_t accrual_num, accrual_den;
    int16_t expiry_kind;
    int32_t expiry_month, expiry_day, pending_days;
    int64_t member_window_us;
    int32_t member_max_holds;
    int64_t member_max_points, card_window_us;
    int32_t card_max_holds;
    int64_t card_max_points;
    bool by_set; /* stands for a rule set */
};
struct cap_row {
    int32_t bank_no, version, tier;
    int64_t per_redemption, per_day, per_month;
};
struct tier_limit_row {
    int32_t bank_no, version, tier;
    int64_t points;
};
struct rate_row {
    int32_t bank_no, version;
    const char *currency;
    int64_t conversion_num, conversion_den, settlement_num, settlement_den;
};
/* The rule sets that are or will be in force; older ones decide nothing any more. */
struct rule_document_row {
    int32_t bank_no, version;
    struct bytes document;
};
struct merchant_row {
    int32_t merchant_no, programme_no;
    const char *merchant_id, *name;
    bool has_webhook;
};
struct store_row {
    int32_t merchant_no, store_no;
    const char *store_id;
};
struct terms_row {
    int32_t merchant_no, version;
    struct instant effective_from;
    int32_t commission_bp;
    const char *currency;
    int64_t terminal_window_us;
    int32_t terminal_max_holds;
    int64_t terminal_max_points, merchant_window_us;
    int32_t merchant_max_holds;
    int64_t merchant_max_points;
    int32_t category; /* 0: not known */
};
struct goods_row {
    int32_t goods_no, programme_no, merchant_no, carrier_no;
    const char *goods_id;
    int16_t kind;
    int64_t price_minor;
    const char *currency;
};

/*
 * Programmes, banks, merchants and goods come ordered by id; what belongs to them by their number, then version or id
 * (caps and tier limits: version and tier).
 */
extern const struct statement reference_installation, reference_programmes, reference_banks, reference_fundings,
    reference_rules, reference_caps, reference_tier_limits, reference_rates, reference_merchants, reference_stores,
    reference_terms, reference_goods, reference_rule_documents;

#endif
