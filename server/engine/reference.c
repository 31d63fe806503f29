#include "engine/reference.h"

#include "base/arena.h"
#include "io/log.h"
#include "store/reference_store.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { SNAPSHOT_LIMIT = 512 * 1024 * 1024 };

/* The snapshot is the first member, so that a pointer to it is a pointer to its owner. */
struct snapshot {
    struct reference reference;
    atomic_int holders;
    struct arena arena;
};

struct reference_source {
    rule_set_reader *read;
    pthread_mutex_t lock; /* guards which snapshot is the present one */
    struct snapshot *present;
};

/* Rows as they come from the database; they live in the snapshot's arena. */
struct rows {
    struct programme_row *programmes;
    struct bank_row *banks;
    struct funding_row *fundings;
    struct rules_row *rules;
    struct cap_row *caps;
    struct tier_limit_row *tier_limits;
    struct rate_row *rates;
    struct rule_document_row *sets;
    struct merchant_row *merchants;
    struct store_row *stores;
    struct terms_row *terms;
    struct goods_row *goods;
    size_t programme_count, bank_count, funding_count, rules_count, cap_count, tier_limit_count, rate_count, set_count,
        merchant_count, store_count, terms_count, goods_count;
};

static bool fetch(struct db *db, struct arena *arena, struct rows *rows, struct installation_row *installation,
                  struct error *err)
{
    const struct {
        const struct statement *statement;
        void *rows;
        size_t *count;
    } reads[] = {
        { &reference_programmes, &rows->programmes, &rows->programme_count },
        { &reference_banks, &rows->banks, &rows->bank_count },
        { &reference_fundings, &rows->fundings, &rows->funding_count },
        { &reference_rules, &rows->rules, &rows->rules_count },
        { &reference_caps, &rows->caps, &rows->cap_count },
        { &reference_tier_limits, &rows->tier_limits, &rows->tier_limit_count },
        { &reference_rates, &rows->rates, &rows->rate_count },
        { &reference_rule_documents, &rows->sets, &rows->set_count },
        { &reference_merchants, &rows->merchants, &rows->merchant_count },
        { &reference_stores, &rows->stores, &rows->store_count },
        { &reference_terms, &rows->terms, &rows->terms_count },
        { &reference_goods, &rows->goods, &rows->goods_count },
    };
    bool found;

    if (!db_fetch_one(db, &reference_installation, NULL, arena, installation, &found, err))
        return false;
    if (!found)
        return error_set(err, REASON_DATABASE_UNREACHABLE, "the database has no schema yet: run --migrate");
    for (size_t i = 0; i < COUNT(reads); i++) {
        void *fetched;
        if (!db_fetch(db, reads[i].statement, NULL, arena, &fetched, reads[i].count, err))
            return false;
        memcpy(reads[i].rows, &fetched, sizeof fetched);
    }
    return true;
}

static void copy_currency(char to[CURRENCY_TEXT], const char *from)
{
    memset(to, 0, CURRENCY_TEXT);
    memcpy(to, from, strnlen(from, CURRENCY_TEXT - 1));
}

static struct exchange_rules rules_of(const struct rules_row *row)
{
    return (struct exchange_rules){
        .version = row->version,
        .effective_from = row->effective_from,
        .minimum_points = row->minimum_points,
        .expiry_months = row->expiry_months,
        .reinstate_grace_days = row->reinstate_grace_days,
        .accrual = { row->accrual_num, row->accrual_den },
        .expiry_kind = row->expiry_kind,
        .expiry_month = row->expiry_month,
        .expiry_day = row->expiry_day,
        .pending_days = row->pending_days,
        .by_set = row->by_set,
        .member_velocity = { row->member_window_us, row->member_max_holds, row->member_max_points },
        .card_velocity = { row->card_window_us, row->card_max_holds, row->card_max_points },
    };
}

/* Rows that begin with the number of their owner and are ordered by it: the first of that owner's, and how many. */
static const void *range_of(const void *rows, size_t count, size_t size, int32_t owner_no, size_t *n)
{
    const uint8_t *at = rows;
    size_t first = 0, last = count;
    int32_t no;

    while (first < last) {
        size_t middle = first + (last - first) / 2;
        memcpy(&no, at + middle * size, sizeof no);
        if (no < owner_no)
            first = middle + 1;
        else
            last = middle;
    }
    for (*n = 0; first + *n < count; (*n)++) {
        memcpy(&no, at + (first + *n) * size, sizeof no);
        if (no != owner_no)
            break;
    }
    return at + first * size;
}

