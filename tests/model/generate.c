/* generate.c -- what a caller with bad luck or bad intentions would send next. */
#include "generate.h"

#include "domain/redemption_id.h"

#include <endian.h>
#include <stdio.h>
#include <string.h>

#define HOUR_US INT64_C(3600000000)

int64_t chance(struct generator *generator, int64_t below)
{
    generator->seed = generator->seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return below > 0 ? (int64_t)((generator->seed >> 33) % (uint64_t)below) : 0;
}

int64_t nasty(struct generator *generator, int64_t there)
{
    switch (chance(generator, 16)) {
    case 0:
        return 0;
    case 1:
        return chance(generator, 2) ? INT64_MAX : POINTS_MAX;
    case 2:
        return generator->wild ? (chance(generator, 2) ? -1 : INT64_MIN) : POINTS_MAX + 1;
    case 3:
    case 4:
        return there;
    case 5:
        return there < INT64_MAX ? there + 1 : there;
    case 6:
        return there > 1 ? there - 1 : 1;
    case 7:
    case 8:
        return 1;
    default:
        return 1 + chance(generator, there > 0 ? there : 9);
    }
}

struct uuid generate_id(struct generator *generator)
{
    uint8_t random[10] = { 0 };

    generator->serial++;
    memcpy(random + 6, &(uint32_t){ htobe32((uint32_t)generator->serial) }, sizeof(uint32_t));
    return uuid_v7((struct instant){ generator->id_time_us }, random);
}

/* Two commands of equal kind and numbers are equal in content; everything a repeat must keep is in here. */
static void fill_content(struct generator *generator, struct command *command, int64_t number)
{
    int64_t content[4] = { (int64_t)command->kind, number, chance(generator, 1 << 20), 0 };

    memcpy(command->content_hash, content, sizeof command->content_hash);
}

static struct command fresh(struct generator *generator, enum command_kind kind, size_t name)
{
    struct command command = {
        .kind = kind,
        .request_id = generate_id(generator),
        .member_id = generator->name[name].id,
        .hash16 = member_hash16(&generator->name[name].id),
        .programme_no = 1,
        .bank_no = generator->name[name].bank_no,
        .member_ref = generator->name[name].ref,
        .deadline_us = INT64_MAX,
    };

    return command;
}

/* Mostly somebody who is there; sometimes somebody who is not yet. */
static size_t any_name(struct generator *generator)
{
    return (size_t)chance(generator, (int64_t)generator->names);
}

static const struct model_member *member_of(const struct generator *generator, size_t name)
{
    int place = model_member(generator->model, &generator->name[name].id);

    return place < 0 ? NULL : &generator->model->members[place];
}

static size_t name_of(const struct generator *generator, const struct uuid *member_id)
{
    size_t name = 0;

    while (uuid_compare(&generator->name[name].id, member_id) != 0)
        name++;
    return name;
}

static struct generated_text *text_of(struct generator *generator)
{
    return &generator->texts[generator->text_used];
}

/* Members */

/* Nobody comes back: so that the world does not run out of members, half of those there are stay. */
static bool may_close(const struct generator *generator)
{
    size_t closed = 0;

    for (size_t i = 0; i < generator->model->member_count; i++)
        closed += generator->model->members[i].status == MEMBER_CLOSED;
    return 2 * closed < generator->model->member_count;
}

void generate_set_member(struct generator *generator, struct command *command, size_t name)
{
    *command = fresh(generator, COMMAND_SET_MEMBER, name);
    static const int16_t statuses[] = { 0, MEMBER_FROZEN, MEMBER_CLOSED, MEMBER_DECEASED };
    struct credit_wish *credit = &command->member.credit;
    bool there = member_of(generator, name) != NULL;

    command->member.status = MEMBER_ACTIVE;
    if (chance(generator, there ? 4 : 12) == 0)
        command->member.status = statuses[chance(generator, COUNT(statuses))];
    if (command->member.status == MEMBER_CLOSED && there && !may_close(generator))
        command->member.status = 0;
    command->member.has_tier = chance(generator, 4) == 0;
    command->member.tier = (int16_t)chance(generator, 4);
    credit->by_tier = chance(generator, 3) == 0;
    credit->limit = credit->by_tier ? 0 : chance(generator, 2) * chance(generator, 60);
    if (chance(generator, 3) == 0) {
        credit->temporary.points = chance(generator, 60);
        credit->temporary.first.days = generator->model->facts.today - 3 + (int32_t)chance(generator, 12);
        credit->temporary.last.days = credit->temporary.first.days + (int32_t)chance(generator, 8);
    }
}

