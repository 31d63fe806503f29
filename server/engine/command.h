/*
 * command.h -- a call turned into something a lane can decide: complete, validated, independent of gRPC.
 *
 * The maker owns the command and everything it points to until done is called; a lane fills answer before that.
 */
#ifndef ENGINE_COMMAND_H
#define ENGINE_COMMAND_H

#include "base/error.h"
#include "base/limits.h"
#include "base/uuid.h"
#include "base/when.h"
#include "domain/member.h"
#include "domain/redemption_id.h"
#include "domain/rules.h"

#include <stdint.h>

struct reference;

enum command_kind {
    COMMAND_SET_MEMBER, /* create a member or make it as given */
    COMMAND_ACCRUE,
    COMMAND_REVERSE_ACCRUAL, /* all or part of the purchase was returned; `spend_back` */
    COMMAND_HOLD,
    COMMAND_REDEEM, /* hold and confirm in one; `hold` says what */
    COMMAND_CONFIRM,
    COMMAND_CANCEL,
    COMMAND_REVERSE,
    COMMAND_EXTEND,
    COMMAND_MATURE,    /* of an accrual that waits for an event; `part` */
    COMMAND_CLAW_BACK, /* of an accrual; `part` */
    COMMAND_ADJUST,
    COMMAND_REINSTATE,
    COMMAND_SET_STATUS, /* ACTIVE or FROZEN; `number` */
    COMMAND_CLOSE,
    COMMAND_SET_CREDIT_LIMIT,    /* `number` */
    COMMAND_SET_TEMPORARY_LIMIT, /* `temporary` */
    COMMAND_SET_TIER,            /* `number` */
    COMMAND_SEND,                /* a transfer's or merge's first step, on the giver */
    COMMAND_RECEIVE,             /* the second, on the receiver */
    COMMAND_SETTLE,              /* the last, on the giver: received, or given back */
    COMMAND_ERASE,               /* what is personal of a member is dropped */
    COMMAND_RESTORE,             /* a member is what it was before a roster batch; `restore` */
    COMMAND_TIDY,                /* the sweeper's: what time alone does to a member; never from a caller */
    COMMAND_LAPSE,               /* the sweeper's: the same, found by a hold */
    COMMAND_KIND_COUNT
};

/* What became of a row: RowOutcome of types.proto has the same order. */
enum outcome { OUTCOME_NONE, OUTCOME_CREATED, OUTCOME_CHANGED, OUTCOME_UNCHANGED, OUTCOME_REFUSED };

enum card_status { CARD_ACTIVE = 1, CARD_BLOCKED = 2, CARD_CLOSED = 3 };

/* A card of a member's. Its holder's name is part of what is sealed. */
struct card {
    const char *token;      /* TOKEN_MIN to TOKEN_MAX letters, digits, "_" and "-" */
    const char *product;    /* the same characters, or "" */
    int16_t status;         /* CardStatus of bank_service.proto, 1 to 3 */
    struct date expires_on; /* 0: not said */
    bool supplementary;     /* another holds it than the member */
};

/* What the bank says of a member that moves no points. All of it replaces what is there. */
struct member_profile {
    const struct card *cards; /* in order of token, without repeats */
    size_t card_count;
    const char *const *tokens;   /* those of the cards */
    const char *const *consents; /* sorted, without repeats; letters, digits, "_" and "-" */
    size_t consent_count;
    bool has_name, has_phone, has_email;
    const uint8_t *sealed; /* contact data and holders' names; NULL for none */
    size_t sealed_size;
    uint8_t sealed_mac[32];               /* keyed: the same for the same content, whenever it was sealed; 0 for none */
    uint8_t phone_mac[32], email_mac[32]; /* keyed, of the bank too; used when there is one */
    /* Of one that was kept by a split: its text and what tells it from another, as they were then; NULL otherwise. */
    const char *facts;
    const uint8_t *hash;
};

struct member_order {
    int16_t status; /* MemberStatus of bank_service.proto; 0: as it is, of a new member ACTIVE */
    bool has_tier;  /* otherwise as it is */
    int16_t tier;
    struct credit_wish credit;
    const struct member_profile *profile; /* NULL: empty */
};

