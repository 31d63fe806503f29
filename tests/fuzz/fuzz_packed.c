/*
 * Lots, pending lots, holds, recent holds, order lines and credit as the database keeps them. The first byte says
 * which. What is unpacked and packed again unpacks to the same, and keeps its length.
 */
#include "fuzz.h"

#include "domain/packed.h"

enum { PACKED_MAX = 16 * 1024 };

/* Each unpacks, packs and says how many bytes that made; false when the bytes are refused. */
typedef bool repack(struct feed in, uint8_t *out, size_t *size);

static bool repack_lots(struct feed in, uint8_t *out, size_t *size)
{
    struct lots lots;

    if (!unpack_lots(in.at, in.size, &lots))
        return false;
    *size = packed_lots(lots.at, lots.count, out);
    return true;
}

static bool repack_pending(struct feed in, uint8_t *out, size_t *size)
{
    struct pending_lots lots;

    if (!unpack_pending(in.at, in.size, &lots))
        return false;
    *size = packed_pending(&lots, out);
    return true;
}

static bool repack_holds(struct feed in, uint8_t *out, size_t *size)
{
    struct open_hold holds[OPEN_HOLDS_MAX];
    size_t count;

    if (!unpack_holds(in.at, in.size, holds, &count))
        return false;
    *size = packed_holds(holds, count, out);
    return true;
}

static bool repack_recent(struct feed in, uint8_t *out, size_t *size)
{
    struct recent_holds recent;

    if (!unpack_recent(in.at, in.size, &recent))
        return false;
    *size = packed_recent(&recent, out);
    return true;
}

static bool repack_lines(struct feed in, uint8_t *out, size_t *size)
{
    struct order_lines lines;

    if (!unpack_lines(in.at, in.size, &lines))
        return false;
    *size = packed_lines(&lines, out);
    return true;
}

static bool repack_credit(struct feed in, uint8_t *out, size_t *size)
{
    struct credit_plan plan;
    struct drawn_days drawn;

    if (!unpack_credit(in.at, in.size, &plan, &drawn))
        return false;
    *size = packed_credit(&plan, &drawn, out);
    return true;
}

static const struct {
    repack *repack;
    bool exact; /* every byte counts; else what pads a value is written as zeros */
} lists[] = {
    { repack_lots, true },   { repack_pending, false }, { repack_holds, true },
    { repack_recent, true }, { repack_lines, false },   { repack_credit, true },
};

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static uint8_t first[PACKED_MAX], second[PACKED_MAX];
    struct feed feed = { bytes, size };
    size_t which = feed_byte(&feed) % COUNT(lists), first_size, second_size;

    if (!lists[which].repack(feed, first, &first_size))
        return 0;
    CLAIM(first_size == feed.size);
    CLAIM(!lists[which].exact || first_size == 0 || memcmp(first, feed.at, first_size) == 0);
    CLAIM(lists[which].repack((struct feed){ first, first_size }, second, &second_size));
    CLAIM(second_size == first_size && memcmp(first, second, first_size) == 0);
    return 0;
}
