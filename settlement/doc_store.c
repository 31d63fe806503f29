#include "doc_store.h"

#include "domain/entry.h"
#include "scope_store.h"
#include "store/db.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Kinds 4 and 8, and types 1 to 4, in the queries are these: */
_Static_assert(ENTRY_CONFIRM == 4 && ENTRY_REVERSE == 8 && SHEET_BANK == 2 && SHEET_MERCHANT == 3 &&
                   SHEET_OPERATOR == 4 && PARTY_CARRIER == 3,
               "the queries below name these numbers");

enum { DIRECTORY_MAX = 500000 }; /* parties and accounts of a programme */

/* The directory. */

struct programme_params {
    int32_t programme_no;
};
static const struct column programme_params[] = { COLUMN(struct programme_params, programme_no) };
struct party_row {
    int16_t type;
    int32_t no;
    const char *id, *name, *currency, *legal_name, *address, *country, *iban, *account_number, *bic, *bank_name;
    int32_t account_version, files;
};
static const struct column party_columns[] = {
    COLUMN(struct party_row, type),
    COLUMN(struct party_row, no),
    COLUMN(struct party_row, id),
    COLUMN(struct party_row, name),
    COLUMN(struct party_row, currency),
    COLUMN(struct party_row, legal_name),
    COLUMN(struct party_row, address),
    COLUMN(struct party_row, country),
    COLUMN(struct party_row, iban),
    COLUMN(struct party_row, account_number),
    COLUMN(struct party_row, bic),
    COLUMN(struct party_row, bank_name),
    COLUMN(struct party_row, account_version),
    COLUMN(struct party_row, files),
};
static const struct statement get_parties = STATEMENT(
    "doc_parties",
    "SELECT p.type, p.no, p.id, p.name, COALESCE(a.currency, '') AS currency, COALESCE(a.legal_name, '') AS "
    "legal_name, COALESCE(a.address, '') AS address, COALESCE(a.country, '') AS country, COALESCE(a.iban, '') AS iban, "
    "COALESCE(a.account_number, '') AS account_number, COALESCE(a.bic, '') AS bic, COALESCE(a.bank_name, '') AS "
    "bank_name, COALESCE(a.version, 0) AS account_version, COALESCE(a.files, 0) AS files FROM ("
    "SELECT 1::int2 AS type, bank_no AS no, bank_id AS id, name FROM bank WHERE programme_no = $1 UNION ALL "
    "SELECT 2::int2, merchant_no, merchant_id, name FROM merchant WHERE programme_no = $1 UNION ALL "
    "SELECT 3::int2, carrier_no, carrier_id, name FROM carrier WHERE programme_no = $1 UNION ALL "
    "SELECT 4::int2, 0, programme_id, '' FROM programme WHERE programme_no = $1 UNION ALL "
    "SELECT 5::int2, 0, 'tax', '') p "
    "LEFT JOIN (SELECT DISTINCT ON (party_type, party_no, currency) * FROM party_account WHERE programme_no = $1 AND "
    "approved_by <> '' "
    "ORDER BY party_type, party_no, currency, version DESC) a ON a.party_type = p.type AND a.party_no = p.no "
    "ORDER BY p.type, p.no, a.currency COLLATE \"C\"",
    programme_params, party_columns, sizeof(struct party_row));

/* Whole characters as far as they fit; what no document can hold becomes a blank. */
static void copy_text(char *to, size_t room, const char *from)
{
    size_t n = strlen(from) < room ? strlen(from) : room - 1;

    while (n > 0 && ((unsigned char)from[n] & 0xC0) == 0x80)
        n--;
    for (size_t i = 0; i < n; i++)
        to[i] = (unsigned char)from[i] < ' ' || from[i] == 0x7F ? ' ' : from[i];
    to[n] = '\0';
}

static void read_party(const struct party_row *from, struct doc_party *to)
{
    *to = (struct doc_party){
        .type = from->type, .no = from->no, .account_version = from->account_version, .files = from->files
    };
    copy_text(to->id, sizeof to->id, from->id);
    copy_text(to->name, sizeof to->name, from->name);
    copy_text(to->legal_name, sizeof to->legal_name, from->legal_name);
    copy_text(to->address, sizeof to->address, from->address);
    copy_text(to->country, sizeof to->country, from->country);
    copy_text(to->iban, sizeof to->iban, from->iban);
    copy_text(to->account_number, sizeof to->account_number, from->account_number);
    copy_text(to->bic, sizeof to->bic, from->bic);
    copy_text(to->bank_name, sizeof to->bank_name, from->bank_name);
}

