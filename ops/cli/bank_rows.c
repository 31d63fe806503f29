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
    CURRENCY,
    AMOUNT,
    TRANSACTION_TIME,
    FUNDING_ID,
    PENDING_UNTIL,
    FIXED_POINTS,
    CATEGORY,
    MERCHANT_NAME,
    REVERSAL_OF
};

const struct row_column accrual_columns[ACCRUAL_COLUMNS] = {
    [TRANSACTION_REF] = { "transaction_ref", true },
    [ACCRUAL_MEMBER_REF] = { "member_ref", true },
    [CURRENCY] = { "currency", true },
    [AMOUNT] = { "amount", true },
    [TRANSACTION_TIME] = { "transaction_time", true },
    [FUNDING_ID] = { "funding_id", false },
    [PENDING_UNTIL] = { "pending_until", false },
    [FIXED_POINTS] = { "fixed_points", false },
    [CATEGORY] = { "merchant_category_code", false },
    [MERCHANT_NAME] = { "merchant_name", false },
    [REVERSAL_OF] = { "reversal_of", false },
};

static bool out_of_memory(struct error *err)
{
    return error_set(err, REASON_INTERNAL, "out of memory");
}

/* A value that must be there and must not be a card number. */
static bool take_ref(const char *const *values, size_t column, const char *name, struct arena *arena, char **out,
                     struct error *err)
{
    const char *value = values[column];

    if (!*value)
        return error_field(err, REASON_FIELD_INVALID, name, "must not be empty");
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

/* Both may be left out: then the bank pays, and the rules say when points are spendable. */
static bool take_terms(const char *const *values, Alliance__V1__AccrualRow *row, struct arena *arena, struct error *err)
{
    const char *until = values[PENDING_UNTIL];

    row->pending_event = strcasecmp(until, "EVENT") == 0;
    return take_text(values[FUNDING_ID], arena, &row->funding_id, err) &&
           take_text(row->pending_event ? "" : until, arena, &row->pending_until, err);
}

/* Where, how many points whatever the rules say, and which purchase it takes back: each may be left out. */
static bool take_spend(const char *const *values, Alliance__V1__AccrualRow *row, struct arena *arena, struct error *err)
{
    const char *points = values[FIXED_POINTS];

    return (!*points || whole_parse(points, "fixed_points", 0, POINTS_MAX, &row->fixed_points, err)) &&
           take_text(values[CATEGORY], arena, &row->merchant_category_code, err) &&
           take_text(values[MERCHANT_NAME], arena, &row->merchant_name, err) &&
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
    bool read = take_ref(values, TRANSACTION_REF, "transaction_ref", arena, &row->transaction_ref, err) &&
                take_ref(values, ACCRUAL_MEMBER_REF, "member_ref", arena, &row->member_ref, err) &&
                take_amount(values, money, arena, err) && take_time(values[TRANSACTION_TIME], time, err) &&
                take_terms(values, row, arena, err) && take_spend(values, row, arena, err);
    return read ? row : NULL;
}
