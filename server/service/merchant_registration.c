#include "service/merchant_registration.h"

#include "base/text.h"
#include "engine/reference.h"
#include "io/crypto.h"
#include "service/check.h"
#include "service/office.h"
#include "service/shape.h"
#include "service/velocity.h"
#include "store/db.h"
#include "store/registry_store.h"

#include <stdlib.h>
#include <string.h>

typedef Alliance__V1__Merchant Merchant;
typedef Alliance__V1__Store Store;
typedef Alliance__V1__Terms Terms;
typedef Alliance__V1__Webhook Webhook;

enum { COMMISSION_MAX = 10000, SECRET_MIN = 24, SECRET_MAX = 64 };

static const char SECRET_PREFIX[] = "whsec_";

/* Checks */

bool terms_read(const Terms *asked, struct terms *terms, struct error *err)
{
    *terms = (struct terms){ .commission_bp = asked->commission_bp };
    if (!check_range("version", asked->version, 0, 0, err) ||
        (asked->effective_from &&
         !check_timestamp("effective_from", asked->effective_from, &terms->effective_from, err)) ||
        !check_range("commission_bp", asked->commission_bp, 0, COMMISSION_MAX, err) ||
        !check_currency("settlement_currency", asked->settlement_currency, err) ||
        !check_category("merchant_category_code", asked->merchant_category_code, &terms->category, err))
        return false;
    memcpy(terms->currency, asked->settlement_currency, CURRENCY_TEXT - 1);
    return velocity_read("terminal_velocity", asked->terminal_velocity, PLACE_HOLDS_MAX, &terms->terminal_velocity,
                         err) &&
           velocity_read("merchant_velocity", asked->merchant_velocity, PLACE_HOLDS_MAX, &terms->merchant_velocity,
                         err);
}

static bool read_first_terms(const Merchant *merchant, struct terms *first, struct error *err)
{
    const Terms *terms = merchant->terms;

    if (!check_set("terms", terms, err))
        return false;
    if (!text_empty(terms->merchant_id) && strcmp(terms->merchant_id, merchant->merchant_id) != 0)
        return error_field(err, REASON_FIELD_INVALID, "terms.merchant_id", "must be empty or the merchant's");
    return terms_read(terms, first, err) || check_within(err, "terms");
}

static bool check_stores(const Merchant *merchant, struct error *err)
{
    if (merchant->n_stores > STORES_MAX)
        return error_field(err, REASON_FIELD_INVALID, "stores", "must be at most %d", STORES_MAX);
    for (size_t i = 0; i < merchant->n_stores; i++) {
        if (!check_id("store_id", merchant->stores[i]->store_id, err) ||
            !check_name("name", merchant->stores[i]->name, err))
            return check_within(err, "stores[%zu]", i);
    }
    return true;
}

static bool check_secret(const char *secret, struct error *err)
{
    size_t prefix = sizeof SECRET_PREFIX - 1, size = 0;
    uint8_t bytes[SECRET_MAX];
    bool good = strncmp(secret, SECRET_PREFIX, prefix) == 0 &&
                crypto_base64_decode(secret + prefix, strlen(secret + prefix), bytes, sizeof bytes, &size) &&
                size >= SECRET_MIN;

    explicit_bzero(bytes, sizeof bytes);
    return good || error_field(err, REASON_FIELD_INVALID, "secret", "must be \"%s\" and the base64 of %d to %d bytes",
                               SECRET_PREFIX, SECRET_MIN, SECRET_MAX);
}

static bool check_webhook(const struct office *office, const Webhook *webhook, struct error *err)
{
    return !webhook ||
           (check_url("url", webhook->url, office->allow_loopback_partners, err) &&
            check_secret(webhook->secret, err)) ||
           check_within(err, "webhook");
}

