/* model_redemption.c -- the life of a redemption, told naively. */
#include "model.h"

#include <string.h>

int64_t model_held(const struct model *model, int member)
{
    int64_t held = 0;

    for (size_t i = 0; i < model->redemptions.count; i++)
        held += model->redemptions.at[i].member == member ? model->redemptions.at[i].on_hold : 0;
    return held;
}

/* What was held on those days and has not come back since. */
int64_t model_points_held_on(const struct model *model, int member, int32_t from, int32_t to)
{
    int64_t points = 0;

    for (size_t i = 0; i < model->redemptions.count; i++) {
        const struct model_redemption *redemption = &model->redemptions.at[i];
        if (redemption->member == member && redemption->held_on >= from && redemption->held_on <= to)
            points += redemption->on_hold + redemption->confirmed - redemption->reversed;
    }
    return points;
}

static const struct currency_rate *rate_of(const struct exchange_rules *rules, const char *currency)
{
    for (int32_t i = 0; i < rules->rate_count; i++) {
        if (strcmp(rules->rates[i].currency, currency) == 0)
            return &rules->rates[i];
    }
    return NULL;
}

static enum reason world_allows(const struct exchange_rules *rules, const struct terms *terms)
{
    if (!rules)
        return REASON_NO_RULES_IN_FORCE;
    if (!terms)
        return REASON_NO_TERMS_IN_FORCE;
    return rate_of(rules, terms->currency) ? REASON_OK : REASON_CURRENCY_NOT_EXCHANGED;
}

static enum reason status_allows(const struct model_member *member)
{
    return member->status == MEMBER_CLOSED     ? REASON_MEMBER_CLOSED
           : member->status == MEMBER_DECEASED ? REASON_MEMBER_DECEASED
           : member->status == MEMBER_FROZEN   ? REASON_MEMBER_FROZEN
                                               : REASON_OK;
}

/* Whose redemption it is, where and of what. */
struct act {
    int member;
    int32_t merchant_no, goods_no;
};

static bool has(const rule_name *names, int32_t count, const char *name)
{
    bool found = count == 0;

    for (int32_t i = 0; i < count; i++)
        found = found || strcmp(names[i], name) == 0;
    return found;
}

/* Of a rule of rates: tier, kind of good, merchant, what it sells, and the day of the month. */
static bool concerns(const struct model *model, const struct rule_match *match, const struct act *act)
{
    int32_t tier = model->members[act->member].tier, category = model->facts.terms[act->merchant_no]->category;
    int32_t kind = act->goods_no ? MODEL_GOODS_KIND : 0;
    int32_t day = model->facts.today - model_month_start(model->facts.today, 0) + 1;
    char merchant[8] = { 'm', (char)('0' + act->merchant_no) };
    bool sold = match->category_count == 0;

    for (int32_t i = 0; i < match->category_count; i++)
        sold =
            sold || (category != 0 && category >= match->categories[i].first && category <= match->categories[i].last);
    return sold && tier >= match->first_tier && tier <= match->last_tier &&
           (match->goods_kinds == 0 || (match->goods_kinds & (UINT32_C(1) << kind)) != 0) &&
           (match->month_days == 0 || (match->month_days & (UINT32_C(1) << day)) != 0) &&
           has(match->merchants, match->merchant_count, merchant);
}

static const struct rate_rule *deciding(const struct model *model, const struct rule_set *set, const struct act *act)
{
    const struct rate_rule *rule = NULL;

    for (int32_t priority = 0; priority <= PRIORITY_MAX; priority++) {
        for (int32_t i = 0; i < set->rate_rule_count; i++) {
            if (set->rate_rules[i].priority == priority && concerns(model, &set->rate_rules[i].match, act))
                rule = &set->rate_rules[i];
        }
    }
    return rule;
}

static const struct tier *tier_of(const struct rule_set *set, int32_t number)
{
    const struct tier *tier = NULL;

    for (int32_t i = 0; i < set->tier_count; i++) {
        if (set->tiers[i].tier <= number && (!tier || set->tiers[i].tier > tier->tier))
            tier = &set->tiers[i];
    }
    return tier;
}

