#include "progress.h"

#include "io/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

enum { REDRAW_US = 200 * 1000, LINE_US = 2 * 1000 * 1000, US_PER_S = 1000 * 1000, DURATION_TEXT = 40 };

struct progress progress_on_terminal(void)
{
    return (struct progress){ .shown = isatty(STDERR_FILENO) == 1 };
}

struct progress progress_in_lines(void)
{
    return (struct progress){ .shown = true, .lines = true };
}

bool progress_is_under_way(const struct progress *progress)
{
    return progress && progress->what;
}

/* Rounded up: what is left is never nothing. */
static void format_duration(int64_t us, char text[DURATION_TEXT])
{
    int64_t s = (us + US_PER_S - 1) / US_PER_S;

    if (s < 60)
        snprintf(text, DURATION_TEXT, "%" PRId64 " s", s);
    else if (s < 3600)
        snprintf(text, DURATION_TEXT, "%" PRId64 " min %02" PRId64 " s", s / 60, s % 60);
    else
        snprintf(text, DURATION_TEXT, "%" PRId64 " h %02" PRId64 " min", s / 3600, s % 3600 / 60);
}

void progress_text(const struct progress *progress, int64_t now_us, char text[PROGRESS_TEXT])
{
    int64_t done = progress->done, total = progress->total;
    int64_t took_us = now_us > progress->started_us ? now_us - progress->started_us : 0;
    int64_t percent = total > 0 ? (int64_t)(100.0 * (double)done / (double)total) : 100;
    char duration[DURATION_TEXT] = "";
    const char *before = ", about ", *behind = " left";

    if (done >= total) {
        format_duration(took_us, duration);
        before = ", took ";
        behind = "";
    } else if (done > 0) {
        format_duration((int64_t)((double)took_us * (double)(total - done) / (double)done), duration);
    } else {
        before = ", just begun";
        behind = "";
    }
    snprintf(text, PROGRESS_TEXT, "%.60s: %" PRId64 " of %" PRId64 " (%" PRId64 " %%)%s%s%s", progress->what, done,
             total, percent, before, duration, behind);
}

bool progress_is_due(const struct progress *progress, int64_t now_us)
{
    return progress->shown && now_us - progress->last_us >= (progress->lines ? LINE_US : REDRAW_US);
}

static void say(struct progress *progress, int64_t now_us)
{
    char text[PROGRESS_TEXT];

    progress->last_us = now_us;
    progress_text(progress, now_us, text);
    fprintf(stderr, progress->lines ? "%s\n" : "\r%s\033[K", text);
    fflush(stderr);
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

void progress_add(struct progress *progress, int64_t n)
{
    if (!progress)
        return;
    progress->done += n;
    if (!progress->shown)
        return;
    int64_t now_us = clock_monotonic_us();
    if (progress_is_due(progress, now_us))
        say(progress, now_us);
}

void progress_wipe(const struct progress *progress)
{
    if (progress && progress->shown && !progress->lines)
        fputs("\r\033[K", stderr);
}

void progress_end(struct progress *progress)
{
    if (!progress_is_under_way(progress))
        return;
    if (progress->shown && progress->lines)
        say(progress, clock_monotonic_us());
    progress_wipe(progress);
    progress->what = NULL;
}
