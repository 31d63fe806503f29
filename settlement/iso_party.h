/*
 * iso_party.h -- a party and its account as ISO 20022 names them, the same in camt.053 and pain.001.
 *
 * A party without an account is named by its code ("M12") in Othr/Id, an agent without BIC by NOTPROVIDED.
 */
#ifndef SETTLEMENT_ISO_PARTY_H
#define SETTLEMENT_ISO_PARTY_H

#include "doc.h"
#include "xml_out.h"

/* <Id><IBAN> or <Id><Othr><Id> */
void iso_account_id(struct xml_out *out, const struct doc_party *party);
/* <name><Nm>, <PstlAdr> */
void iso_party(struct xml_out *out, const char *name, const struct doc_party *party);
/* <name><FinInstnId> */
void iso_agent(struct xml_out *out, const char *name, const struct doc_party *party);

#endif
