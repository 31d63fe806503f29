/* recon_compare.c -- what is staged is compared: in sets where nothing differs, redemption by redemption elsewhere, and
 * then what names no redemption against what is left. */
#include "recon.h"
#include "recon_store.h"

#include "store/db.h"

/* ---- redemptions ---- */

/* The answers of one page; each record gives one at most. */
struct answers {
    struct recon_found *at;
    size_t count;
};

static void add_answer(struct answers *answers, enum recon_class class, int64_t our_no, int64_t their_no)
{
    answers->at[answers->count++] = (struct recon_found){ (int16_t) class, our_no, their_no };
}

/* Members of one redemption stand together, ours before theirs. */
static void compare_group(const struct recon_rules *rules, const struct recon_member *members, size_t count,
                          struct answers *answers)
{
    struct recon_item ours[RECON_GROUP_MAX], theirs[RECON_GROUP_MAX];
    size_t n = 0, m = 0;

    for (size_t i = 0; i < count; i++) {
        if (members[i].ours)
            ours[n++] = members[i].item;
        else
            theirs[m++] = members[i].item;
    }
    recon_match(rules, ours, n, theirs, m);
    for (size_t i = 0; i < n; i++)
        add_answer(answers, ours[i].class, ours[i].no, ours[i].with >= 0 ? theirs[ours[i].with].no : 0);
    for (size_t i = 0; i < m; i++) {
        if (theirs[i].with < 0)
            add_answer(answers, theirs[i].class, 0, theirs[i].no);
        else if (ours[theirs[i].with].with != (int)i) /* a further part of one of ours */
            add_answer(answers, theirs[i].class, ours[theirs[i].with].no, theirs[i].no);
    }
}

static bool compare_page(struct db *db, const struct recon_rules *rules, int64_t *after, bool *more, struct error *err)
{
    CLEANUP(arena_release) struct arena arena = { 0 };
    struct answers answers = { 0 };
    struct recon_member *members;
    size_t count;

    if (!recon_store_page(db, *after, &arena, &members, &count, err))
        return false;
    answers.at = arena_alloc(&arena, (count + 1) * sizeof *answers.at);
    if (!answers.at)
        return error_set(err, REASON_INTERNAL, "out of memory");
    for (size_t i = 0, end; i < count; i = end) {
        for (end = i; end < count && members[end].group == members[i].group; end++)
            ;
        compare_group(rules, members + i, end - i, &answers);
    }
    *more = count > 0;
    *after += RECON_GROUPS;
    return recon_store_put_found(db, answers.at, answers.count, err);
}

static bool compare_groups(struct db *db, const struct recon_rules *rules, struct error *err)
{
    int64_t after = 0;
    bool more = true;

    while (more) {
        if (!compare_page(db, rules, &after, &more, err))
            return false;
    }
    return true;
}

/* ---- lumps ---- */

/* The one set of the day's records that adds up to it; two of them would be a guess. */
static bool take_sum(struct db *db, const struct recon_lump *lump, struct date day, bool *taken, struct error *err)
{
    CLEANUP(arena_release) struct arena arena = { 0 };
    int64_t amounts[RECON_SUM_MAX], numbers[RECON_SUM_MAX];
    bool chosen[RECON_SUM_MAX] = { false };
    struct recon_part *parts;
    size_t count, n = 0;

    if (!recon_store_parts(db, lump, day, &arena, &parts, &count, err))
        return false;
    if (count > RECON_SUM_MAX)
        return true;
    for (size_t i = 0; i < count; i++)
        amounts[i] = parts[i].amount;
    *taken = recon_sum_find(amounts, count, lump->amount, false, chosen) == RECON_SUM_ONE;
    for (size_t i = 0; *taken && i < count; i++) {
        if (chosen[i])
            numbers[n++] = parts[i].no;
    }
    return n == 0 || recon_store_take_parts(db, lump, numbers, n, err);
}

/* All of a day first: that is what daily totals are. */
static bool take_lump_of_day(struct db *db, const struct recon_lump *lump, struct date day, bool *taken,
                             struct error *err)
{
    return recon_store_take_day(db, lump, day, false, taken, err) &&
           (*taken || recon_store_take_day(db, lump, day, true, taken, err)) &&
           (*taken || take_sum(db, lump, day, taken, err));
}

/* Their day, then the days before it: a total comes after what it is the total of. */
static bool take_lump(struct db *db, const struct recon_rules *rules, const struct recon_lump *lump, struct error *err)
{
    bool taken = false;

    for (int back = 0; back <= rules->days && !taken; back++) {
        if (!take_lump_of_day(db, lump, (struct date){ lump->day.days - back }, &taken, err))
            return false;
    }
    return true;
}

static bool compare_lumps(struct db *db, const struct recon_scope *scope, const struct recon_rules *rules,
                          struct error *err)
{
    CLEANUP(arena_release) struct arena arena = { 0 };
    struct recon_lump *lumps;
    size_t count;

    if (!recon_store_lumps(db, scope, &arena, &lumps, &count, err))
        return false;
    if (count > RECON_LUMPS)
        return error_field(
            err, REASON_FIELD_INVALID, "key",
            "more than 10,000 records name no redemption: read another column of the file as key, such as "
            "the one with the redemption_id or the request_id");
    if (count == 0)
        return true;
    if (!recon_store_leave(db, scope, err))
        return false;
    for (size_t i = 0; i < count; i++) {
        if (!take_lump(db, rules, &lumps[i], err))
            return false;
    }
    return recon_store_end_lumps(db, err);
}

bool recon_compare(struct db *db, const struct recon_scope *scope, const struct recon_rules *rules, struct error *err)
{
    return recon_store_prepare(db, scope, err) && compare_groups(db, rules, err) &&
           compare_lumps(db, scope, rules, err) && recon_store_said_elsewhere(db, scope, err);
}
