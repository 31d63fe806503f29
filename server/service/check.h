/*
 * check.h -- is this field what the contract says? One function a kind of field; nothing is looked up.
 *
 * Each answers true, or false with *err naming the field and what would be right; a value is never quoted, so that
 * nothing personal gets into an answer or a log. Inner messages name their fields as seen from themselves;
 * check_within puts the outer name before. Pure: time is an argument.
 */
#ifndef SERVICE_CHECK_H
#define SERVICE_CHECK_H

#include "base/error.h"
#include "base/uuid.h"
#include "base/when.h"
#include "service/call.h"

#include <alliance/v1/types.pb-c.h>
#include <google/protobuf/duration.pb-c.h>
#include <google/protobuf/timestamp.pb-c.h>

enum { NAME_BYTES_MAX = 100, TOKEN_MAX = 64, TOKEN_MIN = 8, URL_MAX = 500 };

/* Always false: "rates[2]" before "conversion_rate.num" in err->field. */
bool check_within(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The caller may act for this id only (NOT_YOURS). Operators may act for any. */
bool check_own(const struct call *call, const char *field, const char *id, struct error *err) MUST_USE;

/*
 * The caller is a person other than `first`, the one who did the first step: PERSON_NEEDED when the caller's
 * certificate names none, SECOND_PERSON_NEEDED. A first step by a machine of the bank's has first == "".
 */
bool check_second_person(const struct call *call, const char *first, struct error *err) MUST_USE;

/* Ids the operator gives: 1 to 32 of a-z, 0-9, "-". */
bool check_id(const char *field, const char *id, struct error *err) MUST_USE;
/* The same or empty. */
bool check_id_or_none(const char *field, const char *id, struct error *err) MUST_USE;
/* Bytes of UTF-8; control characters are refused. */
bool check_text(const char *field, const char *text, size_t min, size_t max, struct error *err) MUST_USE;
bool check_name(const char *field, const char *name, struct error *err) MUST_USE;
bool check_range(const char *field, int64_t value, int64_t min, int64_t max, struct error *err) MUST_USE;
/* A nested message that must be there. */
bool check_set(const char *field, const void *message, struct error *err) MUST_USE;
/* Four digits, or empty: *category 0. */
bool check_category(const char *field, const char *code, int32_t *category, struct error *err) MUST_USE;
bool check_currency(const char *field, const char *currency, struct error *err) MUST_USE;
/* The message is named `field`; its own fields are named within it. Money from 1 to max minor units. */
bool check_money(const char *field, const Alliance__V1__Money *money, int64_t max, struct error *err) MUST_USE;
bool check_ratio(const char *field, const Alliance__V1__Ratio *ratio, struct error *err) MUST_USE;
/* Shape only; whether it looks like a card number is asked later, see check_no_card_number. */
bool check_member_ref(const char *field, const char *ref, struct error *err) MUST_USE;
/* A card token's shape; as for a member_ref, what it looks like is asked later. */
bool check_card_token(const char *field, const char *token, struct error *err) MUST_USE;
/* CARD_NUMBER_REFUSED */
bool check_no_card_number(const char *field, const char *text, struct error *err) MUST_USE;
/* POINTS_NOT_POSITIVE, POINTS_TOO_MANY: 1 to POINTS_MAX. */
bool check_points(const char *field, int64_t points, struct error *err) MUST_USE;
/* The same, or 0 for all there is. */
bool check_points_or_all(const char *field, int64_t points, struct error *err) MUST_USE;
/* A version 7 uuid (REQUEST_ID_INVALID) of 35 days back to 5 minutes ahead of now, the wall clock (REQUEST_ID_TIME). */
bool check_request_id(const char *text, struct instant now, struct uuid *id, struct error *err) MUST_USE;
/* Years 1 to 9999; what is below a microsecond is dropped. */
bool check_timestamp(const char *field, const Google__Protobuf__Timestamp *timestamp, struct instant *out,
                     struct error *err) MUST_USE;
bool check_duration(const char *field, const Google__Protobuf__Duration *duration, int64_t min_us, int64_t max_us,
                    int64_t *out_us, struct error *err) MUST_USE;
/* "YYYY-MM-DD" */
bool check_date(const char *field, const char *text, struct date *out, struct error *err) MUST_USE;
/* https, or http to 127.0.0.1, localhost or [::1] when loopback is allowed. */
bool check_url(const char *field, const char *url, bool allow_loopback, struct error *err) MUST_USE;

#endif
