/*
 * progress.h -- how far a long piece of work is and how long it will take: on a terminal one line that is drawn again,
 * elsewhere, when asked for, a line of its own every few seconds. On standard error; NULL is a fine progress
 * everywhere.
 */
#ifndef SETTLEMENT_PROGRESS_H
#define SETTLEMENT_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

enum { PROGRESS_TEXT = 160 };

struct progress {
    bool shown, lines;   /* lines: of their own, for a log; else drawn again on a terminal */
    const char *what;    /* literal; NULL: nothing is under way */
    int64_t done, total; /* of whatever unit the work has */
    int64_t started_us, last_us;
};

/* Shows nothing when standard error is no terminal. */
struct progress progress_on_terminal(void);
struct progress progress_in_lines(void);
/* Is something under way already? A part of it has no progress of its own then. */
bool progress_is_under_way(const struct progress *progress);
void progress_begin(struct progress *progress, const char *what, int64_t total);
void progress_add(struct progress *progress, int64_t n);
/* Makes room on a terminal for what is printed next. */
void progress_wipe(const struct progress *progress);
/* Wipes the line, or says how long it took; nothing when nothing is under way. */
void progress_end(struct progress *progress);

/*
 * Pure: what is said at that moment of the clock that started_us is of. "writing lines: 5 of 20 (25 %), about 1 min 30
 * s left", or, when all is done, "writing lines: 20 of 20 (100 %), took 2 min 00 s".
 */
void progress_text(const struct progress *progress, int64_t now_us, char text[PROGRESS_TEXT]);
/* Pure: is it time to say it again? */
bool progress_is_due(const struct progress *progress, int64_t now_us);

#endif
