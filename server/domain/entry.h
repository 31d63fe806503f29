/*
 * entry.h -- one movement in the journal: what kinds there are, which two accounts each moves, and the bytes its hash
 * covers.
 *
 * Two sides: every point that appears in one account has left another, so the sum over all accounts is zero. `points`
 * of an entry is never negative: the kind says the direction. Pure.
 */
#ifndef DOMAIN_ENTRY_H
#define DOMAIN_ENTRY_H

#include "base/uuid.h"
#include "base/when.h"
#include "domain/rules.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Stored in journal.kind and operation.kind: numbers are for ever. */
enum entry_kind {
    ENTRY_MEMBER = 1,    /* member created or changed; moves no points */
    ENTRY_ACCRUE = 2,    /* issuer.issued -> member.available (repays member.credit_used first) */
    ENTRY_HOLD = 3,      /* member.available (then member.credit_used) -> member.held */
    ENTRY_CONFIRM = 4,   /* member.held -> clearing.redeemed */
    ENTRY_CANCEL = 5,    /* member.held -> member.available */
    ENTRY_LAPSE = 6,     /* member.held -> member.available */
    ENTRY_RELEASE = 7,   /* member.held -> member.available: what a partial confirmation leaves */
    ENTRY_REVERSE = 8,   /* clearing.redeemed -> member.available */
    ENTRY_EXPIRE = 9,    /* member.available -> lapsed.expired */
    ENTRY_FORFEIT = 10,  /* member.available -> lapsed.forfeited: given back to a lot that had expired, without grace */
    ENTRY_PEND = 11,     /* issuer.issued -> member.pending */
    ENTRY_MATURE = 12,   /* member.pending -> member.available (repays member.credit_used first) */
    ENTRY_CLAWBACK = 13, /* member.available -> issuer.issued: lots, then credit used */
    ENTRY_CLAWBACK_PENDING = 14, /* member.pending -> issuer.issued */
    ENTRY_ADJUST_ADD = 15,       /* issuer.adjusted -> member.available */
    ENTRY_ADJUST_TAKE = 16,      /* member.available -> issuer.adjusted: lots, then credit used */
    ENTRY_TRANSFER_OUT = 17,     /* member.available -> clearing.transfer */
    ENTRY_TRANSFER_IN = 18,      /* clearing.transfer -> member.available */
    ENTRY_TRANSFER_BACK = 19,    /* clearing.transfer -> member.available: the receiver could not take it */
    ENTRY_REINSTATE = 20,        /* lapsed.expired -> member.available */
    ENTRY_CLOSE = 21,            /* member.available -> lapsed.closed: what a closed member had */
    ENTRY_CLOSE_PENDING = 22,    /* member.pending -> lapsed.closed */
    ENTRY_PENDING_OUT = 23,      /* member.pending -> clearing.transfer */
    ENTRY_PENDING_IN = 24,       /* clearing.transfer -> member.pending; TRANSFER_BACK's too */
    ENTRY_CREDIT_OUT = 25,       /* clearing.transfer -> member.available: credit used leaves with a merge */
    ENTRY_CREDIT_IN = 26,        /* member.available -> clearing.transfer: credit used arrives with a merge */
    ENTRY_REOPEN = 27,           /* lapsed.closed -> member.available: the closing was rolled back */
    ENTRY_REOPEN_PENDING = 28,   /* lapsed.closed -> member.pending */
    ENTRY_KIND_COUNT
};

/* Ledger accounts, named as in the documents. member.available stands for available minus credit used. */
enum ledger_account {
    LEDGER_NONE,
    LEDGER_ISSUED,    /* issuer.issued */
    LEDGER_SPENDABLE, /* member.available less member.credit_used */
    LEDGER_HELD,      /* member.held */
    LEDGER_REDEEMED,  /* clearing.redeemed */
    LEDGER_EXPIRED,   /* lapsed.expired */
    LEDGER_FORFEITED, /* lapsed.forfeited */
    LEDGER_PENDING,   /* member.pending */
    LEDGER_ADJUSTED,  /* issuer.adjusted */
    LEDGER_TRANSFER,  /* clearing.transfer: on its way between two members */
    LEDGER_CLOSED,    /* lapsed.closed */
    LEDGER_COUNT
};

struct entry {
    struct uuid member_id;
    int64_t seq; /* 1, 2, 3, ... within the member */
    struct date business_date;
    struct instant at; /* programme time */
    int16_t kind;      /* enum entry_kind */
    int64_t points;    /* 0 or more */
    int64_t available_after, held_after, credit_used_after, credit_limit_after;
    struct uuid ref;           /* the request that caused it; zero when time did */
    struct uuid redemption_id; /* zero when it belongs to none */
    int32_t programme_no, bank_no, merchant_no, store_no;
    int32_t rules_version, terms_version;
    char currency[CURRENCY_TEXT];          /* "" when no money is owed */
    int64_t gross_minor, commission_minor; /* CONFIRM: 0 or more; REVERSE: 0 or less; others 0 */
    uint8_t hash[32];
    int64_t pending_after;
    size_t first_lot, lot_count; /* the lots it took from or gave to: a part of struct entries' lots */
};

enum { ENTRY_BYTES = 16 + 8 + 4 + 8 + 2 + 8 + 4 * 8 + 16 + 16 + 4 * 4 + 2 * 4 + 4 + 2 * 8 };

/* "HOLD"; "?" for a number that is no kind. */
const char *entry_kind_name(int kind);
/* The accounts an entry of that kind takes points from and gives them to; LEDGER_NONE twice when it moves none. */
void entry_accounts(int kind, enum ledger_account *from, enum ledger_account *to);
/* Less credit used after such an entry was given back; after others it was repaid. */
bool entry_gives_back(int kind);
const char *ledger_account_name(enum ledger_account account);
/*
 * Everything but the hash and what came with migration 0003, fixed layout, big-endian. The hash of an entry is
 * SHA-256(previous hash, these bytes, and, unless pending_after is 0 and there are no lots, pending_after as 8 bytes
 * and the packed lots).
 */
void entry_encode(const struct entry *entry, uint8_t out[ENTRY_BYTES]);
/* The eight bytes of pending_after. */
void entry_encode_pending(const struct entry *entry, uint8_t out[8]);

#endif
