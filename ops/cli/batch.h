/*
 * batch.h -- the rows of a redemptions file: in which order they may be sent, and under which request ids. Pure but for
 * the memory it takes.
 *
 * Rows of one member are sent one after the other in the file's order; rows of different members may be in flight
 * together, the earliest first. A key names one redemption, held or redeemed by the first row that uses it; a
 * redemption_id as key names one that was held before this file. Not thread-safe.
 */
#ifndef CLI_BATCH_H
#define CLI_BATCH_H

#include "base/arena.h"
#include "base/error.h"
#include "base/uuid.h"

#include <stddef.h>
#include <stdint.h>

enum batch_action { BATCH_HOLD, BATCH_REDEEM, BATCH_CONFIRM, BATCH_CANCEL, BATCH_REVERSE, BATCH_ACTIONS };

enum { BATCH_NONE = -1, BATCH_SEED = 16, BATCH_ROWS_MAX = 5000000 };

struct batch_row {
    int64_t line;
    enum batch_action action;
    int64_t points; /* 0 for confirm and reverse: all */
    /* Of a hold or redemption; the others have them through `hold`. Owned by the batch. */
    const char *key, *bank_id, *member_ref, *merchant_id, *store_id, *goods_id, *card_token;
    int32_t hold;        /* index of the row that holds what this row is about: itself for a hold */
    int32_t next;        /* index of the member's next row, or BATCH_NONE */
    char *redemption_id; /* of a hold, once it is answered; NULL before and when it was refused. Of a key that is one:
                            that */
};

struct batch_names; /* from a text to an index */

struct batch {
    struct arena arena;
    struct batch_row *rows;
    int32_t count, capacity;
    struct batch_names *keys;    /* key -> the row that holds */
    struct batch_names *members; /* bank and member -> the member's latest row */
    int32_t *ready;              /* a heap of rows that may be sent now, least first */
    int32_t ready_count;
};

/* As in the file, before it is understood; nothing is kept of it. */
struct batch_text {
    const char *action, *key, *bank_id, *member_ref, *merchant_id, *store_id, *points, *goods_id, *card_token;
};

/* "hold" for BATCH_HOLD. */
const char *batch_action_name(enum batch_action action);
/* A hold, or a redemption in one step: what a key is first used for. */
bool batch_makes(enum batch_action action);

/* A zeroed batch is empty. Rows arrive in the file's order; false says what is wrong with this one, which is left out.
 */
bool batch_add(struct batch *batch, int64_t line, const struct batch_text *text, struct error *err) MUST_USE;
void batch_release(struct batch *batch);

/* After the last batch_add. */
bool batch_start(struct batch *batch, struct error *err) MUST_USE;
/* The earliest row that may be sent now, which is then in flight; NULL when each must wait for one in flight, or all is
 * done. */
struct batch_row *batch_take(struct batch *batch);
/* The row was answered, well or badly: the member's next may be sent. */
void batch_done(struct batch *batch, const struct batch_row *row);

/* The same batch instant, seed and line give the same version 7 uuid, always. */
struct uuid batch_request_id(struct instant instant, const uint8_t seed[BATCH_SEED], int64_t line);

#endif
