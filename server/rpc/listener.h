/*
 * listener.h -- accept4 as the whole process sees it, so that the core's listener survives running out of descriptors.
 *
 * The core's listener stops for good at the first EMFILE (CVE-2023-4785). The executable's accept4 stands before
 * libc's for every library, so the error never gets there; it must export the symbol (-rdynamic). The same place
 * limits connections of one address. Process-wide by nature; set the limit before the port is bound.
 */
#ifndef RPC_LISTENER_H
#define RPC_LISTENER_H

/* Connections one address may have at a time, from now on. Also what makes the linker take this file. */
void listener_limit(int per_address);

#endif
