/*
 * reference.h -- parties, rules, terms and goods as one immutable snapshot in memory.
 *
 * A snapshot never changes; a newer one replaces it. A reader acquires the present one, keeps it for as long as it
 * looks at it, and releases it; pointers into it live that long. Correctness does not depend on how fresh it is: a lane
 * that meets a fence with a higher reference_version loads the snapshot anew before it decides.
 */
#ifndef ENGINE_REFERENCE_H
#define ENGINE_REFERENCE_H

#include "base/arena.h"
#include "base/error.h"
#include "base/limits.h"
#include "domain/rules.h"
#include "store/db.h"

#include <stdint.h>

struct programme {
    int32_t no;
    const char *id, *time_zone;
    bool sandbox;
    int32_t cut_off_minutes; /* after midnight a business date ends */
};

struct funding {
    int32_t no;
    const char *id;
};

struct bank {
    int32_t no, programme_no;
    const char *id, *name;
    bool has_exposure;              /* a limit is set in some currency */
    const struct funding *fundings; /* by id */
    size_t funding_count;
    const struct exchange_rules *rules; /* ascending versions */
    size_t rules_count;
};

struct store_place {
    int32_t no;
    const char *id;
};

struct merchant {
    int32_t no, programme_no;
    const char *id, *name;
    bool has_webhook;
    const struct store_place *stores; /* by id */
    size_t store_count;
    const struct terms *terms; /* ascending versions */
    size_t terms_count;
};

struct good {
    int32_t no, programme_no, merchant_no, carrier_no;
    const char *id;
    int32_t kind; /* GoodsKind of operator_service.proto */
    int64_t price_minor;
    char currency[CURRENCY_TEXT];
};

struct reference {
    int64_t version;
    int32_t buckets; /* of the installation */
    const struct programme *programmes;
    size_t programme_count;
    const struct bank *banks; /* all arrays are sorted by id */
    size_t bank_count;
    const struct merchant *merchants;
    size_t merchant_count;
    const struct good *goods;
    size_t goods_count;
};

/* Holds the present snapshot; one a server. Thread-safe. */
struct reference_source;

/*
 * Makes a rule set of a kept document, in the arena; NULL with *err set when it is none. The engine does not know what
 * documents look like.
 */
typedef const struct rule_set *rule_set_reader(struct bytes document, const char *bank_id, struct arena *arena,
                                               struct error *err);

/* Loads the first snapshot. read NULL: banks' general rates are all there is. */
bool reference_open(struct db *db, rule_set_reader *read, struct reference_source **source, struct error *err) MUST_USE;
void reference_close(struct reference_source *source);
/* Loads the snapshot anew unless the present one is of at_least or newer. */
bool reference_refresh(struct reference_source *source, struct db *db, int64_t at_least, struct error *err) MUST_USE;
/* Loads it anew when the database has a newer version. */
bool reference_poll(struct reference_source *source, struct db *db, struct error *err) MUST_USE;
const struct reference *reference_acquire(struct reference_source *source);
void reference_release(const struct reference *reference);

/* NULL when there is none. NULL and "" as id find nothing. */
const struct programme *reference_programme(const struct reference *reference, const char *id);
const struct programme *reference_programme_no(const struct reference *reference, int32_t no);
const struct bank *reference_bank(const struct reference *reference, const char *id);
const struct bank *reference_bank_no(const struct reference *reference, int32_t no);
const struct merchant *reference_merchant(const struct reference *reference, const char *id);
const struct merchant *reference_merchant_no(const struct reference *reference, int32_t no);
const struct store_place *reference_store(const struct merchant *merchant, const char *id);
const struct store_place *reference_store_no(const struct merchant *merchant, int32_t no);
const struct funding *reference_funding(const struct bank *bank, const char *id);
const struct funding *reference_funding_no(const struct bank *bank, int32_t no);
const struct good *reference_good(const struct reference *reference, int32_t programme_no, const char *id);
const struct good *reference_good_no(const struct reference *reference, int32_t no);

#endif
