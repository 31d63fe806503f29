#include "digits.h"

char *digits_padded(uint64_t value, int width, char *text)
{
    char reversed[DIGITS_TEXT];
    int n = 0;

    for (; value > 0 || n < width || n == 0; value /= 10)
        reversed[n++] = (char)('0' + value % 10);
    while (n > 0)
        *text++ = reversed[--n];
    *text = '\0';
    return text;
}

char *digits_int64(int64_t value, char *text)
{
    uint64_t size = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;

    if (value < 0)
        *text++ = '-';
    return digits_padded(size, 1, text);
}
