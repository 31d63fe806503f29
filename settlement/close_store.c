#include "close_store.h"

#include "base/limits.h"
#include "progress.h"
#include "rows_ahead.h"
#include "store/db.h"

#include <stdio.h>
#include <string.h>

/* The programme and its lock. 7300413 keeps these advisory locks apart from all others in the database. */

struct programme_row {
    const char *programme_id;
    int32_t programme_no;
};
static const struct column programme_params[] = { COLUMN(struct programme_row, programme_id) };
static const struct column programme_columns[] = { COLUMN(struct programme_row, programme_no) };
static const struct statement find_programme =
    STATEMENT("settle_programme", "SELECT programme_no FROM programme WHERE programme_id = $1", programme_params,
              programme_columns, sizeof(struct programme_row));

struct session_row {
    const char *name;
};
static const struct column session_params[] = { COLUMN(struct session_row, name) };
/*
 * A killed program's session ends at once, even in the middle of a long query, and never waits for ever for a lock. It
 * may stand still in its transaction, while what is long is read and written elsewhere. Its
 * few long queries sort whole days: memory for that is worth having, compiling them is not.
 */
static const struct statement name_session =
    COMMAND_STATEMENT("settle_session",
                      "SELECT set_config('application_name', $1, false), "
                      "set_config('client_connection_check_interval', '1s', false), "
                      "set_config('lock_timeout', '60s', false), set_config('idle_in_transaction_session_timeout', "
                      "'0', false), set_config('work_mem', '64MB', false), set_config('jit', 'off', "
                      "false)",
                      session_params);

struct lock_row {
    int32_t programme_no;
    bool taken;
};
static const struct column lock_params[] = { COLUMN(struct lock_row, programme_no) };
static const struct column lock_columns[] = { COLUMN(struct lock_row, taken) };
static const struct statement try_lock = STATEMENT("settle_lock", "SELECT pg_try_advisory_lock(7300413, $1) AS taken",
                                                   lock_params, lock_columns, sizeof(struct lock_row));
static const struct statement unlock =
    COMMAND_STATEMENT("settle_unlock", "SELECT pg_advisory_unlock(7300413, $1)", lock_params);

struct holder_row {
    int32_t pid;
    const char *name;
};
static const struct column holder_columns[] = { COLUMN(struct holder_row, pid), COLUMN(struct holder_row, name) };
static const struct statement get_holder = STATEMENT(
    "settle_lock_holder",
    "SELECT l.pid, COALESCE(a.application_name, '') AS name FROM pg_locks l LEFT JOIN pg_stat_activity a USING (pid) "
    "WHERE l.locktype = 'advisory' AND l.granted AND l.classid = 7300413 AND l.objid = $1::int8::oid "
    "AND l.objsubid = 2 AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())",
    lock_params, holder_columns, sizeof(struct holder_row));

bool close_store_programme(struct db *db, const char *programme_id, int32_t *programme_no, struct error *err)
{
    CLEANUP(arena_release) struct arena arena = { 0 };
    struct programme_row row = { .programme_id = programme_id };
    bool found;

    if (!db_fetch_one(db, &find_programme, &row, &arena, &row, &found, err))
        return false;
    if (!found)
        return error_set(err, REASON_PROGRAMME_NOT_FOUND,
                         "there is no programme \"%.32s\"; the id is that of "
                         "CreateProgramme",
                         programme_id);
    *programme_no = row.programme_no;
    return true;
}

static bool fetch_holder(struct db *db, const struct lock_row *lock, struct lock_holder *holder, struct error *err)
{
    CLEANUP(arena_release) struct arena arena = { 0 };
    struct holder_row row = { .name = "a close that has just ended" };
    bool found;

    if (!db_fetch_one(db, &get_holder, lock, &arena, &row, &found, err))
        return false;
    holder->pid = row.pid;
    snprintf(holder->name, sizeof holder->name, "%s", row.name);
    return true;
}

bool close_store_name_session(struct db *db, const char *programme_id, struct error *err)
{
    char name[64];

    snprintf(name, sizeof name, "alliance-settle %.*s", ID_MAX, programme_id);
    return db_execute(db, &name_session, &(struct session_row){ name }, NULL, err);
}

