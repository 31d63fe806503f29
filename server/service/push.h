/*
 * push.h -- one message of a push stream: its rows become commands for the lanes, their answers one message of
 * verdicts.
 *
 * A push lives in the call's arena, from the message that came to the message that answers it. Verdicts stand in the
 * order of the rows, whichever lane is done first; the last one to be done sends them.
 */
#ifndef SERVICE_PUSH_H
#define SERVICE_PUSH_H

#include "engine/command.h"
#include "engine/reference.h"
#include "service/call.h"

#include <alliance/v1/types.pb-c.h>
#include <stdatomic.h>

struct push;

/* A row's command and what will be said of it. */
struct push_row {
    struct command command;
    struct push *push;
    Alliance__V1__RowVerdict verdict;
    char detail[ERROR_FIELD_MAX + ERROR_DETAIL_MAX + 4];
};

/* Sends the response that holds these verdicts. */
typedef void push_answer(struct call *call, Alliance__V1__RowVerdict **verdicts, size_t count);

struct push {
    struct call *call;
    push_answer *answer;
    atomic_size_t undone; /* rows given to lanes and not answered, and one for the handler until it has seen all rows */
    struct push_row *rows;
    Alliance__V1__RowVerdict **verdicts;
    size_t count;
    /* NULL, or called once all rows are answered, on a lane's or clerk's thread: calls push_send, then or later. */
    void (*finish)(struct push *push);
    void *owner; /* finish's */
    int32_t programme_no, bank_no;
    const char *bank_id;
};

/*
 * Checks bank_id and the number of rows, and makes room for them. *push is NULL, and the call is failed with *err, when
 * the message as a whole is wrong.
 */
bool push_begin(struct call *call, const char *bank_id, size_t row_count, push_answer *answer, struct push **push,
                struct error *err) MUST_USE;
/* The next row's, with everything filled in that all commands of the push have in common. */
struct push_row *push_row(struct push *push, size_t index, int64_t row_number);
/* Gives the row to its lane; a full lane refuses it with OVERLOADED. */
void push_submit(struct push_row *row);
/* The row's verdict is that it is wrong. */
void push_refuse(struct push_row *row, const struct error *err);
/* Somebody else than the handler will still give rows to lanes; push_end when done with it. */
void push_also(struct push *push);
/* Sends the verdicts: for finish. The push may be gone afterwards. */
void push_send(struct push *push);
/* The handler has seen all rows. The push may be gone afterwards. */
void push_end(struct push *push);

#endif
