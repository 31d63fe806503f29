#include "domain/order_line.h"

#include <string.h>

__extension__ typedef __int128 wide;

/* The part with the largest remainder that has not got its one more yet. */
static size_t largest(const wide *remainders, size_t count)
{
    size_t best = 0;

    for (size_t i = 1; i < count; i++) {
        if (remainders[i] > remainders[best])
            best = i;
    }
    return best;
}

void allocate_exactly(int64_t total, const int64_t *weights, size_t count, int64_t *parts)
{
    wide remainders[LINES_MAX], sum = 0;
    int64_t left = total;

    for (size_t i = 0; i < count; i++)
        sum += weights[i];
    for (size_t i = 0; i < count; i++) {
        wide product = (wide)total * weights[i];
        parts[i] = sum > 0 ? (int64_t)(product / sum) : 0;
        remainders[i] = sum > 0 ? product % sum : 0;
        left -= parts[i];
    }
    for (; left > 0 && sum > 0; left--) {
        size_t next = largest(remainders, count);
        parts[next]++;
        remainders[next] = -1;
    }
}

int order_lines_find(const struct order_lines *lines, const char *id)
{
    for (size_t i = 0; i < lines->count; i++) {
        if (strcmp(lines->at[i].id, id) == 0)
            return (int)i;
    }
    return -1;
}

int64_t order_line_left(const struct order_line *line)
{
    return line->points - line->reversed_points;
}

void order_lines_confirm(struct order_lines *lines, int64_t points, const struct settlement_amounts *amounts)
{
    int64_t weights[LINES_MAX] = { 0 }, parts[LINES_MAX] = { 0 };

    for (size_t i = 0; i < lines->count; i++)
        weights[i] = lines->at[i].points;
    allocate_exactly(points, weights, lines->count, parts);
    for (size_t i = 0; i < lines->count; i++)
        lines->at[i].points = weights[i] = parts[i];
    allocate_exactly(amounts->gross_minor, weights, lines->count, parts);
    for (size_t i = 0; i < lines->count; i++)
        lines->at[i].amounts.gross_minor = parts[i];
    allocate_exactly(amounts->commission_minor, weights, lines->count, parts);
    for (size_t i = 0; i < lines->count; i++)
        lines->at[i].amounts.commission_minor = parts[i];
}

static struct settlement_amounts reverse_line(struct order_line *line, int64_t points)
{
    struct settlement_amounts before = line->reversed;

    if (points == 0)
        return (struct settlement_amounts){ 0, 0 };
    line->reversed_points += points;
    line->reversed = rules_reversed_part(line->amounts, line->points, line->reversed_points);
    return (struct settlement_amounts){ line->reversed.gross_minor - before.gross_minor,
                                        line->reversed.commission_minor - before.commission_minor };
}

struct settlement_amounts order_lines_reverse(struct order_lines *lines, int only, int64_t points)
{
    struct settlement_amounts sum = { 0, 0 };
    int64_t weights[LINES_MAX] = { 0 }, parts[LINES_MAX] = { 0 };

    for (size_t i = 0; i < lines->count; i++)
        weights[i] = only < 0 || (size_t)only == i ? order_line_left(&lines->at[i]) : 0;
    allocate_exactly(points, weights, lines->count, parts);
    for (size_t i = 0; i < lines->count; i++) {
        struct settlement_amounts part = reverse_line(&lines->at[i], parts[i]);
        sum.gross_minor += part.gross_minor;
        sum.commission_minor += part.commission_minor;
    }
    return sum;
}
