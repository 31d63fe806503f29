/*
 * cork.h -- several small messages to one TCP peer leave as one: what a thread sends between cork_begin and cork_end is
 * kept by the kernel until cork_end, or until a segment is full, or 200 ms have passed.
 *
 * Each message sent by itself wakes the peer and goes through the whole network stack. The gRPC core sends one for each
 * answer of a call and its C interface cannot put several into one write, so its sendmsg is interposed: the executable
 * defines it. Errors and full buffers are the kernel's and come back as ever. Other threads are not touched.
 */
#ifndef IO_CORK_H
#define IO_CORK_H

void cork_begin(void);
void cork_end(void);

#endif
