/*
 * xml_in.h -- a partner's XML file, read element by element: any size up to XML_IN_MAX in little memory, over libxml2.
 *
 * Nothing is fetched and nothing is looked up: a file with a document type (where entities are declared) is refused,
 * and so is one that is nested too deeply or has a text longer than XML_IN_TEXT. Names come without their prefixes.
 */
#ifndef SETTLEMENT_XML_IN_H
#define SETTLEMENT_XML_IN_H

#include "base/error.h"

#include <stddef.h>

enum {
    XML_IN_MAX = 512 * 1024 * 1024, /* bytes of a file */
    XML_IN_DEPTH = 24,              /* elements within elements */
    XML_IN_PATH = 512,              /* characters of a path */
    XML_IN_TEXT = 4096,             /* bytes of one element's text, or one attribute's */
};

enum xml_event {
    XML_BEGIN, /* an element begins; text is "" */
    XML_VALUE, /* an attribute (its path ends in "@name") or, just before its XML_END, the text of an element */
    XML_END,
};

/* What is read, as a row: path "Stmt/Ntry/Amt", text without blanks around it. */
struct xml_item {
    enum xml_event event;
    const char *path; /* from the root's child on; "" for the root itself */
    const char *text;
    const char *space; /* the root's namespace */
    int line;          /* of the file, for messages */
};
/* False (with *err set) stops. */
typedef bool xml_handler(void *owner, const struct xml_item *item, struct error *err);

/* FIELD_INVALID with the line when the file is not well formed, or is refused for the reasons above. */
bool xml_in_read(const char *path, xml_handler *each, void *owner, struct error *err) MUST_USE;

/* Where the text of a path goes: rows of a table, each a char array within the caller's struct. */
struct xml_field {
    const char *path;
    size_t offset, size;
};
#define XML_FIELD(path, record, field)                                                                                 \
    {                                                                                                                  \
        path, offsetof(record, field), sizeof(((record *)0)->field)                                                    \
    }
/* Copies a value that has a row. FIELD_INVALID names the path when the text is longer than the field. */
bool xml_field_set(const struct xml_field *fields, size_t count, void *record, const char *path,
                   const struct xml_item *item, struct error *err) MUST_USE;

#endif
