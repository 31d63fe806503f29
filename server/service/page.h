/*
 * page.h -- page_size and page_token: where a list goes on.
 *
 * A token is the key of the last row with a short hash over the method, the caller's party and the filters, in base64:
 * opaque to the caller and of no use with other filters. It guards against mistakes, not against malice: what a caller
 * may see is decided anew for every page.
 */
#ifndef SERVICE_PAGE_H
#define SERVICE_PAGE_H

#include "service/call.h"

enum { PAGE_KEY_MAX = 200 };

struct page {
    int32_t size;                 /* rows wanted, 1 to PAGE_MAX */
    char after[PAGE_KEY_MAX + 1]; /* the key to go on after; "" at the start */
    const char *filters;          /* everything else the list depends on, as one text; borrowed */
};

/* FIELD_INVALID for page_size, PAGE_TOKEN_INVALID for page_token. */
bool page_read(const struct call *call, int32_t page_size, const char *page_token, const char *filters,
               struct page *page, struct error *err) MUST_USE;
/* PAGE_TOKEN_INVALID: the token's key is none that the method could have given. Always false. */
bool page_refuse_token(struct error *err);
/* The token that goes on after the row with that key; in the call's arena, NULL when it is full. */
char *page_token(struct call *call, const struct page *page, const char *last_key);

#endif
