/*
 * xml_out.h -- XML into a new file, over libxml2's writer: two blanks of indent, UTF-8, the same bytes for the same
 * calls.
 *
 * Failures are kept and told by xml_out_end, so that the writers need no checks.
 */
#ifndef SETTLEMENT_XML_OUT_H
#define SETTLEMENT_XML_OUT_H

#include "base/error.h"
#include "base/when.h"
#include "new_file.h"

struct xml_out;

/* The root element in that namespace is open. NULL when memory is short. */
struct xml_out *xml_out_begin(struct new_file *file, const char *root, const char *space);
void xml_open(struct xml_out *out, const char *name);
void xml_close(struct xml_out *out);
/* <name>text</name>; nothing for "" */
void xml_text(struct xml_out *out, const char *name, const char *text);
void xml_number(struct xml_out *out, const char *name, int64_t number);
void xml_date(struct xml_out *out, const char *name, struct date date);
/* Midnight at the beginning of that day, by programme time. */
void xml_midnight(struct xml_out *out, const char *name, struct date date);
/* "Stmt/Acct/Id": opens each; to be closed by as many xml_close. */
void xml_open_path(struct xml_out *out, const char *path);
void xml_close_path(struct xml_out *out, const char *path);
/* <name Ccy="CUR">1.23</name>; minor is 0 or more. */
void xml_amount(struct xml_out *out, const char *name, int64_t minor, const char *currency);
/* Closes what is open and gives back the memory. */
bool xml_out_end(struct xml_out *out, struct error *err) MUST_USE;
/* NULL is fine. */
void xml_out_abandon(struct xml_out *out);

#endif
