/*
 * recon.h -- compares a counterparty's file with the journal of a closed period, and keeps what does not agree.
 *
 * All of it is one transaction: a file that is refused leaves nothing behind. The same file read again with the same
 * settings changes nothing. A corrected file takes the place of the one before it: what it no longer shows is resolved.
 */
#ifndef SETTLEMENT_RECON_H
#define SETTLEMENT_RECON_H

#include "domain/period.h"
#include "recon_match.h"
#include "recon_read.h"

struct db;

/* What is to be compared. */
struct recon_order {
    const char *programme_id;
    const struct period *period;
    enum recon_side side; /* whose file it is */
    const char *party_id;
    recon_reader *read;
    const char *format; /* the reader's name */
    struct recon_file file;
    struct recon_rules rules;
    bool net; /* theirs are amounts less commission */
};

struct recon_result {
    int64_t run_no;
    bool already; /* this very file was read before; the figures are those of then */
    int64_t ours[RECON_CLASS_COUNT], theirs[RECON_CLASS_COUNT]; /* records by class; [0]: all */
    int64_t breaks;                                             /* of this run */
    int64_t paired;                                             /* breaks of two periods that explained one another */
};

/* DAY_NOT_SEALED before the period's days are closed; CLOSE_RUNNING while the party's files are compared elsewhere. */
bool reconcile(struct db *db, const struct recon_order *order, struct recon_result *result, struct error *err) MUST_USE;

/* The work proper, once everything of theirs is staged; recon_compare.c. */
struct recon_scope;
bool recon_compare(struct db *db, const struct recon_scope *scope, const struct recon_rules *rules,
                   struct error *err) MUST_USE;

#endif
