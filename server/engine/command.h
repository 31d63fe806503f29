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
#include "domain/redemption_id.h"
#include "domain/rules.h"

#include <stdint.h>

struct reference;

enum command_kind {
    COMMAND_SET_MEMBER, /* create a member or make it as given */
    COMMAND_ACCRUE,
    COMMAND_HOLD,
    COMMAND_CONFIRM,
    COMMAND_CANCEL,
    COMMAND_REVERSE,
    COMMAND_LAPSE, /* the sweeper's; never from a caller */
};

/* What became of a row: RowOutcome of types.proto has the same order. */
enum outcome { OUTCOME_NONE, OUTCOME_CREATED, OUTCOME_CHANGED, OUTCOME_UNCHANGED, OUTCOME_REFUSED };

struct member_order {
    int64_t credit_limit;
    int16_t status;                 /* MemberStatus of bank_service.proto, 1 to 3 */
    const char *const *card_tokens; /* sorted, without repeats */
    size_t card_token_count;
};

struct accrue_order {
    const char *transaction_ref;
    int64_t amount_minor; /* > 0 */
    char currency[CURRENCY_TEXT];
    struct instant transaction_time;
};

struct hold_order {
    int64_t points;         /* 1 to POINTS_MAX */
    int64_t lapse_after_us; /* > 0 */
    const char *terminal_id;
    int32_t goods_no; /* 0 for none */
    int64_t quantity;
    const uint8_t *ship_to; /* sealed */
    size_t ship_to_size;
};

/* Confirm and reverse; 0 means all there is. */
struct part_order {
    int64_t points;
};

/* What the caller is told. Everything but state and spendable of the first answer is reproduced by a repeat. */
struct answer {
    enum reason reason;
    char detail[96];                       /* a sentence when reason's own is not enough; may be empty */
    enum outcome outcome;                  /* SET_MEMBER and ACCRUE */
    int16_t state;                         /* RedemptionState right after the write */
    int64_t points;                        /* moved by the write */
    int64_t spendable;                     /* available + unused credit limit right after it */
    char currency[CURRENCY_TEXT];          /* "" when no money moved */
    int64_t gross_minor, commission_minor; /* signed: negative for a reversal */
    struct date business_date;
    struct instant time;     /* programme time */
    struct instant lapse_at; /* HOLD only */
};

struct command {
    enum command_kind kind;
    struct uuid request_id;    /* version 7 from the caller; for ACCRUE made by command_accrual_id */
    struct uuid member_id;     /* SET_MEMBER, ACCRUE, HOLD: command_member_id; the others need none */
    uint16_t hash16;           /* routes: member_hash16 of member_id, or from redemption_id_parse */
    struct uuid redemption_id; /* CONFIRM, CANCEL, REVERSE, LAPSE: the hold's request_id */
    int32_t programme_no, bank_no;
    int32_t merchant_no;      /* 0 when the command has none */
    int32_t store_no;         /* HOLD: where. CONFIRM, CANCEL, REVERSE: the only store it may touch; 0 for any */
    const char *member_ref;   /* SET_MEMBER, ACCRUE, HOLD */
    uint8_t content_hash[32]; /* of everything that must be the same in a repeat, method and caller included */
    int64_t deadline_us;      /* clock_monotonic_us; not begun after it */
    union {
        struct member_order member;
        struct accrue_order accrue;
        struct hold_order hold;
        struct part_order part;
    };
    struct answer answer;
    void (*done)(struct command *command); /* called once, after COMMIT or refusal, on a lane's thread */
    void *owner;                           /* the maker's own */
    struct command *next;                  /* the lane's own while queued */
    int16_t attempts;                      /* the lane's own */
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

#endif
