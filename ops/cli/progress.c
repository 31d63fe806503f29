#include "progress.h"

#include "io/clock.h"

#include <inttypes.h>
#include <unistd.h>

enum { BAR_CELLS = 30, BAR_EVERY_US = 100000, LINE_EVERY_US = 2000000 };

void progress_start(struct progress *progress, const char *what, int64_t total, bool lines)
{
    bool terminal = isatty(STDERR_FILENO) == 1;

    *progress = (struct progress){ .what = what, .total = total, .bar = terminal && !lines };
    progress->out = terminal || lines ? stderr : NULL;
    progress->last_us = clock_monotonic_us();
}

static void draw_bar(const struct progress *progress, int64_t done, int64_t count)
{
    int cells = progress->total > 0 ? (int)(done * BAR_CELLS / progress->total) : 0;

    fprintf(progress->out, "\r%s [", progress->what);
    for (int i = 0; i < BAR_CELLS; i++)
        putc(i < cells ? '#' : '.', progress->out);
    fprintf(progress->out, "] %" PRId64, count);
    fflush(progress->out);
}

static void write_line(const struct progress *progress, int64_t done, int64_t count)
{
    if (progress->total > 0)
        fprintf(progress->out, "%s: %" PRId64 " (%" PRId64 " %%)\n", progress->what, count,
                done * 100 / progress->total);
    else
        fprintf(progress->out, "%s: %" PRId64 "\n", progress->what, count);
}

void progress_step(struct progress *progress, int64_t done, int64_t count)
{
    int64_t now_us = clock_monotonic_us();

    if (!progress->out || now_us - progress->last_us < (progress->bar ? BAR_EVERY_US : LINE_EVERY_US))
        return;
    progress->last_us = now_us;
    if (progress->bar)
        draw_bar(progress, done, count);
    else
        write_line(progress, done, count);
}

void progress_end(struct progress *progress, int64_t count)
{
    if (!progress->out)
        return;
    if (progress->bar)
        fprintf(progress->out, "\r%*s\r", BAR_CELLS + 40, "");
    else
        write_line(progress, progress->total, count);
}