bool merchant_check(const struct office *office, const Merchant *merchant, struct error *err)
{
    struct terms ignored;

    return check_id("merchant_id", merchant->merchant_id, err) &&
           check_id("programme_id", merchant->programme_id, err) && check_name("name", merchant->name, err) &&
           check_stores(merchant, err) && read_first_terms(merchant, &ignored, err) &&
           check_webhook(office, merchant->webhook, err);
}

/* Registration */

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool ids_differ(const struct text_array *ids, struct error *err)
{
    for (size_t i = 1; i < ids->count; i++) {
        if (strcmp(ids->at[i - 1], ids->at[i]) == 0)
            return error_field(err, REASON_FIELD_INVALID, "stores", "must not name a store_id twice");
    }
    return true;
}

static bool sort_ids(struct arena *arena, const Merchant *merchant, struct error *err)
{
    const char **ids = arena_alloc(arena, (merchant->n_stores + 1) * sizeof *ids);

    if (!ids)
        return errand_no_room(err);
    for (size_t i = 0; i < merchant->n_stores; i++)
        ids[i] = merchant->stores[i]->store_id;
    qsort(ids, merchant->n_stores, sizeof *ids, by_text);
    return ids_differ(&(struct text_array){ ids, merchant->n_stores }, err);
}

/* The secret counts by its hash, so that what is stored says nothing of it; terms may name the merchant or not. */
static bool hash_content(const Merchant *merchant, uint8_t hash[CRYPTO_HASH], struct error *err)
{
    Merchant content = *merchant;
    Terms terms = *merchant->terms;
    Webhook webhook;
    uint8_t digest[CRYPTO_HASH];
    char hidden[2 * CRYPTO_HASH + 1];

    terms.merchant_id = merchant->merchant_id;
    content.terms = &terms;
    if (merchant->webhook) {
        webhook = *merchant->webhook;
        crypto_sha256(webhook.secret, strlen(webhook.secret), digest);
        crypto_hex(digest, sizeof digest, hidden);
        webhook.secret = hidden;
        content.webhook = &webhook;
    }
    return shape_hash("merchant", &content.base, hash, err);
}

static bool find_registered(struct errand *errand, const Merchant *merchant, const uint8_t hash[CRYPTO_HASH],
                            struct merchant_registered *registered, struct error *err)
{
    struct arena *arena = &errand->call->arena;
    struct registry_id_params id = { merchant->merchant_id };
    struct registry_merchant_row row;
    struct registry_published_row terms;
    bool found;

    registered->created = true;
    if (!db_fetch_one(errand->db, &registry_find_merchant, &id, arena, &row, &found, err))
        return false;
    if (!found)
        return true;
    registered->created = false;
    if (row.content_hash.size != CRYPTO_HASH || memcmp(row.content_hash.at, hash, CRYPTO_HASH) != 0)
        return error_field(err, REASON_ALREADY_REGISTERED, "merchant_id", "%s", "");
    struct registry_version_params first = { .owner = row.merchant_no }; /* no request made the first terms */
    if (!db_fetch_one(errand->db, &registry_find_terms, &first, arena, &terms, &found, err))
        return false;
    registered->effective_from = found ? terms.effective_from : (struct instant){ 0 };
    return true;
}

static bool add_merchant(struct errand *errand, const Merchant *merchant, int32_t programme_no,
                         const uint8_t hash[CRYPTO_HASH], int32_t *merchant_no, struct error *err)
{
    struct arena *arena = &errand->call->arena;
    const Webhook *webhook = merchant->webhook;
    struct crypto_bytes sealed = { 0 };
    struct registry_number_row made;
    bool found;

    if (webhook && !crypto_seal(errand->call->office->data_key, arena, webhook->secret, strlen(webhook->secret),
                                merchant->merchant_id, strlen(merchant->merchant_id), &sealed, err))
        return false;
    struct registry_merchant_params params = {
        .merchant_id = merchant->merchant_id,
        .programme_no = programme_no,
        .name = merchant->name,
        .webhook_url = webhook ? webhook->url : "",
        .webhook_secret = { sealed.at, sealed.size },
        .webhook_enabled = webhook != NULL,
        .content_hash = { hash, CRYPTO_HASH },
    };
    if (!db_fetch_one(errand->db, &registry_add_merchant, &params, arena, &made, &found, err))
        return false;
    *merchant_no = made.no;
    return true;
}