static bool owed(const struct model *model, const struct act *act, int64_t points, int64_t *gross, int64_t *commission)
{
    const struct exchange_rules *rules = model->facts.rules[model->members[act->member].bank_no];
    const struct terms *terms = model->facts.terms[act->merchant_no];
    const struct rate_rule *rule = rules->set ? deciding(model, rules->set, act) : NULL;
    struct ratio rate = rate_of(rules, terms->currency)->settlement;

    if (rule && rule->settlement.den)
        rate = rule->settlement;
    return model_ratio(points, rate.num, rate.den, 0, gross) &&
           model_ratio(*gross, terms->commission_bp, 10000, 0, commission);
}

/* What the price comes to in points, by a rule set: a whole number of steps. */
static bool cost_by_set(const struct model *model, const struct rule_set *set, const struct act *act, int64_t minor,
                        int64_t *cost)
{
    const struct rate_rule *rule = deciding(model, set, act);
    const struct tier *tier = tier_of(set, model->members[act->member].tier);
    struct ratio rate = set->rules.rates[0].conversion;

    if (rule && rule->conversion.den)
        rate = rule->conversion;
    if (tier)
        rate = (struct ratio){ rate.num * tier->conversion.num, rate.den * tier->conversion.den };
    if (minor > set->largest_minor || !model_ratio(minor, rate.num, rate.den, 1, cost) || *cost > POINTS_MAX)
        return false;
    while (*cost % set->step_points != 0)
        ++*cost;
    return *cost <= POINTS_MAX;
}

static enum reason set_allows(const struct model *model, const struct rule_set *set, const struct act *act,
                              int64_t points)
{
    int32_t needed = -1;

    for (int32_t i = set->tier_count; i > 0; i--) {
        if (act->goods_no && set->tiers[i - 1].goods_count && has(set->tiers[i - 1].goods, 1, MODEL_GOODS_ID))
            needed = set->tiers[i - 1].tier;
    }
    if (needed > model->members[act->member].tier)
        return REASON_TIER_TOO_LOW;
    if (points < set->rules.minimum_points)
        return REASON_BELOW_MINIMUM;
    return points > set->maximum_points     ? REASON_ABOVE_MAXIMUM
           : points % set->step_points != 0 ? REASON_NOT_A_STEP
                                            : REASON_OK;
}

static enum reason caps_allow(const struct model *model, int member, const struct exchange_rules *rules, int64_t points)
{
    const struct model_member *whose = &model->members[member];
    int32_t today = model->facts.today;
    int64_t day = model_points_held_on(model, member, today, today);
    int64_t month = model_points_held_on(model, member, model_month_start(today, 0), today);
    const struct caps *caps = NULL;

    for (int32_t i = 0; i < rules->cap_count; i++) {
        if (rules->caps[i].tier <= whose->tier && (!caps || rules->caps[i].tier > caps->tier))
            caps = &rules->caps[i];
    }
    if (!caps)
        return REASON_OK;
    if (caps->per_redemption > 0 && points > caps->per_redemption)
        return REASON_CAP_REDEMPTION;
    if (caps->per_day > 0 && day + points > caps->per_day)
        return REASON_CAP_DAY;
    return caps->per_month > 0 && month + points > caps->per_month ? REASON_CAP_MONTH : REASON_OK;
}

static bool too_fast(const struct model *model, const struct model_member *member, const struct velocity *velocity,
                     bool of_card, uint64_t card, int64_t points)
{
    int64_t holds = 1, sum = points;

    for (size_t i = 0; i < member->recent_count; i++) {
        bool counts = member->recent[i].at > model->facts.now - velocity->window_us;
        if (!counts || (of_card && member->recent[i].card != card))
            continue;
        holds++;
        sum += member->recent[i].points;
    }
    return velocity->window_us > 0 && ((velocity->max_holds > 0 && holds > velocity->max_holds) ||
                                       (velocity->max_points > 0 && sum > velocity->max_points));
}

static int64_t longest_window(const struct exchange_rules *rules)
{
    int64_t member = rules->member_velocity.window_us, card = rules->card_velocity.window_us;

    return member > card ? member : card;
}

