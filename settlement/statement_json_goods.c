#include "doc.h"
#include "statement_json.h"

void statement_json_goods(struct json_out *out, const struct statement_doc *doc)
{
    if (doc->goods.count == 0)
        return;
    json_new_line(out);
    json_open(out, "goods", "[");
    for (size_t i = 0; i < doc->goods.count; i++) {
        const struct doc_sum *sum = &doc->goods.at[i];
        int64_t gross = sum->confirmed_gross + sum->reversed_gross;
        int64_t commission = sum->confirmed_commission + sum->reversed_commission;
        json_new_line(out);
        json_open(out, NULL, "{");
        json_text(out, "goodsId", sum->label);
        json_int64(out, "confirmedCount", sum->confirmed_count);
        json_int64(out, "confirmedPoints", sum->confirmed_points);
        json_int64(out, "reversedCount", sum->reversed_count);
        json_int64(out, "reversedPoints", sum->reversed_points);
        json_int64(out, "grossMinor", gross);
        json_int64(out, "commissionMinor", commission);
        json_int64(out, "netMinor", gross - commission);
        json_close(out, "}");
    }
    json_close(out, "]");
}
