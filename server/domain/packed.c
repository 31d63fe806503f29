#include "domain/packed.h"

#include <endian.h>
#include <string.h>

static uint8_t *put4(uint8_t *at, int32_t value)
{
    uint32_t big = htobe32((uint32_t)value);

    memcpy(at, &big, sizeof big);
    return at + sizeof big;
}

static uint8_t *put8(uint8_t *at, int64_t value)
{
    uint64_t big = htobe64((uint64_t)value);

    memcpy(at, &big, sizeof big);
    return at + sizeof big;
}

static int32_t get4(const uint8_t *at)
{
    uint32_t big;

    memcpy(&big, at, sizeof big);
    return (int32_t)be32toh(big);
}

static int64_t get8(const uint8_t *at)
{
    uint64_t big;

    memcpy(&big, at, sizeof big);
    return (int64_t)be64toh(big);
}

size_t packed_lots(const struct lot *lots, size_t count, uint8_t *out)
{
    for (size_t i = 0; i < count; i++) {
        out = put4(out, lots[i].expires_on.days);
        out = put4(out, lots[i].funding_no);
        out = put8(out, lots[i].points);
    }
    return count * PACKED_LOT;
}

size_t packed_pending(const struct pending_lots *lots, uint8_t *out)
{
    for (size_t i = 0; i < lots->count; i++) {
        out = put4(out, lots->at[i].matures_on.days);
        out = put4(out, lots->at[i].expires_on.days);
        out = put4(out, lots->at[i].funding_no);
        out = put4(out, 0);
        out = put8(out, lots->at[i].points);
    }
    return lots->count * PACKED_PENDING;
}

size_t packed_holds(const struct open_hold *holds, size_t count, uint8_t *out)
{
    for (size_t i = 0; i < count; i++) {
        memcpy(out, holds[i].id.bytes, sizeof holds[i].id.bytes);
        out = put8(out + sizeof holds[i].id.bytes, holds[i].lapse_at.us);
    }
    return count * PACKED_HOLD;
}

size_t packed_recent(const struct recent_holds *recent, uint8_t *out)
{
    for (size_t i = 0; i < recent->count; i++) {
        out = put8(out, recent->at[i].held_at.us);
        out = put8(out, recent->at[i].points);
        out = put8(out, (int64_t)recent->at[i].card);
    }
    return recent->count * PACKED_RECENT;
}

size_t packed_lines(const struct order_lines *lines, uint8_t *out)
{
    for (size_t i = 0; i < lines->count; i++) {
        const struct order_line *line = &lines->at[i];
        memset(out, 0, LINE_ID_MAX);
        memcpy(out, line->id, strnlen(line->id, LINE_ID_MAX));
        out = put8(out + LINE_ID_MAX, line->points);
        out = put8(out, line->amounts.gross_minor);
        out = put8(out, line->amounts.commission_minor);
        out = put8(out, line->reversed_points);
        out = put8(out, line->reversed.gross_minor);
        out = put8(out, line->reversed.commission_minor);
    }
    return lines->count * PACKED_LINE;
}

enum { PLAN_BY_TIER = 1, PLAN_BEGUN = 2 };

static bool says_nothing(const struct credit_plan *plan, const struct drawn_days *drawn)
{
    return !plan->by_tier && plan->temporary.last.days == 0 && drawn->count == 0;
}

size_t packed_credit(const struct credit_plan *plan, const struct drawn_days *drawn, uint8_t *out)
{
    if (says_nothing(plan, drawn))
        return 0;
    out = put4(out, (plan->by_tier ? PLAN_BY_TIER : 0) | (plan->begun ? PLAN_BEGUN : 0));
    out = put4(out, plan->temporary.first.days);
    out = put4(out, plan->temporary.last.days);
    out = put8(out, plan->base);
    out = put8(out, plan->temporary.points);
    for (size_t i = 0; i < drawn->count; i++) {
        out = put4(out, drawn->at[i].drawn_on.days);
        out = put8(out, drawn->at[i].points);
    }
    return PACKED_PLAN + drawn->count * PACKED_DRAWN;
}