static void set_member(struct generator *generator, struct command *command)
{
    generate_set_member(generator, command, any_name(generator));
}

/* A transaction that is new, or, where repeats are wanted, one that earned before. */
static void accrue(struct generator *generator, struct command *command)
{
    size_t name = any_name(generator), count = generator->model->accruals.count;
    bool again = generator->repeats && count > 0 && chance(generator, 8) == 0;
    const struct model_accrual *earlier =
        again ? &generator->model->accruals.at[count - 1 - (size_t)chance(generator, 20) % count] : NULL;
    char *fresh_ref = generator->transactions[generator->serial % TRANSACTIONS_MAX];

    if (earlier)
        name = name_of(generator, &generator->model->members[earlier->member].id);
    else
        snprintf(fresh_ref, sizeof generator->transactions[0], "t%llu", (unsigned long long)generator->serial);
    *command = fresh(generator, COMMAND_ACCRUE, name);
    command->accrue = (struct accrue_order){
        .transaction_ref = earlier ? earlier->transaction_ref : fresh_ref,
        .amount_minor = chance(generator, 20) ? 1 + chance(generator, 60) : nasty(generator, 100),
        .currency = "CNY",
        .funding_no = generator->fundings ? (int32_t)chance(generator, generator->fundings + 1) : 0,
        .by_event = chance(generator, 6) == 0,
    };
    if (earlier && chance(generator, 2))
        command->accrue.amount_minor = earlier->amount_minor;
    if (command->accrue.amount_minor <= 0 && !generator->wild)
        command->accrue.amount_minor = 1;
    if (command->accrue.amount_minor > 0 && chance(generator, 10) == 0)
        command->accrue.fixed_points = 1 + chance(generator, 80);
    if (chance(generator, 40) == 0)
        memcpy(command->accrue.currency, "EUR", CURRENCY_TEXT);
    if (!command->accrue.by_event && chance(generator, 4) == 0)
        command->accrue.pending_until.days = generator->model->facts.today - 1 + (int32_t)chance(generator, 5);
    command->request_id =
        command_accrual_id(generator->bank_ids[command->bank_no], command->member_ref, command->accrue.transaction_ref);
    memset(command->content_hash, 0, sizeof command->content_hash);
    memcpy(command->content_hash, &command->accrue.amount_minor, sizeof command->accrue.amount_minor);
}

static void hold_lines(struct generator *generator, struct command *command)
{
    struct order_lines *lines = &text_of(generator)->lines;
    int64_t left = command->hold.points;

    lines->count = 0;
    if (left < 2 || left > POINTS_MAX || chance(generator, 3) > 0)
        return;
    size_t count = 1 + (size_t)chance(generator, chance(generator, 6) ? 4 : LINES_MAX);
    for (; lines->count < count && left > 0; lines->count++) {
        struct order_line *line = &lines->at[lines->count];
        int64_t points = lines->count + 1 == count ? left : 1 + chance(generator, left);
        *line = (struct order_line){ .points = points };
        snprintf(line->id, sizeof line->id, "line-%zu", lines->count);
        left -= points;
    }
    if (left > 0)
        lines->at[lines->count - 1].points += left;
    command->hold.lines = lines;
}

static void hold(struct generator *generator, struct command *command)
{
    size_t name = any_name(generator);
    const struct model_member *member = member_of(generator, name);

    *command = fresh(generator, chance(generator, 4) ? COMMAND_HOLD : COMMAND_REDEEM, name);
    command->merchant_no = 1 + (int32_t)chance(generator, generator->merchants);
    command->redemption_id = command->request_id;
    command->hold =
        (struct hold_order){ .points = chance(generator, 3) ? 1 + chance(generator, 12)
                                                            : nasty(generator, member ? model_spendable(member) : 5),
                             .lapse_after_us = (1 + chance(generator, 60)) * HOUR_US,
                             .terminal_id = "t1",
                             .card = (uint64_t)chance(generator, 3) };
    if (!generator->wild && command->hold.points < 1)
        command->hold.points = 0;
    if (generator->goods && chance(generator, 12) == 0) {
        command->hold.goods_no = 1;
        command->hold.quantity = 1 + chance(generator, 3);
        const struct price *price = generator->model->facts.prices[1];
        if (chance(generator, 3))
            command->hold.points = price->minor * command->hold.quantity;
        const struct exchange_rules *rules = member ? generator->model->facts.rules[member->bank_no] : NULL;
        if (rules && rules->set && chance(generator, 3))
            command->hold.points = model_cost(generator->model, (int)(member - generator->model->members), command);
    }
    hold_lines(generator, command);
    fill_content(generator, command, command->hold.points);
}

