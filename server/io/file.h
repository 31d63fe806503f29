/*
 * file.h -- files that readers see whole or not at all.
 */
#ifndef IO_FILE_H
#define IO_FILE_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

/* Writes bytes beside path, syncs them, and renames them into place. SETTING_INVALID says which step failed. */
bool file_replace(const char *path, const void *bytes, size_t size, struct error *err) MUST_USE;
/* A port number and a newline, for whoever started us with port 0. An empty path writes nothing. */
bool file_write_port(const char *path, uint16_t port, struct error *err) MUST_USE;

#endif
