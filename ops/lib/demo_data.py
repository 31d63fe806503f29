#!/usr/bin/env python3
"""The demo's files, in the formats of the `alliance` command line.

  demo_data.py generate DIR             makes a month of business from a fixed seed under DIR/raw, then the files
  demo_data.py from-real SOURCE DIR     the same from SOURCE/ibm-cards and SOURCE/completejourney

DIR then holds programme.json, merchants.jsonl, terms/, rules/, members/, carrier.json, good.json, refused.csv and, for
each day, days/DATE/accruals.csv and days/DATE/redemptions.csv. The cards of from-real are made tokens by
`alliance cards tokenise` on the way; without --alliance members have none.
"""
import argparse
import csv
import datetime
import json
import os
import subprocess
import sys

import demo_raw
import demo_rule
from demo_rule import DEMO, REAL

VERSION = 1  # of the files' form; raise it when they change, and they are made anew


def instant(programme, day):
    """The programme's midnight at the start of that day, in UTC."""
    midnight = datetime.datetime.combine(day, datetime.time()) - datetime.timedelta(hours=programme.utc_offset)
    return midnight.isoformat() + "Z"


def ratio(pair):
    return {"num": str(pair[0]), "den": str(pair[1])}


def rules_message(programme, bank, rules):
    message = {
        "bankId": bank,
        "rates": [{"currencyCode": programme.currency, "conversionRate": ratio(rules.conversion),
                   "settlementRate": ratio(rules.settlement)}],
        "minimumPoints": str(rules.minimum), "expiryMonths": rules.months,
        "reinstateGraceDays": rules.grace, "accrualRate": ratio(rules.accrual)}
    return dated(message, programme, rules.start)


def dated(message, programme, start):
    """In force from the start when unset."""
    if start != programme.first:
        message["effectiveFrom"] = instant(programme, start)
    return message


def merchant_message(programme, merchant, stores):
    return {"merchantId": merchant, "programmeId": programme.name, "name": merchant.replace("-", " ").capitalize(),
            "stores": [{"storeId": store, "name": f"Store {store}"} for store in stores],
            "terms": {"commissionBp": demo_rule.commission_bp(merchant)[0], "settlementCurrency": programme.currency}}


class Folder:
    """Where the files go; a file is written whole or not at all."""

    def __init__(self, path):
        self.path = path

    def open(self, *parts):
        path = os.path.join(self.path, *parts)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        return open(path, "w", newline="", encoding="utf-8")

    def json(self, content, *parts):
        with self.open(*parts) as file:
            json.dump(content, file, indent=2)
            file.write("\n")

    def csv(self, header, rows, *parts):
        with self.open(*parts) as file:
            file.write(header + "\n")
            csv.writer(file, lineterminator="\n").writerows(rows)


def write_parties(out, programme, raw):
    with out.open("merchants.jsonl") as file:
        for merchant, stores in raw.stores.items():
            file.write(json.dumps(merchant_message(programme, merchant, stores)) + "\n")
    for merchant in raw.stores:
        later = demo_rule.commission_bp(merchant)[1]
        if later is not None:
            terms = {"merchantId": merchant, "commissionBp": later, "settlementCurrency": programme.currency}
            out.json(dated(terms, programme, programme.terms_change), "terms", f"{merchant}.json")
    for bank, versions in programme.rules.items():
        for number, rules in enumerate(versions, 1):
            out.json(rules_message(programme, bank, rules), "rules", f"{bank}-{number}.json")
    carrier = f"swift-post-{programme.name}"  # an installation's carriers have one name each, and both programmes fit in one
    out.json({"carrierId": carrier, "programmeId": programme.name, "name": "Swift Post",
              "adapter": "generic-json", "baseUrl": "http://127.0.0.1/"}, "carrier.json")
    out.json({"goodsId": "kettle", "merchantId": next(iter(raw.stores)), "name": "Kettle, 1.7 l",
              "kind": "GOODS_KIND_PHYSICAL", "price": {"currencyCode": programme.currency,
                                                       "amountMinor": str(programme.good_price)},
              "carrierId": carrier}, "good.json")
    out.json({"recipient": "Demo Member", "phone": "+86 10 5550 0100", "addressLine": "1 Harbour Road",
              "city": "Shanghai", "postalCode": "200000", "countryCode": "CN"}, "ship-to.json")


def tokens(cards, alliance, key_file):
    """{member: [token]}; the numbers go through a pipe, never through a file."""
    if not cards or not alliance:
        return {}
    lines = "member_ref,card_number\n" + "".join(f"{member},{number}\n" for member, number in cards)
    done = subprocess.run([alliance, "cards", "tokenise", "/dev/stdin", "--key-file", key_file],
                          input=lines, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 3):
        sys.exit("demo_data: alliance cards tokenise failed: " + done.stderr.strip())
    found = {}
    for row in csv.DictReader(done.stdout.splitlines()):
        found.setdefault(row["member_ref"], []).append(row["card_number"])
    return found


