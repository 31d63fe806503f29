#include "domain/member.h"

#include <string.h>

struct entry *member_entry(struct entries *entries, struct account *account, const struct moment *moment,
                           enum entry_kind kind, int64_t points)
{
    struct entry *entry = &entries->at[entries->count++];

    *entry = (struct entry){
        .member_id = account->member_id,
        .seq = ++account->journal_seq,
        .business_date = moment->business_date,
        .at = moment->now,
        .kind = (int16_t)kind,
        .points = points,
        .available_after = account->available,
        .held_after = account->held,
        .credit_used_after = account->credit_used,
        .credit_limit_after = account->credit_limit,
        .programme_no = account->programme_no,
        .bank_no = account->bank_no,
    };
    return entry;
}

bool member_set(struct account *account, const struct member_wish *wish, const struct moment *moment,
                const struct uuid *ref, struct entries *entries)
{
    bool is_new = account->journal_seq == 0;
    bool same = account->status == wish->status && account->credit_limit == wish->credit_limit &&
                memcmp(account->profile_hash, wish->profile_hash, sizeof wish->profile_hash) == 0;

    if (same && !is_new)
        return false;
    account->status = wish->status;
    account->credit_limit = wish->credit_limit;
    memcpy(account->profile_hash, wish->profile_hash, sizeof wish->profile_hash);
    member_entry(entries, account, moment, ENTRY_MEMBER, 0)->ref = *ref;
    return true;
}

enum reason member_earn(struct account *account, const struct moment *moment, int64_t amount_minor,
                        const char *currency, const struct uuid *ref, int64_t *points, struct entries *entries)
{
    int64_t earned;

    if (!moment->rules)
        return REASON_NO_RULES_IN_FORCE;
    if (!rules_rate(moment->rules, currency))
        return REASON_CURRENCY_NOT_EXCHANGED;
    if (account->status == MEMBER_CLOSED)
        return REASON_MEMBER_CLOSED;
    enum reason reason = rules_points_earned(moment->rules, amount_minor, &earned);
    if (reason == REASON_OK)
        reason = account_earn(account, earned, rules_expiry(moment->rules, moment->business_date));
    if (reason != REASON_OK)
        return reason;
    struct entry *entry = member_entry(entries, account, moment, ENTRY_ACCRUE, earned);
    entry->ref = *ref;
    entry->rules_version = moment->rules->version;
    *points = earned;
    return REASON_OK;
}

bool member_expire(struct account *account, const struct moment *moment, struct entries *entries)
{
    int64_t points = account_expire(account, moment->business_date);

    if (points > 0)
        member_entry(entries, account, moment, ENTRY_EXPIRE, points);
    return points > 0;
}
