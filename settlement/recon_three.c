#include "recon_three.h"

#include "money.h"
#include "store/db.h"

#include <inttypes.h>
#include <string.h>

_Static_assert(RECON_BANK == 1 && RECON_MERCHANT == 2, "as in the queries");

static bool same(const struct recon_word *one, const struct recon_word *other)
{
    return one->state == other->state &&
           (one->state == 0 || (one->minor == other->minor && strcmp(one->currency, other->currency) == 0));
}

enum recon_verdict recon_verdict(const struct recon_word *bank, const struct recon_word *journal,
                                 const struct recon_word *merchant)
{
    bool bank_agrees = same(bank, journal), merchant_agrees = same(merchant, journal);

    if (bank_agrees && merchant_agrees)
        return VERDICT_DAYS_DIFFER;
    if (bank_agrees)
        return VERDICT_MERCHANT_DIFFERS;
    if (merchant_agrees)
        return VERDICT_BANK_DIFFERS;
    return same(bank, merchant) ? VERDICT_JOURNAL_DIFFERS : VERDICT_ALL_DIFFER;
}

const char *recon_verdict_name(enum recon_verdict verdict)
{
    static const char *const names[] = {
        [VERDICT_DAYS_DIFFER] = "DAYS_DIFFER",
        [VERDICT_BANK_DIFFERS] = "BANK_DIFFERS",
        [VERDICT_MERCHANT_DIFFERS] = "MERCHANT_DIFFERS",
        [VERDICT_JOURNAL_DIFFERS] = "JOURNAL_DIFFERS",
        [VERDICT_ALL_DIFFER] = "ALL_DIFFER",
    };

    return names[verdict];
}

struct three_row {
    int32_t programme_no;
    const char *period;
    int32_t bank_no, merchant_no;
    int64_t bank_break, merchant_break; /* 0: it agrees with the journal */
    const char *key;
    int16_t our_state, bank_state, merchant_state;
    int64_t our_minor, bank_minor, merchant_minor;
    const char *our_currency, *bank_currency, *merchant_currency;
    struct date our_date, bank_date, merchant_date;
    int64_t runs;
};
static const struct column three_params[] = { COLUMN(struct three_row, programme_no), COLUMN(struct three_row, period),
                                              COLUMN(struct three_row, bank_no),
                                              COLUMN(struct three_row, merchant_no) };
static const struct column runs_columns[] = { COLUMN(struct three_row, runs) };
static const struct statement count_runs =
    STATEMENT("recon_three_runs",
              "SELECT count(DISTINCT party_type) AS runs FROM recon_run WHERE programme_no = $1 AND period = $2 AND "
              "((party_type = 1 AND party_no = $3) OR (party_type = 2 AND party_no = $4))",
              three_params, runs_columns, sizeof(struct three_row));
