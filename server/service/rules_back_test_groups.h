/*
 * rules_back_test_groups.h -- the merchants of a back-test, as many as come up within a limit, and the answer.
 */
#ifndef SERVICE_RULES_BACK_TEST_GROUPS_H
#define SERVICE_RULES_BACK_TEST_GROUPS_H

#include "base/arena.h"
#include "domain/back_test.h"
#include "engine/reference.h"

#include <alliance/v1/rules_service.pb-c.h>

enum { BACK_TEST_MERCHANTS = 8192 }; /* kept apart; those that come up later are one group */

struct merchant_group {
    int32_t merchant_no; /* 0: all others */
    struct back_test_group group;
};
/* Zeroed it is empty. */
struct merchant_groups {
    struct merchant_group *at; /* owned; the first stands for all others */
    size_t count, room;
    uint16_t slots[2 * BACK_TEST_MERCHANTS]; /* open addressing: places in `at`, 0 for none */
};

/* The merchant's group; valid until the next call. NULL: out of memory. */
struct back_test_group *merchant_groups_find(struct merchant_groups *groups, int32_t merchant_no);
void merchant_groups_free(struct merchant_groups *groups);

/* Everything that was counted. false: the arena is full. */
bool back_test_shape(struct arena *arena, const struct reference *reference, const struct back_test *test,
                     const struct merchant_groups *merchants, Alliance__V1__BackTestResponse *reply);

#endif
