/*
 * limits.h -- everything that grows has a limit, and this is the list.
 */
#ifndef BASE_LIMITS_H
#define BASE_LIMITS_H

#include <stdint.h>

#define POINTS_MAX        INT64_C(1000000000000)   /* points in one request, and a credit limit */
#define AMOUNT_MINOR_MAX  INT64_C(100000000000000) /* minor units in one request */
#define RATIO_MAX         INT64_C(1000000000)      /* numerator and denominator */
#define SETTLE_DAYS_USUAL 15 /* to answer, to pay, to dispute, where no contract says otherwise; also in SQL texts */

enum {
    ID_MAX = 32,               /* characters of bank_id, merchant_id, ... */
    MEMBER_REF_MAX = 64,       /* characters */
    TRANSACTION_REF_MAX = 64,  /* characters */
    CARD_TOKENS_MAX = 32,      /* a member */
    CONSENTS_MAX = 16,         /* a member */
    WORD_MAX = 32,             /* characters of a consent, of a card's product */
    ROWS_MAX = 500,            /* rows of one stream message */
    ROSTER_ROWS_MAX = 5000000, /* a roster batch */
    ROSTER_KEPT = 100,         /* batches of a bank whose verdicts are kept */
    STORES_MAX = 1000,         /* a merchant */
    PAGE_MAX = 1000,           /* rows of a page */
    PAGE_DEFAULT = 100,
    LOTS_MAX = 128,            /* live lots of a member; points of one expiry date are one lot */
    PENDING_MAX = 64,          /* pending lots of a member; points that mature on one day are one lot */
    OPEN_HOLDS_MAX = 32,       /* of a member */
    RECENT_MAX = 64,           /* holds of a member within the longest velocity window of the rules */
    VELOCITY_HOLDS_MAX = 32,   /* max_holds of a member's or card's velocity */
    LINES_MAX = 20,            /* order lines of a redemption */
    DISPUTES_OPEN_MAX = 8,     /* of a line or posting, by one party */
    LINE_ID_MAX = 32,          /* characters */
    CALENDAR_DAYS_MAX = 7320,  /* of a version: every day of 20 years */
    CUT_OFF_MINUTES_MAX = 720, /* a business date ends so long after midnight at the latest */
    CALENDAR_NAME_MAX = 60,    /* bytes */
    CAPS_MAX = 16,             /* cap entries of exchange rules, and credit limits by tier */
    DRAWN_DAYS_MAX = 16,       /* days that an account keeps apart of those its credit was drawn on */
    TIER_MAX = 100,
    WRITES_MAX = 1000, /* redemption writes of one message */
    FUNDING_SHARES_MAX = 8,
    BATCH_MAX = 256,         /* commands of one lane transaction */
    BATCH_MEMBER_MAX = 64,   /* of one member */
    QUEUE_MAX = 8192,        /* commands waiting in one lane */
    QUEUE_CALLER_MAX = 4096, /* of one merchant, or of one bank itself: others always find room */
    QUEUE_MEMBER_MAX = 1024, /* about one member; at least WRITES_MAX, so that any message finds room */
    BUCKETS_MAX = 256,
    LANES_MAX = 64,
    MESSAGE_MAX = 1024 * 1024,     /* bytes of one request message, inflated */
    DECODE_MAX = 16 * 1024 * 1024, /* bytes of memory one message may unpack to */
    NESTING_MAX = 32,              /* messages within messages */
    METADATA_MAX = 16 * 1024,      /* bytes of a call's metadata */
    EXPOSURE_WARNINGS_KEPT = 1000, /* of a bank; older ones go */
    STREAMS_MAX = 1000,            /* calls at a time on one connection */
    CONNECTIONS_PER_ADDRESS_MAX = 1000,
    BACK_TESTS_MAX = 2, /* at a time on one server: each keeps a clerk busy for much of the time */
};

#endif
