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
    COLUMN(struct transfer_open_row, sent_at),
};

const struct statement transfer_find_open =
    STATEMENT("transfer_find_open",
              "SELECT id, programme_no, bank_no, from_member_id, to_member_id, merge, lots, pending_lots, credit, "
              "status_before, sent_at FROM transfer WHERE bucket = $1 AND state = 1 AND sent_at <= now() - $2 * "
              "interval '1 microsecond' AND (sent_at, id) > ($3, $4) ORDER BY sent_at, id LIMIT $5",
              open_params, open_row, sizeof(struct transfer_open_row));
