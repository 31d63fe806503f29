/*
 * reflection.h -- grpc.reflection.v1 and, under its older name, v1alpha: the contract, for tools like grpcurl.
 */
#ifndef RPC_REFLECTION_H
#define RPC_REFLECTION_H

#include "service/call.h"

extern const struct service reflection_service;

#endif
