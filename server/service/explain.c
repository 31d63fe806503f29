/*
 * explain.c -- ExplainEntry: the entry, the one before it and the rows behind it are read, explain_steps.c says why.
 */
#include "service/bank_handlers.h"

#include "domain/packed.h"
#include "engine/journal_entry.h"
#include "service/bank_rules_shape.h"
#include "service/check.h"
#include "service/explain_steps.h"
#include "service/journal.h"
#include "service/rules_document.h"
#include "service/rules_handlers.h"
#include "service/shape.h"
#include "store/member_store.h"
#include "store/review_store.h"

#include <string.h>

typedef Alliance__V1__ExplainEntryRequest Asked;
typedef Alliance__V1__EntryExplanation Explanation;

/* Everything that is read for one answer. */
struct explaining {
    struct errand *errand;
    struct journal_subject subject;
    struct journal_row row;
    struct entry entry, before;
    struct lots lots;
    struct explain_facts facts;
};

static const char *funding_name(const void *owner, int32_t funding_no)
{
    return journal_funding_id(owner, funding_no);
}

/* The entry and the one before it. ENTRY_NOT_FOUND. */
static bool read_entry(struct explaining *on, int64_t seq, struct error *err)
{
    struct journal_page_params params = { on->subject.bucket, on->subject.member_id, seq, 2 };
    struct arena *arena = &on->errand->call->arena;
    size_t count;
    void *fetched;

    if (seq < INT64_MAX)
        params.seq = seq + 1;
    if (!db_fetch(on->errand->db, &journal_before, &params, arena, &fetched, &count, err))
        return false;
    const struct journal_row *rows = fetched;
    if (count == 0 || rows[0].seq != seq)
        return error_field(err, REASON_ENTRY_NOT_FOUND, "seq", "%s", "");
    on->row = rows[0];
    if (!journal_entry(&rows[0], &on->entry) || (count > 1 && !journal_entry(&rows[1], &on->before)) ||
        !unpack_lots(on->row.lots.at, on->row.lots.size, &on->lots))
        return error_set(err, REASON_INTERNAL, "a stored journal entry is not possible");
    return true;
}

/* A spend of which no day is kept was not by a set. */
static bool read_set(struct explaining *on, const struct journal_accrual_row *row, struct error *err)
{
    const struct rules_key key = { .bank_id = on->subject.bank->id, .version = row->rules_version };
    struct rules_found found;

    if (row->fixed_points || row->spent_on.days == 0)
        return true;
    if (!rules_find(on->errand, &key, &found, err))
        return false;
    Alliance__V1__RuleSetDocument *document = rules_document_of(on->errand, &found, err);
    on->facts.accrual.set = document ? rules_document_read(document, key.bank_id, &on->errand->call->arena, err) : NULL;
    on->facts.accrual.spend = (struct spend){
        .where = { .currency = row->currency,
                   .merchant_id = row->merchant_id,
                   .channel = row->channel,
                   .category = row->category ? row->category : CATEGORY_UNKNOWN,
                   .tier = row->tier,
                   .date = row->spent_on },
        .amount_minor = row->amount_minor,
        .paid_with_points_minor = row->paid_with_points_minor,
    };
    return on->facts.accrual.set != NULL;
}

static bool read_accrual(struct explaining *on, struct error *err)
{
    struct journal_accrual_params params = { on->subject.bucket, on->entry.ref };
    struct journal_accrual_row row;
    bool found;

    if (!db_fetch_one(on->errand->db, &journal_find_accrual, &params, &on->errand->call->arena, &row, &found, err))
        return false;
    if (!found)
        return true;
    on->facts.accrual.known = true;
    on->facts.accrual.transaction_ref = row.transaction_ref;
    on->facts.accrual.currency = row.currency;
    on->facts.accrual.amount_minor = row.amount_minor;
    on->facts.accrual.points = row.points;
    on->facts.accrual.matures_on = row.matures_on;
    on->facts.accrual.fixed_points = row.fixed_points;
    return read_set(on, &row, err);
}