static bool add_stores(struct errand *errand, const Merchant *merchant, int32_t merchant_no, struct error *err)
{
    size_t count = merchant->n_stores;
    const char **texts = arena_alloc(&errand->call->arena, (2 * count + 1) * sizeof *texts);

    if (!texts)
        return errand_no_room(err);
    for (size_t i = 0; i < count; i++) {
        texts[i] = merchant->stores[i]->store_id;
        texts[count + i] = merchant->stores[i]->name;
    }
    struct registry_stores_params params = { merchant_no, { texts, count }, { texts + count, count } };
    return count == 0 || db_execute(errand->db, &registry_add_stores, &params, NULL, err);
}

bool terms_write(struct errand *errand, int32_t merchant_no, const struct terms *terms, const struct uuid *request_id,
                 const uint8_t hash[CRYPTO_HASH], struct error *err)
{
    const struct velocity *terminal = &terms->terminal_velocity, *merchant = &terms->merchant_velocity;
    struct registry_terms_params params = {
        .merchant_no = merchant_no,
        .version = terms->version,
        .effective_from = terms->effective_from,
        .commission_bp = terms->commission_bp,
        .currency = terms->currency,
        .request_id = *request_id,
        .content_hash = { hash, CRYPTO_HASH },
        .terminal_window_us = terminal->window_us,
        .terminal_max_holds = terminal->max_holds,
        .terminal_max_points = terminal->max_points,
        .merchant_window_us = merchant->window_us,
        .merchant_max_holds = merchant->max_holds,
        .merchant_max_points = merchant->max_points,
        .category = terms->category,
    };

    return db_execute(errand->db, &registry_add_terms, &params, NULL, err);
}

/* The first terms take effect at once unless they say later. */
static bool decide_first_terms(struct errand *errand, const Merchant *merchant, int32_t programme_no,
                               struct terms *terms, struct error *err)
{
    struct registry_no_params programme = { programme_no };
    struct registry_now_row now;
    bool found;

    if (!read_first_terms(merchant, terms, err) ||
        !db_fetch_one(errand->db, &registry_now, &programme, &errand->call->arena, &now, &found, err))
        return false;
    terms->version = 1;
    if (!merchant->terms->effective_from)
        terms->effective_from = now.now;
    return terms->effective_from.us >= now.now.us ||
           error_field(err, REASON_EFFECTIVE_TOO_EARLY, "terms.effective_from",
                       "lies before the programme's present time");
}

bool merchant_register(struct errand *errand, const Merchant *merchant, struct merchant_registered *registered,
                       struct error *err)
{
    const struct programme *programme = reference_programme(errand->reference, merchant->programme_id);
    static const struct uuid no_request;
    uint8_t hash[CRYPTO_HASH];
    int32_t merchant_no;
    struct terms terms;

    if (!programme)
        return error_field(err, REASON_PROGRAMME_NOT_FOUND, "programme_id", "%s", "");
    if (!sort_ids(&errand->call->arena, merchant, err) || !hash_content(merchant, hash, err) ||
        !find_registered(errand, merchant, hash, registered, err))
        return false;
    if (!registered->created)
        return true;
    if (!errand_changes(errand, err) || !decide_first_terms(errand, merchant, programme->no, &terms, err))
        return false;
    registered->effective_from = terms.effective_from;
    return add_merchant(errand, merchant, programme->no, hash, &merchant_no, err) &&
           add_stores(errand, merchant, merchant_no, err) &&
           terms_write(errand, merchant_no, &terms, &no_request, hash, err);
}
