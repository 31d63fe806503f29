#include "io/lines.h"

#include <stdlib.h>
#include <string.h>

bool lines_init(struct lines *lines, FILE *file, size_t limit, struct error *err)
{
    *lines = (struct lines){ .file = file, .text = malloc(limit + 1), .limit = limit };
    return lines->text || error_set(err, REASON_INTERNAL, "out of memory");
}

void lines_release(struct lines *lines)
{
    free(lines->text);
    lines->text = NULL;
}

static void drop_byte_order_mark(struct lines *lines)
{
    if (lines->number == 1 && lines->size >= 3 && memcmp(lines->text, "\xef\xbb\xbf", 3) == 0) {
        lines->size -= 3;
        lines->marked = true;
        memmove(lines->text, lines->text + 3, lines->size);
    }
}

bool lines_next(struct lines *lines)
{
    int c;

    lines->size = 0;
    lines->too_long = lines->ended = false;
    while ((c = getc_unlocked(lines->file)) != EOF) {
        lines->offset++;
        if (c == '\n') {
            lines->ended = true;
            break;
        }
        if (lines->size < lines->limit)
            lines->text[lines->size++] = (char)c;
        else
            lines->too_long = true;
        if (lines->too_long && lines->give_up)
            break;
    }
    if (!lines->ended && lines->size == 0)
        return false;
    lines->number++;
    if (!lines->too_long && lines->size > 0 && lines->text[lines->size - 1] == '\r')
        lines->size--;
    drop_byte_order_mark(lines);
    lines->text[lines->size] = '\0';
    return true;
}
