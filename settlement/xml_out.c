#include "xml_out.h"

#include "money.h"

#include <libxml/xmlwriter.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct xml_out {
    struct new_file *file; /* the caller's */
    xmlTextWriterPtr writer;
    bool failed;
};

static int put(void *context, const char *bytes, int size)
{
    new_file_write(context, bytes, (size_t)size);
    return size;
}

static const xmlChar *as_xml(const char *text)
{
    return (const xmlChar *)(const void *)text;
}

static void check(struct xml_out *out, int result)
{
    out->failed |= result < 0;
}

struct xml_out *xml_out_begin(struct new_file *file, const char *root, const char *space)
{
    struct xml_out *out = calloc(1, sizeof *out);
    xmlOutputBufferPtr buffer = out ? xmlOutputBufferCreateIO(put, NULL, file, NULL) : NULL;

    if (!out)
        return NULL;
    out->file = file;
    out->writer = buffer ? xmlNewTextWriter(buffer) : NULL;
    if (!out->writer) {
        if (buffer)
            xmlOutputBufferClose(buffer);
        free(out);
        return NULL;
    }
    check(out, xmlTextWriterSetIndent(out->writer, 1));
    check(out, xmlTextWriterSetIndentString(out->writer, as_xml("  ")));
    check(out, xmlTextWriterStartDocument(out->writer, NULL, "UTF-8", NULL));
    check(out, xmlTextWriterStartElement(out->writer, as_xml(root)));
    check(out, xmlTextWriterWriteAttribute(out->writer, as_xml("xmlns"), as_xml(space)));
    return out;
}

void xml_open(struct xml_out *out, const char *name)
{
    check(out, xmlTextWriterStartElement(out->writer, as_xml(name)));
}

void xml_close(struct xml_out *out)
{
    check(out, xmlTextWriterEndElement(out->writer));
}

void xml_text(struct xml_out *out, const char *name, const char *text)
{
    if (*text)
        check(out, xmlTextWriterWriteElement(out->writer, as_xml(name), as_xml(text)));
}

void xml_number(struct xml_out *out, const char *name, int64_t number)
{
    char text[24];

    snprintf(text, sizeof text, "%" PRId64, number);
    xml_text(out, name, text);
}

void xml_date(struct xml_out *out, const char *name, struct date date)
{
    char text[DATE_TEXT];

    date_format(date, text);
    xml_text(out, name, text);
}

void xml_midnight(struct xml_out *out, const char *name, struct date date)
{
    char day[DATE_TEXT], text[DATE_TEXT + 16];

    date_format(date, day);
    snprintf(text, sizeof text, "%sT00:00:00", day);
    xml_text(out, name, text);
}

void xml_open_path(struct xml_out *out, const char *path)
{
    char name[64];

    while (*path) {
        size_t n = strcspn(path, "/");
        snprintf(name, sizeof name, "%.*s", (int)n, path);
        xml_open(out, name);
        path += n + (path[n] == '/');
    }
}

void xml_close_path(struct xml_out *out, const char *path)
{
    xml_close(out);
    for (; *path; path++) {
        if (*path == '/')
            xml_close(out);
    }
}

void xml_amount(struct xml_out *out, const char *name, int64_t minor, const char *currency)
{
    char text[MONEY_TEXT];

    money_format(minor, currency, text);
    xml_open(out, name);
    check(out, xmlTextWriterWriteAttribute(out->writer, as_xml("Ccy"), as_xml(currency)));
    check(out, xmlTextWriterWriteString(out->writer, as_xml(text)));
    xml_close(out);
}

bool xml_out_end(struct xml_out *out, struct error *err)
{
    check(out, xmlTextWriterEndDocument(out->writer));
    check(out, xmlTextWriterFlush(out->writer));
    bool good = !out->failed;
    xml_out_abandon(out);
    return good || error_set(err, REASON_INTERNAL, "out of memory while XML was written");
}

void xml_out_abandon(struct xml_out *out)
{
    if (!out)
        return;
    xmlFreeTextWriter(out->writer);
    free(out);
}