bool close_store_lock(struct db *db, int32_t programme_no, const char *programme_id, bool *taken,
                      struct lock_holder *holder, struct error *err)
{
    CLEANUP(arena_release) struct arena arena = { 0 };
    struct lock_row lock = { .programme_no = programme_no };
    bool found;

    if (!close_store_name_session(db, programme_id, err) ||
        !db_fetch_one(db, &try_lock, &lock, &arena, &lock, &found, err))
        return false;
    *taken = lock.taken;
    lock.programme_no = programme_no;
    return lock.taken || fetch_holder(db, &lock, holder, err);
}

void close_store_unlock(struct db *db, int32_t programme_no)
{
    struct lock_row lock = { .programme_no = programme_no };
    struct error ignored;

    if (!db_execute(db, &unlock, &lock, NULL, &ignored))
        return; /* the connection is lost or in a failed transaction; the lock goes with it */
}

/* Steps. */

struct step_row {
    int32_t programme_no;
    const char *step;
    struct date business_date;
    int32_t bucket;
    const char *period;
    bool there;
};
static const struct column record_params[] = { COLUMN(struct step_row, programme_no), COLUMN(struct step_row, step),
                                               COLUMN(struct step_row, business_date), COLUMN(struct step_row, bucket),
                                               COLUMN(struct step_row, period) };
static const struct statement record_step =
    COMMAND_STATEMENT("settle_step_record",
                      "INSERT INTO settlement_step (programme_no, step, business_date, bucket, period) "
                      "VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
                      record_params);
static const struct column recorded_columns[] = { COLUMN(struct step_row, there) };
static const struct statement step_recorded =
    STATEMENT("settle_step_recorded",
              "SELECT EXISTS (SELECT FROM settlement_step WHERE programme_no = $1 AND step = $2 AND "
              "business_date = $3 AND bucket = $4 AND period = $5) AS there",
              record_params, recorded_columns, sizeof(struct step_row));

bool close_store_record(struct db *db, int32_t programme_no, const char *step, struct date date, int32_t bucket,
                        const char *period, struct error *err)
{
    struct step_row row = { programme_no, step, date, bucket, period, false };

    return db_execute(db, &record_step, &row, NULL, err);
}

bool close_store_recorded(struct db *db, int32_t programme_no, const char *step, struct date date, bool *there,
                          struct error *err)
{
    CLEANUP(arena_release) struct arena arena = { 0 };
    struct step_row row = { programme_no, step, date, NO_BUCKET, "", false };
    bool found;

    if (!db_fetch_one(db, &step_recorded, &row, &arena, &row, &found, err))
        return false;
    *there = found && row.there;
    return true;
}

/* The journal of one day. */

struct journal_row {
    int32_t bucket;
    struct uuid member_id;
    int64_t seq;
    struct date business_date;
    struct instant at;
    int16_t kind;
    int64_t points, available_after, held_after, credit_used_after, credit_limit_after;
    struct uuid ref, redemption_id;
    int32_t programme_no, bank_no, merchant_no, store_no, rules_version, terms_version;
    const char *currency;
    int64_t gross_minor, commission_minor;
    struct bytes hash;
};
static const struct column day_params[] = { COLUMN(struct journal_row, programme_no),
                                            COLUMN(struct journal_row, business_date) };