/* Redemptions: the newest are the likeliest. */

static const struct model_redemption *any_redemption(struct generator *generator)
{
    size_t count = generator->model->redemptions.count;
    int64_t back = chance(generator, chance(generator, 3) ? 6 : 200);

    return (size_t)back < count ? &generator->model->redemptions.at[count - 1 - (size_t)back] : NULL;
}

static bool on_redemption(struct generator *generator, struct command *command, enum command_kind kind)
{
    const struct model_redemption *redemption = any_redemption(generator);

    if (!redemption)
        return false;
    const struct model_member *member = &generator->model->members[redemption->member];
    *command = (struct command){ .kind = kind,
                                 .request_id = generate_id(generator),
                                 .redemption_id = redemption->id,
                                 .hash16 = member_hash16(&member->id),
                                 .programme_no = 1,
                                 .bank_no = member->bank_no,
                                 .merchant_no = redemption->merchant_no,
                                 .deadline_us = INT64_MAX };
    if (chance(generator, 60) == 0)
        command->merchant_no = redemption->merchant_no % generator->merchants + 1;
    if (kind == COMMAND_CONFIRM && chance(generator, 3) == 0)
        command->part.points = nasty(generator, redemption->asked);
    if (kind == COMMAND_REVERSE && chance(generator, 4))
        command->part.points = nasty(generator, redemption->confirmed - redemption->reversed);
    if (kind == COMMAND_REVERSE && redemption->line_count && chance(generator, 2)) {
        const struct order_line *line = &redemption->lines[chance(generator, (int64_t)redemption->line_count)];
        static const char *const ids[] = { "line-0", "line-1", "line-2", "line-3" };
        size_t place = (size_t)(line - redemption->lines);
        command->part.line_id = place < COUNT(ids) ? ids[place] : "line-0";
        if (chance(generator, 2))
            command->part.points = nasty(generator, line->points - line->reversed_points);
    } else if (kind == COMMAND_REVERSE && chance(generator, 40) == 0) {
        command->part = (struct part_order){ 1, "no such line" };
    }
    if (kind == COMMAND_EXTEND)
        command->extend.lapse_after_us = (1 + chance(generator, 100)) * HOUR_US;
    fill_content(generator, command, command->part.points);
    return true;
}

static void confirm(struct generator *generator, struct command *command)
{
    if (!on_redemption(generator, command, COMMAND_CONFIRM))
        hold(generator, command);
}

static void cancel(struct generator *generator, struct command *command)
{
    if (!on_redemption(generator, command, COMMAND_CANCEL))
        hold(generator, command);
}

static void reverse(struct generator *generator, struct command *command)
{
    if (!on_redemption(generator, command, COMMAND_REVERSE))
        hold(generator, command);
}

static void extend(struct generator *generator, struct command *command)
{
    if (!on_redemption(generator, command, COMMAND_EXTEND))
        hold(generator, command);
}

/* Accruals */

static void on_accrual(struct generator *generator, struct command *command, enum command_kind kind)
{
    size_t count = generator->model->accruals.count;
    size_t place = (size_t)chance(generator, (int64_t)count);

    for (size_t tried = 0; count && tried < 20; tried++) { /* what waits for an event is what matures */
        if (kind != COMMAND_MATURE || chance(generator, 10) == 0 ||
            generator->model->accruals.at[place].matures_on == MATURES_BY_EVENT.days)
            break;
        place = (place + 1) % count;
    }
    if (count == 0) {
        accrue(generator, command);
        return;
    }
    const struct model_accrual *accrual = &generator->model->accruals.at[place];
    const struct model_member *member = &generator->model->members[accrual->member];
    *command = fresh(generator, kind, name_of(generator, &member->id));
    command->accrual_id = accrual->id;
    if (chance(generator, 60) == 0)
        command->accrual_id.bytes[0] ^= 0xff;
    if (chance(generator, 2))
        command->part.points =
            nasty(generator, kind == COMMAND_MATURE ? accrual->pending : accrual->points - accrual->clawed);
    fill_content(generator, command, command->part.points);
}