static void add_rates(struct exchange_rules *rules, const struct rate_row *rows, size_t count)
{
    for (size_t i = 0; i < count && rules->rate_count < RATES_MAX; i++) {
        if (rows[i].version != rules->version)
            continue;
        struct currency_rate *rate = &rules->rates[rules->rate_count++];
        copy_currency(rate->currency, rows[i].currency);
        rate->conversion = (struct ratio){ rows[i].conversion_num, rows[i].conversion_den };
        rate->settlement = (struct ratio){ rows[i].settlement_num, rows[i].settlement_den };
    }
}

static void add_caps(struct exchange_rules *rules, const struct cap_row *rows, size_t count)
{
    for (size_t i = 0; i < count && rules->cap_count < CAPS_MAX; i++) {
        if (rows[i].version == rules->version)
            rules->caps[rules->cap_count++] =
                (struct caps){ rows[i].tier, rows[i].per_redemption, rows[i].per_day, rows[i].per_month };
    }
}

static void add_tier_limits(struct exchange_rules *rules, const struct tier_limit_row *rows, size_t count)
{
    for (size_t i = 0; i < count && rules->tier_limit_count < CAPS_MAX; i++) {
        if (rows[i].version == rules->version)
            rules->tier_limits[rules->tier_limit_count++] = (struct tier_limit){ rows[i].tier, rows[i].points };
    }
}

/* Without a set that cannot be read its bank has no rules to decide by; the other banks' go on. */
static void add_set(struct snapshot *snapshot, const struct bank *bank, struct exchange_rules *rules,
                    const struct rule_document_row *rows, size_t count, rule_set_reader *read)
{
    struct error why = { 0 };

    for (size_t i = 0; read && i < count; i++) {
        if (rows[i].version != rules->version)
            continue;
        rules->set = read(rows[i].document, bank->id, &snapshot->arena, &why);
        if (!rules->set)
            LOG(LOG_ERROR, "rules_unreadable", log_text("bank", bank->id), log_int("version", rules->version),
                log_text("detail", error_text(&why)));
    }
}

static void build_sets(struct snapshot *snapshot, struct bank *bank, struct exchange_rules *rules, size_t count,
                       const struct rows *rows, rule_set_reader *read)
{
    size_t sets;
    const struct rule_document_row *set = range_of(rows->sets, rows->set_count, sizeof *set, bank->no, &sets);

    for (size_t i = 0; i < count; i++) {
        rules[i].by_set &= read != NULL;
        add_set(snapshot, bank, &rules[i], set, sets, read);
    }
}

static bool build_rules(struct snapshot *snapshot, struct bank *bank, const struct rows *rows, rule_set_reader *read)
{
    size_t n, rates, caps, limits;
    const struct rules_row *row = range_of(rows->rules, rows->rules_count, sizeof *row, bank->no, &n);
    const struct rate_row *rate = range_of(rows->rates, rows->rate_count, sizeof *rate, bank->no, &rates);
    const struct cap_row *cap = range_of(rows->caps, rows->cap_count, sizeof *cap, bank->no, &caps);
    const struct tier_limit_row *limit =
        range_of(rows->tier_limits, rows->tier_limit_count, sizeof *limit, bank->no, &limits);
    struct exchange_rules *rules = arena_alloc(&snapshot->arena, n * sizeof *rules);

    for (size_t i = 0; rules && i < n; i++) {
        rules[i] = rules_of(&row[i]);
        add_rates(&rules[i], rate, rates);
        add_caps(&rules[i], cap, caps);
        add_tier_limits(&rules[i], limit, limits);
    }
    bank->rules = rules;
    bank->rules_count = n;
    if (rules)
        build_sets(snapshot, bank, rules, n, rows, read);
    return rules != NULL;
}

static bool build_fundings(struct snapshot *snapshot, struct bank *bank, const struct rows *rows)
{
    size_t n;
    const struct funding_row *row = range_of(rows->fundings, rows->funding_count, sizeof *row, bank->no, &n);
    struct funding *fundings = arena_alloc(&snapshot->arena, n * sizeof *fundings);

    for (size_t i = 0; fundings && i < n; i++)
        fundings[i] = (struct funding){ row[i].funding_no, row[i].funding_id };
    bank->fundings = fundings;
    bank->funding_count = n;
    return fundings != NULL;
}

