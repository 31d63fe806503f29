/*
 * doc_zm.c -- a pair's lines in fixed width, as UnionPay's ZM has them: 42 fields, 607 bytes a record, GBK, CRLF. Only
 * for parties whose account asks for it. ops/mappings/README.md tells the fields.
 *
 * One blank between fields. Numbers are filled up with zeros, a signed one is C (the merchant gets) or D (it gives) and
 * digits; text is filled up with blanks. A name may be cut; what else does not fit its width ends the close, for a
 * number with digits missing is another number.
 */
#include "doc_writer.h"

#include <iconv.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define END "\r\n"

enum kind { TEXT, NAME, DIGITS, SIGNED };
/* Those that we have something for; the others are blank, or zero. The layout's own order, from 0. */
enum {
    ZM_CODE,
    ZM_BANK,
    ZM_OPERATOR,
    ZM_TRACE,
    ZM_TIME,
    ZM_AMOUNT = 6,
    ZM_QUERY_ID = 9,
    ZM_ORDER_ID = 11,
    ZM_FEE = 15,
    ZM_NET,
    ZM_TYPE = 19,
    ZM_SUBTYPE,
    ZM_STATEMENT = 24,
    ZM_MERCHANT = 27,
    ZM_STORE = 30,
    ZM_CLEARED = 32,
    ZM_REQUEST = 34,
    ZM_ORIGINAL_ORDER = 40,
    ZM_RESERVED,
    ZM_FIELDS
};
static const struct {
    int width;
    enum kind kind;
} fields[] = {
    { 3, TEXT },    { 11, TEXT },   { 11, TEXT },   { 6, DIGITS },  { 10, TEXT },   { 19, TEXT }, { 12, DIGITS },
    { 4, TEXT },    { 2, TEXT },    { 21, TEXT },   { 2, TEXT },    { 32, TEXT },   { 2, TEXT },  { 6, TEXT },
    { 10, TEXT },   { 13, SIGNED }, { 13, SIGNED }, { 4, TEXT },    { 15, TEXT },   { 2, TEXT },  { 2, TEXT },
    { 6, TEXT },    { 2, TEXT },    { 4, TEXT },    { 32, TEXT },   { 1, TEXT },    { 21, TEXT }, { 15, TEXT },
    { 1, TEXT },    { 15, TEXT },   { 32, TEXT },   { 13, SIGNED }, { 13, SIGNED }, { 8, TEXT },  { 32, TEXT },
    { 13, SIGNED }, { 13, SIGNED }, { 12, DIGITS }, { 2, DIGITS },  { 1, TEXT },    { 32, TEXT }, { 98, NAME },
};
_Static_assert(COUNT(fields) == ZM_FIELDS && ZM_FIELDS == 42, "the layout's fields");

struct value {
    const char *text; /* NULL: none */
    int64_t number;
};

struct zm {
    struct new_file *file;
    iconv_t gbk;
    int64_t misfit; /* the first line with something that does not fit; 0: none */
};

static bool begin_zm(const struct statement_doc *doc, struct new_file *file, void **state, struct error *err)
{
    struct zm *zm = calloc(1, sizeof *zm);

    (void)doc;
    *state = zm;
    if (!zm)
        return error_set(err, REASON_INTERNAL, "out of memory");
    zm->file = file;
    zm->gbk = iconv_open("GBK", "UTF-8");
    if (zm->gbk != (iconv_t)-1)
        return true;
    zm->gbk = NULL;
    return error_set(err, REASON_INTERNAL, "the system cannot write GBK");
}

/* In GBK, cut to the width without cutting a character; what GBK does not have is a "?". True when all of it fits. */
static bool put_text(struct zm *zm, const char *text, size_t width)
{
    char cell[128], *out = cell, *in = (char *)(uintptr_t)text;
    size_t room = width, left = strlen(text);

    iconv(zm->gbk, NULL, NULL, NULL, NULL);
    while (left > 0 && room > 0 && iconv(zm->gbk, &in, &left, &out, &room) == (size_t)-1 && room > 0) {
        size_t skip = 1;
        while (skip < left && ((unsigned char)in[skip] & 0xC0) == 0x80)
            skip++;
        if ((unsigned char)*in >= 0x80 && room < 2)
            break; /* the last byte of the field cannot hold a character of two */
        *out++ = '?';
        room--;
        in += skip;
        left -= skip;
    }
    memset(out, ' ', room);
    new_file_write(zm->file, cell, width);
    return left == 0;
}

static bool put_number(struct zm *zm, int64_t number, bool with_sign, int width)
{
    char text[64];
    int digits = width - with_sign;
    int n = snprintf(text, sizeof text, "%s%0*" PRId64,
                     !with_sign   ? ""
                     : number < 0 ? "D"
                                  : "C",
                     digits, with_sign && number < 0 ? -number : number);

    new_file_write(zm->file, text, (size_t)width);
    return n == width && (with_sign || number >= 0);
}

