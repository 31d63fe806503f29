/*
 * rule_set_store.h -- rule sets: documents, how far they have come and who did what. Rows are never deleted and a
 * document is never changed. Writers hold registry_lock.
 */
#ifndef STORE_RULE_SET_STORE_H
#define STORE_RULE_SET_STORE_H

#include "store/db.h"

struct rule_set_request_params {
    int32_t bank_no;
    struct uuid request_id;
};
struct rule_set_request_row {
    int32_t number;
    struct bytes content_hash;
};
extern const struct statement rule_set_find_request;

/* The newest number of a bank, 0 when it has none: registry_no_params, registry_number_row. */
extern const struct statement rule_set_last;

struct rule_set_add_params {
    int32_t bank_no, number;
    struct uuid request_id;
    struct bytes content_hash, document;
    const char *drafted_by;
    struct instant drafted_at;
};
extern const struct statement rule_set_add;

/* One of number and version is 0. */
struct rule_set_key_params {
    int32_t bank_no, number, version;
};
/* Instants are 0 for what did not happen; `until` is 9999-12-31 when no later version is there. */
struct rule_set_row {
    int32_t number; /* 0: a version that was published without a rule set; then the document is empty */
    int32_t version;
    int16_t state; /* RuleSetState of rules_service.proto, but never ACTIVE or SUPERSEDED */
    struct uuid request_id;
    struct bytes content_hash, document;
    const char *drafted_by;
    struct instant drafted_at;
    const char *approved_by;
    struct instant approved_at;
    const char *scheduled_by;
    struct instant effective_from, until;
    const char *cancelled_by;
    struct instant cancelled_at;
};
extern const struct statement rule_set_find; /* rule_set_key_params */

/* By number and version; documents are left out. */
struct rule_set_page_params {
    int32_t bank_no, after_number, after_version, limit;
};
extern const struct statement rule_set_list;

/* All that a step of its life may change. */
struct rule_set_change_params {
    int32_t bank_no, number;
    int16_t state;
    const char *approved_by;
    struct instant approved_at;
    const char *scheduled_by;
    int32_t version;
    struct instant effective_from;
    const char *cancelled_by;
    struct instant cancelled_at;
};
extern const struct statement rule_set_change;

/* Nobody decides by that version; it must not be in force yet. */
struct rule_set_cancel_params {
    int32_t bank_no, version;
};
extern const struct statement rule_set_cancel_version;

#endif
