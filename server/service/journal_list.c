/*
 * journal_list.c -- ListJournal: a member's entries in order of seq, either way, a page at a time.
 */
#include "service/bank_handlers.h"

#include "domain/packed.h"
#include "service/journal.h"
#include "service/page.h"
#include "service/shape.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef Alliance__V1__ListJournalRequest Asked;
typedef Alliance__V1__ListJournalResponse Reply;

/* A page ends early when its entries have this many lots together. */
enum { PAGE_LOTS_MAX = 20000 };
enum { FILTERS_MAX = ID_MAX + MEMBER_REF_MAX + 8 };

/* Digits and nothing else, more than 0. */
static bool read_seq(const char *text, int64_t *seq)
{
    size_t digits = strspn(text, "0123456789");

    errno = 0;
    *seq = strtoll(text, NULL, 10);
    return digits > 0 && text[digits] == '\0' && errno == 0 && *seq > 0;
}

/* Where the page begins: the entry it goes on after. */
static bool read_page(const struct errand *errand, char filters[FILTERS_MAX], struct page *page, int64_t *after,
                      struct error *err)
{
    const Asked *asked = (const Asked *)errand->request;

    snprintf(filters, FILTERS_MAX, "%s/%s/%d", asked->bank_id, asked->member_ref, asked->newest_first ? 1 : 0);
    if (!page_read(errand->call, asked->page_size, asked->page_token, filters, page, err))
        return false;
    *after = asked->newest_first ? INT64_MAX : 0;
    return page->after[0] == '\0' || read_seq(page->after, after) || page_refuse_token(err);
}

/* How many of the rows make the page: no more than asked, and no more lots than fit into an answer. */
static size_t cut(const struct journal_row *rows, size_t count, size_t size)
{
    size_t lots = 0, taken = 0;

    while (taken < count && taken < size) {
        lots += rows[taken].lots.size / PACKED_LOT;
        if (taken > 0 && lots > PAGE_LOTS_MAX)
            break;
        taken++;
    }
    return taken;
}

static bool shape_page(struct errand *errand, const struct journal_subject *subject, const struct journal_row *rows,
                       size_t count, Reply *reply, struct error *err)
{
    reply->entries = arena_alloc(&errand->call->arena, (count + 1) * sizeof *reply->entries);
    if (!reply->entries)
        return errand_no_room(err);
    for (size_t i = 0; i < count; i++) {
        reply->entries[i] = journal_shape(errand, subject->bank, &rows[i], err);
        if (!reply->entries[i])
            return false;
        reply->n_entries++;
    }
    return true;
}

static bool list_work(struct errand *errand, struct error *err)
{
    const Asked *asked = (const Asked *)errand->request;
    struct journal_subject subject;
    char filters[FILTERS_MAX], key[24];
    struct page page;
    size_t count;
    void *fetched;

    Reply *reply = errand_reply(errand, &alliance__v1__list_journal_response__descriptor, err);
    if (!reply || !journal_find_subject(errand, asked->bank_id, asked->member_ref, &subject, err))
        return false;
    struct journal_page_params params = { subject.bucket, subject.member_id, 0, 0 };
    if (!read_page(errand, filters, &page, &params.seq, err))
        return false;
    params.limit = page.size + 1;
    if (!db_fetch(errand->db, asked->newest_first ? &journal_before : &journal_after, &params, &errand->call->arena,
                  &fetched, &count, err))
        return false;
    const struct journal_row *rows = fetched;
    size_t taken = cut(rows, count, (size_t)page.size);
    if (taken < count) {
        snprintf(key, sizeof key, "%" PRId64, rows[taken - 1].seq);
        reply->next_page_token = page_token(errand->call, &page, key);
    }
    if (!reply->next_page_token)
        return errand_no_room(err);
    return shape_page(errand, &subject, rows, taken, reply, err);
}

bool bank_list_journal(struct call *call, const ProtobufCMessage *request, struct error *err)
{
    const Asked *asked = (const Asked *)request;

    return journal_check_member(call, asked->bank_id, asked->member_ref, err) &&
           errand_read(call, request, list_work, err);
}