static void mature(struct generator *generator, struct command *command)
{
    on_accrual(generator, command, COMMAND_MATURE);
}

static void claw_back(struct generator *generator, struct command *command)
{
    on_accrual(generator, command, COMMAND_CLAW_BACK);
}

/* A purchase is returned, in any part of what it was; now and then under a name that is taken. */
static void return_purchase(struct generator *generator, struct command *command)
{
    size_t count = generator->model->accruals.count;

    if (!generator->repeats || count == 0) {
        claw_back(generator, command);
        return;
    }
    on_accrual(generator, command, COMMAND_REVERSE_ACCRUAL);
    const struct model_accrual *accrual = model_accrual(generator->model, &command->accrual_id);
    int64_t left = accrual ? accrual->amount_minor - accrual->returned_minor : 3;
    int64_t amount = chance(generator, 3) ? 1 + chance(generator, 12) : nasty(generator, left);
    command->spend_back = (struct spend_back_order){ .amount_minor = amount > 0 ? amount : 1 };
    memcpy(command->spend_back.currency, chance(generator, 30) ? "CNY" : "EUR", CURRENCY_TEXT);
    const struct model_accrual *other = &generator->model->accruals.at[chance(generator, (int64_t)count)];
    if (accrual && other->member == accrual->member && chance(generator, 3) == 0)
        command->request_id = other->id;
    fill_content(generator, command, amount);
}

/* By hand */

static void adjust(struct generator *generator, struct command *command)
{
    size_t name = any_name(generator);
    const struct model_member *member = member_of(generator, name);
    int64_t points =
        chance(generator, 3) ? 1 + chance(generator, 20) : nasty(generator, member ? model_available(member) : 5);

    *command = fresh(generator, COMMAND_ADJUST, name);
    command->adjust.points = points != INT64_MIN && chance(generator, 2) ? -points : points;
    command->adjust.funding_no = generator->fundings ? (int32_t)chance(generator, generator->fundings + 1) : 0;
    fill_content(generator, command, points);
}

static void reinstate(struct generator *generator, struct command *command)
{
    size_t name = any_name(generator);
    const struct model_member *member = member_of(generator, name);

    *command = fresh(generator, COMMAND_REINSTATE, name);
    command->reinstate.points = nasty(generator, member ? member->expired : 5);
    command->reinstate.expires_on.days = generator->model->facts.today + 1 + (int32_t)chance(generator, 40);
    fill_content(generator, command, command->reinstate.points);
}

static void set_state(struct generator *generator, struct command *command)
{
    static const enum command_kind kinds[] = { COMMAND_SET_STATUS, COMMAND_SET_CREDIT_LIMIT, COMMAND_SET_TIER };
    size_t which = (size_t)chance(generator, COUNT(kinds));

    *command = fresh(generator, kinds[which], any_name(generator));
    command->number = which == 0   ? (chance(generator, 3) ? MEMBER_ACTIVE : MEMBER_FROZEN)
                      : which == 1 ? chance(generator, 3) * chance(generator, 30)
                                   : chance(generator, 4);
    fill_content(generator, command, command->number);
}

static void close_member(struct generator *generator, struct command *command)
{
    if (!may_close(generator)) {
        set_member(generator, command);
        return;
    }
    *command = fresh(generator, COMMAND_CLOSE, any_name(generator));
    fill_content(generator, command, 0);
}

/* Transfers */

static void send_points(struct generator *generator, struct command *command)
{
    size_t name = any_name(generator), to = any_name(generator);
    const struct model_member *member = member_of(generator, name);

    *command = fresh(generator, COMMAND_SEND, name);
    while (to == name)
        to = any_name(generator);
    command->send = (struct send_order){ .merge = chance(generator, 6) == 0 && may_close(generator),
                                         .to_member_id = generator->name[to].id,
                                         .to_member_ref = generator->name[to].ref,
                                         .parcel = text_of(generator)->sent };
    if (!command->send.merge)
        command->send.points =
            chance(generator, 3) ? 1 + chance(generator, 9) : nasty(generator, member ? model_available(member) : 5);
    fill_content(generator, command, command->send.points);
}

