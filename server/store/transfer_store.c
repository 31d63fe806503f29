#include "store/transfer_store.h"

static const struct column open_params[] = {
    COLUMN(struct transfer_open_params, bucket),   COLUMN(struct transfer_open_params, older_than_us),
    COLUMN(struct transfer_open_params, after_at), COLUMN(struct transfer_open_params, after_id),
    COLUMN(struct transfer_open_params, limit),
};
static const struct column open_row[] = {
    COLUMN(struct transfer_open_row, id),           COLUMN(struct transfer_open_row, programme_no),
    COLUMN(struct transfer_open_row, bank_no),      COLUMN(struct transfer_open_row, from_member_id),
    COLUMN(struct transfer_open_row, to_member_id), COLUMN(struct transfer_open_row, merge),
    COLUMN(struct transfer_open_row, lots),         COLUMN(struct transfer_open_row, pending_lots),
    COLUMN(struct transfer_open_row, credit),       COLUMN(struct transfer_open_row, status_before),
    COLUMN(struct transfer_open_row, sent_at),      COLUMN(struct transfer_open_row, to_member_ref),
    COLUMN(struct transfer_open_row, bank_id),      COLUMN(struct transfer_open_row, split),
};

const struct statement transfer_find_open = STATEMENT(
    "transfer_find_open",
    "SELECT t.id, t.programme_no, t.bank_no, t.from_member_id, t.to_member_id, t.merge, t.lots, t.pending_lots, "
    "t.credit, t.status_before, t.sent_at, t.to_member_ref, b.bank_id, EXISTS (SELECT FROM transfer_split s "
    "WHERE s.bucket = t.bucket AND s.id = t.id) AS split FROM transfer t JOIN bank b ON b.bank_no = t.bank_no "
    "WHERE t.bucket = $1 AND t.state = 1 AND t.sent_at <= now() - $2 * interval '1 microsecond' "
    "AND (t.sent_at, t.id) > ($3, $4) ORDER BY t.sent_at, t.id LIMIT $5",
    open_params, open_row, sizeof(struct transfer_open_row));

static const struct column split_params[] = { COLUMN(struct transfer_split_params, bucket),
                                              COLUMN(struct transfer_split_params, id) };
static const struct column split_row[] = {
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
};
const struct statement transfer_find_split =
    STATEMENT("transfer_find_split",
              "SELECT changed_by, tier, by_tier, credit_limit, temporary_points, temporary_first, temporary_last, "
              "card_tokens, facts, sealed, phone_mac, email_mac, profile_hash FROM transfer_split "
              "WHERE bucket = $1 AND id = $2",
              split_params, split_row, sizeof(struct split_row));
