/*
 * Sums over order lines. Numbers, then what is reversed of them step by step.
 *
 * Parts add up to the whole; none is a unit or more away from its exact share; nobody with a larger remainder goes
 * without while another is rounded up. However a redemption is reversed, no line gives back more than it had, and the
 * last point takes the last minor unit with it.
 */
#include "fuzz.h"

#include "domain/order_line.h"

__extension__ typedef __int128 wide;

static int64_t bounded(struct feed *feed, int64_t max)
{
    return (int64_t)((uint64_t)feed_int64(feed) % (uint64_t)(max + 1));
}

/* Remainder of a part that was rounded down, or what a part that was rounded up took too much, as a negative number. */
static wide off_by(int64_t total, int64_t weight, wide sum, int64_t part)
{
    return (wide)total * weight - (wide)part * sum;
}

static void shares(int64_t total, const int64_t *weights, size_t count)
{
    int64_t parts[LINES_MAX];
    wide sum = 0, given = 0, least_up = 1, most_down = 0; /* remainders: of those rounded up, of those not */

    for (size_t i = 0; i < count; i++)
        sum += weights[i];
    if (sum == 0)
        return;
    allocate_exactly(total, weights, count, parts);
    for (size_t i = 0; i < count; i++) {
        wide off = off_by(total, weights[i], sum, parts[i]);
        CLAIM(off < sum && off > -sum && parts[i] >= 0);
        given += parts[i];
        if (off < 0 && (least_up > 0 || off < least_up))
            least_up = off;
        if (off > most_down)
            most_down = off;
    }
    CLAIM(given == total);
    /* Rounded up by u means a remainder of sum - u: none smaller than any that went without. */
    CLAIM(least_up > 0 || sum + least_up >= most_down);
}

static int64_t left_of(const struct order_lines *lines, int only)
{
    int64_t left = 0;

    for (size_t i = 0; i < lines->count; i++)
        left += only < 0 || (size_t)only == i ? order_line_left(&lines->at[i]) : 0;
    return left;
}

static void check_lines(const struct order_lines *lines)
{
    for (size_t i = 0; i < lines->count; i++) {
        const struct order_line *line = &lines->at[i];
        bool over = order_line_left(line) == 0;
        CLAIM(line->reversed_points >= 0 && line->reversed_points <= line->points);
        CLAIM(line->reversed.gross_minor >= 0 && line->reversed.gross_minor <= line->amounts.gross_minor);
        CLAIM(line->reversed.commission_minor >= 0 &&
              line->reversed.commission_minor <= line->amounts.commission_minor);
        CLAIM(!over || line->points == 0 || line->reversed.gross_minor == line->amounts.gross_minor);
    }
}

static void reversed_to_the_end(struct feed *feed, struct order_lines *lines, const struct settlement_amounts *amounts)
{
    struct settlement_amounts back = { 0, 0 };

    while (left_of(lines, -1) > 0) {
        int only = feed->size > 0 ? (int)(feed_byte(feed) % (lines->count + 1)) - 1 : -1;
        if (left_of(lines, only) == 0)
            only = -1;
        int64_t left = left_of(lines, only), points = feed->size > 0 ? 1 + bounded(feed, left - 1) : left;
        struct settlement_amounts part = order_lines_reverse(lines, only, points);
        CLAIM(part.gross_minor >= 0 && part.commission_minor >= 0);
        back.gross_minor += part.gross_minor;
        back.commission_minor += part.commission_minor;
        check_lines(lines);
    }
    CLAIM(back.gross_minor == amounts->gross_minor && back.commission_minor == amounts->commission_minor);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct feed feed = { bytes, size };
    struct order_lines lines = { .count = 1 + feed_byte(&feed) % LINES_MAX };
    int64_t weights[LINES_MAX], asked = 0;

    for (size_t i = 0; i < lines.count; i++) {
        weights[i] = lines.at[i].points = 1 + bounded(&feed, POINTS_MAX / LINES_MAX - 1);
        asked += weights[i];
    }
    struct settlement_amounts amounts = { bounded(&feed, AMOUNT_MINOR_MAX), 0 };
    amounts.commission_minor = bounded(&feed, amounts.gross_minor);
    int64_t points = 1 + bounded(&feed, asked - 1);
    shares(amounts.gross_minor, weights, lines.count);
    order_lines_confirm(&lines, points, &amounts);
    CLAIM(left_of(&lines, -1) == points);
    check_lines(&lines);
    reversed_to_the_end(&feed, &lines, &amounts);
    return 0;
}