static const struct column journal_columns[] = {
    COLUMN(struct journal_row, bucket),
    COLUMN(struct journal_row, member_id),
    COLUMN(struct journal_row, seq),
    COLUMN(struct journal_row, business_date),
    COLUMN(struct journal_row, at),
    COLUMN(struct journal_row, kind),
    COLUMN(struct journal_row, points),
    COLUMN(struct journal_row, available_after),
    COLUMN(struct journal_row, held_after),
    COLUMN(struct journal_row, credit_used_after),
    COLUMN(struct journal_row, credit_limit_after),
    COLUMN(struct journal_row, ref),
    COLUMN(struct journal_row, redemption_id),
    COLUMN(struct journal_row, programme_no),
    COLUMN(struct journal_row, bank_no),
    COLUMN(struct journal_row, merchant_no),
    COLUMN(struct journal_row, store_no),
    COLUMN(struct journal_row, rules_version),
    COLUMN(struct journal_row, terms_version),
    COLUMN(struct journal_row, currency),
    COLUMN(struct journal_row, gross_minor),
    COLUMN(struct journal_row, commission_minor),
    COLUMN(struct journal_row, hash),
};
/* Within a bucket in the order of its seal. By member first, for a uuid in front sorts much faster than one behind. */
static const struct statement each_entry =
    STATEMENT("settle_day_entries",
              "SELECT bucket, member_id, seq, business_date, at, kind, points, available_after, held_after, "
              "credit_used_after, credit_limit_after, ref, redemption_id, programme_no, bank_no, merchant_no, "
              "store_no, rules_version, terms_version, currency, gross_minor, commission_minor, hash FROM journal "
              "WHERE programme_no = $1 AND business_date = $2 ORDER BY member_id, seq",
              day_params, journal_columns, sizeof(struct journal_row));

static struct entry entry_of(const struct journal_row *row)
{
    struct entry entry = {
        .member_id = row->member_id,
        .seq = row->seq,
        .business_date = row->business_date,
        .at = row->at,
        .kind = row->kind,
        .points = row->points,
        .available_after = row->available_after,
        .held_after = row->held_after,
        .credit_used_after = row->credit_used_after,
        .credit_limit_after = row->credit_limit_after,
        .ref = row->ref,
        .redemption_id = row->redemption_id,
        .programme_no = row->programme_no,
        .bank_no = row->bank_no,
        .merchant_no = row->merchant_no,
        .store_no = row->store_no,
        .rules_version = row->rules_version,
        .terms_version = row->terms_version,
        .gross_minor = row->gross_minor,
        .commission_minor = row->commission_minor,
    };

    snprintf(entry.currency, sizeof entry.currency, "%s", row->currency);
    return entry;
}

struct sealing {
    struct seal *seals;
    struct progress *progress;
};

static bool seal_row(void *owner, const void *row, struct error *err)
{
    const struct journal_row *journal = row;
    const struct sealing *to = owner;
    struct seal *seals = to->seals;
    struct entry entry = entry_of(journal);

    if (journal->bucket < 0 || journal->bucket >= BUCKETS_MAX)
        return error_set(err, REASON_INTERNAL, "the journal has an entry in bucket %d", (int)journal->bucket);
    if (journal->hash.size != CRYPTO_HASH || strlen(journal->currency) >= CURRENCY_TEXT)
        return error_set(err, REASON_PERIOD_CHANGED, "bucket %d has an entry of a wrong shape", (int)journal->bucket);
    memcpy(entry.hash, journal->hash.at, CRYPTO_HASH);
    progress_add(to->progress, 1);
    return seal_add(&seals[journal->bucket], &entry) ||
           error_set(err, REASON_INTERNAL, "the points of bucket %d do not fit", (int)journal->bucket);
}

bool close_store_seal_day(struct db *db, int32_t programme_no, struct date date, struct seal *seals,
                          struct progress *progress, struct error *err)
{
    CLEANUP(arena_release) struct arena arena = { 0 };
    struct journal_row day = { .programme_no = programme_no, .business_date = date };
    struct sealing to = { seals, progress };

    memset(seals, 0, BUCKETS_MAX * sizeof *seals);
    return db_each(db, &each_entry, &day, &arena, seal_row, &to, err);
}

bool close_store_seal_ahead(struct db *db, int32_t programme_no, struct date date, struct rows_ahead **ahead,
                            struct error *err)
{
    struct journal_row day = { .programme_no = programme_no, .business_date = date };

    return rows_ahead_start(ahead, db, &each_entry, &day, sizeof day, err);
}

bool close_store_seal_rows(struct rows_ahead *ahead, struct seal *seals, struct progress *progress, struct error *err)
{
    struct sealing to = { seals, progress };

    memset(seals, 0, BUCKETS_MAX * sizeof *seals);
    return rows_ahead_each(ahead, seal_row, &to, err);
}
