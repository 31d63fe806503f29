/*
 * roster_push.h -- a member list as one roster batch: streamed, gone on with where a broken stream stopped, and
 * followed until every row has its verdict.
 */
#ifndef CLI_ROSTER_PUSH_H
#define CLI_ROSTER_PUSH_H

#include "cli.h"

#include "io/refusals.h"
#include "io/row_source.h"

#include <alliance/v1/roster_service.pb-c.h>

/*
 * The header says what the rows of the source (of member_columns, at its first row) add up to. Refused rows go to
 * refusals. *batch is the batch as it was answered last, in the arena, which is nobody else's; what went wrong is
 * printed.
 */
bool roster_push(struct cli *cli, struct row_source *source, Alliance__V1__RosterHeader *header,
                 struct refusals *refusals, struct arena *arena, Alliance__V1__RosterBatch **batch) MUST_USE;

#endif