/* What a confirmation was settled by. */
static bool read_rates(struct explaining *on, const struct journal_redemption_row *row, struct error *err)
{
    const struct rules_key key = { .bank_id = on->subject.bank->id, .version = on->entry.rules_version };
    const struct reference *reference = on->errand->reference;
    const struct merchant *merchant = reference_merchant_no(reference, on->entry.merchant_no);
    const struct good *good = row->goods_no ? reference_good_no(reference, row->goods_no) : NULL;
    struct rules_found found;

    if (on->entry.kind != ENTRY_CONFIRM || !on->facts.terms)
        return true;
    if (!rules_find(on->errand, &key, &found, err))
        return false;
    Alliance__V1__RuleSetDocument *document = rules_document_of(on->errand, &found, err);
    on->facts.redemption.set =
        document ? rules_document_read(document, key.bank_id, &on->errand->call->arena, err) : NULL;
    on->facts.redemption.where = (struct rule_case){
        .currency = on->entry.currency,
        .merchant_id = merchant ? merchant->id : "",
        .channel = "",
        .category = on->facts.terms->category ? on->facts.terms->category : CATEGORY_UNKNOWN,
        .goods_kind = good ? good->kind : 0,
        .tier = row->tier,
        .date = on->entry.business_date,
    };
    return on->facts.redemption.set != NULL;
}

static bool read_redemption(struct explaining *on, struct error *err)
{
    struct journal_redemption_params params = { on->subject.bucket, on->entry.redemption_id };
    struct journal_reversed_params before = { on->subject.bucket, on->subject.member_id, on->entry.redemption_id,
                                              on->entry.seq };
    struct arena *arena = &on->errand->call->arena;
    struct journal_redemption_row row;
    struct journal_reversed_row reversed = { 0 };
    bool found, any;

    if (!db_fetch_one(on->errand->db, &journal_find_redemption, &params, arena, &row, &found, err))
        return false;
    if (on->entry.kind == ENTRY_REVERSE &&
        !db_fetch_one(on->errand->db, &journal_reversed_before, &before, arena, &reversed, &any, err))
        return false;
    if (!found)
        return true;
    on->facts.redemption.known = true;
    on->facts.redemption.one_step = row.one_step;
    on->facts.redemption.has_lines = row.line_count > 0;
    on->facts.redemption.points = row.points;
    on->facts.redemption.confirmed_points = row.confirmed_points;
    on->facts.redemption.gross_minor = row.gross_minor;
    on->facts.redemption.commission_minor = row.commission_minor;
    on->facts.redemption.lapse_at = row.lapse_at;
    on->facts.redemption.reversed_before = reversed.points;
    return read_rates(on, &row, err);
}

static const struct exchange_rules *rules_of(const struct bank *bank, int32_t version)
{
    for (size_t i = 0; i < bank->rules_count; i++) {
        if (bank->rules[i].version == version)
            return &bank->rules[i];
    }
    return NULL;
}

static const struct terms *terms_of(const struct merchant *merchant, int32_t version)
{
    for (size_t i = 0; merchant && i < merchant->terms_count; i++) {
        if (merchant->terms[i].version == version)
            return &merchant->terms[i];
    }
    return NULL;
}

/* What a tier review went by; the version's own name for the tier. */
static bool read_review(struct explaining *on, struct error *err)
{
    struct tier_change_params params = { on->subject.bucket, on->subject.member_id, on->entry.seq };
    struct tier_change_row row;
    bool found;

    if (!db_fetch_one(on->errand->db, &tier_change_find, &params, &on->errand->call->arena, &row, &found, err))
        return false;
    const struct rule_set *set = on->facts.rules ? on->facts.rules->set : NULL;
    const struct tier *judged = set && found ? rule_set_tier(set, row.judged_tier) : NULL;
    on->facts.review.known = found;
    if (!found)
        return true;
    on->facts.review.before = row.tier_before;
    on->facts.review.after = row.tier_after;
    on->facts.review.judged = row.judged_tier;
    on->facts.review.name = judged ? judged->name : "";
    on->facts.review.currency = row.currency;
    on->facts.review.spent_minor = row.spent_minor;
    on->facts.review.needed_minor = row.needed_minor;
    on->facts.review.first_day = row.first_day;
    return true;
}

