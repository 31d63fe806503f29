/*
 * member_row.h -- a member as its bank describes it: is it well-formed, and the command that makes the member so.
 *
 * The same for a row of a push, a row of a roster batch and whatever else sets members. Nothing is looked up here.
 */
#ifndef SERVICE_MEMBER_ROW_H
#define SERVICE_MEMBER_ROW_H

#include "base/arena.h"
#include "base/error.h"
#include "engine/command.h"
#include "io/crypto.h"

#include <alliance/v1/bank_service.pb-c.h>

/* On false err names the field as seen from a row: "member.card_tokens[2]". NULL is refused. */
bool member_row_check(const Alliance__V1__Member *member, struct error *err) MUST_USE;
/* The same; the fields are seen from something of that name. */
bool member_row_check_as(const char *name, const Alliance__V1__Member *member, struct error *err) MUST_USE;
/* NULL is none. The fields are named as seen from the message itself. */
bool member_row_temporary(const Alliance__V1__TemporaryLimit *limit, struct temporary_limit *out,
                          struct error *err) MUST_USE;
/*
 * Fills in what a row of this content asks for: kind, ids and the order; the rest of the command is the maker's. The
 * member was checked; key seals what is personal. The command points into the message and the arena and must not
 * outlive them. False when the arena is full.
 */
bool member_row_command(struct command *command, const Alliance__V1__Member *member, const char *bank_id,
                        const struct crypto_key *key, struct arena *arena) MUST_USE;

#endif
