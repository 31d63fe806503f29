/*
 * card_store.h -- whose a card is. A card's row lies in the bucket of the card, not of the member.
 */
#ifndef STORE_CARD_STORE_H
#define STORE_CARD_STORE_H

#include "store/db.h"

/* In a transaction, before any of the others: cards are found by index, however few there were when it was planned. */
extern const struct statement card_plans;

/* The n-th id lies in the n-th bucket. */
struct card_ids_params {
    struct int64_array buckets;
    struct uuid_array ids;
};
struct card_row {
    int32_t bucket;
    struct uuid id;
    int32_t bank_no;
    struct uuid member_id;
    const char *member_ref, *product;
    int16_t status;
    struct date expires_on; /* 1970-01-01: not said */
    bool supplementary;
    bool old; /* claimed a while ago: whoever claimed it has had the time to say so in the member's profile */
};
extern const struct statement card_find; /* card_ids_params; none for a card that is nobody's */

/* Whose the card at that place of the question is, and whose it was. */
struct card_owner_row {
    int64_t place;
    const char *member_ref;    /* "" for a card that is nobody's now */
    struct text_array earlier; /* the latest first */
};
extern const struct statement card_owners; /* card_ids_params; none for a card that never was anybody's */

struct accrual_place_row {
    int64_t place;
};
/* card_ids_params, of accruals: the places of those that there are, in order. */
extern const struct statement card_known_accruals;

/* Rows of struct card_row, without old. */
struct card_rows_params {
    struct record_array rows;
};
/* Those that are nobody's; what is somebody's already stays so. */
extern const struct statement card_claim;
/* Those that are that member's and are said to be otherwise. */
extern const struct statement card_correct;

/* What a card is taken from, given up by or moved from is remembered by these three as its earlier owner. */

/* The n-th card becomes its row's member's when it is the n-th member's. */
struct card_take_params {
    struct record_array rows;
    struct uuid_array from;
};
extern const struct statement card_take;

/* The n-th id is given up when it is the n-th member's. */
struct card_release_params {
    struct int64_array buckets;
    struct uuid_array ids, member_ids;
};
extern const struct statement card_release;

/* The n-th id becomes the other member's when it is that member's, as long as the split is under way. */
struct card_move_params {
    struct int64_array buckets;
    struct uuid_array ids;
    struct uuid from_member_id, to_member_id;
    const char *to_member_ref;
    struct uuid transfer_id;
    int32_t transfer_bucket;
};
extern const struct statement card_move;

/* What a member's profile says of its cards now, and what it said before the change of that seq (0: none). */
struct card_profiles_params {
    struct int64_array buckets;
    struct uuid_array member_ids;
    struct int64_array seqs;
};
struct card_profile_row {
    struct uuid member_id;
    int64_t seq; /* as asked */
    struct text_array tokens, tokens_before;
    int16_t status; /* of the member */
};
extern const struct statement card_profiles; /* a row a member asked for; none when it has no profile */

#endif