static void put_record(struct zm *zm, const struct value values[ZM_FIELDS], int64_t line)
{
    for (size_t i = 0; i < ZM_FIELDS; i++) {
        const char *text = values[i].text ? values[i].text : "";
        bool fits, is_text = fields[i].kind == TEXT || fields[i].kind == NAME;
        if (i > 0)
            new_file_text(zm->file, " ");
        fits = is_text ? put_text(zm, text, (size_t)fields[i].width)
                       : put_number(zm, values[i].number, fields[i].kind == SIGNED, fields[i].width);
        if (!fits && fields[i].kind != NAME && zm->misfit == 0)
            zm->misfit = line;
    }
    new_file_text(zm->file, END);
}

/* Without dashes: 32 digits. */
static void bare_uuid(const struct uuid *id, char text[UUID_TEXT])
{
    char dashed[UUID_TEXT];
    size_t at = 0;

    uuid_format(id, dashed);
    for (size_t i = 0; dashed[i]; i++) {
        if (dashed[i] != '-')
            text[at++] = dashed[i];
    }
    text[at] = '\0';
}

/* "2017-01-31T12:00:05Z" as "0131120005". */
static void short_time(struct instant at, char text[16])
{
    char full[INSTANT_TEXT];

    instant_format(at, full);
    snprintf(text, 16, "%.2s%.2s%.2s%.2s%.2s", full + 5, full + 8, full + 11, full + 14, full + 17);
}

/* What the layout has no field for: currency, business date, points, the end of the redemption_id, who it is. */
static void reserved_text(const struct statement_doc *doc, const struct sheet_line *line, char text[512])
{
    char day[DATE_TEXT];

    date_format(line->business_date, day);
    snprintf(text, 512, "%s %.4s%.2s%.2s %c%012" PRId64 " %02x%02x %s", doc->sheet->currency, day, day + 5, day + 8,
             line->points < 0 ? 'D' : 'C', line->points < 0 ? -line->points : line->points, line->member_id.bytes[0],
             line->member_id.bytes[1], doc_party_name(&doc->party));
}

static void zm_line(void *state, const struct statement_doc *doc, const struct sheet_line *line)
{
    char bank[DOC_ID_TEXT], operator_[DOC_ID_TEXT], merchant[DOC_ID_TEXT], at[16], query[48], day[DATE_TEXT];
    char order[UUID_TEXT], request[UUID_TEXT], reserved[512];

    doc_party_code(&doc->other, bank);
    doc_party_code(&doc->operator_, operator_);
    doc_party_code(&doc->party, merchant);
    short_time(line->at, at);
    date_format(line->business_date, day);
    snprintf(query, sizeof query, "%.4s%.2s%.2s%013" PRId64, day, day + 5, day + 8, line->number);
    bare_uuid(&line->redemption_id, order);
    bare_uuid(&line->request_id, request);
    reserved_text(doc, line, reserved);
    const struct value values[ZM_FIELDS] = {
        [ZM_CODE] = { .text = line->reversal ? "R01" : "S01" },
        [ZM_BANK] = { .text = bank },
        [ZM_OPERATOR] = { .text = operator_ },
        [ZM_TRACE] = { .number = line->number % 1000000 },
        [ZM_TIME] = { .text = at },
        [ZM_AMOUNT] = { .number = line->gross_minor < 0 ? -line->gross_minor : line->gross_minor },
        [ZM_QUERY_ID] = { .text = query },
        [ZM_ORDER_ID] = { .text = order },
        [ZM_FEE] = { .number = -line->commission_minor },
        [ZM_NET] = { .number = line->net_minor },
        [ZM_TYPE] = { .text = line->reversal ? "04" : "01" },
        [ZM_SUBTYPE] = { .text = line->reversal ? "00" : "01" },
        [ZM_STATEMENT] = { .text = doc->number },
        [ZM_MERCHANT] = { .text = merchant },
        [ZM_STORE] = { .text = line->store_id },
        [ZM_CLEARED] = { .number = line->net_minor },
        [ZM_REQUEST] = { .text = request },
        [ZM_ORIGINAL_ORDER] = { .text = line->reversal ? order : "" },
        [ZM_RESERVED] = { .text = reserved },
    };
    put_record(state, values, line->number);
}

static void abandon(void *state)
{
    struct zm *zm = state;

    if (zm && zm->gbk)
        iconv_close(zm->gbk);
    free(zm);
}

static bool end_zm(void *state, const struct statement_doc *doc, struct error *err)
{
    const struct zm *zm = state;
    int64_t misfit = zm->misfit;

    abandon(state);
    return misfit == 0 ||
           error_set(err, REASON_FIELD_INVALID,
                     "line %" PRId64 " of %.80s has more digits than a file of fixed width has room for; "
                     "set %.32s an account without it",
                     misfit, doc->id, doc->party.id);
}

const struct doc_writer fixed_width_writer = {
    .extension = "zm.txt",
    .types = 1 << SHEET_PAIR,
    .wish = DOC_FIXED_WIDTH,
    .begin = begin_zm,
    .line = zm_line,
    .end = end_zm,
    .abandon = abandon,
};
