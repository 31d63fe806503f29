#include "cli.h"

static const char operator_[] = "Operator";
static const char bank[] = "Bank";
static const char merchant[] = "Merchant";
static const char settlement[] = "Settlement: operator, bank or merchant, each its own";
static const char anybody[] = "Anybody";

/* In the order of --help. */
const struct command commands[] = {
    { operator_, "programme create", "PROGRAMME", "TIME_ZONE SANDBOX BUSINESS_DATE CLOCK", "make an alliance",
      "alliance programme create demo --sandbox --business-date 2017-01-01 --clock 2017-01-01T00:00:00Z",
      programme_create },
    { operator_, "programme show", "PROGRAMME", "", "its business date and its time", "alliance programme show demo",
      programme_show },
    { operator_, "clock advance", "PROGRAMME INSTANT", "", "move a sandbox programme's test clock forward",
      "alliance clock advance demo 2017-01-02T00:00:00Z", clock_advance },
    { operator_, "bank register", "BANK", "PROGRAMME! NAME!", "let a bank take part in a programme",
      "alliance bank register bank-a --programme demo --name \"Bank A\"", bank_register },
    { operator_, "merchant register", "FILE.json", "", "let a merchant take part, with its stores and first terms",
      "alliance merchant register merchant.json", merchant_register },
    { operator_, "merchants import", "FILE.jsonl", "ALLOW_REFUSED",
      "register many merchants, a JSON object a line; all or none", "alliance merchants import merchants.jsonl",
      merchants_import },
    { operator_, "merchants list", "PROGRAMME", "", "the merchants of a programme", "alliance merchants list demo",
      merchants_list },
    { operator_, "terms publish", "FILE.json", "REQUEST_ID", "add a version of a merchant's terms",
      "alliance terms publish terms.json", terms_publish },
    { operator_, "good register", "FILE.json", "", "add a good of a merchant", "alliance good register good.json",
      good_register },
    { operator_, "carrier register", "FILE.json", "", "let a carrier take part",
      "alliance carrier register carrier.json", carrier_register },
    { operator_, "shipments list", "PROGRAMME", "", "the shipments of a programme and where they are",
      "alliance shipments list demo", shipments_list },

    { bank, "members push", "FILE.csv", "BANK ALLOW_REFUSED",
      "create and change members: member_ref,credit_limit[,status,card_tokens]", "alliance members push members.csv",
      members_push },
    { bank, "rules publish", "FILE.json", "REQUEST_ID", "add a version of the exchange rules",
      "alliance rules publish rules.json", rules_publish },
    { bank, "rules show", "[VERSION]", "BANK", "the exchange rules in force, or one version", "alliance rules show",
      rules_show },
    { bank, "accruals push", "FILE.csv", "BANK ALLOW_REFUSED",
      "turn card spend into points: transaction_ref,member_ref,currency,amount,transaction_time",
      "alliance accruals push spend.csv", accruals_push },
    { bank, "balance", "MEMBER_REF", "BANK", "a member's points and when they expire", "alliance balance m-1001",
      balance_show },

    { merchant, "redeem quote", "", "BANK! MERCHANT PRICE CURRENCY GOODS QUANTITY",
      "what a price or a good costs in points", "alliance redeem quote --bank bank-a --price 12.34 --currency CNY",
      redeem_quote },
    { merchant, "redeem hold", "",
      "BANK! MEMBER! POINTS! MERCHANT STORE TERMINAL GOODS QUANTITY SHIP_TO LAPSE_AFTER REQUEST_ID",
      "reserve a member's points", "alliance redeem hold --bank bank-a --member m-1001 --points 100", redeem_hold },
    { merchant, "redeem confirm", "REDEMPTION_ID", "POINTS REQUEST_ID", "spend held points, all or some",
      "alliance redeem confirm 0193a5f0-7e1c-7000-8000-000000000001.4a1f", redeem_confirm },
    { merchant, "redeem cancel", "REDEMPTION_ID", "REQUEST_ID", "give held points back",
      "alliance redeem cancel 0193a5f0-7e1c-7000-8000-000000000001.4a1f", redeem_cancel },
    { merchant, "redeem reverse", "REDEMPTION_ID", "POINTS REQUEST_ID", "give confirmed points back, all or some",
      "alliance redeem reverse 0193a5f0-7e1c-7000-8000-000000000001.4a1f --points 40", redeem_reverse },
    { merchant, "redeem show", "REDEMPTION_ID", "", "a redemption as it is now",
      "alliance redeem show 0193a5f0-7e1c-7000-8000-000000000001.4a1f", redeem_show },
    { merchant, "redemptions run", "FILE.csv", "PROFILES_DIR PARALLEL SHIP_TO RECEIPTS ALLOW_REFUSED",
      "do a file of them: action,key,member_bank,member_ref,merchant,store,points,goods_id; run again to repeat",
      "alliance redemptions run redemptions.csv --profiles-dir var/profiles", redemptions_run },

    { settlement, "statement list", "PROGRAMME", "PERIOD TYPE", "the statements there are",
      "alliance statement list demo --period 2017-01 --type PAIR", statement_list },
    { settlement, "statement show", "STATEMENT_ID", "LINES", "one statement, with --lines every entry of it",
      "alliance statement show demo/2017-01/PAIR/bank-a/shop-1/CNY --lines", statement_show },

    { anybody, "cards tokenise", "FILE.csv", "KEY_FILE! COLUMN",
      "write the file with card numbers replaced by tokens and without CVVs; nothing is sent",
      "alliance cards tokenise cards.csv --key-file token.key --column card_number", cards_tokenise },
    { anybody, "ping", "", "", "is the server there, and who does it think I am?", "alliance ping", ping },
    { anybody, "health", "", "", "does the server say that it serves?", "alliance health", health },
};
const size_t command_count = COUNT(commands);