static bool add_party(void *owner, const void *row, struct error *err)
{
    struct doc_directory *directory = owner;
    const struct party_row *from = row;

    if (directory->count == DIRECTORY_MAX)
        return error_set(err, REASON_INTERNAL, "a programme can have at most %d parties", DIRECTORY_MAX);
    if (directory->count == directory->room) {
        size_t room = directory->room ? directory->room * 2 : 64;
        struct doc_entry *at = realloc(directory->at, room * sizeof *at);
        if (!at)
            return error_set(err, REASON_INTERNAL, "out of memory");
        directory->at = at;
        directory->room = room;
    }
    struct doc_entry *entry = &directory->at[directory->count++];
    read_party(from, &entry->party);
    snprintf(entry->currency, sizeof entry->currency, "%s", from->currency);
    return true;
}

bool doc_store_directory(struct db *db, int32_t programme_no, struct doc_directory *directory, struct error *err)
{
    CLEANUP(arena_release) struct arena arena = { 0 };
    struct programme_params params = { programme_no };

    return db_each(db, &get_parties, &params, &arena, add_party, directory, err);
}

void doc_directory_release(struct doc_directory *directory)
{
    free(directory->at);
    *directory = (struct doc_directory){ 0 };
}

static int compare(const struct doc_entry *entry, int type, int32_t no)
{
    if (entry->party.type != type)
        return entry->party.type < type ? -1 : 1;
    return entry->party.no == no ? 0 : entry->party.no < no ? -1 : 1;
}

