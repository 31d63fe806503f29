#include "recon_store.h"

#include "store/db.h"

#include <stdio.h>
#include <string.h>

/* Kinds 4 and 8 in the queries are ENTRY_CONFIRM and ENTRY_REVERSE, states 1 and 2 CONFIRM and REVERSE; classes are
 * enum recon_class. The other party of a pair is the merchant of a bank's record, and the bank of a merchant's. */
_Static_assert(RECON_CONFIRM == 1 && RECON_REVERSE == 2 && RECON_BANK == 1 && RECON_MERCHANT == 2, "as in the queries");
_Static_assert(RECON_DUPLICATE == 6 && RECON_MISSING_HERE == 7 && RECON_MISSING_THERE == 8, "as in the queries");
_Static_assert(RECON_GROUP_MAX == 64 && RECON_SUM_MAX == 64 && RECON_GROUPS == 128 && RECON_LUMPS == 10000,
               "as in the queries");

/* ---- parties ---- */

struct party_row {
    int32_t programme_no;
    int16_t side;
    const char *id;
    int32_t party_no;
};
static const struct column party_params[] = { COLUMN(struct party_row, programme_no), COLUMN(struct party_row, side),
                                              COLUMN(struct party_row, id) };
static const struct column party_columns[] = { COLUMN(struct party_row, party_no) };
static const struct statement find_party =
    STATEMENT("recon_party",
              "SELECT bank_no AS party_no FROM bank WHERE $2 = 1 AND programme_no = $1 AND bank_id = $3 UNION ALL "
              "SELECT merchant_no FROM merchant WHERE $2 = 2 AND programme_no = $1 AND merchant_id = $3",
              party_params, party_columns, sizeof(struct party_row));

bool recon_store_party(struct db *db, int32_t programme_no, enum recon_side side, const char *id, int32_t *party_no,
                       struct error *err)
{
    CLEANUP(arena_release) struct arena arena = { 0 };
    struct party_row row = { programme_no, (int16_t)side, id, 0 };
    bool found;

    if (!db_fetch_one(db, &find_party, &row, &arena, &row, &found, err))
        return false;
    *party_no = row.party_no;
    if (found)
        return true;
    return side == RECON_BANK
               ? error_set(err, REASON_BANK_NOT_FOUND, "the programme has no bank \"%.32s\"", id)
               : error_set(err, REASON_MERCHANT_NOT_FOUND, "the programme has no merchant \"%.32s\"", id);
}

struct lock_row {
    int64_t party;
    bool taken;
};
static const struct column lock_params[] = { COLUMN(struct lock_row, party) };
static const struct column lock_columns[] = { COLUMN(struct lock_row, taken) };
static const struct statement try_lock =
    STATEMENT("recon_lock", "SELECT pg_try_advisory_xact_lock(7300418, hashint8($1)) AS taken", lock_params,
              lock_columns, sizeof(struct lock_row));

bool recon_store_lock(struct db *db, const struct recon_scope *scope, bool *taken, struct error *err)
{
    CLEANUP(arena_release) struct arena arena = { 0 };
    struct lock_row row = { .party = (int64_t)scope->party_no * 4 + scope->party_type };
    bool found;

    if (!db_fetch_one(db, &try_lock, &row, &arena, &row, &found, err))
        return false;
    *taken = row.taken;
    return true;
}

/* ---- staging ---- */

static const char stage_sql[] =
    "CREATE TEMP TABLE recon_theirs (no int8, line int8, key text, key_kind smallint, uid uuid, hash int, day date, "
    "state smallint, amount int8, currency text, points int8, party text) ON COMMIT DROP;"
    "CREATE TEMP TABLE recon_row (side smallint, no int8, uid uuid, hash int, ref uuid, day date, state smallint, "
    "amount int8, currency text, points int8, bank_no int, merchant_no int) ON COMMIT DROP;"
    "CREATE TEMP TABLE recon_group (uid uuid, hash int, ours int8, theirs int8, simple boolean) ON COMMIT DROP;"
    "CREATE TEMP TABLE recon_todo (group_no int8, rank int8, side smallint, no int8, ref uuid, day date, state "
    "smallint, "
    "amount int8, currency text, points int8) ON COMMIT DROP;"
    "CREATE TEMP TABLE recon_left (no int8, uid uuid, ref uuid, day date, state smallint, amount int8, currency text, "
    "other_no int, taken_by int8) ON COMMIT DROP;"
    "CREATE TEMP TABLE recon_found (class smallint, our_no int8, their_no int8) ON COMMIT DROP";

