#include "doc_fill.h"

#include <stdio.h>
#include <string.h>

/* A PAIR is seen by its merchant. */
static struct party party_of(const struct sheet *sheet)
{
    return sheet->type == SHEET_PAIR ? (struct party){ PARTY_MERCHANT, sheet->merchant_no } : sheet_party(sheet);
}

static void fill_parties(const struct doc_source *source, const struct sheet *sheet, struct statement_doc *doc)
{
    struct party party = party_of(sheet);

    doc_directory_find(&source->directory, party.kind, party.no, sheet->currency, &doc->party);
    doc_directory_find(&source->directory, PARTY_OPERATOR, 0, sheet->currency, &doc->operator_);
    if (sheet->type == SHEET_PAIR)
        doc_directory_find(&source->directory, PARTY_BANK, sheet->bank_no, sheet->currency, &doc->other);
}

static bool is_posted(const struct posting *posting, const struct sheet *sheet)
{
    return strcmp(posting->currency, sheet->currency) == 0 && posting_for(posting, sheet_party(sheet)) != 0;
}

static const char *other_party(const struct doc_source *source, const struct posting *posting, struct party party)
{
    struct party other = party_is(posting->from, party) ? posting->to : posting->from;
    const char *id = books_id(source->books, other);

    return *id ? id : other.kind == PARTY_TAX ? "tax" : source->programme_id;
}

/* A PAIR has none: they are its parties'. */
static bool fill_postings(const struct doc_source *source, const struct sheet *sheet, struct arena *arena,
                          struct statement_doc *doc, struct error *err)
{
    const struct posting_list *list = &source->books->postings;
    struct party party = sheet_party(sheet);
    size_t count = 0;

    if (sheet->type == SHEET_PAIR)
        return true;
    for (size_t i = 0; i < list->count; i++)
        count += is_posted(&list->at[i], sheet);
    doc->postings = arena_alloc(arena, (count + 1) * sizeof *doc->postings);
    if (!doc->postings)
        return error_set(err, REASON_INTERNAL, "out of memory");
    for (size_t i = 0; i < list->count; i++) {
        const struct posting *from = &list->at[i];
        if (is_posted(from, sheet))
            doc->postings[doc->posting_count++] = (struct doc_posting){
                (int64_t)i + 1,           posting_name(from->kind), other_party(source, from, party),
                posting_for(from, party), from->refers_to,          from->note
            };
    }
    return true;
}

static bool fill_kept(const struct books *books, const struct sheet *sheet, struct arena *arena,
                      struct statement_doc *doc, struct error *err)
{
    doc->kept = arena_alloc(arena, (books->keep_count + 1) * sizeof *doc->kept);
    if (!doc->kept)
        return error_set(err, REASON_INTERNAL, "out of memory");
    for (size_t i = 0; i < books->keep_count; i++) {
        if (keep_is_of(&books->keeps[i], sheet))
            doc->kept[doc->kept_count++] = books->keeps[i];
    }
    return true;
}

bool doc_fill(const struct doc_source *source, const struct sheet *sheet, struct arena *arena,
              struct statement_doc *doc, struct error *err)
{
    *doc = (struct statement_doc){
        .programme_id = source->programme_id,
        .period = source->period,
        .sheet = sheet,
        .list = source->list,
        .position = sheet->position,
    };
    fill_parties(source, sheet, doc);
    snprintf(doc->number, sizeof doc->number, "%s", sheet->number);
    sheet_id(sheet, source->programme_id, source->period->text, doc->id);
    if (sheet->type == SHEET_PAIR)
        doc->position.movement_minor = doc->position.closing_minor = sheet->totals.net_minor;
    return fill_postings(source, sheet, arena, doc, err) &&
           (sheet->type == SHEET_PAIR || fill_kept(source->books, sheet, arena, doc, err));
}
