/*
 * roster_service.c -- RosterService: who may call what. A bank acts for itself only.
 */
#include "service/roster_shape.h"
#include "service/services.h"

static const struct method methods[] = {
    /* rpc name               who may call               handler */
    { "PushRoster", ROLE_BANK, roster_push, roster_push_close },
    { "GetRosterBatch", ROLE_BANK | ROLE_OPERATOR, roster_get, NULL },
    { "ListRosterBatches", ROLE_BANK | ROLE_OPERATOR, roster_list_batches, NULL },
    { "ListRosterVerdicts", ROLE_BANK | ROLE_OPERATOR, roster_list_verdicts, NULL },
    { "ListRosterClosings", ROLE_BANK | ROLE_OPERATOR, roster_list_closings, NULL },
    { "ReleaseRosterBatch", ROLE_BANK, roster_release_batch, NULL },
    { "RollBackRosterBatch", ROLE_BANK, roster_roll_back_batch, NULL },
};
const struct service roster_service = { &alliance__v1__roster_service__descriptor, methods, COUNT(methods) };
