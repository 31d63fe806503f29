#include "service/explain_steps.h"

#include "base/exact.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { STEP_TEXT = 400, DECIMALS_MAX = 9 };

__attribute__((format(printf, 2, 3))) static void say(struct explain_steps *steps, const char *format, ...)
{
    char text[STEP_TEXT];
    va_list args;

    va_start(args, format);
    int n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (steps->count == EXPLAIN_STEPS_MAX || n < 0)
        return;
    steps->at[steps->count] = arena_copy(steps->arena, text, strlen(text));
    if (steps->at[steps->count])
        steps->count++;
    else
        steps->failed = true;
}

/* Digits of a number that may need more than 64 bits. */
static void put_wide(unsigned __int128 value, char *out, size_t size)
{
    char digits[48];
    size_t n = sizeof digits - 1;

    digits[n] = '\0';
    do
        digits[--n] = (char)('0' + (int)(value % 10));
    while ((value /= 10) > 0);
    snprintf(out, size, "%s", digits + n);
}

void explain_fraction(int64_t value, int64_t num, int64_t den, char text[EXPLAIN_FRACTION])
{
    static const unsigned __int128 scale = 1000000000; /* 10 to DECIMALS_MAX */
    bool negative = value < 0;
    unsigned __int128 product = (unsigned __int128)(negative ? -(__int128)value : value) * (uint64_t)num;
    unsigned __int128 rest = product % (uint64_t)den;
    char whole[48];

    put_wide(product / (uint64_t)den, whole, sizeof whole);
    if (rest == 0) {
        snprintf(text, EXPLAIN_FRACTION, "%s%s", negative ? "-" : "", whole);
    } else if (rest * scale % (uint64_t)den == 0) {
        int n = snprintf(text, EXPLAIN_FRACTION, "%s%s.%09" PRIu64, negative ? "-" : "", whole,
                         (uint64_t)(rest * scale / (uint64_t)den));
        while (n > 0 && text[n - 1] == '0')
            text[--n] = '\0';
    } else {
        snprintf(text, EXPLAIN_FRACTION, "%s%s %" PRIu64 "/%" PRId64, negative ? "-" : "", whole, (uint64_t)rest, den);
    }
}

/* "3 points for 100 minor units" */
static void put_rate(const struct ratio *rate, const char *of, const char *per, char *out, size_t size)
{
    snprintf(out, size, "%" PRId64 " %s per %" PRId64 " %s", rate->num, of, rate->den, per);
}

/* Lots */

static void say_lots(const struct explain_facts *facts, struct explain_steps *steps, const char *verb)
{
    char day[DATE_TEXT];

    for (size_t i = 0; i < facts->lots->count; i++) {
        const struct lot *lot = &facts->lots->at[i];
        const char *funding = lot->funding_no ? facts->funding_name(facts->owner, lot->funding_no) : "";
        date_format(lot->expires_on, day);
        say(steps, "%s %" PRId64 " points that expire on %s, paid for by %s%s.", verb, lot->points, day,
            funding[0] ? "funding " : "the bank", funding);
    }
}

/* Credit used goes up when lots are not enough, and down first of all when points come. */
static void say_credit(const struct explain_facts *facts, struct explain_steps *steps)
{
    int64_t before = facts->before->credit_used_after, after = facts->entry->credit_used_after;

    if (after > before)
        say(steps,
            "%" PRId64 " points were drawn on the credit limit of %" PRId64 ": credit used went from %" PRId64
            " to %" PRId64 ".",
            after - before, facts->entry->credit_limit_after, before, after);
    else if (after < before)
        say(steps, "%" PRId64 " points repaid credit used, which went from %" PRId64 " to %" PRId64 ".", before - after,
            before, after);
}

static void say_taken(const struct explain_facts *facts, struct explain_steps *steps)
{
    say_lots(facts, steps, "Taken:");
    say_credit(facts, steps);
}

static void say_given(const struct explain_facts *facts, struct explain_steps *steps)
{
    say_credit(facts, steps);
    say_lots(facts, steps, "Given:");
}

/* Earning */

