/*
 * packed.h -- small lists that are read and written as one value: fixed-length elements one behind the other,
 * big-endian.
 *
 * The schema (migrations 0003 and 0004) says the same in SQL. Unpacking refuses (false) what no packing makes: a length
 * that is no multiple, more elements than the list's maximum. Pure.
 */
#ifndef DOMAIN_PACKED_H
#define DOMAIN_PACKED_H

#include "domain/account.h"
#include "domain/order_line.h"

enum { PACKED_LOT = 16, PACKED_PENDING = 24, PACKED_HOLD = 24, PACKED_RECENT = 24, PACKED_LINE = LINE_ID_MAX + 6 * 8 };
enum { PACKED_PLAN = 28, PACKED_DRAWN = 12, PACKED_CREDIT_MAX = PACKED_PLAN + DRAWN_DAYS_MAX * PACKED_DRAWN };

/* Writes count * PACKED_LOT bytes; the others likewise. Returns the number of bytes. */
size_t packed_lots(const struct lot *lots, size_t count, uint8_t *out);
size_t packed_pending(const struct pending_lots *lots, uint8_t *out);
size_t packed_holds(const struct open_hold *holds, size_t count, uint8_t *out);
size_t packed_recent(const struct recent_holds *recent, uint8_t *out);
size_t packed_lines(const struct order_lines *lines, uint8_t *out);
/* Nothing at all when the plan is all zeros and nothing is drawn; at most PACKED_CREDIT_MAX bytes. */
size_t packed_credit(const struct credit_plan *plan, const struct drawn_days *drawn, uint8_t *out);

bool unpack_lots(const uint8_t *bytes, size_t size, struct lots *out) MUST_USE;
bool unpack_pending(const uint8_t *bytes, size_t size, struct pending_lots *out) MUST_USE;
bool unpack_holds(const uint8_t *bytes, size_t size, struct open_hold out[OPEN_HOLDS_MAX], size_t *count) MUST_USE;
bool unpack_recent(const uint8_t *bytes, size_t size, struct recent_holds *out) MUST_USE;
bool unpack_credit(const uint8_t *bytes, size_t size, struct credit_plan *plan, struct drawn_days *drawn) MUST_USE;
bool unpack_lines(const uint8_t *bytes, size_t size, struct order_lines *out) MUST_USE;

#endif
