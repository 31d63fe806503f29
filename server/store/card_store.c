#include "store/card_store.h"

static const struct column plans_columns[] = { { "set", KIND_TEXT, 0, NULL } };
const struct statement card_plans = { "card_plans",
                                      "SELECT set_config('enable_seqscan', 'off', true) || "
                                      "set_config('enable_hashjoin', 'off', true) || "
                                      "set_config('enable_mergejoin', 'off', true) AS set",
                                      NULL,
                                      0,
                                      plans_columns,
                                      COUNT(plans_columns),
                                      sizeof(const char *) };

static const struct column ids_params[] = { COLUMN(struct card_ids_params, buckets),
                                            COLUMN(struct card_ids_params, ids) };
static const struct column found_columns[] = {
    COLUMN(struct card_row, bucket),    COLUMN(struct card_row, id),         COLUMN(struct card_row, bank_no),
    COLUMN(struct card_row, member_id), COLUMN(struct card_row, member_ref), COLUMN(struct card_row, product),
    COLUMN(struct card_row, status),    COLUMN(struct card_row, expires_on), COLUMN(struct card_row, supplementary),
    COLUMN(struct card_row, old),
};
const struct statement card_find = STATEMENT(
    "card_find",
    "SELECT c.bucket, c.id, c.bank_no, c.member_id, c.member_ref, c.product, c.status, c.expires_on, "
    "c.supplementary, c.claimed_at < now() - interval '2 minutes' AS old "
    "FROM unnest($1::int8[], $2::uuid[]) u (bucket, id) JOIN card c ON c.bucket = u.bucket::int AND c.id = u.id",
    ids_params, found_columns, sizeof(struct card_row));

static const struct column owner_columns[] = { COLUMN(struct card_owner_row, place),
                                               COLUMN(struct card_owner_row, member_ref),
                                               COLUMN(struct card_owner_row, earlier) };
/* OFFSET 0 keeps it one look-up a card. */
const struct statement card_owners = STATEMENT(
    "card_owners",
    "SELECT u.n - 1 AS place, coalesce(c.member_ref, '') AS member_ref, coalesce(p.member_refs, '{}') AS earlier "
    "FROM unnest($1::int8[], $2::uuid[]) WITH ORDINALITY u (bucket, id, n) "
    "LEFT JOIN LATERAL (SELECT member_ref FROM card WHERE bucket = u.bucket::int AND id = u.id OFFSET 0) c ON true "
    "LEFT JOIN LATERAL (SELECT member_refs FROM card_past WHERE bucket = u.bucket::int AND id = u.id OFFSET 0) p "
    "ON true WHERE c.member_ref IS NOT NULL OR p.member_refs IS NOT NULL",
    ids_params, owner_columns, sizeof(struct card_owner_row));

static const struct column place_columns[] = { COLUMN(struct accrual_place_row, place) };
const struct statement card_known_accruals =
    STATEMENT("card_known_accruals",
              "SELECT u.n - 1 AS place FROM unnest($1::int8[], $2::uuid[]) WITH ORDINALITY u (bucket, id, n) "
              "CROSS JOIN LATERAL (SELECT FROM accrual WHERE bucket = u.bucket::int AND id = u.id OFFSET 0) a "
              "ORDER BY u.n",
              ids_params, place_columns, sizeof(struct accrual_place_row));

/* Whoever had the card is remembered, the latest first: at most as many as card_past allows. */
#define REMEMBER(gone)                                                                                                 \
    " INSERT INTO card_past AS p (bucket, id, member_refs) SELECT bucket, id, ARRAY[member_ref] FROM " gone            \
    " ON CONFLICT (bucket, id) DO UPDATE SET member_refs = "                                                           \
    "(EXCLUDED.member_refs || array_remove(p.member_refs, EXCLUDED.member_refs[1]))[1:8]"

static const struct record_type card_write = { "card_write", found_columns, COUNT(found_columns) - 1,
                                               sizeof(struct card_row) };
static const struct column rows_params[] = { RECORDS(struct card_rows_params, rows, &card_write) };
const struct statement card_claim = COMMAND_STATEMENT(
    "card_claim",
    "INSERT INTO card (bucket, id, bank_no, member_id, member_ref, product, status, expires_on, supplementary) "
    "SELECT u.* FROM unnest($1::card_write[]) u ON CONFLICT (bucket, id) DO NOTHING",
    rows_params);
const struct statement card_correct = COMMAND_STATEMENT(
    "card_correct",
    "UPDATE card c SET product = u.product, status = u.status, expires_on = u.expires_on, "
    "supplementary = u.supplementary FROM unnest($1::card_write[]) u "
    "WHERE c.bucket = u.bucket AND c.id = u.id AND c.member_id = u.member_id "
    "AND (c.product, c.status, c.expires_on, c.supplementary) <> (u.product, u.status, u.expires_on, u.supplementary)",
    rows_params);

