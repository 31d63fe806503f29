#include "service/rules_back_test_groups.h"

#include "service/shape.h"

#include <stdlib.h>
#include <string.h>

typedef Alliance__V1__BackTestResponse Reply;
typedef Alliance__V1__BackTestGroup Group;
typedef Alliance__V1__BackTestSum Sum;
typedef Alliance__V1__Money Money;

enum { SLOTS = 2 * BACK_TEST_MERCHANTS, ROOM_AT_FIRST = 64, MERCHANTS_SHOWN = 1000 };

/* Merchants */

static bool grow(struct merchant_groups *groups)
{
    size_t room = groups->room ? 2 * groups->room : ROOM_AT_FIRST;

    if (groups->count < groups->room)
        return true;
    struct merchant_group *at = realloc(groups->at, room * sizeof *at);
    if (!at)
        return false;
    memset(at + groups->room, 0, (room - groups->room) * sizeof *at);
    groups->at = at;
    groups->room = room;
    groups->count += groups->count == 0; /* all others */
    return true;
}

struct back_test_group *merchant_groups_find(struct merchant_groups *groups, int32_t merchant_no)
{
    size_t slot = (uint32_t)merchant_no * 2654435761U % SLOTS;

    if (!grow(groups))
        return NULL;
    while (groups->slots[slot] && groups->at[groups->slots[slot]].merchant_no != merchant_no)
        slot = (slot + 1) % SLOTS;
    if (!groups->slots[slot] && groups->count <= BACK_TEST_MERCHANTS) {
        groups->slots[slot] = (uint16_t)groups->count;
        groups->at[groups->count++].merchant_no = merchant_no;
    }
    return &groups->at[groups->slots[slot]].group;
}

void merchant_groups_free(struct merchant_groups *groups)
{
    free(groups->at);
    groups->at = NULL;
}

/* The answer */

static int by_currency(const void *a, const void *b)
{
    return strcmp((*(Money *const *)a)->currency_code, (*(Money *const *)b)->currency_code);
}

/* Currencies of which there is nothing are left out. */
static bool shape_sums(struct arena *arena, const struct back_test *test, const int64_t *minor, Money ***out,
                       size_t *count)
{
    *out = arena_alloc(arena, BACK_TEST_CURRENCIES * sizeof(Money *));
    for (int32_t i = 0; *out && i < test->currency_count; i++) {
        if (minor[i] == 0)
            continue;
        (*out)[*count] = shape_money(arena, test->currencies[i], minor[i]);
        if (!(*out)[(*count)++])
            return false;
    }
    if (*out)
        qsort(*out, *count, sizeof(Money *), by_currency);
    return *out != NULL;
}

static Sum *shape_sum(struct arena *arena, const struct back_test *test, const struct back_test_sum *sum)
{
    Sum *shaped = shape_new(arena, &alliance__v1__back_test_sum__descriptor);

    if (!shaped)
        return NULL;
    shaped->accruals = sum->accruals;
    shaped->points_earned = sum->earned;
    shaped->redemptions = sum->redemptions;
    shaped->points_redeemed = sum->redeemed;
    shaped->redemptions_refused = sum->refused;
    shaped->points_expired = sum->expired;
    bool whole = shape_sums(arena, test, sum->cost_minor, &shaped->bank_cost, &shaped->n_bank_cost) &&
                 shape_sums(arena, test, sum->income_minor, &shaped->merchant_income, &shaped->n_merchant_income) &&
                 shape_sums(arena, test, sum->cash_minor, &shaped->cash, &shaped->n_cash);
    return whole ? shaped : NULL;
}

static Group *shape_group(struct arena *arena, const struct back_test *test, const struct back_test_group *group)
{
    Group *shaped = shape_new(arena, &alliance__v1__back_test_group__descriptor);

    if (!shaped)
        return NULL;
    shaped->members = group->members;
    shaped->was = shape_sum(arena, test, &group->was);
    shaped->would = shape_sum(arena, test, &group->would);
    return shaped->was && shaped->would ? shaped : NULL;
}

