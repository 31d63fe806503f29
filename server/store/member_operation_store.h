/*
 * member_operation_store.h -- has this been asked before, and is the other member there: what is looked up before a
 * command on a member goes to its lane. The lane decides; this only spares it what is hopeless.
 */
#ifndef STORE_MEMBER_OPERATION_STORE_H
#define STORE_MEMBER_OPERATION_STORE_H

#include "store/db.h"

struct member_operation_params {
    int32_t bucket;
    struct uuid id; /* a request_id, or a member_id */
};
struct member_operation_row {
    bool present;
};
/* Always one row. */
extern const struct statement member_operation_exists, member_exists;

#endif