bool recon_store_stage(struct db *db, struct error *err)
{
    return db_script(db, stage_sql, err);
}

struct line_row {
    int64_t no, line;
    const char *key;
    int16_t key_kind;
    struct uuid uid;
    int32_t hash;
    struct date day;
    int16_t state;
    int64_t amount;
    const char *currency;
    int64_t points;
    const char *party;
};
static const struct column line_fields[] = {
    COLUMN(struct line_row, no),       COLUMN(struct line_row, line),   COLUMN(struct line_row, key),
    COLUMN(struct line_row, key_kind), COLUMN(struct line_row, uid),    COLUMN(struct line_row, hash),
    COLUMN(struct line_row, day),      COLUMN(struct line_row, state),  COLUMN(struct line_row, amount),
    COLUMN(struct line_row, currency), COLUMN(struct line_row, points), COLUMN(struct line_row, party),
};
static const struct record_type line_write = { "recon_line_write", line_fields, COUNT(line_fields),
                                               sizeof(struct line_row) };
struct lines_params {
    struct record_array lines;
};
static const struct column lines_params[] = { RECORDS(struct lines_params, lines, &line_write) };
static const struct statement put_lines = COMMAND_STATEMENT(
    "recon_put_lines", "INSERT INTO recon_theirs SELECT * FROM unnest($1::recon_line_write[])", lines_params);

bool recon_store_add_theirs(struct db *db, const struct recon_record *records, int64_t first_no, size_t count,
                            struct error *err)
{
    CLEANUP(arena_release) struct arena arena = { 0 };
    struct line_row *rows = arena_alloc(&arena, (count + 1) * sizeof *rows);
    struct lines_params params = { { rows, count } };

    if (!rows)
        return error_set(err, REASON_INTERNAL, "out of memory");
    for (size_t i = 0; i < count; i++) {
        const struct recon_record *from = &records[i];
        struct recon_key key = recon_key_of(from->key);
        rows[i] = (struct line_row){
            .no = first_no + (int64_t)i,
            .line = from->line,
            .key = from->key,
            .key_kind = (int16_t)key.kind,
            .uid = key.id,
            .hash = key.hash16,
            .day = from->date,
            .state = (int16_t)from->state,
            .amount = from->amount_minor,
            .currency = from->currency,
            .points = from->points,
            .party = from->party,
        };
    }
    return count == 0 || db_execute(db, &put_lines, &params, NULL, err);
}

struct scope_row {
    int32_t programme_no;
    int16_t party_type;
    int32_t party_no;
    struct date first, last;
    bool net;
    int64_t number;
};
static const struct column scope_params[] = {
    COLUMN(struct scope_row, programme_no), COLUMN(struct scope_row, party_type), COLUMN(struct scope_row, party_no),
    COLUMN(struct scope_row, first),        COLUMN(struct scope_row, last),       COLUMN(struct scope_row, net)
};
enum { SCOPE_PARTY = 2, SCOPE_DAYS = 5 }; /* parameters of it that a statement names */
static const struct column number_columns[] = { COLUMN(struct scope_row, number) };

static struct scope_row row_of(const struct recon_scope *scope)
{
    return (struct scope_row){
        scope->programme_no, scope->party_type, scope->party_no, scope->first, scope->last, scope->net, 0
    };
}

static const struct statement unknown_party = {
    "recon_unknown_party",
    "SELECT COALESCE(min(line), 0)::int8 AS number FROM recon_theirs t WHERE party <> '' AND NOT EXISTS (SELECT FROM "
    "merchant WHERE $2 = 1 AND merchant_id = t.party AND programme_no = $1) AND NOT EXISTS (SELECT FROM bank "
    "WHERE $2 = 2 AND bank_id = t.party AND programme_no = $1)",
    scope_params,
    SCOPE_PARTY,
    number_columns,
    COUNT(number_columns),
    sizeof(struct scope_row),
};

static bool ask_number(struct db *db, const struct statement *query, const struct scope_row *row, int64_t *number,
                       struct error *err)
{
    CLEANUP(arena_release) struct arena arena = { 0 };
    struct scope_row answer = { .number = 0 };
    bool found;

