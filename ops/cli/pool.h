/*
 * pool.h -- connections as many merchants, opened when first needed and closed again when there are too many: a
 * merchant may act only for itself. Any thread.
 */
#ifndef CLI_POOL_H
#define CLI_POOL_H

#include "connection.h"

#include "client/client.h"

#include <pthread.h>

enum { POOL_MAX = 256, POOL_NAME = 64 };

struct pool_entry {
    char name[POOL_NAME];
    struct client *client;
    int users;    /* borrowed so many times; closed only at 0 */
    int64_t turn; /* of the latest use */
};

struct pool {
    pthread_mutex_t lock;
    char folder[CONNECTION_TEXT];
    struct pool_entry entries[POOL_MAX];
    size_t count;
    int64_t turn;
};

bool pool_init(struct pool *pool, const char *folder, struct error *err) MUST_USE;
/* No entry may be borrowed. */
void pool_release(struct pool *pool);
/* The connection of the profile folder/merchant-NAME; given back with pool_return. */
bool pool_borrow(struct pool *pool, const char *merchant_id, struct pool_entry **entry, struct error *err) MUST_USE;
void pool_return(struct pool *pool, struct pool_entry *entry);

#endif
