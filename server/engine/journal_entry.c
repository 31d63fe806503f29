#include "engine/journal_entry.h"

#include "domain/packed.h"

#include <string.h>

bool journal_entry(const struct journal_row *row, struct entry *entry)
{
    *entry = (struct entry){
        .member_id = row->member_id,
        .seq = row->seq,
        .business_date = row->business_date,
        .at = row->at,
        .kind = row->kind,
        .points = row->points,
        .available_after = row->available_after,
        .held_after = row->held_after,
        .pending_after = row->pending_after,
        .credit_used_after = row->credit_used_after,
        .credit_limit_after = row->credit_limit_after,
        .ref = row->ref,
        .redemption_id = row->redemption_id,
        .programme_no = row->programme_no,
        .bank_no = row->bank_no,
        .merchant_no = row->merchant_no,
        .store_no = row->store_no,
        .rules_version = row->rules_version,
        .terms_version = row->terms_version,
        .gross_minor = row->gross_minor,
        .commission_minor = row->commission_minor,
        .lot_count = row->lots.size / PACKED_LOT,
    };
    if (strlen(row->currency) >= CURRENCY_TEXT || row->hash.size != CRYPTO_HASH || row->lots.size % PACKED_LOT != 0)
        return false;
    memcpy(entry->currency, row->currency, strlen(row->currency));
    memcpy(entry->hash, row->hash.at, CRYPTO_HASH);
    return true;
}

void journal_hash(const uint8_t previous[CRYPTO_HASH], const struct entry *entry, struct bytes lots,
                  uint8_t hash[CRYPTO_HASH])
{
    uint8_t bytes[CRYPTO_HASH + ENTRY_BYTES + 8];

    memcpy(bytes, previous, CRYPTO_HASH);
    entry_encode(entry, bytes + CRYPTO_HASH);
    entry_encode_pending(entry, bytes + CRYPTO_HASH + ENTRY_BYTES);
    if (entry->pending_after == 0 && lots.size == 0)
        crypto_sha256(bytes, CRYPTO_HASH + ENTRY_BYTES, hash);
    else
        crypto_sha256_two(bytes, sizeof bytes, lots.at, lots.size, hash);
}