static void say_rule_step(const struct rule_step *step, struct explain_steps *steps)
{
    char of[ID_MAX + 8] = "", rate[80] = "";

    if (step->rule[0])
        snprintf(of, sizeof of, " (%s)", step->rule);
    if (step->ratio.den)
        snprintf(rate, sizeof rate, " x %" PRId64 "/%" PRId64, step->ratio.num, step->ratio.den);
    if (!step->rounding[0] && step->ratio.den && step->value == 0)
        say(steps, "%s%s:%s.", step->what, of, rate + 2);
    else
        say(steps, "%s%s: %" PRId64 "%s = %" PRId64 "%s%s.", step->what, of, step->value, rate, step->result,
            step->rounding[0] ? ", rounded " : "", step->rounding);
}

/* How much of each cap was left then is not kept, but what came of it is. */
static void say_set(const struct explain_facts *facts, struct explain_steps *steps)
{
    struct rule_trace trace;
    int64_t points = 0;

    say(steps, "The rule set of rules version %" PRId32 " decided:", facts->rules ? facts->rules->version : 0);
    if (rule_set_earn(facts->accrual.set, &facts->accrual.spend, &points, &trace) != REASON_OK)
        points = 0;
    for (size_t i = 0; i < trace.count; i++)
        say_rule_step(&trace.steps[i], steps);
    if (points > facts->entry->points)
        say(steps, "Caps of a day or a month had %" PRId64 " points left then.", facts->entry->points);
}

static void say_earned(const struct explain_facts *facts, struct explain_steps *steps)
{
    char rate[80], exact[EXPLAIN_FRACTION];

    if (!facts->accrual.known) {
        say(steps, "The card transaction that earned these points is not known any more.");
        return;
    }
    say(steps, "Card transaction %s: %" PRId64 " minor units of %s were spent.", facts->accrual.transaction_ref,
        facts->accrual.amount_minor, facts->accrual.currency);
    if (facts->accrual.fixed_points) {
        say(steps, "The bank itself said that they earn %" PRId64 " points.", facts->entry->points);
        return;
    }
    if (facts->accrual.set) {
        say_set(facts, steps);
        return;
    }
    if (!facts->rules)
        return;
    put_rate(&facts->rules->accrual, "points", "minor units", rate, sizeof rate);
    explain_fraction(facts->accrual.amount_minor, facts->rules->accrual.num, facts->rules->accrual.den, exact);
    say(steps,
        "%" PRId64 " minor units of %s x %s = %s, rounded down to %" PRId64 " points (rules version %" PRId32 ").",
        facts->accrual.amount_minor, facts->accrual.currency, rate, exact, facts->entry->points, facts->rules->version);
}

static void say_expiry_rule(const struct explain_facts *facts, struct explain_steps *steps, struct date spendable_on)
{
    static const char *const kinds[] = { "", "the end of the month %d months later", "the same day %d months later",
                                         "the first yearly expiry day %d months later or more" };
    char day[DATE_TEXT], from[DATE_TEXT], rule[80];

    if (!facts->rules || facts->rules->expiry_kind < EXPIRY_END_OF_MONTH ||
        facts->rules->expiry_kind > EXPIRY_FIXED_DAY)
        return;
    const char *kind = kinds[facts->rules->expiry_kind];
    const char *number = strstr(kind, "%d");
    snprintf(rule, sizeof rule, "%.*s%" PRId32 "%s", (int)(number - kind), kind, facts->rules->expiry_months,
             number + 2);
    date_format(rules_expiry(facts->rules, spendable_on), day);
    date_format(spendable_on, from);
    say(steps, "Points spendable from %s on live until %s, so they expire on %s.", from, rule, day);
}

static void explain_accrue(const struct explain_facts *facts, struct explain_steps *steps)
{
    say_earned(facts, steps);
    say_expiry_rule(facts, steps, facts->entry->business_date);
    say_given(facts, steps);
}

static void explain_pend(const struct explain_facts *facts, struct explain_steps *steps)
{
    char day[DATE_TEXT];

    say_earned(facts, steps);
    if (!facts->accrual.known)
        return;
    date_format(facts->accrual.matures_on, day);
    if (facts->accrual.matures_on.days == MATURES_BY_EVENT.days) {
        say(steps, "They are pending until the bank says that they may be spent.");
        return;
    }
    say(steps, "They are pending until business date %s.", day);
    say_expiry_rule(facts, steps, facts->accrual.matures_on);
}

