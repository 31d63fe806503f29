#include "posting.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static bool make_room(struct posting_list *list, struct error *err)
{
    if (list->count < list->room)
        return true;
    if (list->count == POSTINGS_MAX)
        return error_set(err, REASON_INTERNAL, "a period can have at most %d postings", POSTINGS_MAX);
    size_t room = list->room ? list->room * 2 : 64;
    struct posting *at = realloc(list->at, room * sizeof *at);
    if (!at)
        return error_set(err, REASON_INTERNAL, "out of memory");
    list->at = at;
    list->room = room;
    return true;
}

bool posting_add(struct posting_list *list, const struct posting *posting, struct error *err)
{
    struct posting one = *posting;

    if (one.amount_minor == 0)
        return true;
    if (one.amount_minor == INT64_MIN)
        return error_set(err, REASON_DOES_NOT_TIE, "a posting %s does not fit", posting_name(one.kind));
    if (one.amount_minor < 0) {
        one.amount_minor = -one.amount_minor;
        one.from = posting->to;
        one.to = posting->from;
    }
    if (!make_room(list, err))
        return false;
    list->at[list->count++] = one;
    return true;
}

void posting_list_release(struct posting_list *list)
{
    free(list->at);
    arena_release(&list->texts);
    *list = (struct posting_list){ 0 };
}

bool posting_note(struct posting_list *list, struct posting *posting, struct error *err, const char *format, ...)
{
    char text[POSTING_TEXT];
    va_list args;

    va_start(args, format);
    int n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    posting->note = n < 0 || (size_t)n >= sizeof text ? NULL : arena_copy(&list->texts, text, (size_t)n);
    return posting->note || error_set(err, REASON_INTERNAL, "out of memory for how a posting comes about");
}

void percent_format(int64_t bp, char text[PERCENT_TEXT])
{
    snprintf(text, PERCENT_TEXT, "%" PRId64 ".%02d %%", bp / 100, (int)(bp % 100));
}

bool party_is(struct party a, struct party b)
{
    return a.kind == b.kind && a.no == b.no;
}

int64_t posting_for(const struct posting *posting, struct party party)
{
    return party_is(posting->to, party)     ? posting->amount_minor
           : party_is(posting->from, party) ? -posting->amount_minor
                                            : 0;
}
