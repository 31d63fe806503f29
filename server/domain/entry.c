#include "domain/entry.h"

#include <string.h>

static const struct {
    const char *name;
    enum ledger_account from, to;
} kinds[ENTRY_KIND_COUNT] = {
    [ENTRY_MEMBER] = { "MEMBER", LEDGER_NONE, LEDGER_NONE },
    [ENTRY_ACCRUE] = { "ACCRUE", LEDGER_ISSUED, LEDGER_SPENDABLE },
    [ENTRY_HOLD] = { "HOLD", LEDGER_SPENDABLE, LEDGER_HELD },
    [ENTRY_CONFIRM] = { "CONFIRM", LEDGER_HELD, LEDGER_REDEEMED },
    [ENTRY_CANCEL] = { "CANCEL", LEDGER_HELD, LEDGER_SPENDABLE },
    [ENTRY_LAPSE] = { "LAPSE", LEDGER_HELD, LEDGER_SPENDABLE },
    [ENTRY_RELEASE] = { "RELEASE", LEDGER_HELD, LEDGER_SPENDABLE },
    [ENTRY_REVERSE] = { "REVERSE", LEDGER_REDEEMED, LEDGER_SPENDABLE },
    [ENTRY_EXPIRE] = { "EXPIRE", LEDGER_SPENDABLE, LEDGER_EXPIRED },
    [ENTRY_FORFEIT] = { "FORFEIT", LEDGER_SPENDABLE, LEDGER_FORFEITED },
    [ENTRY_PEND] = { "PEND", LEDGER_ISSUED, LEDGER_PENDING },
    [ENTRY_MATURE] = { "MATURE", LEDGER_PENDING, LEDGER_SPENDABLE },
    [ENTRY_CLAWBACK] = { "CLAWBACK", LEDGER_SPENDABLE, LEDGER_ISSUED },
    [ENTRY_CLAWBACK_PENDING] = { "CLAWBACK_PENDING", LEDGER_PENDING, LEDGER_ISSUED },
    [ENTRY_ADJUST_ADD] = { "ADJUST_ADD", LEDGER_ADJUSTED, LEDGER_SPENDABLE },
    [ENTRY_ADJUST_TAKE] = { "ADJUST_TAKE", LEDGER_SPENDABLE, LEDGER_ADJUSTED },
    [ENTRY_TRANSFER_OUT] = { "TRANSFER_OUT", LEDGER_SPENDABLE, LEDGER_TRANSFER },
    [ENTRY_TRANSFER_IN] = { "TRANSFER_IN", LEDGER_TRANSFER, LEDGER_SPENDABLE },
    [ENTRY_TRANSFER_BACK] = { "TRANSFER_BACK", LEDGER_TRANSFER, LEDGER_SPENDABLE },
    [ENTRY_REINSTATE] = { "REINSTATE", LEDGER_EXPIRED, LEDGER_SPENDABLE },
    [ENTRY_CLOSE] = { "CLOSE", LEDGER_SPENDABLE, LEDGER_CLOSED },
    [ENTRY_CLOSE_PENDING] = { "CLOSE_PENDING", LEDGER_PENDING, LEDGER_CLOSED },
    [ENTRY_PENDING_OUT] = { "PENDING_OUT", LEDGER_PENDING, LEDGER_TRANSFER },
    [ENTRY_PENDING_IN] = { "PENDING_IN", LEDGER_TRANSFER, LEDGER_PENDING },
    [ENTRY_CREDIT_OUT] = { "CREDIT_OUT", LEDGER_TRANSFER, LEDGER_SPENDABLE },
    [ENTRY_CREDIT_IN] = { "CREDIT_IN", LEDGER_SPENDABLE, LEDGER_TRANSFER },
    [ENTRY_REOPEN] = { "REOPEN", LEDGER_CLOSED, LEDGER_SPENDABLE },
    [ENTRY_REOPEN_PENDING] = { "REOPEN_PENDING", LEDGER_CLOSED, LEDGER_PENDING },
};

static const char *const accounts[LEDGER_COUNT] = {
    [LEDGER_NONE] = "none",
    [LEDGER_ISSUED] = "issuer.issued",
    [LEDGER_SPENDABLE] = "member.available",
    [LEDGER_HELD] = "member.held",
    [LEDGER_REDEEMED] = "clearing.redeemed",
    [LEDGER_EXPIRED] = "lapsed.expired",
    [LEDGER_FORFEITED] = "lapsed.forfeited",
    [LEDGER_PENDING] = "member.pending",
    [LEDGER_ADJUSTED] = "issuer.adjusted",
    [LEDGER_TRANSFER] = "clearing.transfer",
    [LEDGER_CLOSED] = "lapsed.closed",
};

static bool known(int kind)
{
    return kind >= ENTRY_MEMBER && kind < ENTRY_KIND_COUNT;
}

const char *entry_kind_name(int kind)
{
    return known(kind) ? kinds[kind].name : "?";
}

void entry_accounts(int kind, enum ledger_account *from, enum ledger_account *to)
{
    *from = known(kind) ? kinds[kind].from : LEDGER_NONE;
    *to = known(kind) ? kinds[kind].to : LEDGER_NONE;
}

bool entry_gives_back(int kind)
{
    return kind == ENTRY_CANCEL || kind == ENTRY_LAPSE || kind == ENTRY_RELEASE || kind == ENTRY_REVERSE;
}

const char *ledger_account_name(enum ledger_account account)
{
    return account < LEDGER_COUNT ? accounts[account] : "?";
}

static uint8_t *put(uint8_t *at, uint64_t value, int bytes)
{
    for (int i = bytes - 1; i >= 0; i--)
        *at++ = (uint8_t)(value >> (8 * i));
    return at;
}

static uint8_t *put_bytes(uint8_t *at, const void *bytes, size_t n)
{
    memcpy(at, bytes, n);
    return at + n;
}

void entry_encode(const struct entry *entry, uint8_t out[ENTRY_BYTES])
{
    uint8_t *at = out;

    at = put_bytes(at, entry->member_id.bytes, 16);
    at = put(at, (uint64_t)entry->seq, 8);
    at = put(at, (uint32_t)entry->business_date.days, 4);
    at = put(at, (uint64_t)entry->at.us, 8);
    at = put(at, (uint16_t)entry->kind, 2);
    at = put(at, (uint64_t)entry->points, 8);
    at = put(at, (uint64_t)entry->available_after, 8);
    at = put(at, (uint64_t)entry->held_after, 8);
    at = put(at, (uint64_t)entry->credit_used_after, 8);
    at = put(at, (uint64_t)entry->credit_limit_after, 8);
    at = put_bytes(at, entry->ref.bytes, 16);
    at = put_bytes(at, entry->redemption_id.bytes, 16);
    at = put(at, (uint32_t)entry->programme_no, 4);
    at = put(at, (uint32_t)entry->bank_no, 4);
    at = put(at, (uint32_t)entry->merchant_no, 4);
    at = put(at, (uint32_t)entry->store_no, 4);
    at = put(at, (uint32_t)entry->rules_version, 4);
    at = put(at, (uint32_t)entry->terms_version, 4);
    at = put_bytes(at, entry->currency, CURRENCY_TEXT);
    at = put(at, (uint64_t)entry->gross_minor, 8);
    put(at, (uint64_t)entry->commission_minor, 8);
}

void entry_encode_pending(const struct entry *entry, uint8_t out[8])
{
    put(out, (uint64_t)entry->pending_after, 8);
}