static bool shape_tiers(struct arena *arena, const struct back_test *test, Reply *reply)
{
    reply->tiers = arena_alloc(arena, COUNT(test->tiers) * sizeof(Group *));
    for (int32_t tier = 0; reply->tiers && tier <= TIER_MAX; tier++) {
        if (test->tiers[tier].members == 0)
            continue;
        Group *shaped = shape_group(arena, test, &test->tiers[tier]);
        if (!shaped)
            return false;
        shaped->tier = tier;
        reply->tiers[reply->n_tiers++] = shaped;
    }
    return reply->tiers != NULL;
}

/* The most points on either side first; then by number, so that the order is the same every time. */
static int by_points(const void *a, const void *b)
{
    const struct merchant_group *x = *(const struct merchant_group *const *)a,
                                *y = *(const struct merchant_group *const *)b;
    int64_t most_x = x->group.was.redeemed > x->group.would.redeemed ? x->group.was.redeemed : x->group.would.redeemed;
    int64_t most_y = y->group.was.redeemed > y->group.would.redeemed ? y->group.was.redeemed : y->group.would.redeemed;

    return most_x != most_y ? (most_x < most_y ? 1 : -1)
                            : (x->merchant_no > y->merchant_no) - (x->merchant_no < y->merchant_no);
}

static void add_sum(struct back_test_sum *to, const struct back_test_sum *sum)
{
    to->accruals += sum->accruals;
    to->earned += sum->earned;
    to->redemptions += sum->redemptions;
    to->redeemed += sum->redeemed;
    to->refused += sum->refused;
    for (size_t i = 0; i < BACK_TEST_CURRENCIES; i++) {
        to->cost_minor[i] += sum->cost_minor[i];
        to->income_minor[i] += sum->income_minor[i];
        to->cash_minor[i] += sum->cash_minor[i];
    }
}

static bool show_merchant(struct arena *arena, const struct back_test *test, const struct back_test_group *group,
                          const char *merchant_id, Reply *reply)
{
    Group *shaped = shape_group(arena, test, group);

    if (!shaped || !(shaped->merchant_id = shape_text(arena, merchant_id)))
        return false;
    reply->merchants[reply->n_merchants++] = shaped;
    return true;
}

static bool shape_merchants(struct arena *arena, const struct reference *reference, const struct back_test *test,
                            const struct merchant_groups *merchants, Reply *reply)
{
    size_t count = merchants->count ? merchants->count - 1 : 0;
    const struct merchant_group **sorted = arena_alloc(arena, (count + 1) * sizeof *sorted);
    struct back_test_group *others = arena_alloc(arena, sizeof *others);

    reply->merchants = arena_alloc(arena, (MERCHANTS_SHOWN + 1) * sizeof(Group *));
    if (!sorted || !others || !reply->merchants)
        return false;
    if (merchants->count)
        *others = merchants->at[0].group;
    for (size_t i = 0; i < count; i++)
        sorted[i] = &merchants->at[i + 1];
    qsort(sorted, count, sizeof *sorted, by_points);
    for (size_t i = 0; i < count; i++) {
        const struct merchant *merchant = reference_merchant_no(reference, sorted[i]->merchant_no);
        if (merchant && i < MERCHANTS_SHOWN) {
            if (!show_merchant(arena, test, &sorted[i]->group, merchant->id, reply))
                return false;
            continue;
        }
        others->members += sorted[i]->group.members; /* a member may be counted more than once */
        add_sum(&others->was, &sorted[i]->group.was);
        add_sum(&others->would, &sorted[i]->group.would);
    }
    return others->members == 0 || show_merchant(arena, test, others, "", reply);
}

bool back_test_shape(struct arena *arena, const struct reference *reference, const struct back_test *test,
                     const struct merchant_groups *merchants, Reply *reply)
{
    reply->total = shape_group(arena, test, &test->total);
    return reply->total && shape_tiers(arena, test, reply) && shape_merchants(arena, reference, test, merchants, reply);
}
