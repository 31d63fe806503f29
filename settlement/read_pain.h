/*
 * read_pain.h -- what became of payments, from a pain.002 (payment status report) of any version since 03.
 *
 * One record for each transaction that is named, and one without end_to_end_id for each status that is given to a whole
 * message or a whole block of payments.
 */
#ifndef SETTLEMENT_READ_PAIN_H
#define SETTLEMENT_READ_PAIN_H

#include "base/error.h"

enum { PAIN_ID = 128, PAIN_TEXT = 512 };

struct pain_record {
    char message_id[PAIN_ID];    /* of the pain.001 it answers */
    char payment_id[PAIN_ID];    /* its PmtInfId; "" when the whole message is meant */
    char end_to_end_id[PAIN_ID]; /* "": all payments of the message or block */
    char status[8];              /* "ACTC", "ACCP", "ACSP", "ACSC", "ACCC", "PDNG", "PART", "RJCT", "CANC", ... */
    char reason[PAIN_ID];        /* "AC01"; "" for none */
    char text[PAIN_TEXT];        /* the last AddtlInf */
    int line;                    /* of the file */
};
typedef bool pain_handler(void *owner, const struct pain_record *record, struct error *err);

/* FIELD_INVALID says the line and what is wrong; records may have been given before that. */
bool read_pain(const char *path, pain_handler *each, void *owner, struct error *err) MUST_USE;

#endif