/* What no window reaches any more is forgotten for good, even if a later version of the rules looks further back. */
static enum reason pace_allows(const struct model *model, struct model_member *member,
                               const struct exchange_rules *rules, uint64_t card, int64_t points)
{
    int64_t window = longest_window(rules);
    size_t kept = 0;

    if (window == 0)
        return model->facts.pace;
    for (size_t i = 0; i < member->recent_count; i++) {
        if (member->recent[i].at > model->facts.now - window)
            member->recent[kept++] = member->recent[i];
    }
    member->recent_count = kept;
    if (too_fast(model, member, &rules->member_velocity, false, 0, points) || kept == RECENT_MAX)
        return REASON_VELOCITY_MEMBER;
    if (card != 0 && too_fast(model, member, &rules->card_velocity, true, card, points))
        return REASON_VELOCITY_CARD;
    return model->facts.pace;
}

/* Exposure */

static struct model_exposure *exposure_of(struct model *model, int member, const char *currency)
{
    struct model_exposure *exposure = &model->exposures[model->members[member].bank_no];

    return exposure->limited && strcmp(exposure->currency, currency) == 0 ? exposure : NULL;
}

static void use(struct model *model, struct model_redemption *redemption, const char *currency, int64_t minor)
{
    struct model_exposure *exposure = exposure_of(model, redemption->member, currency);

    if (!exposure)
        return;
    exposure->used += minor;
    redemption->exposure += minor;
    memcpy(redemption->exposure_currency, currency, CURRENCY_TEXT);
}

static void let_go(struct model *model, struct model_redemption *redemption, int64_t minor)
{
    struct model_exposure *exposure = exposure_of(model, redemption->member, redemption->exposure_currency);
    int64_t part = minor < redemption->exposure ? minor : redemption->exposure;

    if (!exposure)
        return;
    exposure->used -= part;
    redemption->exposure -= part;
}

/* Holding */

static enum reason price_allows(const struct model *model, const struct exchange_rules *rules, const struct act *act,
                                const struct command *command)
{
    const struct price *price = command->hold.goods_no ? model->facts.prices[command->hold.goods_no] : NULL;
    int64_t minor, cost;

    if (!price)
        return REASON_OK;
    if (!model_ratio(price->minor, command->hold.quantity, 1, -1, &minor))
        minor = INT64_MAX;
    if (rules->set)
        return !cost_by_set(model, rules->set, act, minor, &cost) ? REASON_AMOUNT_TOO_LARGE
               : cost == command->hold.points                     ? REASON_OK
                                                                  : REASON_QUOTE_CHANGED;
    const struct currency_rate *rate = rate_of(rules, price->currency);
    if (!model_ratio(minor, rate->conversion.num, rate->conversion.den, 1, &cost) || cost > POINTS_MAX)
        return REASON_AMOUNT_TOO_LARGE;
    return cost == command->hold.points ? REASON_OK : REASON_QUOTE_CHANGED;
}

int64_t model_cost(const struct model *model, int member, const struct command *command)
{
    const struct exchange_rules *rules = model->facts.rules[model->members[member].bank_no];
    const struct act act = { member, command->merchant_no, command->hold.goods_no };
    int64_t cost, minor = model->facts.prices[command->hold.goods_no]->minor * command->hold.quantity;
    bool known = rules && rules->set && rules->rate_count && model->facts.terms[command->merchant_no] &&
                 cost_by_set(model, rules->set, &act, minor, &cost);

    return known ? cost : command->hold.points;
}

static enum reason may_open(struct model *model, int member, const struct command *command, int64_t *gross)
{
    struct model_member *whose = &model->members[member];
    const struct exchange_rules *rules = model->facts.rules[whose->bank_no];
    const struct terms *terms = model->facts.terms[command->merchant_no];
    const struct price *price = command->hold.goods_no ? model->facts.prices[command->hold.goods_no] : NULL;
    int64_t points = command->hold.points, commission;
    const struct act act = { member, command->merchant_no, command->hold.goods_no };
    enum reason reason = world_allows(rules, terms);

