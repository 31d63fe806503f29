#include "service/balance.h"

bool balance_overdue(const struct account *account, struct instant now)
{
    for (size_t i = 0; i < account->hold_count; i++) {
        if (account->holds[i].lapse_at.us <= now.us)
            return true;
    }
    return false;
}

static struct balance_hold *find(struct balance_hold *holds, size_t count, const struct uuid *id)
{
    for (size_t i = 0; i < count; i++) {
        if (uuid_compare(&holds[i].id, id) == 0)
            return &holds[i];
    }
    return NULL;
}

/* As redemption_lapse gives back. */
static struct give_back_terms terms_of(struct date business_date, const struct exchange_rules *rules)
{
    return (struct give_back_terms){
        .today = business_date,
        .grace_days = rules ? rules->reinstate_grace_days : 0,
        .new_expiry = rules ? rules_expiry(rules, business_date) : date_month_start(business_date, 13),
    };
}

void balance_apply(struct account *account, struct balance_hold *holds, size_t hold_count, struct instant now,
                   struct date business_date, const struct exchange_rules *rules)
{
    struct give_back_terms terms = terms_of(business_date, rules);
    struct lots moved;

    for (size_t i = 0; i < account->hold_count;) {
        struct uuid id = account->holds[i].id;
        bool overdue = account->holds[i].lapse_at.us <= now.us;
        struct balance_hold *hold = overdue ? find(holds, hold_count, &id) : NULL;
        if (!hold) {
            i++;
            continue;
        }
        account_release(account, &hold->draws, hold->points, &terms, &moved);
        account_close_hold(account, &id);
    }
    while (account->pending_lots.count > 0 && account->pending_lots.at[0].matures_on.days <= business_date.days) {
        struct pending_lot due = account->pending_lots.at[0];
        account_mature(account, &due, due.points, due.expires_on);
    }
    account_expire(account, business_date, &moved);
    (void)credit_follow(account, business_date, credit_tier_limit(account, rules, account->tier));
}
