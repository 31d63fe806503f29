#include "recon_match.h"

#include <stdlib.h>
#include <string.h>

/* ---- sums ---- */

/* One look for a sum; lives in recon_sum_find's frame. */
struct search {
    const int64_t *amounts;
    int64_t rest[RECON_SUM_MAX + 1]; /* what is left from each place on: beyond it no sum can be reached */
    size_t count;
    bool first;
    int found, steps;
    bool present[RECON_SUM_MAX];
    bool *chosen;
};

static bool over(const struct search *search)
{
    return search->found > 1 || (search->found && search->first) || search->steps > RECON_SUM_STEPS;
}

static void look(struct search *search, size_t at, int64_t sum)
{
    if (over(search))
        return;
    search->steps++;
    if (sum == 0) {
        if (search->found++ == 0)
            memcpy(search->chosen, search->present, search->count * sizeof *search->chosen);
        return;
    }
    if (at == search->count || search->rest[at] < sum)
        return;
    if (search->amounts[at] > 0 && search->amounts[at] <= sum) {
        search->present[at] = true;
        look(search, at + 1, sum - search->amounts[at]);
        search->present[at] = false;
    }
    look(search, at + 1, sum);
}

enum recon_sum recon_sum_find(const int64_t *amounts, size_t count, int64_t sum, bool first, bool *chosen)
{
    struct search search = { .amounts = amounts, .count = count, .first = first, .chosen = chosen };

    if (count > RECON_SUM_MAX)
        return RECON_SUM_TOO_LONG;
    for (size_t i = count; i > 0; i--)
        search.rest[i - 1] = search.rest[i] + amounts[i - 1]; /* 64 of at most 10^14: it fits */
    if (sum <= 0 || search.rest[0] < sum)
        return RECON_SUM_NONE;
    look(&search, 0, sum);
    if (search.steps > RECON_SUM_STEPS)
        return RECON_SUM_TOO_LONG;
    return search.found == 0 ? RECON_SUM_NONE : search.found == 1 ? RECON_SUM_ONE : RECON_SUM_MANY;
}

/* ---- pairs ---- */

/* What must agree for a pass to make a pair. Amounts and points together: the money of it. */
enum agreement {
    SAME_STATE = 1,
    SAME_DAY = 2,
    NEAR_DAY = 4, /* within the rules' days */
    SAME_AMOUNT = 8,
    NEAR_AMOUNT = 16, /* within the rules' tolerance */
    SAME_POINTS = 32,
    OTHER_STATE = 64,
};

/* In this order: who agrees in more is paired first. */
static const struct {
    enum recon_class class;
    int needs;
} passes[] = {
    { RECON_MATCHED, SAME_STATE | SAME_DAY | SAME_AMOUNT | SAME_POINTS },
    { RECON_MATCHED, SAME_STATE | NEAR_DAY | SAME_AMOUNT | SAME_POINTS },
    { RECON_ROUNDING, SAME_STATE | NEAR_DAY | NEAR_AMOUNT | SAME_POINTS },
    { RECON_LATE, SAME_STATE | SAME_AMOUNT | SAME_POINTS },
    { RECON_LATE, SAME_STATE | NEAR_AMOUNT | SAME_POINTS },
    { RECON_STATE, OTHER_STATE | NEAR_DAY | SAME_AMOUNT },
    { RECON_STATE, OTHER_STATE | SAME_AMOUNT },
    { RECON_AMOUNT, SAME_STATE | NEAR_DAY },
    { RECON_AMOUNT, SAME_STATE },
    { RECON_STATE, OTHER_STATE },
};
enum { SUMS_COME_BEFORE = 3 }; /* of the passes: a sum explains more than a record on another day */

static bool same_currency(const struct recon_item *one, const struct recon_item *other)
{
    return strcmp(one->currency, other->currency) == 0;
}

static int agreement_of(const struct recon_rules *rules, const struct recon_item *ours, const struct recon_item *theirs)
{
    int days = abs(ours->date.days - theirs->date.days);
    int64_t difference = llabs(ours->amount_minor - theirs->amount_minor);
    bool currency = same_currency(ours, theirs);

    return (ours->state == theirs->state ? SAME_STATE : OTHER_STATE) | (days == 0 ? SAME_DAY : 0) |
           (days <= rules->days ? NEAR_DAY : 0) | (currency && difference == 0 ? SAME_AMOUNT : 0) |
           (currency && difference <= rules->tolerance_minor ? NEAR_AMOUNT : 0) |
           (theirs->points < 0 || theirs->points == ours->points ? SAME_POINTS : 0);
}

static bool may_be(const struct recon_item *ours, const struct recon_item *theirs)
{
    return uuid_is_zero(&theirs->ref) || uuid_compare(&ours->ref, &theirs->ref) == 0;
}

/* One match: lives in recon_match's frame. */
struct group {
    const struct recon_rules *rules;
    struct recon_item *ours, *theirs;
    size_t our_count, their_count;
    bool spent; /* no more sums are looked for */
};

static void pair(struct group *group, size_t ours, size_t theirs, enum recon_class class)
{
    group->ours[ours].class = group->theirs[theirs].class = class;
    group->ours[ours].with = (int)theirs;
    group->theirs[theirs].with = (int)ours;
}

