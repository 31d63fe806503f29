#include "store/member_profile_store.h"

static const struct column key_params[] = { COLUMN(struct profile_key_params, bucket),
                                            COLUMN(struct profile_key_params, member_id) };
static const struct column found_columns[] = {
    COLUMN(struct profile_found_row, status),       COLUMN(struct profile_found_row, tier),
    COLUMN(struct profile_found_row, credit_limit), COLUMN(struct profile_found_row, card_tokens),
    COLUMN(struct profile_found_row, facts),        COLUMN(struct profile_found_row, sealed),
    COLUMN(struct profile_found_row, profile_hash),
};
const struct statement profile_find =
    STATEMENT("profile_find",
              "SELECT a.status, a.tier, a.credit_limit, coalesce(p.card_tokens, '{}') AS card_tokens, "
              "coalesce(p.facts, '') AS facts, coalesce(p.sealed, '') AS sealed, a.profile_hash FROM account a "
              "LEFT JOIN member_profile p ON p.bucket = a.bucket AND p.member_id = a.member_id "
              "WHERE a.bucket = $1 AND a.member_id = $2",
              key_params, found_columns, sizeof(struct profile_found_row));

static const struct column search_params[] = {
    COLUMN(struct profile_search_params, buckets),
    COLUMN(struct profile_search_params, mac),
    COLUMN(struct profile_search_params, bank_no),
    COLUMN(struct profile_search_params, limit),
};
static const struct column search_columns[] = { COLUMN(struct profile_search_row, member_ref) };
#define SEARCH(column)                                                                                                 \
    "SELECT a.member_ref FROM member_profile p JOIN account a ON a.bucket = p.bucket AND a.member_id = p.member_id "   \
    "WHERE p.bucket = ANY (ARRAY(SELECT generate_series(0, $1 - 1))) AND p." column " = $2 AND p." column " <> '' "    \
    "AND a.bank_no = $3 ORDER BY a.member_ref LIMIT $4"
const struct statement profile_by_phone = STATEMENT("profile_by_phone", SEARCH("phone_mac"), search_params,
                                                    search_columns, sizeof(struct profile_search_row));
const struct statement profile_by_email = STATEMENT("profile_by_email", SEARCH("email_mac"), search_params,
                                                    search_columns, sizeof(struct profile_search_row));

static const struct column changes_params[] = {
    COLUMN(struct profile_changes_params, bucket),
    COLUMN(struct profile_changes_params, member_id),
    COLUMN(struct profile_changes_params, seq),
    COLUMN(struct profile_changes_params, limit),
};
static const struct column change_columns[] = {
    COLUMN(struct profile_change_row, seq),           COLUMN(struct profile_change_row, at),
    COLUMN(struct profile_change_row, business_date), COLUMN(struct profile_change_row, changed_by),
    COLUMN(struct profile_change_row, batch_number),  COLUMN(struct profile_change_row, account_before),
    COLUMN(struct profile_change_row, account_after), COLUMN(struct profile_change_row, profile_before),
    COLUMN(struct profile_change_row, profile_after),
};
const struct statement profile_changes = STATEMENT(
    "profile_changes",
    "SELECT seq, at, business_date, changed_by, batch_number, account_before, account_after, profile_before, "
    "profile_after FROM member_change WHERE bucket = $1 AND member_id = $2 AND seq > $3 ORDER BY seq LIMIT $4",
    changes_params, change_columns, sizeof(struct profile_change_row));