static struct parcel *pack(struct generator *generator, const struct model_transfer *transfer)
{
    struct parcel *parcel = &text_of(generator)->parcel;
    struct heaps left = transfer->heaps, in_order = { 0 };
    struct waits waits = transfer->waits;

    heaps_take_first(&left, heaps_points(&left), &in_order);
    parcel->lots.count = in_order.count;
    for (size_t i = 0; i < in_order.count; i++)
        parcel->lots.at[i] =
            (struct lot){ { in_order.at[i].expires_on }, in_order.at[i].funding_no, in_order.at[i].points };
    parcel->pending_lots.count = waits.count;
    for (size_t i = waits.count; i > 0; i--) {
        int last = waits_last(&waits);
        const struct wait *wait = &waits.at[last];
        parcel->pending_lots.at[i - 1] =
            (struct pending_lot){ { wait->matures_on }, { wait->expires_on }, wait->funding_no, wait->points };
        waits_remove(&waits, last);
    }
    parcel->credit = transfer->credit;
    parcel->status_before = transfer->status_before;
    parcel->merge = transfer->merge;
    return parcel;
}

static const struct model_operation *operation_of(const struct model *model, const struct uuid *id)
{
    for (size_t i = model->operations.count; i > 0; i--) {
        if (uuid_compare(&model->operations.at[i - 1].id, id) == 0)
            return &model->operations.at[i - 1];
    }
    return NULL;
}

/* A step is made from the transfer alone, so that a second walk over it makes the very same. */
static void step_of(struct generator *generator, struct command *command, const struct model_transfer *transfer,
                    const struct model_operation *received)
{
    const struct model_member *giver = &generator->model->members[transfer->from];
    size_t name = name_of(generator, received ? &giver->id : &transfer->to);

    *command = fresh(generator, received ? COMMAND_SETTLE : COMMAND_RECEIVE, name);
    command->request_id = command_transfer_step(&transfer->id, received ? "settle" : "receive");
    command->transfer = (struct transfer_order){ .transfer_id = transfer->id,
                                                 .parcel = pack(generator, transfer),
                                                 .reason = received ? received->answer.reason : REASON_OK };
    memcpy(command->content_hash, transfer->id.bytes, sizeof transfer->id.bytes);
    memset(command->content_hash + 16, received ? 2 : 1, 16);
}

/* The next step of a transfer that is on its way, or, now and then, one that was made already. */
static void go_on_with_transfer(struct generator *generator, struct command *command)
{
    struct model *model = generator->model;
    size_t known = generator->transfers_known, sent = model->transfers.count;
    size_t count = known < sent ? known : sent, place = (size_t)chance(generator, (int64_t)count);
    bool any = generator->repeats && chance(generator, 10) == 0;

    for (size_t i = 0; i < count; i++, place = (place + 1) % count) {
        const struct model_transfer *transfer = &model->transfers.at[place];
        if (transfer->state != 1 && !any)
            continue;
        const struct uuid receive = command_transfer_step(&transfer->id, "receive");
        step_of(generator, command, transfer, any && chance(generator, 2) ? NULL : operation_of(model, &receive));
        return;
    }
    send_points(generator, command);
}

/* What time alone does, as the sweeper asks for it. */
void generate_tidy(struct generator *generator, struct command *command, size_t name)
{
    *command = fresh(generator, COMMAND_TIDY, name);
}

static void tidy(struct generator *generator, struct command *command)
{
    generate_tidy(generator, command, any_name(generator));
}

/* An earlier id, with the same content or with another. */
static void again(struct generator *generator, struct command *command)
{
    size_t count = generator->earlier.count;

    if (count == 0) {
        accrue(generator, command);
        return;
    }
    int64_t back = chance(generator, chance(generator, 2) ? 4 : (int64_t)count);
    *command = generator->earlier.at[count - 1 - (size_t)back % count];
    command->answer = (struct answer){ 0 };
    if (command->kind == COMMAND_SEND)
        command->send.parcel = text_of(generator)->sent;
    if (chance(generator, 3) == 0)
        command->content_hash[31] ^= 0x55;
}

