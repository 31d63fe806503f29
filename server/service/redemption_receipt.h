/*
 * redemption_receipt.h -- what a lane answered to a write, as a message.
 */
#ifndef SERVICE_REDEMPTION_RECEIPT_H
#define SERVICE_REDEMPTION_RECEIPT_H

#include "base/when.h"
#include "domain/redemption_id.h"
#include "engine/command.h"

#include <alliance/v1/redemption_service.pb-c.h>

/* Everything the message points to but the command's currency: it may not be moved, and the command must outlive it. */
struct receipt {
    Alliance__V1__RedemptionReceipt message;
    Alliance__V1__Money gross, commission, cash;
    Google__Protobuf__Timestamp time, lapse_time;
    char redemption_id[REDEMPTION_ID_TEXT], business_date[DATE_TEXT];
};

/* Of a command whose answer is REASON_OK. */
void receipt_write(struct receipt *receipt, struct command *command);

#endif
