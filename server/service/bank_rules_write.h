/*
 * bank_rules_write.h -- a version of a bank's exchange rules as rows; for whoever makes one.
 */
#ifndef SERVICE_BANK_RULES_WRITE_H
#define SERVICE_BANK_RULES_WRITE_H

#include "domain/rules.h"
#include "service/publication.h"

/* Of a publication that was decided and is no repeat; the owner is the bank. */
bool bank_rules_write(struct errand *errand, const struct publication *publication, const struct exchange_rules *rules,
                      struct error *err) MUST_USE;

#endif
