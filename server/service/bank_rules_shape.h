/*
 * bank_rules_shape.h -- exchange rules: the message and the value decisions read, in both directions.
 */
#ifndef SERVICE_BANK_RULES_SHAPE_H
#define SERVICE_BANK_RULES_SHAPE_H

#include "base/arena.h"
#include "domain/rules.h"

#include <alliance/v1/bank_service.pb-c.h>

/*
 * What a publish request asks for: every field is checked, what is left out has its default, rates are in order of
 * currency. effective_from is 0 when it is not set; version is 0. Fields are named within the message.
 */
bool bank_rules_read(const Alliance__V1__ExchangeRules *asked, struct exchange_rules *rules,
                     struct error *err) MUST_USE;
/* Into a message with every field at its default; bank_id is borrowed. false: the arena is full. */
bool bank_rules_shape(struct arena *arena, char *bank_id, const struct exchange_rules *rules,
                      Alliance__V1__ExchangeRules *shaped) MUST_USE;

#endif