static void explain_mature(const struct explain_facts *facts, struct explain_steps *steps)
{
    if (uuid_is_zero(&facts->entry->ref))
        say(steps, "The business date came on which %" PRId64 " pending points may be spent.", facts->entry->points);
    else
        say(steps, "The bank said that %" PRId64 " pending points may be spent.", facts->entry->points);
    say_given(facts, steps);
}

static void explain_clawback(const struct explain_facts *facts, struct explain_steps *steps)
{
    say(steps,
        "The bank took %" PRId64 " points of an accrual back: from its own lot first, then from lots in the order in "
        "which they expire, then as credit used.",
        facts->entry->points);
    say_taken(facts, steps);
}

static void explain_clawback_pending(const struct explain_facts *facts, struct explain_steps *steps)
{
    say(steps, "The bank took %" PRId64 " points of an accrual back that were still pending: %" PRId64 " stay pending.",
        facts->entry->points, facts->entry->pending_after);
}

/* Redeeming */

static void explain_hold(const struct explain_facts *facts, struct explain_steps *steps)
{
    const struct entry *entry = facts->entry;
    char lapse[INSTANT_TEXT];

    say(steps,
        "%" PRId64 " points were asked for; before, %" PRId64 " were available and %" PRId64 " of the credit limit "
        "of %" PRId64 " unused.",
        entry->points, facts->before->available_after,
        entry->credit_limit_after > facts->before->credit_used_after
            ? entry->credit_limit_after - facts->before->credit_used_after
            : 0,
        entry->credit_limit_after);
    if (facts->rules)
        say(steps, "Rules version %" PRId32 " allows %" PRId64 " points or more at a time.", facts->rules->version,
            facts->rules->minimum_points);
    say(steps, "Lots are drawn first to expire first, then the credit limit.");
    say_taken(facts, steps);
    if (facts->redemption.known && facts->redemption.one_step) {
        say(steps, "It was confirmed in the same moment.");
    } else if (facts->redemption.known) {
        instant_format(facts->redemption.lapse_at, lapse);
        say(steps, "Held; the hold lapses at %s unless it is ended before.", lapse);
    }
}

static bool gives(const struct entry *entry, const struct currency_rate *rate)
{
    int64_t gross;

    return exact_ratio_half_even(entry->points, rate->settlement.num, rate->settlement.den, &gross) &&
           gross == entry->gross_minor;
}

/* The tier of that day is not kept: the one of now is tried, and then those the rules tell apart. */
static const struct rate_rule *find_rate(const struct explain_facts *facts, struct currency_rate *rate)
{
    const struct rule_set *set = facts->redemption.set;
    struct rule_case where = facts->redemption.where;

    for (int32_t i = -1; set && i < set->rate_rule_count; i++) {
        where.tier = i < 0 ? where.tier : set->rate_rules[i].match.first_tier;
        const struct rate_rule *rule = rule_set_rate_rule(set, &where);
        if (rule && rule->settlement.den && rule_set_rates(set, &where, rate) && gives(facts->entry, rate))
            return rule;
    }
    const struct currency_rate *general = rules_rate(facts->rules, facts->entry->currency);
    *rate = general ? *general : (struct currency_rate){ .settlement = { 0, 0 } };
    return NULL;
}

