/*
 * member_profile_store.h -- what a member is beside its points, and the log of its changes, as readers see them.
 * Nothing is locked.
 */
#ifndef STORE_MEMBER_PROFILE_STORE_H
#define STORE_MEMBER_PROFILE_STORE_H

#include "store/db.h"

struct profile_key_params {
    int32_t bucket;
    struct uuid member_id;
};
struct profile_found_row {
    int16_t status, tier;
    int64_t credit_limit;
    struct text_array card_tokens;
    const char *facts; /* MemberFacts as JSON; "" for none, or when it was written before there was more than tokens */
    struct bytes sealed, profile_hash;
};
extern const struct statement profile_find; /* profile_key_params */

/* Members of one bank with that keyed hash, in order of name, up to `limit`. */
struct profile_search_params {
    int32_t buckets; /* of the installation: all are looked into */
    struct bytes mac;
    int32_t bank_no, limit;
};
struct profile_search_row {
    const char *member_ref;
};
extern const struct statement profile_by_phone, profile_by_email; /* profile_search_params */

/* Up to `limit` changes after seq, oldest first. */
struct profile_changes_params {
    int32_t bucket;
    struct uuid member_id;
    int64_t seq;
    int32_t limit;
};
struct profile_change_row {
    int64_t seq;
    struct instant at;
    struct date business_date;
    const char *changed_by;
    int64_t batch_number;
    const char *account_before, *account_after, *profile_before, *profile_after; /* as member_change has them */
};
extern const struct statement profile_changes; /* profile_changes_params */

#endif
