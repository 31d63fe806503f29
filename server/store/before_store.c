#include "store/before_store.h"

/* In the order of the composite type roster_before_write. */
static const struct column before_columns[] = {
    COLUMN(struct before_row, bank_no),       COLUMN(struct before_row, member_id),
    COLUMN(struct before_row, batch_number),  COLUMN(struct before_row, seq),
    COLUMN(struct before_row, was_there),     COLUMN(struct before_row, status),
    COLUMN(struct before_row, tier),          COLUMN(struct before_row, credit_limit),
    COLUMN(struct before_row, credit),        COLUMN(struct before_row, profile_hash),
    COLUMN(struct before_row, lots),          COLUMN(struct before_row, pending_lots),
    COLUMN(struct before_row, marks),         COLUMN(struct before_row, profile_changed),
    COLUMN(struct before_row, profile_known), COLUMN(struct before_row, card_tokens),
    COLUMN(struct before_row, facts),         COLUMN(struct before_row, sealed),
    COLUMN(struct before_row, phone_mac),     COLUMN(struct before_row, email_mac),
};
static const struct record_type before_write = { "roster_before_write", before_columns, COUNT(before_columns),
                                                 sizeof(struct before_row) };
static const struct column insert_params[] = { COLUMN(struct write_params, bucket),
                                               RECORDS(struct write_params, rows, &before_write) };
/* OFFSET 0: a look-up a row that needs one, as in the log of changes. */
const struct statement lane_insert_befores = COMMAND_STATEMENT(
    "lane_insert_befores",
    "INSERT INTO roster_before (bank_no, bucket, member_id, batch_number, seq, was_there, status, tier, credit_limit, "
    "credit, profile_hash, lots, pending_lots, marks, profile_changed, card_tokens, facts, sealed, phone_mac, "
    "email_mac) SELECT u.bank_no, $1, u.member_id, u.batch_number, u.seq, u.was_there, u.status, u.tier, "
    "u.credit_limit, u.credit, u.profile_hash, u.lots, u.pending_lots, u.marks, u.profile_changed, "
    "coalesce(p.card_tokens, u.card_tokens), coalesce(p.facts, u.facts), coalesce(p.sealed, u.sealed), "
    "coalesce(p.phone_mac, u.phone_mac), coalesce(p.email_mac, u.email_mac) "
    "FROM unnest($2::roster_before_write[]) u LEFT JOIN LATERAL (SELECT card_tokens, facts, sealed, phone_mac, "
    "email_mac FROM member_profile WHERE u.profile_changed AND NOT u.profile_known AND bucket = $1 "
    "AND member_id = u.member_id OFFSET 0) p ON true ON CONFLICT DO NOTHING",
    insert_params);

static const struct column ids_params[] = { COLUMN(struct ids_params, bucket), COLUMN(struct ids_params, ids) };
const struct statement lane_erase_befores =
    COMMAND_STATEMENT("lane_erase_befores",
                      "UPDATE roster_before b SET sealed = '', phone_mac = '', email_mac = '' FROM account a WHERE "
                      "a.bucket = $1 AND a.member_id = ANY ($2) AND b.bank_no = a.bank_no AND b.bucket = $1 "
                      "AND b.member_id = a.member_id",
                      ids_params);

static const struct column drop_params[] = { COLUMN(struct befores_drop_params, bank_no),
                                             COLUMN(struct befores_drop_params, batch_number),
                                             COLUMN(struct befores_drop_params, limit) };
const struct statement befores_drop = COMMAND_STATEMENT(
    "befores_drop",
    "DELETE FROM roster_before WHERE ctid = ANY (ARRAY(SELECT ctid FROM roster_before WHERE bank_no = $1 "
    "AND batch_number < $2 LIMIT $3))",
    drop_params);
