#include "doc_files.h"

const struct doc_writer *const doc_writers[DOC_WRITERS] = { &camt053_writer, &pdf_writer, &bill_writer,
                                                            &fixed_width_writer, &points_writer };

unsigned doc_files_wanted(const struct statement_doc *doc)
{
    int32_t wishes = doc->party.files | doc->other.files;
    unsigned wanted = 0;

    for (size_t i = 0; i < DOC_WRITERS; i++) {
        const struct doc_writer *writer = doc_writers[i];
        if ((writer->types & 1u << doc->sheet->type) && (writer->wish == 0 || (writer->wish & wishes)) &&
            (!writer->of_points || doc->points))
            wanted |= 1u << i;
    }
    return wanted;
}

bool doc_files_begin(struct doc_files *files, int directory, const struct statement_doc *doc, struct error *err)
{
    unsigned wanted = doc_files_wanted(doc);
    char name[SHEET_FILE_TEXT];

    for (size_t i = 0; i < DOC_WRITERS; i++) {
        struct doc_file *at = &files->at[i];
        if (!(wanted & 1u << i))
            continue;
        sheet_file_name(doc->sheet, doc->programme_id, doc->period->text, doc_writers[i]->extension, name);
        at->state = NULL;
        if (!new_file_open(&at->file, directory, name, err))
            return false;
        at->open = true;
        if (!doc_writers[i]->begin(doc, &at->file, &at->state, err))
            return false;
    }
    return true;
}

void doc_files_line(struct doc_files *files, const struct statement_doc *doc, const struct sheet_line *line)
{
    for (size_t i = 0; i < DOC_WRITERS; i++) {
        if (files->at[i].open && doc_writers[i]->line)
            doc_writers[i]->line(files->at[i].state, doc, line);
    }
}

bool doc_files_end(struct doc_files *files, const struct statement_doc *doc, doc_file_told *tell, void *owner,
                   struct error *err)
{
    uint8_t content[CRYPTO_HASH];

    for (size_t i = 0; i < DOC_WRITERS; i++) {
        struct doc_file *at = &files->at[i];
        void *state = at->state;
        if (!at->open)
            continue;
        at->state = NULL; /* end gives it back, whatever becomes of it */
        at->open = false;
        if (!doc_writers[i]->end(state, doc, err) || !new_file_finish_unsynced(&at->file, content, err))
            return false;
        tell(owner, &at->file, content);
    }
    return true;
}

void doc_files_release(struct doc_files *files)
{
    for (size_t i = 0; i < DOC_WRITERS; i++) {
        if (files->at[i].open)
            doc_writers[i]->abandon(files->at[i].state);
        files->at[i].open = false;
        new_file_release(&files->at[i].file);
    }
}