    if (!db_fetch_one(db, query, row, &arena, &answer, &found, err))
        return false;
    *number = answer.number;
    return true;
}

bool recon_store_unknown_party(struct db *db, const struct recon_scope *scope, int64_t *line, struct error *err)
{
    struct scope_row row = row_of(scope);

    return ask_number(db, &unknown_party, &row, line, err);
}

static const struct statement load_ours = COMMAND_STATEMENT(
    "recon_load_ours",
    "INSERT INTO recon_row SELECT 1, row_number() OVER (), redemption_id, "
    "get_byte(uuid_send(member_id), 0) * 256 + get_byte(uuid_send(member_id), 1), ref, business_date, "
    "CASE kind WHEN 4 THEN 1 ELSE 2 END, abs(CASE WHEN $6 THEN gross_minor - commission_minor ELSE gross_minor END), "
    "currency, points, bank_no, merchant_no FROM journal WHERE programme_no = $1 AND business_date BETWEEN $4 AND $5 "
    "AND kind IN (4, 8) AND CASE $2 WHEN 1 THEN bank_no ELSE merchant_no END = $3",
    scope_params);
static const struct statement load_by_redemption = {
    "recon_load_redemptions",
    "INSERT INTO recon_row SELECT 2, no, uid, hash, '00000000-0000-0000-0000-000000000000', day, state, amount, "
    "currency, points, 0, 0 FROM recon_theirs WHERE key_kind = 1",
    NULL,
    0,
    NULL,
    0,
    0,
};
/* A uuid is a request's, which makes it one certain entry, or a redemption's. */
static const struct statement load_by_uuid = {
    "recon_load_uuids",
    "INSERT INTO recon_row SELECT 2, t.no, COALESCE(r.uid, u.uid, t.uid), COALESCE(r.hash, u.hash, -1), "
    "CASE WHEN r.uid IS NULL THEN '00000000-0000-0000-0000-000000000000' ELSE t.uid END, t.day, t.state, t.amount, "
    "t.currency, t.points, 0, 0 FROM recon_theirs t LEFT JOIN (SELECT DISTINCT ON (ref) ref, uid, hash FROM recon_row "
    "WHERE side = 1 ORDER BY ref, uid, hash) r ON r.ref = t.uid LEFT JOIN (SELECT uid, min(hash) AS hash FROM "
    "recon_row WHERE side = 1 GROUP BY uid) u ON u.uid = t.uid WHERE t.key_kind = 2",
    NULL,
    0,
    NULL,
    0,
    0,
};

/* Simple: one record of each side, and nothing differs. That is nearly all of a good file. */
static const struct statement group_rows = {
    "recon_group",
    "INSERT INTO recon_group SELECT uid, hash, count(*) FILTER (WHERE side = 1), count(*) FILTER (WHERE side = 2), "
    "count(*) = 2 AND min(side) < max(side) AND min(state) = max(state) AND min(day) = max(day) AND min(amount) = "
    "max(amount) AND min(currency) = max(currency) AND (min(points) = max(points) OR min(points) = -1) "
    "FROM recon_row GROUP BY uid, hash",
    NULL,
    0,
    NULL,
    0,
    0,
};
static const struct statement find_missing = {
    "recon_missing_there",
    "INSERT INTO recon_found SELECT 8, r.no, 0 FROM recon_row r JOIN recon_group g USING (uid, hash) WHERE g.theirs = "
    "0",
    NULL,
    0,
    NULL,
    0,
    0,
};
static const struct statement list_todo = {
    "recon_list_todo",
    "INSERT INTO recon_todo SELECT dense_rank() OVER (ORDER BY uid, hash), row_number() OVER (PARTITION BY uid, hash, "
    "side "
    "ORDER BY day, state, amount, points, ref, no), side, no, ref, day, state, amount, currency, points FROM recon_row "
    "JOIN recon_group g USING (uid, hash) WHERE g.theirs > 0 AND NOT g.simple",
    NULL,
    0,
    NULL,
    0,
    0,
};
/* More records of one redemption than are compared: nobody has so many. */
static const struct statement find_excess = {
    "recon_excess",
    "INSERT INTO recon_found SELECT CASE side WHEN 1 THEN 8 ELSE 6 END, CASE side WHEN 1 THEN no ELSE 0 END, "
    "CASE side WHEN 1 THEN 0 ELSE no END FROM recon_todo WHERE rank > 64",
    NULL,
    0,
    NULL,
    0,
    0,
};

