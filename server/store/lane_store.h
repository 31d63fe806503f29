/*
 * lane_store.h -- the rows a lane loads and writes, and the statements that do it.
 *
 * Load statements run inside the batch's transaction in the order they stand here: the fence first, then the accounts
 * (locked in member order), then, as later statements with fresh snapshots, what the accounts' locks protect.
 */
#ifndef STORE_LANE_STORE_H
#define STORE_LANE_STORE_H

#include "store/db.h"

struct fence_params {
    int32_t bucket;
    struct int64_array programmes;
};
struct fence_row {
    int32_t programme_no;
    struct date business_date;
    struct instant now; /* programme time */
    int64_t reference_version;
};
extern const struct statement lane_load_fences;

/* Accounts of these members, and of the members these redemptions belong to; locked. */
struct accounts_params {
    int32_t bucket;
    struct uuid_array members, redemptions;
};
struct account_row {
    struct uuid member_id;
    int32_t programme_no, bank_no;
    const char *member_ref;
    int16_t status, tier;
    int64_t available, held, pending, expired, credit_limit, credit_used;
    struct date counted_on;
    int64_t day_points, month_points;
    struct date next_due;
    int64_t journal_seq;
    struct bytes chain, profile_hash;
    struct bytes lots, pending_lots, holds, recent, credit; /* domain/packed.h */
    struct date tier_due;                                   /* 1970-01-01: no day */
    struct place place; /* where the locked row lies: it is found again without an index */
};
extern const struct statement lane_load_accounts;

struct ids_params {
    int32_t bucket;
    struct uuid_array ids;
};
struct redemption_row {
    struct uuid id, member_id;
    int32_t programme_no, bank_no, merchant_no, store_no;
    const char *terminal_id;
    struct bytes content_hash;
    const char *reason;
    int16_t state;
    int64_t points, confirmed_points, reversed_points;
    const char *currency;
    int64_t gross_minor, commission_minor, reversed_gross_minor, reversed_commission_minor;
    int32_t rules_version, terms_version, goods_no;
    int64_t quantity;
    struct bytes ship_to;
    int64_t spendable_after;
    struct date business_date;
    struct instant held_at, lapse_at;
    int64_t draw_credit;
    struct bytes draws, lines; /* domain/packed.h */
    int64_t card, lapse_after_us;
    bool one_step;
    const char *exposure_currency;
    int64_t exposure_minor, price_minor;
    const char *price_currency;
    int64_t cash_minor;
};
/* ship_to is not loaded. */
extern const struct statement lane_load_redemptions;

struct operation_row {
    struct uuid id, member_id, redemption_id;
    int16_t kind;
    struct bytes content_hash;
    const char *reason;
    int16_t state_after;
    int64_t points, spendable_after;
    const char *currency;
    int64_t gross_minor, commission_minor;
    struct date business_date;
    struct instant at;
    struct instant lapse_at; /* of an extended hold */
    int64_t cash_minor;
};
extern const struct statement lane_load_operations;

struct accrual_row {
    struct uuid id, member_id;
    int32_t bank_no;
    const char *transaction_ref;
    struct bytes content_hash;
    int64_t amount_minor;
    const char *currency;
    struct instant transaction_time;
    int64_t points;
    int32_t rules_version;
    struct date business_date;
    struct instant at;
    int64_t clawed_points, pending_points;
    struct date lot_expires, matures_on; /* 1970-01-01: none, or not known */
    int32_t funding_no;
    int64_t reversed_minor; /* of amount_minor */
    bool fixed_points;
    int32_t category; /* 0: not known */
    const char *place, *merchant_id, *channel;
    int64_t paid_with_points_minor;
    struct date spent_on; /* 1970-01-01: not asked for */
    int16_t tier;
    const char *earn_rule;    /* "": none of a rule set */
    int64_t qualifying_minor; /* of amount_minor, that counted for the tier */
};
/* What a reversal, a clawback or a repeat needs to know; the rest is zero. */
extern const struct statement lane_load_accruals;

struct transfer_row {
    struct uuid id;
    int32_t programme_no, bank_no;
    struct uuid from_member_id, to_member_id;
    const char *to_member_ref;
    bool merge;
    struct bytes lots, pending_lots;
    int64_t credit;
    int16_t status_before, state; /* state: enum transfer_state */
    const char *reason;
    bool split; /* and the rest only then: there is a row of transfer_split */
    struct bytes hash_before, left_hash;
};
enum transfer_state { TRANSFER_SENT = 1, TRANSFER_RECEIVED = 2, TRANSFER_GIVEN_BACK = 3 };
extern const struct statement lane_load_transfers;
extern const struct statement lane_load_open_splits; /* ids_params, of members that give */

