/* FILE.requests, as somebody may have edited it. What is taken belongs to FILE, and is taken again. */
#include "fuzz.h"

#include "ops/cli/requests_file.h"

#include <unistd.h>

static char path[64], side[80];
static FILE *batch;

static void forget(void)
{
    fclose(batch);
    unlink(side);
    unlink(path);
}

static void make_batch(void)
{
    snprintf(path, sizeof path, "/tmp/fuzz-requests-%d.csv", (int)getpid());
    snprintf(side, sizeof side, "%s.requests", path);
    batch = fopen(path, "w+e");
    CLAIM(batch != NULL && fputs("member_ref,points\nm1,10\n", batch) >= 0);
    fflush(batch);
    atexit(forget);
}

static void put_side(const uint8_t *bytes, size_t size)
{
    FILE *file = fopen(side, "we");

    CLAIM(file != NULL && fwrite(bytes, 1, size, file) == size);
    CLAIM(fclose(file) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct requests_file first = { 0 }, second = { 0 };
    struct error err = { 0 };
    bool made;

    if (!batch)
        make_batch();
    put_side(bytes, size);
    if (!requests_file_open(&first, path, batch, (struct instant){ 0 }, &made, &err)) {
        CLAIM(err.reason == REASON_FIELD_INVALID && !made);
        return 0;
    }
    CLAIM(!made && requests_file_open(&second, path, batch, (struct instant){ 1 }, &made, &err));
    CLAIM(first.instant.us == second.instant.us && memcmp(first.seed, second.seed, sizeof first.seed) == 0);
    return 0;
}
