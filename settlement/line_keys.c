#include "line_keys.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static const char name[] = ".lines.partial";

static bool failed_to(const char *what, struct error *err)
{
    return error_set(err, REASON_SETTING_INVALID, "cannot %s the file of lines: %s; make room or choose another --out",
                     what, strerror(errno));
}

bool line_keys_open(struct line_keys *keys, int directory, struct error *err)
{
    int fd = openat(directory, name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);

    if (fd < 0 || unlinkat(directory, name, 0) != 0 || !(keys->file = fdopen(fd, "w+"))) {
        failed_to("create", err);
        if (fd >= 0)
            close(fd);
        return false;
    }
    return true;
}

void line_keys_add(struct line_keys *keys, const struct line_key *key)
{
    uint8_t packed[LINE_KEY];
    uint16_t bucket = htobe16((uint16_t)key->bucket);
    uint64_t seq = htobe64((uint64_t)key->seq);
    uint32_t days = htobe32((uint32_t)key->business_date.days);

    memcpy(packed, &bucket, sizeof bucket);
    memcpy(packed + 2, key->member_id.bytes, sizeof key->member_id.bytes);
    memcpy(packed + 18, &seq, sizeof seq);
    memcpy(packed + 26, &days, sizeof days);
    if (fwrite(packed, sizeof packed, 1, keys->file) != 1)
        return; /* ferror remembers */
}

bool line_keys_rewind(struct line_keys *keys, struct error *err)
{
    if (ferror(keys->file) || fflush(keys->file) != 0 || fseek(keys->file, 0, SEEK_SET) != 0)
        return failed_to("write", err);
    return true;
}

bool line_keys_read(struct line_keys *keys, uint8_t *packed, size_t count, struct error *err)
{
    return fread(packed, LINE_KEY, count, keys->file) == count || failed_to("read", err);
}

void line_keys_release(struct line_keys *keys)
{
    if (keys->file)
        fclose(keys->file);
    keys->file = NULL;
}