static bool build_banks(struct snapshot *snapshot, const struct rows *rows, rule_set_reader *read)
{
    struct bank *banks = arena_alloc(&snapshot->arena, rows->bank_count * sizeof *banks);

    for (size_t i = 0; banks && i < rows->bank_count; i++) {
        const struct bank_row *row = &rows->banks[i];
        banks[i] = (struct bank){ .no = row->bank_no,
                                  .programme_no = row->programme_no,
                                  .id = row->bank_id,
                                  .name = row->name,
                                  .has_exposure = row->has_exposure };
        if (!build_rules(snapshot, &banks[i], rows, read) || !build_fundings(snapshot, &banks[i], rows))
            return false;
    }
    snapshot->reference.banks = banks;
    snapshot->reference.bank_count = rows->bank_count;
    return banks != NULL;
}

static bool build_stores(struct snapshot *snapshot, struct merchant *merchant, const struct rows *rows)
{
    size_t n;
    const struct store_row *row = range_of(rows->stores, rows->store_count, sizeof *row, merchant->no, &n);
    struct store_place *stores = arena_alloc(&snapshot->arena, n * sizeof *stores);

    for (size_t i = 0; stores && i < n; i++)
        stores[i] = (struct store_place){ row[i].store_no, row[i].store_id };
    merchant->stores = stores;
    merchant->store_count = n;
    return stores != NULL;
}

static bool build_terms(struct snapshot *snapshot, struct merchant *merchant, const struct rows *rows)
{
    size_t n;
    const struct terms_row *row = range_of(rows->terms, rows->terms_count, sizeof *row, merchant->no, &n);
    struct terms *terms = arena_alloc(&snapshot->arena, n * sizeof *terms);

    for (size_t i = 0; terms && i < n; i++) {
        terms[i] = (struct terms){
            .version = row[i].version,
            .effective_from = row[i].effective_from,
            .commission_bp = row[i].commission_bp,
            .category = row[i].category,
            .terminal_velocity = { row[i].terminal_window_us, row[i].terminal_max_holds, row[i].terminal_max_points },
            .merchant_velocity = { row[i].merchant_window_us, row[i].merchant_max_holds, row[i].merchant_max_points },
        };
        copy_currency(terms[i].currency, row[i].currency);
    }
    merchant->terms = terms;
    merchant->terms_count = n;
    return terms != NULL;
}

static bool build_merchants(struct snapshot *snapshot, const struct rows *rows)
{
    struct merchant *merchants = arena_alloc(&snapshot->arena, rows->merchant_count * sizeof *merchants);

    for (size_t i = 0; merchants && i < rows->merchant_count; i++) {
        const struct merchant_row *row = &rows->merchants[i];
        merchants[i] = (struct merchant){ .no = row->merchant_no,
                                          .programme_no = row->programme_no,
                                          .id = row->merchant_id,
                                          .name = row->name,
                                          .has_webhook = row->has_webhook };
        if (!build_stores(snapshot, &merchants[i], rows) || !build_terms(snapshot, &merchants[i], rows))
            return false;
    }
    snapshot->reference.merchants = merchants;
    snapshot->reference.merchant_count = rows->merchant_count;
    return merchants != NULL;
}

static bool build_programmes_and_goods(struct snapshot *snapshot, const struct rows *rows)
{
    struct programme *programmes = arena_alloc(&snapshot->arena, rows->programme_count * sizeof *programmes);
    struct good *goods = arena_alloc(&snapshot->arena, rows->goods_count * sizeof *goods);

    if (!programmes || !goods)
        return false;
    for (size_t i = 0; i < rows->programme_count; i++) {
        const struct programme_row *row = &rows->programmes[i];
        programmes[i] = (struct programme){ row->programme_no, row->programme_id, row->time_zone, row->sandbox,
                                            row->cut_off_minutes };
    }
    for (size_t i = 0; i < rows->goods_count; i++) {
        const struct goods_row *row = &rows->goods[i];
        goods[i] = (struct good){ .no = row->goods_no,
                                  .programme_no = row->programme_no,
                                  .merchant_no = row->merchant_no,
                                  .carrier_no = row->carrier_no,
                                  .id = row->goods_id,
                                  .kind = row->kind,
                                  .price_minor = row->price_minor };
        copy_currency(goods[i].currency, row->currency);
    }
    snapshot->reference.programmes = programmes;
    snapshot->reference.programme_count = rows->programme_count;
    snapshot->reference.goods = goods;
    snapshot->reference.goods_count = rows->goods_count;
    return true;
}