    if (points <= 0)
        return REASON_POINTS_NOT_POSITIVE;
    if (points > POINTS_MAX)
        return REASON_POINTS_TOO_MANY;
    if (reason == REASON_OK && price && !rate_of(rules, price->currency))
        reason = REASON_CURRENCY_NOT_EXCHANGED;
    if (reason == REASON_OK)
        reason = status_allows(whose);
    if (reason == REASON_OK)
        reason = price_allows(model, rules, &act, command);
    if (reason == REASON_OK && rules->set)
        reason = set_allows(model, rules->set, &act, points);
    if (reason != REASON_OK)
        return reason;
    if (points < rules->minimum_points)
        return REASON_BELOW_MINIMUM;
    if (command->kind == COMMAND_HOLD && whose->open_count == OPEN_HOLDS_MAX)
        return REASON_TOO_MANY_OPEN_HOLDS;
    reason = caps_allow(model, member, rules, points);
    if (reason == REASON_OK)
        reason = pace_allows(model, whose, rules, command->hold.card, points);
    if (reason != REASON_OK)
        return reason;
    if (points > model_spendable(whose))
        return REASON_INSUFFICIENT_POINTS;
    if (!owed(model, &act, points, gross, &commission))
        return REASON_AMOUNT_TOO_LARGE;
    const struct model_exposure *exposure = exposure_of(model, member, terms->currency);
    return exposure && exposure->used + *gross > exposure->limit ? REASON_EXPOSURE_LIMIT : REASON_OK;
}

static void put_on_hold(struct model *model, struct model_redemption *redemption, const struct command *command,
                        int64_t gross)
{
    struct model_member *whose = &model->members[redemption->member];
    int64_t points = redemption->asked, there = model_available(whose);

    redemption->state = REDEMPTION_HELD;
    redemption->on_hold = points;
    redemption->lent = points > there ? points - there : 0;
    whose->credit_used += redemption->lent;
    heaps_take_first(&whose->heaps, points - redemption->lent, &redemption->drawn);
    whose->last_hold_on = model->facts.today;
    if (command->kind == COMMAND_HOLD)
        whose->open[whose->open_count++] = redemption->id;
    if (longest_window(model->facts.rules[whose->bank_no]) > 0)
        whose->recent[whose->recent_count++] = (struct model_hold){ model->facts.now, points, command->hold.card };
    use(model, redemption, model->facts.terms[redemption->merchant_no]->currency, gross);
    model_note(model, redemption->member, ENTRY_HOLD, points, &redemption->id, &redemption->id, &redemption->drawn);
}

static void confirm_points(struct model *model, struct model_redemption *redemption, int64_t points,
                           const struct uuid *ref);

enum reason model_open(struct model *model, int member, const struct command *command)
{
    int64_t gross = 0;
    enum reason reason = may_open(model, member, command, &gross);
    struct model_redemption *opened = LIST_ADD(&model->redemptions);
    const struct exchange_rules *rules = model->facts.rules[model->members[member].bank_no];
    bool redeem = command->kind == COMMAND_REDEEM;

    *opened = (struct model_redemption){ .id = command->request_id,
                                         .member = member,
                                         .reason = reason,
                                         .whole = command->hold.goods_no != 0,
                                         .one_step = redeem,
                                         .merchant_no = command->merchant_no,
                                         .store_no = command->store_no,
                                         .goods_no = command->hold.goods_no,
                                         .quantity = command->hold.quantity,
                                         .held_on = model->facts.today,
                                         .rules_version = rules ? rules->version : 0,
                                         .asked = command->hold.points,
                                         .held_at = model->facts.now,
                                         .lapse_at = model->facts.now + (redeem ? 0 : command->hold.lapse_after_us),
                                         .card = command->hold.card };
    opened->first_lapse_at = opened->lapse_at;
    memcpy(opened->content, command->content_hash, sizeof opened->content);
    if (command->hold.lines) {
        opened->line_count = command->hold.lines->count;
        memcpy(opened->lines, command->hold.lines->at, opened->line_count * sizeof opened->lines[0]);
    }
    if (reason == REASON_OK)
        put_on_hold(model, opened, command, gross);
    if (reason == REASON_OK && redeem)
        confirm_points(model, opened, opened->asked, &opened->id);
    opened->spendable_after = model_spendable(&model->members[member]);
    return reason;
}

/* Giving back */

