#include "rows_ahead.h"

#include "base/arena.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { BLOCKS = 8, BLOCK_ROWS = 512, PARAMS_SIZE = 256 }; /* some 1.5 MB of journal entries */

struct block {
    struct arena arena; /* the rows' own and what they point at */
    uint8_t *rows;
    size_t count;
};

/* The thread fills blocks in a ring, the reader empties them; the lock guards everything below it. */
struct rows_ahead {
    struct db *db;
    const struct statement *statement;
    _Alignas(16) uint8_t params[PARAMS_SIZE];
    pthread_t thread;
    struct block *filling; /* the thread's own; NULL between two blocks */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct block blocks[BLOCKS];
    size_t filled, emptied; /* blocks so far */
    bool ended, good;       /* no more blocks; with or without an error */
    bool stopped;           /* nobody reads any more */
    struct error err;
};

static void tell(struct rows_ahead *rows)
{
    pthread_cond_signal(&rows->changed); /* one thread waits at most: it is full or empty, not both */
}

/* Waits until there is room; NULL when nobody wants more. */
static struct block *next_to_fill(struct rows_ahead *rows)
{
    struct block *block = NULL;

    pthread_mutex_lock(&rows->lock);
    while (!rows->stopped && rows->filled - rows->emptied == BLOCKS)
        pthread_cond_wait(&rows->changed, &rows->lock);
    if (!rows->stopped)
        block = &rows->blocks[rows->filled % BLOCKS];
    pthread_mutex_unlock(&rows->lock);
    return block;
}

static void hand_over(struct rows_ahead *rows)
{
    pthread_mutex_lock(&rows->lock);
    rows->filled++;
    tell(rows);
    pthread_mutex_unlock(&rows->lock);
    rows->filling = NULL;
}

static bool begin_block(struct rows_ahead *rows, struct error *err)
{
    struct block *block = next_to_fill(rows);

    if (!block)
        return error_set(err, REASON_INTERNAL, "%s: nobody reads on", rows->statement->name);
    arena_reset(&block->arena);
    block->count = 0;
    block->rows = arena_alloc(&block->arena, BLOCK_ROWS * rows->statement->row_size);
    rows->filling = block;
    return block->rows || error_set(err, REASON_INTERNAL, "out of memory");
}

/* Where the next row goes; those before it are whole. */
static bool place_row(void *owner, struct arena **arena, void **row, struct error *err)
{
    struct rows_ahead *rows = owner;

    if (rows->filling && rows->filling->count == BLOCK_ROWS)
        hand_over(rows);
    if (!rows->filling && !begin_block(rows, err))
        return false;
    *arena = &rows->filling->arena;
    *row = rows->filling->rows + rows->filling->count++ * rows->statement->row_size;
    return true;
}

static void *read_rows(void *owner)
{
    struct rows_ahead *rows = owner;
    struct error err = { 0 };
    bool good = db_each_into(rows->db, rows->statement, rows->params, place_row, rows, &err);

    if (good && rows->filling)
        hand_over(rows);
    pthread_mutex_lock(&rows->lock);
    rows->ended = true;
    rows->good = good;
    rows->err = err;
    tell(rows);
    pthread_mutex_unlock(&rows->lock);
    return NULL;
}

static void rows_free(struct rows_ahead *rows)
{
    for (size_t i = 0; i < BLOCKS; i++)
        arena_release(&rows->blocks[i].arena);
    pthread_mutex_destroy(&rows->lock);
    pthread_cond_destroy(&rows->changed);
    free(rows);
}

bool rows_ahead_start(struct rows_ahead **out, struct db *db, const struct statement *statement, const void *params,
                      size_t params_size, struct error *err)
{
    struct rows_ahead *rows = params_size <= PARAMS_SIZE ? calloc(1, sizeof *rows) : NULL;

    *out = NULL;
    if (!rows)
        return error_set(err, REASON_INTERNAL, "%s: out of memory", statement->name);
    rows->db = db;
    rows->statement = statement;
    memcpy(rows->params, params, params_size);
    pthread_mutex_init(&rows->lock, NULL);
    pthread_cond_init(&rows->changed, NULL);
    if (pthread_create(&rows->thread, NULL, read_rows, rows) != 0) {
        rows_free(rows);
        return error_set(err, REASON_INTERNAL, "no thread to read with");
    }
    *out = rows;
    return true;
}

/* Waits for a block that is full, or for the end; NULL at the end. */
static struct block *next_to_empty(struct rows_ahead *rows)
{
    struct block *block = NULL;

    pthread_mutex_lock(&rows->lock);
    while (!rows->ended && rows->filled == rows->emptied)
        pthread_cond_wait(&rows->changed, &rows->lock);
    if (rows->filled > rows->emptied)
        block = &rows->blocks[rows->emptied % BLOCKS];
    pthread_mutex_unlock(&rows->lock);
    return block;
}

static void give_back(struct rows_ahead *rows)
{
    pthread_mutex_lock(&rows->lock);
    rows->emptied++;
    tell(rows);
    pthread_mutex_unlock(&rows->lock);
}

bool rows_ahead_each(struct rows_ahead *rows, db_row_handler *each, void *owner, struct error *err)
{
    for (struct block *block; (block = next_to_empty(rows)) != NULL; give_back(rows)) {
        for (size_t i = 0; i < block->count; i++) {
            if (!each(owner, block->rows + i * rows->statement->row_size, err))
                return false;
        }
    }
    if (!rows->good) /* the thread has ended */
        *err = rows->err;
    return rows->good;
}

/* A request to cancel may come before the statement it is meant for: it is made until the thread says that it ends. */
static void end_thread(struct rows_ahead *rows)
{
    enum { AGAIN_NS = 20 * 1000 * 1000 };

    pthread_mutex_lock(&rows->lock);
    rows->stopped = true;
    tell(rows);
    while (!rows->ended) {
        struct timespec until;
        pthread_mutex_unlock(&rows->lock);
        db_cancel(rows->db);
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += AGAIN_NS;
        until.tv_sec += until.tv_nsec / (1000 * 1000 * 1000);
        until.tv_nsec %= 1000 * 1000 * 1000;
        pthread_mutex_lock(&rows->lock);
        if (!rows->ended)
            pthread_cond_timedwait(&rows->changed, &rows->lock, &until);
    }
    pthread_mutex_unlock(&rows->lock);
}

void rows_ahead_stop(struct rows_ahead *rows)
{
    if (!rows)
        return;
    end_thread(rows);
    pthread_join(rows->thread, NULL);
    rows_free(rows);
}