static const struct column take_params[] = { RECORDS(struct card_take_params, rows, &card_write),
                                             COLUMN(struct card_take_params, from) };
const struct statement card_take = COMMAND_STATEMENT(
    "card_take",
    "WITH gone AS (UPDATE card c SET member_id = u.member_id, member_ref = u.member_ref, product = u.product, "
    "status = u.status, expires_on = u.expires_on, supplementary = u.supplementary, claimed_at = now() "
    "FROM unnest($1::card_write[], $2::uuid[]) u (bucket, id, bank_no, member_id, member_ref, product, status, "
    "expires_on, supplementary, from_id) JOIN card was ON was.bucket = u.bucket AND was.id = u.id "
    "AND was.member_id = u.from_id WHERE c.bucket = u.bucket AND c.id = u.id AND c.member_id = u.from_id "
    "RETURNING c.bucket, c.id, was.member_ref)" REMEMBER("gone"),
    take_params);

static const struct column release_params[] = { COLUMN(struct card_release_params, buckets),
                                                COLUMN(struct card_release_params, ids),
                                                COLUMN(struct card_release_params, member_ids) };
const struct statement card_release =
    COMMAND_STATEMENT("card_release",
                      "WITH gone AS (DELETE FROM card c USING unnest($1::int8[], $2::uuid[], $3::uuid[]) "
                      "u (bucket, id, member_id) WHERE c.bucket = u.bucket::int AND c.id = u.id "
                      "AND c.member_id = u.member_id RETURNING c.bucket, c.id, c.member_ref)" REMEMBER("gone"),
                      release_params);

static const struct column move_params[] = {
    COLUMN(struct card_move_params, buckets),         COLUMN(struct card_move_params, ids),
    COLUMN(struct card_move_params, from_member_id),  COLUMN(struct card_move_params, to_member_id),
    COLUMN(struct card_move_params, to_member_ref),   COLUMN(struct card_move_params, transfer_id),
    COLUMN(struct card_move_params, transfer_bucket),
};
/* In the order of buckets and ids, as everybody locks cards; OFFSET 0 keeps them one look-up each. */
const struct statement card_move = COMMAND_STATEMENT(
    "card_move",
    "WITH mine AS MATERIALIZED (SELECT c.bucket, c.id, c.member_ref FROM unnest($1::int8[], $2::uuid[]) "
    "u (bucket, id) CROSS JOIN LATERAL (SELECT bucket, id, member_ref FROM card WHERE bucket = u.bucket::int "
    "AND id = u.id AND member_id = $3 OFFSET 0) c WHERE EXISTS (SELECT FROM transfer t WHERE t.bucket = $7 AND t.id = "
    "$6 AND t.state = 1) "
    "ORDER BY c.bucket, c.id), "
    "gone AS (UPDATE card c SET member_id = $4, member_ref = $5, claimed_at = now() FROM mine "
    "WHERE c.bucket = mine.bucket AND c.id = mine.id AND c.member_id = $3 "
    "RETURNING c.bucket, c.id, mine.member_ref)" REMEMBER("gone"),
    move_params);

static const struct column profiles_params[] = { COLUMN(struct card_profiles_params, buckets),
                                                 COLUMN(struct card_profiles_params, member_ids),
                                                 COLUMN(struct card_profiles_params, seqs) };
static const struct column profile_columns[] = { COLUMN(struct card_profile_row, member_id),
                                                 COLUMN(struct card_profile_row, seq),
                                                 COLUMN(struct card_profile_row, tokens),
                                                 COLUMN(struct card_profile_row, tokens_before),
                                                 COLUMN(struct card_profile_row, status) };
const struct statement card_profiles =
    STATEMENT("card_profiles",
              "SELECT p.member_id, u.seq, p.card_tokens AS tokens, CASE WHEN coalesce(c.profile_before, '') = '' THEN "
              "'{}' ELSE ARRAY("
              "SELECT card ->> 'token' FROM jsonb_array_elements(c.profile_before::jsonb -> 'cards') card) END AS "
              "tokens_before, a.status "
              "FROM unnest($1::int8[], $2::uuid[], $3::int8[]) u (bucket, member_id, seq) "
              "CROSS JOIN LATERAL (SELECT member_id, card_tokens FROM member_profile WHERE bucket = u.bucket::int "
              "AND member_id = u.member_id OFFSET 0) p "
              "CROSS JOIN LATERAL (SELECT status FROM account WHERE bucket = u.bucket::int AND member_id = u.member_id "
              "OFFSET 0) a "
              "LEFT JOIN LATERAL (SELECT profile_before FROM member_change WHERE u.seq > 0 AND bucket = u.bucket::int "
              "AND member_id = u.member_id AND seq = u.seq OFFSET 0) c ON true",
              profiles_params, profile_columns, sizeof(struct card_profile_row));
