/*
 * journal.h -- what the methods that read a member's journal have in common: whose it is, and an entry as a message.
 */
#ifndef SERVICE_JOURNAL_H
#define SERVICE_JOURNAL_H

#include "engine/reference.h"
#include "service/errand.h"
#include "store/journal_read.h"

#include <alliance/v1/bank_service.pb-c.h>

/* A member by name: the bank must be the caller's own, but for the operator. */
bool journal_check_member(const struct call *call, const char *bank_id, const char *member_ref,
                          struct error *err) MUST_USE;

/* Whose journal is read; pointers are the reference's. */
struct journal_subject {
    const struct bank *bank;
    int32_t bucket;
    struct uuid member_id;
    struct journal_member_row row;
};
/* BANK_NOT_FOUND, MEMBER_NOT_FOUND. */
bool journal_find_subject(struct errand *errand, const char *bank_id, const char *member_ref,
                          struct journal_subject *subject, struct error *err) MUST_USE;
/* "" for the bank's own points. Borrowed from the reference. */
const char *journal_funding_id(const struct bank *bank, int32_t funding_no);
/* The entry as a message in the call's arena; NULL, with *err set, when it is full or the row is of no entry. */
Alliance__V1__JournalEntry *journal_shape(struct errand *errand, const struct bank *bank, const struct journal_row *row,
                                          struct error *err);

#endif
