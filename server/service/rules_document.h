/*
 * rules_document.h -- a rule set's document: the message, the bytes that are kept, and the value decisions read.
 */
#ifndef SERVICE_RULES_DOCUMENT_H
#define SERVICE_RULES_DOCUMENT_H

#include "base/arena.h"
#include "domain/rule_set.h"
#include "store/db.h"

#include <alliance/v1/rules_service.pb-c.h>

/*
 * Every field is checked, what is left out has its default. An empty rules.bank_id is filled in. The set lives in the
 * arena; NULL with *err set, whose field is named within the document.
 */
const struct rule_set *rules_document_read(Alliance__V1__RuleSetDocument *document, const char *bank_id,
                                           struct arena *arena, struct error *err);
/* What a version published the short way stands for: general rates only. NULL: the arena is full. */
Alliance__V1__RuleSetDocument *rules_document_shape(const struct exchange_rules *rules, const char *bank_id,
                                                    struct arena *arena);

/* rule_set_reader of engine/reference.h. */
const struct rule_set *rules_document_compile(struct bytes document, const char *bank_id, struct arena *arena,
                                              struct error *err);

bool rules_document_pack(const Alliance__V1__RuleSetDocument *document, struct arena *arena, struct bytes *bytes,
                         struct error *err) MUST_USE;
/* NULL with *err set (INTERNAL) when they are no document. */
Alliance__V1__RuleSetDocument *rules_document_unpack(struct bytes bytes, struct arena *arena, struct error *err);

#endif
