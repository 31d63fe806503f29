#include "points_rows.h"
#include "statement_json.h"

static bool put_row(void *owner, const struct points_row *row, struct error *err)
{
    struct json_out *out = owner;

    (void)err;
    json_new_line(out);
    json_open(out, NULL, "{");
    json_text(out, "part", points_part_name(row->part));
    json_text(out, "item", row->item);
    json_text(out, "fundingId", row->funding_id);
    json_int32(out, "fromDays", row->has_age ? row->from_days : 0);
    json_int32(out, "toDays", row->has_age ? row->to_days : 0);
    json_int64(out, "entries", row->entries);
    json_int64(out, "points", row->points);
    json_int64(out, "rateNum", row->rate_num);
    json_int64(out, "rateDen", row->rate_den);
    json_text(out, "currencyCode", row->currency);
    json_int64(out, "amountMinor", row->amount_minor);
    json_close(out, "}");
    return true;
}

bool statement_json_points(struct json_out *out, const struct points_page *page, const char *currency,
                           struct error *err)
{
    json_new_line(out);
    json_open(out, "points", "[");
    if (!points_rows_each(page, currency, put_row, out, err))
        return false;
    json_close(out, "]");
    return true;
}
