#include "pdf.h"

#include <cairo-ft.h>
#include <cairo-pdf.h>

#include <stdio.h>
#include <string.h>

struct pdf {
    struct new_file *file;
    const struct pdf_look *look;
    cairo_surface_t *surface;
    cairo_t *cairo;
    bool drawing; /* the second time */
    int page, pages;
    double y;
};

/* The font is read once a process and kept until it ends. */
static cairo_font_face_t *font(void)
{
    static cairo_font_face_t *face;
    FT_Library library;
    FT_Face read;

    if (!face && FT_Init_FreeType(&library) == 0 && FT_New_Face(library, PDF_FONT, 0, &read) == 0)
        face = cairo_ft_font_face_create_for_ft_face(read, FT_LOAD_NO_HINTING);
    return face;
}

static cairo_status_t put(void *context, const unsigned char *bytes, unsigned int size)
{
    new_file_write(context, bytes, size);
    return CAIRO_STATUS_SUCCESS;
}

static void properties(cairo_surface_t *surface, const struct pdf_look *look)
{
    char day[DATE_TEXT], made[DATE_TEXT + 16];

    date_format(look->date, day);
    snprintf(made, sizeof made, "%sT00:00:00Z", day);
    cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_TITLE, look->title);
    cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_AUTHOR, look->author);
    cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_SUBJECT, look->subject);
    cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_CREATE_DATE, made);
    cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_MOD_DATE, made);
}

static void pdf_release(struct pdf *pdf)
{
    if (pdf->cairo)
        cairo_destroy(pdf->cairo);
    if (pdf->surface)
        cairo_surface_destroy(pdf->surface);
}

static void begin_page(struct pdf *pdf)
{
    pdf->page++;
    pdf->y = PDF_TOP;
    pdf->look->begin(pdf->look->owner, pdf, pdf->page, pdf->pages);
}

static void end_page(struct pdf *pdf)
{
    pdf->look->end(pdf->look->owner, pdf, pdf->page, pdf->pages);
    if (pdf->drawing)
        cairo_show_page(pdf->cairo);
}

static bool lay_out(struct pdf *pdf, bool drawing, pdf_content *content, void *owner, struct error *err)
{
    pdf->drawing = drawing;
    pdf->page = 0;
    begin_page(pdf);
    if (!content(owner, pdf, err))
        return false;
    end_page(pdf);
    pdf->pages = pdf->page;
    return pdf->pages <= PDF_PAGES_MAX ||
           error_set(err, REASON_INTERNAL, "a PDF would have %d pages; at most %d are made", pdf->pages, PDF_PAGES_MAX);
}

bool pdf_write(struct new_file *file, const struct pdf_look *look, pdf_content *content, void *owner, struct error *err)
{
    CLEANUP(pdf_release) struct pdf pdf = { .file = file, .look = look };

    if (!font())
        return error_set(err, REASON_SETTING_INVALID, "cannot read %s; install the package fonts-wqy-microhei",
                         PDF_FONT);
    pdf.surface = cairo_pdf_surface_create_for_stream(put, file, PDF_WIDTH, PDF_HEIGHT);
    properties(pdf.surface, look);
    pdf.cairo = cairo_create(pdf.surface);
    cairo_set_font_face(pdf.cairo, font());
    if (!lay_out(&pdf, false, content, owner, err) || !lay_out(&pdf, true, content, owner, err))
        return false;
    cairo_surface_finish(pdf.surface);
    return cairo_status(pdf.cairo) == CAIRO_STATUS_SUCCESS ||
           error_set(err, REASON_INTERNAL, "Cairo: %s", cairo_status_to_string(cairo_status(pdf.cairo)));
}

double pdf_y(const struct pdf *pdf)
{
    return pdf->y;
}

void pdf_move(struct pdf *pdf, double down)
{
    pdf->y += down;
}

bool pdf_need(struct pdf *pdf, double height)
{
    if (pdf->y + height <= PDF_BOTTOM)
        return false;
    end_page(pdf);
    begin_page(pdf);
    return true;
}

/* Colours are dark enough to print. */
static const struct {
    double red, green, blue;
} inks[] = {
    [PDF_INK] = { 0.10, 0.12, 0.15 },
    [PDF_INK_SOFT] = { 0.42, 0.45, 0.50 },
    [PDF_INK_ACCENT] = { 0.05, 0.25, 0.45 },
};

static double width_of(struct pdf *pdf, const char *text)
{
    cairo_text_extents_t extents;

    cairo_text_extents(pdf->cairo, text, &extents);
    return extents.x_advance;
}

/* One character less, and "…" behind. */
static void shorten(char *text)
{
    size_t n = strlen(text);

    if (n >= 3 && strcmp(text + n - 3, "…") == 0)
        n -= 3;
    while (n > 0 && ((unsigned char)text[n - 1] & 0xC0) == 0x80)
        n--;
    if (n > 0)
        n--;
    memcpy(text + n, "…", sizeof "…");
}

void pdf_text(struct pdf *pdf, double x, double y, double width, double size, enum pdf_align align, enum pdf_ink ink,
              const char *text)
{
    char shown[512];
    double wide;

    if (!pdf->drawing || !*text)
        return;
    snprintf(shown, sizeof shown - 4, "%s", text);
    cairo_set_font_size(pdf->cairo, size);
    wide = width_of(pdf, shown);
    if (wide > width) {
        double narrow = width / wide > 0.75 ? width / wide : 0.75;
        cairo_set_font_size(pdf->cairo, size * narrow);
        while ((wide = width_of(pdf, shown)) > width + 0.01 && strlen(shown) > 3)
            shorten(shown);
    }
    cairo_set_source_rgb(pdf->cairo, inks[ink].red, inks[ink].green, inks[ink].blue);
    cairo_move_to(pdf->cairo,
                  align == PDF_ALIGN_LEFT    ? x
                  : align == PDF_ALIGN_RIGHT ? x + width - wide
                                             : x + (width - wide) / 2,
                  y);
    cairo_show_text(pdf->cairo, shown);
}

void pdf_rule(struct pdf *pdf, double x, double y, double width, double weight)
{
    if (!pdf->drawing)
        return;
    cairo_set_source_rgb(pdf->cairo, 0.55, 0.58, 0.62);
    cairo_set_line_width(pdf->cairo, weight);
    cairo_move_to(pdf->cairo, x, y);
    cairo_line_to(pdf->cairo, x + width, y);
    cairo_stroke(pdf->cairo);
}

void pdf_box(struct pdf *pdf, double x, double y, double width, double height)
{
    if (!pdf->drawing)
        return;
    cairo_set_source_rgb(pdf->cairo, 0.55, 0.58, 0.62);
    cairo_set_line_width(pdf->cairo, 0.6);
    cairo_rectangle(pdf->cairo, x, y, width, height);
    cairo_stroke(pdf->cairo);
}

void pdf_band(struct pdf *pdf, double x, double y, double width, double height)
{
    if (!pdf->drawing)
        return;
    cairo_set_source_rgb(pdf->cairo, 0.93, 0.95, 0.97);
    cairo_rectangle(pdf->cairo, x, y, width, height);
    cairo_fill(pdf->cairo);
}
