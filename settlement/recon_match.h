/*
 * recon_match.h -- which record of theirs is which of ours, and what to call those for which there is none. Pure rules:
 * no I/O, no clock, no heap.
 *
 * What belongs to one redemption is compared at a time. What can be paired is paired before anything is called missing
 * or said twice: one difference explains more than two. The result depends on the order of the records only, so callers
 * order them.
 */
#ifndef SETTLEMENT_RECON_MATCH_H
#define SETTLEMENT_RECON_MATCH_H

#include "recon_record.h"

#include <stddef.h>

enum {
    RECON_GROUP_MAX = 64,     /* records of a redemption, each side */
    RECON_SUM_MAX = 64,       /* records among which a sum is looked for */
    RECON_SUM_STEPS = 200000, /* and how long: about a millisecond */
    RECON_DAYS_MAX = 31,
    RECON_TOLERANCE_MAX = 100000, /* minor units a record */
};

struct recon_rules {
    int64_t tolerance_minor; /* by which amounts may differ */
    int days;                /* by which dates may differ */
};

/* A record of either side. */
struct recon_item {
    int64_t no;      /* the caller's name for it: its number, or its line */
    struct uuid ref; /* ours: the request; theirs: the one request it can only be, or zero */
    struct date date;
    enum recon_state state;
    int64_t amount_minor;
    char currency[CURRENCY_TEXT];
    int64_t points; /* -1 when it is not said */

    enum recon_class class; /* the answer */
    int with; /* index of the partner on the other side, or -1; several of either side may have one, which names the
                 first */
};

/* All that two files and the journal say of one redemption: every item gets its class. */
void recon_match(const struct recon_rules *rules, struct recon_item *ours, size_t our_count, struct recon_item *theirs,
                 size_t their_count);

/* How many sets there are. */
enum recon_sum { RECON_SUM_NONE, RECON_SUM_ONE, RECON_SUM_MANY, RECON_SUM_TOO_LONG };
/*
 * Looks for amounts that add up to the sum; chosen[] marks those of the first set found. `first` ends at the first set
 * (ONE); else it is looked for a second, which is MANY. More than RECON_SUM_MAX amounts are TOO_LONG. Amounts are 0 or
 * more; those of 0 are never chosen.
 */
enum recon_sum recon_sum_find(const int64_t *amounts, size_t count, int64_t sum, bool first, bool *chosen);

#endif
