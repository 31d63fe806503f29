#include "bank_rows.h"

#include "base/limits.h"
#include "base/text.h"
#include "base/when.h"
#include "io/amount.h"

#include <alliance/v1/bank_service.pb-c.h>
#include <string.h>
#include <strings.h>

enum {
    TRANSACTION_REF,
    ACCRUAL_MEMBER_REF,
    CARD_TOKEN,
    CURRENCY,
    AMOUNT,
    TRANSACTION_TIME,
    FUNDING_ID,
    PENDING_UNTIL,
    FIXED_POINTS,
    CATEGORY,
    MERCHANT_NAME,
    MERCHANT_ID,
    CHANNEL,
    PAID_WITH_POINTS,
    REVERSAL_OF
};

const struct row_column accrual_columns[ACCRUAL_COLUMNS] = {
    [TRANSACTION_REF] = { "transaction_ref", true },
    [ACCRUAL_MEMBER_REF] = { "member_ref", false }, /* a row has this or the next */
    [CARD_TOKEN] = { "card_token", false },
    [CURRENCY] = { "currency", true },
    [AMOUNT] = { "amount", true },
    [TRANSACTION_TIME] = { "transaction_time", true },
    [FUNDING_ID] = { "funding_id", false },
    [PENDING_UNTIL] = { "pending_until", false },
    [FIXED_POINTS] = { "fixed_points", false },
    [CATEGORY] = { "merchant_category_code", false },
    [MERCHANT_NAME] = { "merchant_name", false },
    [MERCHANT_ID] = { "merchant_id", false },
    [CHANNEL] = { "channel", false },
    [PAID_WITH_POINTS] = { "paid_with_points", false },
    [REVERSAL_OF] = { "reversal_of", false },
};

static bool out_of_memory(struct error *err)
{
    return error_set(err, REASON_INTERNAL, "out of memory");
}

static bool take_ref(const char *const *values, struct arena *arena, char **out, struct error *err)
{
    const char *value = values[TRANSACTION_REF];

    if (!*value)
        return error_field(err, REASON_FIELD_INVALID, "transaction_ref", "must not be empty");
    *out = arena_copy(arena, value, strlen(value));
    return *out || out_of_memory(err);
}

static bool take_amount(const char *const *values, Alliance__V1__Money *money, struct arena *arena, struct error *err)
{
    const char *currency = values[CURRENCY];
    struct error why = { 0 };

    if (!text_is_currency(currency))
        return error_field(err, REASON_FIELD_INVALID, "currency", "must be three capital letters, such as CNY");
    money->currency_code = arena_copy(arena, currency, 3);
    if (!money->currency_code)
        return out_of_memory(err);
    return amount_parse(values[AMOUNT], currency, &money->amount_minor, &why) ||
           error_field(err, why.reason, "amount", "%s", error_text(&why));
}

static bool take_time(const char *text, Google__Protobuf__Timestamp *time, struct error *err)
{
    struct instant instant;

    if (!instant_parse(text, &instant))
        return error_field(err, REASON_FIELD_INVALID, "transaction_time",
                           "must be an instant with time zone, such as 2017-01-31T12:00:00Z");
    int64_t rest = instant.us % US_PER_SECOND;
    rest += rest < 0 ? US_PER_SECOND : 0;
    time->seconds = (instant.us - rest) / US_PER_SECOND;
    time->nanos = (int32_t)rest * 1000;
    return true;
}

static bool take_text(const char *text, struct arena *arena, char **out, struct error *err)
{
    return !*text || (*out = arena_copy(arena, text, strlen(text))) != NULL || out_of_memory(err);
}

/* Who earns: the member by its name, or by a card. */
static bool take_who(const char *const *values, Alliance__V1__AccrualRow *row, struct arena *arena, struct error *err)
{
    bool by_card = *values[CARD_TOKEN];

    if (by_card && *values[ACCRUAL_MEMBER_REF])
        return error_field(err, REASON_FIELD_INVALID, "member_ref", "must be empty where card_token is not");
    if (!by_card && !*values[ACCRUAL_MEMBER_REF])
        return error_field(err, REASON_FIELD_INVALID, "member_ref", "must not be empty, unless card_token says who");
    return take_text(values[ACCRUAL_MEMBER_REF], arena, &row->member_ref, err) &&
           take_text(values[CARD_TOKEN], arena, &row->card_token, err);
}

