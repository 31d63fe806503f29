#include "due.h"

#include "close_store.h"
#include "due_store.h"
#include "scope_store.h"

#include <inttypes.h>
#include <string.h>

/* The first day on which any version of that kind is in force; the day after `until` when none is. */
static struct date first_of(const struct scope *contracts, int kind, const struct due_facts *facts)
{
    struct date first = { facts->until.days + 1 };

    for (size_t i = 0; i < contracts->contract_count; i++) {
        const struct settle_contract *contract = &contracts->contracts[i];
        if (contract->period_kind == kind && contract->effective_from.days < first.days)
            first = contract->effective_from;
    }
    return first.days > facts->first.days ? first : facts->first;
}

/* Is anybody settled by the kind on a day of the period? Of days without anybody no statements are asked for. */
static bool wanted(const struct scope *contracts, const struct period *period)
{
    bool any = period->kind == PERIOD_MONTH;

    for (size_t i = 0; i < contracts->contract_count && !any; i++) {
        const struct settle_contract *contract = &contracts->contracts[i];
        any = contract->period_kind == period->kind && contract->effective_from.days <= period->last.days &&
              contract->until.days >= period->first.days;
    }
    return any;
}

static bool is_left_open(const struct due_facts *facts, int kind)
{
    for (size_t i = 0; i < facts->open_count; i++) {
        if (facts->open[i].kind == kind)
            return true;
    }
    return false;
}

static bool each_of(const struct scope *contracts, int kind, const struct due_facts *facts, due_handler *each,
                    void *owner, struct error *err)
{
    struct date calculated = facts->calculated[kind];
    struct date from = kind == PERIOD_MONTH ? facts->first : first_of(contracts, kind, facts);
    bool open = is_left_open(facts, kind);

    if (calculated.days >= from.days || open)
        from.days = calculated.days + 1;
    for (struct period period = period_of(kind, from); period.last.days <= facts->until.days;
         period = period_after(&period, 1), open = false) {
        if ((wanted(contracts, &period) || open) && !each(owner, &period, err))
            return false;
    }
    return true;
}

static bool is_calculated(const struct due_facts *facts, const char *custom)
{
    for (size_t i = 0; i < facts->custom_count; i++) {
        if (strcmp(facts->custom[i], custom) == 0)
            return true;
    }
    return false;
}

/* CUSTOM periods, each once, by their ends. */
struct custom_list {
    struct arena arena;
    struct period *at;
    size_t count, room;
};

static bool add_custom(struct custom_list *list, const struct due_facts *facts, const struct period *period,
                       struct error *err)
{
    size_t place = 0;

    if (period->last.days > facts->until.days || is_calculated(facts, period->text))
        return true;
    while (place < list->count &&
           (list->at[place].last.days < period->last.days ||
            (list->at[place].last.days == period->last.days && list->at[place].first.days < period->first.days)))
        place++;
    if (place < list->count && strcmp(list->at[place].text, period->text) == 0)
        return true;
    if (list->count == list->room) {
        size_t room = list->room ? 2 * list->room : 64;
        struct period *at = arena_alloc(&list->arena, room * sizeof *at);
        if (!at)
            return error_set(err, REASON_INTERNAL, "out of memory");
        if (list->count > 0)
            memcpy(at, list->at, list->count * sizeof *at);
        list->at = at;
        list->room = room;
    }
    memmove(list->at + place + 1, list->at + place, (list->count - place) * sizeof *list->at);
    list->at[place] = *period;
    list->count++;
    return true;
}

static bool add_of_contract(struct custom_list *list, const struct settle_contract *contract,
                            const struct due_facts *facts, struct error *err)
{
    for (size_t i = 0; contract->period_kind == PERIOD_CUSTOM && i < contract->custom_end_count; i++) {
        struct period period = settle_contract_period(contract, contract->custom_ends[i]);
        if (period.last.days >= contract->effective_from.days && period.first.days <= contract->until.days &&
            !add_custom(list, facts, &period, err))
            return false;
    }
    return true;
}

/* Has its party a CUSTOM end later than its latest statement? */
static bool has_later_end(const struct scope *contracts, const struct due_open *open)
{
    for (size_t i = 0; i < contracts->contract_count; i++) {
        const struct settle_contract *c = &contracts->contracts[i];
        if (c->party.kind == open->party && c->party.no == open->party_no && strcmp(c->currency, open->currency) == 0 &&
            c->period_kind == PERIOD_CUSTOM && c->until.days > open->last_day.days &&
            c->custom_ends[c->custom_end_count - 1].days > open->last_day.days)
            return true;
    }
    return false;
}

static bool add_of_open(struct custom_list *list, const struct scope *contracts, const struct due_open *open,
                        const struct due_facts *facts, struct error *err)
{
    struct date next = { open->last_day.days + 1 };
    struct period rest = period_custom(next, period_of(PERIOD_MONTH, next).last);

    return open->kind != PERIOD_CUSTOM || has_later_end(contracts, open) || add_custom(list, facts, &rest, err);
}

