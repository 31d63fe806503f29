#include "domain/ageing.h"

const int64_t ageing_from[AGEING_COUNT - 1] = { 1, 31, 61, 91 };

enum ageing ageing_of(int64_t days_late)
{
    int age = AGEING_NOT_DUE;

    while (age < AGEING_OVER && days_late >= ageing_from[age])
        age++;
    return (enum ageing)age;
}

const char *ageing_name(enum ageing age)
{
    static const char *const names[AGEING_COUNT] = { "NOT DUE", "1-30", "31-60", "61-90", "OVER 90" };

    return names[age];
}