static void snapshot_release(struct snapshot *snapshot)
{
    if (snapshot && atomic_fetch_sub(&snapshot->holders, 1) == 1) {
        arena_release(&snapshot->arena);
        free(snapshot);
    }
}

static bool too_large(struct error *err)
{
    return error_set(err, REASON_INTERNAL, "the reference data is larger than its limit");
}

static bool fill(struct snapshot *snapshot, struct db *db, rule_set_reader *read, struct error *err)
{
    struct installation_row installation;
    struct rows rows = { 0 };

    if (!db_script(db, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", err))
        return false;
    bool fetched = fetch(db, &snapshot->arena, &rows, &installation, err);
    db_rollback(db);
    if (!fetched)
        return false;
    snapshot->reference.version = installation.reference_version;
    snapshot->reference.buckets = installation.buckets;
    return (build_banks(snapshot, &rows, read) && build_merchants(snapshot, &rows) &&
            build_programmes_and_goods(snapshot, &rows)) ||
           too_large(err);
}

static struct snapshot *load(struct db *db, rule_set_reader *read, struct error *err)
{
    struct snapshot *snapshot = calloc(1, sizeof *snapshot);

    if (!snapshot) {
        error_set(err, REASON_INTERNAL, "out of memory");
        return NULL;
    }
    atomic_init(&snapshot->holders, 1);
    snapshot->arena.limit = SNAPSHOT_LIMIT;
    if (fill(snapshot, db, read, err))
        return snapshot;
    snapshot_release(snapshot);
    return NULL;
}

bool reference_open(struct db *db, rule_set_reader *read, struct reference_source **out, struct error *err)
{
    struct reference_source *source = calloc(1, sizeof *source);

    *out = NULL;
    if (!source)
        return error_set(err, REASON_INTERNAL, "out of memory");
    source->read = read;
    source->present = load(db, read, err);
    if (!source->present) {
        free(source);
        return false;
    }
    pthread_mutex_init(&source->lock, NULL);
    *out = source;
    return true;
}

void reference_close(struct reference_source *source)
{
    if (!source)
        return;
    snapshot_release(source->present);
    pthread_mutex_destroy(&source->lock);
    free(source);
}

const struct reference *reference_acquire(struct reference_source *source)
{
    pthread_mutex_lock(&source->lock);
    struct snapshot *snapshot = source->present;
    atomic_fetch_add(&snapshot->holders, 1);
    pthread_mutex_unlock(&source->lock);
    return &snapshot->reference;
}

void reference_release(const struct reference *reference)
{
    /* Every reference handed out is the first member of a snapshot we made. */
    snapshot_release((struct snapshot *)(uintptr_t)reference);
}

static int64_t present_version(struct reference_source *source)
{
    const struct reference *reference = reference_acquire(source);
    int64_t version = reference->version;

    reference_release(reference);
    return version;
}

/* Two may load at once; the newer stays. */
static void replace(struct reference_source *source, struct snapshot *newer)
{
    struct snapshot *older = newer;

    pthread_mutex_lock(&source->lock);
    if (newer->reference.version >= source->present->reference.version) {
        older = source->present;
        source->present = newer;
    }
    pthread_mutex_unlock(&source->lock);
    snapshot_release(older);
}

bool reference_refresh(struct reference_source *source, struct db *db, int64_t at_least, struct error *err)
{
    if (present_version(source) >= at_least)
        return true;
    struct snapshot *newer = load(db, source->read, err);
    if (!newer)
        return false;
    bool enough = newer->reference.version >= at_least;
    replace(source, newer);
    return enough ||
           error_set(err, REASON_TRY_AGAIN, "reference data of version %lld is not there yet", (long long)at_least);
}

bool reference_poll(struct reference_source *source, struct db *db, struct error *err)
{
    CLEANUP(arena_release) struct arena arena = { 0 };
    struct installation_row installation;
    bool found;

    if (!db_fetch_one(db, &reference_installation, NULL, &arena, &installation, &found, err))
        return false;
    return !found || reference_refresh(source, db, installation.reference_version, err);
}