/* Credit first, then what expires last. Returns what is forfeited: it is neither here nor there any more. */
static int64_t give_back(struct model *model, struct model_redemption *redemption, int64_t points, int32_t judged_on,
                         struct heaps *given)
{
    struct model_member *whose = &model->members[redemption->member];
    const struct exchange_rules *rules = model->facts.rules[whose->bank_no];
    int64_t credit = points < redemption->lent ? points : redemption->lent, forfeited = 0;
    int64_t not_owed = model_repay(whose, credit);

    redemption->lent -= credit;
    points -= credit;
    if (not_owed > 0)
        given->at[given->count++] =
            heaps_add(&whose->heaps, (struct heap){ model_expiry(rules, judged_on), 0, not_owed });
    while (points > 0) {
        int last = heaps_last(&redemption->drawn);
        struct heap part = redemption->drawn.at[last];
        part.points = points < part.points ? points : part.points;
        redemption->drawn.at[last].points -= part.points;
        points -= part.points;
        if (redemption->drawn.at[last].points == 0)
            heaps_remove(&redemption->drawn, last);
        bool over = part.expires_on <= judged_on;
        if (over && (!rules || rules->reinstate_grace_days == 0)) {
            forfeited += part.points;
            continue;
        }
        if (over)
            part.expires_on = judged_on + rules->reinstate_grace_days;
        given->at[given->count++] = heaps_add(&whose->heaps, part);
    }
    return forfeited;
}

/* An entry for what came back, as if all of it had, and one for what was forfeited of it. */
static struct model_entry *note_return(struct model *model, struct model_redemption *redemption, int kind,
                                       int64_t points, int64_t forfeited, const struct uuid *ref,
                                       const struct heaps *given)
{
    struct model_member *whose = &model->members[redemption->member];
    size_t place = whose->entries.count;

    model_note(model, redemption->member, kind, points, ref, &redemption->id, given);
    whose->entries.at[place].available += forfeited;
    if (forfeited > 0)
        model_note(model, redemption->member, ENTRY_FORFEIT, forfeited, ref, &redemption->id, NULL);
    return &whose->entries.at[place];
}

static void end_hold(struct model *model, struct model_redemption *redemption)
{
    struct model_member *whose = &model->members[redemption->member];

    redemption->on_hold = 0;
    for (size_t i = 0; i < whose->open_count; i++) {
        if (uuid_compare(&whose->open[i], &redemption->id) == 0)
            whose->open[i] = whose->open[--whose->open_count];
    }
}

static void give_all_back(struct model *model, struct model_redemption *redemption, int16_t state, int kind,
                          int32_t judged_on, const struct uuid *ref)
{
    struct heaps given = { 0 };

    redemption->state = state;
    end_hold(model, redemption);
    let_go(model, redemption, redemption->exposure);
    int64_t forfeited = give_back(model, redemption, redemption->asked, judged_on, &given);
    note_return(model, redemption, kind, redemption->asked, forfeited, ref, &given);
}

/* As if somebody had looked on the day the hold lapsed. */
void model_lapse(struct model *model, struct model_redemption *redemption)
{
    int32_t judged_on = redemption->held_on;

    for (int64_t at = redemption->held_at + INT64_C(86400000000); at <= redemption->lapse_at;
         at += INT64_C(86400000000))
        judged_on++;
    if (judged_on > model->facts.today)
        judged_on = model->facts.today;
    give_all_back(model, redemption, REDEMPTION_LAPSED, ENTRY_LAPSE, judged_on, &redemption->id);
}

/* Confirming */

static enum reason not_held(const struct model_redemption *redemption)
{
    return redemption->state == REDEMPTION_HELD     ? REASON_OK
           : redemption->state == REDEMPTION_LAPSED ? REASON_HOLD_LAPSED
                                                    : REASON_REDEMPTION_ENDED;
}

static void share_over_lines(struct model_redemption *redemption)
{
    int64_t weights[LINES_MAX], parts[LINES_MAX];
    size_t count = redemption->line_count;

    for (size_t i = 0; i < count; i++)
        weights[i] = redemption->lines[i].points;
    model_share(redemption->confirmed, weights, count, parts);
    for (size_t i = 0; i < count; i++)
        redemption->lines[i].points = weights[i] = parts[i];
    model_share(redemption->gross, weights, count, parts);
    for (size_t i = 0; i < count; i++)
        redemption->lines[i].amounts.gross_minor = parts[i];
    model_share(redemption->commission, weights, count, parts);
    for (size_t i = 0; i < count; i++)
        redemption->lines[i].amounts.commission_minor = parts[i];
}