static void run_pass(struct group *group, enum recon_class class, int needs)
{
    for (size_t t = 0; t < group->their_count; t++) {
        for (size_t o = 0; o < group->our_count && !group->theirs[t].class; o++) {
            const struct recon_item *ours = &group->ours[o], *theirs = &group->theirs[t];
            if (!ours->class && may_be(ours, theirs) && (agreement_of(group->rules, ours, theirs) & needs) == needs)
                pair(group, o, t, class);
        }
    }
}

/* ---- several of ours in one of theirs, or of theirs for one of ours ---- */

/* One record, and what of the other side could be its parts; lives in find_sum's frame. */
struct sum {
    const struct recon_item *whole, *all;
    size_t index[RECON_GROUP_MAX], count; /* of `all` */
    int64_t amounts[RECON_GROUP_MAX];
    bool chosen[RECON_GROUP_MAX];
};

static bool is_part(const struct recon_item *ours, const struct recon_item *theirs)
{
    return !ours->class && !theirs->class && may_be(ours, theirs) && ours->state == theirs->state &&
           same_currency(ours, theirs);
}

/* Points that the file says must agree, the parts' with the whole's; the day is that of the last part. */
static enum recon_class class_of_sum(const struct recon_rules *rules, const struct sum *sum)
{
    int64_t points = 0;
    int32_t last = INT32_MIN;
    bool said = sum->whole->points >= 0;

    for (size_t i = 0; i < sum->count; i++) {
        const struct recon_item *part = &sum->all[sum->index[i]];
        if (!sum->chosen[i])
            continue;
        said = said && part->points >= 0;
        points += part->points;
        last = part->date.days > last ? part->date.days : last;
    }
    if (said && sum->whole->points != points)
        return RECON_AMOUNT;
    return abs(last - sum->whole->date.days) <= rules->days ? RECON_MATCHED : RECON_LATE;
}

static void gather_parts(const struct group *group, bool split, size_t one, struct sum *sum)
{
    size_t count = split ? group->their_count : group->our_count;

    *sum = (struct sum){ .whole = split ? &group->ours[one] : &group->theirs[one],
                         .all = split ? group->theirs : group->ours };
    for (size_t i = 0; i < count; i++) {
        if (split ? !is_part(&group->ours[one], &group->theirs[i]) : !is_part(&group->ours[i], &group->theirs[one]))
            continue;
        sum->amounts[sum->count] = sum->all[i].amount_minor;
        sum->index[sum->count++] = i;
    }
}

/* split: of theirs for one of ours. A search that took too long is the group's last: a file must not buy many. */
static void find_sum(struct group *group, bool split, size_t one)
{
    struct sum sum;

    gather_parts(group, split, one, &sum);
    if (sum.count < 2 || group->spent)
        return;
    enum recon_sum found = recon_sum_find(sum.amounts, sum.count, sum.whole->amount_minor, true, sum.chosen);
    group->spent = found == RECON_SUM_TOO_LONG;
    if (found != RECON_SUM_ONE)
        return;
    enum recon_class class = class_of_sum(group->rules, &sum);
    for (size_t i = sum.count; i > 0; i--) { /* the first of them last, so that the whole names it */
        if (sum.chosen[i - 1])
            pair(group, split ? one : sum.index[i - 1], split ? sum.index[i - 1] : one, class);
    }
}

static void find_sums(struct group *group)
{
    for (size_t t = 0; t < group->their_count; t++)
        find_sum(group, false, t);
    for (size_t o = 0; o < group->our_count; o++)
        find_sum(group, true, o);
}

/* ---- what is left ---- */

/* Theirs says what another line of theirs said before, or was taken for. */
static bool said_before(const struct group *group, size_t t)
{
    const struct recon_item *theirs = group->theirs;

    for (size_t i = 0; i < group->their_count; i++) {
        if (i != t && theirs[i].state == theirs[t].state && uuid_compare(&theirs[i].ref, &theirs[t].ref) == 0 &&
            (theirs[i].with >= 0 || i < t))
            return true;
    }
    return false;
}

static void name_rest(struct group *group)
{
    for (size_t o = 0; o < group->our_count; o++) {
        if (!group->ours[o].class)
            group->ours[o].class = RECON_MISSING_THERE;
    }
    for (size_t t = 0; t < group->their_count; t++) {
        if (!group->theirs[t].class)
            group->theirs[t].class = said_before(group, t) ? RECON_DUPLICATE : RECON_MISSING_HERE;
    }
}

static void clear(struct recon_item *items, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        items[i].class = RECON_UNDECIDED;
        items[i].with = -1;
    }
}

void recon_match(const struct recon_rules *rules, struct recon_item *ours, size_t our_count, struct recon_item *theirs,
                 size_t their_count)
{
    struct group group = { rules, ours, theirs, our_count, their_count, false };

    clear(ours, our_count);
    clear(theirs, their_count);
    for (size_t i = 0; i < COUNT(passes); i++) {
        if (i == SUMS_COME_BEFORE)
            find_sums(&group);
        run_pass(&group, passes[i].class, passes[i].needs);
    }
    name_rest(&group);
}
