#include "advice.h"

#include <string.h>

static const struct {
    enum reason reason;
    const char *sentence;
} by_reason[] = {
    { REASON_UNAUTHENTICATED, "use the certificate the operator gave you: --cert and --key, or --profile" },
    { REASON_ROLE_NOT_ALLOWED, "run it with the certificate of the right party; --help says whose command it is" },
    { REASON_NOT_YOURS, "name your own bank or merchant, or use the other party's certificate" },
    { REASON_METHOD_UNKNOWN, "server and command line are of different versions: update the older one" },
    { REASON_REQUEST_ID_INVALID, "leave --request-id out: a good one is made" },
    { REASON_REQUEST_ID_TIME, "leave --request-id out, or set this machine's clock" },
    { REASON_MESSAGE_TOO_LARGE, "send less at a time" },
    { REASON_CARD_NUMBER_REFUSED, "turn card numbers into tokens first: alliance cards tokenise FILE --key-file K" },
    { REASON_PROGRAMME_NOT_FOUND, "the operator makes one: alliance programme create PROGRAMME" },
    { REASON_BANK_NOT_FOUND, "the operator registers it: alliance bank register BANK --programme P --name N" },
    { REASON_MERCHANT_NOT_FOUND, "the operator registers it: alliance merchant register FILE.json" },
    { REASON_GOODS_NOT_FOUND, "the operator registers it: alliance good register FILE.json" },
    { REASON_CARRIER_NOT_FOUND, "the operator registers it: alliance carrier register FILE.json" },
    { REASON_MEMBER_NOT_FOUND, "the bank pushes its members: alliance members push FILE" },
    { REASON_REDEMPTION_NOT_FOUND, "take the redemption_id as the hold's receipt gave it" },
    { REASON_RULES_NOT_FOUND, "see the rules in force: alliance rules show" },
    { REASON_STATEMENT_NOT_FOUND, "see which there are: alliance statement list PROGRAMME" },
    { REASON_REQUEST_ID_REUSED, "repeat the request just as it was, or leave --request-id out for a new one" },
    { REASON_CARD_NOT_FOUND, "push the member with this card first, then this row again" },
    { REASON_ACCRUAL_NOT_FOUND, "push the purchase first, then this row again" },
    { REASON_TRANSACTION_REUSED, "give the transaction another transaction_ref if it is another one" },
    { REASON_ROSTER_BATCH_REUSED, "push that file as it was, or this one under the next number: alliance roster list" },
    { REASON_ROSTER_BATCH_NUMBER,
      "push it under the number the sentence names; alliance roster list shows the others" },
    { REASON_ROSTER_BATCH_OPEN, "see what it waits for: alliance roster show BATCH" },
    { REASON_ROSTER_BATCH_NOT_FOUND, "see which there are: alliance roster list" },
    { REASON_ALREADY_REGISTERED, "choose another id, or register it just as it is" },
    { REASON_NO_RULES_IN_FORCE, "the bank publishes rules: alliance rules publish FILE.json" },
    { REASON_NO_TERMS_IN_FORCE, "the operator publishes terms: alliance terms publish FILE.json" },
    { REASON_CURRENCY_NOT_EXCHANGED, "the bank adds a rate for the currency: alliance rules publish FILE.json" },
    { REASON_HOLD_LAPSED, "hold again" },
    { REASON_QUOTE_CHANGED, "ask again: alliance redeem quote" },
    { REASON_INSUFFICIENT_POINTS, "redeem less; the bank sees the balance with: alliance balance MEMBER_REF" },
    { REASON_TOO_MANY_OPEN_HOLDS, "confirm or cancel open holds first" },
    { REASON_NOT_A_SANDBOX, "only a programme made with --sandbox has a clock of its own" },
    { REASON_CLOCK_BACKWARD, "see what time it is there: alliance programme show PROGRAMME" },
    { REASON_EFFECTIVE_TOO_EARLY, "set effectiveFrom to a later instant of programme time" },
    { REASON_SETTING_INVALID, "see --help for what a connection needs" },
    { REASON_DATABASE_UNREACHABLE, "try again in a moment; the operator looks after the database" },
};

static const struct {
    int status;
    const char *sentence;
} by_status[] = {
    { STATUS_CANCELLED, "repeat it" },
    { STATUS_INVALID_ARGUMENT, "correct the field named and send it again" },
    { STATUS_DEADLINE_EXCEEDED, "repeat it, perhaps with a longer --timeout" },
    { STATUS_NOT_FOUND, "look at the name again" },
    { STATUS_ALREADY_EXISTS, "nothing, if it is what you meant" },
    { STATUS_PERMISSION_DENIED, "use the right party's certificate" },
    { STATUS_UNAUTHENTICATED, "use the certificate the operator gave you" },
    { STATUS_RESOURCE_EXHAUSTED, "wait a little and repeat it" },
    { STATUS_FAILED_PRECONDITION, "nothing was done; put right what the sentence says first" },
    { STATUS_OUT_OF_RANGE, "use a smaller value" },
    { STATUS_UNAVAILABLE, "see that the server runs and that the address and certificates are right, then repeat it" },
    { STATUS_DATA_LOSS, "tell the operator" },
    { STATUS_INTERNAL, "tell the operator, with the time it happened" },
};

const char *advice_for(const char *reason, int status)
{
    enum reason known = reason_by_name(reason);

    for (size_t i = 0; i < COUNT(by_reason); i++) {
        if (by_reason[i].reason == known)
            return by_reason[i].sentence;
    }
    for (size_t i = 0; i < COUNT(by_status); i++) {
        if (by_status[i].status == status)
            return by_status[i].sentence;
    }
    return "tell the operator";
}

bool advice_may_repeat(int status)
{
    return status == STATUS_UNAVAILABLE || status == STATUS_RESOURCE_EXHAUSTED || status == STATUS_DEADLINE_EXCEEDED;
}