/* How often of 1000. */
static const struct {
    int weight;
    void (*make)(struct generator *generator, struct command *command);
} kinds[] = {
    { 155, accrue },
    { 230, hold },
    { 120, confirm },
    { 60, cancel },
    { 110, reverse },
    { 30, extend },
    { 30, mature },
    { 40, claw_back },
    { 20, return_purchase },
    { 40, adjust },
    { 25, reinstate },
    { 45, set_state },
    { 25, set_member },
    { 4, close_member },
    { 26, send_points },
    { 35, go_on_with_transfer },
    { 5, tidy },
};

/* What is pointed to dies with the batch, so only commands without such are kept. */
static bool can_be_repeated(const struct command *command)
{
    static const bool can[COMMAND_KIND_COUNT] = {
        [COMMAND_CONFIRM] = true,         [COMMAND_CANCEL] = true, [COMMAND_REVERSE] = true,
        [COMMAND_EXTEND] = true,          [COMMAND_MATURE] = true, [COMMAND_CLAW_BACK] = true,
        [COMMAND_REVERSE_ACCRUAL] = true, [COMMAND_ADJUST] = true, [COMMAND_REINSTATE] = true,
        [COMMAND_SET_STATUS] = true,      [COMMAND_CLOSE] = true,  [COMMAND_SET_CREDIT_LIMIT] = true,
        [COMMAND_SET_TIER] = true,        [COMMAND_SEND] = true,
    };
    bool opens = (command->kind == COMMAND_HOLD || command->kind == COMMAND_REDEEM) && !command->hold.lines;

    return opens || can[command->kind];
}

void generate(struct generator *generator, struct command *command)
{
    int64_t drawn = chance(generator, 1000);
    size_t i = 0;

    if (generator->repeats && chance(generator, 12) == 0) {
        again(generator, command);
    } else {
        while (drawn >= kinds[i].weight)
            drawn -= kinds[i++].weight;
        kinds[i].make(generator, command);
        if (generator->repeats && can_be_repeated(command))
            *LIST_ADD(&generator->earlier) = *command;
    }
    generator->text_used = (generator->text_used + 1) % GENERATED_MAX;
}

/* Time */

static int64_t next_lapse(const struct model *model)
{
    int64_t next = INT64_MAX;

    for (size_t i = 0; i < model->redemptions.count; i++) {
        const struct model_redemption *redemption = &model->redemptions.at[i];
        if (redemption->state == REDEMPTION_HELD && redemption->lapse_at > model->facts.now &&
            redemption->lapse_at < next)
            next = redemption->lapse_at;
    }
    return next;
}

static int32_t next_due(const struct model *model)
{
    int32_t next = INT32_MAX, today = model->facts.today;

    for (size_t i = 0; i < model->member_count; i++) {
        const struct model_member *member = &model->members[i];
        for (size_t k = 0; k < member->heaps.count; k++) {
            if (member->heaps.at[k].expires_on > today && member->heaps.at[k].expires_on < next)
                next = member->heaps.at[k].expires_on;
        }
        if (member->other.last.days && member->other.first.days > today && member->other.first.days < next)
            next = member->other.first.days;
        else if (member->other.last.days >= today && member->other.last.days + 1 < next)
            next = member->other.last.days + 1;
        for (size_t k = 0; k < member->waits.count; k++) {
            if (member->waits.at[k].matures_on > today && member->waits.at[k].matures_on < next)
                next = member->waits.at[k].matures_on;
        }
    }
    return next;
}

/* The date never runs ahead of the clock: a day that begins takes the clock along. */
void generate_time(struct generator *generator)
{
    struct model_facts *facts = &generator->model->facts;
    int64_t lapse = next_lapse(generator->model), before = facts->now;
    int32_t due = next_due(generator->model), day = facts->today;

    if (lapse != INT64_MAX && chance(generator, 3) == 0)
        facts->now = lapse - chance(generator, 2); /* the very instant, or just before */
    else
        facts->now += chance(generator, 2) ? chance(generator, 20) * HOUR_US : chance(generator, 10);
    if (due != INT32_MAX && due < facts->today + 500 && chance(generator, 4) == 0)
        facts->today = due - (int32_t)chance(generator, 2);
    else if (chance(generator, 3) == 0)
        facts->today += (int32_t)chance(generator, 4);
    if (facts->today < day)
        facts->today = day;
    if (facts->now < before)
        facts->now = before;
    if (facts->now < facts->today * INT64_C(86400000000))
        facts->now = facts->today * INT64_C(86400000000);
}