static void say_gross(const struct explain_facts *facts, struct explain_steps *steps)
{
    const struct entry *entry = facts->entry;
    struct currency_rate rate = { .settlement = { 0, 0 } };
    const struct rate_rule *rule = facts->rules ? find_rate(facts, &rate) : NULL;
    char exact[EXPLAIN_FRACTION], text[80];

    if (rate.settlement.den) {
        put_rate(&rate.settlement, "minor units", "points", text, sizeof text);
        explain_fraction(entry->points, rate.settlement.num, rate.settlement.den, exact);
        say(steps,
            "%" PRId64 " points x settlement rate %s = %s, rounded half to even to %" PRId64
            " minor units of %s gross (rules version %" PRId32 "%s%s).",
            entry->points, text, exact, entry->gross_minor, entry->currency, facts->rules->version,
            rule ? ", its rule " : "", rule ? rule->name : "");
    }
    if (facts->terms) {
        explain_fraction(entry->gross_minor, facts->terms->commission_bp, 10000, exact);
        say(steps,
            "%" PRId64 " minor units x %" PRId32 " / 10000 = %s, rounded half to even to %" PRId64
            " minor units of commission (terms version %" PRId32 ").",
            entry->gross_minor, facts->terms->commission_bp, exact, entry->commission_minor, facts->terms->version);
    }
}

static void explain_confirm(const struct explain_facts *facts, struct explain_steps *steps)
{
    if (facts->redemption.known && facts->redemption.points != facts->entry->points)
        say(steps, "%" PRId64 " of the %" PRId64 " held points were confirmed; the rest had gone back.",
            facts->entry->points, facts->redemption.points);
    else
        say(steps, "All %" PRId64 " held points were confirmed.", facts->entry->points);
    say_gross(facts, steps);
    say_lots(facts, steps, "Spent:");
    int64_t credit = facts->entry->points - lots_points(facts->lots);
    if (credit > 0)
        say(steps, "Spent: %" PRId64 " points drawn on the credit limit.", credit);
}

static void say_came_back(const struct explain_facts *facts, struct explain_steps *steps)
{
    say(steps,
        "They go back to what they were drawn from, the last drawn first: credit, then the lots that expire last.");
    if (facts->rules_then && facts->rules_then->reinstate_grace_days > 0)
        say(steps, "Of lots that expired meanwhile they live %" PRId32 " days more.",
            facts->rules_then->reinstate_grace_days);
    say_given(facts, steps);
}

static void explain_cancel(const struct explain_facts *facts, struct explain_steps *steps)
{
    say(steps, "The merchant cancelled the hold of %" PRId64 " points.", facts->entry->points);
    say_came_back(facts, steps);
}

static void explain_lapse(const struct explain_facts *facts, struct explain_steps *steps)
{
    char lapse[INSTANT_TEXT] = "its time";

    if (facts->redemption.known)
        instant_format(facts->redemption.lapse_at, lapse);
    say(steps, "Nobody ended the hold of %" PRId64 " points by %s, so it lapsed.", facts->entry->points, lapse);
    say_came_back(facts, steps);
}

static void explain_release(const struct explain_facts *facts, struct explain_steps *steps)
{
    say(steps, "Only %" PRId64 " of the %" PRId64 " held points were confirmed; %" PRId64 " go back.",
        facts->redemption.points - facts->entry->points, facts->redemption.points, facts->entry->points);
    say_came_back(facts, steps);
}

/* One amount: the share of all points reversed by now, less what earlier reversals took. */
static void say_part(const struct explain_facts *facts, struct explain_steps *steps, const char *what, int64_t amount,
                     int64_t moved)
{
    int64_t confirmed = facts->redemption.confirmed_points;
    int64_t by_now = facts->redemption.reversed_before + facts->entry->points;
    char exact[EXPLAIN_FRACTION];

    explain_fraction(amount, by_now, confirmed, exact);
    say(steps,
        "%s: %" PRId64 " x %" PRId64 " / %" PRId64 " = %s, rounded down, less what earlier reversals took: %" PRId64
        " minor units of %s.",
        what, amount, by_now, confirmed, exact, moved, facts->entry->currency);
}

