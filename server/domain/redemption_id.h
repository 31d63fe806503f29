/*
 * redemption_id.h -- a redemption's name outside: "<uuid>.<hash16 as 4 hex digits>", opaque to others, routable for us.
 *
 * The uuid is the hold's request_id, which is its caller's and unique for one member only; with the member's hash16 it
 * is unique in the installation, because two members of one hash16 share a bucket, where the uuid is the key. Pure.
 */
#ifndef DOMAIN_REDEMPTION_ID_H
#define DOMAIN_REDEMPTION_ID_H

#include "base/uuid.h"

enum { REDEMPTION_ID_TEXT = UUID_TEXT + 5 };

/* The 16 bits that route a member: the first two bytes of its id. */
uint16_t member_hash16(const struct uuid *member_id);
void redemption_id_format(const struct uuid *id, uint16_t hash16, char text[REDEMPTION_ID_TEXT]);
bool redemption_id_parse(const char *text, struct uuid *id, uint16_t *hash16) MUST_USE;

#endif