bool recon_store_prepare(struct db *db, const struct recon_scope *scope, struct error *err)
{
    struct scope_row row = row_of(scope);

    return db_execute(db, &load_ours, &row, NULL, err) && db_script(db, "ANALYZE recon_row, recon_theirs", err) &&
           db_execute(db, &load_by_redemption, NULL, NULL, err) && db_execute(db, &load_by_uuid, NULL, NULL, err) &&
           db_script(db, "ANALYZE recon_row", err) && db_execute(db, &group_rows, NULL, NULL, err) &&
           db_script(db, "ANALYZE recon_group", err) && db_execute(db, &find_missing, NULL, NULL, err) &&
           db_execute(db, &list_todo, NULL, NULL, err) &&
           db_script(db, "CREATE INDEX ON recon_todo (group_no); ANALYZE recon_todo", err) &&
           db_execute(db, &find_excess, NULL, NULL, err);
}

/* ---- comparing ---- */

struct member_row {
    int64_t group_no;
    int16_t side;
    int64_t no;
    struct uuid ref;
    struct date day;
    int16_t state;
    int64_t amount;
    const char *currency;
    int64_t points;
};
static const struct column page_params[] = { COLUMN(struct member_row, group_no) };
static const struct column member_columns[] = {
    COLUMN(struct member_row, group_no), COLUMN(struct member_row, side),     COLUMN(struct member_row, no),
    COLUMN(struct member_row, ref),      COLUMN(struct member_row, day),      COLUMN(struct member_row, state),
    COLUMN(struct member_row, amount),   COLUMN(struct member_row, currency), COLUMN(struct member_row, points),
};
static const struct statement get_page = STATEMENT(
    "recon_page",
    "SELECT group_no, side, no, ref, day, state, amount, currency, points FROM recon_todo WHERE group_no > $1 "
    "AND group_no <= $1 + 128 AND rank <= 64 ORDER BY group_no, side, rank",
    page_params, member_columns, sizeof(struct member_row));

static struct recon_member member_of(const struct member_row *from)
{
    struct recon_member member = {
        .group = from->group_no,
        .ours = from->side == 1,
        .item = { .no = from->no,
                  .ref = from->ref,
                  .date = from->day,
                  .state = (enum recon_state)from->state,
                  .amount_minor = from->amount,
                  .points = from->points },
    };

    snprintf(member.item.currency, sizeof member.item.currency, "%s", from->currency);
    return member;
}

bool recon_store_page(struct db *db, int64_t after, struct arena *arena, struct recon_member **members, size_t *count,
                      struct error *err)
{
    struct member_row params = { .group_no = after };
    void *rows;

    if (!db_fetch(db, &get_page, &params, arena, &rows, count, err))
        return false;
    *members = arena_alloc(arena, (*count + 1) * sizeof **members);
    if (!*members)
        return error_set(err, REASON_INTERNAL, "out of memory");
    for (size_t i = 0; i < *count; i++)
        (*members)[i] = member_of((const struct member_row *)rows + i);
    return true;
}

static const struct column found_fields[] = { COLUMN(struct recon_found, class), COLUMN(struct recon_found, our_no),
                                              COLUMN(struct recon_found, their_no) };
static const struct record_type found_write = { "recon_found_write", found_fields, COUNT(found_fields),
                                                sizeof(struct recon_found) };
struct found_params {
    struct record_array found;
};
static const struct column found_params[] = { RECORDS(struct found_params, found, &found_write) };
static const struct statement put_found = COMMAND_STATEMENT(
    "recon_put_found", "INSERT INTO recon_found SELECT * FROM unnest($1::recon_found_write[])", found_params);

bool recon_store_put_found(struct db *db, const struct recon_found *found, size_t count, struct error *err)
{
    struct found_params params = { { found, count } };

    return count == 0 || db_execute(db, &put_found, &params, NULL, err);
}

/* ---- the outcome ---- */