static bool list_custom(struct custom_list *list, const struct scope *contracts, const struct due_facts *facts,
                        struct error *err)
{
    for (size_t i = 0; i < contracts->contract_count; i++) {
        if (!add_of_contract(list, &contracts->contracts[i], facts, err))
            return false;
    }
    for (size_t i = 0; i < facts->open_count; i++) {
        if (!add_of_open(list, contracts, &facts->open[i], facts, err))
            return false;
    }
    return true;
}

bool due_each(const struct scope *contracts, const struct due_facts *facts, due_handler *each, void *owner,
              struct error *err)
{
    struct custom_list custom = { 0 };

    for (int kind = PERIOD_DAY; kind <= PERIOD_MONTH; kind++) {
        if (!each_of(contracts, kind, facts, each, owner, err))
            return false;
    }
    bool good = list_custom(&custom, contracts, facts, err);
    for (size_t i = 0; i < custom.count && good; i++)
        good = each(owner, &custom.at[i], err);
    arena_release(&custom.arena);
    return good;
}

struct shown {
    FILE *out;
    int64_t count;
};

static bool show(void *owner, const struct period *period, struct error *err)
{
    struct shown *shown = owner;

    (void)err;
    shown->count++;
    fprintf(shown->out, "%-7s %s\n", period_kind_name(period->kind), period->text);
    return true;
}

bool due_show(struct db *db, const char *programme_id, FILE *out, struct error *err)
{
    CLEANUP(scope_release) struct scope contracts = { 0 };
    CLEANUP(arena_release) struct arena arena = { 0 };
    struct shown shown = { .out = out };
    struct due_facts facts;
    struct period until;
    int32_t programme_no;

    if (!close_store_programme(db, programme_id, &programme_no, err) ||
        !due_store_facts(db, programme_no, &arena, &facts, err))
        return false;
    until = period_of(PERIOD_DAY, facts.until);
    if (!scope_load(&contracts, db, programme_no, &until, err) || !due_each(&contracts, &facts, show, &shown, err))
        return false;
    if (shown.count == 0)
        fprintf(out, "nothing is due\n");
    return true;
}

static bool left_out(const struct period *before, const struct period *period, const char *why, struct error *err)
{
    return error_set(err, REASON_PERIOD_LEFT_OUT, "%s %s and is not calculated; run period-close --period %s before %s",
                     before->text, why, before->text, period->text);
}

/* Those of the contracts that have the period, or the rest of a month after the last end of one. */
static bool check_custom(const struct scope *scope, const struct due_facts *facts, struct error *err)
{
    struct custom_list before = { 0 };
    bool good = true, due = is_calculated(facts, scope->period->text) || scope_is_asked_for(scope);

    for (size_t i = 0; i < scope->contract_count && good; i++) {
        const struct settle_contract *contract = &scope->contracts[i];
        if (!scope_skips(scope, contract->party, contract->currency))
            good = add_of_contract(&before, contract, facts, err);
    }
    for (size_t i = 0; i < before.count && good; i++) {
        if (before.at[i].last.days < scope->period->last.days)
            good = left_out(&before.at[i], scope->period, "is a contract's", err);
    }
    for (size_t i = 0; i < facts->open_count && good && !due; i++) {
        struct custom_list rest = { 0 };
        good = add_of_open(&rest, scope, &facts->open[i], facts, err);
        due = rest.count > 0 && strcmp(rest.at[0].text, scope->period->text) == 0;
        arena_release(&rest.arena);
    }
    arena_release(&before.arena);
    return good && (due || error_field(err, REASON_FIELD_INVALID, "period",
                                       "no contract has the period %s; alliance-settle due lists what may be closed",
                                       scope->period->text));
}

/* After the latest calculated one before it. */
static bool check_before(const struct scope *scope, const struct due_facts *facts, struct error *err)
{
    const struct period *period = scope->period;
    struct date calculated = facts->calculated[period->kind];
    bool none = calculated.days < facts->first.days;
    struct date from = none ? first_of(scope, period->kind, facts) : (struct date){ calculated.days + 1 };

    if (none && period->kind == PERIOD_MONTH)
        return true;
    for (struct period before = period_of(period->kind, from); before.last.days < period->first.days;
         before = period_after(&before, 1)) {
        if (wanted(scope, &before))
            return left_out(&before, period, "is to be settled", err);
    }
    return true;
}

bool due_check(struct db *db, int32_t programme_no, const struct scope *scope, struct error *err)
{
    CLEANUP(arena_release) struct arena arena = { 0 };
    struct due_facts facts;
    struct date day;
    bool found;

    if (!due_store_facts(db, programme_no, &arena, &facts, err))
        return false;
    if (scope->period->kind == PERIOD_CUSTOM)
        return check_custom(scope, &facts, err);
    if (!check_before(scope, &facts, err) || !due_store_left_out(db, programme_no, scope, &day, &found, err))
        return false;
    if (!found)
        return true;
    struct period before = period_of(scope->period->kind, day);
    return left_out(&before, scope->period, "has redemptions", err);
}