/* How many elements the bytes are; false when they are none, or too many. */
static bool elements(size_t size, size_t each, size_t max, size_t *count)
{
    *count = size / each;
    return size % each == 0 && *count <= max;
}

bool unpack_lots(const uint8_t *bytes, size_t size, struct lots *out)
{
    if (!elements(size, PACKED_LOT, LOTS_MAX, &out->count))
        return false;
    for (size_t i = 0; i < out->count; i++, bytes += PACKED_LOT)
        out->at[i] = (struct lot){ { get4(bytes) }, get4(bytes + 4), get8(bytes + 8) };
    return true;
}

bool unpack_pending(const uint8_t *bytes, size_t size, struct pending_lots *out)
{
    if (!elements(size, PACKED_PENDING, PENDING_MAX, &out->count))
        return false;
    for (size_t i = 0; i < out->count; i++, bytes += PACKED_PENDING)
        out->at[i] = (struct pending_lot){ { get4(bytes) }, { get4(bytes + 4) }, get4(bytes + 8), get8(bytes + 16) };
    return true;
}

bool unpack_holds(const uint8_t *bytes, size_t size, struct open_hold out[OPEN_HOLDS_MAX], size_t *count)
{
    if (!elements(size, PACKED_HOLD, OPEN_HOLDS_MAX, count))
        return false;
    for (size_t i = 0; i < *count; i++, bytes += PACKED_HOLD) {
        memcpy(out[i].id.bytes, bytes, sizeof out[i].id.bytes);
        out[i].lapse_at.us = get8(bytes + sizeof out[i].id.bytes);
    }
    return true;
}

bool unpack_recent(const uint8_t *bytes, size_t size, struct recent_holds *out)
{
    if (!elements(size, PACKED_RECENT, RECENT_MAX, &out->count))
        return false;
    for (size_t i = 0; i < out->count; i++, bytes += PACKED_RECENT)
        out->at[i] = (struct recent_hold){ { get8(bytes) }, get8(bytes + 8), (uint64_t)get8(bytes + 16) };
    return true;
}

bool unpack_credit(const uint8_t *bytes, size_t size, struct credit_plan *plan, struct drawn_days *drawn)
{
    *plan = (struct credit_plan){ 0 };
    drawn->count = 0;
    if (size == 0)
        return true;
    if (size < PACKED_PLAN || !elements(size - PACKED_PLAN, PACKED_DRAWN, DRAWN_DAYS_MAX, &drawn->count))
        return false;
    int32_t flags = get4(bytes);
    *plan = (struct credit_plan){
        .by_tier = flags & PLAN_BY_TIER,
        .begun = flags & PLAN_BEGUN,
        .base = get8(bytes + 12),
        .temporary = { get8(bytes + 20), { get4(bytes + 4) }, { get4(bytes + 8) } },
    };
    bytes += PACKED_PLAN;
    for (size_t i = 0; i < drawn->count; i++, bytes += PACKED_DRAWN)
        drawn->at[i] = (struct drawn_day){ { get4(bytes) }, get8(bytes + 4) };
    return (flags & ~(PLAN_BY_TIER | PLAN_BEGUN)) == 0 && !says_nothing(plan, drawn);
}

bool unpack_lines(const uint8_t *bytes, size_t size, struct order_lines *out)
{
    if (!elements(size, PACKED_LINE, LINES_MAX, &out->count))
        return false;
    for (size_t i = 0; i < out->count; i++, bytes += PACKED_LINE) {
        struct order_line *line = &out->at[i];
        const uint8_t *numbers = bytes + LINE_ID_MAX;
        memcpy(line->id, bytes, LINE_ID_MAX);
        line->id[LINE_ID_MAX] = 0;
        line->points = get8(numbers);
        line->amounts = (struct settlement_amounts){ get8(numbers + 8), get8(numbers + 16) };
        line->reversed_points = get8(numbers + 24);
        line->reversed = (struct settlement_amounts){ get8(numbers + 32), get8(numbers + 40) };
    }
    return true;
}
