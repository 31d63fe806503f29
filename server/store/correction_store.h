/*
 * correction_store.h -- corrections of what was settled: proposed by one person, approved by another, taken by the next
 * close as a posting. Never changed but for their state, never deleted.
 *
 * A correction is for the open period: it has the business date that was open when it was proposed.
 */
#ifndef STORE_CORRECTION_STORE_H
#define STORE_CORRECTION_STORE_H

#include "store/db.h"

enum correction_state { CORRECTION_PROPOSED = 1, CORRECTION_APPROVED = 2, CORRECTION_TAKEN = 3 };
enum { CORRECTION_TEXT_MAX = 160 };

/* What is proposed. Texts are 1 to CORRECTION_TEXT_MAX characters. */
struct correction {
    int32_t programme_no;
    struct uuid request_id; /* the same again is the same correction */
    const char *currency;
    int16_t kind;                 /* POSTING_ADJUSTMENT or POSTING_LATE_FEE of domain/settle_contract.h */
    int16_t from_party, to_party; /* enum party_kind; the numbers are 0 for OPERATOR and TAX */
    int32_t from_no, to_no;
    int64_t amount_minor;
    const char *reason;
    const char *refers_to; /* what it is about: a statement's id, a line, a break, a dispute */
    const char *maker;
};
struct correction_row {
    int64_t correction_no;
    struct uuid request_id;
    const char *currency;
    int16_t kind, from_party, to_party;
    int32_t from_no, to_no;
    int64_t amount_minor;
    const char *reason, *refers_to;
    int16_t state; /* enum correction_state */
    const char *maker, *approver;
    struct date business_date;
    const char *taken_period;    /* "" until TAKEN */
    const char *from_id, *to_id; /* "" for the operator and tax */
    struct instant proposed_at;
};

/*
 * Rows live in the arena. REQUEST_ID_REUSED when the request_id is known with other content; FIELD_INVALID names what
 * cannot be: amount_minor, kind, the same party twice.
 */
bool correction_propose(struct db *db, const struct correction *correction, struct arena *arena,
                        struct correction_row *row, struct error *err) MUST_USE;
/*
 * SECOND_PERSON_NEEDED when the approver is the maker, APPROVAL_DIFFERS when the amount is not the one proposed,
 * CORRECTION_NOT_FOUND. Approved once more by anybody: the row as it is. The break of a reconciliation it was proposed
 * for is CORRECTED with it.
 */
bool correction_approve(struct db *db, int32_t programme_no, int64_t correction_no, int64_t amount_minor,
                        const char *approver, struct arena *arena, struct correction_row *row,
                        struct error *err) MUST_USE;
/* The newest first, below `before` (0: from the newest); state 0: all. */
bool correction_list(struct db *db, int32_t programme_no, int16_t state, int64_t before, int32_t limit,
                     struct arena *arena, struct correction_row **rows, size_t *count, struct error *err) MUST_USE;

#endif