static const struct column three_columns[] = {
    COLUMN(struct three_row, bank_break),
    COLUMN(struct three_row, merchant_break),
    COLUMN(struct three_row, key),
    COLUMN(struct three_row, our_state),
    COLUMN(struct three_row, our_minor),
    COLUMN(struct three_row, our_currency),
    COLUMN(struct three_row, our_date),
    COLUMN(struct three_row, bank_state),
    COLUMN(struct three_row, bank_minor),
    COLUMN(struct three_row, bank_currency),
    COLUMN(struct three_row, bank_date),
    COLUMN(struct three_row, merchant_state),
    COLUMN(struct three_row, merchant_minor),
    COLUMN(struct three_row, merchant_currency),
    COLUMN(struct three_row, merchant_date),
};
/* Who has no break says what the journal says. Duplicates say what was said before, and count as more of it. */
static const struct statement each_three = STATEMENT(
    "recon_three",
    "WITH bank AS (SELECT * FROM recon_break WHERE programme_no = $1 AND period = $2 AND party_type = 1 AND party_no = "
    "$3 "
    "AND merchant_no IN ($4, 0) AND state <> 5 AND class <> 2), "
    "merchant AS (SELECT * FROM recon_break WHERE programme_no = $1 AND period = $2 AND party_type = 2 AND party_no = "
    "$4 "
    "AND bank_no IN ($3, 0) AND state <> 5 AND class <> 2) "
    "SELECT COALESCE(b.break_no, 0) AS bank_break, COALESCE(m.break_no, 0) AS merchant_break, COALESCE(b.key, m.key) "
    "AS key, "
    "COALESCE(b.our_state, m.our_state) AS our_state, COALESCE(b.our_minor, m.our_minor) AS our_minor, "
    "COALESCE(b.our_currency, m.our_currency) AS our_currency, COALESCE(b.our_date, m.our_date) AS our_date, "
    "COALESCE(b.their_state, m.our_state) AS bank_state, COALESCE(b.their_minor, m.our_minor) AS bank_minor, "
    "COALESCE(b.their_currency, m.our_currency) AS bank_currency, COALESCE(b.their_date, m.our_date) AS bank_date, "
    "COALESCE(m.their_state, b.our_state) AS merchant_state, COALESCE(m.their_minor, b.our_minor) AS merchant_minor, "
    "COALESCE(m.their_currency, b.our_currency) AS merchant_currency, COALESCE(m.their_date, b.our_date) AS "
    "merchant_date "
    "FROM bank b FULL JOIN merchant m ON m.redemption_id = b.redemption_id AND m.ref = b.ref AND b.redemption_id <> "
    "'00000000-0000-0000-0000-000000000000' AND (b.our_state > 0 OR b.their_state = m.their_state) "
    "ORDER BY COALESCE(b.break_no, m.break_no), m.break_no",
    three_params, three_columns, sizeof(struct three_row));

struct table {
    FILE *out;
    int64_t count;
};

static void word_text(const struct recon_word *word, char text[64])
{
    char day[DATE_TEXT], amount[MONEY_TEXT];

    if (word->state == 0) {
        snprintf(text, 64, "nothing");
        return;
    }
    date_format(word->date, day);
    money_format(word->minor, word->currency, amount);
    snprintf(text, 64, "%s %s %.24s %s", day, recon_state_name(word->state), amount, word->currency);
}

static bool print_row(void *owner, const void *from, struct error *err)
{
    const struct three_row *row = from;
    struct table *table = owner;
    struct recon_word bank = { row->bank_state, row->bank_minor, row->bank_currency, row->bank_date };
    struct recon_word ours = { row->our_state, row->our_minor, row->our_currency, row->our_date };
    struct recon_word merchant = { row->merchant_state, row->merchant_minor, row->merchant_currency,
                                   row->merchant_date };
    char texts[3][64];

    (void)err;
    word_text(&bank, texts[0]);
    word_text(&ours, texts[1]);
    word_text(&merchant, texts[2]);
    if (table->count++ == 0)
        fprintf(table->out, "%-17s %-36s %-36s %-36s %s\n", "verdict", "bank", "journal", "merchant", "key");
    fprintf(table->out, "%-17s %-36s %-36s %-36s %s\n", recon_verdict_name(recon_verdict(&bank, &ours, &merchant)),
            texts[0], texts[1], texts[2], row->key);
    return true;
}

bool recon_three_report(struct db *db, const struct recon_three_scope *scope, FILE *out, struct error *err)
{
    CLEANUP(arena_release) struct arena arena = { 0 };
    struct three_row runs = { 0 }, params = { .programme_no = scope->programme_no,
                                              .period = scope->period,
                                              .bank_no = scope->bank_no,
                                              .merchant_no = scope->merchant_no };
    struct table table = { .out = out };
    bool found;

    if (!db_fetch_one(db, &count_runs, &params, &arena, &runs, &found, err))
        return false;
    if (runs.runs < 2)
        return error_set(err, REASON_FIELD_INVALID,
                         "compare the files of both, the bank and the merchant, with the period first");
    if (!db_each(db, &each_three, &params, &arena, print_row, &table, err))
        return false;
    fprintf(out, "%" PRId64 " differences\n", table.count);
    return true;
}
