#include "statement_json.h"

#include "digits.h"
#include "doc.h"
#include "domain/entry.h"

#include <stdio.h>
#include <string.h>

enum { LINE_PART = 512 };

static void totals_json(struct json_out *out, const struct totals *totals)
{
    json_open(out, "totals", "{");
    json_int64(out, "confirmedCount", totals->confirmed_count);
    json_int64(out, "confirmedPoints", totals->confirmed_points);
    json_int64(out, "reversedCount", totals->reversed_count);
    json_int64(out, "reversedPoints", totals->reversed_points);
    json_int64(out, "grossMinor", totals->gross_minor);
    json_int64(out, "commissionMinor", totals->commission_minor);
    json_int64(out, "netMinor", totals->net_minor);
    json_close(out, "}");
}

/* A pair has no position. */
static void position_json(struct json_out *out, const struct position *position)
{
    char due[DATE_TEXT];

    date_format(position->due_on, due);
    json_open(out, "position", "{");
    json_int64(out, "openingMinor", position->opening_minor);
    json_int64(out, "movementMinor", position->movement_minor);
    json_int64(out, "payableMinor", position->payable_minor);
    json_int64(out, "closingMinor", position->closing_minor);
    json_int64(out, "carriedMinor", position->carried_minor);
    json_int64(out, "heldBackMinor", position->held_back_minor);
    json_int64(out, "disputedMinor", position->disputed_minor);
    json_text(out, "dueDate", due);
    json_close(out, "}");
}

static void party_json(struct json_out *out, const char *key, const char *kind, const char *id)
{
    char type[24];

    snprintf(type, sizeof type, "PARTY_%s", kind);
    json_open(out, key, "{");
    json_text(out, "kind", type);
    json_text(out, "id", id);
    json_close(out, "}");
}

void statement_json_posting(struct json_out *out, const struct books *books, const struct posting *posting,
                            int64_t number, int64_t amount)
{
    char kind[48];

    snprintf(kind, sizeof kind, "POSTING_KIND_%s", posting_name(posting->kind));
    json_open(out, NULL, "{");
    json_int64(out, "postingNumber", number);
    json_text(out, "kind", kind);
    party_json(out, "from", party_name(posting->from.kind), books_id(books, posting->from));
    party_json(out, "to", party_name(posting->to.kind), books_id(books, posting->to));
    json_int64(out, "amountMinor", amount);
    json_text(out, "bankId", books_id(books, (struct party){ PARTY_BANK, posting->bank_no }));
    json_text(out, "merchantId", books_id(books, (struct party){ PARTY_MERCHANT, posting->merchant_no }));
    json_text(out, "refersTo", posting->refers_to);
    json_text(out, "note", posting->note);
    json_close(out, "}");
}

void statement_json(struct json_out *out, const char *key, const struct sheet *sheet, const char *programme_id,
                    const char *period)
{
    char id[SHEET_ID_TEXT], type[48], hex[2 * CRYPTO_HASH + 1];

    sheet_id(sheet, programme_id, period, id);
    snprintf(type, sizeof type, "STATEMENT_TYPE_%s", sheet_type_name(sheet->type));
    crypto_hex(sheet->content, CRYPTO_HASH, hex);
    json_open(out, key, "{");
    json_text(out, "statementId", id);
    json_text(out, "statementNumber", sheet->number);
    json_text(out, "programmeId", programme_id);
    json_text(out, "period", period);
    json_text(out, "type", type);
    json_text(out, "bankId", sheet->bank_id);
    json_text(out, "merchantId", sheet->merchant_id);
    json_text(out, "currencyCode", sheet->currency);
    json_text(out, "state", "STATEMENT_STATE_CALCULATED");
    totals_json(out, &sheet->totals);
    json_int64(out, "lineCount", sheet->line_count);
    json_text(out, "contentSha256", hex);
    crypto_hex(sheet->rows_root, CRYPTO_HASH, hex);
    json_text(out, "rowsRoot", hex);
    if (sheet->type != SHEET_PAIR) {
        json_text(out, "carrierId", sheet->carrier_id);
        position_json(out, &sheet->position);
    }
    json_close(out, "}");
}

void statement_json_kept(struct json_out *out, const struct statement_doc *doc)
{
    char kind[48];

    if (doc->kept_count == 0)
        return;
    json_new_line(out);
    json_open(out, "kept", "[");
    for (size_t i = 0; i < doc->kept_count; i++) {
        const struct keep *keep = &doc->kept[i];
        snprintf(kind, sizeof kind, "POSITION_PART_KIND_%s", keep_name(keep->kind));
        json_new_line(out);
        json_open(out, NULL, "{");
        json_text(out, "kind", kind);
        json_text(out, "refersTo", keep->refers_to);
        json_int64(out, "amountMinor", keep->amount_minor);
        json_close(out, "}");
    }
    json_close(out, "]");
}

/* A line's values by hand, as the calls of json_out.h would write them: a month has millions of them. */

static char *text_end(char *at)
{
    *at = '"';
    return at + 1;
}

static char *int64_value(char *at, int64_t value)
{
    return text_end(digits_int64(value, at));
}

/* Up to storeId, which may have to be escaped. */
static char *line_head(char *at, const struct sheet_line *line)
{
    at = int64_value(stpcpy(at, "\"lineNumber\":\""), line->number);
    at = stpcpy(at, ",\"businessDate\":\"");
    date_format(line->business_date, at);
    at = stpcpy(text_end(at + DATE_TEXT - 1), ",\"time\":\"");
    instant_format(line->at, at);
    at = stpcpy(text_end(at + strlen(at)), ",\"kind\":\"");
    at = text_end(stpcpy(at, entry_kind_name(line->reversal ? ENTRY_REVERSE : ENTRY_CONFIRM)));
    at = stpcpy(at, ",\"redemptionId\":\"");
    uuid_format(&line->redemption_id, at);
    at[UUID_TEXT - 1] = '.';
    crypto_hex(line->member_id.bytes, 2, at + UUID_TEXT);
    at = stpcpy(text_end(at + UUID_TEXT + 4), ",\"requestId\":\"");
    uuid_format(&line->request_id, at);
    return text_end(at + UUID_TEXT - 1);
}

static char *line_tail(char *at, const struct sheet_line *line)
{
    at = int64_value(stpcpy(at, ",\"points\":\""), line->points);
    at = int64_value(stpcpy(at, ",\"grossMinor\":\""), line->gross_minor);
    at = int64_value(stpcpy(at, ",\"commissionMinor\":\""), line->commission_minor);
    at = int64_value(stpcpy(at, ",\"netMinor\":\""), line->net_minor);
    at = digits_int64(line->rules_version, stpcpy(at, ",\"rulesVersion\":"));
    return digits_int64(line->terms_version, stpcpy(at, ",\"termsVersion\":"));
}

void statement_json_line(struct json_out *out, const struct sheet_line *line)
{
    char text[LINE_PART];
    _Static_assert(LINE_PART > 150 + 2 * UUID_TEXT + DATE_TEXT + INSTANT_TEXT + 6 * DIGITS_TEXT, "keys and values fit");

    json_open(out, NULL, "{");
    new_file_write(out->file, text, (size_t)(line_head(text, line) - text));
    out->follows = true;
    json_text(out, "storeId", line->store_id);
    new_file_write(out->file, text, (size_t)(line_tail(text, line) - text));
    json_close(out, "}");
}
