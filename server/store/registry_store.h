/*
 * registry_store.h -- writing and listing reference data: programmes, banks, merchants, rules, terms, goods, carriers.
 *
 * Not the snapshot that decisions read (reference_store.h). Writers take registry_lock first, so that they come one
 * after another and a look-up before an insert is as good as a unique index; then registry_bump and, bucket by bucket,
 * registry_bump_fences, which waits for the batches under way; and only then ask what time it is and write.
 */
#ifndef STORE_REGISTRY_STORE_H
#define STORE_REGISTRY_STORE_H

#include "store/db.h"

/* Row of registry_lock and registry_bump (the new version). */
struct registry_version_row {
    int32_t buckets;
    int64_t reference_version;
};
struct registry_fence_params {
    int32_t bucket;
    int64_t reference_version;
};
extern const struct statement registry_lock, registry_bump, registry_bump_fences;

/* A name that is looked up: of a programme, bank, merchant, carrier or time zone. */
struct registry_id_params {
    const char *id;
};
struct registry_no_params {
    int32_t no;
};

/* Programmes. While a day is being closed its fences differ: business_date is the earliest. */
struct registry_programme_row {
    int32_t programme_no;
    const char *time_zone;
    int32_t cut_off_minutes;
    bool sandbox;
    struct date business_date;
    struct instant programme_time;
};
extern const struct statement registry_find_programme; /* registry_id_params */

struct registry_zone_row {
    bool known;
};
extern const struct statement registry_find_zone; /* registry_id_params */

/* What business day it is in the zone at that instant; instant 0 means now. */
struct registry_day_params {
    const char *time_zone;
    struct instant at;
    int32_t cut_off_minutes; /* days change so long after midnight */
};
struct registry_day_row {
    struct date day;
};
extern const struct statement registry_day_in_zone;
/* When the business day begins. */
struct registry_midnight_params {
    const char *time_zone;
    struct date day;
    int32_t cut_off_minutes;
};
struct registry_midnight_row {
    struct instant midnight;
};
extern const struct statement registry_midnight_in_zone;

struct registry_new_programme_params {
    const char *programme_id, *time_zone;
    bool sandbox;
    int32_t cut_off_minutes;
};
struct registry_number_row {
    int32_t no;
};
extern const struct statement registry_add_programme; /* returns registry_number_row */
struct registry_new_fence_params {
    int32_t bucket, programme_no;
    struct date business_date;
    struct instant test_clock; /* 0: the programme is live */
    int64_t reference_version;
};
extern const struct statement registry_add_fence;
/* Gives the journal its months, this one and `months` - 1 more; a month that cannot be had is no harm. */
struct registry_months_params {
    struct date first;
    int32_t months;
};
extern const struct statement registry_open_months;

/* The present test clock, locked in bucket 0: clocks are advanced one after another. */
struct registry_clock_row {
    struct instant test_clock;
};
extern const struct statement registry_lock_clock; /* registry_no_params */
struct registry_clock_params {
    int32_t bucket, programme_no;
    struct instant test_clock;
};
extern const struct statement registry_set_clock;
/* The programme's time after its fences are locked: clock_timestamp() or the test clock. */
struct registry_now_row {
    struct date business_date;
    struct instant now;
};
extern const struct statement registry_now; /* registry_no_params */

/* Banks and their rules. */
struct registry_bank_row {
    int32_t bank_no, programme_no;
    const char *name;
};
extern const struct statement registry_find_bank; /* registry_id_params */
struct registry_new_bank_params {
    const char *bank_id;
    int32_t programme_no;
    const char *name;
};
extern const struct statement registry_add_bank;

/* A version of rules or terms that a request made, or the newest; owner is a bank_no or merchant_no. */
struct registry_version_params {
    int32_t owner;
    struct uuid request_id;
};
struct registry_published_row {
    int32_t version;
    int32_t
        standing; /* of the newest: the newest that was not withdrawn, to which effective_from belongs; 0 for none */
    struct instant effective_from;
    struct bytes content_hash;
};
extern const struct statement registry_find_rules, registry_find_terms; /* registry_version_params */
extern const struct statement registry_last_rules, registry_last_terms; /* registry_no_params */

