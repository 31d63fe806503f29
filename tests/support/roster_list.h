/*
 * roster_list.h -- a member list as a test writes it, and pushed as a roster batch of bank-a.
 */
#ifndef SUPPORT_ROSTER_LIST_H
#define SUPPORT_ROSTER_LIST_H

#include "house.h"

#include <alliance/v1/roster_service.pb-c.h>

enum { LIST_MAX = 4700 };

/* A member list, and what it adds up to. */
struct list {
    Alliance__V1__Member members[LIST_MAX];
    char refs[LIST_MAX][24];
    size_t count;
    int64_t batch_number;
    Alliance__V1__RosterKind kind;
    int64_t row_count, credit_limit_total;
    uint8_t hash[CRYPTO_HASH];
    struct arena arena;
};

struct list *make_list(int64_t batch_number, Alliance__V1__RosterKind kind);
struct list *delta(int64_t batch_number);
struct list *full(int64_t batch_number);
void free_list(struct list **list);
Alliance__V1__Member *add(struct list *list, const char *member_ref, int64_t credit_limit);
/* m-0001, m-0002, ... */
void add_many(struct list *list, int from, int to, int64_t credit_limit);
/* A Member in JSON, with ' for ". */
void add_json(struct list *list, const char *json);
/* Once all are there. */
void add_up(struct list *list);

/* Adds it up and sends all of it: the batch is CHECKING. */
void push_list(struct house *house, const char *party, struct list *list);

#endif