struct accrue_order {
    const char *transaction_ref;
    int64_t amount_minor; /* > 0 */
    char currency[CURRENCY_TEXT];
    struct instant transaction_time;
    int64_t fixed_points;    /* 0: as the rules say */
    int32_t category;        /* merchant category code; 0: not known */
    const char *place;       /* where; may be "" */
    const char *merchant_id; /* of the alliance; may be "", as channel */
    const char *channel;
    int64_t paid_with_points_minor; /* part of amount_minor */
    struct date spent_on;           /* filled in by batch_load where the bank has a rule set */
    int32_t funding_no;             /* 0: the bank pays */
    bool by_event;                  /* pending until COMMAND_MATURE */
    struct date pending_until;      /* 0: as the rules say */
};

/* request_id is command_accrual_id of the reversal's own transaction_ref, accrual_id of the purchase's. */
struct spend_back_order {
    int64_t amount_minor; /* > 0, of the purchase */
    char currency[CURRENCY_TEXT];
};

struct hold_order {
    int64_t points;         /* 1 to POINTS_MAX */
    int64_t lapse_after_us; /* > 0; REDEEM: not used */
    const char *terminal_id;
    int32_t goods_no; /* 0 for none */
    int64_t quantity;
    const uint8_t *ship_to; /* sealed */
    size_t ship_to_size;
    uint64_t card;       /* command_card of the card token; 0 for none */
    int64_t price_minor; /* of what has no good; 0 for none */
    char price_currency[CURRENCY_TEXT];
    int64_t cash_minor;              /* of the price or the good's */
    const struct order_lines *lines; /* points and id filled in, adding up to points; NULL for none */
};

/* Confirm, reverse, mature, claw back; 0 means all there is. */
struct part_order {
    int64_t points;
    const char *line_id; /* REVERSE: the order line it is about; NULL or "" for all */
};

struct extend_order {
    int64_t lapse_after_us; /* > 0, from now */
};

struct adjust_order {
    int64_t points; /* not 0; negative takes */
    int32_t funding_no;
};

struct reinstate_order {
    int64_t points; /* > 0 */
    struct date expires_on;
};

/* A split: a transfer that makes its receiver, of cards and points of the giver's. */
struct split_order {
    const char *to_member_ref;
    struct member_order into; /* the receiver; the cards of its profile are those that move */
    const char *changed_by;   /* for the audit log of both */
    /* SEND only: */
    const struct member_profile *left; /* the giver's without those cards */
    uint8_t hash_before[32];           /* of the giver's when the maker read it */
};

/* SEND: what goes where. */
struct send_order {
    int64_t points; /* > 0; 0 for a merge; of a split 0 or more */
    bool merge;
    struct uuid to_member_id;
    const char *to_member_ref;
    struct parcel *parcel; /* the maker's; filled in when the answer is OK, in a repeat too */
    /* NULL, or the maker's; set to NULL when the answer is OK and the split is over: a repeat must not make it again.
     */
    const struct split_order *split;
};

/*
 * RECEIVE: request_id is command_transfer_step(transfer, "receive"); parcel is what the giver's row says.
 * SETTLE: request_id is command_transfer_step(transfer, "settle"); reason is the receiver's answer.
 */
struct transfer_order {
    struct uuid transfer_id; /* the SEND's request_id */
    const struct parcel *parcel;
    enum reason reason;
    const struct split_order *split; /* RECEIVE: NULL when it is none, or it is over */
};

/* RESTORE: request_id is the same whoever asks, so that it is done once. */
struct restore_order {
    const struct member_before *before;
    const struct member_profile *profile; /* what it was; NULL: the batch did not change it */
    /* As kept in the image of the tier review; has_marks false: the batch gave it no other tier. */
    bool has_marks;
    const uint8_t *marks;
    size_t marks_size;
    int64_t seq; /* of its newest entry when the maker looked: TRY_AGAIN when there are more */
};