static void explain_reverse(const struct explain_facts *facts, struct explain_steps *steps)
{
    const struct entry *entry = facts->entry;
    int64_t by_now = facts->redemption.reversed_before + entry->points;

    say(steps,
        "%" PRId64 " points of %" PRId64 " confirmed ones were reversed, %" PRId64 " before and %" PRId64 " now.",
        by_now, facts->redemption.confirmed_points, facts->redemption.reversed_before, entry->points);
    if (facts->redemption.has_lines) {
        say(steps,
            "The money follows the order lines: of each line in proportion to its reversed points, rounded down, all "
            "of it with its last point: gross %" PRId64 ", commission %" PRId64 " minor units of %s.",
            -entry->gross_minor, -entry->commission_minor, entry->currency);
    } else if (facts->redemption.known && facts->redemption.confirmed_points > 0) {
        say(steps, "The confirmation's own amounts count, not today's rates.");
        say_part(facts, steps, "Gross", facts->redemption.gross_minor, -entry->gross_minor);
        say_part(facts, steps, "Commission", facts->redemption.commission_minor, -entry->commission_minor);
        if (by_now == facts->redemption.confirmed_points)
            say(steps, "Nothing is left of the confirmation: this reversal took the residue of all roundings.");
    }
    say_came_back(facts, steps);
}

static void explain_forfeit(const struct explain_facts *facts, struct explain_steps *steps)
{
    say(steps,
        "%" PRId64 " of the points given back by entry %" PRId64
        " belonged to lots that had expired meanwhile; the rules "
        "give no grace, so they are forfeited.",
        facts->entry->points, facts->before->seq);
}

/* Time, correction, transfer */

static void explain_expire(const struct explain_facts *facts, struct explain_steps *steps)
{
    char day[DATE_TEXT];

    date_format(facts->entry->business_date, day);
    say(steps, "On business date %s these lots were over, %" PRId64 " points together.", day, facts->entry->points);
    say_lots(facts, steps, "Expired:");
}

static void explain_reinstate(const struct explain_facts *facts, struct explain_steps *steps)
{
    say(steps, "The operator gave %" PRId64 " expired points back.", facts->entry->points);
    say_given(facts, steps);
}

static void explain_adjust_add(const struct explain_facts *facts, struct explain_steps *steps)
{
    say(steps, "The operator added %" PRId64 " points by hand.", facts->entry->points);
    say_expiry_rule(facts, steps, facts->entry->business_date);
    say_given(facts, steps);
}

static void explain_adjust_take(const struct explain_facts *facts, struct explain_steps *steps)
{
    say(steps, "The operator took %" PRId64 " points by hand: lots first to expire first, then credit used.",
        facts->entry->points);
    say_taken(facts, steps);
}

static void explain_transfer_out(const struct explain_facts *facts, struct explain_steps *steps)
{
    say(steps, "%" PRId64 " points left for another member; they keep their expiry and who pays for them.",
        facts->entry->points);
    say_taken(facts, steps);
}

static void explain_transfer_in(const struct explain_facts *facts, struct explain_steps *steps)
{
    say(steps, "%" PRId64 " points came from another member; they keep their expiry and who pays for them.",
        facts->entry->points);
    say_given(facts, steps);
}

static void explain_transfer_back(const struct explain_facts *facts, struct explain_steps *steps)
{
    say(steps, "The other member could not receive %" PRId64 " points, so they came back.", facts->entry->points);
    say_given(facts, steps);
}

static void explain_pending_moved(const struct explain_facts *facts, struct explain_steps *steps)
{
    bool out = facts->entry->kind == ENTRY_PENDING_OUT;

    say(steps, "%" PRId64 " pending points %s with a merge of two members; %" PRId64 " are pending now.",
        facts->entry->points, out ? "left" : "came", facts->entry->pending_after);
}

static void explain_credit_moved(const struct explain_facts *facts, struct explain_steps *steps)
{
    say(steps, "Credit used moves along when two members are merged.");
    say_credit(facts, steps);
}

static void explain_close(const struct explain_facts *facts, struct explain_steps *steps)
{
    say(steps, "The member was closed; its %" PRId64 " available points are gone.", facts->entry->points);
    say_taken(facts, steps);
}

static void explain_close_pending(const struct explain_facts *facts, struct explain_steps *steps)
{
    say(steps, "The member was closed; its %" PRId64 " pending points are gone.", facts->entry->points);
}

static void explain_reopen(const struct explain_facts *facts, struct explain_steps *steps)
{
    say(steps, "The list that closed the member was rolled back; its %" PRId64 " available points came back.",
        facts->entry->points);
    say_given(facts, steps);
}

static void explain_reopen_pending(const struct explain_facts *facts, struct explain_steps *steps)
{
    say(steps, "The list that closed the member was rolled back; its %" PRId64 " pending points came back.",
        facts->entry->points);
}

