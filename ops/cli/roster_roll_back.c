/* roster_roll_back.c -- a roster batch undone: wanted by one person, agreed to by another, then followed to its end. */
#include "cli.h"

#include "io/amount.h"

#include <alliance/v1/roster_service.pb-c.h>
#include <inttypes.h>
#include <time.h>

#define SERVICE &alliance__v1__roster_service__descriptor

enum { PAUSE_NS = 200000000 };

typedef Alliance__V1__RosterBatch Batch;

static bool is_under_way(const Batch *batch)
{
    return batch->state == ALLIANCE__V1__ROSTER_STATE__ROSTER_STATE_ROLLING_BACK;
}

static bool follow(struct cli *cli, const Alliance__V1__RollBackRosterBatchRequest *asked, const Batch **batch)
{
    static const struct timespec pause = { 0, PAUSE_NS };
    Alliance__V1__GetRosterBatchRequest request = ALLIANCE__V1__GET_ROSTER_BATCH_REQUEST__INIT;
    ProtobufCMessage *reply;

    request.bank_id = asked->bank_id;
    request.batch_number = asked->batch_number;
    while (is_under_way(*batch)) {
        nanosleep(&pause, NULL);
        if (!cli_call(cli, SERVICE, "GetRosterBatch", &request, &reply))
            return false;
        *batch = (const Batch *)reply;
    }
    return true;
}

static enum outcome say_end(struct cli *cli, const Batch *batch)
{
    const Alliance__V1__RosterRollBack *roll = batch->roll_back;
    int64_t number = batch->header ? batch->header->batch_number : 0;

    if (batch->state == ALLIANCE__V1__ROSTER_STATE__ROSTER_STATE_ROLLED_BACK) {
        if (!roll || roll->built_on == 0)
            return OUTCOME_DONE;
        fprintf(cli->err, "%" PRId64 " members were used in the meantime and stay as they are: %s\n", roll->built_on,
                roll->detail);
        return OUTCOME_REFUSED;
    }
    if (!roll)
        fprintf(cli->err, "nobody wants batch %" PRId64 " rolled back any more\n", number);
    else if (roll->refused[0])
        fprintf(cli->err, "%s: nothing was rolled back: %s\n", roll->refused, roll->detail);
    else
        fprintf(cli->err, "a second person must agree: alliance roster roll-back %" PRId64 "\n", number);
    return roll && roll->refused[0] ? OUTCOME_FAILED : OUTCOME_DONE;
}

enum outcome roster_roll_back(struct cli *cli)
{
    Alliance__V1__RollBackRosterBatchRequest request = ALLIANCE__V1__ROLL_BACK_ROSTER_BATCH_REQUEST__INIT;
    const char *reason = cli_option(cli, OPTION_REASON);
    ProtobufCMessage *reply;
    struct error err;

    if (!whole_parse(cli->arguments.at[0], "BATCH", 1, INT64_MAX, &request.batch_number, &err))
        return cli_usage(cli, &err);
    if (!cli_party(cli, OPTION_BANK, "bank", &request.bank_id))
        return OUTCOME_FAILED;
    request.reason = (char *)(uintptr_t)(reason ? reason : "");
    request.withdraw = cli_option(cli, OPTION_WITHDRAW) != NULL;
    if (!cli_call(cli, SERVICE, "RollBackRosterBatch", &request, &reply))
        return OUTCOME_FAILED;
    const Batch *batch = (const Batch *)reply;
    if (!follow(cli, &request, &batch))
        return OUTCOME_FAILED;
    cli_show(cli, &batch->base);
    return say_end(cli, batch);
}
