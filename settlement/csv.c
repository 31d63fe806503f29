#include "csv.h"

#include <stdbool.h>
#include <string.h>

void csv_cell(const char *text, char *cell, size_t room)
{
    bool formula = *text && strchr("=+-@\t\r", *text);
    bool quoted = strpbrk(text, ",\"\r\n") != NULL;
    size_t n = 0;

    if (quoted)
        cell[n++] = '"';
    if (formula)
        cell[n++] = '\'';
    for (; *text && n + 4 <= room; text++) {
        if (*text == '"')
            cell[n++] = '"';
        cell[n++] = *text;
    }
    if (quoted)
        cell[n++] = '"';
    cell[n] = '\0';
}
