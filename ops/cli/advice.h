/*
 * advice.h -- what a person can do about an answer, by its reason word, else by its status.
 */
#ifndef CLI_ADVICE_H
#define CLI_ADVICE_H

#include "base/error.h"

/* One sentence; never NULL. reason may be a word we do not know. */
const char *advice_for(const char *reason, int status);
/* Is the same request worth another attempt? */
bool advice_may_repeat(int status);

#endif
