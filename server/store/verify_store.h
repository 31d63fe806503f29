/*
 * verify_store.h -- what a verification of the ledger reads: members, entries, redemptions, operations, accruals and
 * transfers of one bucket, each in the order of its primary key, a range at a time.
 *
 * A range is read within one snapshot (member_begin_snapshot), so that what a running server writes meanwhile is seen
 * whole or not at all. Nothing is locked.
 */
#ifndef STORE_VERIFY_STORE_H
#define STORE_VERIFY_STORE_H

#include "store/journal_read.h"

/* Each programme's earliest open business date: what is dated before it will never change. */
struct verify_programme_row {
    int32_t programme_no;
    struct date open_from;
};
extern const struct statement verify_programmes; /* no parameters */

struct verify_bucket_params {
    int32_t bucket;
};

/* Accounts after one member up to another, that one included. */
struct verify_accounts_params {
    int32_t bucket;
    struct uuid after, last;
    int32_t limit;
};
struct verify_account_row {
    struct uuid member_id;
    int32_t programme_no, bank_no;
    const char *member_ref;
    int64_t available, held, pending, credit_limit, credit_used, journal_seq;
    struct bytes chain, lots, pending_lots, holds, credit;
};
extern const struct statement verify_accounts;

/* Entries of the members after one up to another, by member and seq; of one member when `after` is just before it. */
struct verify_range_params {
    int32_t bucket;
    struct uuid after, last;
};
extern const struct statement verify_entries; /* returns journal_row */

/* Rows by name. */
struct verify_ids_params {
    int32_t bucket;
    struct uuid_array ids;
};
struct verify_redemption_row {
    struct uuid id, member_id;
    int16_t state;
    int64_t points, confirmed_points, reversed_points;
    int64_t gross_minor, commission_minor, reversed_gross_minor, reversed_commission_minor;
    int64_t draw_credit, drawn; /* what could still go back: on credit, and of lots */
    int64_t cash_minor;         /* beside all its points */
};
extern const struct statement verify_redemptions;
struct verify_operation_row {
    struct uuid id, member_id;
    int16_t kind;
    const char *reason;
    int64_t points, gross_minor, commission_minor, cash_minor;
};
extern const struct statement verify_operations;
struct verify_accrual_row {
    struct uuid id, member_id;
    int64_t points;
};
extern const struct statement verify_accruals;

/* Rows that a journal entry must stand behind, by id: redemptions that were not refused, operations that moved points.
 */
struct verify_walk_params {
    int32_t bucket;
    struct uuid after;
    int32_t limit;
};
struct verify_walk_row {
    struct uuid id, member_id;
    int32_t programme_no, bank_no; /* 0 when the row does not say */
    struct date business_date;
    bool wanted; /* there must be an entry */
};
extern const struct statement verify_walk_redemptions, verify_walk_operations;
/* Which of them have one: entries of these members between two days that name one of these as redemption or cause. */
struct verify_booked_params {
    int32_t bucket;
    struct uuid_array members;
    struct date first, last;
};
struct verify_booked_row {
    struct uuid ref, redemption_id;
};
extern const struct statement verify_booked;
/* Accruals are named by hashes, so a range of them is spread over all days: each is looked up by itself. */
struct verify_accrual_walk_row {
    struct uuid id, member_id;
    int32_t bank_no;
    bool booked;
};
extern const struct statement verify_walk_accruals; /* verify_walk_params */

struct verify_transfer_row {
    struct uuid id, from_member_id, to_member_id;
    int32_t programme_no, bank_no;
    int16_t state; /* enum transfer_state */
    struct bytes lots, pending_lots;
    int64_t credit;
};
extern const struct statement verify_walk_transfers; /* verify_walk_params */
/* What a member's entries with that cause moved, by kind and day. */
struct verify_moved_params {
    int32_t bucket;
    struct uuid member_id, ref;
};
struct verify_moved_row {
    int16_t kind;
    struct date business_date;
    int64_t points;
};
extern const struct statement verify_moved;

/* Seals of closed days in a bucket, all programmes. */
struct verify_seal_row {
    int32_t programme_no;
    struct date business_date;
    int64_t entry_count, points;
    struct bytes hash;
};
extern const struct statement verify_seals; /* verify_bucket_params */

/* Whose row that is. */
struct verify_member_params {
    int32_t bucket;
    struct uuid member_id;
};
struct verify_member_row {
    int32_t programme_no, bank_no;
    const char *member_ref;
};
extern const struct statement verify_member;

#endif
