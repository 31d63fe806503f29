#include "service/journal.h"

#include "domain/entry.h"
#include "domain/packed.h"
#include "engine/command.h"
#include "service/check.h"
#include "service/shape.h"

#include <string.h>

typedef Alliance__V1__JournalEntry Entry;
typedef Alliance__V1__Lot Lot;

bool journal_check_member(const struct call *call, const char *bank_id, const char *member_ref, struct error *err)
{
    return check_own(call, "bank_id", bank_id, err) && check_id("bank_id", bank_id, err) &&
           check_member_ref("member_ref", member_ref, err) && check_no_card_number("member_ref", member_ref, err);
}

bool journal_find_subject(struct errand *errand, const char *bank_id, const char *member_ref,
                          struct journal_subject *subject, struct error *err)
{
    struct journal_member_params params = { .member_id = command_member_id(bank_id, member_ref) };
    bool found;

    subject->bank = reference_bank(errand->reference, bank_id);
    if (!subject->bank)
        return error_field(err, REASON_BANK_NOT_FOUND, "bank_id", "%s", "");
    params.bucket = member_hash16(&params.member_id) % errand->reference->buckets;
    subject->bucket = params.bucket;
    subject->member_id = params.member_id;
    if (!db_fetch_one(errand->db, &journal_find_member, &params, &errand->call->arena, &subject->row, &found, err))
        return false;
    return found || error_field(err, REASON_MEMBER_NOT_FOUND, "member_ref", "%s", "");
}

const char *journal_funding_id(const struct bank *bank, int32_t funding_no)
{
    const struct funding *funding = funding_no ? reference_funding_no(bank, funding_no) : NULL;

    return funding ? funding->id : "";
}

static bool shape_lots(struct arena *arena, const struct bank *bank, const struct lots *lots, Entry *entry)
{
    entry->lots = arena_alloc(arena, (lots->count + 1) * sizeof(Lot *));
    for (size_t i = 0; entry->lots && i < lots->count; i++) {
        Lot *lot = shape_new(arena, &alliance__v1__lot__descriptor);
        if (!lot || !(lot->expires_on = shape_date(arena, lots->at[i].expires_on)))
            return false;
        lot->points = lots->at[i].points;
        lot->funding_id = shape_text(arena, journal_funding_id(bank, lots->at[i].funding_no));
        if (!lot->funding_id)
            return false;
        entry->lots[entry->n_lots++] = lot;
    }
    return entry->lots != NULL;
}

/* Time causes some: what lapses or expires has no request. */
static bool shape_causes(struct arena *arena, const struct journal_row *row, Entry *entry)
{
    char text[REDEMPTION_ID_TEXT];
    bool by_time = uuid_is_zero(&row->ref) || row->kind == ENTRY_LAPSE ||
                   (row->kind == ENTRY_FORFEIT && uuid_compare(&row->ref, &row->redemption_id) == 0);

    uuid_format(&row->ref, text);
    if (!by_time && !(entry->request_id = shape_text(arena, text)))
        return false;
    if (uuid_is_zero(&row->redemption_id))
        return true;
    redemption_id_format(&row->redemption_id, member_hash16(&row->member_id), text);
    return (entry->redemption_id = shape_text(arena, text)) != NULL;
}

/* Copied: the reference is given back before the reply is packed. */
static bool shape_parties(struct arena *arena, const struct reference *reference, const struct journal_row *row,
                          Entry *entry)
{
    const struct merchant *merchant = row->merchant_no ? reference_merchant_no(reference, row->merchant_no) : NULL;
    const struct store_place *store = merchant && row->store_no ? reference_store_no(merchant, row->store_no) : NULL;

    entry->merchant_id = shape_text(arena, merchant ? merchant->id : "");
    entry->store_id = shape_text(arena, store ? store->id : "");
    return entry->merchant_id && entry->store_id;
}

static bool shape_money_of(struct arena *arena, const struct journal_row *row, Entry *entry)
{
    if (!row->currency[0])
        return true;
    entry->gross = shape_money(arena, row->currency, row->gross_minor);
    entry->commission = shape_money(arena, row->currency, row->commission_minor);
    return entry->gross && entry->commission;
}

static void shape_numbers(const struct journal_row *row, Entry *entry)
{
    enum ledger_account from, to;

    entry_accounts(row->kind, &from, &to);
    entry->seq = row->seq;
    entry->kind = (char *)(uintptr_t)entry_kind_name(row->kind);
    entry->points = row->points;
    entry->from = (char *)(uintptr_t)ledger_account_name(from);
    entry->to = (char *)(uintptr_t)ledger_account_name(to);
    entry->available_after = row->available_after;
    entry->held_after = row->held_after;
    entry->pending_after = row->pending_after;
    entry->credit_used_after = row->credit_used_after;
    entry->credit_limit_after = row->credit_limit_after;
    entry->rules_version = row->rules_version;
    entry->terms_version = row->terms_version;
    entry->hash.data = (uint8_t *)(uintptr_t)row->hash.at;
    entry->hash.len = row->hash.size;
}

Entry *journal_shape(struct errand *errand, const struct bank *bank, const struct journal_row *row, struct error *err)
{
    struct arena *arena = &errand->call->arena;
    Entry *entry = shape_new(arena, &alliance__v1__journal_entry__descriptor);
    struct lots lots;

    if (!unpack_lots(row->lots.at, row->lots.size, &lots)) {
        error_set(err, REASON_INTERNAL, "a stored journal entry is not possible");
        return NULL;
    }
    if (entry) {
        shape_numbers(row, entry);
        entry->business_date = shape_date(arena, row->business_date);
        entry->time = shape_instant(arena, row->at);
    }
    if (entry && entry->business_date && entry->time && shape_parties(arena, errand->reference, row, entry) &&
        shape_causes(arena, row, entry) && shape_money_of(arena, row, entry) && shape_lots(arena, bank, &lots, entry))
        return entry;
    errand_no_room(err);
    return NULL;
}