/* Before anything leaves the machine. One in ten reference numbers of 12 digits would pass for a card's; those have 13.
 */
static bool check_no_card_numbers(const char *const *values, struct error *err)
{
    static const size_t columns[] = { TRANSACTION_REF, ACCRUAL_MEMBER_REF, CARD_TOKEN, MERCHANT_NAME, REVERSAL_OF };

    for (size_t i = 0; i < COUNT(columns); i++) {
        const char *value = values[columns[i]];
        bool is_ref = columns[i] == TRANSACTION_REF || columns[i] == REVERSAL_OF;
        if (text_is_card_number(value) && (!is_ref || strlen(value) > 12))
            return error_field(err, REASON_CARD_NUMBER_REFUSED, accrual_columns[columns[i]].name,
                               "is a card number; send a token");
    }
    return true;
}

/* Both may be left out: then the bank pays, and the rules say when points are spendable. */
static bool take_terms(const char *const *values, Alliance__V1__AccrualRow *row, struct arena *arena, struct error *err)
{
    const char *until = values[PENDING_UNTIL];

    row->pending_event = strcasecmp(until, "EVENT") == 0;
    return take_text(values[FUNDING_ID], arena, &row->funding_id, err) &&
           take_text(row->pending_event ? "" : until, arena, &row->pending_until, err);
}

/* A part of the amount, in its currency. */
static bool take_paid_with_points(const char *const *values, Alliance__V1__AccrualRow *row, struct error *err)
{
    struct error why = { 0 };

    return !*values[PAID_WITH_POINTS] ||
           amount_parse(values[PAID_WITH_POINTS], values[CURRENCY], &row->paid_with_points_minor, &why) ||
           error_field(err, why.reason, "paid_with_points", "%s", error_text(&why));
}

/* Where, how many points whatever the rules say, and which purchase it takes back: each may be left out. */
static bool take_spend(const char *const *values, Alliance__V1__AccrualRow *row, struct arena *arena, struct error *err)
{
    const char *points = values[FIXED_POINTS];

    return (!*points || whole_parse(points, "fixed_points", 0, POINTS_MAX, &row->fixed_points, err)) &&
           take_text(values[CATEGORY], arena, &row->merchant_category_code, err) &&
           take_text(values[MERCHANT_NAME], arena, &row->merchant_name, err) &&
           take_text(values[MERCHANT_ID], arena, &row->merchant_id, err) &&
           take_text(values[CHANNEL], arena, &row->channel, err) && take_paid_with_points(values, row, err) &&
           take_text(values[REVERSAL_OF], arena, &row->reversal_of, err);
}

void *accrual_read(const char *const *values, int64_t row_number, struct arena *arena, struct error *err)
{
    Alliance__V1__AccrualRow *row = arena_alloc(arena, sizeof *row);
    Alliance__V1__Money *money = arena_alloc(arena, sizeof *money);
    Google__Protobuf__Timestamp *time = arena_alloc(arena, sizeof *time);

    if (!row || !money || !time) {
        out_of_memory(err);
        return NULL;
    }
    alliance__v1__accrual_row__init(row);
    alliance__v1__money__init(money);
    google__protobuf__timestamp__init(time);
    row->row_number = row_number;
    row->amount = money;
    row->transaction_time = time;
    bool read = check_no_card_numbers(values, err) && take_ref(values, arena, &row->transaction_ref, err) &&
                take_who(values, row, arena, err) && take_amount(values, money, arena, err) &&
                take_time(values[TRANSACTION_TIME], time, err) && take_terms(values, row, arena, err) &&
                take_spend(values, row, arena, err);
    return read ? row : NULL;
}
