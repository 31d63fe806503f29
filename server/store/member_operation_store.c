#include "store/member_operation_store.h"

static const struct column params[] = {
    COLUMN(struct member_operation_params, bucket),
    COLUMN(struct member_operation_params, id),
};
static const struct column row[] = {
    COLUMN(struct member_operation_row, present),
};

const struct statement member_operation_exists = STATEMENT(
    "member_operation_exists", "SELECT EXISTS (SELECT FROM operation WHERE bucket = $1 AND id = $2) AS present", params,
    row, sizeof(struct member_operation_row));
const struct statement member_exists =
    STATEMENT("member_exists", "SELECT EXISTS (SELECT FROM account WHERE bucket = $1 AND member_id = $2) AS present",
              params, row, sizeof(struct member_operation_row));
