/*
 * read_camt.h -- what a bank booked, from a camt.053 (statement), camt.052 (report) or camt.054 (notice) of any version
 * since 02: one record for each transaction, in the file's order. For payments coming back, and for reconciliation.
 *
 * An entry with transactions gives one record for each, and one more, with neither id nor reference, for what its
 * transactions do not explain of its amount; an entry without gives one. So the records of a statement add up to its
 * entries. Opening balance + booked credits - booked debits must be the closing balance, where the file has both.
 */
#ifndef SETTLEMENT_READ_CAMT_H
#define SETTLEMENT_READ_CAMT_H

#include "base/error.h"
#include "base/when.h"

#include <stdint.h>

enum { CAMT_ID = 128, CAMT_TEXT = 512 };

struct camt_record {
    char statement_id[CAMT_ID]; /* Stmt/Id, Rpt/Id or Ntfctn/Id */
    char account[CAMT_ID];      /* IBAN, or what else the bank calls it */
    char currency[4];
    struct date booked, value; /* zero: not in the file */
    int64_t amount_minor;      /* 0 or more */
    bool credit;               /* for the account's owner; what RvslInd says is in it already */
    bool reversal;
    char status[8];              /* "BOOK", "PDNG", "INFO" */
    char end_to_end_id[CAMT_ID]; /* each "" when it is not in the file; "NOTPROVIDED" is taken for that */
    char reference[CAMT_ID];     /* the bank's: AcctSvcrRef, else NtryRef */
    char code[CAMT_ID];          /* BkTxCd: Prtry/Cd, else the three of Domn as "PMNT-ICDT-ESCT" */
    char reason[CAMT_ID];        /* of a return: RtrInf/Rsn */
    char text[CAMT_TEXT];        /* RmtInf/Ustrd, the last one */
    int line;                    /* of the file */
};
typedef bool camt_handler(void *owner, const struct camt_record *record, struct error *err);

/* FIELD_INVALID says the line and what is wrong; records may have been given before that. */
bool read_camt(const char *path, camt_handler *each, void *owner, struct error *err) MUST_USE;

#endif
