/*
 * journal_balance.c -- GetBalanceAt: the balances after the newest entry at an instant, less what had expired by then
 * and was not booked yet.
 *
 * Expiry is booked by whatever touches the member next, on a later day. What it booked tells what was over already at
 * the instant: of the lots it took, those whose last day had come. Between the instant and that entry there can only be
 * what time does first (holds that lapse, points that mature); what these gave is no part of what there was then.
 * When nothing touched the member since, the account's lots tell. So the answer is exact, with two exceptions: a
 * member who had as many lots as one may have, so that points given by time joined another lot; and entries from before
 * lots were kept with them, whose expiry counts only on the very day it was booked.
 *
 * The business date of the instant is its day in the programme's zone, but not later than the date under which the next
 * entry was booked, or than the open one: a day close may have come late.
 */
#include "service/bank_handlers.h"

#include "domain/entry.h"
#include "domain/packed.h"
#include "engine/command.h"
#include "service/check.h"
#include "service/journal.h"
#include "store/member_store.h"
#include "store/registry_store.h"

#include <string.h>

typedef Alliance__V1__GetBalanceAtRequest Asked;
typedef Alliance__V1__BalanceAt Reply;

/* Each open hold can lapse and leave something forfeited; then points mature, then they expire. */
enum { LOOK_AHEAD = 2 * OPEN_HOLDS_MAX + 4 };

static int64_t over_by(struct bytes packed, struct date day)
{
    struct lots lots;
    int64_t points = 0;

    if (!unpack_lots(packed.at, packed.size, &lots))
        return 0;
    for (size_t i = 0; i < lots.count; i++)
        points += lots.at[i].expires_on.days <= day.days ? lots.at[i].points : 0;
    return points;
}

static bool by_time_alone(int kind)
{
    return kind == ENTRY_LAPSE || kind == ENTRY_FORFEIT || kind == ENTRY_MATURE;
}

static struct date earlier(struct date a, struct date b)
{
    return a.days < b.days ? a : b;
}

/* What had expired on that day of the lots there were before these entries; the account's lots are after them. */
static int64_t not_yet_booked(const struct journal_row *next, size_t count, const struct journal_member_row *account,
                              struct date day)
{
    int64_t given = 0, over = 0;
    size_t i = 0;

    day = earlier(day, count > 0 ? next[0].business_date : account->business_date);
    for (; i < count && by_time_alone(next[i].kind) && (next[i].kind != ENTRY_MATURE || uuid_is_zero(&next[i].ref));
         i++)
        given += over_by(next[i].lots, day);
    if (i == count)
        over = over_by(account->lots, day);
    else if (next[i].kind == ENTRY_EXPIRE && next[i].lots.size > 0)
        over = over_by(next[i].lots, day);
    else if (next[i].kind == ENTRY_EXPIRE && next[i].business_date.days == day.days)
        over = next[i].points;
    return over > given ? over - given : 0;
}

static bool read_expired(struct errand *errand, const struct journal_subject *subject, const struct journal_row *at,
                         struct instant instant, int64_t *expired, struct error *err)
{
    const struct programme *programme = reference_programme_no(errand->reference, subject->row.programme_no);
    struct registry_day_params day_params = { programme ? programme->time_zone : "UTC", instant,
                                              programme ? programme->cut_off_minutes : 0 };
    struct journal_page_params params = { subject->bucket, subject->member_id, at->seq, LOOK_AHEAD };
    struct registry_day_row day;
    size_t count;
    void *next;
    bool found;

    if (!db_fetch_one(errand->db, &registry_day_in_zone, &day_params, &errand->call->arena, &day, &found, err) ||
        !db_fetch(errand->db, &journal_after, &params, &errand->call->arena, &next, &count, err))
        return false;
    *expired = found ? not_yet_booked(next, count, &subject->row, day.day) : 0;
    return true;
}

static bool reply_balance(struct errand *errand, const struct journal_row *at, int64_t expired, struct error *err)
{
    Reply *reply = errand_reply(errand, &alliance__v1__balance_at__descriptor, err);

    if (!reply)
        return false;
    reply->available_points = at->available_after - expired;
    reply->held_points = at->held_after;
    reply->pending_points = at->pending_after;
    reply->credit_used = at->credit_used_after;
    reply->credit_limit = at->credit_limit_after;
    reply->seq = at->seq;
    return true;
}

/* Within one snapshot. */
static bool read_balance(struct errand *errand, struct instant instant, struct error *err)
{
    const Asked *asked = (const Asked *)errand->request;
    struct journal_row at = { .seq = 0 };
    struct journal_subject subject;
    int64_t expired = 0;
    bool found;

    if (!journal_find_subject(errand, asked->bank_id, asked->member_ref, &subject, err))
        return false;
    if (instant.us > subject.row.now.us)
        return error_field(err, REASON_FIELD_INVALID, "time", "must not be later than the programme's time");
    struct journal_at_params params = { subject.bucket, subject.member_id, instant };
    if (!db_fetch_one(errand->db, &journal_newest_at, &params, &errand->call->arena, &at, &found, err))
        return false;
    if (found && !read_expired(errand, &subject, &at, instant, &expired, err))
        return false;
    return reply_balance(errand, &at, expired, err);
}

static bool balance_work(struct errand *errand, struct error *err)
{
    struct instant instant;

    if (!check_timestamp("time", ((const Asked *)errand->request)->time, &instant, err) ||
        !db_execute(errand->db, &member_begin_snapshot, NULL, NULL, err))
        return false;
    bool good = read_balance(errand, instant, err);
    db_rollback(errand->db);
    return good;
}

bool bank_get_balance_at(struct call *call, const ProtobufCMessage *request, struct error *err)
{
    const Asked *asked = (const Asked *)request;
    struct instant instant;

    return journal_check_member(call, asked->bank_id, asked->member_ref, err) && check_set("time", asked->time, err) &&
           check_timestamp("time", asked->time, &instant, err) && errand_read(call, request, balance_work, err);
}