/* What makes the receiver of a split, and what the giver's profile is to be; gone when the transfer is over. */
struct split_row {
    struct uuid id;
    const char *changed_by;
    int16_t tier;
    bool by_tier;
    int64_t credit_limit, temporary_points;
    struct date temporary_first, temporary_last;
    struct text_array card_tokens;
    const char *facts;
    struct bytes sealed, phone_mac, email_mac, profile_hash, hash_before, left_sealed, left_hash;
};
/* A split that is over. received: the cards leave the giver's profile; same: that is as it was when it began. */
struct split_end_row {
    struct uuid id, member_id;
    bool received, same;
};

/* Parts of exposure limits, locked: those in this bucket, and all of the banks that are needed. */
struct exposures_params {
    int32_t bucket;
    struct int64_array banks, needed;
};
struct exposure_row {
    int32_t bucket, bank_no;
    const char *currency;
    int64_t limit_minor, allotted_minor, used_minor;
};
extern const struct statement lane_load_exposures;

struct profile_row {
    struct uuid member_id;
    struct text_array card_tokens;
    const char *facts;
    struct bytes sealed, phone_mac, email_mac;
};
/* One row of the audit log; texts are MemberFacts as JSON. */
struct change_row {
    struct uuid member_id;
    int64_t seq;
    int32_t bank_no;
    struct instant at;
    struct date business_date;
    const char *changed_by;
    int64_t batch_number;
    const char *account_before, *account_after;
    /* When not known, profile_before and sealed_before are what the database has, if profile_after says something. */
    bool profile_known;
    const char *profile_before, *profile_after;
    struct bytes sealed_before;
};
struct outbox_row {
    struct uuid id;
    int16_t topic; /* enum outbox_topic */
    int32_t programme_no, merchant_no;
    struct uuid redemption_id;
};
enum outbox_topic { OUTBOX_WEBHOOK = 1, OUTBOX_SHIPMENT = 2 };

struct journal_row {
    struct uuid member_id;
    int64_t seq;
    struct date business_date;
    struct instant at;
    int16_t kind;
    int64_t points, available_after, held_after, credit_used_after, credit_limit_after;
    struct uuid ref, redemption_id;
    int32_t programme_no, bank_no, merchant_no, store_no, rules_version, terms_version;
    const char *currency;
    int64_t gross_minor, commission_minor;
    struct bytes hash;
    int64_t pending_after;
    struct bytes lots;
};

/* Every write statement: the bucket and one array of records. */
struct write_params {
    int32_t bucket;
    struct record_array rows;
};
extern const struct statement lane_insert_accounts, lane_update_accounts, lane_put_profiles, lane_insert_changes,
    lane_insert_redemptions, lane_update_redemptions, lane_insert_operations, lane_insert_accruals,
    lane_update_accruals, lane_insert_journal, lane_insert_outbox, lane_insert_transfers, lane_update_transfers,
    lane_update_exposures, lane_insert_splits;

/* What is personal of these members; ids_params. */
extern const struct statement lane_erase_log, lane_erase_profiles;
/* Likewise: addresses, but for those that a parcel still has to find. */
extern const struct statement lane_erase_addresses;
/* profile_after of an erasure until lane_erase_log has said what is left. */
#define ERASED_PROFILE "erased"

/* Splits that are over, rows of split_end_row: the givers' profiles, then the log of it, then the rows go. */
extern const struct statement lane_split_profiles, lane_split_log, lane_delete_splits;
/* profile_after of a split until lane_split_log has said what is left. */
#define SPLIT_PROFILE "split"

/* Overdue holds of a bucket by the clocks of its programmes, oldest first. */
struct overdue_params {
    int32_t bucket;
    int64_t limit;
};
struct overdue_row {
    struct uuid id, member_id;
    int32_t programme_no, bank_no;
};
extern const struct statement lane_find_overdue;

extern const struct statement lane_begin, lane_commit;

/* Everything a lane sends in a pipeline. */
extern const struct statement *const lane_statements[];
extern const size_t lane_statement_count;
/* Planner settings of a lane's connection: plans are made once, for index look-ups. */
extern const char lane_session_sql[];

#endif
