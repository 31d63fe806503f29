#include "service/check.h"

#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const int64_t REQUEST_BACK_US = INT64_C(35) * 86400 * US_PER_SECOND;
static const int64_t REQUEST_AHEAD_US = INT64_C(5) * 60 * US_PER_SECOND;

bool check_within(struct error *err, const char *format, ...)
{
    char inner[ERROR_FIELD_MAX], outer[ERROR_FIELD_MAX];
    va_list args;

    va_start(args, format);
    vsnprintf(outer, sizeof outer, format, args);
    va_end(args);
    memcpy(inner, err->field, sizeof inner);
    size_t n = strnlen(outer, sizeof outer - 1);
    memcpy(err->field, outer, n + 1);
    if (inner[0])
        snprintf(err->field + n, sizeof err->field - n, ".%s", inner);
    return false;
}

bool check_own(const struct call *call, const char *field, const char *id, struct error *err)
{
    return call->principal.role == ROLE_OPERATOR || strcmp(call->principal.id, id) == 0 ||
           error_field(err, REASON_NOT_YOURS, field, "must be the caller's own, as its certificate says");
}

bool check_second_person(const struct call *call, const char *first, struct error *err)
{
    const struct principal *caller = &call->principal;
    const char *person = caller->role == ROLE_OPERATOR ? caller->id : caller->person;

    if (!person[0])
        return error_set(err, REASON_PERSON_NEEDED, "%s", "");
    return strcmp(person, first) != 0 || error_set(err, REASON_SECOND_PERSON_NEEDED, "%s", "");
}

bool check_id(const char *field, const char *id, struct error *err)
{
    return text_is_id(id, ID_MAX) ||
           error_field(err, REASON_FIELD_INVALID, field, "must be 1 to %d of a-z, 0-9 and \"-\"", ID_MAX);
}

bool check_id_or_none(const char *field, const char *id, struct error *err)
{
    return text_empty(id) || check_id(field, id, err);
}

static bool has_control(const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
            return true;
    }
    return false;
}

bool check_text(const char *field, const char *text, size_t min, size_t max, struct error *err)
{
    size_t n = strnlen(text, max + 1);

    if (n < min || n > max)
        return error_field(err, REASON_FIELD_INVALID, field, "must be %zu to %zu bytes long", min, max);
    return (text_utf8(text, n) && !has_control(text, n)) ||
           error_field(err, REASON_FIELD_INVALID, field, "must be UTF-8 without control characters");
}

bool check_name(const char *field, const char *name, struct error *err)
{
    return check_text(field, name, 1, NAME_BYTES_MAX, err);
}

bool check_range(const char *field, int64_t value, int64_t min, int64_t max, struct error *err)
{
    return (value >= min && value <= max) ||
           error_field(err, REASON_FIELD_INVALID, field, "must be %lld to %lld", (long long)min, (long long)max);
}

bool check_set(const char *field, const void *message, struct error *err)
{
    return message || error_field(err, REASON_FIELD_INVALID, field, "must be set");
}

bool check_category(const char *field, const char *code, int32_t *category, struct error *err)
{
    size_t digits = strspn(code, "0123456789");

    *category = (int32_t)strtol(code, NULL, 10);
    return text_empty(code) || (digits == 4 && code[4] == '\0') ||
           error_field(err, REASON_FIELD_INVALID, field, "must be four digits");
}

bool check_currency(const char *field, const char *currency, struct error *err)
{
    return text_is_currency(currency) ||
           error_field(err, REASON_FIELD_INVALID, field, "must be an ISO 4217 code: three capital letters");
}

bool check_money(const char *field, const Alliance__V1__Money *money, int64_t max, struct error *err)
{
    return check_set(field, money, err) && ((check_currency("currency_code", money->currency_code, err) &&
                                             check_range("amount_minor", money->amount_minor, 1, max, err)) ||
                                            check_within(err, "%s", field));
}

bool check_ratio(const char *field, const Alliance__V1__Ratio *ratio, struct error *err)
{
    return check_set(field, ratio, err) &&
           ((check_range("num", ratio->num, 1, RATIO_MAX, err) && check_range("den", ratio->den, 1, RATIO_MAX, err)) ||
            check_within(err, "%s", field));
}

bool check_member_ref(const char *field, const char *ref, struct error *err)
{
    return text_is_ref(ref, MEMBER_REF_MAX, "._-") ||
           error_field(err, REASON_FIELD_INVALID, field, "must be 1 to %d letters, digits and \". _ -\"",
                       MEMBER_REF_MAX);
}

