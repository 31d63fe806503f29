/*
 * statement_json.h -- Statement and StatementLine of settlement_service.proto in the proto3 JSON mapping.
 *
 * calculated_time is left out: a file must not depend on when it was made. All other fields are always written.
 */
#ifndef SETTLEMENT_STATEMENT_JSON_H
#define SETTLEMENT_STATEMENT_JSON_H

#include "files.h"
#include "json_out.h"
#include "sheet.h"

struct points_page;
struct statement_doc;

/* key NULL within an array. */
void statement_json(struct json_out *out, const char *key, const struct sheet *sheet, const char *programme_id,
                    const char *period);
/* SettlementPosting; amount as the statement's party sees it. */
void statement_json_posting(struct json_out *out, const struct books *books, const struct posting *posting,
                            int64_t number, int64_t amount);
/* The rows of a bank's points page, under "points". False when a cost does not fit. */
bool statement_json_points(struct json_out *out, const struct points_page *page, const char *currency,
                           struct error *err) MUST_USE;
/* The summary by goods, under "goods"; nothing at all when there is none. */
void statement_json_goods(struct json_out *out, const struct statement_doc *doc);
/* PositionPart: what of the closing position is kept, and let go, for what; under "kept", nothing when there is none.
 */
void statement_json_kept(struct json_out *out, const struct statement_doc *doc);
void statement_json_line(struct json_out *out, const struct sheet_line *line);

#endif
