/*
 * adjustment_store.h -- corrections by hand: who asked for what and why, and who agreed. Rows live in the member's
 * bucket and are never deleted.
 */
#ifndef STORE_ADJUSTMENT_STORE_H
#define STORE_ADJUSTMENT_STORE_H

#include "store/db.h"

struct adjustment_params {
    int32_t bucket;
    struct uuid id, member_id;
    int32_t programme_no, bank_no;
    const char *member_ref;
    int64_t points;
    const char *reason_code, *note;
    int32_t funding_no;
    struct bytes content_hash;
    int16_t state; /* AdjustmentState of operator_service.proto */
    const char *proposed_by;
};
/* Does nothing when the id is there. */
extern const struct statement adjustment_add;

struct adjustment_id_params {
    int32_t bucket;
    struct uuid id;
};
struct adjustment_row {
    struct uuid member_id;
    int64_t points;
    int32_t funding_no;
    struct bytes content_hash;
    int16_t state;
    const char *proposed_by, *approved_by;
};
extern const struct statement adjustment_find; /* adjustment_id_params */

/* WAITING -> APPROVED; one approver wins. */
struct adjustment_approve_params {
    int32_t bucket;
    struct uuid id;
    const char *approved_by;
};
extern const struct statement adjustment_approve;
/* APPROVED -> DONE or REFUSED. */
struct adjustment_end_params {
    int32_t bucket;
    struct uuid id;
    int16_t state;
};
extern const struct statement adjustment_end;

#endif
