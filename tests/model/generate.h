/*
 * generate.h -- random commands with a bias to the nasty, from a seed: the same on every machine.
 *
 * What comes next depends on what the model knows, so that amounts lie at the edges of what is there and commands
 * follow one another within a batch: confirm, then reverse; send, receive, settle.
 */
#ifndef TESTS_GENERATE_H
#define TESTS_GENERATE_H

#include "model.h"

enum { GENERATED_MAX = 512, TRANSACTIONS_MAX = 1 << 16 }; /* commands of one batch; their text lives until the next */

struct generated_text {
    struct order_lines lines;
    struct parcel parcel; /* what RECEIVE brings */
    struct parcel *sent;  /* where SEND's goes; of the test */
};

struct generator {
    uint64_t seed;
    struct model *model;
    /* Who there is. A member of a place beyond model->member_count may be named too: it is not there yet. */
    const char *const *bank_ids; /* by bank_no */
    size_t names;
    struct {
        struct uuid id;
        char ref[24];
        int32_t bank_no;
    } name[MODEL_MEMBERS];
    int32_t merchants, goods, fundings; /* numbers from 1; 0 for none */
    int64_t id_time_us;                 /* in request ids */
    bool wild;                          /* points below zero too: only the rules themselves must bear them */
    bool repeats;                       /* earlier ids again, with equal and with other content */
    size_t transfers_known;             /* so many have been answered: only these go on */
    uint64_t serial;
    char (*transactions)[16];     /* TRANSACTIONS_MAX of them */
    LIST(struct command) earlier; /* what may be repeated */
    size_t text_used;
    struct generated_text *texts; /* GENERATED_MAX of them */
};

int64_t chance(struct generator *generator, int64_t below);
/* 1, what is there, one more, one less, 0, the largest, or something between: where mistakes live. */
int64_t nasty(struct generator *generator, int64_t there);
void generate(struct generator *generator, struct command *command);
/* The clock and the business date go on: a little, to the next lapse, or to the next day on which something is due. */
void generate_time(struct generator *generator);
struct uuid generate_id(struct generator *generator);
void generate_tidy(struct generator *generator, struct command *command, size_t name);
void generate_set_member(struct generator *generator, struct command *command, size_t name);

#endif