/* What the caller is told. Everything but state and spendable of the first answer is reproduced by a repeat. */
struct answer {
    enum reason reason;
    char detail[96];                       /* a sentence when reason's own is not enough; may be empty */
    enum outcome outcome;                  /* SET_MEMBER, ACCRUE, REVERSE_ACCRUAL */
    int16_t state;                         /* RedemptionState right after the write */
    int64_t points;                        /* moved by the write */
    int64_t spendable;                     /* available + unused credit limit right after it */
    char currency[CURRENCY_TEXT];          /* "" when no money moved */
    int64_t gross_minor, commission_minor; /* signed: negative for a reversal */
    char cash_currency[CURRENCY_TEXT];     /* "" when there is no cash */
    int64_t cash_minor;                    /* at the till; negative: to be given back */
    struct date business_date;
    struct instant time;     /* programme time */
    struct instant lapse_at; /* HOLD and EXTEND only */
    int64_t change_seq;      /* SET_MEMBER: seq in the audit log when the profile became another; otherwise 0 */
};

struct command {
    enum command_kind kind;
    struct uuid request_id;    /* version 7 from the caller; for ACCRUE made by command_accrual_id */
    struct uuid member_id;     /* command_member_id; redemption commands other than HOLD and REDEEM need none */
    uint16_t hash16;           /* routes: member_hash16 of member_id, or from redemption_id_parse */
    struct uuid redemption_id; /* CONFIRM, CANCEL, REVERSE, EXTEND, LAPSE: the hold's request_id */
    struct uuid accrual_id;    /* MATURE, CLAW_BACK, REVERSE_ACCRUAL: command_accrual_id */
    int32_t programme_no, bank_no;
    int32_t merchant_no;      /* 0 when the command has none */
    int32_t store_no;         /* HOLD: where. Later ones: the only store they may touch; 0 for any */
    const char *member_ref;   /* SET_MEMBER, ACCRUE, HOLD, REDEEM */
    const char *changed_by;   /* for the audit log: URI of the principal; NULL for what nobody asked for */
    int64_t batch_number;     /* for the audit log: of a roster batch; 0 for none */
    uint8_t content_hash[32]; /* of everything that must be the same in a repeat, method and caller included */
    int64_t deadline_us;      /* clock_monotonic_us; not begun after it */
    /* As deadline_us, and moved on while the command waits: how long its maker may write at all. NULL: for ever. */
    const _Atomic int64_t *held_until_us;
    union {
        struct member_order member;
        struct accrue_order accrue;
        struct spend_back_order spend_back;
        struct hold_order hold;
        struct part_order part;
        struct extend_order extend;
        struct adjust_order adjust;
        struct reinstate_order reinstate;
        struct send_order send;
        struct transfer_order transfer;
        struct restore_order restore;
        struct temporary_limit temporary; /* last 0: none */
        int64_t number;
    };
    struct answer answer;
    void (*done)(struct command *command); /* called once, after COMMIT or refusal, on a lane's thread */
    void *owner;                           /* the maker's own */
    struct command *next;                  /* the lane's own while queued */
};

/*
 * The member's name in the database: a version 8 uuid from SHA-256("member", 0, bank_id, 0, member_ref). Both parts lie
 * within ID_MAX and MEMBER_REF_MAX: the caller has checked.
 */
struct uuid command_member_id(const char *bank_id, const char *member_ref);
/*
 * The name of a card transaction that earns: the same of ("accrual", 0, bank_id, 0, member_ref, 0, transaction_ref).
 * The member is part of it because uniqueness is kept within a bucket, and the member decides the bucket.
 */
struct uuid command_accrual_id(const char *bank_id, const char *member_ref, const char *transaction_ref);
/* The name of a card: the same of ("card", 0, bank_id, 0, token). */
struct uuid command_card_id(const char *bank_id, const char *token);
/* What velocity knows a card by: the first eight bytes of SHA-256 of its token, never 0; 0 for NULL and "". */
uint64_t command_card(const char *card_token);
/* The request_id of a later step of a transfer: a version 8 uuid of SHA-256(step, 0, transfer_id). */
struct uuid command_transfer_step(const struct uuid *transfer_id, const char *step);

#endif