struct registry_rules_params {
    int32_t bank_no, version;
    struct instant effective_from;
    int64_t minimum_points;
    int32_t expiry_months, reinstate_grace_days;
    int64_t accrual_num, accrual_den;
    struct uuid request_id;
    struct bytes content_hash;
    int16_t expiry_kind;
    int32_t expiry_month, expiry_day, pending_days;
    int64_t member_window_us;
    int32_t member_max_holds;
    int64_t member_max_points, card_window_us;
    int32_t card_max_holds;
    int64_t card_max_points;
};
extern const struct statement registry_add_rules;
struct registry_cap_params {
    int32_t bank_no, version, tier;
    int64_t per_redemption, per_day, per_month;
};
extern const struct statement registry_add_cap;
struct registry_tier_limit_params {
    int32_t bank_no, version, tier;
    int64_t points;
};
extern const struct statement registry_add_tier_limit;
struct registry_rate_params {
    int32_t bank_no, version;
    const char *currency;
    int64_t conversion_num, conversion_den, settlement_num, settlement_den;
};
extern const struct statement registry_add_rate;

/* Merchants, their stores and terms. */
struct registry_merchant_row {
    int32_t merchant_no;
    struct bytes content_hash;
};
extern const struct statement registry_find_merchant; /* registry_id_params */
struct registry_merchant_params {
    const char *merchant_id;
    int32_t programme_no;
    const char *name, *webhook_url;
    struct bytes webhook_secret; /* sealed */
    bool webhook_enabled;
    struct bytes content_hash;
};
extern const struct statement registry_add_merchant; /* returns registry_number_row */
struct registry_stores_params {
    int32_t merchant_no;
    struct text_array store_ids, names;
};
extern const struct statement registry_add_stores;
struct registry_terms_params {
    int32_t merchant_no, version;
    struct instant effective_from;
    int32_t commission_bp;
    const char *currency;
    struct uuid request_id;
    struct bytes content_hash;
    int64_t terminal_window_us;
    int32_t terminal_max_holds;
    int64_t terminal_max_points, merchant_window_us;
    int32_t merchant_max_holds;
    int64_t merchant_max_points;
    int32_t category; /* 0: not known */
};
extern const struct statement registry_add_terms;

/* A page of a programme's merchants, by merchant_id in byte order. */
struct registry_page_params {
    int32_t programme_no;
    const char *after;
    int32_t limit;
};
struct registry_merchant_page_row {
    int32_t merchant_no;
    const char *merchant_id, *name, *webhook_url;
    int64_t store_count;
};
extern const struct statement registry_list_merchants;
struct registry_merchants_params {
    struct int64_array merchants;
    struct instant now;
};
/* By merchant_no, then store_id. */
struct registry_store_row {
    int32_t merchant_no;
    const char *store_id, *name;
};
extern const struct statement registry_list_stores; /* registry_merchants_params */
/* Those in force, by merchant_no. */
struct registry_terms_row {
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
extern const struct statement registry_list_terms; /* registry_merchants_params */

/* Who pays for points. Never changed; a look-up under registry_lock is as good as a unique index. */
struct registry_funding_id_params {
    int32_t bank_no;
    const char *funding_id;
};
struct registry_funding_row {
    int32_t funding_no;
    struct bytes content_hash;
};
extern const struct statement registry_find_funding; /* registry_funding_id_params */
struct registry_funding_params {
    int32_t bank_no;
    const char *funding_id;
    int64_t cost_num, cost_den;
    const char *currency;
    struct bytes content_hash;
};
extern const struct statement registry_add_funding; /* returns registry_number_row */
struct registry_share_params {
    int32_t funding_no;
    int16_t funder;
    int32_t merchant_no; /* 0 unless the funder is a merchant */
    int32_t share_bp;
};
extern const struct statement registry_add_share;

/* Carriers and goods. */
struct registry_carrier_row {
    int32_t carrier_no, programme_no;
    const char *name, *adapter, *base_url;
};
extern const struct statement registry_find_carrier; /* registry_id_params */
struct registry_carrier_params {
    const char *carrier_id;
    int32_t programme_no;
    const char *name, *adapter, *base_url;
};
extern const struct statement registry_add_carrier;
struct registry_good_id_params {
    int32_t programme_no;
    const char *goods_id;
};
struct registry_good_row {
    int32_t merchant_no, carrier_no;
    const char *name;
    int16_t kind;
    int64_t price_minor;
    const char *currency;
};
extern const struct statement registry_find_good; /* registry_good_id_params */
struct registry_good_params {
    int32_t programme_no;
    const char *goods_id;
    int32_t merchant_no;
    const char *name;
    int16_t kind;
    int64_t price_minor;
    const char *currency;
    int32_t carrier_no;
};
extern const struct statement registry_add_good;

#endif
