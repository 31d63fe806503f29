#include "iso_party.h"

#include <stdio.h>
#include <string.h>

void iso_account_id(struct xml_out *out, const struct doc_party *party)
{
    char code[DOC_ID_TEXT];

    xml_open(out, "Id");
    xml_text(out, "IBAN", party->iban);
    if (!*party->iban) {
        doc_party_code(party, code);
        xml_open(out, "Othr");
        xml_text(out, "Id", *party->account_number ? party->account_number : code);
        xml_close(out);
    }
    xml_close(out);
}

/* Lines have 70 characters at most, an address two lines. Cut between characters. */
static void address_lines(struct xml_out *out, const char *address)
{
    char line[71];
    size_t n = strlen(address) < sizeof line ? strlen(address) : sizeof line - 1;

    while (n > 0 && ((unsigned char)address[n] & 0xC0) == 0x80)
        n--;
    snprintf(line, sizeof line, "%.*s", (int)n, address);
    xml_text(out, "AdrLine", line);
    xml_text(out, "AdrLine", address + n);
}

void iso_party(struct xml_out *out, const char *name, const struct doc_party *party)
{
    xml_open(out, name);
    xml_text(out, "Nm", doc_party_name(party));
    if (*party->address || *party->country) {
        xml_open(out, "PstlAdr");
        xml_text(out, "Ctry", party->country);
        address_lines(out, party->address);
        xml_close(out);
    }
    xml_close(out);
}

void iso_agent(struct xml_out *out, const char *name, const struct doc_party *party)
{
    xml_open(out, name);
    xml_open(out, "FinInstnId");
    xml_text(out, "BICFI", party->bic);
    xml_text(out, "Nm", party->bank_name);
    if (!*party->bic && !*party->bank_name) {
        xml_open(out, "Othr");
        xml_text(out, "Id", "NOTPROVIDED");
        xml_close(out);
    }
    xml_close_path(out, "Agt/FinInstnId");
}
