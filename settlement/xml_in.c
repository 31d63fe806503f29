#include "xml_in.h"

#include "base/limits.h"

#include <libxml/xmlreader.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Lives in xml_in_read's frame. */
struct reading {
    xmlTextReaderPtr reader;
    int fd;
    xml_handler *each;
    void *owner;
    char path[XML_IN_PATH];
    size_t ends[XML_IN_DEPTH + 1]; /* of path, by depth */
    char text[XML_IN_TEXT + 1];    /* of the element that began last */
    size_t length;
    bool leaf; /* nothing began within it */
    char space[128];
};

static void reading_release(struct reading *reading)
{
    if (reading->reader)
        xmlFreeTextReader(reading->reader);
    if (reading->fd >= 0)
        close(reading->fd);
}

static bool refuse(struct reading *reading, const char *why, struct error *err)
{
    return error_set(err, REASON_FIELD_INVALID, "line %d: %s",
                     reading->reader ? xmlTextReaderGetParserLineNumber(reading->reader) : 0, why);
}

static bool tell(struct reading *reading, enum xml_event event, const char *text, struct error *err)
{
    struct xml_item item = { event, reading->path, text, reading->space,
                             xmlTextReaderGetParserLineNumber(reading->reader) };

    return reading->each(reading->owner, &item, err);
}

/* The path of what lies in the element of that depth; the root has depth 0 and no part of the path. */
static bool path_add(struct reading *reading, int depth, const char *mark, const char *name)
{
    size_t end = depth > 0 ? reading->ends[depth - 1] : 0;
    int n = depth == 0
                ? 0
                : snprintf(reading->path + end, sizeof reading->path - end, "%s%s%s", end > 0 ? "/" : "", mark, name);

    if (n < 0 || (size_t)n >= sizeof reading->path - end)
        return false;
    reading->path[end + (size_t)n] = '\0';
    reading->ends[depth] = end + (size_t)n;
    return true;
}

static char *trimmed(char *text)
{
    size_t n;

    text += strspn(text, " \t\r\n");
    for (n = strlen(text); n > 0 && strchr(" \t\r\n", text[n - 1]); n--)
        text[n - 1] = '\0';
    return text;
}

static bool attributes(struct reading *reading, int depth, struct error *err)
{
    char value[XML_IN_TEXT + 1];

    while (xmlTextReaderMoveToNextAttribute(reading->reader) == 1) {
        const char *name = (const char *)xmlTextReaderConstLocalName(reading->reader);
        const char *text = (const char *)xmlTextReaderConstValue(reading->reader);
        if (xmlTextReaderIsNamespaceDecl(reading->reader) == 1)
            continue;
        if (depth == XML_IN_DEPTH || !path_add(reading, depth + 1, "@", name) || strlen(text) > XML_IN_TEXT)
            return refuse(reading, "an attribute is too long", err);
        snprintf(value, sizeof value, "%s", text);
        if (!tell(reading, XML_VALUE, trimmed(value), err))
            return false;
    }
    reading->path[reading->ends[depth]] = '\0';
    return xmlTextReaderMoveToElement(reading->reader) >= 0 || refuse(reading, "an attribute cannot be read", err);
}

static bool end_element(struct reading *reading, int depth, struct error *err)
{
    reading->path[reading->ends[depth]] = '\0';
    if (reading->leaf && !tell(reading, XML_VALUE, trimmed(reading->text), err))
        return false;
    reading->leaf = false;
    return tell(reading, XML_END, "", err);
}

static bool begin_element(struct reading *reading, int depth, struct error *err)
{
    const char *name = (const char *)xmlTextReaderConstLocalName(reading->reader);
    const char *space = (const char *)xmlTextReaderConstNamespaceUri(reading->reader);
    bool empty = xmlTextReaderIsEmptyElement(reading->reader) == 1;

    if (depth > XML_IN_DEPTH || !path_add(reading, depth, "", name))
        return refuse(reading, "elements are nested too deeply", err);
    if (depth == 0)
        snprintf(reading->space, sizeof reading->space, "%s", space ? space : "");
    reading->leaf = true;
    reading->length = 0;
    reading->text[0] = '\0';
    return tell(reading, XML_BEGIN, "", err) && attributes(reading, depth, err) &&
           (!empty || end_element(reading, depth, err));
}

static bool add_text(struct reading *reading, struct error *err)
{
    const char *text = (const char *)xmlTextReaderConstValue(reading->reader);
    size_t n = text ? strlen(text) : 0;

    if (!reading->leaf)
        return true; /* blanks between elements */
    if (n > XML_IN_TEXT - reading->length)
        return refuse(reading, "a text is too long", err);
    memcpy(reading->text + reading->length, text ? text : "", n);
    reading->length += n;
    reading->text[reading->length] = '\0';
    return true;
}

static bool node(struct reading *reading, struct error *err)
{
    int depth = xmlTextReaderDepth(reading->reader);

    switch (xmlTextReaderNodeType(reading->reader)) {
    case XML_READER_TYPE_ELEMENT:
        reading->leaf = false;
        return begin_element(reading, depth, err);
    case XML_READER_TYPE_END_ELEMENT:
        return end_element(reading, depth, err);
    case XML_READER_TYPE_TEXT:
    case XML_READER_TYPE_CDATA:
    case XML_READER_TYPE_SIGNIFICANT_WHITESPACE:
        return add_text(reading, err);
    case XML_READER_TYPE_DOCUMENT_TYPE:
    case XML_READER_TYPE_ENTITY_REFERENCE:
        return refuse(reading, "a document type or an entity of the file's own is not accepted", err);
    default:
        return true; /* comments, processing instructions */
    }
}

static bool open_file(struct reading *reading, const char *path, struct error *err)
{
    struct stat about;

    reading->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (reading->fd < 0 || fstat(reading->fd, &about) != 0)
        return error_set(err, REASON_FIELD_INVALID, "cannot read %.120s: %s", path, strerror(errno));
    if (!S_ISREG(about.st_mode) || about.st_size > XML_IN_MAX)
        return error_set(err, REASON_FIELD_INVALID, "%.120s is not a file of at most %d MB", path, XML_IN_MAX >> 20);
    reading->reader =
        xmlReaderForFd(reading->fd, NULL, NULL, XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
    return reading->reader || error_set(err, REASON_INTERNAL, "out of memory");
}

/* libxml2 would write to standard error otherwise. */
static void quiet(void *context, const char *text, xmlParserSeverities severity, xmlTextReaderLocatorPtr locator)
{
    (void)context, (void)text, (void)severity, (void)locator;
}

bool xml_in_read(const char *path, xml_handler *each, void *owner, struct error *err)
{
    CLEANUP(reading_release) struct reading reading = { .fd = -1, .each = each, .owner = owner };
    int more;

    if (!open_file(&reading, path, err))
        return false;
    xmlTextReaderSetErrorHandler(reading.reader, quiet, NULL);
    while ((more = xmlTextReaderRead(reading.reader)) == 1) {
        if (!node(&reading, err))
            return false;
    }
    return more == 0 || refuse(&reading, "this is not well-formed XML", err);
}

bool xml_field_set(const struct xml_field *fields, size_t count, void *record, const char *path,
                   const struct xml_item *item, struct error *err)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(fields[i].path, path) != 0)
            continue;
        int n = snprintf((char *)record + fields[i].offset, fields[i].size, "%s", item->text);
        if ((size_t)n >= fields[i].size)
            return error_field(err, REASON_FIELD_INVALID, path, "line %d: %s is longer than %zu bytes", item->line,
                               path, fields[i].size - 1);
    }
    return true;
}