/* The other period's record is matched when it is no break there, or one that a record of this period has ended. */
static const struct statement said_elsewhere = {
    "recon_said_elsewhere",
    "UPDATE recon_found f SET class = 6 FROM recon_row t, journal j WHERE f.class = 7 AND t.side = 2 AND t.no = "
    "f.their_no "
    "AND j.redemption_id = t.uid AND j.kind = CASE t.state WHEN 1 THEN 4 ELSE 8 END AND j.programme_no = $1 AND "
    "j.business_date BETWEEN $4::date - 62 AND $5::date + 62 AND CASE $2 WHEN 1 THEN j.bank_no ELSE j.merchant_no END "
    "= $3 "
    "AND j.business_date NOT BETWEEN $4 AND $5 AND EXISTS (SELECT FROM recon_run r WHERE r.programme_no = $1 AND "
    "r.party_type = $2 AND r.party_no = $3 AND j.business_date BETWEEN r.first_date AND r.last_date) AND NOT EXISTS "
    "(SELECT FROM recon_break b WHERE b.programme_no = $1 AND b.party_type = $2 AND b.party_no = $3 AND b.class = 8 "
    "AND b.redemption_id = j.redemption_id AND b.ref = j.ref AND (b.state <> 5 OR EXISTS (SELECT FROM recon_break p "
    "WHERE p.break_no = b.pair_break_no AND p.period_end = $5)))",
    scope_params,
    SCOPE_DAYS,
    NULL,
    0,
    0,
};
static const struct statement count_unknown = {
    "recon_unknown",
    "SELECT count(*) AS number FROM recon_found WHERE class = 7",
    NULL,
    0,
    number_columns,
    COUNT(number_columns),
    sizeof(struct scope_row),
};

bool recon_store_said_elsewhere(struct db *db, const struct recon_scope *scope, struct error *err)
{
    struct scope_row row = row_of(scope);
    int64_t unknown;

    return ask_number(db, &count_unknown, &row, &unknown, err) &&
           (unknown == 0 ||
            (db_script(db, "ANALYZE recon_found", err) && db_execute(db, &said_elsewhere, &row, NULL, err)));
}

struct count_row {
    int16_t class;
    int64_t ours, theirs;
};
static const struct column count_columns[] = { COLUMN(struct count_row, class), COLUMN(struct count_row, ours),
                                               COLUMN(struct count_row, theirs) };
/* Class 0: all there are, and how many answers they have; a record with two answers would show. */
static const struct statement get_counts = {
    "recon_counts",
    "SELECT class, count(DISTINCT our_no) FILTER (WHERE our_no > 0) AS ours, count(DISTINCT their_no) FILTER "
    "(WHERE their_no > 0) AS theirs FROM recon_found GROUP BY class UNION ALL "
    "SELECT 1::int2, count(*), count(*) FROM recon_group WHERE simple UNION ALL "
    "SELECT 0::int2, (SELECT count(*) FROM recon_row WHERE side = 1), (SELECT count(*) FROM recon_theirs)",
    NULL,
    0,
    count_columns,
    COUNT(count_columns),
    sizeof(struct count_row),
};

static bool check_counts(const int64_t counts[RECON_CLASS_COUNT], const char *whose, struct error *err)
{
    int64_t sum = 0;

    for (int i = 1; i < RECON_CLASS_COUNT; i++)
        sum += counts[i];
    return sum == counts[0] ||
           error_set(err, REASON_DOES_NOT_TIE, "of %s %lld records %lld have a class; nothing was kept", whose,
                     (long long)counts[0], (long long)sum);
}

bool recon_store_counts(struct db *db, int64_t ours[RECON_CLASS_COUNT], int64_t theirs[RECON_CLASS_COUNT],
                        struct error *err)
{
    CLEANUP(arena_release) struct arena arena = { 0 };
    size_t count;
    void *rows;

    memset(ours, 0, RECON_CLASS_COUNT * sizeof *ours);
    memset(theirs, 0, RECON_CLASS_COUNT * sizeof *theirs);
    if (!db_fetch(db, &get_counts, NULL, &arena, &rows, &count, err))
        return false;
    for (size_t i = 0; i < count; i++) {
        const struct count_row *row = (const struct count_row *)rows + i;
        ours[row->class] += row->ours;
        theirs[row->class] += row->theirs;
    }
    return check_counts(ours, "our", err) && check_counts(theirs, "their", err);
}
