#!/usr/bin/env python3
"""demo_report.py FOLDER --ops OPS --var VAR: what happened, as short tables, and what to try next."""
import argparse
import collections
import csv
import glob
import json
import os
import shlex
import sys
import time
import urllib.request

from demo import Stopped, Tools, port_of


def table(title, header, rows):
    """Words to the left, numbers to the right."""
    cells = [header, *([str(cell) for cell in row] for row in rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(header))]
    left = [not any(row[i].lstrip("-")[:1].isdigit() for row in cells[1:]) or i == 0 for i in range(len(header))]
    print(f"\n{title}")
    for row in cells:
        print("  " + "  ".join(c.ljust(w) if l else c.rjust(w) for c, w, l in zip(row, widths, left)).rstrip())


def money(minor):
    sign, minor = "-" if minor < 0 else "", abs(minor)
    return f"{sign}{minor // 100:,}.{minor % 100:02}"


def whole(text):
    return f"{int(text):,}"


def spent(tools):
    """Card spend over all days, by outcome."""
    total = collections.Counter()
    with open(tools.file("tally.json"), encoding="utf-8") as file:
        for day in json.load(file).values():
            total.update(day)
    return total


def steps(tools):
    """(action, reason) -> how many, over all days."""
    total = collections.Counter()
    for path in glob.glob(tools.file("run", "*.receipts.csv")):
        with open(path, newline="", encoding="utf-8") as file:
            total.update((row["action"], row["reason"] or "OK") for row in csv.DictReader(file))
    return total


def what_happened(tools):
    push = spent(tools)
    rows = [("card spend", whole(push["created"] + push["unchanged"]), f"{push['refused']:,} refused" if push["refused"] else "")]
    done = steps(tools)
    for action in ("hold", "confirm", "cancel", "reverse"):
        refused = ", ".join(f"{count:,} {reason}" for (what, reason), count in sorted(done.items()) if what == action and reason != "OK")
        rows.append((action, whole(done[action, "OK"]), refused))
    table("What happened", ["", "done", "refused"], rows)


def statements(tools, programme, kind):
    return tools.ask("operator", "statement", "list", programme["programmeId"], "--type", kind).get("statements", [])


def totals_row(statement, *names):
    totals = statement["totals"]
    return (*names, whole(totals["confirmedPoints"]), whole(totals["reversedPoints"]), money(int(totals["grossMinor"])),
            money(int(totals["commissionMinor"])), money(int(totals["netMinor"])))


FIGURES = ["points confirmed", "reversed", "gross", "commission", "net"]


def settled(tools, programme):
    operator = statements(tools, programme, "OPERATOR")
    table(f"Settled months, {programme['currency']}: what all banks owe, the operator keeps, all merchants are paid",
          ["month", *FIGURES], [totals_row(statement, statement["period"]) for statement in operator])
    last = operator[-1]["period"] if operator else ""
    banks = [s for s in statements(tools, programme, "BANK") if s["period"] == last]
    table(f"Banks in {last}", ["bank", *FIGURES], [totals_row(statement, statement["bankId"]) for statement in banks])
    merchants = sorted((s for s in statements(tools, programme, "MERCHANT") if s["period"] == last),
                       key=lambda s: -int(s["totals"]["netMinor"]))
    table(f"The five best paid of {len(merchants)} merchants in {last}", ["merchant", *FIGURES],
          [totals_row(statement, statement["merchantId"]) for statement in merchants[:5]])
    return max((s for s in statements(tools, programme, "PAIR") if s["period"] == last),
               key=lambda s: int(s["totals"]["netMinor"]), default=None)


def shipped(tools, programme):
    """The parcel travels while we look: at most 30 seconds."""
    until = time.monotonic() + 30
    while True:
        shipments = tools.ask("operator", "shipments", "list", programme["programmeId"]).get("shipments", [])
        if all(s["state"] == "SHIPMENT_STATE_DELIVERED" for s in shipments) or time.monotonic() > until:
            break
        time.sleep(0.2)
    if shipments:
        table("Shipments", ["good", "carrier", "waybill", "state", "scans"],
              [(s["goodsId"], s["carrierId"], s["waybill"], s["state"].removeprefix("SHIPMENT_STATE_"), len(s.get("events", [])))
               for s in shipments])


def told(tools):
    """What the merchant simulator got since it was started; it checks each signature."""
    address = f"http://127.0.0.1:{port_of(tools, 'merchant')}"

    def count():
        with urllib.request.urlopen(f"{address}/received", timeout=5) as received, \
                urllib.request.urlopen(f"{address}/refused", timeout=5) as refused:
            return len(json.load(received)), json.load(refused)["count"]

    before, now = None, count()
    for _ in range(20):  # until nothing more comes, at most ten seconds
        if before == now:
            break
        time.sleep(0.5)
        before, now = now, count()
    if sum(now):
        table("Webhooks to the first merchant", ["signature", "messages"], [("right", whole(now[0])), ("wrong", whole(now[1]))])


def what_next(tools, programme, pair, shown):
    """pair: the statement the commands are about."""
    dev, bank, merchant = shlex.quote(f"{shown}/dev"), pair["bankId"], pair["merchantId"]
    print(f"""
Statements, CSV and JSON: {os.path.join(tools.var, 'statements', programme['programmeId'])}

Three commands to try next (each brings the stack up when it is down; {dev} down stops it):
  {dev} alliance --profile operator statement show {pair['statementId']} --lines
  {dev} alliance --profile merchant-{merchant} redeem quote --bank {bank} --price 12.34 --currency {programme['currency']}
  {dev} alliance --help
""")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder")
    parser.add_argument("--ops", required=True)
    parser.add_argument("--var", required=True)
    parser.add_argument("--shown", default="ops")
    asked = parser.parse_args()
    tools = Tools(asked.ops, asked.var, asked.folder)
    with open(tools.file("programme.json"), encoding="utf-8") as file:
        programme = json.load(file)
    try:
        what_happened(tools)
        shipped(tools, programme)
        told(tools)
        pair = settled(tools, programme)
        if pair:
            what_next(tools, programme, pair, asked.shown)
    except Stopped as why:
        sys.exit(f"demo: {why}")


if __name__ == "__main__":
    main()