bool check_card_token(const char *field, const char *token, struct error *err)
{
    return (text_is_ref(token, TOKEN_MAX, "_-") && strlen(token) >= TOKEN_MIN) ||
           error_field(err, REASON_FIELD_INVALID, field, "must be %d to %d letters, digits, \"_\" and \"-\"", TOKEN_MIN,
                       TOKEN_MAX);
}

bool check_no_card_number(const char *field, const char *text, struct error *err)
{
    return !text_is_card_number(text) ||
           error_field(err, REASON_CARD_NUMBER_REFUSED, field, "looks like a card number; send a token instead");
}

bool check_points(const char *field, int64_t points, struct error *err)
{
    if (points <= 0)
        return error_field(err, REASON_POINTS_NOT_POSITIVE, field, "must be greater than zero");
    return check_points_or_all(field, points, err);
}

bool check_points_or_all(const char *field, int64_t points, struct error *err)
{
    if (points < 0)
        return error_field(err, REASON_POINTS_NOT_POSITIVE, field, "must be greater than zero, or 0 for all");
    return points <= POINTS_MAX ||
           error_field(err, REASON_POINTS_TOO_MANY, field, "must be at most %lld", (long long)POINTS_MAX);
}

bool check_request_id(const char *text, struct instant now, struct uuid *id, struct error *err)
{
    if (!uuid_parse(text, id) || uuid_version(id) != 7)
        return error_field(err, REASON_REQUEST_ID_INVALID, "request_id", "must be a UUID of version 7");
    int64_t at = uuid_v7_time(id).us;
    return (at >= now.us - REQUEST_BACK_US && at <= now.us + REQUEST_AHEAD_US) ||
           error_field(err, REASON_REQUEST_ID_TIME, "request_id",
                       "its time must lie within 35 days back and 5 minutes ahead of the server's clock");
}

bool check_timestamp(const char *field, const Google__Protobuf__Timestamp *timestamp, struct instant *out,
                     struct error *err)
{
    static const int64_t year_1 = INT64_C(-62135596800), year_10000 = INT64_C(253402300800);

    if (timestamp->seconds < year_1 || timestamp->seconds >= year_10000 || timestamp->nanos < 0 ||
        timestamp->nanos > 999999999)
        return error_field(err, REASON_FIELD_INVALID, field, "must be a valid timestamp of the years 1 to 9999");
    out->us = timestamp->seconds * US_PER_SECOND + timestamp->nanos / 1000;
    return true;
}

bool check_duration(const char *field, const Google__Protobuf__Duration *duration, int64_t min_us, int64_t max_us,
                    int64_t *out_us, struct error *err)
{
    bool whole = duration->seconds >= 0 && duration->seconds <= max_us / US_PER_SECOND && duration->nanos >= 0 &&
                 duration->nanos <= 999999999;
    int64_t us = whole ? duration->seconds * US_PER_SECOND + duration->nanos / 1000 : -1;

    if (us < min_us || us > max_us)
        return error_field(err, REASON_FIELD_INVALID, field, "must be %lld s to %lld s",
                           (long long)(min_us / US_PER_SECOND), (long long)(max_us / US_PER_SECOND));
    *out_us = us;
    return true;
}

bool check_date(const char *field, const char *text, struct date *out, struct error *err)
{
    return date_parse(text, out) || error_field(err, REASON_FIELD_INVALID, field, "must be a date as YYYY-MM-DD");
}

/* The rest of an URL after the host: nothing, a port, a path. */
static bool host_ends(const char *rest)
{
    return *rest == '\0' || *rest == ':' || *rest == '/';
}

static bool is_loopback(const char *url)
{
    static const char *const hosts[] = { "http://127.0.0.1", "http://localhost", "http://[::1]" };

    for (size_t i = 0; i < COUNT(hosts); i++) {
        size_t n = strlen(hosts[i]);
        if (strncmp(url, hosts[i], n) == 0 && host_ends(url + n))
            return true;
    }
    return false;
}

/* Printable ASCII without blanks, and no user name, which could hide where the request really goes. */
static bool is_plain(const char *url, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (url[i] <= 0x20 || url[i] >= 0x7f || url[i] == '@' || url[i] == '\\')
            return false;
    }
    return true;
}

bool check_url(const char *field, const char *url, bool allow_loopback, struct error *err)
{
    size_t n = strnlen(url, URL_MAX + 1);
    bool https = strncmp(url, "https://", 8) == 0 && url[8] != '\0' && url[8] != '/' && url[8] != ':';

    if (n <= URL_MAX && is_plain(url, n) && (https || (allow_loopback && is_loopback(url))))
        return true;
    return error_field(err, REASON_FIELD_INVALID, field, "must be an https address of at most %d characters%s", URL_MAX,
                       allow_loopback ? ", or http to this machine" : "");
}