static void confirm_points(struct model *model, struct model_redemption *redemption, int64_t points,
                           const struct uuid *ref)
{
    struct model_member *whose = &model->members[redemption->member];
    const struct exchange_rules *rules = model->facts.rules[whose->bank_no];
    const struct terms *terms = model->facts.terms[redemption->merchant_no];
    int64_t rest = redemption->asked - points;
    struct heaps given = { 0 };

    const struct act act = { redemption->member, redemption->merchant_no, redemption->goods_no };
    owed(model, &act, points, &redemption->gross, &redemption->commission);
    redemption->state = REDEMPTION_CONFIRMED;
    redemption->rules_version = rules->version;
    redemption->terms_version = terms->version;
    memcpy(redemption->currency, terms->currency, CURRENCY_TEXT);
    redemption->confirmed = points;
    share_over_lines(redemption);
    let_go(model, redemption, redemption->exposure);
    redemption->exposure = 0;
    use(model, redemption, terms->currency, redemption->gross);
    end_hold(model, redemption);
    redemption->on_hold = points;
    if (rest > 0) {
        int64_t forfeited = give_back(model, redemption, rest, model->facts.today, &given);
        note_return(model, redemption, ENTRY_RELEASE, rest, forfeited, ref, &given);
    }
    redemption->on_hold = 0;
    size_t place = whose->entries.count;
    model_note(model, redemption->member, ENTRY_CONFIRM, points, ref, &redemption->id, &redemption->drawn);
    whose->entries.at[place].gross_minor = redemption->gross;
    whose->entries.at[place].commission_minor = redemption->commission;
}

static enum reason confirm(struct model *model, struct model_redemption *redemption, const struct command *command,
                           struct answer *answer)
{
    struct model_member *whose = &model->members[redemption->member];
    const struct exchange_rules *rules = model->facts.rules[whose->bank_no];
    const struct terms *terms = model->facts.terms[redemption->merchant_no];
    int64_t points = command->part.points ? command->part.points : redemption->asked, gross, commission;
    enum reason reason = not_held(redemption);

    if (reason == REASON_OK)
        reason = world_allows(rules, terms);
    if (reason == REASON_OK)
        reason = status_allows(whose);
    if (reason != REASON_OK)
        return reason;
    if (points > redemption->asked)
        return REASON_BEYOND_HOLD;
    if (redemption->whole && points < redemption->asked)
        return REASON_GOODS_NOT_DIVISIBLE;
    const struct act act = { redemption->member, redemption->merchant_no, redemption->goods_no };
    if (!owed(model, &act, points, &gross, &commission))
        return REASON_AMOUNT_TOO_LARGE;
    confirm_points(model, redemption, points, &command->request_id);
    answer->points = points;
    answer->gross_minor = gross;
    answer->commission_minor = commission;
    return REASON_OK;
}

static enum reason cancel(struct model *model, struct model_redemption *redemption, const struct command *command,
                          struct answer *answer)
{
    enum reason reason = not_held(redemption);

    if (reason != REASON_OK)
        return reason;
    give_all_back(model, redemption, REDEMPTION_CANCELLED, ENTRY_CANCEL, model->facts.today, &command->request_id);
    answer->points = redemption->asked;
    return REASON_OK;
}

static enum reason extend(struct model *model, struct model_redemption *redemption, const struct command *command,
                          struct answer *answer)
{
    int64_t until = model->facts.now + command->extend.lapse_after_us;
    enum reason reason = not_held(redemption);

    (void)answer;
    if (reason == REASON_OK)
        reason = status_allows(&model->members[redemption->member]);
    if (reason == REASON_OK && until > redemption->lapse_at)
        redemption->lapse_at = until;
    return reason;
}

/* Reversing */

static void money_back(struct order_line *line, int64_t points)
{
    line->reversed_points += points;
    if (points == 0)
        return;
    (void)!model_ratio(line->amounts.gross_minor, line->reversed_points, line->points, -1, &line->reversed.gross_minor);
    (void)!model_ratio(line->amounts.commission_minor, line->reversed_points, line->points, -1,
                       &line->reversed.commission_minor);
}

