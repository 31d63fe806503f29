/*
 * ageing.h -- how late is what is owed? Pure: days are arguments.
 */
#ifndef DOMAIN_AGEING_H
#define DOMAIN_AGEING_H

#include <stddef.h>
#include <stdint.h>

/* Numbers of ReceivableAge, less one. */
enum ageing { AGEING_NOT_DUE, AGEING_30, AGEING_60, AGEING_90, AGEING_OVER, AGEING_COUNT };

/* Days late from which on each but the first begins; ascending. */
extern const int64_t ageing_from[AGEING_COUNT - 1];
enum ageing ageing_of(int64_t days_late);
/* "NOT DUE", "1-30", ..., "OVER 90" */
const char *ageing_name(enum ageing age);

#endif
