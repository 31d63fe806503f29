/*
 * status.h -- a struct error as gRPC sends it: code, message, and google.rpc.Status in grpc-status-details-bin.
 *
 * Its size is bounded by struct error's own members: below 2 kB, well under what clients accept as metadata.
 */
#ifndef RPC_STATUS_H
#define RPC_STATUS_H

#include "base/error.h"

#include <grpc/grpc.h>

struct rpc_status {
    grpc_status_code code;
    grpc_slice message;
    bool detailed;         /* there is a trailer */
    grpc_metadata details; /* the trailer */
};

/* err NULL means OK. Released by rpc_status_release once the batch has started. */
struct rpc_status rpc_status_of(const struct error *err);
void rpc_status_release(struct rpc_status *status);

#endif
