#include "io/file_in.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ANY_GZIP = 15 + 16 }; /* zlib's way to say: the largest window, a gzip header */

static bool fail(struct file_in *in, enum reason reason, const char *sentence)
{
    return error_set(&in->failure, reason, "%s", sentence);
}

static ssize_t read_bytes(struct file_in *in, void *out, size_t size)
{
    ssize_t n;

    do {
        n = read(in->fd, out, size);
    } while (n < 0 && errno == EINTR);
    if (n < 0)
        fail(in, REASON_FIELD_INVALID, "the file cannot be read further");
    else if (n == 0)
        in->ended = true;
    else
        in->taken += n;
    return n;
}

/* Something to inflate, or the end of the file. */
static bool fill_block(struct file_in *in)
{
    if (in->inflater.avail_in || in->ended)
        return true;
    ssize_t n = read_bytes(in, in->block, sizeof in->block);
    in->inflater.next_in = in->block;
    in->inflater.avail_in = n > 0 ? (uInt)n : 0;
    return n >= 0;
}

static bool check_ratio(struct file_in *in, int64_t more)
{
    int64_t eaten = in->taken - in->inflater.avail_in, is = in->given + more;

    return is <= FILE_IN_FREE || is / FILE_IN_RATIO <= eaten ||
           fail(in, REASON_MESSAGE_TOO_LARGE,
                "the gzip file inflates to more than 200 times its size, which no list of rows does; send it plain");
}

/* One step. *more says how many bytes it gave; none and true: ask again, unless the file has ended. */
static bool inflate_step(struct file_in *in, uint8_t *out, size_t size, size_t *more)
{
    z_stream *z = &in->inflater;

    z->next_out = out;
    z->avail_out = (uInt)size;
    int status = inflate(z, Z_NO_FLUSH);
    *more = size - z->avail_out;
    in->begun = status != Z_STREAM_END;
    if (status == Z_STREAM_END)
        inflateReset(z); /* another member may follow */
    else if (status == Z_MEM_ERROR)
        return fail(in, REASON_INTERNAL, "out of memory");
    else if (status != Z_OK && status != Z_BUF_ERROR)
        return fail(in, REASON_MESSAGE_MALFORMED, "the gzip data is damaged here; make the file again");
    return check_ratio(in, (int64_t)*more);
}

/* 0 at the end, -1 on failure. */
static ssize_t inflate_some(struct file_in *in, uint8_t *out, size_t size)
{
    size_t more = 0;

    while (more == 0) {
        if (!fill_block(in))
            return -1;
        if (in->inflater.avail_in == 0 && in->ended) {
            if (!in->begun)
                return 0;
            fail(in, REASON_MESSAGE_MALFORMED, "the gzip data ends too early: the file is cut; send it again");
            return -1;
        }
        if (!inflate_step(in, out, size, &more))
            return -1;
    }
    return (ssize_t)more;
}

/* fopencookie's reader. */
static ssize_t give(void *cookie, char *out, size_t size)
{
    struct file_in *in = cookie;

    if (file_in_failed(in))
        return -1;
    ssize_t n = in->gzip ? inflate_some(in, (uint8_t *)out, size) : read_bytes(in, out, size);
    if (n > 0)
        in->given += n;
    if (in->given > in->limit) {
        error_set(&in->failure, REASON_MESSAGE_TOO_LARGE,
                  "the file holds more than %" PRId64 " MB; send it in parts, or allow more with --max-mb",
                  in->limit >> 20);
        return -1;
    }
    return n;
}

static bool start(struct file_in *in, struct error *err)
{
    uint8_t magic[2];

    in->gzip = pread(in->fd, magic, sizeof magic, 0) == sizeof magic && magic[0] == 0x1f && magic[1] == 0x8b;
    if (in->gzip && inflateInit2(&in->inflater, ANY_GZIP) != Z_OK)
        return error_set(err, REASON_INTERNAL, "out of memory");
    in->begun = in->gzip;
    in->stream = fopencookie(in, "r", (cookie_io_functions_t){ .read = give });
    if (!in->stream)
        return error_set(err, REASON_INTERNAL, "out of memory");
    setvbuf(in->stream, NULL, _IOFBF, FILE_IN_BLOCK);
    return true;
}

static void stop(struct file_in *in)
{
    if (in->stream)
        fclose(in->stream);
    if (in->gzip)
        inflateEnd(&in->inflater);
    in->stream = NULL;
    in->gzip = false;
}

bool file_in_open(struct file_in *in, const char *path, int64_t limit, struct error *err)
{
    struct stat stat;

    *in = (struct file_in){ .limit = limit, .fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) };
    if (in->fd < 0) {
        in->fd = 0;
        return error_set(err, REASON_FIELD_INVALID, "%.150s cannot be read", path);
    }
    if (fstat(in->fd, &stat) != 0 || !S_ISREG(stat.st_mode)) {
        file_in_close(in);
        return error_set(err, REASON_FIELD_INVALID,
                         "%.100s is read twice, so it must be a file, not a folder or a pipe", path);
    }
    in->size = stat.st_size;
    return start(in, err);
}

void file_in_close(struct file_in *in)
{
    stop(in);
    if (in->fd > 0)
        close(in->fd);
    in->fd = 0;
}

bool file_in_rewind(struct file_in *in, struct error *err)
{
    stop(in);
    in->taken = in->given = 0;
    in->ended = false;
    in->failure = (struct error){ 0 };
    in->inflater = (z_stream){ 0 };
    if (lseek(in->fd, 0, SEEK_SET) != 0)
        return error_set(err, REASON_FIELD_INVALID, "the file cannot be read a second time");
    return start(in, err);
}

bool file_in_failed(const struct file_in *in)
{
    return in->failure.reason != REASON_OK;
}
