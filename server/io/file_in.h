/*
 * file_in.h -- a file that a bank hands us, plain or gzip, as a stream that no file can make endless.
 *
 * Gzip is known by its first bytes, several members one after the other included. What is wrong with the file (damaged,
 * cut, more than the limits) ends the stream, and file_in_failure says what it was; what came before it is good. Not
 * for pipes: who reads twice rewinds.
 */
#ifndef IO_FILE_IN_H
#define IO_FILE_IN_H

#include "base/error.h"

#include <stdint.h>
#include <stdio.h>
#include <zlib.h>

enum {
    FILE_IN_BLOCK = 64 * 1024,
    FILE_IN_RATIO = 200,          /* bytes that one compressed byte may become; */
    FILE_IN_FREE = 1024 * 1024,   /* not looked at for the first of them */
    FILE_IN_MB_DEFAULT = 2048,    /* 2 GiB */
    FILE_IN_MB_MAX = 1024 * 1024, /* 1 TiB */
};

struct file_in {
    FILE *stream;         /* what is read, inflated; owned */
    int64_t size;         /* bytes of the file as it lies there */
    int64_t taken;        /* of them read so far */
    int64_t given;        /* bytes inflated so far */
    int64_t limit;        /* most of these */
    struct error failure; /* why the stream ended early */
    int fd;
    bool gzip, begun; /* begun: inside a gzip member */
    bool ended;       /* of the file */
    z_stream inflater;
    uint8_t block[FILE_IN_BLOCK]; /* bytes of the file, not yet inflated */
};

/* limit: the most bytes there may be when inflated. err when it cannot be read, or is no regular file. */
bool file_in_open(struct file_in *in, const char *path, int64_t limit, struct error *err) MUST_USE;
/* A zeroed one may be closed. */
void file_in_close(struct file_in *in);
/* From the first byte again. */
bool file_in_rewind(struct file_in *in, struct error *err) MUST_USE;
/* Did the stream end early? Ask when it has ended. */
bool file_in_failed(const struct file_in *in);

#endif
