/*
 * cutter.h -- a way to a server that breaks: what a client sends is passed on, and after so many bytes the connection
 * is gone for both sides, as when a cable is pulled. One connection at a time.
 */
#ifndef SUPPORT_CUTTER_H
#define SUPPORT_CUTTER_H

#include <stddef.h>
#include <stdint.h>

struct cutter;

/* The n-th connection to it ends after cuts[n] bytes of the client's; those after the last of them are whole. */
struct cutter *cutter_open(int to_port, const int64_t *cuts, size_t count);
int cutter_port(const struct cutter *cutter);
/* How many connections were cut; *passed is what clients sent in all of them. Frees it. */
size_t cutter_close(struct cutter *cutter, int64_t *passed);

#endif
