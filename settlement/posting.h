/*
 * posting.h -- money that moves between two parties because of a period: a close's postings in memory. Pure but for the
 * list's own memory.
 *
 * A posting stands on both parties' statements, with opposite signs, so that it cannot make them differ.
 */
#ifndef SETTLEMENT_POSTING_H
#define SETTLEMENT_POSTING_H

#include "base/arena.h"
#include "domain/settle_contract.h"

enum { POSTINGS_MAX = 500000, POSTING_TEXT = 160 };

struct posting {
    int16_t kind; /* enum posting_kind */
    char currency[CURRENCY_TEXT];
    struct party from, to;
    int64_t amount_minor;         /* more than 0 */
    int32_t bank_no, merchant_no; /* of the pair it belongs to; 0 when to none */
    const char *refers_to, *note; /* "" for none; the list's or borrowed for longer; at most POSTING_TEXT each */
};

/* In order of their numbers, which count from 1. Zeroed is empty. */
struct posting_list {
    struct posting *at; /* the list's own */
    size_t count, room;
    struct arena texts;
};

/* An amount below 0 goes the other way, one of 0 is no posting. INTERNAL past POSTINGS_MAX or when memory is short. */
bool posting_add(struct posting_list *list, const struct posting *posting, struct error *err) MUST_USE;
void posting_list_release(struct posting_list *list);
/* How the amount comes about, for who has but the statement and a calculator. The note is the list's. */
bool posting_note(struct posting_list *list, struct posting *posting, struct error *err, const char *format, ...)
    __attribute__((format(printf, 4, 5))) MUST_USE;
/* "6.00 %" */
enum { PERCENT_TEXT = 32 };
void percent_format(int64_t bp, char text[PERCENT_TEXT]);

bool party_is(struct party a, struct party b);
/* What the posting brings the party: its amount, less than 0 for who gives it, 0 for others. */
int64_t posting_for(const struct posting *posting, struct party party);

#endif
