#include "service/publication.h"

#include "service/check.h"
#include "store/db.h"
#include "store/registry_store.h"

#include <string.h>

static bool find_repeat(struct errand *errand, struct publication *publication, struct error *err)
{
    struct registry_version_params params = { publication->owner, publication->request_id };
    struct registry_published_row row;

    if (!db_fetch_one(errand->db, publication->find, &params, &errand->call->arena, &row, &publication->repeated, err))
        return false;
    if (!publication->repeated)
        return true;
    publication->version = row.version;
    publication->effective_from = row.effective_from;
    bool same =
        row.content_hash.size == CRYPTO_HASH && memcmp(row.content_hash.at, publication->hash, CRYPTO_HASH) == 0;
    return same || error_field(err, REASON_REQUEST_ID_REUSED, "request_id", "%s", "");
}

static bool check_start(const struct publication *publication, struct instant now,
                        const struct registry_published_row *last, struct error *err)
{
    if (publication->effective_from.us < now.us)
        error_field(err, REASON_EFFECTIVE_TOO_EARLY, "effective_from", "lies before the programme's present time");
    else if (last->standing && publication->effective_from.us <= last->effective_from.us)
        error_field(err, REASON_EFFECTIVE_TOO_EARLY, "effective_from", "must be later than that of version %d",
                    (int)last->standing);
    else
        return true;
    return publication->within ? check_within(err, "%s", publication->within) : false;
}

/* Programme time is asked for after the fences were locked, so that no batch decides by the older version after it. */
bool publication_decide(struct errand *errand, struct publication *publication, struct error *err)
{
    struct arena *arena = &errand->call->arena;
    struct registry_no_params owner = { publication->owner }, programme = { publication->programme_no };
    struct registry_published_row last = { 0 };
    struct registry_now_row now;
    bool found;

    if (!find_repeat(errand, publication, err))
        return false;
    if (publication->repeated)
        return true;
    if (!errand_changes(errand, err) ||
        !db_fetch_one(errand->db, publication->last, &owner, arena, &last, &found, err) ||
        !db_fetch_one(errand->db, &registry_now, &programme, arena, &now, &found, err))
        return false;
    publication->version = last.version + 1;
    publication->effective_from = publication->asked ? *publication->asked : now.now;
    return check_start(publication, now.now, &last, err);
}