def write_members(out, raw, of_member):
    for bank, limits in raw.limits.items():
        out.csv("member_ref,credit_limit,status,card_tokens",
                ((member, limit, "ACTIVE", "|".join(of_member.get(member, []))) for member, limit in limits.items()),
                "members", f"{bank}.csv")


def write_days(out, programme, raw):
    """Returns how many steps there are."""
    stores = [(merchant, stores[0]) for merchant, stores in raw.stores.items()]
    story = demo_rule.Story(programme, raw.limits, raw.baskets, stores)
    shift = datetime.timedelta(hours=programme.utc_offset)
    count = 0
    for day in demo_rule.days(programme):
        baskets, steps = story.day(day)
        out.csv("transaction_ref,member_ref,currency,amount,transaction_time",
                ((b.ref, b.member, programme.currency, f"{b.amount // 100}.{b.amount % 100:02}",
                  (b.time - shift).isoformat() + "Z") for b in baskets),
                "days", day.isoformat(), "accruals.csv")
        out.csv("action,key,member_bank,member_ref,merchant,store,points,goods_id",
                ((s.action, s.key, s.bank, s.member, s.merchant, s.store, s.points or "", s.goods) for s in steps),
                "days", day.isoformat(), "redemptions.csv")
        count += len(steps)
    return count


def write_all(path, programme, raw, of_member):
    out = Folder(path)
    write_parties(out, programme, raw)
    write_members(out, raw, of_member)
    out.csv("file,line,reason", raw.refused, "refused.csv")
    steps = write_days(out, programme, raw)
    where = f", listed in {os.path.join(out.path, 'refused.csv')}" if raw.refused else ""
    print(f"{len(raw.baskets):,} purchases of {sum(map(len, raw.limits.values())):,} members at {len(raw.stores)} merchants, "
          f"{steps:,} steps of redemptions; {len(raw.refused)} raw rows refused{where}")
    # Last of all: who finds it finds everything.
    out.json({"version": VERSION, "programmeId": programme.name, "timeZone": programme.zone,
              "currency": programme.currency, "utcOffsetHours": programme.utc_offset,
              "first": programme.first.isoformat(), "last": programme.last.isoformat(),
              "banks": {bank: len(programme.rules[bank]) for bank in raw.limits},
              "spendingBank": programme.spending_bank, "goodDay": programme.good_day.isoformat(),
              "members": {bank: len(limits) for bank, limits in raw.limits.items()},
              "merchants": len(raw.stores), "stores": sum(len(s) for s in raw.stores.values()),
              "baskets": len(raw.baskets), "steps": steps, "refused": len(raw.refused)}, "programme.json")


SOURCES = ("ibm-cards/sd254_cards.csv", "completejourney/transactions_sample.csv")


def up_to_date(folder, sources):
    """Whole, of this form, and newer than what it was made from."""
    made = os.path.join(folder, "programme.json")
    here = os.path.dirname(os.path.abspath(__file__))
    try:
        with open(made, encoding="utf-8") as file:
            version = json.load(file)["version"]
        return version == VERSION and os.path.getmtime(made) > max(os.path.getmtime(path) for path in (
            *sources, *(os.path.join(here, name) for name in ("demo_data.py", "demo_raw.py", "demo_rule.py"))))
    except (OSError, ValueError, KeyError):
        return False


def from_real(arguments):
    sources = [os.path.join(arguments.source, part) for part in SOURCES]
    for path in sources:
        if not os.path.isfile(path):
            sys.exit(f"demo_data: there is no {path}")
    if arguments.if_needed and up_to_date(arguments.dir, sources):
        return
    raw = demo_raw.read_real(arguments.source, REAL)
    write_all(arguments.dir, REAL, raw, tokens(raw.cards, arguments.alliance, arguments.key_file))


def generate(arguments):
    folder = os.path.join(arguments.dir, "raw")
    if arguments.if_needed and up_to_date(arguments.dir, []):
        return
    demo_raw.generate(folder, DEMO)
    write_all(arguments.dir, DEMO, demo_raw.read_generated(folder, DEMO), {})


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    always = argparse.ArgumentParser(add_help=False)
    always.add_argument("--if-needed", action="store_true", help="do nothing when the files are there and up to date")
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser("generate", parents=[always])
    command.add_argument("dir")
    command.set_defaults(run=generate)
    command = commands.add_parser("from-real", parents=[always])
    command.add_argument("source")
    command.add_argument("dir")
    command.add_argument("--alliance", help="the alliance program, to make card numbers tokens")
    command.add_argument("--key-file", help="its token key")
    command.set_defaults(run=from_real)
    arguments = parser.parse_args()
    arguments.run(arguments)


if __name__ == "__main__":
    main()