static size_t first_of(const struct doc_directory *directory, int type, int32_t no)
{
    size_t low = 0, high = directory->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare(&directory->at[middle], type, no) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* An account of another currency is none. */
static void without_account(const struct doc_party *from, struct doc_party *to)
{
    *to = (struct doc_party){ .type = from->type, .no = from->no };
    memcpy(to->id, from->id, sizeof to->id);
    memcpy(to->name, from->name, sizeof to->name);
}

void doc_directory_find(const struct doc_directory *directory, int type, int32_t no, const char *currency,
                        struct doc_party *party)
{
    size_t i = first_of(directory, type, no);

    *party = (struct doc_party){ .type = (int16_t)type, .no = no };
    snprintf(party->id, sizeof party->id, "%" PRId32, no);
    if (i < directory->count && compare(&directory->at[i], type, no) == 0)
        without_account(&directory->at[i].party, party);
    for (; i < directory->count && compare(&directory->at[i], type, no) == 0; i++) {
        const struct doc_entry *entry = &directory->at[i];
        if (!*entry->currency || strcmp(entry->currency, currency) == 0)
            *party = entry->party; /* the currency's own comes after the one for any */
    }
}

/* Sums. */

static const char make_table[] =
    "CREATE TEMP TABLE IF NOT EXISTS doc_sum (type int2, bank_no int, merchant_no int, currency text COLLATE \"C\", "
    "by_store bool, day date, store_no int, confirmed_count int8, confirmed_points int8, confirmed_gross int8, "
    "confirmed_commission int8, reversed_count int8, reversed_points int8, reversed_gross int8, reversed_commission "
    "int8) ON COMMIT DROP; TRUNCATE doc_sum;";
static const char make_index[] =
    "CREATE INDEX ON doc_sum (type, bank_no, merchant_no, currency, by_store, day, store_no); ANALYZE doc_sum;";

struct span_params {
    int32_t programme_no;
    struct date first, last;
    struct scope_params scope;
};
static const struct column span_params[] = { COLUMN(struct span_params, programme_no),
                                             COLUMN(struct span_params, first), COLUMN(struct span_params, last),
                                             RECORDS(struct span_params, scope.spans, &scope_span_type),
                                             COLUMN(struct span_params, scope.taken) };
/* grouping() of bank and merchant: 1 a bank's, 2 a merchant's, 3 the operator's; so the type is one more. */
static const struct statement fill_sums = COMMAND_STATEMENT(
    "doc_sums",
    "INSERT INTO doc_sum SELECT (1 + grouping(d.bank_no, d.merchant_no))::int2, COALESCE(d.bank_no, 0), "
    "COALESCE(d.merchant_no, 0), d.currency, grouping(d.business_date) = 1, COALESCE(d.business_date, '1970-01-01'), "
    "COALESCE(d.store_no, 0), "
    "COALESCE(sum(entry_count) FILTER (WHERE kind = 4), 0)::int8, COALESCE(sum(points) FILTER (WHERE kind = 4), "
    "0)::int8, COALESCE(sum(gross_minor) FILTER (WHERE kind = 4), 0)::int8, "
    "COALESCE(sum(commission_minor) FILTER (WHERE kind = 4), 0)::int8, "
    "COALESCE(sum(entry_count) FILTER (WHERE kind = 8), 0)::int8, COALESCE(sum(points) FILTER (WHERE kind = 8), "
    "0)::int8, COALESCE(sum(gross_minor) FILTER (WHERE kind = 8), 0)::int8, "
    "COALESCE(sum(commission_minor) FILTER (WHERE kind = 8), 0)::int8 FROM day_rollup d " SCOPE_JOIN(
        "$4", "2", "d.merchant_no", "d.currency",
        "d.business_date") "WHERE d.programme_no = $1 AND d.business_date BETWEEN $2 AND $3 AND d.kind IN (4, 8) "
                           "AND " SCOPE_TAKES("$5") "GROUP BY GROUPING SETS ((d.bank_no, d.currency, d.business_date), "
                                                    "(d.merchant_no, d.currency, d.business_date), "
                                                    "(d.currency, d.business_date), (d.merchant_no, d.currency, "
                                                    "d.store_no))",
    span_params);

struct sum_params {
    int16_t type;
    int32_t bank_no, merchant_no;
    const char *currency;
    bool by_store;
};
static const struct column sum_params[] = { COLUMN(struct sum_params, type), COLUMN(struct sum_params, bank_no),
                                            COLUMN(struct sum_params, merchant_no), COLUMN(struct sum_params, currency),
                                            COLUMN(struct sum_params, by_store) };
struct sum_row {
    struct date day;
    const char *label;
    int64_t confirmed_count, confirmed_points, confirmed_gross, confirmed_commission;
    int64_t reversed_count, reversed_points, reversed_gross, reversed_commission;
};
static const struct column sum_columns[] = {
    COLUMN(struct sum_row, day),
    COLUMN(struct sum_row, label),
    COLUMN(struct sum_row, confirmed_count),
    COLUMN(struct sum_row, confirmed_points),
    COLUMN(struct sum_row, confirmed_gross),
    COLUMN(struct sum_row, confirmed_commission),
    COLUMN(struct sum_row, reversed_count),
    COLUMN(struct sum_row, reversed_points),
    COLUMN(struct sum_row, reversed_gross),
    COLUMN(struct sum_row, reversed_commission),
};
static const struct statement get_sums = STATEMENT(
    "doc_sums_of",
    "SELECT d.day, COALESCE(s.store_id, '') AS label, d.confirmed_count, d.confirmed_points, d.confirmed_gross, "
    "d.confirmed_commission, d.reversed_count, d.reversed_points, d.reversed_gross, d.reversed_commission FROM doc_sum "
    "d LEFT JOIN store s USING (store_no) WHERE d.type = $1 AND d.bank_no = $2 AND d.merchant_no = $3 AND "
    "d.currency = $4 AND d.by_store = $5 ORDER BY d.day, s.store_id COLLATE \"C\" NULLS FIRST",
    sum_params, sum_columns, sizeof(struct sum_row));

bool doc_store_begin(struct db *db, int32_t programme_no, const struct scope *scope, struct error *err)
{
    struct span_params span = { programme_no, scope->period->first, scope->period->last, scope_params(scope) };

    return db_script(db, make_table, err) && db_execute(db, &fill_sums, &span, NULL, err) &&
           db_script(db, make_index, err);
}

bool doc_store_sums(struct db *db, const struct sheet *sheet, bool by_store, struct arena *arena, struct doc_sums *sums,
                    struct error *err)
{
    struct sum_params params = { sheet->type, sheet->bank_no, sheet->merchant_no, sheet->currency, by_store };
    void *rows;
    size_t count;

    *sums = (struct doc_sums){ 0 };
    if (!db_fetch(db, &get_sums, &params, arena, &rows, &count, err))
        return false;
    sums->at = arena_alloc(arena, (count + 1) * sizeof *sums->at);
    if (!sums->at)
        return error_set(err, REASON_INTERNAL, "out of memory");
    for (size_t i = 0; i < count; i++) {
        const struct sum_row *row = (const struct sum_row *)rows + i;
        struct doc_sum *sum = &sums->at[sums->count++];
        *sum = (struct doc_sum){ row->day,
                                 "",
                                 row->confirmed_count,
                                 row->confirmed_points,
                                 row->confirmed_gross,
                                 row->confirmed_commission,
                                 row->reversed_count,
                                 row->reversed_points,
                                 row->reversed_gross,
                                 row->reversed_commission };
        snprintf(sum->label, sizeof sum->label, "%s", row->label);
    }
    return true;
}
