/*
 * recon_record.h -- one line of a counterparty's file, whatever the file was written in, and what may become of it.
 * Pure.
 *
 * Amounts are never negative: the state says which way the money goes, as in the journal.
 */
#ifndef SETTLEMENT_RECON_RECORD_H
#define SETTLEMENT_RECON_RECORD_H

#include "base/error.h"
#include "base/limits.h"
#include "base/uuid.h"
#include "base/when.h"
#include "domain/rules.h"

#include <stdint.h>

enum { RECON_KEY_MAX = 64, RECON_RECORDS_MAX = 5000000 };

/* Whose file it is. Stored: numbers are for ever, and those of a settlement's parties. */
enum recon_side { RECON_BANK = 1, RECON_MERCHANT = 2 };

/* Stored. */
enum recon_state { RECON_CONFIRM = 1, RECON_REVERSE = 2 };

/* Every record of both sides is in exactly one class. Stored: numbers are for ever. */
enum recon_class {
    RECON_UNDECIDED = 0,
    RECON_MATCHED = 1,
    RECON_ROUNDING = 2,      /* matched, the amounts differ within the tolerance */
    RECON_LATE = 3,          /* the same, but on another day */
    RECON_AMOUNT = 4,        /* amount, currency or points differ */
    RECON_STATE = 5,         /* one says confirmed, the other reversed */
    RECON_DUPLICATE = 6,     /* theirs, said once too often */
    RECON_MISSING_HERE = 7,  /* theirs, and nothing of ours */
    RECON_MISSING_THERE = 8, /* ours, and nothing of theirs */
    RECON_CLASS_COUNT
};

struct recon_record {
    int64_t line;                /* of the file, from 1 */
    char key[RECON_KEY_MAX + 1]; /* what names the redemption; "" for none */
    struct date date;
    enum recon_state state;
    int64_t amount_minor; /* 0 or more */
    char currency[CURRENCY_TEXT];
    int64_t points;         /* -1 when the file does not say */
    char party[ID_MAX + 1]; /* the other party of the pair, as we call it; "" when the file does not say */
};

/* What a key names. */
enum recon_key_kind {
    RECON_KEY_REDEMPTION = 1, /* redemption_id as we give it out */
    RECON_KEY_UUID = 2,       /* a request_id, or the uuid of a redemption_id */
    RECON_KEY_OTHER = 3,      /* nothing of ours: the record may stand for several of ours */
};
struct recon_key {
    enum recon_key_kind kind;
    struct uuid id; /* zero for OTHER */
    int32_t hash16; /* REDEMPTION only, else -1 */
};

/* Upper or lower case, a uuid with dashes or, where 35 characters are all there is, without. */
struct recon_key recon_key_of(const char *text);
/* "MISSING_HERE"; "?" for no class. */
const char *recon_class_name(int number);
/* "CONFIRM", "REVERSE"; "" for no state. */
const char *recon_state_name(int number);
/* 0 for a word that names none. */
int recon_class_named(const char *word);

#endif
