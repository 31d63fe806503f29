/*
 * redemption_call.h -- one row of a redemptions file as a call, repeated with the same request_id until it is answered
 * or the attempts are used up.
 */
#ifndef CLI_REDEMPTION_CALL_H
#define CLI_REDEMPTION_CALL_H

#include "batch.h"

#include "client/client.h"

#include <alliance/v1/redemption_service.pb-c.h>

struct redemption_call {
    const struct batch_row *row, *hold; /* the same for a hold */
    struct uuid request_id;
    Alliance__V1__PostalAddress *ship_to; /* sent with a good; NULL: none */
    int64_t timeout_ms;
    int attempts; /* after the first */
};

struct redemption_answer {
    enum {
        REDEMPTION_DONE,
        REDEMPTION_REFUSED, /* the server said no, and will always */
        REDEMPTION_FAILED,  /* no answer to be had: failure says why */
    } outcome;
    char redemption_id[80];
    int64_t points;
    char reason[64]; /* "OK" when done */
    char detail[ERROR_DETAIL_MAX + ERROR_FIELD_MAX + 2];
    struct client_status failure;
};

/* Any thread; blocks. */
void redemption_call(const struct redemption_call *call, struct client *client, struct redemption_answer *answer);
void redemption_refused(struct redemption_answer *answer, const char *reason, const char *detail);

#endif
