#include "pool.h"

#include "base/limits.h"
#include "base/text.h"

#include <string.h>

bool pool_init(struct pool *pool, const char *folder, struct error *err)
{
    *pool = (struct pool){ .lock = PTHREAD_MUTEX_INITIALIZER };
    return snprintf(pool->folder, sizeof pool->folder, "%s", folder) < CONNECTION_TEXT ||
           error_set(err, REASON_FIELD_INVALID, "--profiles-dir is too long");
}

void pool_release(struct pool *pool)
{
    for (size_t i = 0; i < pool->count; i++)
        client_close(pool->entries[i].client);
    pool->count = 0;
}

static struct pool_entry *find(struct pool *pool, const char *name)
{
    for (size_t i = 0; i < pool->count; i++) {
        if (strcmp(pool->entries[i].name, name) == 0)
            return &pool->entries[i];
    }
    return NULL;
}

/* A free place: a new one, or that of the connection unused for longest. NULL when all are in use. */
static struct pool_entry *make_place(struct pool *pool)
{
    struct pool_entry *oldest = NULL;

    if (pool->count < POOL_MAX)
        return &pool->entries[pool->count++];
    for (size_t i = 0; i < pool->count; i++) {
        struct pool_entry *entry = &pool->entries[i];
        if (entry->users == 0 && (!oldest || entry->turn < oldest->turn))
            oldest = entry;
    }
    if (oldest)
        client_close(oldest->client);
    return oldest;
}

static bool open_profile(const struct pool *pool, const char *name, struct client **client, struct error *err)
{
    char path[CONNECTION_TEXT];
    struct connection connection = { 0 };

    if (snprintf(path, sizeof path, "%s/merchant-%s", pool->folder, name) >= CONNECTION_TEXT)
        return error_set(err, REASON_FIELD_INVALID, "--profiles-dir is too long");
    return connection_load(path, &connection, err) && connection_open(&connection, client, err);
}

static bool borrow(struct pool *pool, const char *name, struct pool_entry **out, struct error *err)
{
    struct pool_entry *entry = find(pool, name);
    struct client *client;

    if (!entry) {
        if (!open_profile(pool, name, &client, err))
            return false;
        entry = make_place(pool);
        if (!entry) {
            client_close(client);
            return error_set(err, REASON_INTERNAL, "all connections are in use");
        }
        *entry = (struct pool_entry){ .client = client };
        memcpy(entry->name, name, strlen(name) + 1);
    }
    entry->users++;
    entry->turn = ++pool->turn;
    *out = entry;
    return true;
}

bool pool_borrow(struct pool *pool, const char *merchant_id, struct pool_entry **entry, struct error *err)
{
    if (!text_is_id(merchant_id, ID_MAX))
        return error_field(err, REASON_FIELD_INVALID, "merchant", "must be 1 to %d of a-z, 0-9 and -", ID_MAX);
    pthread_mutex_lock(&pool->lock);
    bool borrowed = borrow(pool, merchant_id, entry, err);
    pthread_mutex_unlock(&pool->lock);
    return borrowed;
}

void pool_return(struct pool *pool, struct pool_entry *entry)
{
    pthread_mutex_lock(&pool->lock);
    entry->users--;
    pthread_mutex_unlock(&pool->lock);
}