static void reverse_money(struct model_redemption *redemption, int line, int64_t points)
{
    int64_t weights[LINES_MAX] = { 0 }, parts[LINES_MAX] = { 0 };

    if (redemption->line_count == 0) {
        struct order_line all = { .points = redemption->confirmed,
                                  .amounts = { redemption->gross, redemption->commission },
                                  .reversed_points = redemption->reversed - points };
        money_back(&all, points);
        redemption->gross_back = all.reversed.gross_minor;
        redemption->commission_back = all.reversed.commission_minor;
        return;
    }
    for (size_t i = 0; i < redemption->line_count; i++)
        weights[i] =
            line < 0 || (int)i == line ? redemption->lines[i].points - redemption->lines[i].reversed_points : 0;
    model_share(points, weights, redemption->line_count, parts);
    redemption->gross_back = redemption->commission_back = 0;
    for (size_t i = 0; i < redemption->line_count; i++) {
        money_back(&redemption->lines[i], parts[i]);
        redemption->gross_back += redemption->lines[i].reversed.gross_minor;
        redemption->commission_back += redemption->lines[i].reversed.commission_minor;
    }
}

static enum reason reverse(struct model *model, struct model_redemption *redemption, const struct command *command,
                           struct answer *answer)
{
    const char *line_id = command->part.line_id;
    int64_t left = redemption->confirmed - redemption->reversed, gross = redemption->gross_back,
            commission = redemption->commission_back;
    struct heaps given = { 0 };
    int line = -1;

    for (size_t i = 0; line_id && line_id[0] && i < redemption->line_count; i++)
        line = strcmp(redemption->lines[i].id, line_id) == 0 ? (int)i : line;
    if (line_id && line_id[0] && line < 0)
        return REASON_LINE_NOT_FOUND;
    if (redemption->state == REDEMPTION_REVERSED)
        return REASON_REDEMPTION_ENDED;
    if (redemption->state != REDEMPTION_CONFIRMED)
        return REASON_REDEMPTION_NOT_CONFIRMED;
    if (line >= 0)
        left = redemption->lines[line].points - redemption->lines[line].reversed_points;
    int64_t points = command->part.points ? command->part.points : left;
    if (points > left || left == 0)
        return REASON_BEYOND_CONFIRMED;
    redemption->reversed += points;
    reverse_money(redemption, line, points);
    if (redemption->reversed == redemption->confirmed)
        redemption->state = REDEMPTION_REVERSED;
    let_go(model, redemption,
           redemption->state == REDEMPTION_REVERSED ? redemption->exposure : redemption->gross_back - gross);
    int64_t forfeited = give_back(model, redemption, points, model->facts.today, &given);
    struct model_entry *entry =
        note_return(model, redemption, ENTRY_REVERSE, points, forfeited, &command->request_id, &given);
    entry->gross_minor = answer->gross_minor = gross - redemption->gross_back;
    entry->commission_minor = answer->commission_minor = commission - redemption->commission_back;
    answer->points = points;
    return REASON_OK;
}

static const struct {
    int kind;
    enum reason (*decide)(struct model *model, struct model_redemption *redemption, const struct command *command,
                          struct answer *answer);
} operations[COMMAND_KIND_COUNT] = {
    [COMMAND_CONFIRM] = { ENTRY_CONFIRM, confirm },
    [COMMAND_CANCEL] = { ENTRY_CANCEL, cancel },
    [COMMAND_REVERSE] = { ENTRY_REVERSE, reverse },
    [COMMAND_EXTEND] = { ENTRY_HOLD, extend },
};

enum reason model_on_redemption(struct model *model, struct model_redemption *redemption, const struct command *command,
                                struct answer *answer, int *kind)
{
    int64_t points = command->kind == COMMAND_CONFIRM || command->kind == COMMAND_REVERSE ? command->part.points : 0;

    *kind = operations[command->kind].kind;
    if (points < 0 || points > POINTS_MAX)
        return points < 0 ? REASON_POINTS_NOT_POSITIVE : REASON_POINTS_TOO_MANY;
    return operations[command->kind].decide(model, redemption, command, answer);
}
