/*
 * pdf.h -- pages of a document for people, over Cairo: A4, one font for Chinese and Latin, text that can be searched.
 *
 * Content is laid out twice by the same calls: first without drawing, to count the pages, then drawn, so that each page
 * can say "2 of 5". Finished pages leave memory. Nothing depends on when it was made: the date in the file is the
 * caller's. Lengths are in points (1/72 inch), y grows downwards.
 */
#ifndef SETTLEMENT_PDF_H
#define SETTLEMENT_PDF_H

#include "base/error.h"
#include "base/when.h"
#include "new_file.h"

/* From the package fonts-wqy-microhei. */
#define PDF_FONT "/usr/share/fonts/truetype/wqy/wqy-microhei.ttc"

enum {
    PDF_WIDTH = 595,
    PDF_HEIGHT = 842,
    PDF_LEFT = 42,
    PDF_RIGHT = PDF_WIDTH - PDF_LEFT,
    PDF_TOP = 76,     /* below the running header, which is on every page */
    PDF_BOTTOM = 786, /* above the footer */
    PDF_PAGES_MAX = 500,
};

enum pdf_align { PDF_ALIGN_LEFT, PDF_ALIGN_RIGHT, PDF_ALIGN_CENTRE };
enum pdf_ink { PDF_INK, PDF_INK_SOFT, PDF_INK_ACCENT };

struct pdf;
/* Called when a page begins and before it ends, to draw what all pages have. */
typedef void pdf_page_handler(void *owner, struct pdf *pdf, int page, int pages);

struct pdf_look {
    const char *title, *author, *subject; /* the file's properties */
    struct date date;                     /* its creation date */
    pdf_page_handler *begin, *end;
    void *owner;
};
/* Lays out everything by the functions below; called twice. */
typedef bool pdf_content(void *owner, struct pdf *pdf, struct error *err);

/* SETTING_INVALID names the package when the font is not there. */
bool pdf_write(struct new_file *file, const struct pdf_look *look, pdf_content *content, void *owner,
               struct error *err) MUST_USE;

/* Where the next thing goes; moved by the caller. */
double pdf_y(const struct pdf *pdf);
void pdf_move(struct pdf *pdf, double down);
/* Begins a page unless that much room is left. true when it did. */
bool pdf_need(struct pdf *pdf, double height);

/* Text on a base line; what is wider than width is made narrower, down to 3/4, and then cut with "…". */
void pdf_text(struct pdf *pdf, double x, double y, double width, double size, enum pdf_align align, enum pdf_ink ink,
              const char *text);
void pdf_rule(struct pdf *pdf, double x, double y, double width, double weight);
void pdf_box(struct pdf *pdf, double x, double y, double width, double height);  /* outlined */
void pdf_band(struct pdf *pdf, double x, double y, double width, double height); /* filled, light */

#endif
