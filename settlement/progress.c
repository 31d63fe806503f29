#include "progress.h"

#include "io/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

enum { REDRAW_US = 200 * 1000, US_PER_S = 1000 * 1000 };

struct progress progress_on_terminal(void)
{
    return (struct progress){ .shown = isatty(STDERR_FILENO) == 1 };
}

void progress_begin(struct progress *progress, const char *what, int64_t total)
{
    if (!progress)
        return;
    progress->what = what;
    progress->done = 0;
    progress->total = total;
    progress->started_us = progress->last_us = clock_monotonic_us();
}

static void draw(const struct progress *progress, int64_t now_us)
{
    int64_t took_s = (now_us - progress->started_us) / US_PER_S;
    int64_t left_s = progress->done > 0 ? took_s * (progress->total - progress->done) / progress->done : 0;
    int64_t percent = progress->total > 0 ? progress->done * 100 / progress->total : 100;

    fprintf(stderr, "\r%s: %" PRId64 " of %" PRId64 " (%" PRId64 " %%), about %" PRId64 " s left\033[K", progress->what,
            progress->done, progress->total, percent, left_s > 0 ? left_s : 0);
    fflush(stderr);
}

void progress_add(struct progress *progress, int64_t n)
{
    if (!progress)
        return;
    progress->done += n;
    if (!progress->shown)
        return;
    int64_t now_us = clock_monotonic_us();
    if (now_us - progress->last_us < REDRAW_US)
        return;
    progress->last_us = now_us;
    draw(progress, now_us);
}

void progress_end(struct progress *progress)
{
    if (progress && progress->shown)
        fputs("\r\033[K", stderr);
}
