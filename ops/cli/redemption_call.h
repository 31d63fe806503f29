/*
 * redemption_call.h -- rows of a redemptions file as writes of one call, repeated with the same request_ids until each
 * is answered or the attempts are used up.
 */
#ifndef CLI_REDEMPTION_CALL_H
#define CLI_REDEMPTION_CALL_H

#include "batch.h"

#include "client/client.h"

#include <alliance/v1/redemption_service.pb-c.h>

/* Rows of one call: so many that a call costs little, so few that calls side by side leave room in the server's queues.
 */
enum { REDEMPTION_CALL_ROWS = 250 };

struct redemption_call {
    const struct batch_row *row, *hold; /* the same for a hold */
    struct uuid request_id;
    Alliance__V1__PostalAddress *ship_to; /* sent with a good; NULL: none */
};

struct redemption_answer {
    enum {
        REDEMPTION_UNANSWERED, /* only before */
        REDEMPTION_DONE,
        REDEMPTION_REFUSED, /* the server said no, and will always */
        REDEMPTION_FAILED,  /* no answer to be had: failure says why */
    } outcome;
    char redemption_id[80];
    int64_t points;
    char reason[64]; /* "OK" when done */
    char detail[ERROR_DETAIL_MAX + ERROR_FIELD_MAX + 4];
    struct client_status failure;
};

struct redemption_sender {
    struct client *client; /* of the merchant of all rows */
    int64_t timeout_ms;
    int attempts; /* in a row that bring nothing, after the first */
};

/* At most REDEMPTION_CALL_ROWS rows of one merchant, no two of one member. Any thread; blocks. */
void redemption_call(const struct redemption_sender *sender, const struct redemption_call *calls,
                     struct redemption_answer *answers, size_t count);
void redemption_refused(struct redemption_answer *answer, const char *reason, const char *detail);

#endif