static void say_review(const struct explain_facts *facts, struct explain_steps *steps)
{
    bool up = facts->review.after > facts->review.before;
    char first[DATE_TEXT], today[DATE_TEXT];

    date_format(facts->review.first_day, first);
    date_format(facts->entry->business_date, today);
    say(steps, "The tier went from %d to %d by the tier review, under rules version %d.", facts->review.before,
        facts->review.after, facts->entry->rules_version);
    say(steps, "Tier %d%s%s%s asks for %" PRId64 " %s minor units in its period; from %s to %s %" PRId64 " counted%s.",
        facts->review.judged, facts->review.name[0] ? " (" : "", facts->review.name, facts->review.name[0] ? ")" : "",
        facts->review.needed_minor, facts->review.currency, first, today, facts->review.spent_minor,
        up ? ": reached" : ": it is no longer reached, and the grace is over");
}

static void explain_member(const struct explain_facts *facts, struct explain_steps *steps)
{
    int64_t before = facts->before->credit_limit_after, after = facts->entry->credit_limit_after;

    if (facts->review.known)
        say_review(facts, steps);
    if (facts->before->seq == 0)
        say(steps, "The member was created with a credit limit of %" PRId64 " points.", after);
    else if (before != after)
        say(steps, "The credit limit went from %" PRId64 " to %" PRId64 " points.", before, after);
    else if (!facts->review.known)
        say(steps, "The member's status, tier or cards were changed; no points moved.");
}

static void (*const explainers[ENTRY_KIND_COUNT])(const struct explain_facts *facts, struct explain_steps *steps) = {
    [ENTRY_MEMBER] = explain_member,
    [ENTRY_ACCRUE] = explain_accrue,
    [ENTRY_HOLD] = explain_hold,
    [ENTRY_CONFIRM] = explain_confirm,
    [ENTRY_CANCEL] = explain_cancel,
    [ENTRY_LAPSE] = explain_lapse,
    [ENTRY_RELEASE] = explain_release,
    [ENTRY_REVERSE] = explain_reverse,
    [ENTRY_EXPIRE] = explain_expire,
    [ENTRY_FORFEIT] = explain_forfeit,
    [ENTRY_PEND] = explain_pend,
    [ENTRY_MATURE] = explain_mature,
    [ENTRY_CLAWBACK] = explain_clawback,
    [ENTRY_CLAWBACK_PENDING] = explain_clawback_pending,
    [ENTRY_ADJUST_ADD] = explain_adjust_add,
    [ENTRY_ADJUST_TAKE] = explain_adjust_take,
    [ENTRY_TRANSFER_OUT] = explain_transfer_out,
    [ENTRY_TRANSFER_IN] = explain_transfer_in,
    [ENTRY_TRANSFER_BACK] = explain_transfer_back,
    [ENTRY_REINSTATE] = explain_reinstate,
    [ENTRY_CLOSE] = explain_close,
    [ENTRY_CLOSE_PENDING] = explain_close_pending,
    [ENTRY_PENDING_OUT] = explain_pending_moved,
    [ENTRY_PENDING_IN] = explain_pending_moved,
    [ENTRY_CREDIT_OUT] = explain_credit_moved,
    [ENTRY_CREDIT_IN] = explain_credit_moved,
    [ENTRY_REOPEN] = explain_reopen,
    [ENTRY_REOPEN_PENDING] = explain_reopen_pending,
};

void explain_entry(const struct explain_facts *facts, struct explain_steps *steps)
{
    int kind = facts->entry->kind;
    enum ledger_account from, to;

    steps->count = 0;
    steps->failed = false;
    if (kind < ENTRY_MEMBER || kind >= ENTRY_KIND_COUNT) {
        say(steps, "%d is no kind of entry.", kind);
        return;
    }
    explainers[kind](facts, steps);
    entry_accounts(kind, &from, &to);
    if (from != LEDGER_NONE)
        say(steps, "So %" PRId64 " points went from %s to %s.", facts->entry->points, ledger_account_name(from),
            ledger_account_name(to));
}