/* Entries without a version of their own (an adjustment, points that mature) were decided under what was in force. */
static void find_versions(struct explaining *on)
{
    const struct bank *bank = on->subject.bank;
    const struct merchant *merchant = reference_merchant_no(on->errand->reference, on->entry.merchant_no);

    on->facts.rules_then = rules_in_force(bank->rules, bank->rules_count, on->entry.at);
    on->facts.rules = on->entry.rules_version ? rules_of(bank, on->entry.rules_version) : on->facts.rules_then;
    on->facts.terms = on->entry.terms_version ? terms_of(merchant, on->entry.terms_version) : NULL;
}

static bool read_facts(struct explaining *on, struct error *err)
{
    const Asked *asked = (const Asked *)on->errand->request;
    bool earned;

    if (!journal_find_subject(on->errand, asked->bank_id, asked->member_ref, &on->subject, err) ||
        !read_entry(on, asked->seq, err))
        return false;
    earned = on->entry.kind == ENTRY_ACCRUE || on->entry.kind == ENTRY_PEND;
    on->facts.entry = &on->entry;
    on->facts.before = &on->before;
    on->facts.lots = &on->lots;
    on->facts.funding_name = funding_name;
    on->facts.owner = on->subject.bank;
    find_versions(on);
    bool reviewed = on->entry.kind == ENTRY_MEMBER && on->entry.rules_version != 0;
    return (!reviewed || read_review(on, err)) && (!earned || read_accrual(on, err)) &&
           (uuid_is_zero(&on->entry.redemption_id) || read_redemption(on, err));
}

static bool shape_rules(struct explaining *on, Explanation *explanation)
{
    struct arena *arena = &on->errand->call->arena;

    if (!on->facts.rules)
        return true;
    explanation->rules = shape_new(arena, &alliance__v1__exchange_rules__descriptor);
    char *bank_id = shape_text(arena, on->subject.bank->id);
    return explanation->rules && bank_id && bank_rules_shape(arena, bank_id, on->facts.rules, explanation->rules);
}

static bool shape_steps(struct explaining *on, Explanation *explanation)
{
    struct explain_steps *steps = arena_alloc(&on->errand->call->arena, sizeof *steps);

    if (!steps)
        return false;
    steps->arena = &on->errand->call->arena;
    explain_entry(&on->facts, steps);
    explanation->steps = steps->at;
    explanation->n_steps = steps->count;
    return !steps->failed;
}

static bool explain_work(struct errand *errand, struct error *err)
{
    struct explaining *on = arena_alloc(&errand->call->arena, sizeof *on);
    Explanation *explanation = errand_reply(errand, &alliance__v1__entry_explanation__descriptor, err);

    if (!explanation || !on)
        return errand_no_room(err);
    on->errand = errand;
    if (!db_execute(errand->db, &member_begin_snapshot, NULL, NULL, err))
        return false;
    bool good = read_facts(on, err);
    db_rollback(errand->db);
    if (!good)
        return false;
    explanation->entry = journal_shape(errand, on->subject.bank, &on->row, err);
    return explanation->entry &&
           ((shape_rules(on, explanation) && shape_steps(on, explanation)) || errand_no_room(err));
}

bool bank_explain_entry(struct call *call, const ProtobufCMessage *request, struct error *err)
{
    const Asked *asked = (const Asked *)request;

    return journal_check_member(call, asked->bank_id, asked->member_ref, err) &&
           check_range("seq", asked->seq, 1, INT64_MAX, err) && errand_read(call, request, explain_work, err);
}
